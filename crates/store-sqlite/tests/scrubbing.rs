//! What is left of tokens in the files once they are hashed, and what scrubbing takes.
#![expect(
    clippy::unwrap_used,
    reason = "tests end by panicking, and so do their helpers"
)]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use influxd_store::Store;
use influxd_store::conformance::traces::{Traces, hash, live};
use influxd_store_sqlite::{SqliteOptions, SqliteStore};
use sqlx::{Connection, Executor, Row, SqliteConnection};

async fn open(folder: &Path) -> Arc<SqliteStore> {
    let options = SqliteOptions {
        scrub_patience: Duration::from_millis(500),
        ..SqliteOptions::new(folder.join("influxd.sqlite"))
    };
    SqliteStore::open(options).await.unwrap()
}

/// What a process that is killed leaves: the file and its log as they are at this moment.
fn copy(from: &Path, to: &Path) {
    for name in ["influxd.sqlite", "influxd.sqlite-wal"] {
        std::fs::copy(from.join(name), to.join(name)).unwrap();
    }
}

async fn nothing_is_left_of(count: u64) {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let secrets = live(&*store, count).await;
    let traces = Traces::new(&secrets);
    let before = traces.in_folder(folder.path(), &[]).unwrap();
    let most = before.iter().map(|(_, found)| *found).max();
    assert!(most > Some(count as usize / 2), "{before:?}");
    hash(&*store, 100).await;

    let killed = tempfile::tempdir().unwrap();
    copy(folder.path(), killed.path());

    let scrubbed = store.scrub(false).await.unwrap();
    assert!(scrubbed.ran);
    assert_eq!(scrubbed.remains, [""; 0]);
    assert_eq!(traces.in_folder(folder.path(), &[]).unwrap(), []);
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let mode = file.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    assert!(!store.scrub(false).await.unwrap().ran);
    store.close().await;
    assert_eq!(traces.in_folder(folder.path(), &[]).unwrap(), []);

    let again = open(killed.path()).await;
    let left = traces.in_folder(killed.path(), &[]).unwrap();
    assert!(!left.is_empty());
    assert!(again.scrub(false).await.unwrap().ran);
    assert_eq!(traces.in_folder(killed.path(), &[]).unwrap(), []);
}

#[tokio::test]
async fn nothing_is_left_of_1_000_tokens() {
    nothing_is_left_of(1_000).await;
}

#[tokio::test]
async fn nothing_is_left_of_10_000_tokens() {
    nothing_is_left_of(10_000).await;
}

#[tokio::test]
async fn while_somebody_reads_the_log_it_cannot_be_emptied() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let traces = Traces::new(&live(&*store, 200).await);
    let mut reader = store.begin_read().await.unwrap();
    reader.users().is_empty().await.unwrap();
    hash(&*store, 100).await;
    let scrubbed = store.scrub(false).await.unwrap();
    assert!(scrubbed.ran);
    assert_eq!(scrubbed.remains.len(), 1);
    let name = "influxd.sqlite-wal";
    assert!(scrubbed.remains[0].contains(name), "{scrubbed:?}");
    // Writing goes on, and so does the next scrub where this one has ended.
    hash(&*store, 100).await;
    drop(reader);
    let scrubbed = store.scrub(false).await.unwrap();
    assert!(scrubbed.ran);
    assert_eq!(scrubbed.remains, [""; 0]);
    assert_eq!(traces.in_folder(folder.path(), &[]).unwrap(), []);
}

#[tokio::test]
async fn a_scrub_leaves_the_schema_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let path = folder.path().join("influxd.sqlite");
    let mut conn = SqliteConnection::connect(path.to_str().unwrap())
        .await
        .unwrap();
    let mut schema = async || {
        let rows = conn
            .fetch_all("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name")
            .await
            .unwrap();
        let rows: Vec<[Option<String>; 4]> = rows
            .iter()
            .map(|row| [row.get(0), row.get(1), row.get(2), row.get(3)])
            .collect();
        let sound = conn.fetch_one("PRAGMA integrity_check").await.unwrap();
        assert_eq!(sound.get::<String, _>(0), "ok");
        let broken = conn.fetch_all("PRAGMA foreign_key_check").await.unwrap();
        assert!(broken.is_empty());
        rows
    };
    let before = schema().await;
    live(&*store, 100).await;
    for _ in 0..2 {
        store.scrub(true).await.unwrap();
        assert_eq!(schema().await, before);
    }
}
