//! `GET /api/v2/orgs/{id}`

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use influxd_model::{Action, OrgId};

use crate::caller::Caller;
use crate::error::ApiError;
use crate::permit::{on_org, require};
use crate::reply;
use crate::state::AppState;
use crate::v2::orgs::view::OrgView;

/// Shows an organization. Whether the caller may see it comes before whether it exists.
pub(crate) async fn get(
    caller: Caller,
    state: web::Data<AppState>,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let id: OrgId = id.parse()?;
    require(&caller, &on_org(Action::Read, id))?;
    let store = state.store.clone();
    let found = state
        .run(async move {
            let mut transaction = store.begin_read().await?;
            Ok(transaction.organizations().find(id).await?)
        })
        .await?;
    let organization = found.ok_or(ApiError::not_found("organization not found"))?;
    Ok(reply::pretty(StatusCode::OK, &OrgView::of(&organization)))
}
