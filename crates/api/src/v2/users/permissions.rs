//! `GET /api/v2/users/{id}/permissions`

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use influxd_model::{Action, UserId};
use influxd_tokens::own_permissions;
use serde::Serialize;
use utoipa::ToSchema;

use crate::caller::Caller;
use crate::error::ApiError;
use crate::permit::require;
use crate::reply;
use crate::state::AppState;
use crate::v2::authorizations::view::PermissionView;
use crate::v2::users::on_user;

/// A list, and nothing around it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Permissions)]
pub(crate) struct PermissionsView(Vec<PermissionView>);

/// Lists what a user may do by what they are owner and member of, and as themselves. The user need
/// not exist.
pub(crate) async fn permissions(
    caller: Caller,
    state: web::Data<AppState>,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let id: UserId = id.parse()?;
    require(&caller, &on_user(Action::Read, id))?;
    let store = state.store.clone();
    let permissions = state
        .run(async move {
            let mut transaction = store.begin_read().await?;
            Ok(own_permissions(&mut *transaction, id).await?)
        })
        .await?;
    let view = PermissionsView(permissions.iter().map(PermissionView::bare).collect());
    Ok(reply::pretty(StatusCode::OK, &view))
}
