//! The hash functions: Argon2id for what we store, bcrypt to verify what was imported.

use std::time::Duration;

use argon2::password_hash::{Output, PasswordHash, Salt, SaltString};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use subtle::ConstantTimeEq as _;

use super::PasswordError;
use crate::Randomness;

/// The parameters for Argon2id that the OWASP Password Storage Cheat Sheet names first for
/// servers: 19 MiB of memory, 2 passes, 1 lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const OUTPUT_BYTES: usize = 32;

/// The most memory, and the most work (memory times passes), that a stored hash may ask for: a
/// damaged or foreign one must not take the server's.
const MOST_MEMORY_KIB: u32 = 256 * 1024;
const MOST_WORK_KIB: u64 = 1 << 20;
/// The dearest bcrypt that is verified.
const MOST_BCRYPT_COST: u32 = 15;

/// How long a thread that hashes keeps its memory when there is nothing to do.
pub(super) const KEEP_MEMORY: Duration = Duration::from_secs(5);

/// The working memory of one thread, kept from hash to hash, so that 19 MiB need not be fetched
/// anew for each.
#[derive(Debug, Default)]
pub(super) struct Memory(Vec<Block>);

impl Memory {
    /// Gives the memory back.
    pub(super) fn release(&mut self) {
        self.0 = Vec::new();
    }

    fn of(&mut self, params: &Params) -> &mut [Block] {
        let blocks = params.block_count();
        if self.0.len() < blocks {
            self.0.resize(blocks, Block::default());
        }
        &mut self.0[..blocks]
    }
}

fn own_params() -> Result<Params, PasswordError> {
    Params::new(MEMORY_KIB, PASSES, LANES, Some(OUTPUT_BYTES)).map_err(|_| PasswordError::Failed)
}

/// A salt for a new hash.
pub(super) fn salt(random: &dyn Randomness) -> [u8; 16] {
    let mut salt = [0; 16];
    random.fill(&mut salt);
    salt
}

/// The hash of a new password, PHC text.
pub(super) fn make(
    password: &[u8],
    salt: [u8; 16],
    memory: &mut Memory,
) -> Result<String, PasswordError> {
    let mut output = [0; OUTPUT_BYTES];
    let params = own_params()?;
    argon2id(
        &params,
        Version::V0x13,
        password,
        &salt,
        &mut output,
        memory,
    )?;
    phc(&salt, &output)
}

/// A hash that no password has, with the same cost as one of ours: what is verified for names that
/// have none.
pub(super) fn dummy(random: &dyn Randomness) -> Result<String, PasswordError> {
    let mut output = [0; OUTPUT_BYTES];
    random.fill(&mut output);
    phc(&salt(random), &output)
}

fn phc(salt: &[u8], output: &[u8]) -> Result<String, PasswordError> {
    let failed = |_| PasswordError::Failed;
    let salt = SaltString::encode_b64(salt).map_err(failed)?;
    let hash = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: (&own_params()?).try_into().map_err(failed)?,
        salt: Some(Salt::from(&salt)),
        hash: Some(Output::new(output).map_err(failed)?),
    };
    Ok(hash.to_string())
}

/// Whether a hash was not made by us but imported.
pub(crate) fn is_imported(hash: &str) -> bool {
    // Of bcrypt in all its revisions: `$2a$`, `$2b$`, `$2x$`, `$2y$`.
    hash.starts_with("$2")
}

/// Whether `password` is the one that `hash` was made of. Compares in constant time.
pub(super) fn verify(
    password: &[u8],
    hash: &str,
    memory: &mut Memory,
) -> Result<bool, PasswordError> {
    if is_imported(hash) {
        return verify_bcrypt(password, hash);
    }
    let damaged = |_| PasswordError::Damaged;
    let parsed = PasswordHash::new(hash).map_err(damaged)?;
    let (Some(stored), Some(salt)) = (parsed.hash, parsed.salt) else {
        return Err(PasswordError::Damaged);
    };
    let params = Params::try_from(&parsed).map_err(damaged)?;
    let is_ours = parsed.algorithm == Algorithm::Argon2id.ident();
    let work = u64::from(params.m_cost()) * u64::from(params.t_cost());
    if !is_ours || params.m_cost() > MOST_MEMORY_KIB || work > MOST_WORK_KIB {
        return Err(PasswordError::Damaged);
    }
    let version = match parsed.version {
        Some(number) => Version::try_from(number).map_err(|_| PasswordError::Damaged)?,
        None => Version::V0x13,
    };
    let mut buffer = [0; 64];
    let salt = salt.decode_b64(&mut buffer).map_err(damaged)?;
    let mut output = vec![0; stored.len()];
    argon2id(&params, version, password, salt, &mut output, memory)?;
    Ok(bool::from(output.ct_eq(stored.as_bytes())))
}

