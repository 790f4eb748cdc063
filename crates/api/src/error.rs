//! What can go wrong with a request, and the one map from there to code and status.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use influxd_model::{IdError, Permission};
use influxd_store::{LostRace, StoreError};

use crate::json;

/// The codes of auth-and-resources 1.4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorCode {
    Internal,
    NotImplemented,
    NotFound,
    Conflict,
    Invalid,
    Empty,
    Unprocessable,
    Unavailable,
    Forbidden,
    Unauthorized,
    MethodNotAllowed,
    TooLarge,
}

impl ErrorCode {
    /// The word in bodies and in the header `X-Platform-Error-Code`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Internal => "internal error",
            Self::NotImplemented => "not implemented",
            Self::NotFound => "not found",
            Self::Conflict => "conflict",
            Self::Invalid => "invalid",
            Self::Empty => "empty value",
            Self::Unprocessable => "unprocessable entity",
            Self::Unavailable => "unavailable",
            Self::Forbidden => "forbidden",
            Self::Unauthorized => "unauthorized",
            Self::MethodNotAllowed => "method not allowed",
            Self::TooLarge => "request too large",
        }
    }

    /// The HTTP status that goes with it.
    pub(crate) const fn status(self) -> StatusCode {
        match self {
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::NotImplemented => StatusCode::NOT_IMPLEMENTED,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Conflict | Self::Unprocessable => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Invalid | Self::Empty => StatusCode::BAD_REQUEST,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        }
    }
}

/// Why a request was not answered as asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// Something that the client can mend, or should know in these words.
    #[error("{message}")]
    Client {
        code: ErrorCode,
        message: Cow<'static, str>,
    },
    /// The caller is known, but may not do this.
    #[error("{0} is unauthorized")]
    Denied(Permission),
    /// Too much at once; trying again helps. The text is for the client.
    #[error("{0}")]
    Busy(&'static str),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// We failed. The cause is for the log.
    #[error("{context}")]
    Internal {
        context: &'static str,
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

/// What a client is told of failures that are ours.
pub(crate) const INTERNAL_MESSAGE: &str = "An internal error has occurred - check server logs";
/// What a client is told while the store cannot be reached.
pub(crate) const UNAVAILABLE_MESSAGE: &str = "the database is not available, try again later";

/// How long a client should wait before it tries again, seconds.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

impl ApiError {
    pub(crate) fn new(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        let message = message.into();
        Self::Client { code, message }
    }

    pub(crate) fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::Invalid, message)
    }

    pub(crate) fn not_found(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::NotFound, message)
    }

    pub(crate) fn conflict(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::Conflict, message)
    }

    pub(crate) fn internal(
        context: &'static str,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        let source = source.into();
        Self::Internal { context, source }
    }

    /// Something that this transaction has found is gone, `what` it was: once more it will find
    /// that out where it looks for it.
    pub(crate) fn gone(what: &str) -> Self {
        let race = LostRace(format!("the {what} is gone"));
        Self::Store(StoreError::Unavailable(Box::new(race)))
    }

    /// The only place that picks a code.
    pub(crate) const fn code(&self) -> ErrorCode {
        match self {
            Self::Client { code, .. } => *code,
            Self::Denied(_) => ErrorCode::Unauthorized,
            Self::Busy(_) | Self::Store(StoreError::Unavailable(_)) => ErrorCode::Unavailable,
            Self::Store(StoreError::NotFound(_)) => ErrorCode::NotFound,
            Self::Store(StoreError::Conflict(_)) => ErrorCode::Conflict,
            Self::Store(_) | Self::Internal { .. } => ErrorCode::Internal,
        }
    }

    /// What the client is told: of our own failures one fixed sentence.
    pub(crate) fn message(&self) -> Cow<'_, str> {
        match self {
            Self::Client { message, .. } => Cow::Borrowed(message),
            Self::Denied(_) | Self::Store(StoreError::NotFound(_) | StoreError::Conflict(_)) => {
                Cow::Owned(self.to_string())
            }
            Self::Busy(message) => Cow::Borrowed(message),
            Self::Store(StoreError::Unavailable(_)) => Cow::Borrowed(UNAVAILABLE_MESSAGE),
            Self::Store(_) | Self::Internal { .. } => Cow::Borrowed(INTERNAL_MESSAGE),
        }
    }

    /// Notes our own failures, with all their causes. Called once, where the answer is made.
    pub(crate) fn log(&self) {
        match self {
            Self::Store(StoreError::NotFound(_) | StoreError::Conflict(_))
            | Self::Client { .. }
            | Self::Denied(_)
            | Self::Busy(_) => {}
            Self::Store(_) | Self::Internal { .. } => {
                tracing::error!(error = %Causes(self), "a request failed");
            }
        }
    }
}

