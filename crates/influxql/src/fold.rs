//! Folding: what an expression of literals comes to, so that `now() - 1h` is an instant and
//! `u * (1 + 1)` is `u * 2`. Anything with a column in it stays, around what could be folded.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "operators and literals that do not suit each other are left as they are"
)]

use chrono_tz::Tz;

use crate::ast::{BinaryOp, Call, Expr};
use crate::function;
use crate::time::{Instant, looks_like_time, parse_time};

/// An instant that 64 bits cannot hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OutOfRange(pub(crate) Instant);

type Folded = Result<Expr, OutOfRange>;

/// What folding may make use of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fold {
    /// What `now()` is; it stays a call without.
    pub(crate) now: Option<i64>,
    /// The zone of instants that name none.
    pub(crate) zone: Tz,
    /// Whether math functions of literals are computed.
    pub(crate) math: bool,
}

impl Fold {
    /// The expression, folded as far as it goes.
    pub(crate) fn expr(&self, expr: &Expr) -> Folded {
        match expr {
            Expr::Binary { op, lhs, rhs } => self.binary(*op, self.expr(lhs)?, self.expr(rhs)?),
            Expr::Paren(inner) => Ok(match self.expr(inner)? {
                inner @ Expr::Binary { .. } => Expr::Paren(Box::new(inner)),
                inner => inner,
            }),
            Expr::Call(call) => self.call(call),
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
            | Expr::List(_) => Ok(expr.clone()),
        }
    }

    /// The expression, folded; as it is where an instant would leave its range.
    pub(crate) fn lenient(&self, expr: &Expr) -> Expr {
        self.expr(expr).unwrap_or_else(|_| expr.clone())
    }

    fn call(&self, call: &Call) -> Folded {
        let args = call
            .args
            .iter()
            .map(|arg| self.expr(arg))
            .collect::<Result<Vec<_>, _>>()?;
        if let (Some(now), "now", []) = (self.now, call.name.as_str(), args.as_slice()) {
            return Ok(Expr::Time(now));
        }
        if self.math
            && args.iter().all(Expr::is_literal)
            && let Some(value) = function::compute(&call.name, &args)
        {
            return Ok(value);
        }
        Ok(Expr::Call(Call {
            name: call.name.clone(),
            args,
        }))
    }

    fn binary(&self, op: BinaryOp, lhs: Expr, rhs: Expr) -> Folded {
        match (op, &lhs, &rhs) {
            (BinaryOp::And, Expr::Boolean(false), _) | (BinaryOp::And, _, Expr::Boolean(false)) => {
                return Ok(Expr::Boolean(false));
            }
            (BinaryOp::Or, Expr::Boolean(true), _) | (BinaryOp::Or, _, Expr::Boolean(true)) => {
                return Ok(Expr::Boolean(true));
            }
            (BinaryOp::And, Expr::Boolean(true), _) | (BinaryOp::Or, Expr::Boolean(false), _) => {
                return Ok(rhs);
            }
            (BinaryOp::And, _, Expr::Boolean(true)) | (BinaryOp::Or, _, Expr::Boolean(false)) => {
                return Ok(lhs);
            }
            _ => {}
        }
        Ok(match self.literals(op, &lhs, &rhs)? {
            Some(value) => value,
            None => Expr::binary(op, lhs, rhs),
        })
    }

    /// What two literals come to, if the operator suits them.
    fn literals(&self, op: BinaryOp, lhs: &Expr, rhs: &Expr) -> Result<Option<Expr>, OutOfRange> {
        Ok(match (lhs, rhs) {
            (Expr::Boolean(lhs), Expr::Boolean(rhs)) => booleans(op, *lhs, *rhs),
            (Expr::Duration(lhs), Expr::Duration(rhs)) => match op {
                BinaryOp::Add => Some(Expr::Duration(lhs.wrapping_add(*rhs))),
                BinaryOp::Sub => Some(Expr::Duration(lhs.wrapping_sub(*rhs))),
                _ => compared(op, lhs, rhs),
            },
            (Expr::Duration(lhs), Expr::Number(rhs)) => match op {
                BinaryOp::Mul => Some(Expr::Duration((*lhs as f64 * rhs) as i64)),
                BinaryOp::Div if *rhs == 0.0 => Some(Expr::Duration(0)),
                BinaryOp::Div => Some(Expr::Duration((*lhs as f64 / rhs) as i64)),
                _ => None,
            },
            (Expr::Duration(lhs), Expr::Integer(rhs)) => match op {
                BinaryOp::Mul => Some(Expr::Duration(lhs.wrapping_mul(*rhs))),
                BinaryOp::Div => Some(Expr::Duration(lhs.checked_div(*rhs).unwrap_or_default())),
                _ => None,
            },
            (Expr::Duration(lhs) | Expr::Integer(lhs), Expr::Time(rhs)) if op == BinaryOp::Add => {
                Some(instant(*lhs, *rhs, 1)?)
            }
            (Expr::Time(lhs), Expr::Duration(rhs) | Expr::Integer(rhs))
            | (Expr::Integer(lhs), Expr::Duration(rhs)) => match op {
                BinaryOp::Add => Some(instant(*lhs, *rhs, 1)?),
                BinaryOp::Sub => Some(instant(*lhs, *rhs, -1)?),
                _ => None,
            },
            (Expr::Time(lhs), Expr::Time(rhs)) => match op {
                BinaryOp::Sub => Some(Expr::Duration(lhs.wrapping_sub(*rhs))),
                _ => compared(op, lhs, rhs),
            },
            (Expr::Integer(lhs), Expr::Integer(rhs)) => integers(op, *lhs, *rhs),
            (Expr::Unsigned(lhs), Expr::Unsigned(rhs)) => unsigneds(op, *lhs, *rhs),
            (Expr::Integer(lhs), Expr::Unsigned(rhs)) => unsigneds(op, *lhs as u64, *rhs),
            (Expr::Unsigned(lhs), Expr::Integer(rhs)) => unsigneds(op, *lhs, *rhs as u64),
            (Expr::Number(lhs), Expr::Number(rhs)) => numbers(op, *lhs, *rhs),
            (Expr::Number(lhs), Expr::Integer(rhs)) => numbers(op, *lhs, *rhs as f64),
            (Expr::Integer(lhs), Expr::Number(rhs)) => numbers(op, *lhs as f64, *rhs),
            (Expr::Number(lhs), Expr::Unsigned(rhs)) => numbers(op, *lhs, *rhs as f64),
            (Expr::Unsigned(lhs), Expr::Number(rhs)) => numbers(op, *lhs as f64, *rhs),
            (Expr::String(lhs), Expr::String(rhs))
                if matches!(op, BinaryOp::Add | BinaryOp::Eq | BinaryOp::Neq) =>
            {
                match op {
                    BinaryOp::Add => Some(Expr::String(format!("{lhs}{rhs}"))),
                    _ => compared(op, lhs, rhs),
                }
            }
            (Expr::String(text), rhs) if rhs.is_literal() => match self.time(text)? {
                Some(lhs) => self.literals(op, &lhs, rhs)?,
                None => None,
            },
            (Expr::Time(_) | Expr::Integer(_) | Expr::Duration(_), Expr::String(text)) => {
                match self.time(text)? {
                    Some(rhs) => self.literals(op, lhs, &rhs)?,
                    None => None,
                }
            }
            _ => None,
        })
    }

