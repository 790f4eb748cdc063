//! Which shard windows have to be added, and which a delete covers (storage study 8.3, 8.7).

use influxd_model::{MAX_TIME, MIN_TIME};

use crate::shard_window;

/// Whether the window `[start, end)` contains `time`; the end of all time belongs to the window
/// that reaches it.
pub const fn window_contains(start: i64, end: i64, time: i64) -> bool {
    start <= time && (time < end || end == i64::MAX)
}

/// Whether a delete of `min_time..=max_time`, both included, leaves no instant of the window
/// `[start, end)` that a point can have.
pub const fn window_is_covered(start: i64, end: i64, min_time: i64, max_time: i64) -> bool {
    let first = if start < MIN_TIME { MIN_TIME } else { start };
    let last = if end.saturating_sub(1) > MAX_TIME {
        MAX_TIME
    } else {
        end.saturating_sub(1)
    };
    min_time <= first && last <= max_time
}

/// The windows to add so that each of `times` has one: those of `duration`, cut where they would
/// overlap one of `living`, which do not overlap each other.
pub fn missing_windows(
    living: &[(i64, i64)],
    times: impl IntoIterator<Item = i64>,
    duration: i64,
) -> Vec<(i64, i64)> {
    let mut all = living.to_vec();
    all.sort_unstable();
    let mut missing = Vec::new();
    for time in times {
        // The first window that starts behind the time; the one before it may contain the time.
        let next = all.partition_point(|(start, _)| *start <= time);
        let before = next.checked_sub(1).map(|i| all[i]);
        if before.is_some_and(|(start, end)| window_contains(start, end, time)) {
            continue;
        }
        let (mut start, mut end) = shard_window(time, duration);
        if let Some((_, previous_end)) = before {
            start = start.max(previous_end);
        }
        if let Some((next_start, _)) = all.get(next) {
            end = end.min(*next_start);
        }
        all.insert(next, (start, end));
        missing.push((start, end));
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_cut_where_they_would_overlap() {
        let hour = 3_600_000_000_000;
        let (start, end) = shard_window(0, 24 * hour);
        let living = [(start + hour, start + 2 * hour), (end - hour, end)];
        let added = missing_windows(&living, [start, start + 3 * hour, start + hour], 24 * hour);
        assert_eq!(
            added,
            [(start, start + hour), (start + 2 * hour, end - hour)]
        );
    }

    #[test]
    fn times_of_one_window_add_it_once() {
        assert_eq!(missing_windows(&[], [0, 1, 2], 1000).len(), 1);
        assert_eq!(
            missing_windows(&[], [i64::MAX, i64::MAX - 1], i64::MAX).len(),
            1
        );
        assert_eq!(missing_windows(&[], [i64::MIN, i64::MIN], 10).len(), 1);
    }

    #[test]
    fn a_delete_of_all_time_covers_the_outermost_windows() {
        let (start, end) = shard_window(MIN_TIME, 7 * 86_400_000_000_000);
        assert!(window_is_covered(start, end, MIN_TIME, MAX_TIME));
        assert!(!window_is_covered(start, end, MIN_TIME + 1, MAX_TIME));
        let (start, end) = shard_window(MAX_TIME, 7 * 86_400_000_000_000);
        assert!(window_is_covered(start, end, start, MAX_TIME));
        assert!(window_is_covered(10, 20, 10, 19));
        assert!(!window_is_covered(10, 20, 10, 18));
    }
}
