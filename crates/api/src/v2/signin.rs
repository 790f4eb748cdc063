//! `/api/v2/signin` and `/api/v2/signout` (auth-and-resources 2.4 to 2.6)

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use actix_web::http::header::{self, HeaderValue, HttpDate};
use actix_web::{HttpRequest, HttpResponse, web};
use influxd_tokens::{SESSION_COOKIE, SignedIn, from_basic, session_key};
use zeroize::Zeroizing;

use crate::address::ClientAddress;
use crate::error::{ApiError, ErrorCode};
use crate::refused;
use crate::reply;
use crate::routes::operation::Verb::{Get, Post};
use crate::routes::operation::{Answer, Group, Operation, Style};
use crate::state::AppState;

pub(crate) const GROUP: Group = Group {
    root: "/api/v2/signin",
    style: Style::Pretty,
    operations: &[
        Operation::new(
            (Post, "/api/v2/signin"),
            || web::to(sign_in),
            ("PostSignin", "Begins a session"),
            &[Answer::empty(204)],
        )
        .errors(&[401, 403]),
        Operation::new(
            (Get, "/api/v2/signin"),
            || web::to(sign_in),
            ("GetSignin", "Begins a session"),
            &[Answer::empty(204)],
        )
        .errors(&[401, 403]),
    ],
};

pub(crate) const SIGN_OUT_GROUP: Group = Group {
    root: "/api/v2/signout",
    style: Style::Pretty,
    operations: &[Operation::new(
        (Post, "/api/v2/signout"),
        || web::to(sign_out),
        ("PostSignout", "Ends the session"),
        &[Answer::empty(204)],
    )
    .errors(&[401])],
};

/// Begins a session for whoever the `Basic` header names; nothing else of the request counts.
async fn sign_in(
    state: web::Data<AppState>,
    from: ClientAddress,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let refuse = |error| refused::sign_in(&state, &request, error);
    let header = request.headers().get(header::AUTHORIZATION);
    let named = header.and_then(|header| from_basic(header.as_bytes()));
    let named = named.ok_or_else(|| refused::no_credential(&state, &request))?;
    let accounts = Arc::clone(&state.accounts);
    let named = Arc::new(named);
    let work = move || {
        let (accounts, named) = (accounts.clone(), named.clone());
        async move { accounts.sign_in(&named, from.0).await }
    };
    let outcome = state.insist(work).await?;
    let signed_in = outcome.map_err(refuse)?;
    tracing::info!(user.id = %signed_in.session.user, "a session began");
    let cookie = cookie(&signed_in, request.app_config().secure());
    Ok(HttpResponse::NoContent()
        .insert_header((header::SET_COOKIE, cookie))
        .finish())
}

/// Ends the session of the cookie, also while its user is inactive.
async fn sign_out(
    state: web::Data<AppState>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let cookies = request.headers().get_all(header::COOKIE);
    let key = session_key(cookies.map(HeaderValue::as_bytes)).ok_or_else(unauthorized)?;
    let accounts = Arc::clone(&state.accounts);
    let work = move || {
        let (accounts, key) = (accounts.clone(), key.clone());
        async move { Ok(accounts.sign_out(&key).await?) }
    };
    let was_there = state.change(work).await?;
    if !was_there {
        return Err(unauthorized());
    }
    tracing::info!("a session was ended");
    Ok(reply::no_content())
}

fn unauthorized() -> ApiError {
    ApiError::new(ErrorCode::Unauthorized, "unauthorized access")
}

/// The cookie that carries the key of a session; only over TLS where we speak TLS.
fn cookie(signed_in: &SignedIn, secure: bool) -> HeaderValue {
    let ends = u64::try_from(signed_in.session.expires_at).unwrap_or_default();
    let ends = HttpDate::from(UNIX_EPOCH + Duration::from_nanos(ends));
    let text = Zeroizing::new(format!(
        "{SESSION_COOKIE}={}; Path=/api/; Expires={ends}; HttpOnly{}; SameSite=Strict",
        signed_in.key.expose_text().unwrap_or_default(),
        if secure { "; Secure" } else { "" },
    ));
    let mut value = HeaderValue::from_str(&text).expect("a key is base64");
    value.set_sensitive(true);
    value
}
