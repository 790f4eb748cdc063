//! `DELETE /api/v2/labels/{id}`

use actix_web::{HttpResponse, web};
use influxd_model::{Action, LabelId};
use influxd_store::StoreError;

use super::{missing, on_label};
use crate::caller::Caller;
use crate::error::ApiError;
use crate::permit::require;
use crate::reply;
use crate::state::AppState;

/// Removes a label, also from what bears it.
pub(super) async fn delete(
    caller: Caller,
    state: web::Data<AppState>,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let id: LabelId = id.parse()?;
    let store = state.store.clone();
    let work = move || {
        let (store, caller) = (store.clone(), caller.clone());
        async move {
            let mut transaction = store.begin().await?;
            let label = transaction.labels().find(id).await?.ok_or_else(missing)?;
            require(&caller, &on_label(Action::Write, &label))?;
            match transaction.labels().delete(id).await {
                Err(StoreError::NotFound(_)) => return Err(missing()),
                result => result?,
            }
            Ok(transaction.commit().await?)
        }
    };
    state.change(work).await?;
    tracing::info!(label.id = %id, "deleted label {id}");
    Ok(reply::no_content())
}
