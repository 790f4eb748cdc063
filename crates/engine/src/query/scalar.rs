//! Cells that outlive the block they were read from, and casts between field types (InfluxQL 5.5).

use std::cmp::Ordering;
use std::sync::Arc;

use influxd_model::FieldType;

use super::output::Value;
use crate::chunk::{self, Column, Values};

/// An owned cell.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) enum Scalar {
    #[default]
    Null,
    Float(f64),
    Integer(i64),
    Unsigned(u64),
    Boolean(bool),
    String(Arc<[u8]>),
}

impl Scalar {
    /// The cell as a value that borrows from it.
    pub(super) fn value(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Float(v) => Value::Float(*v),
            Self::Integer(v) => Value::Integer(*v),
            Self::Unsigned(v) => Value::Unsigned(*v),
            Self::Boolean(v) => Value::Boolean(*v),
            Self::String(v) => Value::String(v),
        }
    }

    pub(super) const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The cell as a number; `None` for what is none.
    pub(super) fn as_f64(&self) -> Option<f64> {
        number(self.value())
    }
}

impl From<Value<'_>> for Scalar {
    fn from(value: Value<'_>) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Float(v) => Self::Float(v),
            Value::Integer(v) | Value::Time(v) => Self::Integer(v),
            Value::Unsigned(v) => Self::Unsigned(v),
            Value::Boolean(v) => Self::Boolean(v),
            Value::String(v) => Self::String(v.into()),
        }
    }
}

/// A value as a float; `None` for what is no number.
pub(super) const fn number(value: Value<'_>) -> Option<f64> {
    match value {
        Value::Float(v) => Some(v),
        Value::Integer(v) => Some(v as f64),
        Value::Unsigned(v) => Some(v as f64),
        Value::Null | Value::Boolean(_) | Value::String(_) | Value::Time(_) => None,
    }
}

/// The cell of a column; null where it is absent.
pub(super) fn cell(column: &Column, row: usize) -> Value<'_> {
    match column.get(row) {
        None => Value::Null,
        Some(chunk::Value::Float(v)) => Value::Float(v),
        Some(chunk::Value::Integer(v)) => Value::Integer(v),
        Some(chunk::Value::Unsigned(v)) => Value::Unsigned(v),
        Some(chunk::Value::Boolean(v)) => Value::Boolean(v),
        Some(chunk::Value::String(v)) => Value::String(v),
    }
}

/// Appends a value to a column of the same type; anything else becomes an absent one.
pub(super) fn push(column: &mut Column, value: Value<'_>) {
    let value = match value {
        Value::Float(v) if !v.is_nan() => chunk::Value::Float(v),
        Value::Integer(v) => chunk::Value::Integer(v),
        Value::Unsigned(v) => chunk::Value::Unsigned(v),
        Value::Boolean(v) => chunk::Value::Boolean(v),
        Value::String(v) => chunk::Value::String(v),
        Value::Null | Value::Float(_) | Value::Time(_) => return column.push_absent(),
    };
    if value.field_type() == column.field_type() {
        column.push(value);
    } else {
        column.push_absent();
    }
}

/// Orders two cells of one type: numbers by size, false before true, texts by bytes.
pub(super) fn compare(a: Value<'_>, b: Value<'_>) -> Ordering {
    match (a, b) {
        (Value::Float(a), Value::Float(b)) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
        (Value::Integer(a), Value::Integer(b)) => a.cmp(&b),
        (Value::Unsigned(a), Value::Unsigned(b)) => a.cmp(&b),
        (Value::Boolean(a), Value::Boolean(b)) => a.cmp(&b),
        (Value::String(a), Value::String(b)) => a.cmp(b),
        _ => Ordering::Equal,
    }
}

/// A float cut to an integer; what does not fit becomes the smallest one.
pub(super) const fn float_to_integer(v: f64) -> i64 {
    if v >= -9_223_372_036_854_775_808.0 && v < 9_223_372_036_854_775_808.0 {
        v as i64
    } else {
        i64::MIN
    }
}

/// A float cut to an unsigned integer; negative ones wrap, what does not fit becomes 2^63.
pub(super) const fn float_to_unsigned(v: f64) -> u64 {
    if v >= 9_223_372_036_854_775_808.0 && v < 18_446_744_073_709_551_616.0 {
        v as u64
    } else {
        float_to_integer(v) as u64
    }
}

/// A column as another field type; `None` where the types do not convert.
pub(super) fn cast_column(column: Column, to: FieldType) -> Option<Column> {
    if column.field_type() == to {
        return Some(column);
    }
    let values = match (&column.values, to) {
        (Values::Integer(v), FieldType::Float) => {
            Values::Float(v.iter().map(|v| *v as f64).collect())
        }
        (Values::Unsigned(v), FieldType::Float) => {
            Values::Float(v.iter().map(|v| *v as f64).collect())
        }
        (Values::Float(v), FieldType::Integer) => {
            Values::Integer(v.iter().map(|v| float_to_integer(*v)).collect())
        }
        (Values::Unsigned(v), FieldType::Integer) => {
            Values::Integer(v.iter().map(|v| *v as i64).collect())
        }
        (Values::Float(v), FieldType::Unsigned) => {
            Values::Unsigned(v.iter().map(|v| float_to_unsigned(*v)).collect())
        }
        (Values::Integer(v), FieldType::Unsigned) => {
            Values::Unsigned(v.iter().map(|v| *v as u64).collect())
        }
        _ => return None,
    };
    Some(Column {
        values,
        present: column.present,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cast(values: Values, to: FieldType) -> Option<Values> {
        cast_column(Column::from(values), to).map(|column| column.values)
    }

    #[test]
    fn floats_out_of_range_become_the_smallest_integer() {
        assert_eq!(
            cast(Values::Float(vec![1e20, -1.9]), FieldType::Integer),
            Some(Values::Integer(vec![i64::MIN, -1]))
        );
        assert_eq!(
            cast(Values::Float(vec![1e20, -1.9, 1e19]), FieldType::Unsigned),
            Some(Values::Unsigned(vec![1 << 63, u64::MAX, 10_u64.pow(19)]))
        );
    }

    #[test]
    fn texts_and_booleans_convert_to_nothing_else() {
        assert_eq!(cast(Values::Boolean(vec![true]), FieldType::Integer), None);
        assert_eq!(cast(Values::Integer(vec![1]), FieldType::String), None);
    }
}
