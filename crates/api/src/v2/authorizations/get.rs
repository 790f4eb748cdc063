//! `GET /api/v2/authorizations/{id}`

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use influxd_model::{Action, AuthorizationId};

use crate::caller::Caller;
use crate::error::ApiError;
use crate::reply;
use crate::state::AppState;
use crate::v2::authorizations::kind::Kind;
use crate::v2::authorizations::names::Names;
use crate::v2::authorizations::view::AuthorizationView;
use crate::v2::authorizations::{find, require_both, shown_token};

/// Shows an authorization. Whether it exists comes before whether the caller may see it, and that
/// before whether its organization and its owner exist.
pub(crate) async fn get(
    kind: Kind,
    caller: Caller,
    state: web::Data<AppState>,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let id: AuthorizationId = id.parse()?;
    let store = state.store.clone();
    let work = async move {
        let mut transaction = store.begin_read().await?;
        let authorization = find(&mut *transaction, kind, id).await?;
        require_both(&caller, Action::Read, &authorization)?;
        let mut names = Names::default();
        names.learn(&mut *transaction, &authorization).await?;
        match names.missing(&authorization) {
            Some(what) => Err(ApiError::not_found(what)),
            None => {
                let token = shown_token(&mut *transaction, &caller, &authorization).await?;
                Ok(AuthorizationView::of(&authorization, token, &names))
            }
        }
    };
    let view = state.run(work).await?;
    Ok(reply::pretty(StatusCode::OK, &view))
}
