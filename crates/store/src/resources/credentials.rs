//! Repositories of what callers present: API tokens, 1.x users and sessions.

use async_trait::async_trait;
use influxd_model::{Authorization, AuthorizationId, OrgId, Session, UserId};

use super::tokens::{StoredToken, TokenForms};
use crate::Result;

/// API tokens and 1.x users are kept side by side, but never mistaken for each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AuthorizationKind {
    /// Found by the digest of a token.
    ApiToken,
    /// Found by name, with a password.
    V1User,
}

/// Which authorizations to list: all conditions that are given hold.
#[derive(Debug, Clone, Copy)]
pub struct AuthorizationFilter {
    /// Tokens or 1.x users.
    pub kind: AuthorizationKind,
    /// Those of this organization.
    pub org: Option<OrgId>,
    /// Those that this user owns.
    pub user: Option<UserId>,
    /// Leave out those whose organization or user is gone (auth-and-resources 5.7).
    pub living: bool,
}

/// API tokens, found by digest, and 1.x users, found by name.
#[async_trait]
pub trait AuthorizationRepository: Send {
    /// The one of this kind with this id, its organization and user gone or not.
    async fn find(
        &mut self,
        kind: AuthorizationKind,
        id: AuthorizationId,
    ) -> Result<Option<Authorization>>;
    /// The API token that may be stored in one of these forms, and the form that was found: the
    /// raw one, else the first digest that there is.
    async fn find_by_token(
        &mut self,
        forms: &TokenForms,
    ) -> Result<Option<(Authorization, StoredToken)>>;
    /// The 1.x user of this name, byte for byte, with the hash (PHC text, or bcrypt's of an
    /// import) of its password, if one is set.
    async fn find_v1_user(&mut self, name: &str)
    -> Result<Option<(Authorization, Option<String>)>>;
    /// Those that pass the filter, by id.
    async fn list(&mut self, filter: &AuthorizationFilter) -> Result<Vec<Authorization>>;
    /// Adds an API token as it is to be stored, or a 1.x user without one; conflicts: `Id`,
    /// `Token` (the raw token, the digest, or the 1.x user's name). A 1.x user begins without a
    /// password.
    async fn insert(&mut self, new: &Authorization, token: Option<&StoredToken>) -> Result<()>;
    /// Writes status, description and update time of one. `NotFound` if there is none.
    async fn update(&mut self, changed: &Authorization) -> Result<()>;
    /// Sets the hash of a 1.x user's password. `NotFound` if there is no such 1.x user.
    async fn set_password(&mut self, id: AuthorizationId, hash: &str) -> Result<()>;
    /// Removes one with its digest and its password. `NotFound` if there is none of this kind.
    async fn delete(&mut self, kind: AuthorizationKind, id: AuthorizationId) -> Result<()>;
}

/// Sessions, by the digest (PHC text) of their key. What has expired counts as gone.
#[async_trait]
pub trait SessionRepository: Send {
    /// The session with this digest, if it has not expired at `now` (nanoseconds since 1970).
    async fn find(&mut self, digest: &str, now: i64) -> Result<Option<Session>>;
    /// Adds one, and removes those of everybody that have expired at its beginning; conflict:
    /// `Token` (the digest).
    async fn insert(&mut self, new: &Session, digest: &str) -> Result<()>;
    /// Moves the end of one; without effect if there is none. Never makes it end earlier. Where
    /// somebody else changes the session at the same moment, theirs counts, and this succeeds.
    async fn extend(&mut self, digest: &str, expires_at: i64) -> Result<()>;
    /// Removes one, if it has not expired at `now`; whether there was one.
    async fn delete(&mut self, digest: &str, now: i64) -> Result<bool>;
    /// Removes all of a user, but the one with the digest `except`.
    async fn delete_of_user(&mut self, user: UserId, except: Option<&str>) -> Result<()>;
}
