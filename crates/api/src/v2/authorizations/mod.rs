//! `/api/v2/authorizations`: API tokens; `/private/legacy/authorizations` and
//! `/legacy/authorizations`: 1.x users. What they share is all but a few words ([`kind::Kind`]).

mod create;
mod delete;
mod get;
pub(crate) mod kind;
mod list;
pub(crate) mod names;
mod password;
mod update;
pub(crate) mod view;

use std::borrow::Cow;

use actix_web::web;
use influxd_model::{Action, Authorization, AuthorizationId, Permission, ResourceType, Status};
use influxd_store::{RawToken, Transaction};
use influxd_tokens::{GainError, check_gain_authorization};
use secrecy::ExposeSecret;
use utoipa::ToSchema;

use self::kind::Kind;
use self::list::AuthorizationsView;
use self::view::AuthorizationView;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::permit::{holds, require};
use crate::routes::operation::Verb::{Delete, Get, Patch, Post};
use crate::routes::operation::{Answer, Group, Operation, Style};
use crate::text;
use crate::v2::users::on_user;
use crate::v2::users::password::PasswordBody;

/// What a new authorization may do.
#[derive(ToSchema)]
#[schema(as = PermissionRequest)]
#[expect(dead_code, reason = "describes a body that is taken apart by hand")]
struct PermissionBody {
    /// `read` or `write`.
    action: String,
    resource: ResourceBody,
}

/// What a permission of a new authorization is about.
#[derive(ToSchema)]
#[schema(as = ResourceRequest)]
#[expect(dead_code, reason = "describes a body that is taken apart by hand")]
struct ResourceBody {
    /// One of those of `GET /api/v2/resources`.
    #[schema(rename = "type")]
    kind: String,
    /// Only this one.
    id: Option<String>,
    /// Only those of this organization.
    #[schema(rename = "orgID")]
    org_id: Option<String>,
}

/// A new API token. Nobody can grant what they do not hold.
#[derive(ToSchema)]
#[schema(as = AuthorizationRequest)]
#[expect(dead_code, reason = "describes a body that is taken apart by hand")]
struct NewTokenBody {
    #[schema(rename = "orgID")]
    org_id: String,
    /// Its owner; the caller if not given.
    #[schema(rename = "userID")]
    user_id: Option<String>,
    /// `active`, or `inactive`.
    status: Option<String>,
    description: Option<String>,
    #[schema(min_items = 1)]
    permissions: Vec<PermissionBody>,
}

/// A new 1.x user. Nobody can grant what they do not hold.
#[derive(ToSchema)]
#[schema(as = LegacyAuthorizationRequest)]
#[expect(dead_code, reason = "describes a body that is taken apart by hand")]
struct NewV1UserBody {
    #[schema(rename = "orgID")]
    org_id: String,
    /// Its owner; the caller if not given.
    #[schema(rename = "userID")]
    user_id: Option<String>,
    /// The user's name, unique in the instance.
    token: String,
    /// `active`, or `inactive`.
    status: Option<String>,
    description: Option<String>,
    #[schema(min_items = 1)]
    permissions: Vec<PermissionBody>,
}

/// Changes to an authorization; what is not given stays.
#[derive(ToSchema)]
#[schema(as = AuthorizationUpdate)]
#[expect(dead_code, reason = "describes a body that is taken apart by hand")]
struct ChangedBody {
    /// `active`, or `inactive`.
    status: Option<String>,
    description: Option<String>,
}

const BY_USER_ID: (&str, &str) = ("userID", "only those that the user with this id owns");
const BY_USER: (&str, &str) = ("user", "only those that the user with this name owns");
const BY_ORG_ID: (&str, &str) = ("orgID", "only those of the organization with this id");
const BY_ORG: (&str, &str) = ("org", "only those of the organization with this name");
const BY_ID: (&str, &str) = ("id", "only the one with this id; nothing else then counts");

