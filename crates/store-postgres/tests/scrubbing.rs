//! What is left of tokens in PostgreSQL's files once they are hashed.
#![expect(
    clippy::unwrap_used,
    reason = "tests end by panicking, and so do their helpers"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use influxd_store::Store;
use influxd_store::conformance::traces::{Traces, hash, live};
use influxd_store_postgres::scratch::ScratchCluster;
use influxd_store_postgres::{PostgresOptions, PostgresStore};
use secrecy::{ExposeSecret, SecretString};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

async fn open(url: &SecretString) -> Arc<PostgresStore> {
    let options = PostgresOptions {
        scrub_patience: Duration::from_millis(500),
        ..PostgresOptions::new(url.clone())
    };
    PostgresStore::open(options).await.unwrap()
}

async fn operator(url: &SecretString) -> PgConnection {
    PgConnection::connect(url.expose_secret()).await.unwrap()
}

async fn run(conn: &mut PgConnection, statements: &[&str]) {
    for sql in statements {
        conn.execute(AssertSqlSafe(*sql)).await.unwrap();
    }
}

async fn nothing_is_left_of(count: u64) {
    let cluster = ScratchCluster::start().unwrap();
    let url = cluster.create_database().await.unwrap();
    let store = open(&url).await;
    let traces = Traces::new(&live(&*store, count).await);
    let mut operator = operator(&url).await;
    run(&mut operator, &["ANALYZE", "CHECKPOINT"]).await;
    let look = |except| traces.in_folder(&cluster.data(), except).unwrap();
    let most = look(&["pg_wal"]).into_iter().map(|(_, found)| found).max();
    assert!(most > Some(count as usize / 2), "{most:?}");
    hash(&*store, 100).await;
    store.close().await;
    drop(store);

    // As a server that is killed before it has scrubbed, and starts again.
    let store = open(&url).await;
    let scrubbed = store.scrub(false).await.unwrap();
    assert!(scrubbed.ran);
    run(&mut operator, &["ANALYZE", "CHECKPOINT"]).await;
    assert_eq!(look(&["pg_wal"]), []);
    assert!(!store.scrub(false).await.unwrap().ran);
    assert_eq!(scrubbed.remains.len(), 2, "{scrubbed:?}");

    // What the report says about the log holds.
    assert!(!look(&[]).is_empty());
    let report = &scrubbed.remains[0];
    let begin = report.find("ALTER SYSTEM").unwrap();
    let end = report.find("; on a replica").unwrap();
    for command in report[begin..end].split("; ") {
        run(&mut operator, &[command]).await;
    }
    assert_eq!(look(&[]), []);
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
async fn samples_of_secrets_are_removed() {
    let cluster = ScratchCluster::start().unwrap();
    let url = cluster.create_database().await.unwrap();
    let store = open(&url).await;
    let traces = Traces::new(&live(&*store, 300).await);
    let mut operator = operator(&url).await;
    run(
        &mut operator,
        &[
            "ALTER TABLE authorizations ALTER COLUMN raw_token SET STATISTICS 1000",
            "ANALYZE",
        ],
    )
    .await;
    hash(&*store, 100).await;
    assert!(store.scrub(false).await.unwrap().ran);
    run(&mut operator, &["ANALYZE", "CHECKPOINT"]).await;
    let left = traces.in_folder(&cluster.data(), &["pg_wal"]).unwrap();
    assert_eq!(left, []);
}

#[tokio::test]
async fn whoever_still_sees_old_rows_is_named() {
    let cluster = ScratchCluster::start().unwrap();
    let url = cluster.create_database().await.unwrap();
    let store = open(&url).await;
    let traces = Traces::new(&live(&*store, 200).await);
    let mut operator = operator(&url).await;
    run(
        &mut operator,
        &[
            "SET application_name = 'pg_dump'",
            "BEGIN ISOLATION LEVEL REPEATABLE READ",
            "SELECT count(*) FROM users",
        ],
    )
    .await;
    hash(&*store, 100).await;
    let began = Instant::now();
    let scrubbed = store.scrub(false).await.unwrap();
    assert!(began.elapsed() > Duration::from_millis(400));
    assert!(scrubbed.ran);
    let named = scrubbed.remains.iter().any(|text| text.contains("pg_dump"));
    assert!(named, "{scrubbed:?}");
    run(&mut operator, &["COMMIT"]).await;
    // One that uses the table is waited for, and told of.
    run(
        &mut operator,
        &["BEGIN", "LOCK TABLE authorizations IN ACCESS SHARE MODE"],
    )
    .await;
    let scrubbed = store.scrub(false).await.unwrap();
    let named = scrubbed.remains.iter().any(|text| text.contains("in use"));
    assert!(named, "{scrubbed:?}");
    run(&mut operator, &["COMMIT"]).await;
    let scrubbed = store.scrub(false).await.unwrap();
    assert!(scrubbed.ran);
    assert_eq!(scrubbed.remains.len(), 2, "{scrubbed:?}");
    run(&mut operator, &["CHECKPOINT"]).await;
    let left = traces.in_folder(&cluster.data(), &["pg_wal"]).unwrap();
    assert_eq!(left, []);
    assert!(!store.scrub(false).await.unwrap().ran);
}
