//! `DELETE /api/v2/authorizations/{id}`

use std::sync::Arc;

use actix_web::{HttpResponse, web};
use influxd_model::{Action, AuthorizationId};
use influxd_store::{Store, StoreError};

use crate::caller::Caller;
use crate::error::ApiError;
use crate::reply;
use crate::state::AppState;
use crate::v2::authorizations::kind::Kind;
use crate::v2::authorizations::{find, not_found, require_both};

/// Removes an authorization, also one whose organization or owner is gone, or the caller's own.
pub(crate) async fn delete(
    kind: Kind,
    caller: Caller,
    state: web::Data<AppState>,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let id: AuthorizationId = id.parse()?;
    let store = state.store.clone();
    state
        .change(move || delete_one(store.clone(), kind, caller.clone(), id))
        .await?;
    state.resolver.forget();
    tracing::info!(authorization.id = %id, "deleted {} {id}", kind.noun());
    Ok(reply::no_content())
}

async fn delete_one(
    store: Arc<dyn Store>,
    kind: Kind,
    caller: Caller,
    id: AuthorizationId,
) -> Result<(), ApiError> {
    let mut transaction = store.begin().await?;
    let authorization = find(&mut *transaction, kind, id).await?;
    require_both(&caller, Action::Write, &authorization)?;
    let deleted = transaction.authorizations().delete(kind.0, id).await;
    match deleted {
        Ok(()) => Ok(transaction.commit().await?),
        Err(StoreError::NotFound(_)) => Err(not_found()),
        Err(error) => Err(error.into()),
    }
}
