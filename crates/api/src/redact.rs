//! What may be logged of a request: the one place that decides it.
//!
//! A request's target, headers and body are full of secrets: `u` and `p` in the query, tokens in
//! headers, passwords in bodies, and whatever people paste where it does not belong. So none of
//! their bytes is logged, at any level, but a method that HTTP knows, and the pattern of the route that the
//! path leads to. What the
//! framework logs by itself (headers, at level trace) never gets into our log: of other crates
//! than ours it takes warnings only, and theirs name no bytes of a request.

use std::fmt;

use actix_web::HttpRequest;
use actix_web::http::Method;

/// The verbs that HTTP knows.
pub(crate) fn is_known(method: &Method) -> bool {
    matches!(
        *method,
        Method::GET
            | Method::HEAD
            | Method::POST
            | Method::PUT
            | Method::PATCH
            | Method::DELETE
            | Method::OPTIONS
            | Method::CONNECT
            | Method::TRACE
    )
}

/// A request's method as it may be logged: a dash where it is none that HTTP knows.
pub(crate) struct ShownMethod<'a>(pub(crate) &'a Method);

impl fmt::Display for ShownMethod<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if is_known(self.0) {
            self.0.as_str()
        } else {
            "-"
        })
    }
}

/// A request's path as it may be logged: the pattern of its route, without ids; a dash where no
/// route is.
pub(crate) struct ShownPath<'a>(pub(crate) &'a HttpRequest);

impl fmt::Display for ShownPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.match_name().unwrap_or("-"))
    }
}
