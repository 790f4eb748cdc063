//! `POST` and `PUT /api/v2/users/{id}/password`, and `PUT /api/v2/me/password`
//! (auth-and-resources 9.5).

use std::sync::Arc;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use influxd_model::{Action, UserId};
use influxd_tokens::{ApiToken, from_basic};
use secrecy::SecretSlice;
use utoipa::ToSchema;

use crate::address::ClientAddress;
use crate::body::Body;
use crate::caller::Caller;
use crate::error::{ApiError, ErrorCode};
use crate::json::{DecodeError, Fields};
use crate::permit::require;
use crate::refused;
use crate::reply;
use crate::state::AppState;
use crate::v2::users::on_user;

/// A new password.
#[derive(ToSchema)]
#[schema(as = PasswordResetBody)]
#[expect(dead_code, reason = "describes a body that is taken apart by hand")]
pub(crate) struct PasswordBody {
    /// 8 to 72 bytes.
    password: String,
}

/// The new password of a body; one that is not there is empty, and too short.
pub(crate) fn decode(body: &Body) -> Result<SecretSlice<u8>, DecodeError> {
    let mut fields = Fields::read(&body.0, "passwordSetRequest")?;
    let password = fields.string("password")?.unwrap_or_default();
    Ok(SecretSlice::from(password.into_bytes()))
}

/// `POST /api/v2/users/{id}/password`: sets it without knowing the old one.
pub(crate) async fn set(
    caller: Caller,
    state: web::Data<AppState>,
    id: web::Path<String>,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, ApiError> {
    let password = decode(&body).map_err(|error| ApiError::invalid(error.to_string()))?;
    let id = user_of(&id)?;
    require(&caller, &on_user(Action::Write, id))?;
    let accounts = Arc::clone(&state.accounts);
    let password = Arc::new(password);
    let work = move || {
        let (accounts, caller, password) = (accounts.clone(), caller.clone(), password.clone());
        async move { accounts.set_password(&caller, id, &password).await }
    };
    let outcome = state.insist(work).await?;
    outcome.map_err(|error| refused::set_password(&state, &request, error))?;
    tracing::info!(user.id = %id, "set the password of user {id}");
    Ok(reply::no_content())
}

/// `PUT /api/v2/users/{id}/password`: changes it for whoever knows the old one.
pub(crate) async fn change(
    caller: Caller,
    state: web::Data<AppState>,
    id: web::Path<String>,
    from: ClientAddress,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, ApiError> {
    let passwords = decode_change(&request, &body)?;
    let id = user_of(&id)?;
    apply(caller, &state, id, passwords, from, &request).await
}

/// `PUT /api/v2/me/password`
pub(crate) async fn change_own(
    caller: Caller,
    state: web::Data<AppState>,
    from: ClientAddress,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, ApiError> {
    let passwords = decode_change(&request, &body)?;
    let id = caller.user.id;
    apply(caller, &state, id, passwords, from, &request).await
}

/// `PUT /api/v2/users/password`, which names nobody.
pub(crate) async fn change_nobodys(
    _: Caller,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, ApiError> {
    decode_change(&request, &body)?;
    Err(bad_user())
}

async fn apply(
    caller: Caller,
    state: &AppState,
    id: UserId,
    (old, new): (ApiToken, SecretSlice<u8>),
    from: ClientAddress,
    request: &HttpRequest,
) -> Result<HttpResponse, ApiError> {
    require(&caller, &on_user(Action::Write, id))?;
    let accounts = Arc::clone(&state.accounts);
    let passwords = Arc::new((old, new));
    let work = move || {
        let (accounts, caller, passwords) = (accounts.clone(), caller.clone(), passwords.clone());
        async move {
            let (old, new) = &*passwords;
            let changed = accounts.change_password(&caller, id, old, new, from.0);
            changed.await
        }
    };
    let outcome = state.insist(work).await?;
    outcome.map_err(|error| refused::set_password(state, request, error))?;
    tracing::info!(user.id = %id, "changed the password of user {id}");
    Ok(reply::no_content())
}

/// The old password, out of the header, and the new one.
fn decode_change(
    request: &HttpRequest,
    body: &Body,
) -> Result<(ApiToken, SecretSlice<u8>), ApiError> {
    let refuse = |error: &dyn std::fmt::Display| {
        ApiError::invalid(format!("error decoding password reset request: {error}"))
    };
    let header = request.headers().get(header::AUTHORIZATION);
    let basic = header.and_then(|header| from_basic(header.as_bytes()));
    let basic = basic.ok_or_else(|| refuse(&"invalid basic auth"))?;
    let new = decode(body).map_err(|error| refuse(&error))?;
    Ok((basic.secret, new))
}

fn user_of(id: &str) -> Result<UserId, ApiError> {
    id.parse().map_err(|_| bad_user())
}

fn bad_user() -> ApiError {
    ApiError::new(ErrorCode::Internal, "invalid user ID provided in route")
}
