//! Credentials that were refused: what the log says, what is counted, what the client is told.

use std::fmt::Display;

use actix_web::{HttpRequest, HttpResponse};
use influxd_store::StoreError;
use influxd_tokens::{GainError, PasswordError, Refusal, SetPasswordError, SignInError, Surface};

use crate::address::ClientAddress;
use crate::error::{self, ApiError, ErrorCode, Family};
use crate::redact::ShownPath;
use crate::state::AppState;

/// What a client is told while too many passwords wait to be verified.
const BUSY: &str = "too many passwords wait to be verified, try again later";

/// Logs a refused credential: one line, always the same, which docs/fail2ban.md promises.
fn log(request: &HttpRequest, error: &dyn Display) {
    tracing::info!(
        error = %error,
        client.address = %ClientAddress::of(request).0,
        path = %ShownPath(request),
        "Unauthorized"
    );
}

/// The answer to a request whose credential does not do (auth-and-resources 8.6).
pub(crate) fn answer(
    state: &AppState,
    request: &HttpRequest,
    refusal: Refusal,
    surface: Surface,
) -> HttpResponse {
    state.metrics.refused(refusal.reason());
    let is_v1 = surface == Surface::V1;
    let family = if is_v1 { Family::V1 } else { Family::Compact };
    let refusal = match refusal {
        Refusal::Password(error) => return error::answer(&ApiError::from(error), family),
        // Whatever is wrong with the store, it is not the client's credential.
        Refusal::Store(error) => {
            let error = StoreError::Unavailable(Box::new(error));
            return error::answer(&ApiError::Store(error), family);
        }
        refusal => refusal,
    };
    log(request, &refusal);
    let (code, message) = match refusal {
        Refusal::NoCredential => (ErrorCode::Unauthorized, "unauthorized access"),
        Refusal::TokenInactive => (ErrorCode::Unauthorized, "token is inactive"),
        Refusal::UserMissing | Refusal::UserInactive if !is_v1 => {
            (ErrorCode::Forbidden, "User is inactive")
        }
        _ if is_v1 => (ErrorCode::Unauthorized, "Unauthorized"),
        _ => (ErrorCode::Unauthorized, "unauthorized access"),
    };
    error::error_response(code, message, family)
}

/// What it means for a request on an open route that it has no credential, where it needs one.
pub(crate) fn no_credential(state: &AppState, request: &HttpRequest) -> ApiError {
    let refusal = Refusal::NoCredential;
    state.metrics.refused(refusal.reason());
    log(request, &refusal);
    ApiError::new(ErrorCode::Unauthorized, "unauthorized access")
}

/// What it means for a request that somebody could not sign in (auth-and-resources 2.5).
pub(crate) fn sign_in(state: &AppState, request: &HttpRequest, error: SignInError) -> ApiError {
    match error {
        SignInError::Wrong => {
            state.metrics.refused("sign_in");
            log(request, &error);
            ApiError::new(ErrorCode::Unauthorized, "unauthorized access")
        }
        SignInError::ChangeRequired(_) => ApiError::new(ErrorCode::Forbidden, error.to_string()),
        SignInError::Password(error) => error.into(),
        SignInError::Store(error) => error.into(),
    }
}

/// What it means for a request that a password was not set (auth-and-resources 7.5 and 9.5).
pub(crate) fn set_password(
    state: &AppState,
    request: &HttpRequest,
    error: SetPasswordError,
) -> ApiError {
    let code = match error {
        SetPasswordError::Wrong => {
            state.metrics.refused("old_password");
            log(request, &error);
            ErrorCode::Forbidden
        }
        SetPasswordError::Rule(_) => ErrorCode::Invalid,
        SetPasswordError::NoUser => ErrorCode::Forbidden,
        SetPasswordError::NoV1User => ErrorCode::NotFound,
        SetPasswordError::Gain(error) => return error.into(),
        SetPasswordError::Password(error) => return error.into(),
        SetPasswordError::Store(error) => return error.into(),
    };
    ApiError::new(code, error.to_string())
}

impl From<GainError> for ApiError {
    fn from(error: GainError) -> Self {
        match error {
            GainError::NotHeld(_) => Self::new(ErrorCode::Forbidden, error.to_string()),
            GainError::Store(error) => error.into(),
        }
    }
}

impl From<PasswordError> for ApiError {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy => Self::Busy(BUSY),
            PasswordError::Damaged | PasswordError::Failed => {
                Self::internal("a password could not be hashed or verified", error)
            }
        }
    }
}
