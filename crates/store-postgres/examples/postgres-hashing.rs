//! How fast raw tokens become digests and are scrubbed:
//! `cargo run --release -p influxd-store-postgres --example postgres-hashing [COUNT [BATCH]]`.

#[path = "../tests/common/mod.rs"]
mod common;

#[tokio::main]
async fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|n| n.parse().ok());
    let count = numbers.next().unwrap_or(100_000);
    let batch = numbers.next().and_then(|n| u32::try_from(n).ok());
    let batch = batch.unwrap_or(1_000);
    influxd_store::conformance::hashing::print(common::fresh().await, count, batch).await;
}
