//! `GET /api/v2/labels/{id}`

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use influxd_model::{Action, LabelId};

use super::view::SingleView;
use super::{missing, on_label};
use crate::caller::Caller;
use crate::error::ApiError;
use crate::permit::require;
use crate::reply;
use crate::state::AppState;

/// Shows a label. Whether it exists comes before whether the caller may see it.
pub(super) async fn get(
    caller: Caller,
    state: web::Data<AppState>,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let id: LabelId = id.parse()?;
    let store = state.store.clone();
    let found = state
        .run(async move {
            let mut transaction = store.begin_read().await?;
            Ok(transaction.labels().find(id).await?)
        })
        .await?;
    let label = found.ok_or_else(missing)?;
    require(&caller, &on_label(Action::Read, &label))?;
    Ok(reply::pretty(StatusCode::OK, &SingleView::of(&label)))
}
