//! Answers that are not errors.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use serde::Serialize;

use crate::error::JSON_UTF8;
use crate::json;

const PLAIN: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const NO_SNIFF: (HeaderName, HeaderValue) = (
    HeaderName::from_static("x-content-type-options"),
    HeaderValue::from_static("nosniff"),
);

/// An indented JSON document.
pub(crate) fn pretty(status: StatusCode, value: &impl Serialize) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header((CONTENT_TYPE, JSON_UTF8))
        .body(json::pretty(value))
}

/// A JSON document on one line, with an end of line.
pub(crate) fn compact(status: StatusCode, value: &impl Serialize) -> HttpResponse {
    let mut body = json::compact(value);
    body.push(b'\n');
    HttpResponse::build(status)
        .insert_header((CONTENT_TYPE, JSON_UTF8))
        .body(body)
}

/// 204, without a body.
pub(crate) fn no_content() -> HttpResponse {
    HttpResponse::NoContent().finish()
}

/// A text.
pub(crate) fn plain(status: StatusCode, text: &'static str) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header((CONTENT_TYPE, PLAIN))
        .body(text)
}

/// What an unknown path below a resource gets (auth-and-resources 1.7).
pub(crate) fn page_not_found() -> HttpResponse {
    let mut response = plain(StatusCode::NOT_FOUND, "404 page not found\n");
    response.headers_mut().insert(NO_SNIFF.0, NO_SNIFF.1);
    response
}

/// 405 without any explanation.
pub(crate) fn method_not_allowed() -> HttpResponse {
    HttpResponse::MethodNotAllowed().finish()
}
