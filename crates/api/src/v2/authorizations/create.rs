//! `POST /api/v2/authorizations`

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use influxd_model::{
    Action, AnyId, Authorization, BucketId, OrgId, Permission, ResourceType, Status, UserId,
};
use influxd_store::{AuthorizationKind, Store, StoreError, StoredToken, Transaction, Unique};
use influxd_tokens::{ApiToken, Ids, MAX_NAME, check_grant};

use crate::body::Body;
use crate::caller::Caller;
use crate::error::{ApiError, ErrorCode};
use crate::json::{DecodeError, Fields};
use crate::permit::require;
use crate::reply;
use crate::state::AppState;
use crate::text::refuse_nul;
use crate::v2::authorizations::kind::Kind;
use crate::v2::authorizations::names::Names;
use crate::v2::authorizations::status_of;
use crate::v2::authorizations::view::AuthorizationView;
use crate::v2::ids::{TRIES, exhausted};
use crate::v2::users::on_user;

/// A body, as it was sent.
struct Request {
    org: Option<OrgId>,
    user: Option<UserId>,
    status: Option<String>,
    description: String,
    /// The name of a 1.x user. A request for an API token has no such field.
    token: String,
    permissions: Vec<GivenPermission>,
}

struct GivenPermission {
    action: String,
    resource: String,
    org: Option<OrgId>,
    id: Option<AnyId>,
}

fn decode(kind: Kind, body: &Body) -> Result<Request, DecodeError> {
    let mut fields = Fields::read(&body.0, "postAuthorizationRequest")?;
    let permissions = fields.objects("permissions", "Permission")?;
    Ok(Request {
        org: fields.id("orgID")?,
        user: fields.id("userID")?,
        status: fields.string("status")?,
        description: fields.string("description")?.unwrap_or_default(),
        token: match kind.0 {
            AuthorizationKind::V1User => fields.string("token")?.unwrap_or_default(),
            AuthorizationKind::ApiToken => String::new(),
        },
        permissions: permissions
            .unwrap_or_default()
            .into_iter()
            .map(decode_permission)
            .collect::<Result<_, _>>()?,
    })
}

fn decode_permission(mut fields: Fields) -> Result<GivenPermission, DecodeError> {
    let mut resource = fields.object("resource", "Resource")?;
    Ok(GivenPermission {
        action: fields.string("action")?.unwrap_or_default(),
        resource: resource.string("type")?.unwrap_or_default(),
        org: resource.id("orgID")?,
        id: resource.id("id")?,
    })
}

/// A permission whose words exist (auth-and-resources 4.4).
fn check_words(given: &GivenPermission) -> Result<Permission, ApiError> {
    let refuse = |what: &str, error| {
        ApiError::invalid(format!("invalid {what} type for permission: {error}"))
    };
    let resource = given.resource.parse().map_err(|e| refuse("resource", e))?;
    let action = given.action.parse().map_err(|e| refuse("action", e))?;
    Ok(Permission {
        action,
        resource,
        org: given.org,
        id: given.id,
    })
}

/// Everything that can be refused by looking at the body alone, in the order of
/// auth-and-resources 5.2 and 7.2.
fn check(
    kind: Kind,
    caller: &Caller,
    request: Request,
    now: i64,
    ids: &Ids,
) -> Result<Authorization, ApiError> {
    if request.permissions.is_empty() {
        return Err(ApiError::invalid("authorization must include permissions"));
    }
    let permissions = request
        .permissions
        .iter()
        .map(check_words)
        .collect::<Result<_, _>>()?;
    let org = request
        .org
        .ok_or(ApiError::invalid("org id required: invalid ID"))?;
    let status = match request.status {
        None => Status::Active,
        Some(text) => status_of(&text).ok_or(ApiError::invalid(
            "invalid status: must be active or inactive",
        ))?,
    };
    let v1_name = match kind.0 {
        AuthorizationKind::ApiToken => None,
        AuthorizationKind::V1User if request.token.is_empty() => {
            return Err(ApiError::invalid(
                "token required for v1 user authorization type",
            ));
        }
        AuthorizationKind::V1User => Some(request.token),
    };
    Ok(Authorization {
        id: ids.authorization(),
        v1_name,
        org,
        user: request.user.unwrap_or(caller.user.id),
        status,
        description: request.description,
        permissions,
        created_at: now,
        updated_at: now,
    })
}

