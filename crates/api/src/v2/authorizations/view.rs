//! Authorizations and permissions on the wire (auth-and-resources 4.2 and 5.1).

use std::borrow::Cow;

use influxd_model::{Authorization, Permission, ResourceType};
use serde::Serialize;
use utoipa::ToSchema;

use crate::v2::authorizations::kind::Kind;
use crate::v2::authorizations::names::Names;
use crate::zone::local_rfc3339;

/// An API token, or a 1.x user.
// No `Debug`: it may hold the token.
#[derive(Serialize, ToSchema)]
#[schema(as = Authorization)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuthorizationView<'a> {
    id: String,
    /// The token in the answer that makes it. Later empty, unless it is stored raw and the caller
    /// holds all that it holds. Of a 1.x user the name.
    token: Cow<'a, str>,
    status: &'static str,
    description: String,
    #[serde(rename = "orgID")]
    org_id: String,
    org: String,
    #[serde(rename = "userID")]
    user_id: String,
    user: String,
    permissions: Vec<PermissionView>,
    links: AuthorizationLinks,
    created_at: String,
    updated_at: String,
}

/// Where an authorization and its owner are.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuthorizationLinks {
    #[serde(rename = "self")]
    own: String,
    user: String,
}

/// What may be done to what.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Permission)]
pub(crate) struct PermissionView {
    action: &'static str,
    resource: ResourceView,
}

/// What a permission is about.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Resource)]
struct ResourceView {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(rename = "orgID", skip_serializing_if = "Option::is_none")]
    org_id: Option<String>,
    /// The name of what `id` names.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// The name of the organization that `orgID` names.
    #[serde(skip_serializing_if = "Option::is_none")]
    org: Option<String>,
}

impl<'a> AuthorizationView<'a> {
    /// What is shown of an authorization; `token` is what may be shown of its token.
    pub(crate) fn of(authorization: &Authorization, token: Cow<'a, str>, names: &Names) -> Self {
        let Authorization {
            id,
            v1_name,
            org,
            user,
            ..
        } = authorization;
        let name = |resource, id| names.get(resource, id).unwrap_or_default().to_owned();
        Self {
            id: id.to_string(),
            token: match v1_name {
                Some(name) => Cow::Owned(name.clone()),
                None => token,
            },
            status: authorization.status.name(),
            description: authorization.description.clone(),
            org_id: org.to_string(),
            org: name(ResourceType::Orgs, (*org).into()),
            user_id: user.to_string(),
            user: name(ResourceType::Users, (*user).into()),
            permissions: authorization
                .permissions
                .iter()
                .map(|permission| PermissionView::of(permission, names))
                .collect(),
            links: AuthorizationLinks::of(authorization),
            created_at: local_rfc3339(authorization.created_at),
            updated_at: local_rfc3339(authorization.updated_at),
        }
    }
}

impl AuthorizationLinks {
    pub(crate) fn of(authorization: &Authorization) -> Self {
        let base = Kind::of(authorization).base();
        Self {
            own: format!("{base}/{}", authorization.id),
            user: format!("/api/v2/users/{}", authorization.user),
        }
    }
}

impl PermissionView {
    /// A permission, with those of its names that are known. What it names being gone, it is shown
    /// without any name.
    pub(crate) fn of(permission: &Permission, names: &Names) -> Self {
        let Permission { resource, id, .. } = *permission;
        let gone = id.is_some_and(|id| names.is_gone(resource, id));
        let name = |resource, id| {
            let name = names.get(resource, id).filter(|name| !name.is_empty());
            name.filter(|_| !gone).map(str::to_owned)
        };
        Self {
            action: permission.action.name(),
            resource: ResourceView {
                kind: resource.name(),
                id: id.map(|id| id.to_string()),
                org_id: permission.org.map(|org| org.to_string()),
                name: id.and_then(|id| name(resource, id)),
                org: permission
                    .org
                    .and_then(|org| name(ResourceType::Orgs, org.into())),
            },
        }
    }

    /// A permission without any names.
    pub(crate) fn bare(permission: &Permission) -> Self {
        Self::of(permission, &Names::default())
    }
}