fn argon2id(
    params: &Params,
    version: Version,
    password: &[u8],
    salt: &[u8],
    output: &mut [u8],
    memory: &mut Memory,
) -> Result<(), PasswordError> {
    Argon2::new(Algorithm::Argon2id, version, params.clone())
        .hash_password_into_with_memory(password, salt, output, memory.of(params))
        .map_err(|_| PasswordError::Failed)
}

fn verify_bcrypt(password: &[u8], hash: &str) -> Result<bool, PasswordError> {
    let parts: bcrypt::HashParts = hash.parse().map_err(|_| PasswordError::Damaged)?;
    if parts.get_cost() > MOST_BCRYPT_COST {
        return Err(PasswordError::Damaged);
    }
    bcrypt::verify(password, hash).map_err(|_| PasswordError::Damaged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OsRandomness;

    #[test]
    fn a_password_verifies_against_its_own_hash_only() {
        let mut memory = Memory::default();
        let hash = make(b"correct horse", salt(&OsRandomness), &mut memory).unwrap();
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        assert!(!hash.contains("horse"));
        let other = make(b"correct horse", salt(&OsRandomness), &mut memory).unwrap();
        assert_ne!(other, hash);
        assert_eq!(verify(b"correct horse", &hash, &mut memory), Ok(true));
        assert_eq!(verify(b"wrong horse", &hash, &mut memory), Ok(false));
        // Memory that was used before makes no difference, nor does none.
        assert_eq!(
            verify(b"correct horse", &hash, &mut Memory::default()),
            Ok(true)
        );
    }

    #[test]
    fn hashes_of_the_reference_implementation_verify() {
        // argon2 20190702: echo -n password | argon2 somesalt -id -t 2 -k 65536 -p 1
        let hash = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        let mut memory = Memory::default();
        assert_eq!(verify(b"password", hash, &mut memory), Ok(true));
        assert_eq!(verify(b"passwore", hash, &mut memory), Ok(false));
    }

    #[test]
    fn imported_hashes_verify() {
        let mut memory = Memory::default();
        let hash = bcrypt::hash(b"short", 4).unwrap();
        for revision in ["$2a$", "$2b$", "$2y$"] {
            let hash = hash.replacen("$2b$", revision, 1);
            assert!(is_imported(&hash));
            assert_eq!(verify(b"short", &hash, &mut memory), Ok(true), "{hash}");
            assert_eq!(verify(b"shirt", &hash, &mut memory), Ok(false), "{hash}");
        }
    }

    #[test]
    fn a_damaged_hash_is_an_error_and_not_a_match() {
        let mut memory = Memory::default();
        for damaged in [
            "",
            "x",
            "$argon2id$",
            "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ",
            "$argon2id$v=19$m=4000000,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "$argon2id$v=19$m=19456,t=4000000,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "$argon2i$v=19$m=16,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "$2b$",
            "$2b$31$abcdefghijklmnopqrstuuGbOZw9f2eHvyxlm5gSuWLnGTPhqGrVG",
        ] {
            assert_eq!(
                verify(b"x", damaged, &mut memory),
                Err(PasswordError::Damaged),
                "{damaged}"
            );
        }
    }

    #[test]
    fn the_dummy_is_a_hash_like_any_other_and_matches_nothing() {
        let mut memory = Memory::default();
        let hash = dummy(&OsRandomness).unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert_eq!(verify(b"", &hash, &mut memory), Ok(false));
    }
}
