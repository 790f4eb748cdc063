//! What happens when the database goes away, comes back, or comes back as another one.
#![expect(
    clippy::unwrap_used,
    reason = "tests end by panicking, and so do their helpers"
)]

use std::error::Error;
use std::time::Duration;

use influxd_model::{Bucket, BucketId, BucketKind, OrgId, Organization};
use influxd_store::{ChunkStore, Claim, NewFreshChunk, Store, StoreError};
use influxd_store_postgres::scratch::ScratchCluster;
use influxd_store_postgres::{PostgresOptions, PostgresStore};
use secrecy::{ExposeSecret, SecretString};
use sqlx::{Connection, Executor, PgConnection, Row};

fn bucket() -> Bucket {
    Bucket {
        id: BucketId::new(2).unwrap(),
        org: OrgId::new(1).unwrap(),
        name: "b".to_owned(),
        kind: BucketKind::User,
        description: String::new(),
        policy: String::new(),
        retention: None,
        shard_duration: 3_600_000_000_000,
        created_at: 0,
        updated_at: 0,
    }
}

async fn with_bucket(store: &PostgresStore) {
    let mut transaction = store.begin().await.unwrap();
    let organization = Organization {
        id: bucket().org,
        name: "acme".to_owned(),
        description: String::new(),
        created_at: 0,
        updated_at: 0,
    };
    transaction
        .organizations()
        .insert(&organization)
        .await
        .unwrap();
    transaction.buckets().insert(&bucket()).await.unwrap();
    transaction.commit().await.unwrap();
}

fn fresh() -> NewFreshChunk {
    NewFreshChunk {
        bucket: bucket().id,
        epoch: 0,
        part: 0,
        measurement: b"m".to_vec(),
        min_time: 0,
        max_time: 0,
        row_count: 1,
        body: vec![1, 2, 3],
    }
}

async fn raw(url: &SecretString) -> PgConnection {
    PgConnection::connect(url.expose_secret()).await.unwrap()
}

/// The text of an error, of its causes and of how it looks in a log.
fn everything_said(error: &StoreError) -> String {
    let mut all = format!("{error} {error:?}");
    let mut cause = error.source();
    while let Some(error) = cause {
        all = format!("{all} {error} {error:?}");
        cause = error.source();
    }
    all
}

#[tokio::test]
async fn after_a_crash_everything_works_again_without_a_restart() {
    let cluster = ScratchCluster::start().unwrap();
    let url = cluster.create_database().await.unwrap();
    let store = PostgresStore::open(PostgresOptions::new(url))
        .await
        .unwrap();
    with_bucket(&store).await;
    let before = store.commit(vec![fresh()]).await.unwrap();
    let mut follower = store.follower().await.unwrap();
    let low = follower.poll(0).await.unwrap().low;
    let claim = store.claim(7).await.unwrap().unwrap();
    let transaction = store.begin().await.unwrap();

    cluster.stop_immediate().unwrap();
    for attempt in 0..3 {
        let commit = store.commit(vec![fresh()]).await;
        assert!(
            matches!(commit, Err(StoreError::Unavailable(_))),
            "{attempt}: {commit:?}"
        );
    }
    assert!(matches!(
        store.begin().await,
        Err(StoreError::Unavailable(_))
    ));
    assert!(matches!(
        store.ping().await,
        Err(StoreError::Unavailable(_))
    ));
    assert!(matches!(
        follower.poll(low).await,
        Err(StoreError::Unavailable(_))
    ));
    assert!(matches!(
        store.follower().await,
        Err(StoreError::Unavailable(_))
    ));
    assert!(matches!(
        transaction.commit().await,
        Err(StoreError::Unavailable(_))
    ));
    assert!(matches!(
        store.claim(8).await,
        Err(StoreError::Unavailable(_))
    ));

    cluster.start_again().unwrap();
    let after = store.commit(vec![fresh()]).await.unwrap();
    assert!(after.version > before.version);
    store.ping().await.unwrap();
    let mut transaction = store.begin().await.unwrap();
    assert!(
        transaction
            .buckets()
            .find(bucket().id)
            .await
            .unwrap()
            .is_some()
    );
    transaction.commit().await.unwrap();
    // This one has ended for good; another one starts anew.
    assert!(matches!(
        follower.poll(low).await,
        Err(StoreError::Unavailable(_))
    ));
    let mut follower = store.follower().await.unwrap();
    assert_eq!(follower.poll(0).await.unwrap().fresh.len(), 2);
    // Claims went with their connection, whether their holder knows or not.
    let again: Box<dyn Claim> = store.claim(7).await.unwrap().unwrap();
    drop(claim);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(store.claim(7).await.unwrap().is_none());
    drop(again);
}

