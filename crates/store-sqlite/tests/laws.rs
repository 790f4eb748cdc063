//! The laws of every store, on SQLite.

mod common;

influxd_store::conformance!(common::fresh);
