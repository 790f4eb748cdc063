//! The ingest against a store that does as it is told.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use influxd_line_protocol::Precision;
use influxd_model::{
    Action, Bucket, BucketId, BucketKind, FieldType, OrgId, Permission, ResourceType, WriteGrant,
};
use influxd_store::{
    Agreed, Claim, Dead, FieldRow, FieldWant, Follower, NewTombstone, PieceKey, Replaced,
    Replacement, Result, Version, WindowRow, shard_window,
};
use prometheus::Registry;

use std::sync::Arc;

use influxd_store::{ChunkStore, Committed, NewFreshChunk, StoreError};
use tokio::runtime::Handle;

use super::*;
use crate::chunk::FreshChunk;

const WEEK: i64 = 7 * 86_400_000_000_000;

/// Keeps what is committed, and refuses on demand.
#[derive(Debug, Default)]
struct Fake(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    version: Version,
    epoch: Version,
    fields: Vec<FieldRow>,
    commits: Vec<Vec<(Vec<u8>, FreshChunk)>>,
    /// Commits with this measurement are refused for their content.
    poison: Option<Vec<u8>>,
    /// Commits fail as if the database were away.
    is_away: bool,
    is_bucket_gone: bool,
}

impl Fake {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All rows of a measurement in the order of commits: (tags, time).
    fn rows(&self, measurement: &str) -> Vec<(String, i64)> {
        let state = self.state();
        let chunks = state.commits.iter().flatten();
        let mut rows = Vec::new();
        for (_, chunk) in chunks.filter(|(m, _)| m == measurement.as_bytes()) {
            let mut at = 0;
            for (tags, count) in &chunk.series {
                let tags = String::from_utf8_lossy(tags).into_owned();
                rows.extend(
                    chunk.times[at..at + count]
                        .iter()
                        .map(|t| (tags.clone(), *t)),
                );
                at += count;
            }
        }
        rows
    }
}

#[async_trait]
impl ChunkStore for Fake {
    fn commits_in_flight(&self) -> usize {
        1
    }

    async fn commit(&self, chunks: Vec<NewFreshChunk>) -> Result<Committed> {
        tokio::task::yield_now().await;
        let mut state = self.state();
        if state.is_away {
            return Err(StoreError::Unavailable("away".into()));
        }
        if chunks
            .iter()
            .any(|c| Some(&c.measurement) == state.poison.as_ref())
        {
            return Err(StoreError::Refused("poison".into()));
        }
        state.version += 1;
        let (version, epoch) = (state.version, state.epoch);
        let current: Vec<_> = chunks.into_iter().filter(|c| c.epoch == epoch).collect();
        let written = current
            .iter()
            .map(|c| (c.part, version * 100 + i64::from(c.part)))
            .collect();
        let decoded = current
            .into_iter()
            .map(|c| (c.measurement, FreshChunk::decode(&c.body).unwrap()))
            .collect();
        state.commits.push(decoded);
        Ok(Committed {
            version,
            chunks: written,
        })
    }

    async fn agree(&self, bucket: BucketId, wants: Vec<FieldWant>) -> Result<Agreed> {
        let mut state = self.state();
        if state.is_bucket_gone {
            return Err(StoreError::NotFound("bucket"));
        }
        let mut agreed = Agreed {
            epoch: state.epoch,
            windows: Vec::new(),
            fields: Vec::new(),
        };
        for want in wants {
            let (start, end) = shard_window(want.time, WEEK);
            agreed.windows.push(WindowRow {
                bucket,
                start,
                end,
                version: 1,
                died: None,
            });
            let same = |f: &&FieldRow| {
                f.window_start == start && f.measurement == want.measurement && f.name == want.name
            };
            let row = state
                .fields
                .iter()
                .find(same)
                .cloned()
                .unwrap_or_else(|| FieldRow {
                    bucket,
                    window_start: start,
                    measurement: want.measurement.clone(),
                    name: want.name.clone(),
                    field_type: want.field_type,
                    version: 1,
                    died: None,
                });
            state.fields.push(row.clone());
            agreed.fields.push(row);
        }
        Ok(agreed)
    }

    async fn bury(&self, _: NewTombstone) -> Result<Version> {
        Err(StoreError::NotFound("bucket"))
    }

    async fn follower(&self) -> Result<Box<dyn Follower>> {
        Err(StoreError::Unavailable("not followed here".into()))
    }

