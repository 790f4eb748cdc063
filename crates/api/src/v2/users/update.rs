//! `PATCH /api/v2/users/{id}`

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use influxd_model::{Action, Status, User, UserId};
use influxd_store::{Store, StoreError, Unique};
use influxd_tokens::check_gain_user;

use crate::body::Body;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::json::{DecodeError, Fields};
use crate::permit::require;
use crate::reply;
use crate::state::AppState;
use crate::v2::users::view::UserView;
use crate::v2::users::{check_name, name_taken, not_found, on_user, unknown_status};

struct Request {
    name: Option<String>,
    status: Option<String>,
}

fn decode(body: &Body) -> Result<Request, DecodeError> {
    let mut fields = Fields::read_change(&body.0, "UserUpdate")?;
    Ok(Request {
        name: fields.string("name")?,
        status: fields.string("status")?,
    })
}

/// What is to become of a user.
#[derive(Clone)]
struct Change {
    name: Option<String>,
    status: Option<Status>,
}

/// Changes name and status of a user. Nobody can switch off who may do more than they.
pub(crate) async fn update(
    caller: Caller,
    state: web::Data<AppState>,
    id: web::Path<String>,
    body: Body,
) -> Result<HttpResponse, ApiError> {
    let id: UserId = id.parse()?;
    let request = decode(&body).map_err(|error| ApiError::invalid(error.to_string()))?;
    let status = request.status.map(|text| Status::from_name(&text));
    let change = Change {
        name: request.name,
        status: status.map(|s| s.ok_or_else(unknown_status)).transpose()?,
    };
    require(&caller, &on_user(Action::Write, id))?;
    let store = state.store.clone();
    let user = state
        .change(move || apply(store.clone(), caller.clone(), id, change.clone()))
        .await?;
    state.resolver.forget();
    tracing::info!(user.id = %id, "changed user {id}");
    Ok(reply::pretty(StatusCode::OK, &UserView::of(&user)))
}

async fn apply(
    store: Arc<dyn Store>,
    caller: Caller,
    id: UserId,
    change: Change,
) -> Result<User, ApiError> {
    let mut transaction = store.begin().await?;
    if change.status.is_some() {
        check_gain_user(&mut *transaction, &caller, id, false).await?;
    }
    let found = transaction.users().find(id).await?;
    let mut user = found.ok_or_else(not_found)?;
    if let Some(name) = change.name {
        check_name(&name)?;
        user.name = name;
    }
    if let Some(status) = change.status {
        user.status = status;
    }
    match transaction.users().update(&user).await {
        Err(StoreError::Conflict(Unique::UserName)) => return Err(name_taken(&user.name)),
        result => result?,
    }
    transaction.commit().await?;
    Ok(user)
}
