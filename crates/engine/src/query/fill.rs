//! Points for empty buckets (InfluxQL 7.4), made as they are asked for.

use std::iter::Peekable;

use influxd_influxql::ast::{Fill, Number};
use influxd_model::{FieldType, TimeRange};

use super::output::Value;
use super::points::{Point, Points};
use super::scalar::{Scalar, float_to_integer, float_to_unsigned};
use super::window::Interval;

/// The points of a group's buckets with what fills the gaps between them.
pub(super) struct Filled<'a> {
    input: Peekable<Points<'a>>,
    fill: Fill,
    cells: FieldType,
    /// How many further cells a point has.
    aux: usize,
    interval: Interval,
    descending: bool,
    /// The next bucket to come; `None` before the first and after the last one.
    next: Option<i64>,
    /// The last bucket; `None`: the last one that has points.
    end: Option<i64>,
    previous: Option<Point>,
    begun: bool,
    first: Option<i64>,
}

impl<'a> Filled<'a> {
    /// Fills the buckets of `range`; without a lower bound from the first one that has points.
    pub(super) fn new(
        input: Points<'a>,
        fill: Fill,
        cells: FieldType,
        aux: usize,
        interval: Interval,
        range: TimeRange,
        descending: bool,
    ) -> Self {
        let edge = |time: i64, open: i64| (time != open).then(|| interval.window(time).0);
        let low = edge(range.min, TimeRange::ALL.min);
        let high = edge(range.max, TimeRange::ALL.max);
        let (first, end) = if descending { (high, low) } else { (low, high) };
        Self {
            input: input.peekable(),
            fill,
            cells,
            aux,
            interval,
            descending,
            next: None,
            end,
            previous: None,
            begun: false,
            first,
        }
    }

    /// Whether `a` comes before `b` in the order of the query.
    const fn before(&self, a: i64, b: i64) -> bool {
        if self.descending { a > b } else { a < b }
    }

    fn made(&mut self, time: i64) -> Point {
        let null_aux = || vec![Scalar::Null; self.aux];
        match self.fill {
            Fill::Null | Fill::None => Point {
                time,
                value: Scalar::Null,
                aux: null_aux(),
            },
            Fill::Previous => match &self.previous {
                Some(previous) => Point {
                    time,
                    value: previous.value.clone(),
                    aux: if previous.aux.is_empty() {
                        null_aux()
                    } else {
                        previous.aux.clone()
                    },
                },
                None => Point {
                    time,
                    value: Scalar::Null,
                    aux: null_aux(),
                },
            },
            Fill::Number(number) => Point {
                time,
                value: as_cell(number, self.cells),
                aux: vec![plain(number); self.aux],
            },
            Fill::Linear => {
                let value = match (&self.previous, self.input.peek()) {
                    (Some(previous), Some(next)) => linear(
                        time.div_euclid(self.interval.every),
                        previous.time.div_euclid(self.interval.every),
                        next.time.div_euclid(self.interval.every),
                        &previous.value,
                        &next.value,
                    ),
                    _ => Scalar::Null,
                };
                Point {
                    time,
                    value,
                    aux: null_aux(),
                }
            }
        }
    }
}

impl Iterator for Filled<'_> {
    type Item = Point;

    fn next(&mut self) -> Option<Point> {
        if !self.begun {
            let point = self.input.peek()?;
            self.next = Some(self.first.unwrap_or(point.time));
            self.begun = true;
        }
        let expected = match self.next {
            Some(next)
                if self
                    .end
                    .is_none_or(|end| next == end || self.before(next, end)) =>
            {
                next
            }
            _ => return self.input.next(),
        };
        let due = match self.input.peek().map(|point| point.time) {
            Some(time) => !self.before(expected, time),
            None if self.end.is_none() => return None,
            None => false,
        };
        let point = if due {
            let point = self.input.next()?;
            self.previous = Some(point.clone());
            if self.before(point.time, expected) {
                return Some(point);
            }
            point
        } else {
            self.made(expected)
        };
        self.next = self.interval.step(expected, self.descending);
        Some(point)
    }
}

/// The fill number as a value of a column's type: integers cut it, texts are empty, booleans false.
pub(super) fn as_cell(number: Number, cells: FieldType) -> Scalar {
    match (cells, number) {
        (FieldType::Float, number) => Scalar::Float(number.as_f64()),
        (FieldType::Integer, Number::Integer(v)) => Scalar::Integer(v),
        (FieldType::Integer, Number::Float(v)) => Scalar::Integer(float_to_integer(v)),
        (FieldType::Unsigned, Number::Integer(v)) => Scalar::Unsigned(v as u64),
        (FieldType::Unsigned, Number::Float(v)) => Scalar::Unsigned(float_to_unsigned(v)),
        (FieldType::String, _) => Scalar::String([].into()),
        (FieldType::Boolean, _) => Scalar::Boolean(false),
    }
}

/// The fill number as it was written.
pub(super) const fn plain(number: Number) -> Scalar {
    match number {
        Number::Integer(v) => Scalar::Integer(v),
        Number::Float(v) => Scalar::Float(v),
    }
}

/// The value at `at` on the straight line between two points; integers are cut.
fn linear(at: i64, from: i64, to: i64, a: &Scalar, b: &Scalar) -> Scalar {
    let span = (to - from) as f64;
    let along = (at - from) as f64;
    match (a.value(), b.value()) {
        (Value::Float(a), Value::Float(b)) => Scalar::Float((b - a) / span * along + a),
        (Value::Integer(a), Value::Integer(b)) => {
            let slope = b.wrapping_sub(a) as f64 / span;
            Scalar::Integer(float_to_integer(slope * along + a as f64))
        }
        (Value::Unsigned(a), Value::Unsigned(b)) => {
            let slope = (b as f64 - a as f64) / span;
            Scalar::Unsigned(float_to_unsigned(slope * along + a as f64))
        }
        _ => Scalar::Null,
    }
}