    async fn fresh_bodies(&self, _: &[i64]) -> Result<Vec<(i64, Vec<u8>)>> {
        Ok(Vec::new())
    }

    async fn heads(&self, _: &[i64]) -> Result<Vec<(i64, Vec<u8>)>> {
        Ok(Vec::new())
    }

    async fn pieces(&self, _: &[PieceKey]) -> Result<Vec<(PieceKey, Vec<u8>)>> {
        Ok(Vec::new())
    }

    async fn claim(&self, _: i64) -> Result<Option<Box<dyn Claim>>> {
        Ok(None)
    }

    async fn replace(&self, _: Replacement) -> Result<Option<Replaced>> {
        Ok(None)
    }

    async fn retire_deleted_buckets(&self, _: u32) -> Result<u64> {
        Ok(0)
    }

    async fn remove_dead(&self, _: Dead, _: Version, _: u32) -> Result<u64> {
        Ok(0)
    }

    async fn tidy(&self) -> Result<()> {
        Ok(())
    }

    async fn gauges(&self) -> Result<Vec<(&'static str, &'static str, f64)>> {
        Ok(Vec::new())
    }
}

fn bucket() -> Bucket {
    Bucket {
        id: BucketId::new(1).unwrap(),
        org: OrgId::new(1).unwrap(),
        name: "b".into(),
        kind: BucketKind::User,
        description: String::new(),
        policy: String::new(),
        retention: None,
        shard_duration: WEEK,
        created_at: 0,
        updated_at: 0,
    }
}

fn request(body: &str) -> WriteRequest {
    let held = [Permission::on_type(Action::Write, ResourceType::Buckets)];
    WriteRequest {
        grant: WriteGrant::check(&held, &bucket()).unwrap(),
        retention: None,
        body: Bytes::copy_from_slice(body.as_bytes()),
        precision: Precision::Nanosecond,
        default_time: 77,
        now: 100,
    }
}

fn start(options: IngestOptions) -> (Arc<Fake>, Arc<Ingest>) {
    let store = Arc::new(Fake::default());
    let stats = WriteStats::register(&Registry::new()).unwrap();
    let ports = Arc::clone(&store) as Arc<dyn ChunkStore>;
    let ingest = Ingest::start(ports, Handle::current(), options, stats, Arc::new(|| ())).unwrap();
    (store, Arc::new(ingest))
}

#[tokio::test]
async fn a_body_is_stored_sorted_and_lines_without_a_time_get_the_requests() {
    let (store, ingest) = start(IngestOptions::default());
    ingest
        .write(request("m,h=b f=1 5\nm,h=a f=2\nm,h=b f=3 4\nn f=1 1"))
        .await
        .unwrap();
    let expected = [
        ("h=b".to_owned(), 4),
        ("h=b".to_owned(), 5),
        ("h=a".to_owned(), 77),
    ];
    assert_eq!(store.rows("m"), expected);
    assert_eq!(store.rows("n"), [(String::new(), 1)]);
    assert_eq!(store.state().commits.len(), 1, "a body is one transaction");
}

#[tokio::test]
async fn a_body_with_a_bad_line_leaves_nothing() {
    let (store, ingest) = start(IngestOptions::default());
    let error = ingest
        .write(request("m f=1 1\nm f=\nm f=2 2"))
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "unable to parse 'm f=': missing field value"
    );
    ingest.write(request("m f=9 9")).await.unwrap();
    assert_eq!(store.rows("m"), [(String::new(), 9)]);
}

#[tokio::test]
async fn the_first_line_decides_a_type_and_the_rest_is_stored() {
    let (store, ingest) = start(IngestOptions::default());
    let error = ingest
        .write(request("m,h=a f=1i 1\nm,h=b f=2 2\nm f=3i 3"))
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "partial write: field type conflict: input field \"f\" on measurement \"m\" is type \
         float, already exists as type integer dropped=1"
    );
    assert_eq!(store.rows("m"), [("h=a".to_owned(), 1), (String::new(), 3)]);
    let known: HashSet<_> = store.state().commits[0][0]
        .1
        .series
        .iter()
        .cloned()
        .collect();
    assert!(
        known.contains(&(b"h=b".to_vec(), 0)),
        "the refused point makes its series known"
    );
    assert_eq!(store.state().fields[0].field_type, FieldType::Integer);
}