#[tokio::test]
async fn a_connection_that_is_cut_costs_one_request_at_most() {
    let cluster = ScratchCluster::shared().unwrap();
    let url = cluster.create_database().await.unwrap();
    let mut options = PostgresOptions::new(url.clone());
    options.max_connections = 2;
    let store = PostgresStore::open(options).await.unwrap();
    with_bucket(&store).await;
    let mut operator = raw(&url).await;
    for _ in 0..3 {
        operator
            .execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE datname = current_database() AND pid <> pg_backend_pid()",
            )
            .await
            .unwrap();
        let mut failures = 0;
        while let Err(error) = store.commit(vec![fresh()]).await {
            assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
            failures += 1;
            assert!(failures <= 2);
        }
    }
}

#[tokio::test]
async fn no_error_shows_the_url_or_a_value() {
    let cluster = ScratchCluster::shared().unwrap();
    let url = cluster.create_database().await.unwrap();
    let with_password = url
        .expose_secret()
        .replace("influxd@", "influxd:pass-w0rd@");
    let options = PostgresOptions::new(with_password.clone());
    assert!(!format!("{options:?}").contains("pass-w0rd"));
    let store = PostgresStore::open(options).await.unwrap();
    assert!(!format!("{store:?}").contains("pass-w0rd"));
    with_bucket(&store).await;

    for broken in [
        with_password.replace("scratch_", "missing_"),
        with_password.replace("127.0.0.1", "127.0.0.1:1:2"),
        "postgres://influxd:pass-w0rd@127.0.0.1:1/nobody-listens".to_owned(),
        "postgres://influxd:pass-w0rd@[broken".to_owned(),
        "mysql://influxd:pass-w0rd@127.0.0.1/x".to_owned(),
    ] {
        match PostgresStore::open(PostgresOptions::new(broken)).await {
            Err(error) => {
                let said = everything_said(&error);
                assert!(!said.contains("pass-w0rd"), "{said}");
            }
            // A scheme is all that this one has wrong, and sqlx does not look at it.
            Ok(store) => store.close().await,
        }
    }

    let mut transaction = store.begin().await.unwrap();
    let mut nul = bucket();
    nul.id = BucketId::new(3).unwrap();
    nul.name = "secret-name\0".to_owned();
    let error = transaction.buckets().insert(&nul).await.unwrap_err();
    assert!(matches!(error, StoreError::Refused(_)));
    assert!(!everything_said(&error).contains("secret-name"));
}

#[tokio::test]
async fn a_database_of_a_newer_server_is_refused() {
    let cluster = ScratchCluster::shared().unwrap();
    let url = cluster.create_database().await.unwrap();
    let store = PostgresStore::open(PostgresOptions::new(url.clone()))
        .await
        .unwrap();
    store.close().await;
    raw(&url)
        .await
        .execute(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
             VALUES (99990101000000, 'from the future', true, '', 0)",
        )
        .await
        .unwrap();
    let error = PostgresStore::open(PostgresOptions::new(url))
        .await
        .unwrap_err();
    assert!(matches!(&error, StoreError::Unusable(text) if text.contains("newer server")));
}

/// Waiting would not help: whoever opens the store is not told to try again.
#[tokio::test]
async fn a_database_that_is_not_there_is_no_outage() {
    let cluster = ScratchCluster::shared().unwrap();
    for must_exist in [false, true] {
        let options = PostgresOptions {
            must_exist,
            ..PostgresOptions::new(cluster.url("not_there"))
        };
        let error = PostgresStore::open(options).await.unwrap_err();
        assert!(matches!(&error, StoreError::Unusable(text) if text.contains("does not exist")));
    }
}

#[tokio::test]
async fn versions_go_on_growing_after_a_restored_dump() {
    let cluster = ScratchCluster::shared().unwrap();
    let url = cluster.create_database().await.unwrap();
    let store = PostgresStore::open(PostgresOptions::new(url.clone()))
        .await
        .unwrap();
    with_bucket(&store).await;
    let first = store.commit(vec![fresh()]).await.unwrap();
    store.close().await;
    // A dump keeps the rows, and the new cluster counts transactions from the beginning.
    let ahead = 1_000_000;
    raw(&url)
        .await
        .execute(sqlx::AssertSqlSafe(format!(
            "UPDATE fresh_chunks SET version = version + {ahead}"
        )))
        .await
        .unwrap();
    let (one, two) = tokio::join!(
        PostgresStore::open(PostgresOptions::new(url.clone())),
        PostgresStore::open(PostgresOptions::new(url))
    );
    let (one, two) = (one.unwrap(), two.unwrap());
    let second = one.commit(vec![fresh()]).await.unwrap();
    assert!(second.version > first.version + ahead);
    let third = two.commit(vec![fresh()]).await.unwrap();
    assert!(third.version > second.version);
    let mut follower = two.follower().await.unwrap();
    let followed = follower.poll(0).await.unwrap();
    assert_eq!(followed.fresh.len(), 3);
    assert!(followed.low > first.version + ahead);
}

