//! The endpoints that InfluxDB 1.x had.

pub(crate) mod query;
pub(crate) mod write;
