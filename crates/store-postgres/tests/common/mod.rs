//! An empty store to try things on.
#![expect(
    clippy::unwrap_used,
    reason = "tests end by panicking, and so do their helpers"
)]

use std::sync::Arc;

use influxd_store::conformance::Subject;
use influxd_store_postgres::scratch::ScratchCluster;
use influxd_store_postgres::{PostgresOptions, PostgresStore};

/// An empty store.
pub(crate) async fn fresh() -> Subject {
    let cluster = ScratchCluster::shared().unwrap();
    let mut options = PostgresOptions::new(cluster.create_database().await.unwrap());
    options.max_connections = 8;
    // Both bring the schema up to date at the same time.
    let (one, two) = tokio::join!(
        PostgresStore::open(options.clone()),
        PostgresStore::open(options)
    );
    let (store, other_store) = (one.unwrap(), two.unwrap());
    let (chunks, other_chunks) = (Arc::clone(&store), Arc::clone(&other_store));
    Subject {
        store,
        chunks,
        other_store,
        other_chunks,
        keep: Box::new(cluster),
    }
}
