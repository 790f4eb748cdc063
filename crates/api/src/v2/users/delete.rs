//! `DELETE /api/v2/users/{id}`

use std::sync::Arc;

use actix_web::{HttpResponse, web};
use influxd_model::{Action, UserId};
use influxd_store::{Store, StoreError};
use influxd_tokens::check_gain_user;

use crate::caller::Caller;
use crate::error::ApiError;
use crate::permit::require;
use crate::reply;
use crate::state::AppState;
use crate::v2::users::{not_found, on_user};

/// Removes a user with its password, and from what it owns and is a member of; its authorizations
/// stay, dead. Nobody can remove who may do more than they.
pub(crate) async fn delete(
    caller: Caller,
    state: web::Data<AppState>,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let id: UserId = id.parse()?;
    require(&caller, &on_user(Action::Write, id))?;
    let store = state.store.clone();
    state
        .change(move || delete_one(store.clone(), caller.clone(), id))
        .await?;
    state.resolver.forget();
    tracing::info!(user.id = %id, "deleted user {id}");
    Ok(reply::no_content())
}

async fn delete_one(store: Arc<dyn Store>, caller: Caller, id: UserId) -> Result<(), ApiError> {
    let mut transaction = store.begin().await?;
    check_gain_user(&mut *transaction, &caller, id, false).await?;
    let deleted = transaction.users().delete(id).await;
    match deleted {
        Ok(()) => Ok(transaction.commit().await?),
        Err(StoreError::NotFound(_)) => Err(not_found()),
        Err(error) => Err(error.into()),
    }
}