#[tokio::test]
async fn of_a_field_named_twice_the_last_value_counts_whatever_its_type() {
    let (store, ingest) = start(IngestOptions::default());
    ingest.write(request("m f=1,f=2i,g=1,g=3 1")).await.unwrap();
    let state = store.state();
    let columns: Vec<_> = state.commits[0][0]
        .1
        .columns
        .iter()
        .map(|c| {
            (
                c.name.clone(),
                c.column.field_type(),
                c.column.count_present(),
            )
        })
        .collect();
    assert_eq!(
        columns,
        [
            (b"f".to_vec(), FieldType::Integer, 1),
            (b"g".to_vec(), FieldType::Float, 1)
        ]
    );
}

#[tokio::test]
async fn a_changed_epoch_sends_the_body_round_again() {
    let (store, ingest) = start(IngestOptions::default());
    ingest.write(request("m f=1 1")).await.unwrap();
    {
        let mut state = store.state();
        state.epoch = 5;
        state.fields.clear();
    }
    ingest.write(request("m f=2i 2")).await.unwrap();
    ingest.write(request("m f=3 3\nm g=1 3")).await.unwrap_err();
    let rows: Vec<i64> = store.rows("m").into_iter().map(|(_, t)| t).collect();
    assert_eq!(rows, [1, 2, 3]);
}

#[tokio::test]
async fn a_body_that_the_store_refuses_does_not_harm_its_neighbours() {
    let (store, ingest) = start(IngestOptions::default());
    ingest
        .write(request("good f=1 1\npoison f=1 1"))
        .await
        .unwrap();
    store.state().poison = Some(b"poison".to_vec());
    let bodies = ["good f=1 2", "poison f=1 2", "good f=1 3", "good f=1 4"];
    let writes = bodies.map(|body| {
        let ingest = Arc::clone(&ingest);
        tokio::spawn(async move { ingest.write(request(body)).await })
    });
    let mut results = Vec::new();
    for write in writes {
        results.push(write.await.unwrap().is_ok());
    }
    assert_eq!(results, [true, false, true, true]);
    let mut times: Vec<i64> = store.rows("good").into_iter().map(|(_, t)| t).collect();
    times.sort_unstable();
    assert_eq!(times, [1, 2, 3, 4]);
}

#[tokio::test]
async fn an_outage_is_an_outage_and_a_deleted_bucket_is_gone() {
    let (store, ingest) = start(IngestOptions::default());
    ingest.write(request("m f=1 1")).await.unwrap();
    store.state().is_away = true;
    let error = ingest.write(request("m f=1 2")).await.unwrap_err();
    assert!(
        matches!(error, WriteError::Store(StoreError::Unavailable(_))),
        "{error:?}"
    );
    {
        let mut state = store.state();
        (state.is_away, state.is_bucket_gone, state.epoch) = (false, true, 9);
    }
    let error = ingest.write(request("m f=1 3")).await.unwrap_err();
    assert!(matches!(error, WriteError::BucketGone), "{error:?}");
}

#[tokio::test]
async fn a_full_queue_refuses_but_a_large_body_alone_gets_in() {
    let (store, ingest) = start(IngestOptions {
        queue_bytes: 10,
        ..IngestOptions::default()
    });
    ingest.write(request("m f=1 1\nm f=2 2")).await.unwrap();
    // On a runtime of one thread nothing is committed until this test waits.
    let waiting = ingest.write(request("m f=3 3"));
    let refused = ingest.write(request("m f=4 4"));
    let (waiting, refused) = tokio::join!(biased; waiting, refused);
    waiting.unwrap();
    let error = refused.unwrap_err();
    assert!(matches!(error, WriteError::QueueFull), "{error:?}");
    assert_eq!(store.rows("m").len(), 3);
}

#[tokio::test]
async fn closing_commits_what_was_accepted() {
    let (store, ingest) = start(IngestOptions::default());
    let writes: Vec<_> = (0..20)
        .map(|n| {
            let ingest = Arc::clone(&ingest);
            tokio::spawn(async move { ingest.write(request(&format!("m f=1 {n}"))).await })
        })
        .collect();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    ingest.close().await;
    for write in writes {
        write.await.unwrap().unwrap();
    }
    assert_eq!(store.rows("m").len(), 20);
}
