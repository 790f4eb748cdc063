//! `WHERE`: a range of time, and the rest (InfluxQL 8.1, 8.2).

use chrono_tz::Tz;

use crate::ast::{BinaryOp, Expr};
use crate::fold::{Fold, OutOfRange};
use crate::function;
use crate::time::{Instant, looks_like_time, parse_time};

/// The first instant that a range without a lower bound holds, in nanoseconds since the epoch.
pub const MIN_TIME: i64 = i64::MIN + 2;
/// The last instant that a range without an upper bound holds, in nanoseconds since the epoch.
pub const MAX_TIME: i64 = i64::MAX - 1;

/// A range of time in nanoseconds since the epoch; both bounds belong to it. It is empty if the
/// lower one is above the upper one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TimeRange {
    /// The lower bound, if there is one.
    pub min: Option<i64>,
    /// The upper bound, if there is one.
    pub max: Option<i64>,
}

impl TimeRange {
    /// The instants that are in both ranges.
    #[must_use]
    pub fn intersect(self, other: Self) -> Self {
        Self {
            min: larger(self.min, other.min),
            max: smaller(self.max, other.max),
        }
    }

    /// The lower bound, or the first instant there is.
    pub fn start(self) -> i64 {
        self.min.unwrap_or(MIN_TIME)
    }

    /// The upper bound, or the last instant there is.
    pub fn end(self) -> i64 {
        self.max.unwrap_or(MAX_TIME)
    }

    /// Whether no instant is in it.
    pub fn is_empty(self) -> bool {
        self.start() > self.end()
    }
}

