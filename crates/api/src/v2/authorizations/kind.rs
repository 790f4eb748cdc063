//! API tokens and 1.x users: one code, and the few words in which they differ.

use std::convert::Infallible;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use influxd_model::Authorization;
use influxd_store::AuthorizationKind;

use crate::routes::path_of;

/// Which of the two a request is about: its path says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kind(pub(crate) AuthorizationKind);

impl Kind {
    pub(crate) const fn of(authorization: &Authorization) -> Self {
        Self(match authorization.v1_name {
            Some(_) => AuthorizationKind::V1User,
            None => AuthorizationKind::ApiToken,
        })
    }

    /// The path of their list, wherever it was asked for.
    pub(crate) const fn base(self) -> &'static str {
        match self.0 {
            AuthorizationKind::ApiToken => "/api/v2/authorizations",
            AuthorizationKind::V1User => "/private/legacy/authorizations",
        }
    }

    /// What the log calls one.
    pub(crate) const fn noun(self) -> &'static str {
        match self.0 {
            AuthorizationKind::ApiToken => "API token",
            AuthorizationKind::V1User => "1.x user",
        }
    }

    /// What a change to a status that does not exist is told (auth-and-resources 5.5 and 7.4).
    pub(crate) const fn unknown_status(self) -> &'static str {
        match self.0 {
            AuthorizationKind::ApiToken => "encodeAuthorization: unknown authorization status",
            AuthorizationKind::V1User => "unknown authorization status",
        }
    }
}

impl FromRequest for Kind {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let path = path_of(request);
        ready(Ok(Self(if path.starts_with("/api/v2/") {
            AuthorizationKind::ApiToken
        } else {
            AuthorizationKind::V1User
        })))
    }
}
