//! `/api/v2/orgs`

mod create;
mod delete;
mod get;
mod list;
mod update;
pub(crate) mod view;

use actix_web::web;
use influxd_tokens::MAX_NAME;
use utoipa::ToSchema;

use self::list::OrgsView;
use self::view::OrgView;
use crate::error::{ApiError, ErrorCode};
use crate::routes::operation::Verb::{Delete, Get, Patch, Post};
use crate::routes::operation::{Answer, Group, Operation, Style};
use crate::text::refuse_nul;
use crate::v2::paging::PAGE;

/// A new organization.
#[derive(ToSchema)]
#[schema(as = OrganizationRequest)]
#[expect(dead_code, reason = "describes a body that is taken apart by hand")]
struct NewOrgBody {
    /// Unique in the instance, white space around it aside.
    name: String,
    description: Option<String>,
}

/// Changes to an organization; what is not given stays.
#[derive(ToSchema)]
#[schema(as = OrganizationUpdate)]
#[expect(dead_code, reason = "describes a body that is taken apart by hand")]
struct ChangedOrgBody {
    name: Option<String>,
    description: Option<String>,
}

pub(crate) const GROUP: Group = Group {
    root: "/api/v2/orgs",
    style: Style::Pretty,
    operations: &[
        Operation::new(
            (Get, "/api/v2/orgs"),
            || web::to(list::list),
            (
                "GetOrgs",
                "Lists the organizations that the caller may read",
            ),
            &[Answer::json::<OrgsView>(200)],
        )
        .query(&[
            ("org", "only the one with this name"),
            ("orgID", "only the one with this id"),
            (
                "userID",
                "only those that this user is an owner or a member of",
            ),
            PAGE.limit,
            PAGE.offset,
        ])
        .errors(&[400, 404]),
        Operation::new(
            (Post, "/api/v2/orgs"),
            || web::to(create::create),
            ("PostOrgs", "Makes an organization"),
            &[Answer::json::<OrgView>(201)],
        )
        .takes::<NewOrgBody>()
        .errors(&[422]),
        Operation::new(
            (Get, "/api/v2/orgs/{id}"),
            || web::to(get::get),
            ("GetOrgsID", "Shows an organization"),
            &[Answer::json::<OrgView>(200)],
        ),
        Operation::new(
            (Patch, "/api/v2/orgs/{id}"),
            || web::to(update::update),
            ("PatchOrgsID", "Changes an organization"),
            &[Answer::json::<OrgView>(200)],
        )
        .takes::<ChangedOrgBody>()
        .errors(&[422]),
        Operation::new(
            (Delete, "/api/v2/orgs/{id}"),
            || web::to(delete::delete),
            (
                "DeleteOrgsID",
                "Removes an organization and what belongs to it",
            ),
            &[Answer::empty(204)],
        ),
    ],
};

/// Refuses what cannot name an organization.
fn check_name(name: &str) -> Result<(), ApiError> {
    if name.trim().is_empty() {
        return Err(ApiError::invalid("org name is empty"));
    }
    if name.len() > MAX_NAME {
        return Err(ApiError::new(ErrorCode::TooLarge, "key too large"));
    }
    refuse_nul(name)
}

fn taken(name: &str) -> ApiError {
    ApiError::conflict(format!("organization with name {name} already exists"))
}
