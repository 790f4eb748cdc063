//! Passwords: Argon2id, off the async threads, with a bounded number at once.

use std::sync::{Arc, LazyLock};

use argon2::password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use secrecy::{ExposeSecret, SecretSlice};
use tokio::sync::Semaphore;

use crate::Randomness;

/// The parameters for Argon2id that the OWASP Password Storage Cheat Sheet names first for
/// servers: 19 MiB of memory, 2 passes, 1 lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

static ARGON2: LazyLock<Argon2<'static>> = LazyLock::new(|| {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None)
        .expect("the parameters lie within what Argon2 allows");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
});

/// Why a password could not be hashed or verified. Never says anything about the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// The stored hash is no PHC text of a kind that we know.
    #[error("a stored password hash is damaged")]
    Damaged,
    /// The hash function gave up, or the server is stopping.
    #[error("a password could not be hashed")]
    Failed,
}

/// Hashes and verifies passwords.
#[derive(Debug)]
pub struct Passwords {
    random: Arc<dyn Randomness>,
    permits: Semaphore,
}

impl Passwords {
    /// `at_once` hashes may run at the same time; the others wait.
    pub fn new(random: Arc<dyn Randomness>, at_once: usize) -> Self {
        Self {
            random,
            permits: Semaphore::new(at_once.max(1)),
        }
    }

    /// The hash of a new password, PHC text.
    pub async fn hash(&self, password: SecretSlice<u8>) -> Result<String, PasswordError> {
        let mut salt = [0_u8; 16];
        self.random.fill(&mut salt);
        self.run(move || {
            let salt = SaltString::encode_b64(&salt).map_err(|_| PasswordError::Failed)?;
            ARGON2
                .hash_password(password.expose_secret(), &salt)
                .map(|hash| hash.to_string())
                .map_err(|_| PasswordError::Failed)
        })
        .await
    }

    /// Whether `password` is the one that `hash` (PHC text) was made of.
    pub async fn verify(
        &self,
        password: SecretSlice<u8>,
        hash: String,
    ) -> Result<bool, PasswordError> {
        self.run(move || {
            let hash = PasswordHash::new(&hash).map_err(|_| PasswordError::Damaged)?;
            match ARGON2.verify_password(password.expose_secret(), &hash) {
                Ok(()) => Ok(true),
                Err(argon2::password_hash::Error::Password) => Ok(false),
                Err(_) => Err(PasswordError::Damaged),
            }
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let _permit = self
            .permits
            .acquire()
            .await
            .map_err(|_| PasswordError::Failed)?;
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|_| PasswordError::Failed)?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OsRandomness;

    fn secret(text: &str) -> SecretSlice<u8> {
        SecretSlice::from(text.as_bytes().to_vec())
    }

    #[tokio::test]
    async fn a_password_verifies_against_its_own_hash_only() {
        let passwords = Passwords::new(Arc::new(OsRandomness), 1);
        let hash = passwords.hash(secret("correct horse")).await.unwrap();
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        assert!(!hash.contains("horse"));
        assert_ne!(passwords.hash(secret("correct horse")).await.unwrap(), hash);
        assert_eq!(
            passwords
                .verify(secret("correct horse"), hash.clone())
                .await,
            Ok(true)
        );
        assert_eq!(
            passwords.verify(secret("wrong horse"), hash).await,
            Ok(false)
        );
    }

    #[tokio::test]
    async fn a_damaged_hash_is_an_error_and_not_a_match() {
        let passwords = Passwords::new(Arc::new(OsRandomness), 1);
        for damaged in ["", "x", "$argon2id$"] {
            assert_eq!(
                passwords.verify(secret("x"), damaged.to_owned()).await,
                Err(PasswordError::Damaged),
                "{damaged}"
            );
        }
    }
}
