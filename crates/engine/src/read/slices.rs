//! Cutting time into slices with about as many rows as may lie in memory at once.

use influxd_model::TimeRange;

use crate::catalogue::{ChunkInfo, MeasurementState, Window};
use crate::source::{Few, Slice};

/// Values, all fields of the measurement counted, that a slice should hold at most.
const VALUES: f64 = 10_000_000.0;
/// A slice has no more rows than this, however few fields there are, and may have as many as
/// that, however many.
const MOST_ROWS: f64 = 4_000_000.0;
const LEAST_ROWS: f64 = 250_000.0;
/// The smallest slice cut for a query that needs few rows.
const FEW_ROWS: f64 = 4_096.0;

/// The slices of a measurement in the windows given, which overlap `range`.
pub(super) fn slices(
    state: &MeasurementState,
    windows: impl Iterator<Item = Window>,
    range: TimeRange,
    few: Option<Few>,
) -> Vec<Slice> {
    let mut found = Vec::new();
    for window in windows {
        let within = window.range().intersect(range);
        let mut spans: Vec<Span> = state
            .chunks
            .iter()
            .filter_map(|chunk| Span::of(chunk, within))
            .collect();
        if spans.is_empty() {
            continue;
        }
        let fields = state
            .fields
            .get(&window.start)
            .map_or(1, |fields| fields.len().max(1));
        let most = (VALUES / fields as f64).clamp(LEAST_ROWS, MOST_ROWS);
        let hull = spans
            .iter()
            .skip(1)
            .fold(spans[0].range, |hull, span| TimeRange {
                min: hull.min.min(span.range.min),
                max: hull.max.max(span.range.max),
            });
        let rows: f64 = spans.iter().map(|span| span.rows).sum();
        let sizes = sizes(rows, most, few);
        let cuts = match sizes.as_slice() {
            [] | [_] => Vec::new(),
            _ => cuts(&mut spans, &sizes),
        };
        let mut min = hull.min;
        for cut in cuts {
            // A cut is the first instant of the next slice.
            if cut > min && cut <= hull.max {
                let range = TimeRange { min, max: cut - 1 };
                found.push(Slice {
                    range,
                    window_start: window.start,
                });
                min = cut;
            }
        }
        let range = TimeRange { min, max: hull.max };
        found.push(Slice {
            range,
            window_start: window.start,
        });
    }
    found
}

/// Rows of a chunk, taken to be spread evenly over a stretch of time.
struct Span {
    range: TimeRange,
    rows: f64,
}

impl Span {
    fn of(chunk: &ChunkInfo, within: TimeRange) -> Option<Self> {
        let range = chunk.range.intersect(within);
        if range.is_empty() || chunk.rows == 0 {
            return None;
        }
        let share = length(range) / length(chunk.range);
        Some(Self {
            range,
            rows: chunk.rows as f64 * share,
        })
    }
}

fn length(range: TimeRange) -> f64 {
    range.max as f64 - range.min as f64 + 1.0
}

/// How many rows each slice should have, from the first to the last.
fn sizes(rows: f64, most: f64, few: Option<Few>) -> Vec<f64> {
    let Some(few) = few else {
        let count = (rows / most).ceil().max(1.0);
        return vec![rows / count; count as usize];
    };
    let mut size = (2.0 * few.rows as f64).clamp(FEW_ROWS, most);
    let mut left = rows;
    let mut sizes = Vec::new();
    while left > size * 1.5 {
        sizes.push(size);
        left -= size;
        size = (size * 2.0).min(most);
    }
    sizes.push(left);
    if few.descending {
        sizes.reverse();
    }
    sizes
}

