//! A user on the wire (auth-and-resources 9.5).

use influxd_model::User;
use serde::Serialize;
use utoipa::ToSchema;

use crate::v2::paging::SelfLink;

/// A user, without password.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = User)]
pub(crate) struct UserView {
    links: SelfLink,
    id: String,
    name: String,
    /// What another system calls the user.
    #[serde(rename = "oauthID", skip_serializing_if = "String::is_empty")]
    #[schema(required = false)]
    oauth_id: String,
    status: &'static str,
}

impl UserView {
    pub(crate) fn of(user: &User) -> Self {
        Self {
            links: SelfLink {
                own: format!("/api/v2/users/{}", user.id),
            },
            id: user.id.to_string(),
            name: user.name.clone(),
            oauth_id: user.oauth_id.clone(),
            status: user.status.name(),
        }
    }
}
