//! `/health`

use std::borrow::Cow;

use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpResponse, web};

use crate::error::JSON_UTF8;
use crate::json;
use crate::state::AppState;

/// Whether the server can do its work. The spacing of the body is part of the contract
/// (data-endpoints 9.1).
pub(crate) async fn health(state: web::Data<AppState>) -> HttpResponse {
    let failure = match state.readiness.waiting_for() {
        Some(what) => Some(Cow::Owned(what)),
        None if state.watch.is_up() => None,
        None => Some(Cow::Borrowed("the database is not available")),
    };
    let (status, message, word) = match &failure {
        None => (StatusCode::OK, "ready for queries and writes", "pass"),
        Some(what) => (StatusCode::SERVICE_UNAVAILABLE, &**what, "fail"),
    };
    let mut body = Vec::with_capacity(192);
    body.extend_from_slice(b"{\"name\":\"influxdb\", \"message\":");
    json::push_string(message, &mut body);
    body.extend_from_slice(b", \"status\":");
    json::push_string(word, &mut body);
    body.extend_from_slice(b", \"checks\":[], \"version\": ");
    json::push_string(&state.config.version, &mut body);
    body.extend_from_slice(b", \"commit\": ");
    json::push_string(&state.config.commit, &mut body);
    body.extend_from_slice(b"}\n");
    HttpResponse::build(status)
        .insert_header((CONTENT_TYPE, JSON_UTF8))
        .body(body)
}
