//! Types of expressions in the field list (InfluxQL 5.6), once the types of columns are known.
//!
//! The executor knows the schema: it gives columns their types with [`assign_types`], and then asks
//! [`type_of`] each field. Types that do not go together are an error that names the expression.

use crate::ast::{BinaryOp, Call, Expr, TypeHint, VarRef};

/// The type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DataType {
    /// A 64-bit floating point number.
    Float,
    /// A signed 64-bit integer.
    Integer,
    /// An unsigned 64-bit integer.
    Unsigned,
    /// A text.
    String,
    /// `true` or `false`
    Boolean,
    /// The value of a tag: a type of its own, which nothing can be computed with.
    Tag,
}

impl DataType {
    /// How error messages and casts call it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Float => "float",
            Self::Integer => "integer",
            Self::Unsigned => "unsigned",
            Self::String => "string",
            Self::Boolean => "boolean",
            Self::Tag => "tag",
        }
    }

    /// Whether it is float, integer or unsigned.
    pub const fn is_number(self) -> bool {
        matches!(self, Self::Float | Self::Integer | Self::Unsigned)
    }

    /// Whether `function(*)` includes columns of this type (InfluxQL 5.3).
    pub fn is_expanded_by(self, function: &str) -> bool {
        match function {
            "count" | "first" | "last" | "distinct" | "elapsed" | "mode" | "sample" => {
                self != Self::Tag
            }
            "min" | "max" => self.is_number() || self == Self::Boolean,
            "holt_winters" | "holt_winters_with_fit" => {
                matches!(self, Self::Float | Self::Integer)
            }
            _ => self.is_number(),
        }
    }
}

impl From<DataType> for TypeHint {
    fn from(data_type: DataType) -> Self {
        match data_type {
            DataType::Float => Self::Float,
            DataType::Integer => Self::Integer,
            DataType::Unsigned => Self::Unsigned,
            DataType::String => Self::String,
            DataType::Boolean => Self::Boolean,
            DataType::Tag => Self::Tag,
        }
    }
}

/// Two operands whose types do not go together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("type error: {expr}: {reason}")]
pub struct TypeError {
    expr: String,
    reason: String,
}

/// Gives every column without a cast, or with `::field`, its type. `column` tells it by the
/// reference; a column that does not exist has none, and stays as it is.
pub fn assign_types(expr: &mut Expr, column: &dyn Fn(&VarRef) -> Option<DataType>) {
    match expr {
        Expr::VarRef(reference) if matches!(reference.hint, None | Some(TypeHint::Field)) => {
            if let Some(found) = column(reference) {
                reference.hint = Some(found.into());
            }
        }
        Expr::Binary { lhs, rhs, .. } => {
            assign_types(lhs, column);
            assign_types(rhs, column);
        }
        Expr::Paren(inner) => assign_types(inner, column),
        Expr::Call(call) => call
            .args
            .iter_mut()
            .for_each(|arg| assign_types(arg, column)),
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
        | Expr::List(_) => {}
    }
}

/// The type of an expression whose columns have their types; none where it is not known, as for a
/// column that does not exist.
pub fn type_of(expr: &Expr) -> Result<Option<DataType>, TypeError> {
    Ok(match expr {
        Expr::VarRef(reference) => match reference.hint {
            Some(TypeHint::Float) => Some(DataType::Float),
            Some(TypeHint::Integer) => Some(DataType::Integer),
            Some(TypeHint::Unsigned) => Some(DataType::Unsigned),
            Some(TypeHint::String) => Some(DataType::String),
            Some(TypeHint::Boolean) => Some(DataType::Boolean),
            Some(TypeHint::Tag) => Some(DataType::Tag),
            Some(TypeHint::Field) | None => None,
        },
        Expr::Integer(_) => Some(DataType::Integer),
        Expr::Unsigned(_) => Some(DataType::Unsigned),
        Expr::Number(_) => Some(DataType::Float),
        Expr::String(_) => Some(DataType::String),
        Expr::Boolean(_) => Some(DataType::Boolean),
        Expr::Paren(inner) => type_of(inner)?,
        Expr::Call(call) => call_type(call)?,
        Expr::Binary { op, lhs, rhs } => binary_type(expr, *op, lhs, rhs)?,
        Expr::Wildcard(_)
        | Expr::Regex(_)
        | Expr::Distinct(_)
        | Expr::Duration(_)
        | Expr::Time(_)
        | Expr::Nil
        | Expr::List(_) => None,
    })
}

fn call_type(call: &Call) -> Result<Option<DataType>, TypeError> {
    let mut first = None;
    for (index, argument) in call.args.iter().enumerate() {
        let found = type_of(argument)?;
        if index == 0 {
            first = found;
        }
    }
    Ok(match call.name.as_str() {
        "count" | "elapsed" => Some(DataType::Integer),
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
        | "cumulative_sum"
        | "abs"
        | "floor"
        | "ceil"
        | "round" => first,
        _ => Some(DataType::Float),
    })
}

