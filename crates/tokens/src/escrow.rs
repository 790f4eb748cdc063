//! The way back: tokens sealed to an offline key, before they become digests.
//!
//! Sealed with age (<https://age-encryption.org/v1>) to an X25519 recipient. The server has the
//! recipient only, which opens nothing.

use std::fmt;
use std::str::FromStr;

use age::x25519;
use secrecy::{ExposeSecret, SecretSlice};

/// Why a token could not be sealed or opened, or a key be read. Shows neither.
#[derive(Debug, thiserror::Error)]
pub enum EscrowError {
    /// The text is no age X25519 recipient.
    #[error("no age recipient: it begins with age1 and is made by age-keygen")]
    Recipient,
    /// The text has no age X25519 identity in it.
    #[error("no age identity: it begins with AGE-SECRET-KEY-1 and is made by age-keygen")]
    Identity,
    /// Sealing failed.
    #[error("a token could not be sealed for escrow")]
    Seal(#[source] age::EncryptError),
    /// What was sealed does not open with this identity.
    #[error("a token in escrow does not open with this identity")]
    Open(#[source] age::DecryptError),
}

/// To whom tokens are sealed.
#[derive(Clone)]
pub struct Escrow(x25519::Recipient);

impl fmt::Debug for Escrow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Escrow({})", self.0)
    }
}

impl FromStr for Escrow {
    type Err = EscrowError;

    fn from_str(text: &str) -> Result<Self, EscrowError> {
        text.trim()
            .parse()
            .map(Self)
            .map_err(|_| EscrowError::Recipient)
    }
}

impl Escrow {
    /// A token that only the holder of the identity can read.
    pub fn seal(&self, token: &SecretSlice<u8>) -> Result<Vec<u8>, EscrowError> {
        age::encrypt(&self.0, token.expose_secret()).map_err(EscrowError::Seal)
    }
}

/// The offline key that opens what was sealed to its recipient.
pub struct EscrowIdentity(x25519::Identity);

impl fmt::Debug for EscrowIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EscrowIdentity([REDACTED])")
    }
}

impl EscrowIdentity {
    /// The first identity in the content of a file of age-keygen: comments aside, a line each.
    pub fn read(file: &str) -> Result<Self, EscrowError> {
        file.lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .find_map(|line| line.parse().ok())
            .map(Self)
            .ok_or(EscrowError::Identity)
    }

    /// The token that was sealed.
    pub fn open(&self, sealed: &[u8]) -> Result<SecretSlice<u8>, EscrowError> {
        age::decrypt(&self.0, sealed)
            .map(SecretSlice::from)
            .map_err(EscrowError::Open)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_identity_opens_what_was_sealed() {
        let (mine, other) = (x25519::Identity::generate(), x25519::Identity::generate());
        let escrow: Escrow = format!(" {}\n", mine.to_public()).parse().unwrap();
        let token = SecretSlice::from(b"very-\xff-secret".to_vec());
        let sealed = escrow.seal(&token).unwrap();
        assert!(!sealed.windows(6).any(|bytes| bytes == b"secret"));
        let opened = EscrowIdentity(mine).open(&sealed).unwrap();
        assert_eq!(opened.expose_secret(), token.expose_secret());
        let refused = EscrowIdentity(other).open(&sealed);
        assert!(matches!(refused, Err(EscrowError::Open(_))));
    }

    #[test]
    fn keys_are_read_from_the_files_of_their_tool() {
        let identity = x25519::Identity::generate();
        let file = format!(
            "# created: today\n# public key: {}\n{}\n",
            identity.to_public(),
            identity.to_string().expose_secret()
        );
        let read = EscrowIdentity::read(&file).unwrap();
        let escrow: Escrow = identity.to_public().to_string().parse().unwrap();
        let sealed = escrow.seal(&SecretSlice::from(b"t".to_vec())).unwrap();
        assert_eq!(read.open(&sealed).unwrap().expose_secret(), b"t");
        assert!(!format!("{read:?}").contains("AGE-SECRET"));
        for text in ["", "# nothing\n", "age1qqq"] {
            assert!(matches!(
                EscrowIdentity::read(text),
                Err(EscrowError::Identity)
            ));
            assert!(matches!(
                text.parse::<Escrow>(),
                Err(EscrowError::Recipient)
            ));
        }
    }
}
