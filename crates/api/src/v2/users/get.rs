//! `GET /api/v2/users/{id}`

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use influxd_model::{Action, UserId};

use crate::caller::Caller;
use crate::error::ApiError;
use crate::permit::require;
use crate::reply;
use crate::state::AppState;
use crate::v2::users::view::UserView;
use crate::v2::users::{not_found, on_user};

/// Shows a user.
pub(crate) async fn get(
    caller: Caller,
    state: web::Data<AppState>,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    show(&caller, &state, id.parse()?).await
}

/// Shows a user. Whether the caller may see it comes before whether it exists.
pub(crate) async fn show(
    caller: &Caller,
    state: &AppState,
    id: UserId,
) -> Result<HttpResponse, ApiError> {
    require(caller, &on_user(Action::Read, id))?;
    let store = state.store.clone();
    let found = state
        .run(async move {
            let mut transaction = store.begin_read().await?;
            Ok(transaction.users().find(id).await?)
        })
        .await?;
    let user = found.ok_or_else(not_found)?;
    Ok(reply::pretty(StatusCode::OK, &UserView::of(&user)))
}
