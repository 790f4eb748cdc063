//! How fast commits and polls are on PostgreSQL:
//! `cargo run --release -p influxd-store-postgres --example postgres-figures`.

#[path = "../tests/common/mod.rs"]
mod common;

#[tokio::main]
async fn main() {
    influxd_store::conformance::figures::print(common::fresh().await).await;
}
