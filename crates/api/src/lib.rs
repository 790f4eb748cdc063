//! The HTTP interface: InfluxDB's `/api/v2`, and its 1.x endpoints `/write` and `/query`.
//!
//! A request passes the gate (`gate.rs`), which finds out who sent it and lays out what comes
//! back, then the handler of its route (`routes.rs` lists them; a file per endpoint). Handlers
//! translate between the wire and the services below: [`influxd_tokens`] for credentials,
//! [`influxd_engine`] for points, [`influxd_store`] for resources. Rules live there or in the
//! model; here live names, texts, shapes and limits of the contract.
//!
//! [`start`] binds and serves; [`Running`] stops.

mod address;
mod bind;
mod body;
mod caller;
mod compress;
mod directory;
mod error;
mod gate;
mod inflate;
mod json;
mod permit;
mod points;
mod query_string;
mod redact;
mod refused;
mod reply;
mod routes;
mod server;
mod state;
mod system;
#[cfg(test)]
mod tests;
mod text;
mod time;
mod v1;
mod v2;
mod zone;

pub use server::{EndpointsConfig, InfluxqlConfig, Running, ServerConfig, Services, start};
pub use system::readiness::Readiness;
pub use v2::flags::FEATURE_FLAGS;
