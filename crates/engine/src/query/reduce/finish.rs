//! From the state of a bucket to the points of the result.

use std::sync::Arc;

use hashbrown::{HashMap, HashSet};

use super::{Key, Reduction, State, Tally, add, weighted};
use crate::chunk::Values;
use crate::query::Env;
use crate::query::points::Point;
use crate::query::scalar::{Scalar, compare};

/// The points of a bucket. `start` is the time of its row; a selector's point keeps its own time
/// when `own_time` is set, and always where a reduction keeps times.
pub(in crate::query) fn finish(
    env: &Env<'_>,
    reduction: &Reduction,
    state: State,
    start: i64,
    own_time: bool,
) -> Vec<Point> {
    let one = |value: Scalar| vec![Point::new(start, value)];
    match state {
        State::Count(count) => one(Scalar::Integer(count)),
        State::Sum { part, total, .. } => one(add(&total, &part)),
        State::Mean {
            sum,
            count,
            total,
            total_count,
            ..
        } => {
            let total = total + weighted(sum / count as f64, count);
            let count = total_count + count;
            let mean = total / count as f64;
            one(Scalar::Float(weighted(mean, count) / count as f64))
        }
        State::Pick(mut point) => {
            if !own_time {
                point.time = start;
            }
            vec![point]
        }
        State::Range { least, greatest } => one(subtract(&greatest, &least)),
        State::Numbers(values) => one(match reduction {
            Reduction::Median => median(values),
            _ => deviation(&values),
        }),
        State::Tally(tallies) => match reduction {
            Reduction::CountDistinct => one(Scalar::Integer(tallies.len() as i64)),
            Reduction::Distinct => {
                let mut values: Vec<(i64, Scalar)> = tallies
                    .iter()
                    .map(|(key, tally)| (tally.first, key.scalar()))
                    .collect();
                values.sort_by(|a, b| {
                    a.0.cmp(&b.0)
                        .then_with(|| compare(a.1.value(), b.1.value()))
                });
                values
                    .into_iter()
                    .map(|(_, value)| Point::new(start, value))
                    .collect()
            }
            _ => mode(&tallies).map_or_else(Vec::new, one),
        },
        State::Points(points) => match reduction {
            Reduction::Percentile(percent) => percentile(points, *percent)
                .map(|mut point| {
                    if !own_time {
                        point.time = start;
                    }
                    point
                })
                .into_iter()
                .collect(),
            Reduction::Sample(count) => sample(env, points, *count),
            Reduction::Extremes {
                count,
                tags,
                bottom,
            } => extremes(points, *count, tags, *bottom),
            _ => {
                let mut points = points;
                points.sort_by_key(|point| point.time);
                points
            }
        },
    }
}

fn subtract(a: &Scalar, b: &Scalar) -> Scalar {
    match (a, b) {
        (Scalar::Float(a), Scalar::Float(b)) => Scalar::Float(a - b),
        (Scalar::Integer(a), Scalar::Integer(b)) => Scalar::Integer(a.wrapping_sub(*b)),
        (Scalar::Unsigned(a), Scalar::Unsigned(b)) => Scalar::Unsigned(a.wrapping_sub(*b)),
        _ => Scalar::Null,
    }
}

/// The most frequent value. Of those that came equally often the smallest, or a larger one that
/// had begun before the smaller one came for the last time; but of values that came once each the
/// smallest, and of booleans true.
fn mode(tallies: &HashMap<Key, Tally>) -> Option<Scalar> {
    let mut values: Vec<(Scalar, Tally)> = tallies
        .iter()
        .map(|(key, tally)| (key.scalar(), *tally))
        .collect();
    values.sort_by(|a, b| compare(a.0.value(), b.0.value()));
    let mut values = values.into_iter();
    let mut best = values.next()?;
    for (value, tally) in values {
        let equal = tally.count == best.1.count;
        let wins = match value {
            Scalar::Boolean(_) => equal,
            _ => equal && tally.count > 1 && tally.first <= best.1.last,
        };
        if tally.count > best.1.count || wins {
            best = (value, tally);
        }
    }
    Some(best.0)
}

