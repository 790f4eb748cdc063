//! `WHERE` without its time comparisons: sets of series where only tags are compared, tests of
//! rows for the rest (InfluxQL 8).

use influxd_influxql::ast::{BinaryOp, Expr, TypeHint, VarRef};

use super::eval::{Division, Formula, ordered};
use super::input::{Data, Input, Reference};
use super::math::Math;
use super::output::Value;
use super::resolve::Fields;
use super::scalar::{Scalar, cell};
use super::{Result, fail};
use crate::chunk::{Column, Values};
use crate::source::Block;

/// A condition on the rows of one input.
#[derive(Debug, Clone)]
pub(super) enum Filter {
    /// The same for all rows.
    Const(bool),
    /// True for the rows of these series, by number.
    Series(Vec<bool>),
    /// Both hold.
    And(Box<Filter>, Box<Filter>),
    /// One holds.
    Or(Box<Filter>, Box<Filter>),
    /// To be found out row by row.
    Rows(RowTest),
}

/// A comparison that needs the cells of a row.
#[derive(Debug, Clone)]
pub(super) struct RowTest {
    formula: Formula,
    cells: Vec<Operand>,
}

#[derive(Debug, Clone)]
enum Operand {
    /// A field, by its place among those that are read.
    Field(usize),
    Tag(Vec<u8>),
    Missing,
}

/// Which rows of a block a filter takes.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Mask {
    All,
    None,
    Some(Vec<bool>),
}

impl Filter {
    /// Compiles a condition for an input; `fields` collects what has to be read for it.
    pub(super) fn compile(expr: &Expr, input: &Input, fields: &mut Fields) -> Result<Self> {
        Ok(match expr {
            Expr::Paren(inner) => Self::compile(inner, input, fields)?,
            Expr::Boolean(value) => Self::Const(*value),
            Expr::Binary {
                op: BinaryOp::And,
                lhs,
                rhs,
            } => {
                match (
                    Self::compile(lhs, input, fields)?,
                    Self::compile(rhs, input, fields)?,
                ) {
                    (Self::Const(false), _) | (_, Self::Const(false)) => Self::Const(false),
                    (Self::Const(true), other) | (other, Self::Const(true)) => other,
                    (Self::Series(mut a), Self::Series(b)) => {
                        a.iter_mut().zip(b).for_each(|(a, b)| *a &= b);
                        Self::Series(a)
                    }
                    (a, b) => Self::And(Box::new(a), Box::new(b)),
                }
            }
            Expr::Binary {
                op: BinaryOp::Or,
                lhs,
                rhs,
            } => {
                match (
                    Self::compile(lhs, input, fields)?,
                    Self::compile(rhs, input, fields)?,
                ) {
                    (Self::Const(true), _) | (_, Self::Const(true)) => Self::Const(true),
                    (Self::Const(false), other) | (other, Self::Const(false)) => other,
                    (Self::Series(mut a), Self::Series(b)) => {
                        a.iter_mut().zip(b).for_each(|(a, b)| *a |= b);
                        Self::Series(a)
                    }
                    (a, b) => Self::Or(Box::new(a), Box::new(b)),
                }
            }
            Expr::Binary { op, lhs, rhs } if op.is_comparison() => {
                match by_series(input, *op, lhs.unparen(), rhs.unparen()) {
                    Some(set) => set,
                    None => by_rows(expr, input, fields)?,
                }
            }
            _ => Self::Const(false),
        })
    }

    /// Compiles a condition on tags in which a missing tag makes every comparison false.
    pub(super) fn of_present_tags(expr: &Expr, input: &Input) -> Result<Self> {
        Ok(match expr {
            Expr::Paren(inner) => Self::of_present_tags(inner, input)?,
            Expr::Boolean(value) => Self::Const(*value),
            Expr::Binary {
                op: op @ (BinaryOp::And | BinaryOp::Or),
                lhs,
                rhs,
            } => {
                let lhs = Box::new(Self::of_present_tags(lhs, input)?);
                let rhs = Box::new(Self::of_present_tags(rhs, input)?);
                if *op == BinaryOp::And {
                    Self::And(lhs, rhs)
                } else {
                    Self::Or(lhs, rhs)
                }
            }
            _ => by_rows(expr, input, &mut Fields::default())?,
        })
    }

    /// Whether it is certain for a series: all rows, no row, or `None` if rows have to be tested.
    pub(super) fn certain(&self, series: u32) -> Option<bool> {
        match self {
            Self::Const(value) => Some(*value),
            Self::Series(set) => Some(set[series as usize]),
            Self::And(a, b) => match (a.certain(series), b.certain(series)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            },
            Self::Or(a, b) => match (a.certain(series), b.certain(series)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            },
            Self::Rows(_) => None,
        }
    }

