//! Callers whose token was verified a moment ago, so that a request with a good token costs no
//! query.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::Caller;

/// How long an entry counts, nanoseconds. A token that was revoked by another server dies within
/// this time.
const TIME_TO_LIVE: i64 = 1_000_000_000;

/// How many entries there are at most; when it is full, it starts again from nothing.
const CAPACITY: usize = 16_384;

/// SHA-256 of what was presented.
type Key = [u8; 32];

/// Verified callers by the SHA-256 of what they presented, never by the secret itself. Bounded in
/// number, and short-lived: an entry counts for a second.
#[derive(Debug, Default)]
pub struct TokenCache {
    entries: RwLock<HashMap<Key, Entry>>,
}

#[derive(Debug)]
struct Entry {
    since: i64,
    caller: Arc<Caller>,
}

impl TokenCache {
    /// Who presented this within the last second. `now` is in nanoseconds.
    pub(crate) fn find(&self, key: &Key, now: i64) -> Option<Arc<Caller>> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        entries
            .get(key)
            .filter(|e| e.since <= now && now - e.since < TIME_TO_LIVE)
            .map(|e| Arc::clone(&e.caller))
    }

    /// Notes who presented this; `since` is when the store was asked, not when it answered.
    pub(crate) fn note(&self, key: Key, caller: &Arc<Caller>, since: i64) {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= CAPACITY && !entries.contains_key(&key) {
            entries.clear();
        }
        let caller = Arc::clone(caller);
        entries.insert(key, Entry { since, caller });
    }

    /// Forgets everyone: something about tokens or users was changed by this server.
    pub(crate) fn clear(&self) {
        self.entries
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}