/// Where to cut so that the stretches between have these numbers of rows: the first instants of
/// all but the first, ascending, maybe repeated.
fn cuts(spans: &mut [Span], sizes: &[f64]) -> Vec<i64> {
    // Density changes where a span begins or ends.
    let mut changes: Vec<(f64, f64)> = Vec::with_capacity(2 * spans.len());
    for span in spans.iter() {
        let density = span.rows / length(span.range);
        changes.push((span.range.min as f64, density));
        changes.push((span.range.max as f64 + 1.0, -density));
    }
    changes.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut cuts = Vec::with_capacity(sizes.len());
    // The last slice ends where the points end.
    let mut wanted = sizes[..sizes.len().saturating_sub(1)].iter();
    let Some(mut size) = wanted.next().copied() else {
        return cuts;
    };
    let (mut density, mut at, mut filled) = (0.0, changes[0].0, 0.0);
    for (time, change) in changes {
        while density > 0.0 && filled + (time - at) * density >= size {
            at += (size - filled) / density;
            filled = 0.0;
            cuts.push(at.ceil() as i64);
            match wanted.next() {
                Some(next) => size = *next,
                None => return cuts,
            }
        }
        filled += (time - at).max(0.0) * density;
        at = time;
        density += change;
    }
    cuts
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Instant;

    use influxd_model::BucketId;

    use super::*;
    use crate::catalogue::ChunkName;

    fn state(chunks: &[(i64, i64, u64)]) -> MeasurementState {
        let chunk = |(id, (min, max, rows)): (usize, &(i64, i64, u64))| {
            Arc::new(ChunkInfo {
                name: ChunkName::Fresh(id as i64),
                bucket: BucketId::new(1).unwrap(),
                measurement: b"m"[..].into(),
                oldest: 1,
                newest: 1,
                part: id as i32,
                level: 0,
                window_start: None,
                range: TimeRange {
                    min: *min,
                    max: *max,
                },
                rows: *rows,
                bytes: 1,
                seen: Instant::now(),
            })
        };
        let chunks = chunks.iter().enumerate().map(chunk).collect();
        MeasurementState {
            chunks,
            ..MeasurementState::default()
        }
    }

    fn cut(chunks: &[(i64, i64, u64)], range: (i64, i64), few: Option<Few>) -> Vec<(i64, i64)> {
        let windows = [
            Window {
                start: 0,
                end: 1000,
            },
            Window {
                start: 1000,
                end: i64::MAX,
            },
        ];
        let range = TimeRange {
            min: range.0,
            max: range.1,
        };
        let inside = windows.into_iter().filter(|w| w.range().overlaps(range));
        let slices = slices(&state(chunks), inside, range, few);
        slices
            .iter()
            .map(|slice| (slice.range.min, slice.range.max))
            .collect()
    }

    #[test]
    fn slices_are_where_data_is_and_within_windows() {
        assert_eq!(
            cut(&[(10, 20, 5), (90, 1100, 9)], (0, 2000), None),
            [(10, 999), (1000, 1100)]
        );
        assert_eq!(
            cut(&[(10, 20, 5), (90, 1100, 9)], (15, 50), None),
            [(15, 20)]
        );
        assert_eq!(cut(&[(10, 20, 5), (30, 30, 0)], (21, 2000), None), []);
    }

    #[test]
    fn many_rows_make_many_slices() {
        let slices = cut(&[(0, 999, 12_000_000)], (0, 999), None);
        assert_eq!(slices, [(0, 333), (334, 666), (667, 999)]);
        // All of it at one instant cannot be cut.
        assert_eq!(cut(&[(7, 7, 12_000_000)], (0, 999), None), [(7, 7)]);
    }

    #[test]
    fn few_rows_make_small_slices_at_their_end() {
        let spread = (0, 999, 1_000_000);
        let first = cut(
            &[spread],
            (0, 999),
            Some(Few {
                rows: 10,
                descending: false,
            }),
        );
        assert_eq!(first[..2], [(0, 4), (5, 12)]);
        let last = cut(
            &[spread],
            (0, 999),
            Some(Few {
                rows: 10,
                descending: true,
            }),
        );
        assert_eq!(last.last(), Some(&(996, 999)));
        for slices in [first, last] {
            assert!(slices.windows(2).all(|pair| pair[0].1 + 1 == pair[1].0));
            assert_eq!((slices[0].0, slices[slices.len() - 1].1), (0, 999));
        }
    }

    #[test]
    fn both_ends_of_time_are_reached() {
        let all = (i64::MIN + 2, i64::MAX - 1, 12_000_000);
        let windows = [Window {
            start: i64::MIN,
            end: i64::MAX,
        }]
        .into_iter();
        let range = TimeRange {
            min: i64::MIN,
            max: i64::MAX,
        };
        let slices = slices(&state(&[all]), windows, range, None);
        assert_eq!(slices.len(), 3);
        assert_eq!(slices[0].range.min, i64::MIN + 2);
        assert_eq!(slices[2].range.max, i64::MAX - 1);
    }
}
