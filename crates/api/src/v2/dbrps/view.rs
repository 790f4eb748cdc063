//! A mapping on the wire (auth-and-resources 9.6).

use influxd_model::dbrp::Mapping;
use influxd_model::{Dbrp, OrgId};
use serde::Serialize;
use utoipa::ToSchema;

/// Which bucket a 1.x database and retention policy mean.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DBRP)]
pub(crate) struct DbrpView {
    id: String,
    database: String,
    retention_policy: String,
    default: bool,
    #[serde(rename = "virtual")]
    is_virtual: bool,
    #[serde(rename = "orgID")]
    org_id: String,
    #[serde(rename = "bucketID")]
    bucket_id: String,
}

impl DbrpView {
    pub(crate) fn of(mapping: &Mapping, org: OrgId) -> Self {
        Self {
            id: mapping
                .id
                .map_or_else(|| mapping.bucket.to_string(), |id| id.to_string()),
            database: mapping.database.clone(),
            retention_policy: mapping.policy.clone(),
            default: mapping.is_default,
            is_virtual: mapping.id.is_none(),
            org_id: org.to_string(),
            bucket_id: mapping.bucket.to_string(),
        }
    }

    pub(crate) fn physical(dbrp: &Dbrp) -> Self {
        Self {
            id: dbrp.id.to_string(),
            database: dbrp.database.clone(),
            retention_policy: dbrp.policy.clone(),
            default: dbrp.is_default,
            is_virtual: false,
            org_id: dbrp.org.to_string(),
            bucket_id: dbrp.bucket.to_string(),
        }
    }
}

/// One mapping, as most routes wrap it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DBRPGet)]
pub(crate) struct Content {
    pub(crate) content: DbrpView,
}

/// A list of mappings.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DBRPs)]
pub(crate) struct Contents {
    pub(crate) content: Vec<DbrpView>,
}
