//! The laws of every store, on PostgreSQL, with two servers on one database.

mod common;

influxd_store::conformance!(common::fresh);
