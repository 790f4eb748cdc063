//! `DELETE /api/v2/buckets/{id}`

use std::sync::Arc;

use actix_web::{HttpResponse, web};
use influxd_model::{Action, BucketId, Permission};
use influxd_store::{Store, StoreError};

use crate::caller::Caller;
use crate::error::ApiError;
use crate::permit::require;
use crate::reply;
use crate::state::AppState;

/// Removes a bucket with its points and mappings. One of the server's own stays, with all that is
/// in it.
pub(crate) async fn delete(
    caller: Caller,
    state: web::Data<AppState>,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let id: BucketId = id.parse()?;
    let store = state.store.clone();
    state
        .change(move || delete_one(store.clone(), caller.clone(), id))
        .await?;
    state.changed();
    state.resolver.forget();
    tracing::info!(bucket.id = %id, "deleted bucket {id}");
    Ok(reply::no_content())
}

async fn delete_one(store: Arc<dyn Store>, caller: Caller, id: BucketId) -> Result<(), ApiError> {
    let missing = || ApiError::not_found("bucket not found");
    let mut transaction = store.begin().await?;
    let bucket = transaction.buckets().find(id).await?.ok_or_else(missing)?;
    require(&caller, &Permission::on_bucket(Action::Write, &bucket))?;
    if bucket.is_system() {
        return Err(ApiError::invalid("system buckets cannot be deleted"));
    }
    match transaction.buckets().delete(id).await {
        Err(StoreError::NotFound(_)) => return Err(missing()),
        result => result?,
    }
    Ok(transaction.commit().await?)
}
