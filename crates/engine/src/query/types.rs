//! What is known of the columns of a query's sources, and the types of expressions (InfluxQL 5.5, 5.6).

use std::collections::{BTreeMap, BTreeSet};

use influxd_influxql::ast::{BinaryOp, Call, Expr, TypeHint, VarRef};
use influxd_model::FieldType;

use super::StatementError;
use super::math::Math;

/// The type of a column or an expression, in the order of precedence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Type {
    Field(FieldType),
    Time,
    Duration,
    Tag,
}

impl Type {
    /// The word for it in error texts.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Field(field) => field.name(),
            Self::Time => "time",
            Self::Duration => "duration",
            Self::Tag => "tag",
        }
    }

    /// The type of the cells of such a column.
    pub(super) const fn cells(self) -> FieldType {
        match self {
            Self::Field(field) => field,
            Self::Time | Self::Duration => FieldType::Integer,
            Self::Tag => FieldType::String,
        }
    }

    const fn hint(self) -> Option<TypeHint> {
        match self {
            Self::Field(FieldType::Float) => Some(TypeHint::Float),
            Self::Field(FieldType::Integer) => Some(TypeHint::Integer),
            Self::Field(FieldType::Unsigned) => Some(TypeHint::Unsigned),
            Self::Field(FieldType::String) => Some(TypeHint::String),
            Self::Field(FieldType::Boolean) => Some(TypeHint::Boolean),
            Self::Tag => Some(TypeHint::Tag),
            Self::Time | Self::Duration => None,
        }
    }
}

/// The type that a cast names; `None` for `::field`, which names none.
pub(super) const fn hinted(hint: TypeHint) -> Option<Type> {
    Some(match hint {
        TypeHint::Float => Type::Field(FieldType::Float),
        TypeHint::Integer => Type::Field(FieldType::Integer),
        TypeHint::Unsigned => Type::Field(FieldType::Unsigned),
        TypeHint::String => Type::Field(FieldType::String),
        TypeHint::Boolean => Type::Field(FieldType::Boolean),
        TypeHint::Tag => Type::Tag,
        TypeHint::Field => return None,
    })
}

/// The columns of a source, or of several together.
#[derive(Debug, Clone, Default)]
pub(super) struct Schema {
    /// Fields, and the columns of a subquery; of several types the one that precedes.
    pub(super) fields: BTreeMap<String, Type>,
    /// Tag keys, and the dimensions of a subquery.
    pub(super) tags: BTreeSet<String>,
}

impl Schema {
    /// Notes a field; where it is known already the preceding type stays.
    pub(super) fn add_field(&mut self, name: String, field_type: Type) {
        let known = self.fields.entry(name).or_insert(field_type);
        *known = (*known).min(field_type);
    }

    /// Joins another source's columns to these.
    pub(super) fn merge(&mut self, other: &Self) {
        for (name, field_type) in &other.fields {
            self.add_field(name.clone(), *field_type);
        }
        self.tags.extend(other.tags.iter().cloned());
    }

    /// The type of a column; a field goes before a tag.
    pub(super) fn type_of(&self, column: &VarRef) -> Option<Type> {
        match column.hint {
            Some(TypeHint::Field) => self.fields.get(&column.name).copied(),
            Some(hint) => hinted(hint),
            None => self
                .fields
                .get(&column.name)
                .copied()
                .or_else(|| self.tags.contains(&column.name).then_some(Type::Tag)),
        }
    }

    /// Writes the type of each column behind its name.
    pub(super) fn annotate(&self, expr: &mut Expr) {
        match expr {
            Expr::VarRef(column) => {
                if matches!(column.hint, None | Some(TypeHint::Field))
                    && let Some(hint) = self.type_of(column).and_then(Type::hint)
                {
                    column.hint = Some(hint);
                }
            }
            Expr::Binary { lhs, rhs, .. } => {
                self.annotate(lhs);
                self.annotate(rhs);
            }
            Expr::Paren(inner) => self.annotate(inner),
            Expr::Call(call) => call.args.iter_mut().for_each(|arg| self.annotate(arg)),
            Expr::Distinct(name) => {
                let mut column = Expr::var(std::mem::take(name));
                self.annotate(&mut column);
                *expr = Expr::Call(Call {
                    name: "distinct".to_owned(),
                    args: vec![column],
                });
            }
            Expr::Wildcard(_)
            | Expr::Regex(_)
            | Expr::Integer(_)
            | Expr::Unsigned(_)
            | Expr::Number(_)
            | Expr::String(_)
            | Expr::Duration(_)
            | Expr::Boolean(_)
            | Expr::Time(_)
            | Expr::Nil
            | Expr::List(_) => {}
        }
    }

