//! Digests of tokens: the only form in which a token is stored or compared.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use sha2::{Digest as _, Sha256, Sha512};
use subtle::ConstantTimeEq as _;

use crate::keyring::KeyId;

/// How a digest was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Variant {
    /// SHA-256 of the token's bytes.
    Sha256,
    /// SHA-512 of the token's bytes.
    Sha512,
    /// HMAC-SHA-256 of the SHA-256 of the token's bytes, under this key.
    Keyed(KeyId),
}

impl Variant {
    /// What comes before the digest in PHC text (auth-and-resources 6.2): all records of a variant,
    /// and of a key, begin with it.
    pub fn prefix(self) -> String {
        match self {
            Self::Sha256 => format!("${SHA256}$"),
            Self::Sha512 => format!("${SHA512}$"),
            Self::Keyed(key) => format!("${KEYED}${key}$"),
        }
    }

    /// The variant whose digests begin so.
    pub fn from_prefix(prefix: &str) -> Result<Self, DigestError> {
        let mut parts = prefix.split('$');
        let (Some(""), Some(identifier)) = (parts.next(), parts.next()) else {
            return Err(DigestError::Shape);
        };
        let variant = match identifier {
            SHA256 => Self::Sha256,
            SHA512 => Self::Sha512,
            KEYED => Self::Keyed(parts.next().ok_or(DigestError::Shape)?.parse()?),
            _ => return Err(DigestError::Variant),
        };
        match (parts.next(), parts.next()) {
            (Some(""), None) => Ok(variant),
            _ => Err(DigestError::Shape),
        }
    }

    const fn length(self) -> usize {
        match self {
            Self::Sha256 | Self::Keyed(_) => 32,
            Self::Sha512 => 64,
        }
    }
}

const SHA256: &str = "influxdb2-sha256";
const SHA512: &str = "influxdb2-sha512";
const KEYED: &str = "influxd-hmac-sha256";

/// Why a text is no digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// Not `$identifier$digest`.
    #[error("a digest is written as $variant$digest")]
    Shape,
    /// Its key's id is not 16 hex digits.
    #[error("the id of a digest's key is damaged")]
    Key,
    /// No variant that we know.
    #[error("unknown variant of a digest")]
    Variant,
    /// The digest is no base64, or has the wrong length for its variant.
    #[error("a digest is damaged")]
    Digest,
}

/// The digest of a token. Unsalted, because it is an index key, and because tokens have 512
/// random bits. Compared in constant time; its `Debug` shows the variant alone.
#[derive(Clone)]
pub struct TokenDigest {
    variant: Variant,
    bytes: Vec<u8>,
}

impl TokenDigest {
    /// The SHA-256 of a token's bytes.
    pub(crate) fn sha256(token: &[u8]) -> Self {
        Self {
            variant: Variant::Sha256,
            bytes: Sha256::digest(token).to_vec(),
        }
    }

    /// The SHA-512 of a token's bytes.
    pub(crate) fn sha512(token: &[u8]) -> Self {
        Self {
            variant: Variant::Sha512,
            bytes: Sha512::digest(token).to_vec(),
        }
    }

    /// What a key made of a SHA-256.
    pub(crate) fn keyed(key: KeyId, bytes: &[u8; 32]) -> Self {
        Self {
            variant: Variant::Keyed(key),
            bytes: bytes.to_vec(),
        }
    }

    /// The digest without its name.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How it was made.
    pub const fn variant(&self) -> Variant {
        self.variant
    }

    /// Its text as stored: `$influxdb2-sha256$...`. Deliberately no `Display`: it must not slip
    /// into a message.
    pub fn to_phc(&self) -> String {
        let mut text = self.variant.prefix();
        URL_SAFE.encode_string(&self.bytes, &mut text);
        text
    }
}

impl FromStr for TokenDigest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let end = text.rfind('$').ok_or(DigestError::Shape)?;
        let (prefix, digest) = text.split_at(end + 1);
        let variant = Variant::from_prefix(prefix)?;
        let bytes = URL_SAFE.decode(digest).map_err(|_| DigestError::Digest)?;
        if bytes.len() == variant.length() {
            Ok(Self { variant, bytes })
        } else {
            Err(DigestError::Digest)
        }
    }
}

impl PartialEq for TokenDigest {
    fn eq(&self, other: &Self) -> bool {
        self.variant == other.variant && bool::from(self.bytes.ct_eq(&other.bytes))
    }
}

impl Eq for TokenDigest {}

impl fmt::Debug for TokenDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenDigest({:?}, [REDACTED])", self.variant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(token: &str, sha256: &str, sha512: &str) {
        for (digest, phc) in [
            (TokenDigest::sha256(token.as_bytes()), sha256),
            (TokenDigest::sha512(token.as_bytes()), sha512),
        ] {
            assert_eq!(digest.to_phc(), phc);
            assert_eq!(phc.parse(), Ok(digest));
        }
    }

    #[test]
    fn digests_are_those_of_the_contract() {
        check(
            "rust-clean-room-token",
            "$influxdb2-sha256$FZ334ULUCDukQK1xvT_Ds_Pfx8SkAGDLhEDpTuW6QYI=",
            "$influxdb2-sha512$iEnFjOOw-_btOuftl5Bl0MVdSDaIyfR33I3M4WJBhnJlvD_WCfpAf0tY5isoGH2FvSl_R5JrITyegGDph2L04g==",
        );
        check(
            "token-2",
            "$influxdb2-sha256$D2v_qWYctd0vP3spKfMwYfWKe6f91olTCxowb47Y8-w=",
            "$influxdb2-sha512$fIg87gDvGx44WewhjfuvtzzqB4n3THp5h8yVM1XQIILCzEo2WryNcJd7oROvgAM7dxWjRWj4yoAih2sR1NoxHQ==",
        );
    }

    #[test]
    fn other_texts_are_refused() {
        for (text, expected) in [
            ("", DigestError::Shape),
            ("influxdb2-sha256$abc", DigestError::Shape),
            ("$influxdb2-sha256$abc$", DigestError::Shape),
            ("$influxd-hmac-sha256$abcd", DigestError::Key),
            ("$influxd-hmac-sha256$0123$abcd", DigestError::Key),
            (
                "$influxd-hmac-sha256$0123456789ABCDEF$abcd",
                DigestError::Key,
            ),
            (
                "$influxd-hmac-sha256$0123456789abcdef$abcd",
                DigestError::Digest,
            ),
            ("$influxdb2-sha1$abcd", DigestError::Variant),
            ("$influxdb2-sha256$", DigestError::Digest),
            ("$influxdb2-sha256$abc", DigestError::Digest),
            (
                "$influxdb2-sha512$FZ334ULUCDukQK1xvT_Ds_Pfx8SkAGDLhEDpTuW6QYI=",
                DigestError::Digest,
            ),
        ] {
            assert_eq!(text.parse::<TokenDigest>(), Err(expected), "{text}");
        }
    }

    #[test]
    fn a_digest_does_not_show_itself() {
        let digest = TokenDigest::sha256(b"token-2");
        assert_eq!(format!("{digest:?}"), "TokenDigest(Sha256, [REDACTED])");
    }
}
