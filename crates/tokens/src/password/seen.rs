//! Passwords that were right a while ago, so that nobody who is known has to wait for a hash.

use hmac::digest::KeyInit as _;
use hmac::{Hmac, Mac as _};
use quick_cache::sync::Cache;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::Holder;
use crate::Randomness;

/// How many are remembered.
const CAPACITY: usize = 16_384;

/// Verified passwords as keyed digests over holder, stored hash and password: a changed hash makes
/// another digest, and without the key, which lives and dies with the process, none can be tried
/// out. Bounded in number; only right passwords get in, so that an attacker pushes nobody out.
#[derive(Debug)]
pub(super) struct Seen {
    key: Key,
    digests: Cache<[u8; 32], ()>,
}

struct Key(Zeroizing<[u8; 32]>);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[REDACTED]")
    }
}

impl Seen {
    pub(super) fn new(random: &dyn Randomness) -> Self {
        let mut key = Zeroizing::new([0; 32]);
        random.fill(&mut *key);
        Self {
            key: Key(key),
            digests: Cache::new(CAPACITY),
        }
    }

    /// Whether this password of this holder was found to match this very hash.
    pub(super) fn has(&self, holder: Holder, hash: &str, password: &[u8]) -> bool {
        self.digests
            .get(&self.digest(holder, hash, password))
            .is_some()
    }

    /// Notes that it does.
    pub(super) fn note(&self, holder: Holder, hash: &str, password: &[u8]) {
        self.digests.insert(self.digest(holder, hash, password), ());
    }

    fn digest(&self, holder: Holder, hash: &str, password: &[u8]) -> [u8; 32] {
        let (kind, id) = match holder {
            Holder::User(id) => (b'u', id.get()),
            Holder::V1User(id) => (b'v', id.get()),
        };
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&*self.key.0).expect("HMAC takes keys of any length");
        mac.update(&[kind]);
        mac.update(&id.to_be_bytes());
        // The length tells where the hash, which has a salt of its own, ends.
        mac.update(&(hash.len() as u64).to_be_bytes());
        mac.update(hash.as_bytes());
        mac.update(password);
        mac.finalize().into_bytes().into()
    }
}

#[cfg(test)]
mod tests {
    use influxd_model::{AuthorizationId, UserId};

    use super::*;
    use crate::OsRandomness;

    #[test]
    fn only_the_same_password_hash_and_holder_are_known() {
        let seen = Seen::new(&OsRandomness);
        let user = |n| Holder::User(UserId::new(n).unwrap());
        let v1 = Holder::V1User(AuthorizationId::new(1).unwrap());
        seen.note(user(1), "$hash", b"secret");
        assert!(seen.has(user(1), "$hash", b"secret"));
        assert!(!seen.has(user(1), "$hash", b"Secret"));
        assert!(!seen.has(user(1), "$hashs", b"ecret"));
        assert!(!seen.has(user(1), "$other", b"secret"));
        assert!(!seen.has(user(2), "$hash", b"secret"));
        assert!(!seen.has(v1, "$hash", b"secret"));
        assert!(!Seen::new(&OsRandomness).has(user(1), "$hash", b"secret"));
        assert!(!format!("{seen:?}").contains("secret"));
    }

    #[test]
    fn their_number_is_bounded() {
        let seen = Seen::new(&OsRandomness);
        let user = Holder::User(UserId::new(1).unwrap());
        for n in 0..CAPACITY + 1_000 {
            seen.note(user, "$hash", n.to_string().as_bytes());
        }
        assert!(seen.digests.len() <= CAPACITY);
    }
}