#[tokio::test]
async fn a_transaction_that_stays_open_is_seen_when_it_ends() {
    let cluster = ScratchCluster::shared().unwrap();
    let url = cluster.create_database().await.unwrap();
    let store = PostgresStore::open(PostgresOptions::new(url.clone()))
        .await
        .unwrap();
    with_bucket(&store).await;
    let mut follower = store.follower().await.unwrap();
    let mut low = follower.poll(0).await.unwrap().low;

    let mut slow = raw(&url).await;
    slow.execute("BEGIN").await.unwrap();
    let row = slow
        .fetch_one(
            "INSERT INTO fresh_chunks (version, part, bucket_id, min_time, max_time, row_count,
                                       measurement, body)
             SELECT pg_current_xact_id()::text::bigint + version_offset, 0, 1, 0, 0, 0, 'slow', ''
             FROM store_state RETURNING version",
        )
        .await
        .unwrap();
    let slow_version: i64 = row.get(0);
    for _ in 0..5 {
        let quick = store.commit(vec![fresh()]).await.unwrap();
        assert!(quick.version > slow_version);
        let followed = follower.poll(low).await.unwrap();
        // Seen at once, and again until the slow one has ended.
        assert!(followed.fresh.iter().any(|r| r.version == quick.version));
        assert!(followed.low <= slow_version);
        low = followed.low;
    }
    slow.execute("COMMIT").await.unwrap();
    let followed = follower.poll(low).await.unwrap();
    assert!(followed.fresh.iter().any(|r| r.version == slow_version));
    assert_eq!(followed.fresh.len(), 6);
}

#[tokio::test]
async fn a_change_of_what_changed_meanwhile_is_no_lost_update() {
    let cluster = ScratchCluster::shared().unwrap();
    let url = cluster.create_database().await.unwrap();
    let store = PostgresStore::open(PostgresOptions::new(url))
        .await
        .unwrap();
    with_bucket(&store).await;
    let mut slow = store.begin().await.unwrap();
    let mut seen = slow.buckets().find(bucket().id).await.unwrap().unwrap();
    let mut quick = store.begin().await.unwrap();
    let mut renamed = bucket();
    renamed.name = "renamed".to_owned();
    quick.buckets().update(&renamed).await.unwrap();
    quick.commit().await.unwrap();
    seen.retention = Some(1);
    let update = slow.buckets().update(&seen).await;
    assert!(
        matches!(update, Err(StoreError::Unavailable(_))),
        "{update:?}"
    );
}

#[tokio::test]
async fn durability_is_not_left_to_the_database_s_settings() {
    let cluster = ScratchCluster::shared().unwrap();
    let url = cluster.create_database().await.unwrap();
    let mut operator = raw(&url).await;
    let row = operator
        .fetch_one("SELECT current_database()")
        .await
        .unwrap();
    let name: String = row.get(0);
    let lax = format!(
        "ALTER DATABASE {name} SET synchronous_commit = off;
         ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'"
    );
    operator.execute(sqlx::AssertSqlSafe(lax)).await.unwrap();
    // Every commit leaves behind what it was made with.
    let store = PostgresStore::open(PostgresOptions::new(url))
        .await
        .unwrap();
    operator
        .execute(
            "CREATE TABLE made_with (setting text);
             CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN
               INSERT INTO made_with VALUES (current_setting('synchronous_commit')
                 || ' ' || current_setting('transaction_isolation'));
               RETURN NULL;
             END $$;
             CREATE TRIGGER note AFTER INSERT ON fresh_chunks
               FOR EACH STATEMENT EXECUTE FUNCTION note()",
        )
        .await
        .unwrap();
    with_bucket(&store).await;
    store.commit(vec![fresh()]).await.unwrap();
    let rows = operator
        .fetch_all("SELECT setting FROM made_with")
        .await
        .unwrap();
    let settings: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(settings, ["on read committed"]);
}
