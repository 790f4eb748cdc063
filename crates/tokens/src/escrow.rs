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
    /// What was sealed was sealed to somebody else.
    #[error("a token in escrow does not open with this identity")]
    Foreign,
    /// What was sealed is damaged.
    #[error("a token in escrow is damaged")]
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

/// The offline keys that open what was sealed to the recipient of one of them.
pub struct EscrowIdentity(Vec<x25519::Identity>);

impl fmt::Debug for EscrowIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EscrowIdentity([REDACTED])")
    }
}

impl EscrowIdentity {
    /// All identities in the content of a file of age-keygen: comments aside, a line each.
    pub fn read(file: &str) -> Result<Self, EscrowError> {
        let identities: Vec<x25519::Identity> = file
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .map(|line| line.parse().map_err(|_| EscrowError::Identity))
            .collect::<Result<_, _>>()?;
        if identities.is_empty() {
            return Err(EscrowError::Identity);
        }
        Ok(Self(identities))
    }

    /// The token that was sealed.
    pub fn open(&self, sealed: &[u8]) -> Result<SecretSlice<u8>, EscrowError> {
        for identity in &self.0 {
            match age::decrypt(identity, sealed) {
                Ok(token) => return Ok(SecretSlice::from(token)),
                Err(age::DecryptError::NoMatchingKeys) => {}
                Err(error) => return Err(EscrowError::Open(error)),
            }
        }
        Err(EscrowError::Foreign)
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
        let opened = EscrowIdentity(vec![mine]).open(&sealed).unwrap();
        assert_eq!(opened.expose_secret(), token.expose_secret());
        let refused = EscrowIdentity(vec![other]).open(&sealed);
        assert!(matches!(refused, Err(EscrowError::Foreign)));
    }

    #[test]
    fn keys_are_read_from_the_files_of_their_tool() {
        let identity = x25519::Identity::generate();
        let file = format!(
            "# created: today\n# public key: {}\n{}\n",
            identity.to_public(),
            identity.to_string().expose_secret()
        );
        // One file may hold those of several recipients.
        let other = x25519::Identity::generate();
        let file = format!("{}\n{file}", other.to_string().expose_secret());
        let read = EscrowIdentity::read(&file).unwrap();
        let escrow: Escrow = identity.to_public().to_string().parse().unwrap();
        let sealed = escrow.seal(&SecretSlice::from(b"t".to_vec())).unwrap();
        assert_eq!(read.open(&sealed).unwrap().expose_secret(), b"t");
        let damaged = read.open(&sealed[..sealed.len() - 1]);
        assert!(matches!(damaged, Err(EscrowError::Open(_))));
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