/// The middle of the sorted values; of an even number the mean of the two in the middle.
fn median(values: Values) -> Scalar {
    Scalar::Float(match values {
        Values::Float(mut v) => {
            v.sort_unstable_by(f64::total_cmp);
            let middle = v.len() / 2;
            if v.len() % 2 == 1 {
                v[middle]
            } else {
                v[middle - 1] + (v[middle] - v[middle - 1]) / 2.0
            }
        }
        Values::Integer(mut v) => {
            v.sort_unstable();
            let middle = v.len() / 2;
            if v.len() % 2 == 1 {
                v[middle] as f64
            } else {
                let (low, high) = (v[middle - 1], v[middle]);
                low as f64 + high.wrapping_sub(low) as f64 / 2.0
            }
        }
        Values::Unsigned(mut v) => {
            v.sort_unstable();
            let middle = v.len() / 2;
            if v.len() % 2 == 1 {
                v[middle] as f64
            } else {
                let (low, high) = (v[middle - 1], v[middle]);
                low as f64 + high.wrapping_sub(low) as f64 / 2.0
            }
        }
        Values::Boolean(_) | Values::String(_) => return Scalar::Null,
    })
}

/// The sample deviation: a running mean first, then the squares around it. NaN for one
/// value, which prints as null.
fn deviation(values: &Values) -> Scalar {
    let floats: Vec<f64> = match values {
        Values::Float(v) => v.clone(),
        Values::Integer(v) => v.iter().map(|v| *v as f64).collect(),
        Values::Unsigned(v) => v.iter().map(|v| *v as f64).collect(),
        Values::Boolean(_) | Values::String(_) => return Scalar::Null,
    };
    if floats.len() < 2 {
        return Scalar::Float(f64::NAN);
    }
    let mut mean = 0.0;
    for (count, value) in floats.iter().enumerate() {
        mean += (value - mean) / (count + 1) as f64;
    }
    let squares: f64 = floats
        .iter()
        .fold(0.0, |sum, value| sum + (value - mean) * (value - mean));
    Scalar::Float((squares / (floats.len() - 1) as f64).sqrt())
}

/// Nearest rank; none if the rank lies outside.
fn percentile(mut points: Vec<Point>, percent: f64) -> Option<Point> {
    let count = points.len();
    let rank = (count as f64 * percent / 100.0 + 0.5).floor() - 1.0;
    if rank < 0.0 || rank >= count as f64 {
        return None;
    }
    let (_, point, _) = points.select_nth_unstable_by(rank as usize, |a, b| {
        compare(a.value.value(), b.value.value()).then(a.time.cmp(&b.time))
    });
    Some(point.clone())
}

/// So many points by chance, in the order of time.
fn sample(env: &Env<'_>, mut points: Vec<Point>, count: usize) -> Vec<Point> {
    if points.len() > count {
        for at in 0..count {
            let left = (points.len() - at) as u64;
            let pick = at + (env.random() % left) as usize;
            points.swap(at, pick);
        }
        points.truncate(count);
    }
    points.sort_by_key(|point| point.time);
    points
}

/// The largest or smallest points, by time. With tags, the best one of each combination of their
/// values competes; fields among the tag arguments do not tell points apart.
fn extremes(mut points: Vec<Point>, count: usize, tags: &[bool], bottom: bool) -> Vec<Point> {
    let rank = |a: &Point, b: &Point| {
        let values = compare(a.value.value(), b.value.value());
        let values = if bottom { values } else { values.reverse() };
        values.then(a.time.cmp(&b.time))
    };
    points.sort_by(rank);
    if !tags.is_empty() {
        let mut seen: HashSet<Vec<Option<Arc<[u8]>>>> = HashSet::new();
        points.retain(|point| {
            let key = tags
                .iter()
                .zip(&point.aux)
                .map(|(is_tag, cell)| match cell {
                    Scalar::String(text) if *is_tag => Some(Arc::clone(text)),
                    _ => None,
                });
            seen.insert(key.collect())
        });
    }
    points.truncate(count);
    points.sort_by_key(|point| point.time);
    points
}
