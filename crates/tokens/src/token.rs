//! A token as the client holds it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use secrecy::{ExposeSecret, SecretSlice};
use zeroize::Zeroizing;

use crate::{NamedSecret, Randomness, TokenDigest};

/// A token as the client holds it. We keep its digest, and nothing else of it.
///
/// Any bytes: a token chosen at set-up need not look like one of ours. Wiped when dropped.
#[derive(Clone)]
pub struct ApiToken(SecretSlice<u8>);

/// How many random bytes a generated token has.
const RANDOM_BYTES: usize = 64;

impl ApiToken {
    /// A new token: 64 random bytes as URL-safe base64 with padding, 88 characters
    /// (auth-and-resources 6.1).
    pub fn generate(random: &dyn Randomness) -> Self {
        let mut bytes = Zeroizing::new([0_u8; RANDOM_BYTES]);
        random.fill(&mut *bytes);
        let text = URL_SAFE.encode(*bytes);
        Self::from(text.into_bytes())
    }

    /// Its SHA-256.
    pub(crate) fn sha256(&self) -> TokenDigest {
        TokenDigest::sha256(self.0.expose_secret())
    }

    /// Its SHA-512.
    pub(crate) fn sha512(&self) -> TokenDigest {
        TokenDigest::sha512(self.0.expose_secret())
    }

    /// What is kept of it where it is the key of a session (PHC text). Such keys are always random:
    /// no pepper is needed to keep them from being guessed.
    pub fn session_digest(&self) -> String {
        self.sha256().to_phc()
    }

    /// Whether it has no bytes: such a token matches nothing.
    pub fn is_empty(&self) -> bool {
        self.0.expose_secret().is_empty()
    }

    /// How many bytes it has.
    pub fn len(&self) -> usize {
        self.0.expose_secret().len()
    }

    /// Its bytes, where it may be a password.
    pub(crate) const fn bytes(&self) -> &SecretSlice<u8> {
        &self.0
    }

    /// Its text, for the one answer that shows it; `None` if it is not UTF-8.
    pub fn expose_text(&self) -> Option<&str> {
        std::str::from_utf8(self.0.expose_secret()).ok()
    }

    /// What is before and behind its first colon, if it has one: `Token user:secret`.
    pub(crate) fn split_at_colon(&self) -> Option<NamedSecret> {
        NamedSecret::split(self.0.expose_secret())
    }
}

impl From<Vec<u8>> for ApiToken {
    fn from(bytes: Vec<u8>) -> Self {
        Self(SecretSlice::from(bytes))
    }
}

impl From<SecretSlice<u8>> for ApiToken {
    fn from(bytes: SecretSlice<u8>) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for ApiToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiToken([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OsRandomness;

    #[test]
    fn a_generated_token_is_88_characters_of_url_safe_base64() {
        let token = ApiToken::generate(&OsRandomness);
        let text = token.expose_text().unwrap();
        assert_eq!(text.len(), 88);
        assert!(text.ends_with("=="));
        assert!(
            text[..86]
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        );
        assert_ne!(
            ApiToken::generate(&OsRandomness).expose_text(),
            token.expose_text()
        );
    }

    #[test]
    fn a_token_does_not_show_itself() {
        let token = ApiToken::from(b"very-secret".to_vec());
        assert_eq!(format!("{token:?}"), "ApiToken([REDACTED])");
    }
}
