//! Folding rows of a column into a partial state.

use std::ops::Range;

use hashbrown::HashMap;

use super::{Key, Reduction, State, Tally, better, weighted};
use crate::chunk::{Bitmap, Column, Strings, Values};
use crate::query::points::Point;
use crate::query::scalar::{Scalar, cell};

/// Numbers that can be added and compared without looking at their type for each value.
trait Number: Copy + PartialOrd {
    const ZERO: Self;
    fn plus(self, other: Self) -> Self;
    fn float(self) -> f64;
    fn scalar(self) -> Scalar;
}

impl Number for f64 {
    const ZERO: Self = 0.0;
    fn plus(self, other: Self) -> Self {
        self + other
    }
    fn float(self) -> f64 {
        self
    }
    fn scalar(self) -> Scalar {
        Scalar::Float(self)
    }
}

impl Number for i64 {
    const ZERO: Self = 0;
    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }
    fn float(self) -> f64 {
        self as f64
    }
    fn scalar(self) -> Scalar {
        Scalar::Integer(self)
    }
}

impl Number for u64 {
    const ZERO: Self = 0;
    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }
    fn float(self) -> f64 {
        self as f64
    }
    fn scalar(self) -> Scalar {
        Scalar::Unsigned(self)
    }
}

/// Calls `visit` with the row and value of each value that is there.
fn each<T: Copy>(
    values: &[T],
    present: Option<&Bitmap>,
    rows: Range<usize>,
    mut visit: impl FnMut(usize, T),
) {
    match present {
        None => {
            for (at, value) in values[rows.clone()].iter().enumerate() {
                visit(rows.start + at, *value);
            }
        }
        Some(present) => {
            for row in rows {
                if present.get(row) {
                    visit(row, values[row]);
                }
            }
        }
    }
}

/// The state of some rows of a column; `None` if there is no value among them. `aux` gives the
/// further cells of a row, for reductions that keep points.
pub(in crate::query) fn fold(
    reduction: &Reduction,
    column: &Column,
    times: &[i64],
    rows: Range<usize>,
    window: i64,
    aux: &dyn Fn(usize) -> Vec<Scalar>,
) -> Option<State> {
    match reduction {
        Reduction::Count => {
            let count = match &column.present {
                None => rows.len(),
                Some(present) => present.count_ones_in(rows),
            };
            (count > 0).then_some(State::Count(count as i64))
        }
        Reduction::Sum
        | Reduction::Mean
        | Reduction::Min
        | Reduction::Max
        | Reduction::Spread
        | Reduction::Median
        | Reduction::Stddev => match &column.values {
            Values::Float(values) => numbers(reduction, values, column, times, rows, window, aux),
            Values::Integer(values) => numbers(reduction, values, column, times, rows, window, aux),
            Values::Unsigned(values) => {
                numbers(reduction, values, column, times, rows, window, aux)
            }
            Values::Boolean(values) => extreme_boolean(reduction, values, column, times, rows, aux),
            Values::String(_) => None,
        },
        Reduction::First | Reduction::Last => edge(reduction, column, times, rows, aux),
        Reduction::CountDistinct | Reduction::Distinct | Reduction::Mode => {
            tally(column, times, rows)
        }
        Reduction::Percentile(_)
        | Reduction::Sample(_)
        | Reduction::Extremes { .. }
        | Reduction::Collect => {
            let points: Vec<Point> = rows
                .filter(|row| column.is_present(*row))
                .map(|row| Point {
                    time: times[row],
                    value: Scalar::from(cell(column, row)),
                    aux: aux(row),
                })
                .collect();
            (!points.is_empty()).then_some(State::Points(points))
        }
    }
}

fn numbers<T: Number>(
    reduction: &Reduction,
    values: &[T],
    column: &Column,
    times: &[i64],
    rows: Range<usize>,
    window: i64,
    aux: &dyn Fn(usize) -> Vec<Scalar>,
) -> Option<State>
where
    Vec<T>: IntoValues,
{
    let present = column.present.as_ref();
    let pick = |row: usize, value: T| {
        State::Pick(Point {
            time: times[row],
            value: value.scalar(),
            aux: aux(row),
        })
    };
    match reduction {
        Reduction::Sum | Reduction::Mean => {
            let mut sum = T::ZERO;
            let mut count = 0_u64;
            each(values, present, rows, |_, value| {
                sum = sum.plus(value);
                count += 1;
            });
            if count == 0 {
                return None;
            }
            Some(if *reduction == Reduction::Sum {
                State::Sum {
                    window,
                    part: sum.scalar(),
                    total: Scalar::Null,
                }
            } else {
                let mean = sum.float() / count as f64;
                let sum = weighted(mean, count);
                State::Mean {
                    window,
                    sum,
                    count,
                    total: 0.0,
                    total_count: 0,
                }
            })
        }
        Reduction::Min => {
            let mut best: Option<(usize, T)> = None;
            each(values, present, rows, |row, value| {
                if best.is_none_or(|(_, least)| value < least) {
                    best = Some((row, value));
                }
            });
            best.map(|(row, value)| pick(row, value))
        }
        Reduction::Max => {
            let mut best: Option<(usize, T)> = None;
            each(values, present, rows, |row, value| {
                if best.is_none_or(|(_, greatest)| value > greatest) {
                    best = Some((row, value));
                }
            });
            best.map(|(row, value)| pick(row, value))
        }
        Reduction::Spread => {
            let mut range: Option<(T, T)> = None;
            each(values, present, rows, |_, value| {
                range = Some(match range {
                    None => (value, value),
                    Some((least, greatest)) => (
                        if value < least { value } else { least },
                        if value > greatest { value } else { greatest },
                    ),
                });
            });
            range.map(|(least, greatest)| State::Range {
                least: least.scalar(),
                greatest: greatest.scalar(),
            })
        }
        _ => {
            let mut kept = Vec::with_capacity(rows.len());
            each(values, present, rows, |_, value| kept.push(value));
            (!kept.is_empty()).then(|| State::Numbers(kept.into_values()))
        }
    }
}

