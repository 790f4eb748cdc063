//! How fast commits and polls are on SQLite:
//! `cargo run --release -p influxd-store-sqlite --example sqlite-figures`.

#[path = "../tests/common/mod.rs"]
mod common;

#[tokio::main]
async fn main() {
    influxd_store::conformance::figures::print(common::fresh().await).await;
}
