//! How long those wait whose passwords were wrong lately.
//!
//! Counts fade, delays have a bound, and the table has a fixed size: it cannot be filled, and
//! nobody can be locked out. Two names or addresses may share a place, which costs a stranger a
//! short delay at worst.

use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many places the table has.
const PLACES: usize = 4_096;
/// How many failures cost nothing: people mistype.
const FREE: f32 = 3.0;
/// The first delay; every further failure doubles it.
const FIRST: Duration = Duration::from_millis(50);
/// After so much time half of the failures are forgotten.
const HALF_LIFE: Duration = Duration::from_secs(20);
/// More failures than this are not counted: so everybody is back to nothing within minutes.
const MOST: f32 = 64.0;

/// Failures of late, by whatever is hashed: addresses, or names.
#[derive(Debug)]
pub(super) struct Backoff {
    hasher: RandomState,
    longest: Duration,
    places: Mutex<Box<[Place]>>,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    failures: f32,
    since: Instant,
}

impl Place {
    /// How many failures count at `now`.
    fn at(self, now: Instant) -> f32 {
        let age = now.saturating_duration_since(self.since).as_secs_f32();
        self.failures * (-age / HALF_LIFE.as_secs_f32()).exp2()
    }
}

impl Backoff {
    /// An empty table; `longest` is the longest delay.
    pub(super) fn new(longest: Duration, now: Instant) -> Self {
        let empty = Place {
            failures: 0.0,
            since: now,
        };
        Self {
            hasher: RandomState::new(),
            longest,
            places: Mutex::new(vec![empty; PLACES].into_boxed_slice()),
        }
    }

    /// How long the next attempt has to wait; zero where there were few failures of late.
    pub(super) fn delay(&self, of: impl Hash, now: Instant) -> Duration {
        let failures = self.place(of, |place| place.at(now));
        // Half a failure has faded within seconds; it still was one.
        let over = failures - FREE + 0.5;
        if over < 0.0 {
            return Duration::ZERO;
        }
        FIRST
            .mul_f32(over.floor().min(20.0).exp2())
            .min(self.longest)
    }

    /// Counts a failure.
    pub(super) fn failed(&self, of: impl Hash, now: Instant) {
        self.place(of, |place| {
            place.failures = (place.at(now) + 1.0).min(MOST);
            place.since = now;
        });
    }

    fn place<T>(&self, of: impl Hash, look: impl FnOnce(&mut Place) -> T) -> T {
        let index = self.hasher.hash_one(of) as usize % PLACES;
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        look(&mut places[index])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_are_bounded_and_fade() {
        let start = Instant::now();
        let backoff = Backoff::new(Duration::from_secs(1), start);
        let delays: Vec<u128> = (0..12)
            .map(|_| {
                let delay = backoff.delay("mallory", start);
                backoff.failed("mallory", start);
                delay.as_millis()
            })
            .collect();
        assert_eq!(
            delays,
            [0, 0, 0, 50, 100, 200, 400, 800, 1000, 1000, 1000, 1000]
        );
        for _ in 0..1_000_000 {
            backoff.failed("mallory", start);
        }
        assert_eq!(backoff.delay("mallory", start), Duration::from_secs(1));
        let later = start + Duration::from_secs(120);
        assert_eq!(backoff.delay("mallory", later), Duration::ZERO);
    }

    #[test]
    fn others_do_not_wait() {
        let start = Instant::now();
        let backoff = Backoff::new(Duration::from_secs(1), start);
        for _ in 0..20 {
            backoff.failed("mallory", start);
        }
        let waiting = (0..1_000)
            .filter(|n| !backoff.delay(format!("alice-{n}"), start).is_zero())
            .count();
        assert!(waiting <= 5, "{waiting} of 1000 share a place");
    }
}
