//! `POST /api/v2/users`

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use influxd_model::{Action, Permission, ResourceType, Status, User, UserId};
use influxd_store::{Store, StoreError, Unique};
use influxd_tokens::Ids;

use crate::body::Body;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::json::{DecodeError, Fields};
use crate::permit::require;
use crate::reply;
use crate::state::AppState;
use crate::text::refuse_nul;
use crate::v2::ids::{TRIES, exhausted};
use crate::v2::users::view::UserView;
use crate::v2::users::{check_name, name_taken, unknown_status};

struct Request {
    id: Option<UserId>,
    oauth_id: String,
    name: String,
    /// Empty: not given.
    status: String,
}

fn decode(body: &Body) -> Result<Request, DecodeError> {
    let mut fields = Fields::read(&body.0, "User")?;
    Ok(Request {
        id: fields.id("id")?,
        oauth_id: fields.string("oauthID")?.unwrap_or_default(),
        name: fields.string("name")?.unwrap_or_default(),
        status: fields.string("status")?.unwrap_or_default(),
    })
}

/// Makes a user, under the id that is given if one is. It has no password and no rights.
pub(crate) async fn create(
    caller: Caller,
    state: web::Data<AppState>,
    body: Body,
) -> Result<HttpResponse, ApiError> {
    let request = decode(&body).map_err(|error| ApiError::invalid(error.to_string()))?;
    let status = match request.status.as_str() {
        "" => Status::Active,
        text => Status::from_name(text).ok_or_else(unknown_status)?,
    };
    require(
        &caller,
        &Permission::on_type(Action::Write, ResourceType::Users),
    )?;
    check_name(&request.name)?;
    refuse_nul(&request.oauth_id)?;
    let user = User {
        id: request.id.unwrap_or_else(|| state.ids.user()),
        name: request.name,
        status,
        oauth_id: request.oauth_id,
    };
    let (store, ids) = (state.store.clone(), Arc::clone(&state.ids));
    let is_given = request.id.is_some();
    let user = state
        .change(move || insert(store.clone(), ids.clone(), user.clone(), is_given))
        .await?;
    tracing::info!(user.id = %user.id, "created user {}", user.id);
    Ok(reply::pretty(StatusCode::CREATED, &UserView::of(&user)))
}

async fn insert(
    store: Arc<dyn Store>,
    ids: Arc<Ids>,
    mut user: User,
    id_is_given: bool,
) -> Result<User, ApiError> {
    let mut transaction = store.begin().await?;
    // Asked first, so that both stores name the name when the id is taken as well.
    if transaction
        .users()
        .find_by_name(&user.name)
        .await?
        .is_some()
    {
        return Err(name_taken(&user.name));
    }
    for _ in 0..TRIES {
        let inserted = transaction.users().insert(&user).await;
        match inserted {
            Ok(()) => {
                transaction.commit().await?;
                return Ok(user);
            }
            Err(StoreError::Conflict(Unique::UserName)) => return Err(name_taken(&user.name)),
            Err(StoreError::Conflict(Unique::Id)) if id_is_given => {
                return Err(ApiError::conflict(format!(
                    "user with ID {} already exists",
                    user.id
                )));
            }
            Err(StoreError::Conflict(Unique::Id)) => user.id = ids.user(),
            Err(error) => return Err(error.into()),
        }
    }
    Err(exhausted())
}
