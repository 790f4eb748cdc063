//! An organization on the wire (auth-and-resources 9.1).

use influxd_model::Organization;
use serde::Serialize;
use utoipa::ToSchema;

use crate::time::rfc3339;

/// An organization: what everything else belongs to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Organization)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OrgView {
    links: Links,
    id: String,
    name: String,
    description: String,
    created_at: String,
    updated_at: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrganizationLinks)]
struct Links {
    buckets: String,
    dashboards: String,
    labels: String,
    logs: String,
    members: String,
    owners: String,
    secrets: String,
    #[serde(rename = "self")]
    own: String,
    tasks: String,
}

impl OrgView {
    pub(crate) fn of(org: &Organization) -> Self {
        let (id, name) = (org.id, &org.name);
        let below = |what: &str| format!("/api/v2/orgs/{id}/{what}");
        Self {
            links: Links {
                buckets: format!("/api/v2/buckets?org={name}"),
                dashboards: format!("/api/v2/dashboards?org={name}"),
                labels: below("labels"),
                logs: below("logs"),
                members: below("members"),
                owners: below("owners"),
                secrets: below("secrets"),
                own: format!("/api/v2/orgs/{id}"),
                tasks: format!("/api/v2/tasks?org={name}"),
            },
            id: id.to_string(),
            name: name.clone(),
            description: org.description.clone(),
            created_at: rfc3339(org.created_at),
            updated_at: rfc3339(org.updated_at),
        }
    }
}