    /// The type of an expression; `None` when it has an unknown column.
    pub(super) fn evaluate(&self, expr: &Expr) -> Result<Option<Type>, StatementError> {
        Ok(match expr {
            Expr::VarRef(column) => self.type_of(column),
            Expr::Paren(inner) => self.evaluate(inner)?,
            Expr::Call(call) => self.call(call)?,
            Expr::Distinct(name) => self.type_of(&VarRef::new(name.clone())),
            Expr::Integer(_) => Some(Type::Field(FieldType::Integer)),
            Expr::Unsigned(_) => Some(Type::Field(FieldType::Unsigned)),
            Expr::Number(_) => Some(Type::Field(FieldType::Float)),
            Expr::String(_) => Some(Type::Field(FieldType::String)),
            Expr::Boolean(_) => Some(Type::Field(FieldType::Boolean)),
            Expr::Duration(_) => Some(Type::Duration),
            Expr::Time(_) => Some(Type::Time),
            Expr::Binary { op, lhs, rhs } => self.binary(expr, *op, lhs, rhs)?,
            Expr::Wildcard(_) | Expr::Regex(_) | Expr::Nil | Expr::List(_) => None,
        })
    }

    fn call(&self, call: &Call) -> Result<Option<Type>, StatementError> {
        let float = Some(Type::Field(FieldType::Float));
        let argument = match call.args.first() {
            Some(argument) => self.evaluate(argument)?,
            None => None,
        };
        for other in call.args.iter().skip(1) {
            self.evaluate(other)?;
        }
        if let Some(math) = Math::named(&call.name) {
            return Ok(if math.keeps_type() { argument } else { float });
        }
        Ok(match call.name.as_str() {
            "count" | "elapsed" => Some(Type::Field(FieldType::Integer)),
            "first"
            | "last"
            | "min"
            | "max"
            | "sum"
            | "mode"
            | "spread"
            | "percentile"
            | "sample"
            | "top"
            | "bottom"
            | "distinct"
            | "difference"
            | "non_negative_difference"
            | "cumulative_sum" => argument,
            _ => float,
        })
    }

    fn binary(
        &self,
        expr: &Expr,
        op: BinaryOp,
        lhs: &Expr,
        rhs: &Expr,
    ) -> Result<Option<Type>, StatementError> {
        use FieldType::{Boolean, Float, Integer, Unsigned};
        let fail = |reason: String| {
            Err(StatementError::Text(format!(
                "type error: {expr}: {reason}"
            )))
        };
        let left = self.evaluate(lhs)?;
        let right = self.evaluate(rhs)?;
        let mixed = match (left, right) {
            (Some(Type::Field(Unsigned)), Some(Type::Field(Integer))) => Some((lhs, rhs)),
            (Some(Type::Field(Integer)), Some(Type::Field(Unsigned))) => Some((rhs, lhs)),
            _ => None,
        };
        if let Some((unsigned, integer)) = mixed
            && !integer.unparen().is_literal()
        {
            return fail(if unsigned.unparen().is_literal() {
                format!(
                    "cannot use {} with an integer and unsigned literal",
                    op.symbol()
                )
            } else {
                format!(
                    "cannot use {} between an integer and unsigned, an explicit cast is required",
                    op.symbol()
                )
            });
        }
        let (Some(left), Some(right)) = (left, right) else {
            return Ok(left.or(right));
        };
        let whole = matches!(op, BinaryOp::BitAnd | BinaryOp::BitOr | BinaryOp::BitXor);
        let result = match (left, right) {
            (Type::Field(Boolean), Type::Field(Boolean)) if whole => Some(Boolean),
            (Type::Field(a), Type::Field(b)) if a.is_numeric() && b.is_numeric() => {
                if a == Float || b == Float {
                    (!whole).then_some(Float)
                } else if a == Unsigned || b == Unsigned {
                    Some(Unsigned)
                } else if op == BinaryOp::Div {
                    Some(Float)
                } else {
                    Some(Integer)
                }
            }
            _ => None,
        };
        match result {
            Some(result) => Ok(Some(Type::Field(result))),
            None => fail(format!(
                "incompatible types: {} and {}",
                left.name(),
                right.name()
            )),
        }
    }
}
