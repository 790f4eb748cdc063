//! Reductions: what a call makes of the values of a bucket (InfluxQL 9.1, 9.3).
//!
//! The rows of a series in a slice are folded into a partial state for each bucket, in loops over
//! the column; partial states are merged into the state of the group. Sums and means keep apart
//! what comes from different shard windows, because InfluxDB adds series within a window first:
//! floats come out with the same last digits.

mod finish;
mod fold;

use hashbrown::HashMap;

use super::points::Point;
use super::scalar::{Scalar, compare};
use crate::chunk::Values;

pub(super) use finish::finish;
pub(super) use fold::fold;

/// A reduction.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Reduction {
    Count,
    CountDistinct,
    Distinct,
    Sum,
    Mean,
    Median,
    Mode,
    Stddev,
    Spread,
    Min,
    Max,
    First,
    Last,
    Percentile(f64),
    Sample(usize),
    /// `top` and `bottom`: how many; for each of the tag arguments, which are the first of the
    /// further cells, whether it is a tag; which of the two.
    Extremes {
        count: usize,
        tags: Vec<bool>,
        bottom: bool,
    },
    /// All points, for a transformation of raw values.
    Collect,
}

impl Reduction {
    /// Whether it picks a point, whose own time counts where it is the only call (InfluxQL 6.4).
    pub(super) const fn is_selector(&self) -> bool {
        matches!(
            self,
            Self::Min
                | Self::Max
                | Self::First
                | Self::Last
                | Self::Percentile(_)
                | Self::Sample(_)
                | Self::Extremes { .. }
        )
    }

    /// Whether an empty bucket is filled (InfluxQL 7.4).
    pub(super) const fn fills(&self) -> bool {
        !matches!(
            self,
            Self::Distinct | Self::Sample(_) | Self::Extremes { .. } | Self::Collect
        )
    }
}

/// What is known of the values of a bucket.
#[derive(Debug, Clone)]
pub(super) enum State {
    Count(i64),
    Sum {
        window: i64,
        part: Scalar,
        total: Scalar,
    },
    Mean {
        window: i64,
        sum: f64,
        count: u64,
        total: f64,
        total_count: u64,
    },
    Pick(Point),
    Range {
        least: Scalar,
        greatest: Scalar,
    },
    Numbers(Values),
    Tally(HashMap<Key, Tally>),
    Points(Vec<Point>),
}

/// How often a value came, and when first and last.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tally {
    pub(super) count: u64,
    pub(super) first: i64,
    pub(super) last: i64,
}

/// A value by which to count.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Float(u64),
    Integer(i64),
    Unsigned(u64),
    Boolean(bool),
    String(std::sync::Arc<[u8]>),
}

impl Key {
    pub(super) fn scalar(&self) -> Scalar {
        match self {
            Self::Float(bits) => Scalar::Float(f64::from_bits(*bits)),
            Self::Integer(v) => Scalar::Integer(*v),
            Self::Unsigned(v) => Scalar::Unsigned(*v),
            Self::Boolean(v) => Scalar::Boolean(*v),
            Self::String(v) => Scalar::String(v.clone()),
        }
    }

    /// The key of a float: both zeros are one.
    pub(super) fn float(v: f64) -> Self {
        Self::Float(if v == 0.0 { 0 } else { v.to_bits() })
    }
}

/// Adds two numbers of one type; integers wrap.
pub(super) fn add(a: &Scalar, b: &Scalar) -> Scalar {
    match (a, b) {
        (Scalar::Float(a), Scalar::Float(b)) => Scalar::Float(a + b),
        (Scalar::Integer(a), Scalar::Integer(b)) => Scalar::Integer(a.wrapping_add(*b)),
        (Scalar::Unsigned(a), Scalar::Unsigned(b)) => Scalar::Unsigned(a.wrapping_add(*b)),
        (Scalar::Null, other) | (other, _) => other.clone(),
    }
}

impl State {
    /// Takes in the state of further values of the same bucket.
    pub(super) fn merge(&mut self, reduction: &Reduction, other: Self) {
        match (self, other) {
            (Self::Count(a), Self::Count(b)) => *a += b,
            (
                Self::Sum {
                    window,
                    part,
                    total,
                },
                Self::Sum {
                    window: other_window,
                    part: other_part,
                    ..
                },
            ) => {
                if *window == other_window {
                    *part = add(part, &other_part);
                } else {
                    *total = add(total, part);
                    *part = other_part;
                    *window = other_window;
                }
            }
            (
                Self::Mean {
                    window,
                    sum,
                    count,
                    total,
                    total_count,
                },
                Self::Mean {
                    window: other_window,
                    sum: other_sum,
                    count: other_count,
                    ..
                },
            ) => {
                if *window == other_window {
                    *sum += other_sum;
                    *count += other_count;
                } else {
                    *total += weighted(*sum / *count as f64, *count);
                    *total_count += *count;
                    (*sum, *count, *window) = (other_sum, other_count, other_window);
                }
            }
            (Self::Pick(a), Self::Pick(b)) if better(reduction, &b, a) => *a = b,
            (
                Self::Range { least, greatest },
                Self::Range {
                    least: other_least,
                    greatest: other_greatest,
                },
            ) => {
                if compare(other_least.value(), least.value()).is_lt() {
                    *least = other_least;
                }
                if compare(other_greatest.value(), greatest.value()).is_gt() {
                    *greatest = other_greatest;
                }
            }
            (Self::Numbers(a), Self::Numbers(b)) => match (a, b) {
                (Values::Float(a), Values::Float(b)) => a.extend(b),
                (Values::Integer(a), Values::Integer(b)) => a.extend(b),
                (Values::Unsigned(a), Values::Unsigned(b)) => a.extend(b),
                _ => {}
            },
            (Self::Tally(a), Self::Tally(b)) => {
                for (key, tally) in b {
                    let known = a.entry(key).or_insert(Tally {
                        count: 0,
                        first: i64::MAX,
                        last: i64::MIN,
                    });
                    known.count += tally.count;
                    known.first = known.first.min(tally.first);
                    known.last = known.last.max(tally.last);
                }
            }
            (Self::Points(a), Self::Points(b)) => a.extend(b),
            _ => {}
        }
    }
}

/// A mean times its count, as the next level adds it up.
pub(super) fn weighted(mean: f64, count: u64) -> f64 {
    if count >= 2 {
        mean * count as f64
    } else {
        mean
    }
}

/// Whether a selector would rather have `a` than `b`.
pub(super) fn better(reduction: &Reduction, a: &Point, b: &Point) -> bool {
    let values = compare(a.value.value(), b.value.value());
    let first = a.time < b.time;
    match reduction {
        Reduction::Min => values.is_lt() || (values.is_eq() && first),
        Reduction::Max => values.is_gt() || (values.is_eq() && first),
        // At equal times the larger value counts; for the first of booleans it is false.
        Reduction::First => {
            let wins = match a.value {
                Scalar::Boolean(_) => values.is_lt(),
                _ => values.is_gt(),
            };
            first || (a.time == b.time && wins)
        }
        Reduction::Last => a.time > b.time || (a.time == b.time && values.is_gt()),
        _ => false,
    }
}
