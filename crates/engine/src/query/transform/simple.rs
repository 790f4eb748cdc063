//! Differences, sums and averages of neighbours (InfluxQL 9.4).

use std::collections::VecDeque;

use crate::query::points::{Point, Points};
use crate::query::reduce::add;
use crate::query::scalar::{Scalar, number};

/// Pairs of neighbours: each point with the one directly before it.
fn pairs(input: Points<'_>) -> impl Iterator<Item = (Point, Point)> {
    let mut before: Option<Point> = None;
    input.filter_map(move |point| {
        let pair = before.take().map(|before| (before, point.clone()));
        before = Some(point);
        pair
    })
}

/// Leaves out points that do not move on in time.
fn moving_on(input: Points<'_>) -> Points<'_> {
    let mut last = None;
    Box::new(input.filter(move |point| {
        let moves = last != Some(point.time);
        last = Some(point.time);
        moves
    }))
}

/// The later value less the earlier one as a float.
fn float_difference(a: &Scalar, b: &Scalar) -> f64 {
    match (a, b) {
        (Scalar::Float(a), Scalar::Float(b)) => b - a,
        (Scalar::Integer(a), Scalar::Integer(b)) => b.wrapping_sub(*a) as f64,
        (Scalar::Unsigned(a), Scalar::Unsigned(b)) if b >= a => (b - a) as f64,
        (Scalar::Unsigned(a), Scalar::Unsigned(b)) => -((a - b) as f64),
        _ => f64::NAN,
    }
}

/// The change in each unit of time.
pub(super) fn derivative(
    input: Points<'_>,
    unit: i64,
    non_negative: bool,
    descending: bool,
) -> Points<'_> {
    Box::new(pairs(moving_on(input)).filter_map(move |(a, b)| {
        let difference = float_difference(&a.value, &b.value);
        if non_negative && difference < 0.0 {
            return None;
        }
        let elapsed = if descending {
            a.time - b.time
        } else {
            b.time - a.time
        };
        let value = difference / (elapsed as f64 / unit as f64);
        Some(Point::new(b.time, Scalar::Float(value)))
    }))
}

/// The change from point to point.
pub(super) fn difference(input: Points<'_>, non_negative: bool) -> Points<'_> {
    Box::new(pairs(moving_on(input)).filter_map(move |(a, b)| {
        let (value, falls) = match (&a.value, &b.value) {
            (Scalar::Float(a), Scalar::Float(b)) => (Scalar::Float(b - a), b - a < 0.0),
            (Scalar::Integer(a), Scalar::Integer(b)) => {
                let value = b.wrapping_sub(*a);
                (Scalar::Integer(value), value < 0)
            }
            (Scalar::Unsigned(a), Scalar::Unsigned(b)) => {
                (Scalar::Unsigned(b.wrapping_sub(*a)), b < a)
            }
            _ => return None,
        };
        (!(non_negative && falls)).then(|| Point::new(b.time, value))
    }))
}

/// The time from point to point.
pub(super) fn elapsed(input: Points<'_>, unit: i64) -> Points<'_> {
    Box::new(pairs(input).map(move |(a, b)| {
        Point::new(
            b.time,
            Scalar::Integer(b.time.wrapping_sub(a.time) / unit.max(1)),
        )
    }))
}

/// The sum of all values so far.
pub(super) fn cumulative_sum(input: Points<'_>) -> Points<'_> {
    let mut sum = Scalar::Null;
    Box::new(input.map(move |point| {
        sum = add(&sum, &point.value);
        Point::new(point.time, sum.clone())
    }))
}

/// The mean of the last few values. The sum runs along, as InfluxDB's does.
pub(super) fn moving_average(input: Points<'_>, count: usize) -> Points<'_> {
    let mut kept: VecDeque<Scalar> = VecDeque::new();
    let mut sum = Scalar::Null;
    Box::new(input.filter_map(move |point| {
        if kept.len() == count
            && let Some(oldest) = kept.pop_front()
        {
            sum = add(&sum, &negative(&oldest));
        }
        sum = add(&sum, &point.value);
        kept.push_back(point.value);
        (kept.len() == count).then(|| {
            let sum = number(sum.value()).unwrap_or(f64::NAN);
            Point::new(point.time, Scalar::Float(sum / count as f64))
        })
    }))
}

fn negative(value: &Scalar) -> Scalar {
    match value {
        Scalar::Float(v) => Scalar::Float(-v),
        Scalar::Integer(v) => Scalar::Integer(v.wrapping_neg()),
        Scalar::Unsigned(v) => Scalar::Unsigned(v.wrapping_neg()),
        Scalar::Null | Scalar::Boolean(_) | Scalar::String(_) => Scalar::Null,
    }
}
