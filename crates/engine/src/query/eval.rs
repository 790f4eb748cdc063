//! Evaluating an expression for one row: arithmetic, comparison, mathematics (InfluxQL 5.6, 8.4).

use influxd_influxql::ast::BinaryOp;
use influxd_influxql::regex::Regex;

use super::math::Math;
use super::output::Value;
use super::scalar::{Scalar, number};

/// An expression whose columns are numbered slots of a row.
#[derive(Debug, Clone)]
pub(super) enum Formula {
    /// A cell of the row.
    Slot(usize),
    /// A fixed value.
    Literal(Scalar),
    /// A regular expression; only as a right side.
    Regex(Regex),
    /// Two operands.
    Binary(BinaryOp, Box<Formula>, Box<Formula>),
    /// A mathematical function.
    Math(Math, Vec<Formula>),
}

/// What the quotient of two integers is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Division {
    /// A float: in the field list.
    Exact,
    /// An integer, cut towards zero: in `WHERE`.
    Whole,
}

impl Formula {
    /// Its value for a row.
    pub(super) fn evaluate<'a>(
        &'a self,
        division: Division,
        row: &impl Fn(usize) -> Value<'a>,
    ) -> Value<'a> {
        match self {
            Self::Slot(slot) => row(*slot),
            Self::Literal(literal) => literal.value(),
            Self::Regex(_) => Value::Null,
            Self::Binary(op, lhs, rhs) => {
                if let (BinaryOp::EqRegex | BinaryOp::NeqRegex, Self::Regex(regex)) = (op, &**rhs) {
                    let Value::String(text) = lhs.evaluate(division, row) else {
                        return Value::Boolean(false);
                    };
                    return Value::Boolean(regex.is_match(text) == (*op == BinaryOp::EqRegex));
                }
                let lhs = lhs.evaluate(division, row);
                match (op, lhs) {
                    (BinaryOp::And, Value::Boolean(true)) => rhs.evaluate(division, row),
                    (BinaryOp::Or, Value::Boolean(true)) => lhs,
                    (BinaryOp::And, _) => Value::Boolean(false),
                    (BinaryOp::Or, _) => rhs.evaluate(division, row),
                    _ => binary(*op, division, lhs, rhs.evaluate(division, row)),
                }
            }
            Self::Math(function, args) => {
                let mut values = [Value::Null; 2];
                let count = args.len().min(2);
                for (value, arg) in values.iter_mut().zip(args) {
                    *value = arg.evaluate(division, row);
                }
                function.apply(&values[..count])
            }
        }
    }

    /// Whether the row is taken by this condition: only if it is true.
    pub(super) fn holds<'a>(&'a self, row: &impl Fn(usize) -> Value<'a>) -> bool {
        self.evaluate(Division::Whole, row) == Value::Boolean(true)
    }
}

fn binary<'a>(op: BinaryOp, division: Division, lhs: Value<'a>, rhs: Value<'a>) -> Value<'a> {
    if op.is_comparison() {
        return Value::Boolean(compares(op, lhs, rhs));
    }
    match (lhs, rhs) {
        (Value::Float(_), _) | (_, Value::Float(_)) => match (number(lhs), number(rhs)) {
            (Some(a), Some(b)) => float(op, a, b),
            _ => Value::Null,
        },
        (Value::Integer(a), Value::Integer(b)) => integer(op, division, a, b),
        (Value::Unsigned(a), Value::Unsigned(b)) => unsigned(op, a, b),
        (Value::Unsigned(a), Value::Integer(b)) => unsigned(op, a, b as u64),
        (Value::Integer(a), Value::Unsigned(b)) => unsigned(op, a as u64, b),
        (Value::Boolean(a), Value::Boolean(b)) => match op {
            BinaryOp::BitAnd => Value::Boolean(a & b),
            BinaryOp::BitOr => Value::Boolean(a | b),
            BinaryOp::BitXor => Value::Boolean(a ^ b),
            _ => Value::Null,
        },
        _ => Value::Null,
    }
}

fn float<'a>(op: BinaryOp, a: f64, b: f64) -> Value<'a> {
    Value::Float(match op {
        BinaryOp::Add => a + b,
        BinaryOp::Sub => a - b,
        BinaryOp::Mul => a * b,
        BinaryOp::Div if b == 0.0 => 0.0,
        BinaryOp::Div => a / b,
        BinaryOp::Mod => a % b,
        _ => return Value::Null,
    })
}

fn integer<'a>(op: BinaryOp, division: Division, a: i64, b: i64) -> Value<'a> {
    Value::Integer(match op {
        BinaryOp::Add => a.wrapping_add(b),
        BinaryOp::Sub => a.wrapping_sub(b),
        BinaryOp::Mul => a.wrapping_mul(b),
        BinaryOp::Div if division == Division::Exact => {
            return Value::Float(if b == 0 { 0.0 } else { a as f64 / b as f64 });
        }
        BinaryOp::Div | BinaryOp::Mod if b == 0 => 0,
        BinaryOp::Div => a.wrapping_div(b),
        BinaryOp::Mod => a.wrapping_rem(b),
        BinaryOp::BitAnd => a & b,
        BinaryOp::BitOr => a | b,
        BinaryOp::BitXor => a ^ b,
        _ => return Value::Null,
    })
}

