//! Time as the server keeps it: nanoseconds since 1970 in an `i64`.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

/// Where the time comes from. An argument everywhere, so that tests can hold it still.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    fn now(&self) -> i64;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> i64 {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the one place that reads the clock"
        )]
        let now = SystemTime::now();
        match now.duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_nanos()).unwrap_or(i64::MAX),
            Err(before) => -i64::try_from(before.duration().as_nanos()).unwrap_or(i64::MAX),
        }
    }
}

/// The first and the last instant that a point can have (data-endpoints 10.5), nanoseconds.
pub const MIN_TIME: i64 = -9_223_372_036_854_775_806;
/// See [`MIN_TIME`].
pub const MAX_TIME: i64 = 9_223_372_036_854_775_806;

/// A range of time, both ends included, in nanoseconds. Empty when `min > max`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimeRange {
    /// The first instant.
    pub min: i64,
    /// The last instant.
    pub max: i64,
}

impl TimeRange {
    /// All the time that points can have.
    pub const ALL: Self = Self {
        min: MIN_TIME,
        max: MAX_TIME,
    };

    /// Whether nothing lies in it.
    pub const fn is_empty(self) -> bool {
        self.min > self.max
    }

    /// Whether `time` lies in it.
    pub const fn contains(self, time: i64) -> bool {
        self.min <= time && time <= self.max
    }

    /// Whether all of `other` lies in it.
    pub const fn covers(self, other: Self) -> bool {
        self.min <= other.min && other.max <= self.max
    }

    /// Whether they share an instant.
    pub const fn overlaps(self, other: Self) -> bool {
        self.min <= other.max && other.min <= self.max
    }

    /// What they share; maybe empty.
    #[must_use]
    pub fn intersect(self, other: Self) -> Self {
        Self {
            min: self.min.max(other.min),
            max: self.max.min(other.max),
        }
    }
}
