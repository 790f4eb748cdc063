//! `POST /private/legacy/authorizations/{id}/password`

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use influxd_model::{Action, AuthorizationId};
use influxd_tokens::SetPasswordError;

use crate::body::Body;
use crate::caller::Caller;
use crate::error::{ApiError, ErrorCode};
use crate::permit::require;
use crate::refused;
use crate::reply;
use crate::state::AppState;
use crate::v2::authorizations::find;
use crate::v2::authorizations::kind::Kind;
use crate::v2::users::{on_user, password};

/// Sets the password of a 1.x user. Nobody can set that of one who may do more than they.
pub(crate) async fn set(
    kind: Kind,
    caller: Caller,
    state: web::Data<AppState>,
    id: web::Path<String>,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, ApiError> {
    let password = password::decode(&body).map_err(|error| ApiError::invalid(error.to_string()))?;
    let bad_id = "invalid authorization ID provided in route";
    let id: AuthorizationId = id
        .parse()
        .map_err(|_| ApiError::new(ErrorCode::Internal, bad_id))?;
    let (store, accounts) = (state.store.clone(), Arc::clone(&state.accounts));
    let password = Arc::new(password);
    let work = move || {
        let (store, accounts) = (store.clone(), accounts.clone());
        let (caller, password) = (caller.clone(), password.clone());
        async move {
            let mut transaction = store.begin_read().await?;
            let v1_user = find(&mut *transaction, kind, id).await?;
            drop(transaction);
            require(&caller, &on_user(Action::Write, v1_user.user))?;
            let set = accounts.set_v1_password(&caller, &v1_user, &password);
            match set.await {
                Err(SetPasswordError::Store(error)) => Err(error.into()),
                outcome => Ok(outcome),
            }
        }
    };
    let outcome = state.change(work).await?;
    outcome.map_err(|error| refused::set_password(&state, &request, error))?;
    tracing::info!(authorization.id = %id, "set the password of 1.x user {id}");
    Ok(reply::no_content())
}
