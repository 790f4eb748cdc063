//! `GET /api/v2/buckets/{id}`

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use influxd_model::{Action, BucketId, Permission};

use crate::caller::Caller;
use crate::error::ApiError;
use crate::permit::require;
use crate::reply;
use crate::state::AppState;
use crate::v2::buckets::view::{self, BucketView};

/// Shows a bucket with those of its labels that the caller may read. Whether it exists comes before whether the caller may see it.
pub(crate) async fn get(
    caller: Caller,
    state: web::Data<AppState>,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let id: BucketId = id.parse()?;
    let store = state.store.clone();
    let work = async move {
        let mut transaction = store.begin_read().await?;
        let found = transaction.buckets().find(id).await?;
        let bucket = found.ok_or(ApiError::not_found("bucket not found"))?;
        require(&caller, &Permission::on_bucket(Action::Read, &bucket))?;
        let mut labels = view::labels(&mut *transaction, &caller, &[id]).await?;
        Ok(BucketView::labelled(&bucket, &mut labels))
    };
    Ok(reply::pretty(StatusCode::OK, &state.run(work).await?))
}
