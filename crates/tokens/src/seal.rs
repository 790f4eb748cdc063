//! Secrets of organizations, sealed with a key that is not in the database.
//!
//! What is stored begins with a byte that says what follows: 0, the value as it is, where no key was
//! given; 1, the id of a key (8 bytes), a nonce (12 bytes), and the value sealed with
//! ChaCha20-Poly1305 (RFC 8439) under a key derived from that one. Organization and name are
//! authenticated, so that a sealed value cannot be moved to another place.

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{ChaCha20Poly1305, KeyInit as _, Nonce};
use influxd_model::OrgId;
use secrecy::SecretSlice;
use zeroize::Zeroizing;

use crate::{KeyId, Keyring, Randomness};

const PLAIN: u8 = 0;
const SEALED: u8 = 1;
const ID: usize = 8;
const NONCE: usize = 12;
/// What the derived key is for.
const PURPOSE: &str = "organization secrets";

/// Why a stored secret cannot be opened. Shows nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// It is under a key that was not given.
    #[error("the secret is sealed under the key {0}, which was not given")]
    UnknownKey(KeyId),
    /// It was changed, or belongs to another place.
    #[error("the secret is damaged")]
    Damaged,
}

fn place(org: OrgId, name: &str) -> Vec<u8> {
    let mut place = org.get().to_be_bytes().to_vec();
    place.extend_from_slice(name.as_bytes());
    place
}

fn cipher(key: &Zeroizing<[u8; 32]>) -> ChaCha20Poly1305 {
    ChaCha20Poly1305::new((&**key).into())
}

/// What is stored of the secret `name` of an organization.
pub fn seal_secret(
    keyring: &Keyring,
    random: &dyn Randomness,
    (org, name): (OrgId, &str),
    value: &[u8],
) -> SecretSlice<u8> {
    let Some((id, key)) = keyring.derive(PURPOSE) else {
        return SecretSlice::from([&[PLAIN], value].concat());
    };
    let mut nonce = [0; NONCE];
    random.fill(&mut nonce);
    let payload = Payload {
        msg: value,
        aad: &place(org, name),
    };
    let sealed = cipher(&key)
        .encrypt(Nonce::from_slice(&nonce), payload)
        .expect("only a value of 256 GiB is too long to be sealed");
    SecretSlice::from([&[SEALED], &id.bytes()[..], &nonce, &sealed].concat())
}

/// The value of a stored secret.
pub fn open_secret(
    keyring: &Keyring,
    (org, name): (OrgId, &str),
    stored: &[u8],
) -> Result<SecretSlice<u8>, SealError> {
    match stored.split_first() {
        Some((&PLAIN, value)) => Ok(SecretSlice::from(value.to_vec())),
        Some((&SEALED, rest)) => {
            let (id, rest) = rest.split_first_chunk::<ID>().ok_or(SealError::Damaged)?;
            let (nonce, sealed) = rest
                .split_first_chunk::<NONCE>()
                .ok_or(SealError::Damaged)?;
            let id = KeyId::from(*id);
            let key = keyring
                .derive_from(id, PURPOSE)
                .ok_or(SealError::UnknownKey(id))?;
            let payload = Payload {
                msg: sealed,
                aad: &place(org, name),
            };
            cipher(&key)
                .decrypt(Nonce::from_slice(nonce), payload)
                .map(SecretSlice::from)
                .map_err(|_| SealError::Damaged)
        }
        _ => Err(SealError::Damaged),
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;
    use crate::OsRandomness;

    fn ring(bytes: &[u8]) -> Keyring {
        Keyring::new(bytes.iter().map(|b| SecretSlice::from(vec![*b; 32]))).unwrap()
    }

    fn org(n: u64) -> OrgId {
        OrgId::new(n).unwrap()
    }

    #[test]
    fn a_sealed_secret_opens_with_its_key_at_its_place_alone() {
        let place = (org(1), "smtp");
        let sealed = seal_secret(&ring(&[1]), &OsRandomness, place, b"hush-hush");
        let sealed = sealed.expose_secret();
        assert!(!sealed.windows(4).any(|bytes| bytes == b"hush"));
        let opened = |keys: &[u8], place| {
            open_secret(&ring(keys), place, sealed).map(|value| value.expose_secret().to_vec())
        };
        assert_eq!(opened(&[1], place), Ok(b"hush-hush".to_vec()));
        assert_eq!(opened(&[2, 1], place), Ok(b"hush-hush".to_vec()));
        assert!(matches!(opened(&[2], place), Err(SealError::UnknownKey(_))));
        assert_eq!(opened(&[1], (org(2), "smtp")), Err(SealError::Damaged));
        assert_eq!(opened(&[1], (org(1), "imap")), Err(SealError::Damaged));
    }

    #[test]
    fn without_a_key_a_secret_is_kept_as_it_is() {
        let place = (org(1), "smtp");
        let plain = seal_secret(&Keyring::default(), &OsRandomness, place, b"value");
        let opened = open_secret(&ring(&[1]), place, plain.expose_secret()).unwrap();
        assert_eq!(opened.expose_secret(), b"value");
    }

    #[test]
    fn damage_is_found() {
        let place = (org(1), "smtp");
        let sealed = seal_secret(&ring(&[1]), &OsRandomness, place, b"value");
        let sealed = sealed.expose_secret();
        for end in 0..sealed.len() {
            assert!(
                open_secret(&ring(&[1]), place, &sealed[..end]).is_err(),
                "{end}"
            );
        }
        for at in 0..sealed.len() {
            let mut damaged = sealed.to_vec();
            damaged[at] ^= 2;
            assert!(open_secret(&ring(&[1]), place, &damaged).is_err(), "{at}");
        }
    }
}
