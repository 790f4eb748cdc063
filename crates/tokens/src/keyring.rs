//! The pepper: keys under which tokens are digested, so that a stolen database cannot even be
//! tested offline (auth-and-resources 6.2).

use std::fmt;
use std::str::FromStr;

use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret, SecretSlice};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::digest::{DigestError, TokenDigest, Variant};
use crate::token::ApiToken;

/// Names a key without telling anything of it: the first 8 bytes of
/// HMAC-SHA-256(key, `token pepper id`), written as 16 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId([u8; 8]);

impl KeyId {
    /// Its bytes.
    pub const fn bytes(self) -> [u8; 8] {
        self.0
    }
}

impl From<[u8; 8]> for KeyId {
    fn from(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

impl FromStr for KeyId {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let is_id = text.len() == 16
            && text
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if !is_id {
            return Err(DigestError::Key);
        }
        let number = u64::from_str_radix(text, 16).map_err(|_| DigestError::Key)?;
        Ok(Self(number.to_be_bytes()))
    }
}

/// The fewest bytes that a key may have.
pub const MIN_KEY_BYTES: usize = 32;

/// Why keys cannot be used. Says nothing of their content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Too short to resist guessing.
    #[error("a key for tokens must have at least {MIN_KEY_BYTES} bytes, this one has {0}")]
    Short(usize),
    /// The same key was given twice.
    #[error("the key {0} is given twice")]
    Twice(KeyId),
}

struct Key {
    id: KeyId,
    secret: SecretSlice<u8>,
}

impl Key {
    fn new(secret: SecretSlice<u8>) -> Result<Self, KeyError> {
        let length = secret.expose_secret().len();
        if length < MIN_KEY_BYTES {
            return Err(KeyError::Short(length));
        }
        let mut id = [0; 8];
        id.copy_from_slice(&hmac(&secret, b"token pepper id")[..8]);
        let id = KeyId(id);
        Ok(Self { id, secret })
    }
}

fn hmac(key: &SecretSlice<u8>, message: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose_secret())
        .expect("HMAC takes keys of every length");
    mac.update(message);
    Zeroizing::new(mac.finalize().into_bytes().into())
}

/// The keys that this server was given; the first is for new digests, all of them verify. Without
/// any, digests are plain SHA-256.
#[derive(Default)]
pub struct Keyring {
    keys: Vec<Key>,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.keys.iter().map(|key| key.id))
            .finish()
    }
}

impl Keyring {
    /// A keyring of these keys, the one for new digests first.
    pub fn new(keys: impl IntoIterator<Item = SecretSlice<u8>>) -> Result<Self, KeyError> {
        let mut ring = Self::default();
        for secret in keys {
            let key = Key::new(secret)?;
            if ring.find(key.id).is_some() {
                return Err(KeyError::Twice(key.id));
            }
            ring.keys.push(key);
        }
        Ok(ring)
    }

    /// How new digests are made.
    pub fn variant(&self) -> Variant {
        self.keys
            .first()
            .map_or(Variant::Sha256, |key| Variant::Keyed(key.id))
    }

    /// Whether digests of this variant can be verified.
    pub fn knows(&self, variant: Variant) -> bool {
        match variant {
            Variant::Sha256 | Variant::Sha512 => true,
            Variant::Keyed(id) => self.find(id).is_some(),
        }
    }

    /// The form of a token that is stored for new tokens.
    pub fn digest(&self, token: &ApiToken) -> TokenDigest {
        let plain = token.sha256();
        match self.keys.first() {
            Some(key) => keyed(key, &plain),
            None => plain,
        }
    }

    /// Every form in which this token may be stored, the likeliest first.
    pub fn digests(&self, token: &ApiToken) -> Vec<TokenDigest> {
        let plain = token.sha256();
        let mut digests: Vec<_> = self.keys.iter().map(|key| keyed(key, &plain)).collect();
        digests.push(plain);
        digests.push(token.sha512());
        digests
    }

    /// Whether `token` is the one that `digest` was made of, in constant time; never, if its key
    /// was not given.
    pub fn verifies(&self, token: &ApiToken, digest: &TokenDigest) -> bool {
        match digest.variant() {
            Variant::Sha256 => token.sha256() == *digest,
            Variant::Sha512 => token.sha512() == *digest,
            Variant::Keyed(id) => self
                .find(id)
                .is_some_and(|key| keyed(key, &token.sha256()) == *digest),
        }
    }