fn binary_type(
    expr: &Expr,
    op: BinaryOp,
    lhs: &Expr,
    rhs: &Expr,
) -> Result<Option<DataType>, TypeError> {
    let (left, right) = (type_of(lhs)?, type_of(rhs)?);
    let refused = |reason: String| {
        Err(TypeError {
            expr: expr.to_string(),
            reason,
        })
    };
    let (unsigned, integer) = match (left, right) {
        (Some(DataType::Unsigned), Some(DataType::Integer)) => (Some(lhs), Some(rhs)),
        (Some(DataType::Integer), Some(DataType::Unsigned)) => (Some(rhs), Some(lhs)),
        _ => (None, None),
    };
    if unsigned.is_some_and(Expr::is_literal) {
        return refused(format!(
            "cannot use {} with an integer and unsigned literal",
            op.symbol()
        ));
    }
    if integer.is_some_and(|integer| !integer.is_literal()) {
        return refused(format!(
            "cannot use {} between an integer and unsigned, an explicit cast is required",
            op.symbol()
        ));
    }
    let (Some(left), Some(right)) = (left, right) else {
        return Ok(left.or(right));
    };
    match result(op, left, right) {
        Some(found) => Ok(Some(found)),
        None => refused(format!(
            "incompatible types: {} and {}",
            left.as_str(),
            right.as_str()
        )),
    }
}

/// What type two types come to, if they go together.
fn result(op: BinaryOp, left: DataType, right: DataType) -> Option<DataType> {
    use DataType as T;
    if op.is_comparison() || op.is_logical() {
        return Some(T::Boolean);
    }
    let bitwise = matches!(op, BinaryOp::BitAnd | BinaryOp::BitOr | BinaryOp::BitXor);
    match (left, right) {
        (T::Boolean, T::Boolean) if bitwise => Some(T::Boolean),
        (T::Integer, T::Integer) if op == BinaryOp::Div => Some(T::Float),
        (T::Integer, T::Integer) => Some(T::Integer),
        (T::Unsigned | T::Integer, T::Unsigned | T::Integer) => Some(T::Unsigned),
        (left, right) if left.is_number() && right.is_number() && !bitwise => Some(T::Float),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ast::Statement;
    use crate::parse_query;

    /// Columns are called by the first letter of their types; `host` is a tag.
    fn field_type(field: &str) -> Result<Option<DataType>, String> {
        let text = format!("SELECT {field} FROM m");
        let statement = parse_query(&text, None).unwrap().remove(0);
        let Statement::Select(mut select) = statement else {
            panic!("{statement:?}")
        };
        let expr = &mut select.fields[0].expr;
        assign_types(expr, &|column| match column.name.as_str() {
            "f" => Some(DataType::Float),
            "i" => Some(DataType::Integer),
            "u" => Some(DataType::Unsigned),
            "s" => Some(DataType::String),
            "b" => Some(DataType::Boolean),
            "host" => Some(DataType::Tag),
            _ => None,
        });
        type_of(expr).map_err(|error| error.to_string())
    }

    #[test]
    fn types_that_go_together_have_a_result() {
        use DataType as T;
        for (field, expected) in [
            ("f", Some(T::Float)),
            ("i + i", Some(T::Integer)),
            ("i / i", Some(T::Float)),
            ("i % 3", Some(T::Integer)),
            ("u / u", Some(T::Unsigned)),
            ("u + -1", Some(T::Unsigned)),
            ("u * 1.5", Some(T::Float)),
            ("f + u", Some(T::Float)),
            ("b & true", Some(T::Boolean)),
            ("nosuch + i", Some(T::Integer)),
            ("nosuch", None),
            ("s::float", Some(T::Float)),
            ("mean(i)", Some(T::Float)),
            ("count(s) & 1", Some(T::Integer)),
            ("max(i) - min(i)", Some(T::Integer)),
            ("derivative(i)", Some(T::Float)),
            ("floor(i)", Some(T::Integer)),
            ("sqrt(i)", Some(T::Float)),
        ] {
            assert_eq!(field_type(field), Ok(expected), "{field}");
        }
    }

    #[test]
    fn types_that_do_not_are_refused() {
        for (field, message) in [
            (
                "s + 1",
                "s::string + 1: incompatible types: string and integer",
            ),
            (
                "s + s",
                "s::string + s::string: incompatible types: string and string",
            ),
            (
                "-s",
                "-1 * s::string: incompatible types: integer and string",
            ),
            (
                "b + 1",
                "b::boolean + 1: incompatible types: boolean and integer",
            ),
            (
                "f & 1",
                "f::float & 1: incompatible types: float and integer",
            ),
            (
                "host + 1",
                "host::tag + 1: incompatible types: tag and integer",
            ),
            (
                "mean(f) + 'x'",
                "mean(f::float) + 'x': incompatible types: float and string",
            ),
            (
                "count(s) + max(b)",
                "count(s::string) + max(b::boolean): incompatible types: integer and boolean",
            ),
            (
                "i - u",
                "i::integer - u::unsigned: cannot use - between an integer and unsigned, an explicit cast is required",
            ),
            (
                "i + 18446744073709551615",
                "i::integer + 18446744073709551615: cannot use + with an integer and unsigned literal",
            ),
        ] {
            assert_eq!(
                field_type(field),
                Err(format!("type error: {message}")),
                "{field}"
            );
        }
    }

    #[test]
    fn wildcards_take_the_columns_that_suit_the_function() {
        assert!(DataType::String.is_expanded_by("count"));
        assert!(!DataType::Tag.is_expanded_by("count"));
        assert!(DataType::Boolean.is_expanded_by("max"));
        assert!(!DataType::Boolean.is_expanded_by("mean"));
        assert!(!DataType::Unsigned.is_expanded_by("holt_winters"));
    }
}
