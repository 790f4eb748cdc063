//! `/ping`

use actix_web::http::header::{ALLOW, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse};

use crate::reply;

const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, OPTIONS");

/// Whether anybody is there. Parameters and credentials are not looked at.
pub(crate) async fn ping(request: HttpRequest) -> HttpResponse {
    match *request.method() {
        Method::GET | Method::HEAD => reply::no_content(),
        Method::OPTIONS => HttpResponse::Ok().insert_header((ALLOW, METHODS)).finish(),
        _ => {
            let mut refusal = reply::plain(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed\n");
            refusal.headers_mut().insert(ALLOW, METHODS);
            refusal
        }
    }
}
