//! The engine's types that this crate speaks of.

pub(crate) use influxd_engine::Engine;
pub(crate) use influxd_engine::query::{
    Context, Limits, Outcome, Output, SeriesHead, StatementError, Stopped, Value, VisibleMapping,
    execute,
};
pub(crate) use influxd_engine::source::ReadError;
pub(crate) use influxd_engine::write::{PartialWrite, WriteError, WriteRequest};
pub(crate) use influxd_line_protocol::{Precision, escape_string};
