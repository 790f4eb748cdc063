//! Reading a slice out of merged chunks, and merging, without a database: what the engine's own
//! code costs. `cargo bench -p influxd-engine --bench points`.

#[path = "../tests/model/memory.rs"]
mod memory;

use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use influxd_engine::catalogue::Follow;
use influxd_engine::chunk::{Column, FreshChunk, NamedColumn, Values};
use influxd_engine::content::Contents;
use influxd_engine::index::SeriesId;
use influxd_engine::merge::{CompactorOptions, MergeStats, Step, Worker};
use influxd_engine::read::BucketSnapshot;
use influxd_engine::source::Snapshot;
use influxd_model::{BucketId, FieldType, TimeRange};
use influxd_store::{ChunkStore, FieldWant, NewFreshChunk};
use tokio::runtime::Runtime;

use crate::memory::MemoryStore;

const DAY: i64 = 86_400_000_000_000;
const STEP: i64 = 10_000_000_000;
const SERIES: usize = 100;
const FIELDS: usize = 10;
/// Rows of each series in a commit.
const ROWS: usize = 135;

fn bucket() -> BucketId {
    BucketId::new(7).expect("7 is not 0")
}

/// Decimals with two digits that wander about.
fn values(seed: u64) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut value = 50.0_f64;
    let walk = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        value = (value + ((state % 201) as f64 - 100.0) / 100.0).clamp(0.0, 100.0);
        (value * 100.0).round() / 100.0
    };
    (0..SERIES * ROWS).map(walk).collect()
}

fn name(field: usize) -> Vec<u8> {
    format!("field_{field}").into_bytes()
}

fn chunk(number: usize) -> FreshChunk {
    let begin = (number * ROWS) as i64 * STEP;
    FreshChunk {
        series: (0..SERIES)
            .map(|s| (format!("host=host_{s}").into_bytes(), ROWS))
            .collect(),
        times: (0..SERIES * ROWS)
            .map(|row| begin + (row % ROWS) as i64 * STEP)
            .collect(),
        columns: (0..FIELDS)
            .map(|field| NamedColumn {
                name: name(field),
                column: Column::from(Values::Float(values((number * FIELDS + field) as u64))),
            })
            .collect(),
    }
}

/// A store with so many commits in it.
fn filled(runtime: &Runtime, commits: usize) -> Arc<MemoryStore> {
    let store = MemoryStore::new(DAY);
    let want = |field| FieldWant {
        time: 0,
        measurement: b"cpu".to_vec(),
        name: name(field),
        field_type: FieldType::Float,
    };
    runtime
        .block_on(store.agree(bucket(), (0..FIELDS).map(want).collect()))
        .expect("agreed");
    for number in 0..commits {
        let chunk = chunk(number);
        let new = NewFreshChunk {
            bucket: bucket(),
            epoch: 0,
            part: 0,
            measurement: b"cpu".to_vec(),
            min_time: chunk.times[0],
            max_time: chunk.times[ROWS - 1],
            row_count: chunk.times.len() as i64,
            body: chunk.encode(),
        };
        runtime
            .block_on(store.commit(vec![new]))
            .expect("committed");
    }
    store
}

struct Server {
    follow: Follow,
    contents: Arc<Contents>,
    worker: Worker,
}

fn server(runtime: &Runtime, store: &Arc<MemoryStore>) -> Server {
    let _entered = runtime.enter();
    let store = Arc::clone(store) as Arc<dyn ChunkStore>;
    let follow = Follow::start(Arc::clone(&store), Duration::from_secs(3600));
    let handle = runtime.handle().clone();
    let contents = Arc::new(Contents::new(Arc::clone(&store), handle, 1 << 30));
    let stats = MergeStats::register(&prometheus::Registry::new()).expect("a new registry");
    let options = CompactorOptions {
        fresh_count: 1,
        ..CompactorOptions::default()
    };
    let worker = Worker::new(store, follow.clone(), Arc::clone(&contents), options, stats);
    Server {
        follow,
        contents,
        worker,
    }
}

fn snapshot(runtime: &Runtime, server: &Server) -> BucketSnapshot {
    let catalogue = runtime
        .block_on(server.follow.now())
        .expect("the store answers");
    let contents = Arc::clone(&server.contents);
    BucketSnapshot::new(contents, server.follow.clone(), catalogue, bucket())
}

fn read(snapshot: &BucketSnapshot, fields: &[&[u8]]) -> usize {
    let ids: Vec<SeriesId> = (0..SERIES as u32).map(SeriesId).collect();
    let mut count = 0;
    for slice in snapshot.slices(b"cpu", TimeRange::ALL, None) {
        let blocks = snapshot
            .read(b"cpu", &ids, fields, slice)
            .expect("the points are read");
        count += blocks.iter().map(|block| block.times.len()).sum::<usize>();
    }
    count
}

fn bench(c: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let commits = 32;
    let rows = (commits * SERIES * ROWS) as u64;

    let mut group = c.benchmark_group("merge");
    group.sample_size(10);
    group.throughput(Throughput::Elements(rows * FIELDS as u64));
    group.bench_function("level 0 to 1", |b| {
        b.iter_batched(
            || {
                let store = filled(&runtime, commits);
                server(&runtime, &store)
            },
            |mut server| {
                let mut merged = 0;
                while runtime.block_on(server.worker.step()).expect("merged") == Step::Worked {
                    merged += 1;
                }
                assert!(merged > 0, "there was something to merge");
            },
            criterion::BatchSize::LargeInput,
        );
    });
    group.finish();

    let store = filled(&runtime, commits);
    let mut merged = server(&runtime, &store);
    let fresh = snapshot(&runtime, &server(&runtime, &store));
    while runtime.block_on(merged.worker.step()).expect("merged") == Step::Worked {}
    let names: Vec<Vec<u8>> = (0..FIELDS).map(name).collect();
    let all: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();

    let mut group = c.benchmark_group("read");
    for (fields, label) in [(&all[..1], "one field"), (&all[..], "ten fields")] {
        group.throughput(Throughput::Elements(rows * fields.len() as u64));
        let warm = snapshot(&runtime, &merged);
        assert_eq!(read(&warm, fields) as u64, rows);
        group.bench_function(format!("merged, cached, {label}"), |b| {
            b.iter(|| read(&warm, fields));
        });
        group.bench_function(format!("merged, not cached, {label}"), |b| {
            b.iter_batched(
                || snapshot(&runtime, &server(&runtime, &store)),
                |cold| read(&cold, fields),
                criterion::BatchSize::LargeInput,
            );
        });
        assert_eq!(read(&fresh, fields) as u64, rows);
        group.bench_function(format!("level 0, cached, {label}"), |b| {
            b.iter(|| read(&fresh, fields));
        });
    }
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