    /// The digest in today's form of the token behind a SHA-256 digest: no token is needed for it.
    /// `None` where the digest is of another variant, or there is no key.
    pub fn rekey(&self, digest: &TokenDigest) -> Option<TokenDigest> {
        let key = self.keys.first()?;
        (digest.variant() == Variant::Sha256).then(|| keyed(key, digest))
    }

    /// A key for another purpose, from the first of the ring, and that one's id: `None` without
    /// one.
    pub fn derive(&self, purpose: &str) -> Option<(KeyId, Zeroizing<[u8; 32]>)> {
        let key = self.keys.first()?;
        Some((key.id, hmac(&key.secret, purpose.as_bytes())))
    }

    /// The same from the key with this id, if it was given.
    pub fn derive_from(&self, id: KeyId, purpose: &str) -> Option<Zeroizing<[u8; 32]>> {
        let key = self.find(id)?;
        Some(hmac(&key.secret, purpose.as_bytes()))
    }

    fn find(&self, id: KeyId) -> Option<&Key> {
        self.keys.iter().find(|key| key.id == id)
    }
}

fn keyed(key: &Key, plain: &TokenDigest) -> TokenDigest {
    let bytes = hmac(&key.secret, plain.bytes());
    TokenDigest::keyed(key.id, &bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> SecretSlice<u8> {
        SecretSlice::from(vec![byte; 32])
    }

    fn token(text: &str) -> ApiToken {
        ApiToken::from(text.as_bytes().to_vec())
    }

    #[test]
    fn a_keyed_digest_is_the_contracts() {
        // Made with Python's hmac and hashlib.
        let ring = Keyring::new([key(7)]).unwrap();
        let phc = ring.digest(&token("token-2")).to_phc();
        let mut parts = phc.split('$').skip(1);
        assert_eq!(parts.next(), Some("influxd-hmac-sha256"));
        assert_eq!(parts.next(), Some("74e4594e132e89d7"));
        assert_eq!(
            parts.next(),
            Some("1zo3uoOif1I5zVvOPeiyWMNR-_amdv1orlaiaZ_Xg6A=")
        );
        assert_eq!(
            phc.parse::<TokenDigest>(),
            Ok(ring.digest(&token("token-2")))
        );
    }

    #[test]
    fn every_form_verifies_and_only_with_its_key() {
        let (old, both, new) = (
            Keyring::new([key(1)]).unwrap(),
            Keyring::new([key(2), key(1)]).unwrap(),
            Keyring::new([key(2)]).unwrap(),
        );
        let mine = token("mine");
        for digest in both.digests(&mine) {
            assert!(both.verifies(&mine, &digest), "{digest:?}");
            assert!(!both.verifies(&token("other"), &digest), "{digest:?}");
            assert_eq!(digest.to_phc().parse(), Ok(digest.clone()), "{digest:?}");
            // A digest is never a token.
            assert!(!both.verifies(&token(&digest.to_phc()), &digest));
        }
        assert_eq!(both.digests(&mine).len(), 4);
        assert!(!new.verifies(&mine, &old.digest(&mine)));
        assert!(!Keyring::default().verifies(&mine, &old.digest(&mine)));
        assert!(!new.knows(old.variant()));
        assert!(both.knows(old.variant()));
    }

    #[test]
    fn plain_digests_are_keyed_without_their_token() {
        let (plain, ring) = (Keyring::default(), Keyring::new([key(1)]).unwrap());
        let mine = token("mine");
        assert_eq!(ring.rekey(&plain.digest(&mine)), Some(ring.digest(&mine)));
        assert_eq!(plain.rekey(&plain.digest(&mine)), None);
        assert_eq!(ring.rekey(&mine.sha512()), None);
    }

    #[test]
    fn keys_are_long_and_different_and_show_nothing() {
        let short = Keyring::new([SecretSlice::from(vec![1; 31])]);
        assert_eq!(short.err(), Some(KeyError::Short(31)));
        let twice = Keyring::new([key(1), key(1)]);
        assert!(matches!(twice.err(), Some(KeyError::Twice(_))));
        let shown = format!("{:?}", Keyring::new([key(b'k')]).unwrap());
        assert!(!shown.contains("kkk") && !shown.contains("107"), "{shown}");
    }

    #[test]
    fn derived_keys_differ_by_purpose_and_key() {
        let (one, other) = (
            Keyring::new([key(1)]).unwrap(),
            Keyring::new([key(2)]).unwrap(),
        );
        assert_ne!(one.derive("a"), one.derive("b"));
        assert_ne!(one.derive("a"), other.derive("a"));
        assert_eq!(Keyring::default().derive("a"), None);
    }
}
