//! The abstract syntax of InfluxQL (section 2 of the contract).
//!
//! Every node prints as InfluxDB's own printer does, since its text is part of error messages
//! (`type error: s::string + 1: ...`) and of `EXPLAIN`.

mod expr;
mod print;
mod print_statement;
mod select;
mod statement;

pub use expr::{BinaryOp, Call, Expr, TypeHint, VarRef, Wildcard};
pub(crate) use print::quote_segments;
pub use print::{format_duration, quote_ident, quote_string};
pub use select::{
    Dimension, Field, Fill, Measurement, MeasurementName, Number, Order, Select, Source, Target,
};
pub use statement::{
    AlterRetentionPolicy, Cardinality, CardinalityKind, CreateContinuousQuery, CreateDatabase,
    CreateRetentionPolicy, CreateSubscription, CreateUser, Delete, Destinations, DropSeries,
    Explain, Grant, Name, Password, Privilege, Revoke, SetPassword, ShowFieldKeys,
    ShowMeasurements, ShowSeries, ShowTagKeys, ShowTagValues, Statement, WithKey,
};