/// Makes an API token, or a 1.x user that has no password yet. The order of the checks is part of
/// the contract.
pub(crate) async fn create(
    kind: Kind,
    caller: Caller,
    state: web::Data<AppState>,
    body: Body,
) -> Result<HttpResponse, ApiError> {
    let request = decode(kind, &body)
        .map_err(|error| ApiError::invalid(format!("invalid json structure: {error}")))?;
    let new = check(kind, &caller, request, state.clock.now(), &state.ids)?;
    let token = match kind.0 {
        AuthorizationKind::ApiToken => Some(ApiToken::generate(&*state.random)),
        AuthorizationKind::V1User => None,
    };
    let stored = token.as_ref().map(|token| state.hashing.stored(token));
    let (store, ids) = (state.store.clone(), Arc::clone(&state.ids));
    let (made, names) = state
        .change(move || {
            let new = (new.clone(), stored.clone());
            make(store.clone(), ids.clone(), caller.clone(), new)
        })
        .await?;
    state.resolver.forget();
    tracing::info!(
        authorization.id = %made.id, user.id = %made.user, org.id = %made.org,
        "created {} {}", kind.noun(), made.id
    );
    let shown = token.as_ref().and_then(ApiToken::expose_text);
    let view = AuthorizationView::of(&made, shown.unwrap_or_default().into(), &names);
    Ok(reply::pretty(StatusCode::CREATED, &view))
}

async fn make(
    store: Arc<dyn Store>,
    ids: Arc<Ids>,
    caller: Caller,
    (new, stored): (Authorization, Option<StoredToken>),
) -> Result<(Authorization, Names), ApiError> {
    let names = judge(&*store, &caller, &new).await?;
    let made = insert(&*store, &ids, new, stored).await?;
    Ok((made, names))
}

/// Whether the caller may make this, and whether it may exist (steps 6 to 11 of 5.2); the names of
/// what it mentions. In a transaction that only reads: a body may name very many things.
async fn judge(store: &dyn Store, caller: &Caller, new: &Authorization) -> Result<Names, ApiError> {
    let mut transaction = store.begin_read().await?;
    let caller_lives = transaction.users().find(caller.user.id).await?.is_some();
    if !caller_lives {
        return Err(unable());
    }
    let making = Permission {
        org: Some(new.org),
        ..Permission::on_type(Action::Write, ResourceType::Authorizations)
    };
    require(caller, &making)?;
    require(caller, &on_user(Action::Write, new.user))?;
    check_grant(&mut *transaction, caller, &new.permissions).await?;
    let of_instance = |p: &Permission| p.resource == ResourceType::Instance;
    if new.permissions.iter().any(of_instance) {
        return Err(ApiError::new(
            ErrorCode::Internal,
            "authorizations cannot be created with the instance type, it is only used during setup",
        ));
    }
    let foreign = |p: &&Permission| p.org.is_some_and(|org| org != new.org);
    if let Some(permission) = new.permissions.iter().find(foreign) {
        return Err(ApiError::invalid(format!(
            "permission {permission} is not for org id {}",
            new.org
        )));
    }
    let mut names = Names::default();
    names.learn(&mut *transaction, new).await?;
    if names.missing(new).is_some() {
        return Err(unable());
    }
    refuse_nul(&new.description)?;
    Ok(names)
}

/// Stores it. Whether its organization and its owner exist is asked again where nobody can come
/// between.
async fn insert(
    store: &dyn Store,
    ids: &Ids,
    mut new: Authorization,
    token: Option<StoredToken>,
) -> Result<Authorization, ApiError> {
    let mut transaction = store.begin().await?;
    let user = transaction.users().find(new.user).await?;
    let org = transaction.organizations().find(new.org).await?;
    if user.is_none() || org.is_none() {
        return Err(unable());
    }
    if let Some(name) = &new.v1_name {
        refuse_nul(name)?;
        if name.len() > MAX_NAME {
            return Err(ApiError::new(ErrorCode::TooLarge, "key too large"));
        }
        if transaction
            .authorizations()
            .find_v1_user(name)
            .await?
            .is_some()
        {
            return Err(taken());
        }
        require_buckets(&mut *transaction, &new.permissions).await?;
    }
    for _ in 0..TRIES {
        let inserted = transaction
            .authorizations()
            .insert(&new, token.as_ref())
            .await;
        match inserted {
            Ok(()) => {
                transaction.commit().await?;
                return Ok(new);
            }
            Err(StoreError::Conflict(Unique::Id)) => new.id = ids.authorization(),
            Err(StoreError::Conflict(Unique::Token)) => return Err(taken()),
            Err(error) => return Err(error.into()),
        }
    }
    Err(exhausted())
}

/// A 1.x user's buckets have to exist (auth-and-resources 7.2).
async fn require_buckets(
    transaction: &mut dyn Transaction,
    permissions: &[Permission],
) -> Result<(), ApiError> {
    let mut named: Vec<BucketId> = permissions
        .iter()
        .filter(|p| p.resource == ResourceType::Buckets)
        .filter_map(|p| BucketId::new(p.id?.get()))
        .collect();
    named.sort_unstable();
    named.dedup();
    for id in named {
        if transaction.buckets().find(id).await?.is_none() {
            return Err(ApiError::not_found("bucket not found when creating auth"));
        }
    }
    Ok(())
}

fn unable() -> ApiError {
    ApiError::invalid("unable to create token")
}

fn taken() -> ApiError {
    ApiError::conflict("token already exists")
}
