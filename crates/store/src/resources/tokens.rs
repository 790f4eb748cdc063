//! What is stored of API tokens, raw or as digests, and the ways from one to the other.

use std::fmt;

use async_trait::async_trait;
use influxd_model::AuthorizationId;
use secrecy::{ExposeSecret, SecretSlice};
use sha2::{Digest, Sha256};

use super::AuthorizationFilter;
use crate::Result;

/// A token in clear, as it is stored while hashing is off. Wiped when dropped; compared and found
/// by its key alone.
#[derive(Clone)]
pub struct RawToken {
    text: SecretSlice<u8>,
    key: [u8; 32],
}

impl RawToken {
    /// The token with this text.
    pub fn new(text: SecretSlice<u8>) -> Self {
        let key = Sha256::digest(text.expose_secret()).into();
        Self { text, key }
    }

    /// Its text.
    pub const fn text(&self) -> &SecretSlice<u8> {
        &self.text
    }

    /// The SHA-256 of its text, which is kept beside it to find it by: the text itself is in no
    /// index, no statistics and no condition.
    pub const fn key(&self) -> &[u8; 32] {
        &self.key
    }
}

impl fmt::Debug for RawToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RawToken([REDACTED])")
    }
}

impl PartialEq for RawToken {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for RawToken {}

/// What is stored of an API token.
#[derive(Clone, PartialEq, Eq)]
pub enum StoredToken {
    /// A digest, PHC text.
    Digest(String),
    /// The token itself.
    Raw(RawToken),
}

impl fmt::Debug for StoredToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Digest(_) => "Digest([REDACTED])",
            Self::Raw(_) => "Raw([REDACTED])",
        })
    }
}

/// The forms in which a token that was presented may be stored.
#[derive(Clone)]
pub struct TokenForms {
    /// See [`RawToken::key`].
    pub raw_key: [u8; 32],
    /// Digests (PHC text), the likeliest first.
    pub digests: Vec<String>,
}

impl fmt::Debug for TokenForms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenForms({} digests)", self.digests.len())
    }
}

/// How tokens are stored, for counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum TokenForm {
    /// In clear.
    Raw,
    /// As a digest that begins with this prefix (PHC text up to the last `$`, included).
    Digest(String),
    /// Neither: such a token authenticates nobody.
    Missing,
}

/// What is stored of API tokens. Ids are those of their authorizations; 1.x users have no place
/// here.
#[async_trait]
pub trait TokenRepository: Send {
    /// The raw tokens among the authorizations that pass the filter, by id.
    async fn raw(
        &mut self,
        filter: &AuthorizationFilter,
    ) -> Result<Vec<(AuthorizationId, RawToken)>>;
    /// The token of one authorization, if it is stored raw.
    async fn find_raw(&mut self, id: AuthorizationId) -> Result<Option<RawToken>>;
    /// The first raw tokens, by id, at most `limit`.
    async fn unhashed(&mut self, limit: u32) -> Result<Vec<(AuthorizationId, RawToken)>>;
    /// The digests that begin with `prefix`, by id, those behind `after`, at most `limit`.
    async fn digests(
        &mut self,
        prefix: &str,
        after: Option<AuthorizationId>,
        limit: u32,
    ) -> Result<Vec<(AuthorizationId, String)>>;
    /// Stores a token in another form; the form before is gone, and the next
    /// [`Store::scrub`](crate::Store::scrub) removes what is left of it in files. Conflict:
    /// `Token`. `NotFound` if there is no such API token.
    async fn replace(&mut self, id: AuthorizationId, token: &StoredToken) -> Result<()>;
    /// [`Self::replace`] for many, in as few steps as the database allows. After an error some may
    /// have been replaced: the transaction is to be given up.
    async fn replace_all(&mut self, tokens: &[(AuthorizationId, StoredToken)]) -> Result<()>;
    /// Keeps a copy of a token that only the holder of an offline key can open, in the place of
    /// any before. `NotFound` if there is no such API token.
    async fn put_in_escrow(&mut self, id: AuthorizationId, sealed: &[u8]) -> Result<()>;
    /// The copies in escrow, by id, those behind `after`, at most `limit`.
    async fn in_escrow(
        &mut self,
        after: Option<AuthorizationId>,
        limit: u32,
    ) -> Result<Vec<(AuthorizationId, Vec<u8>)>>;
    /// How many tokens are stored in which form, in the order of forms.
    async fn forms(&mut self) -> Result<Vec<(TokenForm, u64)>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_do_not_show_themselves() {
        let raw = RawToken::new(SecretSlice::from(b"very-secret".to_vec()));
        let forms = TokenForms {
            raw_key: *raw.key(),
            digests: vec!["very-secret".to_owned()],
        };
        let digest = StoredToken::Digest("very-secret".to_owned());
        let shown = format!(
            "{raw:?} {forms:?} {digest:?} {:?}",
            StoredToken::Raw(raw.clone())
        );
        assert!(!shown.contains("very-secret"), "{shown}");
    }
}
