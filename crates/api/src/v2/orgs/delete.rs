//! `DELETE /api/v2/orgs/{id}`

use std::sync::Arc;

use actix_web::{HttpResponse, web};
use influxd_model::{Action, OrgId};
use influxd_store::{Store, StoreError};

use crate::caller::Caller;
use crate::error::ApiError;
use crate::permit::{on_org, require};
use crate::reply;
use crate::state::AppState;

/// Removes an organization with its buckets and mappings. Tokens stay, dead.
pub(crate) async fn delete(
    caller: Caller,
    state: web::Data<AppState>,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let id: OrgId = id.parse()?;
    require(&caller, &on_org(Action::Write, id))?;
    let store = state.store.clone();
    state.change(move || delete_one(store.clone(), id)).await?;
    state.changed();
    state.resolver.forget();
    tracing::info!(org.id = %id, "deleted organization {id}");
    Ok(reply::no_content())
}

async fn delete_one(store: Arc<dyn Store>, id: OrgId) -> Result<(), ApiError> {
    let mut transaction = store.begin().await?;
    let deleted = transaction.organizations().delete(id).await;
    match deleted {
        Ok(()) => Ok(transaction.commit().await?),
        Err(StoreError::NotFound(_)) => Err(ApiError::not_found(format!(
            "error deleting organization id: {id}: organization not found"
        ))),
        Err(error) => Err(error.into()),
    }
}