impl From<IdError> for ApiError {
    fn from(error: IdError) -> Self {
        Self::invalid(error.to_string())
    }
}

/// An error and all its causes, on one line.
pub(crate) struct Causes<'a>(pub(crate) &'a (dyn Error + 'static));

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

/// How the bodies of a route are laid out (auth-and-resources 1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    /// Indented.
    Pretty,
    /// On one line.
    Compact,
    /// On one line, and with a copy of the message as `error`: `/write` and `/query`.
    V1,
}

/// The answer to a request that failed.
pub(crate) fn answer(error: &ApiError, family: Family) -> HttpResponse {
    error.log();
    let mut response = error_response(error.code(), &error.message(), family);
    if error.code() == ErrorCode::Unavailable {
        let name = actix_web::http::header::RETRY_AFTER;
        response.headers_mut().insert(name, RETRY_AFTER);
    }
    response
}

/// An error's answer.
pub(crate) fn error_response(code: ErrorCode, message: &str, family: Family) -> HttpResponse {
    HttpResponse::build(code.status())
        .insert_header((PLATFORM_ERROR_CODE, HeaderValue::from_static(code.name())))
        .insert_header((actix_web::http::header::CONTENT_TYPE, JSON_UTF8))
        .body(error_body(code, message, family))
}

/// The header that repeats the code.
const PLATFORM_ERROR_CODE: HeaderName = HeaderName::from_static("x-platform-error-code");
/// The content type of all answers in JSON but those of `/query`.
pub(crate) const JSON_UTF8: HeaderValue =
    HeaderValue::from_static("application/json; charset=utf-8");

fn error_body(code: ErrorCode, message: &str, family: Family) -> Vec<u8> {
    let mut body = Vec::with_capacity(64 + message.len());
    let (open, between, close): (&[u8], &[u8], &[u8]) = match family {
        Family::Pretty => (b"{\n\t\"code\": ", b",\n\t\"message\": ", b"\n}"),
        Family::Compact | Family::V1 => (b"{\"code\":", b",\"message\":", b"}"),
    };
    body.extend_from_slice(open);
    json::push_string(code.name(), &mut body);
    body.extend_from_slice(between);
    json::push_replaced(message, &mut body);
    if family == Family::V1 {
        body.extend_from_slice(b",\"error\":");
        json::push_replaced(message, &mut body);
    }
    body.extend_from_slice(close);
    body
}

/// A bare status: the gate lays errors out as their route's family wants it.
impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.code().status()
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status_code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_laid_out_by_family() {
        let body = |family| {
            String::from_utf8(error_body(
                ErrorCode::NotFound,
                "no \"<x>\" \u{fffd}",
                family,
            ))
            .unwrap()
        };
        assert_eq!(
            body(Family::Compact),
            r#"{"code":"not found","message":"no \"\u003cx\u003e\" \ufffd"}"#
        );
        assert_eq!(
            body(Family::V1),
            r#"{"code":"not found","message":"no \"\u003cx\u003e\" \ufffd","error":"no \"\u003cx\u003e\" \ufffd"}"#
        );
        assert_eq!(
            body(Family::Pretty),
            "{\n\t\"code\": \"not found\",\n\t\"message\": \"no \\\"\\u003cx\\u003e\\\" \\ufffd\"\n}"
        );
    }

    #[test]
    fn our_own_failures_are_not_told() {
        let error = ApiError::Store(StoreError::Corrupt {
            what: "bucket",
            detail: "row 7".to_owned(),
        });
        assert_eq!(error.message(), INTERNAL_MESSAGE);
        assert_eq!(error.code(), ErrorCode::Internal);
        let error = ApiError::Store(StoreError::Unavailable("password=hunter2".into()));
        assert_eq!(error.message(), UNAVAILABLE_MESSAGE);
        let answer = answer(&error, Family::V1);
        assert_eq!(answer.status(), 503);
        assert_eq!(answer.headers().get("Retry-After").unwrap(), "1");
    }
}
