//! Secrets of organizations, sealed with a key that is not in the database.
//!
//! What is stored begins with a byte that says what follows: 0, the value as it is, where no key was
//! given; 1, the id of a key (8 bytes), a nonce (12 bytes), and the value sealed with
//! ChaCha20-Poly1305 (RFC 8439) under a key derived from that one. Organization and name are
//! authenticated, so that a sealed value cannot be moved to another place.

use std::collections::BTreeMap;

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{ChaCha20Poly1305, KeyInit as _, Nonce};
use influxd_model::OrgId;
use influxd_store::{SecretRecord, Store, StoreError, Transaction};
use secrecy::{ExposeSecret, SecretSlice};
use zeroize::Zeroizing;

use crate::{KeyId, Keyring, Randomness};

const PLAIN: u8 = 0;
const SEALED: u8 = 1;
const ID: usize = 8;
const NONCE: usize = 12;
/// What the derived key is for.
const PURPOSE: &str = "organization secrets";

/// How many secrets are looked at, and maybe replaced, at once.
const BATCH: u32 = 500;

/// How a secret is stored, as far as its first bytes tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SecretForm {
    /// As it is.
    Plain,
    /// Sealed under this key.
    Sealed(KeyId),
    /// As nothing that can be opened.
    Unknown,
}

impl SecretForm {
    /// The form of what is stored.
    pub fn of(stored: &[u8]) -> Self {
        match stored.split_first() {
            Some((&PLAIN, _)) => Self::Plain,
            Some((&SEALED, rest)) => match rest.first_chunk::<ID>() {
                Some(id) => Self::Sealed(KeyId::from(*id)),
                None => Self::Unknown,
            },
            _ => Self::Unknown,
        }
    }
}

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

/// What a stored secret should become now that these keys are given, if anything. One that cannot
/// be opened stays as it is.
pub(crate) fn resealed(
    keyring: &Keyring,
    random: &dyn Randomness,
    secret: &SecretRecord,
) -> Option<SecretSlice<u8>> {
    let (today, _) = keyring.derive(PURPOSE)?;
    let (place, stored) = ((secret.org, &*secret.key), secret.value.expose_secret());
    if SecretForm::of(stored) == SecretForm::Sealed(today) {
        return None;
    }
    let value = open_secret(keyring, place, stored).ok()?;
    Some(seal_secret(keyring, random, place, value.expose_secret()))
}

/// Counts the secrets of a store by their form.
pub(crate) async fn forms(
    transaction: &mut dyn Transaction,
) -> Result<BTreeMap<SecretForm, u64>, StoreError> {
    let (mut forms, mut after) = (BTreeMap::new(), None::<SecretRecord>);
    loop {
        let behind = after.as_ref().map(|secret| (secret.org, &*secret.key));
        let mut batch = transaction.secrets().stored(behind, BATCH).await?;
        for secret in &batch {
            let form = SecretForm::of(secret.value.expose_secret());
            *forms.entry(form).or_default() += 1;
        }
        match batch.pop() {
            Some(last) => after = Some(last),
            None => return Ok(forms),
        }
    }
}

/// Seals all secrets under the first key of the keyring that are not yet: those in clear, and those
/// under another of its keys. Returns how many; without a key there is nothing to do.
pub async fn seal_secrets(
    store: &dyn Store,
    keyring: &Keyring,
    random: &dyn Randomness,
) -> Result<u64, StoreError> {
    let (mut done, mut after) = (0, None::<SecretRecord>);
    if keyring.derive(PURPOSE).is_none() {
        return Ok(done);
    }
    loop {
        let behind = after.as_ref().map(|secret| (secret.org, &*secret.key));
        let mut reading = store.begin_read().await?;
        let mut batch = reading.secrets().stored(behind, BATCH).await?;
        drop(reading);
        let unsealed = |secret: &SecretRecord| resealed(keyring, random, secret).is_some();
        if batch.iter().any(unsealed) {
            // Once more, where nobody changes them meanwhile.
            let mut transaction = store.begin().await?;
            batch = transaction.secrets().stored(behind, BATCH).await?;
            match replace(&mut *transaction, keyring, random, &batch).await {
                Ok(count) => {
                    transaction.commit().await?;
                    done += count;
                }
                Err(error) if error.is_lost_race() => continue,
                Err(error) => return Err(error),
            }
        }
        match batch.pop() {
            Some(last) => after = Some(last),
            None => return Ok(done),
        }
    }
}

async fn replace(
    transaction: &mut dyn Transaction,
    keyring: &Keyring,
    random: &dyn Randomness,
    batch: &[SecretRecord],
) -> Result<u64, StoreError> {
    let mut count = 0;
    for secret in batch {
        if let Some(sealed) = resealed(keyring, random, secret) {
            let mut secrets = transaction.secrets();
            let value = sealed.expose_secret();
            let replaced = secrets.replace(secret.org, &secret.key, value).await?;
            count += u64::from(replaced);
        }
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;
    use crate::{Census, Hashing, MissingKey, OsRandomness};

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

    #[tokio::test]
    async fn secrets_are_sealed_anew_whatever_they_were_sealed_with() {
        let world = World::new().await;
        let keys = [&[][..], &[1], &[2], &[3]];
        let mut transaction = world.begin().await;
        for (name, bytes) in ["plain", "first", "second", "lost"].iter().zip(keys) {
            let sealed = seal_secret(
                &ring(bytes),
                &OsRandomness,
                (world.org, name),
                name.as_bytes(),
            );
            let mut secrets = transaction.secrets();
            let put = secrets.put(world.org, name, sealed.expose_secret());
            put.await.unwrap();
        }
        transaction.secrets().put(world.org, "", &[]).await.unwrap();
        transaction.commit().await.unwrap();
        let store = &*world.store;
        let seals = async |bytes: &[u8]| {
            seal_secrets(store, &ring(bytes), &OsRandomness)
                .await
                .unwrap()
        };
        assert_eq!(seals(&[]).await, 0);
        assert_eq!(seals(&[2, 1]).await, 2);
        assert_eq!(seals(&[2, 1]).await, 0);
        let census = Census::take(store).await.unwrap();
        let id = |byte| ring(&[byte]).derive(PURPOSE).unwrap().0;
        let forms = [
            (SecretForm::Sealed(id(2)), 3),
            (SecretForm::Sealed(id(3)), 1),
            (SecretForm::Unknown, 1),
        ];
        assert_eq!(census.secrets, forms.into());
        let requires = |bytes: &[u8]| census.require_keys(&Hashing::new(true, ring(bytes), None));
        assert_eq!(requires(&[2]), Err(MissingKey::Secrets(id(3), 1)));
        assert_eq!(requires(&[3]), Err(MissingKey::Secrets(id(2), 3)));
        assert_eq!(requires(&[2, 3]), Ok(()));

        let stored = world.begin().await.secrets().stored(None, 9).await.unwrap();
        for secret in stored.iter().filter(|secret| !secret.key.is_empty()) {
            let ring = ring(if secret.key == "lost" { &[3] } else { &[2] });
            let place = (secret.org, &*secret.key);
            let value = open_secret(&ring, place, secret.value.expose_secret()).unwrap();
            assert_eq!(value.expose_secret(), secret.key.as_bytes());
        }
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
