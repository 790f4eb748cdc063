//! Points on their way from the states of a group to its rows.

use super::scalar::Scalar;

/// A value of a call, and the cells that came with it.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Point {
    /// Nanoseconds since 1970.
    pub(super) time: i64,
    /// The value; null where there is a row but no value.
    pub(super) value: Scalar,
    /// The cells of the other selected columns at that point; empty where none are selected.
    pub(super) aux: Vec<Scalar>,
}

impl Point {
    /// A point without further cells.
    pub(super) const fn new(time: i64, value: Scalar) -> Self {
        Self {
            time,
            value,
            aux: Vec::new(),
        }
    }
}

/// Points in the order of the query.
pub(super) type Points<'a> = Box<dyn Iterator<Item = Point> + 'a>;