    /// Whether it takes a series whose fields are not looked at: they count as missing.
    pub(super) fn takes_series(&self, input: &Input, series: u32) -> bool {
        match self {
            Self::Const(value) => *value,
            Self::Series(set) => set[series as usize],
            Self::And(a, b) => a.takes_series(input, series) && b.takes_series(input, series),
            Self::Or(a, b) => a.takes_series(input, series) || b.takes_series(input, series),
            Self::Rows(test) => test.formula.holds(&|slot| match &test.cells[slot] {
                Operand::Tag(key) => input.tag(series, key).map_or(Value::Null, Value::String),
                Operand::Field(_) | Operand::Missing => Value::Null,
            }),
        }
    }

    /// The rows of a block that it takes.
    pub(super) fn apply(&self, input: &Input, block: &Block) -> Mask {
        match self {
            Self::And(a, b) => match (a.apply(input, block), b.apply(input, block)) {
                (Mask::None, _) | (_, Mask::None) => Mask::None,
                (Mask::All, other) | (other, Mask::All) => other,
                (Mask::Some(mut a), Mask::Some(b)) => {
                    a.iter_mut().zip(b).for_each(|(a, b)| *a &= b);
                    Mask::Some(a)
                }
            },
            Self::Or(a, b) => match (a.apply(input, block), b.apply(input, block)) {
                (Mask::All, _) | (_, Mask::All) => Mask::All,
                (Mask::None, other) | (other, Mask::None) => other,
                (Mask::Some(mut a), Mask::Some(b)) => {
                    a.iter_mut().zip(b).for_each(|(a, b)| *a |= b);
                    Mask::Some(a)
                }
            },
            Self::Rows(test) => test.apply(input, block),
            Self::Const(_) | Self::Series(_) => match self.certain(block.series.0) {
                Some(true) => Mask::All,
                _ => Mask::None,
            },
        }
    }
}

impl RowTest {
    fn apply(&self, input: &Input, block: &Block) -> Mask {
        if let Some(mask) = self.quick(block) {
            return mask;
        }
        let tags: Vec<Value<'_>> = self
            .cells
            .iter()
            .map(|operand| match operand {
                Operand::Tag(key) => input
                    .tag(block.series.0, key)
                    .map_or(Value::Null, Value::String),
                Operand::Field(_) | Operand::Missing => Value::Null,
            })
            .collect();
        let mask = (0..block.times.len())
            .map(|row| {
                self.formula.holds(&|slot| match &self.cells[slot] {
                    Operand::Field(at) => match &block.columns[*at] {
                        Some(column) => cell(column, row),
                        None => Value::Null,
                    },
                    Operand::Tag(_) | Operand::Missing => tags[slot],
                })
            })
            .collect();
        Mask::Some(mask)
    }

    /// A column compared with a number: no dispatch for each row.
    fn quick(&self, block: &Block) -> Option<Mask> {
        let Formula::Binary(op, lhs, rhs) = &self.formula else {
            return None;
        };
        let (Formula::Slot(slot), Formula::Literal(literal)) = (&**lhs, &**rhs) else {
            return None;
        };
        let Operand::Field(at) = self.cells[*slot] else {
            return None;
        };
        let Some(column) = &block.columns[at] else {
            return Some(Mask::None);
        };
        if op.is_regex() {
            return None;
        }
        let mut mask: Vec<bool> = match (&column.values, literal) {
            (Values::Float(values), Scalar::Float(_) | Scalar::Integer(_)) => {
                let limit = literal.as_f64()?;
                values
                    .iter()
                    .map(|value| ordered(*op, value, &limit))
                    .collect()
            }
            (Values::Integer(values), Scalar::Integer(limit)) => values
                .iter()
                .map(|value| ordered(*op, value, limit))
                .collect(),
            _ => return None,
        };
        forget_absent(column, &mut mask);
        Some(Mask::Some(mask))
    }
}

fn forget_absent(column: &Column, mask: &mut [bool]) {
    if let Some(present) = &column.present {
        mask.iter_mut()
            .zip(present.iter())
            .for_each(|(taken, present)| *taken &= present);
    }
}

/// Whether a name stands for a field in a comparison.
fn is_field(input: &Input, column: &VarRef) -> bool {
    match column.hint {
        _ if column.name == "_name" => false,
        None => input.schema.fields.contains_key(&column.name),
        Some(TypeHint::Tag) => false,
        Some(_) => true,
    }
}

