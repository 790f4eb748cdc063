//! `GET /api/v2/labels`

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use influxd_store::LabelFilter;

use super::sees_label;
use super::view::LabelsView;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::query_string::Query;
use crate::reply;
use crate::state::AppState;

/// Lists the labels that the caller may read. A malformed `orgID` counts as absent.
pub(super) async fn list(
    caller: Caller,
    state: web::Data<AppState>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let query = Query::new(request.query_string());
    let filter = LabelFilter {
        org: query.get("orgID").and_then(|id| id.parse().ok()),
        name: query.get("name").map(std::borrow::Cow::into_owned),
    };
    let store = state.store.clone();
    let found = state
        .run(async move {
            let mut transaction = store.begin_read().await?;
            Ok(transaction.labels().list(&filter).await?)
        })
        .await?;
    let seen = found.iter().filter(|label| sees_label(&caller, label));
    Ok(reply::pretty(StatusCode::OK, &LabelsView::of(seen)))
}
