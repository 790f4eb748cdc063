//! Buckets of `GROUP BY time()` (InfluxQL 7.2, 7.3).

use chrono::{Offset, TimeZone};
use chrono_tz::Tz;
use influxd_model::{MAX_TIME, MIN_TIME, TimeRange};

/// How time is cut into buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Interval {
    /// Their length in nanoseconds, above zero.
    pub(super) every: i64,
    /// How far after a multiple of `every` they start.
    pub(super) offset: i64,
    /// The zone whose midnights they follow.
    pub(super) zone: Option<Tz>,
}

/// Seconds east of UTC at an instant, as nanoseconds.
pub(super) fn zone_offset(zone: Tz, time: i64) -> i64 {
    let local =
        zone.offset_from_utc_datetime(&chrono::DateTime::from_timestamp_nanos(time).naive_utc());
    i64::from(local.fix().local_minus_utc()) * 1_000_000_000
}

impl Interval {
    /// The bucket that an instant falls into: its first instant and the first one after it.
    pub(super) fn window(&self, time: i64) -> (i64, i64) {
        let every = self.every;
        let time = time.saturating_sub(self.offset);
        let zone = self.zone.map_or(0, |zone| zone_offset(zone, time));
        let into = time.wrapping_add(zone).rem_euclid(every);
        let start = if MIN_TIME.saturating_add(into) >= time {
            MIN_TIME
        } else {
            time - into
        };
        let left = every - into;
        let end = if MAX_TIME - left <= time {
            MAX_TIME
        } else {
            time + left
        };
        let start = start.saturating_add(self.offset);
        let end = end.saturating_add(self.offset);
        match self.zone {
            None => (start, end),
            Some(tz) => (
                self.follow_zone(tz, zone, start),
                self.follow_zone(tz, zone, end),
            ),
        }
    }

    /// Moves the edge of a bucket when the zone's offset differs there.
    fn follow_zone(&self, tz: Tz, zone: i64, edge: i64) -> i64 {
        let change = zone - zone_offset(tz, edge);
        if change != 0 && change.abs() < self.every {
            edge.saturating_add(change)
        } else {
            edge
        }
    }

    /// How many buckets lie between the bounds of a range (InfluxQL 4.14).
    pub(super) fn count(&self, range: TimeRange) -> i64 {
        if range.is_empty() {
            return 0;
        }
        let first = i128::from(self.window(range.min).0);
        let last = i128::from(self.window(range.max).1);
        i64::try_from((last - first) / i128::from(self.every)).unwrap_or(i64::MAX)
    }

    /// The start of the bucket before or after the one that starts at `start`.
    pub(super) fn step(&self, start: i64, descending: bool) -> Option<i64> {
        if descending {
            let before = start.checked_sub(1)?;
            if before < MIN_TIME {
                return None;
            }
            Some(self.window(before).0)
        } else {
            let (_, end) = self.window(start);
            (end > start && end < MAX_TIME).then_some(end)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: i64 = 1_000_000_000;
    const DAY: i64 = 86_400 * S;

    fn plain(every: i64, offset: i64) -> Interval {
        Interval {
            every,
            offset,
            zone: None,
        }
    }

    #[test]
    fn buckets_are_counted_from_1970() {
        assert_eq!(plain(20 * S, 0).window(25 * S), (20 * S, 40 * S));
        assert_eq!(plain(20 * S, 5 * S).window(24 * S), (5 * S, 25 * S));
        assert_eq!(plain(20 * S, 0).window(-1), (-20 * S, 0));
        // Weeks start on Thursdays.
        assert_eq!(
            plain(7 * DAY, 0).window(1_577_836_800 * S).0,
            1_577_318_400 * S
        );
    }

    #[test]
    fn the_ends_of_time_do_not_overflow() {
        assert_eq!(plain(DAY, 0).window(MIN_TIME).0, MIN_TIME);
        assert_eq!(plain(DAY, 0).window(MAX_TIME).1, MAX_TIME);
    }

    #[test]
    fn days_follow_the_zone() {
        let days = Interval {
            every: DAY,
            offset: 0,
            zone: Some(chrono_tz::America::New_York),
        };
        // 2020-03-08 has 23 hours there, 2020-11-01 has 25.
        let (start, end) = days.window(1_583_672_400 * S);
        assert_eq!((start, end - start), (1_583_643_600 * S, 23 * 3_600 * S));
        let (start, end) = days.window(1_604_250_000 * S);
        assert_eq!((start, end - start), (1_604_203_200 * S, 25 * 3_600 * S));
    }
}