/// A comparison of a stored measurement's tags as a set of series; `None` if rows have to be
/// tested for it.
fn by_series(input: &Input, op: BinaryOp, lhs: &Expr, rhs: &Expr) -> Option<Filter> {
    let Data::Stored { index, .. } = &input.data else {
        return None;
    };
    let ((Expr::VarRef(column), value) | (value, Expr::VarRef(column))) = (lhs, rhs) else {
        return None;
    };
    if is_field(input, column) {
        return None;
    }
    let negated = !matches!(op, BinaryOp::Eq | BinaryOp::EqRegex);
    if column.name == "_name" {
        let equal = match value {
            Expr::String(text) => text.as_bytes() == input.name,
            Expr::Regex(regex) => regex.is_match(&input.name),
            _ => return None,
        };
        return Some(Filter::Const(equal != negated));
    }
    let key = column.name.as_bytes();
    let values = index.tag_values(key);
    let mut set = vec![false; index.len()];
    // The series whose tag compares as equal; a missing tag counts as an empty text.
    let empty_matches = match value {
        Expr::String(text) => {
            for id in index.with_tag(key, text.as_bytes()) {
                set[id.index()] = true;
            }
            text.is_empty()
        }
        Expr::Regex(regex) => {
            for (_, ids) in values
                .into_iter()
                .flatten()
                .filter(|(text, _)| regex.is_match(text))
            {
                for id in ids {
                    set[id.index()] = true;
                }
            }
            regex.is_match("")
        }
        Expr::VarRef(other) if !is_field(input, other) && other.name != "_name" => {
            if op == BinaryOp::Eq || op == BinaryOp::Neq {
                for id in index.sorted().iter() {
                    let series = index.series(*id);
                    let other = series.tag(other.name.as_bytes());
                    set[id.index()] = series.tag(key) == other;
                }
            }
            return Some(finish(set, negated));
        }
        _ => return None,
    };
    if empty_matches {
        let mut without = vec![true; index.len()];
        for (_, ids) in values.into_iter().flatten() {
            for id in ids {
                without[id.index()] = false;
            }
        }
        set.iter_mut()
            .zip(without)
            .for_each(|(taken, without)| *taken |= without);
    }
    Some(finish(set, negated))
}

fn finish(mut set: Vec<bool>, negated: bool) -> Filter {
    if negated {
        for taken in &mut set {
            *taken = !*taken;
        }
    }
    Filter::Series(set)
}

fn by_rows(expr: &Expr, input: &Input, fields: &mut Fields) -> Result<Filter> {
    let mut cells = Vec::new();
    let formula = formula(expr, &mut |leaf| {
        let Expr::VarRef(column) = leaf else {
            return fail(format!("invalid function call in condition: {leaf}"));
        };
        cells.push(match input.resolve(column) {
            Reference::Field(name, _) => Operand::Field(fields.add(&name)),
            Reference::Tag(key) => Operand::Tag(key),
            Reference::Missing => Operand::Missing,
        });
        Ok(cells.len() - 1)
    })?;
    if cells.is_empty() {
        return Ok(Filter::Const(
            formula.evaluate(Division::Whole, &|_| Value::Null) == Value::Boolean(true),
        ));
    }
    // `7 < u` is tested as `u > 7`.
    let formula = match formula {
        Formula::Binary(op, lhs, rhs)
            if matches!((&*lhs, &*rhs), (Formula::Literal(_), Formula::Slot(_))) =>
        {
            let op = match op {
                BinaryOp::Lt => BinaryOp::Gt,
                BinaryOp::Lte => BinaryOp::Gte,
                BinaryOp::Gt => BinaryOp::Lt,
                BinaryOp::Gte => BinaryOp::Lte,
                same => same,
            };
            Formula::Binary(op, rhs, lhs)
        }
        other => other,
    };
    Ok(Filter::Rows(RowTest { formula, cells }))
}

/// Turns an expression into a formula; `slot` numbers its columns and calls.
pub(super) fn formula(
    expr: &Expr,
    slot: &mut dyn FnMut(&Expr) -> Result<usize>,
) -> Result<Formula> {
    Ok(match expr {
        Expr::Paren(inner) => formula(inner, slot)?,
        Expr::VarRef(_) => Formula::Slot(slot(expr)?),
        Expr::Integer(v) => Formula::Literal(Scalar::Integer(*v)),
        Expr::Unsigned(v) => Formula::Literal(Scalar::Unsigned(*v)),
        Expr::Number(v) => Formula::Literal(Scalar::Float(*v)),
        Expr::Boolean(v) => Formula::Literal(Scalar::Boolean(*v)),
        Expr::String(v) => Formula::Literal(Scalar::String(v.as_bytes().into())),
        Expr::Regex(regex) => Formula::Regex(regex.clone()),
        Expr::Binary { op, lhs, rhs } => {
            let lhs = Box::new(formula(lhs, slot)?);
            Formula::Binary(*op, lhs, Box::new(formula(rhs, slot)?))
        }
        Expr::Call(call) => match Math::named(&call.name) {
            Some(math) => {
                let args: Result<Vec<Formula>> =
                    call.args.iter().map(|arg| formula(arg, slot)).collect();
                Formula::Math(math, args?)
            }
            None => Formula::Slot(slot(expr)?),
        },
        Expr::Duration(_)
        | Expr::Time(_)
        | Expr::Nil
        | Expr::List(_)
        | Expr::Wildcard(_)
        | Expr::Distinct(_) => Formula::Literal(Scalar::Null),
    })
}
