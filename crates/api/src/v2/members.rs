//! Members and owners of organizations and buckets (auth-and-resources 9.2): one code for all.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use influxd_model::{
    Action, Bucket, MemberOf, Membership, OrgId, Permission, ResourceType, Role, UserId,
};
use influxd_store::{StoreError, Transaction, Unique};
use influxd_tokens::check_gain_role;
use serde::Serialize;
use utoipa::ToSchema;

use crate::body::Body;
use crate::caller::Caller;
use crate::error::{ApiError, ErrorCode};
use crate::json::Fields;
use crate::permit::{holds, on_org, require};
use crate::reply;
use crate::routes::operation::Verb::{Delete, Get, Post};
use crate::routes::operation::{Answer, Group, Operation, Style};
use crate::state::AppState;
use crate::v2::paging::SelfLink;
use crate::v2::parent;
use crate::v2::users::view::UserView;

/// The user who gets the role.
#[derive(ToSchema)]
#[schema(as = AddResourceMemberRequestBody)]
#[expect(dead_code, reason = "describes a body that is taken apart by hand")]
struct NewMemberBody {
    id: String,
}

/// A user, and what they are to something.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ResourceMember)]
struct MemberView {
    role: &'static str,
    #[serde(flatten)]
    user: UserView,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ResourceMembers)]
struct MembersView {
    links: SelfLink,
    users: Vec<MemberView>,
}

/// The kinds of things that have members and owners.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Organization,
    Bucket,
}

macro_rules! groups {
    ($($name:ident: $kind:ident, $role:ident, $root:literal, $id:literal, $words:literal;)*) => {$(
        pub(crate) const $name: Group = Group {
            root: $root,
            style: Style::Pretty,
            operations: &[
                Operation::new(
                    (Get, $root),
                    || web::to(|c, s, id| list(Kind::$kind, Role::$role, c, s, id)),
                    (concat!("Get", $id), concat!("Lists the ", $words)),
                    &[Answer::json::<MembersView>(200)],
                ),
                Operation::new(
                    (Post, $root),
                    || web::to(|c, s, id, b| add(Kind::$kind, Role::$role, c, s, id, b)),
                    (concat!("Post", $id), concat!("Adds to the ", $words)),
                    &[Answer::json::<MemberView>(201)],
                )
                .takes::<NewMemberBody>()
                .errors(&[500]),
                Operation::new(
                    (Delete, concat!($root, "/{userID}")),
                    || web::to(|c, s, ids| remove(Kind::$kind, c, s, ids)),
                    (
                        concat!("Delete", $id, "ID"),
                        concat!("Removes a user from the ", $words, ", whatever their role"),
                    ),
                    &[Answer::empty(204)],
                ),
            ],
        };
    )*};
}

groups! {
    OF_ORGS: Organization, Member, "/api/v2/orgs/{id}/members", "OrgsIDMembers",
        "members of an organization";
    OWNERS_OF_ORGS: Organization, Owner, "/api/v2/orgs/{id}/owners", "OrgsIDOwners",
        "owners of an organization";
    OF_BUCKETS: Bucket, Member, "/api/v2/buckets/{id}/members", "BucketsIDMembers",
        "members of a bucket";
    OWNERS_OF_BUCKETS: Bucket, Owner, "/api/v2/buckets/{id}/owners", "BucketsIDOwners",
        "owners of a bucket";
}

/// Something that the caller can see, which has members and owners.
enum Parent {
    Organization(OrgId),
    Bucket(Bucket),
}

impl Parent {
    async fn find(
        kind: Kind,
        transaction: &mut dyn Transaction,
        caller: &Caller,
        id: &str,
    ) -> Result<Self, ApiError> {
        match kind {
            Kind::Organization => {
                let id = parent::id(id)?;
                let found = parent::organization(transaction, caller, id).await?;
                Ok(Self::Organization(found.id))
            }
            Kind::Bucket => {
                let id = parent::id(id)?;
                let found = parent::bucket(transaction, caller, id).await?;
                Ok(Self::Bucket(found))
            }
        }
    }

    const fn of(&self) -> MemberOf {
        match self {
            Self::Organization(org) => MemberOf::Organization(*org),
            Self::Bucket(bucket) => MemberOf::Bucket(bucket.id),
        }
    }

    /// What it takes to see or change who is what to it.
    fn permission(&self, action: Action) -> Permission {
        match self {
            Self::Organization(org) => Permission {
                action,
                resource: ResourceType::Orgs,
                org: Some(*org),
                id: Some((*org).into()),
            },
            Self::Bucket(bucket) => Permission {
                action,
                resource: ResourceType::Buckets,
                org: Some(bucket.org),
                id: Some(bucket.id.into()),
            },
        }
    }

