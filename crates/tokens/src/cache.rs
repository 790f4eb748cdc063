//! Callers who were resolved a moment ago, so that a request with a good credential costs no query.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::Caller;

/// How long an entry counts from when the store was asked, nanoseconds. Whatever any server
/// changes is noticed by all others within this time, without a word between them.
pub(crate) const TIME_TO_LIVE: i64 = 800_000_000;
/// From this age on, nanoseconds, an entry that is in use should be resolved again.
const AGEING: i64 = 500_000_000;

/// How much all entries may weigh together, bytes.
const CAPACITY: u64 = 16 << 20;
/// How many entries are expected.
const EXPECTED: usize = 8_192;

/// SHA-256 of what was presented, and in which form.
pub(crate) type Key = [u8; 32];

/// Verified callers by the digest of what they presented, never by the secret itself. Bounded in
/// bytes, and short-lived. Only who is let in gets in, so that an attacker pushes nobody out.
#[derive(Debug)]
pub(crate) struct CallerCache {
    entries: Cache<Key, Arc<Entry>, Weight>,
    /// Raised by every [`Self::forget`]: what was read from the store before counts no more.
    generation: AtomicU64,
}

#[derive(Debug)]
struct Entry {
    caller: Arc<Caller>,
    asked: Asked,
    /// When it ends whatever its age, nanoseconds since 1970.
    until: i64,
    /// Whether somebody has been told that it is ageing.
    told: AtomicBool,
}

#[derive(Debug, Clone)]
struct Weight;

impl Weighter<Key, Arc<Entry>> for Weight {
    fn weight(&self, _: &Key, entry: &Arc<Entry>) -> u64 {
        let caller = &entry.caller;
        let permissions = std::mem::size_of_val(caller.permissions.as_slice());
        (384 + permissions + caller.user.name.len()) as u64
    }
}

/// When the store was asked, and what was known to have changed by then.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    /// Nanoseconds since 1970.
    pub(crate) at: i64,
    generation: u64,
}

/// What is known of a credential.
#[derive(Debug, Clone)]
pub enum Cached {
    /// Who presented it a moment ago.
    Fresh(Arc<Caller>),
    /// The same, but it will be forgotten soon: resolving it again now, beside the request, spares
    /// a later one the wait. Told once.
    Ageing(Arc<Caller>),
    /// Nothing.
    Absent,
}

impl CallerCache {
    pub(crate) fn new() -> Self {
        Self {
            entries: Cache::with_weighter(EXPECTED, CAPACITY, Weight),
            generation: AtomicU64::new(0),
        }
    }

    /// To be called before the store is asked; `now` is in nanoseconds since 1970.
    pub(crate) fn asking(&self, now: i64) -> Asked {
        Asked {
            at: now,
            generation: self.generation.load(Ordering::Acquire),
        }
    }

    /// Who presented this a moment ago. `now` is in nanoseconds since 1970.
    pub(crate) fn find(&self, key: &Key, now: i64) -> Cached {
        let Some(entry) = self.entries.get(key) else {
            return Cached::Absent;
        };
        let age = now.saturating_sub(entry.asked.at);
        let is_current = entry.asked.generation == self.generation.load(Ordering::Acquire);
        if !is_current || !(0..TIME_TO_LIVE).contains(&age) || now >= entry.until {
            return Cached::Absent;
        }
        let caller = Arc::clone(&entry.caller);
        if age >= AGEING && !entry.told.swap(true, Ordering::Relaxed) {
            return Cached::Ageing(caller);
        }
        Cached::Fresh(caller)
    }

    /// Notes who presented this, as it was when the store was asked; not beyond `until`.
    pub(crate) fn note(&self, key: Key, caller: &Arc<Caller>, asked: Asked, until: i64) {
        let entry = Entry {
            caller: Arc::clone(caller),
            asked,
            until,
            told: AtomicBool::new(false),
        };
        self.entries.insert(key, Arc::new(entry));
    }

    /// Forgets who presented this: it was found to be good no more.
    pub(crate) fn remove(&self, key: &Key) {
        self.entries.remove(key);
    }

    /// Forgets everyone: something about credentials or users was changed by this server.
    pub(crate) fn forget(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use influxd_model::{AuthorizationId, OrgId, Permission, Status, User, UserId};

    use super::*;
    use crate::Identity;

    fn caller(name: &str) -> Arc<Caller> {
        Arc::new(Caller {
            user: User {
                id: UserId::new(1).unwrap(),
                name: name.to_owned(),
                status: Status::Active,
                oauth_id: String::new(),
            },
            identity: Identity::ApiToken {
                id: AuthorizationId::new(1).unwrap(),
                org: OrgId::new(1).unwrap(),
            },
            permissions: Permission::operator(),
        })
    }

    fn state(cache: &CallerCache, now: i64) -> &'static str {
        match cache.find(&[1; 32], now) {
            Cached::Fresh(_) => "fresh",
            Cached::Ageing(_) => "ageing",
            Cached::Absent => "absent",
        }
    }

    #[test]
    fn an_entry_counts_from_when_the_store_was_asked() {
        let cache = CallerCache::new();
        let start = 1_000_000_000;
        assert_eq!(state(&cache, start), "absent");
        cache.note([1; 32], &caller("alice"), cache.asking(start), i64::MAX);
        assert_eq!(state(&cache, start), "fresh");
        assert_eq!(state(&cache, start + AGEING - 1), "fresh");
        assert_eq!(state(&cache, start + AGEING), "ageing");
        assert_eq!(state(&cache, start + AGEING), "fresh", "told once");
        assert_eq!(state(&cache, start + TIME_TO_LIVE - 1), "fresh");
        assert_eq!(state(&cache, start + TIME_TO_LIVE), "absent");
        assert_eq!(state(&cache, start - 1), "absent", "the clock went back");
    }

    #[test]
    fn what_ends_sooner_ends_sooner() {
        let cache = CallerCache::new();
        cache.note([1; 32], &caller("alice"), cache.asking(0), 10);
        assert_eq!(state(&cache, 9), "fresh");
        assert_eq!(state(&cache, 10), "absent");
    }

    #[test]
    fn what_was_read_before_a_change_is_not_noted_after_it() {
        let cache = CallerCache::new();
        let asked = cache.asking(0);
        cache.note([1; 32], &caller("alice"), asked, i64::MAX);
        cache.forget();
        assert_eq!(state(&cache, 1), "absent");
        cache.note([1; 32], &caller("alice"), asked, i64::MAX);
        assert_eq!(state(&cache, 1), "absent");
        cache.note([1; 32], &caller("alice"), cache.asking(1), i64::MAX);
        assert_eq!(state(&cache, 1), "fresh");
    }

    #[test]
    fn the_cache_is_bounded() {
        let cache = CallerCache::new();
        for n in 0..40_000_u64 {
            let mut key = [0; 32];
            key[..8].copy_from_slice(&n.to_be_bytes());
            cache.note(key, &caller("alice"), cache.asking(0), i64::MAX);
        }
        assert!(cache.entries.weight() <= CAPACITY);
        assert!(cache.entries.len() > 4_000);
    }
}
