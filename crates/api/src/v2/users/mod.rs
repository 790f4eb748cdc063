//! `/api/v2/users`

mod create;
mod delete;
pub(crate) mod get;
mod list;
pub(crate) mod password;
mod permissions;
mod update;
pub(crate) mod view;

use actix_web::web;
use influxd_model::{Action, Permission, ResourceType, UserId};
use influxd_tokens::MAX_NAME;
use utoipa::ToSchema;

use self::list::UsersView;
use self::password::PasswordBody;
use self::permissions::PermissionsView;
use self::view::UserView;
use crate::error::{ApiError, ErrorCode};
use crate::routes::operation::Verb::{Delete, Get, Patch, Post, Put};
use crate::routes::operation::{Answer, Group, Operation, Style};
use crate::text::refuse_nul;
use crate::v2::paging::PAGE;

/// A new user, without a password and without rights.
#[derive(ToSchema)]
#[schema(as = UserRequest)]
#[expect(dead_code, reason = "describes a body that is taken apart by hand")]
struct NewUserBody {
    /// Generated if not given.
    id: Option<String>,
    #[schema(rename = "oauthID")]
    oauth_id: Option<String>,
    /// Unique in the instance.
    name: String,
    /// `active`, or `inactive`.
    status: Option<String>,
}

/// Changes to a user; what is not given stays.
#[derive(ToSchema)]
#[schema(as = UserUpdate)]
#[expect(dead_code, reason = "describes a body that is taken apart by hand")]
struct ChangedUserBody {
    name: Option<String>,
    /// `active`, or `inactive`.
    status: Option<String>,
}

pub(crate) const GROUP: Group = Group {
    root: "/api/v2/users",
    style: Style::Pretty,
    operations: &[
        Operation::new(
            (Get, "/api/v2/users"),
            || web::to(list::list),
            ("GetUsers", "Lists the users that the caller may read"),
            &[Answer::json::<UsersView>(200)],
        )
        .query(&[
            ("id", "only the one with this id"),
            ("name", "only the one with this name"),
            PAGE.limit,
            PAGE.offset,
            PAGE.after,
            PAGE.descending,
        ])
        .errors(&[400, 404]),
        Operation::new(
            (Post, "/api/v2/users"),
            || web::to(create::create),
            ("PostUsers", "Makes a user"),
            &[Answer::json::<UserView>(201)],
        )
        .takes::<NewUserBody>()
        .errors(&[422, 500]),
        Operation::new(
            (Put, "/api/v2/users/password"),
            || web::to(password::change_nobodys),
            (
                "PutUsersPassword",
                "Changes no password: it does not say whose",
            ),
            &[],
        )
        .takes::<PasswordBody>()
        .or_id()
        .errors(&[500]),
        Operation::new(
            (Get, "/api/v2/users/{id}"),
            || web::to(get::get),
            ("GetUsersID", "Shows a user"),
            &[Answer::json::<UserView>(200)],
        ),
        Operation::new(
            (Patch, "/api/v2/users/{id}"),
            || web::to(update::update),
            ("PatchUsersID", "Changes name and status of a user"),
            &[Answer::json::<UserView>(200)],
        )
        .takes::<ChangedUserBody>()
        .errors(&[422]),
        Operation::new(
            (Delete, "/api/v2/users/{id}"),
            || web::to(delete::delete),
            ("DeleteUsersID", "Removes a user; its tokens stay, dead"),
            &[Answer::empty(204)],
        ),
        Operation::new(
            (Get, "/api/v2/users/{id}/permissions"),
            || web::to(permissions::permissions),
            (
                "GetUsersIDPermissions",
                "Lists what a user may do, that of tokens aside",
            ),
            &[Answer::json::<PermissionsView>(200)],
        ),
        Operation::new(
            (Post, "/api/v2/users/{id}/password"),
            || web::to(password::set),
            ("PostUsersIDPassword", "Sets the password of a user"),
            &[Answer::empty(204)],
        )
        .takes::<PasswordBody>()
        .errors(&[500]),
        Operation::new(
            (Put, "/api/v2/users/{id}/password"),
            || web::to(password::change),
            (
                "PutUsersIDPassword",
                "Changes the password of a user who knows the old one",
            ),
            &[Answer::empty(204)],
        )
        .takes::<PasswordBody>()
        .errors(&[500]),
    ],
};

/// Reading or changing one user.
pub(crate) fn on_user(action: Action, user: UserId) -> Permission {
    Permission {
        action,
        resource: ResourceType::Users,
        org: None,
        id: Some(user.into()),
    }
}

/// Whether a user can have this name (auth-and-resources 9.5).
fn check_name(name: &str) -> Result<(), ApiError> {
    if name.is_empty() {
        return Err(ApiError::new(ErrorCode::Empty, "key required"));
    }
    if name.len() > MAX_NAME {
        return Err(ApiError::new(ErrorCode::TooLarge, "key too large"));
    }
    refuse_nul(name)
}

fn not_found() -> ApiError {
    ApiError::not_found("user not found")
}

fn name_taken(name: &str) -> ApiError {
    ApiError::conflict(format!("user with name {name} already exists"))
}

fn unknown_status() -> ApiError {
    ApiError::invalid("invalid status: must be active or inactive")
}