    /// Its name and id, for the log.
    fn name(&self) -> String {
        match self {
            Self::Organization(org) => format!("organization {org}"),
            Self::Bucket(bucket) => format!("bucket {}", bucket.id),
        }
    }

    /// The path of the list of those with a role in it.
    fn path(&self, role: Role) -> String {
        let role = role.name();
        match self {
            Self::Organization(org) => format!("/api/v2/orgs/{org}/{role}s"),
            Self::Bucket(bucket) => format!("/api/v2/buckets/{}/{role}s", bucket.id),
        }
    }
}

/// Lists the users with a role.
async fn list(
    kind: Kind,
    role: Role,
    caller: Caller,
    state: web::Data<AppState>,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let store = state.store.clone();
    let work = async move {
        let mut transaction = store.begin_read().await?;
        let parent = Parent::find(kind, &mut *transaction, &caller, &id).await?;
        if let Parent::Bucket(bucket) = &parent
            && !holds(&caller, &on_org(Action::Read, bucket.org))
        {
            return Err(ApiError::not_found("not found"));
        }
        let users = if holds(&caller, &parent.permission(Action::Read)) {
            transaction.memberships().users(parent.of(), role).await?
        } else {
            Vec::new()
        };
        Ok(MembersView {
            links: SelfLink {
                own: parent.path(role),
            },
            users: users
                .iter()
                .map(|user| MemberView {
                    role: role.name(),
                    user: UserView::of(user),
                })
                .collect(),
        })
    };
    Ok(reply::pretty(StatusCode::OK, &state.run(work).await?))
}

fn decode(body: &Body) -> Result<UserId, ApiError> {
    Fields::read(&body.0, "postURMRequest")
        .and_then(|mut fields| fields.id("id"))
        .map_err(|error| ApiError::invalid(error.to_string()))?
        .ok_or(ApiError::invalid("user id missing or invalid"))
}

/// Gives a user a role. Who does so holds what it gives (auth-and-resources 4.9).
async fn add(
    kind: Kind,
    role: Role,
    caller: Caller,
    state: web::Data<AppState>,
    id: web::Path<String>,
    body: Body,
) -> Result<HttpResponse, ApiError> {
    let store = state.store.clone();
    let (id, body) = (id.into_inner(), Arc::new(body));
    let work = move || {
        let (store, caller, id, body) = (store.clone(), caller.clone(), id.clone(), body.clone());
        async move {
            let missing = || ApiError::not_found("user not found");
            let mut transaction = store.begin().await?;
            let parent = Parent::find(kind, &mut *transaction, &caller, &id).await?;
            let user = decode(&body)?;
            let user = transaction.users().find(user).await?.ok_or_else(missing)?;
            require(&caller, &parent.permission(Action::Write))?;
            check_gain_role(&mut *transaction, &caller, parent.of(), role).await?;
            let new = Membership {
                user: user.id,
                of: parent.of(),
                role,
            };
            match transaction.memberships().insert(&new).await {
                Err(StoreError::Conflict(Unique::Membership)) => {
                    return Err(ApiError::new(
                        ErrorCode::Internal,
                        format!(
                            "Unexpected error when assigning user to a resource: mapping for user {} already exists",
                            user.id
                        ),
                    ));
                }
                Err(StoreError::NotFound(what)) => return Err(ApiError::gone(what)),
                result => result?,
            }
            transaction.commit().await?;
            Ok((user, parent.name()))
        }
    };
    let (user, parent) = state.change(work).await?;
    state.resolver.forget();
    let role = role.name();
    tracing::info!(user.id = %user.id, "user {} is {role} of {parent} now", user.id);
    let user = UserView::of(&user);
    Ok(reply::pretty(
        StatusCode::CREATED,
        &MemberView { role, user },
    ))
}

/// Takes a user's role away, whichever it is. Without effect, and without asking for a permission,
/// if they have none.
async fn remove(
    kind: Kind,
    caller: Caller,
    state: web::Data<AppState>,
    ids: web::Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let (id, user) = ids.into_inner();
    let store = state.store.clone();
    let work = move || {
        let (store, caller, id, user) = (store.clone(), caller.clone(), id.clone(), user.clone());
        async move {
            let mut transaction = store.begin().await?;
            let parent = Parent::find(kind, &mut *transaction, &caller, &id).await?;
            let user: UserId = user.parse()?;
            let of = parent.of();
            let roles = transaction.memberships().of_user(user).await?;
            if !roles.iter().any(|membership| membership.of == of) {
                return Ok(None);
            }
            require(&caller, &parent.permission(Action::Write))?;
            transaction.memberships().delete(user, of).await?;
            transaction.commit().await?;
            Ok(Some((user, parent.name())))
        }
    };
    if let Some((user, parent)) = state.change(work).await? {
        state.resolver.forget();
        tracing::info!(user.id = %user, "user {user} is nothing to {parent} any more");
    }
    Ok(reply::no_content())
}
