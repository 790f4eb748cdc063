//! Digests of tokens: the only form in which a token is stored or compared.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use sha2::{Digest as _, Sha256, Sha512};
use subtle::ConstantTimeEq as _;

/// How a digest was made. All can be read; new ones are [`Variant::Sha256`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Variant {
    /// SHA-256 of the token's bytes.
    Sha256,
    /// SHA-512 of the token's bytes.
    Sha512,
}

impl Variant {
    /// Its identifier in PHC text (auth-and-resources 6.2).
    pub const fn identifier(self) -> &'static str {
        match self {
            Self::Sha256 => "influxdb2-sha256",
            Self::Sha512 => "influxdb2-sha512",
        }
    }

    const fn length(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

/// Why a text is no digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// Not `$identifier$digest`.
    #[error("a digest is written as $variant$digest")]
    Shape,
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
    /// The digest of a token's bytes.
    pub(crate) fn of(token: &[u8], variant: Variant) -> Self {
        let bytes = match variant {
            Variant::Sha256 => Sha256::digest(token).to_vec(),
            Variant::Sha512 => Sha512::digest(token).to_vec(),
        };
        Self { variant, bytes }
    }

    /// How it was made.
    pub const fn variant(&self) -> Variant {
        self.variant
    }

    /// Its text as stored: `$influxdb2-sha256$...`. Deliberately no `Display`: it must not slip
    /// into a message.
    pub fn to_phc(&self) -> String {
        format!(
            "${}${}",
            self.variant.identifier(),
            URL_SAFE.encode(&self.bytes)
        )
    }
}

impl FromStr for TokenDigest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let mut parts = text.split('$');
        let (Some(""), Some(identifier), Some(digest), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(DigestError::Shape);
        };
        let variant = [Variant::Sha256, Variant::Sha512]
            .into_iter()
            .find(|v| v.identifier() == identifier)
            .ok_or(DigestError::Variant)?;
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
        write!(f, "TokenDigest({}, [REDACTED])", self.variant.identifier())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(token: &str, sha256: &str, sha512: &str) {
        for (variant, phc) in [(Variant::Sha256, sha256), (Variant::Sha512, sha512)] {
            let digest = TokenDigest::of(token.as_bytes(), variant);
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
        let digest = TokenDigest::of(b"token-2", Variant::Sha256);
        assert_eq!(
            format!("{digest:?}"),
            "TokenDigest(influxdb2-sha256, [REDACTED])"
        );
    }
}