    /// The instant that a text names, if it names one.
    fn time(&self, text: &str) -> Result<Option<Expr>, OutOfRange> {
        if !looks_like_time(text) {
            return Ok(None);
        }
        match parse_time(text, self.zone) {
            Some(found) => match i64::try_from(found.nanoseconds) {
                Ok(nanoseconds) => Ok(Some(Expr::Time(nanoseconds))),
                Err(_) => Err(OutOfRange(found)),
            },
            None => Ok(None),
        }
    }
}

fn instant(from: i64, distance: i64, sign: i128) -> Folded {
    let nanoseconds = i128::from(from) + sign * i128::from(distance);
    i64::try_from(nanoseconds)
        .map(Expr::Time)
        .map_err(|_| OutOfRange(Instant::utc(nanoseconds)))
}

fn booleans(op: BinaryOp, lhs: bool, rhs: bool) -> Option<Expr> {
    Some(Expr::Boolean(match op {
        BinaryOp::Eq => lhs == rhs,
        BinaryOp::Neq | BinaryOp::BitXor => lhs != rhs,
        BinaryOp::And | BinaryOp::BitAnd => lhs && rhs,
        BinaryOp::Or | BinaryOp::BitOr => lhs || rhs,
        _ => return None,
    }))
}

fn integers(op: BinaryOp, lhs: i64, rhs: i64) -> Option<Expr> {
    Some(Expr::Integer(match op {
        BinaryOp::Add => lhs.wrapping_add(rhs),
        BinaryOp::Sub => lhs.wrapping_sub(rhs),
        BinaryOp::Mul => lhs.wrapping_mul(rhs),
        BinaryOp::Div if rhs == 0 => return Some(Expr::Number(0.0)),
        BinaryOp::Div => return Some(Expr::Number(lhs as f64 / rhs as f64)),
        BinaryOp::Mod => lhs.checked_rem(rhs).unwrap_or_default(),
        BinaryOp::BitAnd => lhs & rhs,
        BinaryOp::BitOr => lhs | rhs,
        BinaryOp::BitXor => lhs ^ rhs,
        _ => return compared(op, &lhs, &rhs),
    }))
}

fn unsigneds(op: BinaryOp, lhs: u64, rhs: u64) -> Option<Expr> {
    Some(Expr::Unsigned(match op {
        BinaryOp::Add => lhs.wrapping_add(rhs),
        BinaryOp::Sub => lhs.wrapping_sub(rhs),
        BinaryOp::Mul => lhs.wrapping_mul(rhs),
        BinaryOp::Div => lhs.checked_div(rhs).unwrap_or_default(),
        BinaryOp::Mod => lhs.checked_rem(rhs).unwrap_or_default(),
        BinaryOp::BitAnd => lhs & rhs,
        BinaryOp::BitOr => lhs | rhs,
        BinaryOp::BitXor => lhs ^ rhs,
        _ => return compared(op, &lhs, &rhs),
    }))
}

fn numbers(op: BinaryOp, lhs: f64, rhs: f64) -> Option<Expr> {
    Some(Expr::Number(match op {
        BinaryOp::Add => lhs + rhs,
        BinaryOp::Sub => lhs - rhs,
        BinaryOp::Mul => lhs * rhs,
        BinaryOp::Div if rhs == 0.0 => 0.0,
        BinaryOp::Div => lhs / rhs,
        BinaryOp::Mod => lhs % rhs,
        _ => return compared(op, &lhs, &rhs),
    }))
}

fn compared<T: PartialOrd>(op: BinaryOp, lhs: &T, rhs: &T) -> Option<Expr> {
    Some(Expr::Boolean(match op {
        BinaryOp::Eq => lhs == rhs,
        BinaryOp::Neq => lhs != rhs,
        BinaryOp::Lt => lhs < rhs,
        BinaryOp::Lte => lhs <= rhs,
        BinaryOp::Gt => lhs > rhs,
        BinaryOp::Gte => lhs >= rhs,
        _ => return None,
    }))
}
