//! `DELETE /api/v2/dbrps/{id}`

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use influxd_model::{Action, AnyId, DbrpId, Permission};
use influxd_store::{Store, StoreError};

use crate::caller::Caller;
use crate::error::ApiError;
use crate::permit::{require, sees_bucket};
use crate::query_string::Query;
use crate::reply;
use crate::state::AppState;
use crate::v2::dbrps::find::{self, Found};
use crate::v2::dbrps::{OrgChoice, unknown};

/// Removes a mapping. A virtual one lives as long as its bucket: nothing happens to it.
pub(crate) async fn delete(
    caller: Caller,
    state: web::Data<AppState>,
    id: web::Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let id: AnyId = id.parse()?;
    let query = Query::new(request.query_string());
    let choice = OrgChoice::of(query.get("orgID"), query.get("org"))?;
    let store = state.store.clone();
    let deleted = state
        .change(move || delete_one(store.clone(), caller.clone(), choice.clone(), id))
        .await?;
    if let Some(id) = deleted {
        state.changed();
        tracing::info!(dbrp.id = %id, "deleted mapping {id}");
    }
    Ok(reply::no_content())
}

/// The id of what was removed.
async fn delete_one(
    store: Arc<dyn Store>,
    caller: Caller,
    choice: OrgChoice,
    id: AnyId,
) -> Result<Option<DbrpId>, ApiError> {
    let mut transaction = store.begin().await?;
    let org = choice.resolve(&mut *transaction).await?;
    let found = find::find(&mut *transaction, org, id)
        .await?
        .ok_or_else(unknown)?;
    let (dbrp, bucket) = match found {
        Found::Physical(dbrp, bucket) => (Some(dbrp), bucket),
        Found::Virtual(bucket) if sees_bucket(&caller, &bucket) => (None, bucket),
        Found::Virtual(_) => return Err(unknown()),
    };
    require(&caller, &Permission::on_bucket(Action::Write, &bucket))?;
    let Some(dbrp) = dbrp else {
        return Ok(None);
    };
    match transaction.dbrps().delete(org, dbrp.id).await {
        Err(StoreError::NotFound(_)) => return Err(unknown()),
        result => result?,
    }
    transaction.commit().await?;
    Ok(Some(dbrp.id))
}
