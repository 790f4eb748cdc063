//! What executing a statement produces, row by row.

use influxd_model::FieldType;

/// A cell of a result.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// No value.
    Null,
    /// A float; NaN prints as null.
    Float(f64),
    /// A signed integer.
    Integer(i64),
    /// An unsigned integer.
    Unsigned(u64),
    /// True or false.
    Boolean(bool),
    /// Text; bytes that are not UTF-8 are replaced on the way out.
    String(&'a [u8]),
    /// An instant, nanoseconds since 1970; only in the first column.
    Time(i64),
}

impl Value<'_> {
    /// The field type of a value; `None` for null and time.
    pub const fn field_type(&self) -> Option<FieldType> {
        match self {
            Self::Null | Self::Time(_) => None,
            Self::Float(_) => Some(FieldType::Float),
            Self::Integer(_) => Some(FieldType::Integer),
            Self::Unsigned(_) => Some(FieldType::Unsigned),
            Self::Boolean(_) => Some(FieldType::Boolean),
            Self::String(_) => Some(FieldType::String),
        }
    }
}

/// What stands above the rows of a result series. Names and values may be any bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SeriesHead {
    /// The measurement, or what a SHOW statement calls its rows; `None`: no name.
    pub name: Option<Vec<u8>>,
    /// The GROUP BY tags, sorted by key; `None` without GROUP BY tags.
    pub tags: Option<Vec<(Vec<u8>, Vec<u8>)>>,
    /// The columns' names.
    pub columns: Vec<String>,
    /// The offset of a `tz()` clause: times are to be printed in this zone.
    pub zone: Option<chrono_tz::Tz>,
}

/// Whoever takes the rows went away; the statement stops at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped;

/// Takes the rows of one statement, as they are found.
pub trait Output {
    /// The rows that follow belong to this series. A head equal to the one before continues it.
    fn begin_series(&mut self, head: SeriesHead) -> Result<(), Stopped>;
    /// One row, as long as the head's columns.
    fn row(&mut self, row: &[Value<'_>]) -> Result<(), Stopped>;
}
