//! What was written and removed gives its space back.
#![expect(
    clippy::unwrap_used,
    reason = "tests end by panicking, and so do their helpers"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use influxd_model::{Bucket, BucketId, BucketKind, OrgId, Organization};
use influxd_store::{ChunkStore, Dead, NewFreshChunk, Replacement, Store};
use influxd_store_postgres::scratch::ScratchCluster;
use influxd_store_postgres::{PostgresOptions, PostgresStore};
use secrecy::ExposeSecret;
use sqlx::{Connection, Executor, PgConnection, Row};

fn bucket() -> BucketId {
    BucketId::new(2).unwrap()
}

async fn with_bucket(store: &PostgresStore) {
    let mut transaction = store.begin().await.unwrap();
    let org = OrgId::new(1).unwrap();
    let organization = Organization {
        id: org,
        name: "acme".to_owned(),
        description: String::new(),
        created_at: 0,
        updated_at: 0,
    };
    let mut organizations = transaction.organizations();
    organizations.insert(&organization).await.unwrap();
    drop(organizations);
    let new = Bucket {
        id: bucket(),
        org,
        name: "b".to_owned(),
        kind: BucketKind::User,
        description: String::new(),
        policy: String::new(),
        retention: None,
        shard_duration: 3_600_000_000_000,
        created_at: 0,
        updated_at: 0,
    };
    transaction.buckets().insert(&new).await.unwrap();
    transaction.commit().await.unwrap();
}

/// A chunk whose body lies in the row, or out of line.
fn fresh(part: i32, bytes: usize) -> NewFreshChunk {
    NewFreshChunk {
        bucket: bucket(),
        epoch: 0,
        part,
        measurement: b"m".to_vec(),
        min_time: 0,
        max_time: 0,
        row_count: 1,
        body: (0..bytes).map(|i| (i * 7 + i / 251) as u8).collect(),
    }
}

/// Lets chunks die, as a merge does, and removes them.
async fn empty(store: &PostgresStore, fresh: Vec<i64>) {
    let death = Replacement {
        fresh,
        ..Replacement::default()
    };
    store.replace(death).await.unwrap().unwrap();
    while store
        .remove_dead(Dead::Fresh, i64::MAX, 1000)
        .await
        .unwrap()
        > 0
    {}
}

#[tokio::test]
async fn an_emptied_table_of_fresh_chunks_becomes_small_and_holds_up_nobody() {
    let cluster = ScratchCluster::shared().unwrap();
    let url = cluster.create_database().await.unwrap();
    let mut conn = PgConnection::connect(url.expose_secret()).await.unwrap();
    let store = PostgresStore::open(PostgresOptions::new(url))
        .await
        .unwrap();
    with_bucket(&store).await;
    let mut ids = Vec::new();
    for _ in 0..30 {
        let group = (0..200).map(|part| fresh(part, if part % 2 == 0 { 1_500 } else { 6_000 }));
        let committed = store.commit(group.collect()).await.unwrap();
        ids.extend(committed.chunks.iter().map(|(_, id)| *id));
    }
    let mut sizes = async || -> (i64, i64) {
        let sql = "SELECT pg_table_size('fresh_chunks'), pg_database_size(current_database())";
        let row = conn.fetch_one(sql).await.unwrap();
        (row.get(0), row.get(1))
    };
    // While it is in use nothing is given back.
    store.tidy().await.unwrap();
    let (full, database) = sizes().await;
    assert!(full > 20 << 20, "{full}");

    empty(&store, ids).await;
    let stop = Arc::new(AtomicBool::new(false));
    let (writer, until) = (Arc::clone(&store), Arc::clone(&stop));
    let writing = tokio::spawn(async move {
        let (mut longest, mut ids) = (Duration::ZERO, Vec::new());
        while !until.load(Ordering::Relaxed) || ids.is_empty() {
            let begun = Instant::now();
            let committed = writer.commit(vec![fresh(0, 100)]).await.unwrap();
            longest = longest.max(begun.elapsed());
            ids.push(committed.chunks[0].1);
        }
        (longest, ids)
    });
    // What is written at this very moment may keep the end of the table from going.
    store.tidy().await.unwrap();
    stop.store(true, Ordering::Relaxed);
    let (longest, ids) = writing.await.unwrap();
    assert!(longest < Duration::from_secs(4), "{longest:?}");

    empty(&store, ids).await;
    store.tidy().await.unwrap();
    let (small, after) = sizes().await;
    assert!(small < full / 4, "{full} bytes became {small}");
    assert!(database - after > (full - small) / 2, "{database} {after}");
}