/// The operations that both kinds have: path, ids in the description, what one is called, the
/// parameters of the list, and the body of a new one.
macro_rules! operations {
    ($root:literal, $id:literal, $one:literal, $query:expr, $new:ty $(, $more:expr)?) => {
        &[
            Operation::new(
                (Get, $root),
                || web::to(list::list),
                (
                    concat!("Get", $id),
                    concat!("Lists every ", $one, " that the caller may read"),
                ),
                &[Answer::json::<AuthorizationsView>(200)],
            )
            .query($query)
            .errors(&[400, 404]),
            Operation::new(
                (Post, $root),
                || web::to(create::create),
                (concat!("Post", $id), concat!("Makes the ", $one, " described")),
                &[Answer::json::<AuthorizationView<'_>>(201)],
            )
            .takes::<$new>()
            .errors(&[404, 422, 500]),
            Operation::new(
                (Get, concat!($root, "/{id}")),
                || web::to(get::get),
                (concat!("Get", $id, "ID"), concat!("Shows one ", $one)),
                &[Answer::json::<AuthorizationView<'_>>(200)],
            ),
            Operation::new(
                (Patch, concat!($root, "/{id}")),
                || web::to(update::update),
                (
                    concat!("Patch", $id, "ID"),
                    concat!(
                        "Changes status and description of one ",
                        $one,
                        ", also where a 404 says that its organization or owner is gone"
                    ),
                ),
                &[Answer::json::<AuthorizationView<'_>>(200)],
            )
            .takes::<ChangedBody>(),
            Operation::new(
                (Delete, concat!($root, "/{id}")),
                || web::to(delete::delete),
                (concat!("Delete", $id, "ID"), concat!("Removes one ", $one)),
                &[Answer::empty(204)],
            ),
            $($more)?
        ]
    };
}

/// The operations of 1.x users, who have passwords, too.
macro_rules! v1_operations {
    ($root:literal, $id:literal) => {
        operations!(
            $root,
            $id,
            "1.x user",
            &[
                BY_USER_ID,
                BY_USER,
                BY_ORG_ID,
                BY_ORG,
                (
                    "token",
                    "only the one with this name; no user or organization then counts"
                ),
                (
                    "authID",
                    "only the one with this id; nothing else then counts"
                ),
                BY_ID,
            ],
            NewV1UserBody,
            Operation::new(
                (Post, concat!($root, "/{id}/password")),
                || web::to(password::set),
                (
                    concat!("Post", $id, "IDPassword"),
                    "Sets the password of a 1.x user",
                ),
                &[Answer::empty(204)],
            )
            .takes::<PasswordBody>()
            .errors(&[500])
        )
    };
}

pub(crate) const GROUP: Group = Group {
    root: "/api/v2/authorizations",
    style: Style::Pretty,
    operations: operations!(
        "/api/v2/authorizations",
        "Authorizations",
        "API token",
        &[BY_USER_ID, BY_USER, BY_ORG_ID, BY_ORG, BY_ID],
        NewTokenBody
    ),
};

pub(crate) const V1_GROUP: Group = Group {
    root: "/private/legacy/authorizations",
    style: Style::Pretty,
    operations: v1_operations!(
        "/private/legacy/authorizations",
        "PrivateLegacyAuthorizations"
    ),
};

/// The same at the path of the published description.
pub(crate) const V1_GROUP_AS_PUBLISHED: Group = Group {
    root: "/legacy/authorizations",
    style: Style::Pretty,
    operations: v1_operations!("/legacy/authorizations", "LegacyAuthorizations"),
};

/// The authorization of this kind with this id, its organization and owner gone or not.
async fn find(
    transaction: &mut dyn Transaction,
    kind: Kind,
    id: AuthorizationId,
) -> Result<Authorization, ApiError> {
    let found = transaction.authorizations().find(kind.0, id).await?;
    found.ok_or_else(not_found)
}

/// What an answer may show of a token that is there already: the token itself while it is stored
/// raw, to who holds all that it holds (auth-and-resources 4.9), and otherwise nothing.
async fn shown_token(
    transaction: &mut dyn Transaction,
    caller: &Caller,
    authorization: &Authorization,
) -> Result<Cow<'static, str>, ApiError> {
    let raw = match authorization.v1_name {
        Some(_) => None,
        None => transaction.tokens().find_raw(authorization.id).await?,
    };
    shown(transaction, caller, authorization, raw.as_ref()).await
}

/// The same for one whose raw token was looked for.
async fn shown(
    transaction: &mut dyn Transaction,
    caller: &Caller,
    authorization: &Authorization,
    raw: Option<&RawToken>,
) -> Result<Cow<'static, str>, ApiError> {
    let Some(raw) = raw else {
        return Ok(Cow::Borrowed(""));
    };
    match check_gain_authorization(transaction, caller, authorization).await {
        Ok(()) => Ok(text::lossy(raw.text().expose_secret()).into_owned().into()),
        Err(GainError::NotHeld(_)) => Ok(Cow::Borrowed("")),
        Err(GainError::Store(error)) => Err(error.into()),
    }
}

fn not_found() -> ApiError {
    ApiError::not_found("authorization not found")
}

/// The status that a body names; empty means active.
fn status_of(text: &str) -> Option<Status> {
    match text {
        "" => Some(Status::Active),
        _ => Status::from_name(text),
    }
}

fn on_authorization(action: Action, authorization: &Authorization) -> Permission {
    Permission {
        action,
        resource: ResourceType::Authorizations,
        org: Some(authorization.org),
        id: Some(authorization.id.into()),
    }
}

/// Refuses with 401 unless the caller holds both what it takes to touch an authorization: the
/// right to it, and to its owner.
fn require_both(
    caller: &Caller,
    action: Action,
    authorization: &Authorization,
) -> Result<(), ApiError> {
    require(caller, &on_authorization(action, authorization))?;
    require(caller, &on_user(action, authorization.user))
}

/// Whether the caller holds both.
fn holds_both(caller: &Caller, action: Action, authorization: &Authorization) -> bool {
    holds(caller, &on_authorization(action, authorization))
        && holds(caller, &on_user(action, authorization.user))
}
