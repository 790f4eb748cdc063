//! An empty store to try things on.
#![expect(
    clippy::unwrap_used,
    reason = "tests end by panicking, and so do their helpers"
)]

use std::sync::Arc;

use influxd_store::conformance::Subject;
use influxd_store_sqlite::{SqliteOptions, SqliteStore};

/// An empty store.
pub(crate) async fn fresh() -> Subject {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteOptions::new(folder.path().join("influxd.sqlite"));
    let store = SqliteStore::open(options).await.unwrap();
    store.lock_for_serving().unwrap();
    // One server per file: the other one is the same one.
    let (chunks, other_store, other_chunks) =
        (Arc::clone(&store), Arc::clone(&store), Arc::clone(&store));
    Subject {
        store,
        chunks,
        other_store,
        other_chunks,
        keep: Box::new(folder),
    }
}