fn unsigned<'a>(op: BinaryOp, a: u64, b: u64) -> Value<'a> {
    Value::Unsigned(match op {
        BinaryOp::Add => a.wrapping_add(b),
        BinaryOp::Sub => a.wrapping_sub(b),
        BinaryOp::Mul => a.wrapping_mul(b),
        BinaryOp::Div => a.checked_div(b).unwrap_or(0),
        BinaryOp::Mod => a.checked_rem(b).unwrap_or(0),
        BinaryOp::BitAnd => a & b,
        BinaryOp::BitOr => a | b,
        BinaryOp::BitXor => a ^ b,
        _ => return Value::Null,
    })
}

/// Whether a comparison holds; false for values that do not compare.
pub(super) fn compares(op: BinaryOp, lhs: Value<'_>, rhs: Value<'_>) -> bool {
    match (lhs, rhs) {
        (Value::Integer(a), Value::Integer(b)) => ordered(op, &a, &b),
        (Value::Unsigned(a), Value::Unsigned(b)) => ordered(op, &a, &b),
        (Value::Unsigned(a), Value::Integer(b)) => match op {
            BinaryOp::Eq => a == b as u64,
            BinaryOp::Neq => a != b as u64,
            _ => ordered(op, &i128::from(a), &i128::from(b)),
        },
        (Value::Integer(a), Value::Unsigned(b)) => match op {
            BinaryOp::Eq => a as u64 == b,
            BinaryOp::Neq => a as u64 != b,
            _ => ordered(op, &i128::from(a), &i128::from(b)),
        },
        (Value::Float(_), _) | (_, Value::Float(_)) => match (number(lhs), number(rhs)) {
            (Some(a), Some(b)) => ordered(op, &a, &b),
            _ => false,
        },
        (Value::String(a), Value::String(b)) => match op {
            BinaryOp::Eq => a == b,
            BinaryOp::Neq => a != b,
            _ => false,
        },
        (Value::Boolean(a), Value::Boolean(b)) => match op {
            BinaryOp::Eq => a == b,
            BinaryOp::Neq => a != b,
            _ => false,
        },
        _ => false,
    }
}

/// Whether a comparison of two values of one ordered type holds.
pub(super) fn ordered<T: PartialOrd>(op: BinaryOp, a: &T, b: &T) -> bool {
    match op {
        BinaryOp::Eq => a == b,
        BinaryOp::Neq => a != b,
        BinaryOp::Lt => a < b,
        BinaryOp::Lte => a <= b,
        BinaryOp::Gt => a > b,
        BinaryOp::Gte => a >= b,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calc<'a>(op: BinaryOp, a: Value<'a>, b: Value<'a>) -> Value<'a> {
        binary(op, Division::Exact, a, b)
    }

    #[test]
    fn division_by_zero_is_zero_and_so_is_the_integer_remainder() {
        use Value::{Float, Integer, Unsigned};
        assert_eq!(calc(BinaryOp::Div, Integer(1), Integer(0)), Float(0.0));
        assert_eq!(calc(BinaryOp::Div, Unsigned(1), Unsigned(0)), Unsigned(0));
        assert_eq!(calc(BinaryOp::Div, Float(1.0), Integer(0)), Float(0.0));
        assert_eq!(calc(BinaryOp::Mod, Integer(1), Integer(0)), Integer(0));
        assert!(matches!(calc(BinaryOp::Mod, Float(1.0), Integer(0)), Float(x) if x.is_nan()));
        assert_eq!(
            binary(BinaryOp::Div, Division::Whole, Integer(-7), Integer(2)),
            Integer(-3)
        );
    }

    #[test]
    fn an_integer_beside_an_unsigned_is_taken_modulo_two_to_the_64() {
        use Value::{Integer, Unsigned};
        assert_eq!(calc(BinaryOp::Add, Unsigned(3), Integer(-1)), Unsigned(2));
        assert!(compares(BinaryOp::Eq, Unsigned(u64::MAX), Integer(-1)));
        assert!(compares(BinaryOp::Gt, Unsigned(0), Integer(-1)));
        assert!(!compares(BinaryOp::Lt, Unsigned(0), Integer(-1)));
    }

    #[test]
    fn what_does_not_compare_is_false_for_every_operator() {
        assert!(!compares(BinaryOp::Neq, Value::Null, Value::Integer(1)));
        assert!(!compares(
            BinaryOp::Neq,
            Value::String(b"a"),
            Value::Integer(1)
        ));
        assert!(!compares(
            BinaryOp::Lt,
            Value::String(b"a"),
            Value::String(b"b")
        ));
    }
}