/// A vector of numbers as the values of a column.
trait IntoValues {
    fn into_values(self) -> Values;
}

impl IntoValues for Vec<f64> {
    fn into_values(self) -> Values {
        Values::Float(self)
    }
}

impl IntoValues for Vec<i64> {
    fn into_values(self) -> Values {
        Values::Integer(self)
    }
}

impl IntoValues for Vec<u64> {
    fn into_values(self) -> Values {
        Values::Unsigned(self)
    }
}

/// The first false or true value: booleans have a smallest and a largest, too.
fn extreme_boolean(
    reduction: &Reduction,
    values: &[bool],
    column: &Column,
    times: &[i64],
    rows: Range<usize>,
    aux: &dyn Fn(usize) -> Vec<Scalar>,
) -> Option<State> {
    let wanted = match reduction {
        Reduction::Min => false,
        Reduction::Max => true,
        _ => return None,
    };
    let mut best: Option<(usize, bool)> = None;
    each(values, column.present.as_ref(), rows, |row, value| {
        if best.is_none_or(|(_, known)| known != wanted && value == wanted) {
            best = Some((row, value));
        }
    });
    best.map(|(row, value)| {
        State::Pick(Point {
            time: times[row],
            value: Scalar::Boolean(value),
            aux: aux(row),
        })
    })
}

fn edge(
    reduction: &Reduction,
    column: &Column,
    times: &[i64],
    rows: Range<usize>,
    aux: &dyn Fn(usize) -> Vec<Scalar>,
) -> Option<State> {
    let mut candidates: Box<dyn Iterator<Item = usize>> = if *reduction == Reduction::First {
        Box::new(rows.filter(|row| column.is_present(*row)))
    } else {
        Box::new(rows.rev().filter(|row| column.is_present(*row)))
    };
    let point = |row: usize| Point {
        time: times[row],
        value: Scalar::from(cell(column, row)),
        aux: aux(row),
    };
    let mut best = point(candidates.next()?);
    // Rows of a subquery may share a time.
    for row in candidates
        .take_while(|row| times[*row] == best.time)
        .collect::<Vec<_>>()
    {
        let rival = point(row);
        if better(reduction, &rival, &best) {
            best = rival;
        }
    }
    Some(State::Pick(best))
}

fn tally(column: &Column, times: &[i64], rows: Range<usize>) -> Option<State> {
    let present = column.present.as_ref();
    let mut tallies: HashMap<Key, Tally> = HashMap::new();
    let mut note = |key: Key, row: usize| {
        let time = times[row];
        let tally = tallies.entry(key).or_insert(Tally {
            count: 0,
            first: time,
            last: time,
        });
        tally.count += 1;
        tally.first = tally.first.min(time);
        tally.last = tally.last.max(time);
    };
    match &column.values {
        Values::Float(values) => each(values, present, rows, |row, v| note(Key::float(v), row)),
        Values::Integer(values) => each(values, present, rows, |row, v| note(Key::Integer(v), row)),
        Values::Unsigned(values) => {
            each(values, present, rows, |row, v| note(Key::Unsigned(v), row));
        }
        Values::Boolean(values) => each(values, present, rows, |row, v| note(Key::Boolean(v), row)),
        Values::String(values) => tally_strings(values, present, rows, &mut note),
    }
    (!tallies.is_empty()).then_some(State::Tally(tallies))
}

fn tally_strings(
    values: &Strings,
    present: Option<&Bitmap>,
    rows: Range<usize>,
    note: &mut impl FnMut(Key, usize),
) {
    for row in rows {
        if present.is_none_or(|present| present.get(row)) {
            note(Key::String(values.get(row).into()), row);
        }
    }
}