/// What is wrong with a condition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    /// A bare operand that is no comparison.
    #[error("invalid condition expression: {0}")]
    Expression(String),
    /// A call of something else than a math function.
    #[error("invalid function call in condition: {0}")]
    Call(String),
    /// A math function with too few or too many arguments.
    #[error("invalid number of arguments for {function}, expected {expected}, got {got}")]
    Arguments {
        /// The function.
        function: String,
        /// How many arguments it takes.
        expected: usize,
        /// How many it got.
        got: usize,
    },
    /// A text that begins like a date and is none.
    #[error("invalid timestamp string")]
    Timestamp,
    /// Something that is no instant, by the name of its kind.
    #[error("invalid operation: time and {0} are not compatible")]
    Operand(&'static str),
    /// An operator that does not suit instants.
    #[error("invalid time comparison operator: {0}")]
    Operator(&'static str),
    /// An instant after the last one.
    #[error("time {0} overflows time literal")]
    Overflow(String),
    /// An instant before the first one.
    #[error("time {0} underflows time literal")]
    Underflow(String),
}

/// Takes the comparisons with `time` out of a condition, wherever they stand, and intersects them
/// all, also across `OR`. `now` is in nanoseconds since the epoch; `zone` is that of texts that name
/// none. What is left is folded; none of it is left when it is true.
pub fn split_condition(
    condition: Option<&Expr>,
    now: i64,
    zone: Option<Tz>,
) -> Result<(TimeRange, Option<Expr>), ConditionError> {
    let Some(condition) = condition else {
        return Ok((TimeRange::default(), None));
    };
    let zone = zone.unwrap_or(Tz::UTC);
    let splitter = Splitter {
        fold: Fold {
            now: Some(now),
            zone,
            math: false,
        },
        zone,
    };
    let (range, rest) = splitter.split(condition)?;
    let rest = match rest {
        Some(Expr::Paren(inner)) => Some(*inner),
        rest => rest,
    };
    Ok((
        range.narrow(),
        rest.filter(|rest| *rest != Expr::Boolean(true)),
    ))
}

/// Refuses calls of anything but math functions (InfluxQL 8.1). `log` takes two arguments here as in
/// the field list, unlike in InfluxDB 2.9, where it is unusable in a condition.
pub fn check_calls(condition: &Expr) -> Result<(), ConditionError> {
    match condition {
        Expr::Binary { lhs, rhs, .. } => {
            check_calls(lhs)?;
            check_calls(rhs)
        }
        Expr::Paren(inner) => check_calls(inner),
        Expr::Call(call) => {
            let Some(expected) = function::math_arguments(&call.name) else {
                return Err(ConditionError::Call(call.to_string()));
            };
            if call.args.len() != expected {
                let (function, got) = (call.name.clone(), call.args.len());
                return Err(ConditionError::Arguments {
                    function,
                    expected,
                    got,
                });
            }
            call.args.iter().try_for_each(check_calls)
        }
        Expr::VarRef(_)
        | Expr::Wildcard(_)
        | Expr::Regex(_)
        | Expr::Distinct(_)
        | Expr::Integer(_)
        | Expr::Unsigned(_)
        | Expr::Number(_)
        | Expr::String(_)
        | Expr::Duration(_)
        | Expr::Boolean(_)
        | Expr::Time(_)
        | Expr::Nil
        | Expr::List(_) => Ok(()),
    }
}

/// A range whose bounds may lie beyond 64 bits, so that they intersect before they wrap around.
#[derive(Debug, Clone, Copy, Default)]
struct WideRange {
    min: Option<i128>,
    max: Option<i128>,
}

impl WideRange {
    fn intersect(self, other: Self) -> Self {
        Self {
            min: larger(self.min, other.min),
            max: smaller(self.max, other.max),
        }
    }

    /// The range in 64 bits. A bound just outside wraps around, as it does in InfluxDB:
    /// `time > 9223372036854775807` holds for every instant.
    fn narrow(self) -> TimeRange {
        TimeRange {
            min: self.min.map(|bound| bound as i64),
            max: self.max.map(|bound| bound as i64),
        }
    }
}

struct Splitter {
    fold: Fold,
    zone: Tz,
}

impl Splitter {
    fn split(&self, condition: &Expr) -> Result<(WideRange, Option<Expr>), ConditionError> {
        match condition {
            Expr::Binary { op, lhs, rhs } if op.is_logical() => {
                let (left_range, left) = self.split(lhs)?;
                let (right_range, right) = self.split(rhs)?;
                let rest = match (left, right) {
                    (Some(left), Some(right)) => {
                        Some(self.fold.lenient(&Expr::binary(*op, left, right)))
                    }
                    (left, right) => left.or(right),
                };
                Ok((left_range.intersect(right_range), rest))
            }
            Expr::Binary { op, lhs, rhs } => {
                if is_time(lhs) {
                    Ok((self.range(*op, rhs)?, None))
                } else if is_time(rhs) {
                    Ok((self.range(mirrored(*op), lhs)?, None))
                } else {
                    Ok((WideRange::default(), Some(self.fold.lenient(condition))))
                }
            }
            Expr::Paren(inner) => {
                let (range, rest) = self.split(inner)?;
                let rest = rest.map(|rest| self.fold.lenient(&Expr::Paren(Box::new(rest))));
                Ok((range, rest))
            }
            Expr::Boolean(_) => Ok((WideRange::default(), Some(condition.clone()))),
            Expr::Call(_)
            | Expr::VarRef(_)
            | Expr::Wildcard(_)
            | Expr::Regex(_)
            | Expr::Distinct(_)
            | Expr::Integer(_)
            | Expr::Unsigned(_)
            | Expr::Number(_)
            | Expr::String(_)
            | Expr::Duration(_)
            | Expr::Time(_)
            | Expr::Nil
            | Expr::List(_) => Err(ConditionError::Expression(condition.to_string())),
        }
    }

    /// The range of instants that compare so with an operand.
    fn range(&self, op: BinaryOp, operand: &Expr) -> Result<WideRange, ConditionError> {
        let value = self.instant(operand)?;
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "all other operators are refused"
        )]
        let (min, max) = match op {
            BinaryOp::Eq => (Some(value), Some(value)),
            BinaryOp::Gt => (Some(value + 1), None),
            BinaryOp::Gte => (Some(value), None),
            BinaryOp::Lt => (None, Some(value - 1)),
            BinaryOp::Lte => (None, Some(value)),
            _ => return Err(ConditionError::Operator(op.symbol())),
        };
        Ok(WideRange { min, max })
    }

    /// The instant that an operand stands for.
    fn instant(&self, operand: &Expr) -> Result<i128, ConditionError> {
        if let Expr::String(text) = operand
            && looks_like_time(text)
        {
            let instant = parse_time(text, self.zone).ok_or(ConditionError::Timestamp)?;
            return in_range(instant);
        }
        match self.fold.expr(operand) {
            Err(OutOfRange(instant)) => in_range(instant),
            Ok(Expr::Time(value)) => in_range(Instant::utc(value.into())),
            Ok(Expr::Duration(value) | Expr::Integer(value)) => Ok(value.into()),
            Ok(Expr::Number(value)) => Ok((value as i64).into()),
            Ok(other) => Err(ConditionError::Operand(other.kind_name())),
        }
    }
}

/// An instant that was written or computed as one has to be within bounds.
fn in_range(instant: Instant) -> Result<i128, ConditionError> {
    if instant.nanoseconds > MAX_TIME.into() {
        Err(ConditionError::Overflow(instant.to_rfc3339()))
    } else if instant.nanoseconds <= MIN_TIME.into() {
        // The very first instant stands for no bound at all.
        Err(ConditionError::Underflow(instant.to_rfc3339()))
    } else {
        Ok(instant.nanoseconds)
    }
}

/// Whether it is the time, in any case.
fn is_time(expr: &Expr) -> bool {
    matches!(expr, Expr::VarRef(column) if column.name.eq_ignore_ascii_case("time"))
}

/// The operator when its sides change places.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "only inequalities have a direction"
)]
fn mirrored(op: BinaryOp) -> BinaryOp {
    match op {
        BinaryOp::Gt => BinaryOp::Lt,
        BinaryOp::Gte => BinaryOp::Lte,
        BinaryOp::Lt => BinaryOp::Gt,
        BinaryOp::Lte => BinaryOp::Gte,
        op => op,
    }
}

fn larger<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.max(other)),
        (one, other) => one.or(other),
    }
}

fn smaller<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests;
