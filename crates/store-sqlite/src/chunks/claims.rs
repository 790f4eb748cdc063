//! Claims: one server has the file to itself, so a set in its memory is enough.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use influxd_store::Claim;

/// What is claimed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Claims(Arc<Mutex<HashSet<i64>>>);

impl Claims {
    /// Claims `key`, unless somebody has it.
    pub(super) fn claim(&self, key: i64) -> Option<Box<dyn Claim>> {
        let fresh = self.set().insert(key);
        fresh.then(|| {
            Box::new(Claimed {
                claims: self.clone(),
                key,
            }) as Box<dyn Claim>
        })
    }

    fn set(&self) -> std::sync::MutexGuard<'_, HashSet<i64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Claimed {
    claims: Claims,
    key: i64,
}

impl Claim for Claimed {}

impl Drop for Claimed {
    fn drop(&mut self) {
        self.claims.set().remove(&self.key);
    }
}
