//! The types that a field can have.

use std::fmt;

/// The type of a field, fixed per bucket, measurement and shard window (data-endpoints 10.8).
///
/// The discriminants are what the store and the chunks hold: never change them. The order is
/// the precedence by which a query picks one type where windows differ (InfluxQL 5.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum FieldType {
    /// IEEE 754 double.
    Float = 0,
    /// Signed 64-bit integer.
    Integer = 1,
    /// Unsigned 64-bit integer.
    Unsigned = 2,
    /// Bytes, mostly UTF-8.
    String = 3,
    /// True or false.
    Boolean = 4,
}

impl FieldType {
    /// All types, in the order of precedence.
    pub const ALL: [Self; 5] = [
        Self::Float,
        Self::Integer,
        Self::Unsigned,
        Self::String,
        Self::Boolean,
    ];

    /// The type with this stored number.
    pub const fn from_u8(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Float),
            1 => Some(Self::Integer),
            2 => Some(Self::Unsigned),
            3 => Some(Self::String),
            4 => Some(Self::Boolean),
            _ => None,
        }
    }

    /// The word for it in answers and error texts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Float => "float",
            Self::Integer => "integer",
            Self::Unsigned => "unsigned",
            Self::String => "string",
            Self::Boolean => "boolean",
        }
    }

    /// Whether it is one of the three numeric types.
    pub const fn is_numeric(self) -> bool {
        matches!(self, Self::Float | Self::Integer | Self::Unsigned)
    }
}

impl fmt::Display for FieldType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
