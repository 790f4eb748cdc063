//! Who a request comes from, as handlers take it.

use std::future::{Ready, ready};
use std::ops::Deref;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};

use crate::error::{ApiError, ErrorCode};

/// The caller, as the gate found it: a bad credential was answered before the handler runs.
#[derive(Debug, Clone)]
pub(crate) struct Caller(pub(crate) Arc<influxd_tokens::Caller>);

impl Deref for Caller {
    type Target = influxd_tokens::Caller;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl FromRequest for Caller {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let caller = request.extensions().get::<Self>().cloned();
        // Only open routes come without one, and no handler of theirs asks.
        ready(caller.ok_or(ApiError::new(
            ErrorCode::Unauthorized,
            "unauthorized access",
        )))
    }
}
