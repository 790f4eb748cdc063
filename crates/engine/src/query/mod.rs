//! Executing InfluxQL.

mod output;

pub use output::{Output, SeriesHead, Stopped, Value};
