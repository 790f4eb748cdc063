//! How fast commits and polls are on PostgreSQL, or with `lists` look-ups and pages of lists:
//! `cargo run --release -p influxd-store-postgres --example postgres-figures [lists]`.

#[path = "../tests/common/mod.rs"]
mod common;

use influxd_store::conformance::{figures, list_figures};

#[tokio::main]
async fn main() {
    let subject = common::fresh().await;
    if std::env::args().nth(1).as_deref() == Some("lists") {
        list_figures::print(subject).await;
    } else {
        figures::print(subject).await;
    }
}
