//! `SELECT` and what it reads from.

use chrono_tz::Tz;

use super::Expr;
use crate::regex::Regex;

/// A `SELECT` statement, at the top or as a subquery.
#[derive(Debug, Clone, PartialEq)]
pub struct Select {
    /// The field list; never empty when it comes from the parser.
    pub fields: Vec<Field>,
    /// `INTO target`.
    pub into: Option<Target>,
    /// What it reads from; never empty when it comes from the parser.
    pub sources: Vec<Source>,
    /// `WHERE`, with the time comparisons still in it.
    pub condition: Option<Expr>,
    /// `GROUP BY`.
    pub dimensions: Vec<Dimension>,
    /// `fill(...)`; [`Fill::Null`] when not given.
    pub fill: Fill,
    /// `ORDER BY time`, if given.
    pub order: Option<Order>,
    /// `LIMIT`; zero counts as not given.
    pub limit: Option<u64>,
    /// `OFFSET`; zero counts as not given.
    pub offset: Option<u64>,
    /// `SLIMIT`; zero counts as not given.
    pub slimit: Option<u64>,
    /// `SOFFSET`; zero counts as not given.
    pub soffset: Option<u64>,
    /// `tz('...')`.
    pub timezone: Option<Tz>,
}

/// An item of the field list.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// What is selected; a wildcard or a regex stands for several columns.
    pub expr: Expr,
    /// `AS name`; an empty alias counts as none.
    pub alias: Option<String>,
}

/// An item of `GROUP BY`: a tag, a wildcard, a regex, or a call of `time()`. What else it may hold
/// is refused by the check, not by the parser.
pub type Dimension = Expr;

/// Where `SELECT` writes to. An absent part is taken from the context: an absent measurement
/// (`:MEASUREMENT`) is that of the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The database, if named.
    pub database: Option<String>,
    /// The retention policy, if named.
    pub policy: Option<String>,
    /// The measurement; none for `:MEASUREMENT`.
    pub measurement: Option<String>,
}

/// What a `SELECT` reads from.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// A measurement, or all that match a regex.
    Measurement(Measurement),
    /// `(SELECT ...)`
    Subquery(Box<Select>),
}

/// One measurement, or all that match, in a database and retention policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    /// The database, if named.
    pub database: Option<String>,
    /// The retention policy, if named.
    pub policy: Option<String>,
    /// The name or the pattern of names.
    pub name: MeasurementName,
}

/// A name, or a pattern of names.
#[derive(Debug, Clone, PartialEq)]
pub enum MeasurementName {
    /// Exactly this one. Empty for `FROM ""`, which nothing can be read from.
    Name(String),
    /// All that match.
    Regex(Regex),
}

/// What stands in a bucket of time without values (InfluxQL 7.4).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fill {
    /// No value; the default.
    Null,
    /// No row.
    None,
    /// The value before.
    Previous,
    /// A straight line between the neighbours.
    Linear,
    /// This number.
    Number(Number),
}

/// A number as it was written: with a decimal point or without.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// Written without a decimal point.
    Integer(i64),
    /// Written with a decimal point.
    Float(f64),
}

/// In which direction of time the rows come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// Oldest first.
    #[default]
    Ascending,
    /// Newest first.
    Descending,
}

impl Select {
    /// The direction in which the rows come.
    pub fn order(&self) -> Order {
        self.order.unwrap_or_default()
    }

    /// Whether no field holds a call.
    pub fn is_raw(&self) -> bool {
        !self.fields.iter().any(|field| field.expr.has_call())
    }
}

impl Number {
    /// The number as a float.
    pub const fn as_f64(self) -> f64 {
        match self {
            Self::Integer(number) => number as f64,
            Self::Float(number) => number,
        }
    }
}

impl Measurement {
    /// A measurement of the database and retention policy that the context gives.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            database: None,
            policy: None,
            name: MeasurementName::Name(name.into()),
        }
    }
}
