//! `/api/v2/orgs`

mod create;
mod delete;
mod get;
mod list;
pub(crate) mod view;

use actix_web::web;
use utoipa::ToSchema;

use self::list::OrgsView;
use self::view::OrgView;
use crate::routes::operation::Verb::{Delete, Get, Post};
use crate::routes::operation::{Answer, Group, Operation, Style};
use crate::v2::paging::PAGE;

/// What a request says of an organization.
#[derive(ToSchema)]
#[schema(as = OrganizationRequest)]
#[expect(dead_code, reason = "describes a body that is taken apart by hand")]
pub(crate) struct OrgBody {
    /// Unique in the instance, white space around it aside.
    name: String,
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
            PAGE.limit,
            PAGE.offset,
            PAGE.descending,
        ])
        .errors(&[400, 404]),
        Operation::new(
            (Post, "/api/v2/orgs"),
            || web::to(create::create),
            ("PostOrgs", "Makes an organization"),
            &[Answer::json::<OrgView>(201)],
        )
        .takes::<OrgBody>()
        .errors(&[422]),
        Operation::new(
            (Get, "/api/v2/orgs/{id}"),
            || web::to(get::get),
            ("GetOrgsID", "Shows an organization"),
            &[Answer::json::<OrgView>(200)],
        ),
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
