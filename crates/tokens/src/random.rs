//! Where randomness comes from. An argument everywhere, so that tests can hold it still.

use std::fmt;

use rand::TryRngCore;

/// A source of random bytes fit for secrets.
pub trait Randomness: fmt::Debug + Send + Sync + 'static {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);

    /// A random number.
    fn number(&self) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_ne_bytes(bytes)
    }
}

/// The operating system's.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsRandomness;

impl Randomness for OsRandomness {
    fn fill(&self, bytes: &mut [u8]) {
        rand::rngs::OsRng
            .try_fill_bytes(bytes)
            .expect("an operating system without randomness cannot run a server");
    }
}
