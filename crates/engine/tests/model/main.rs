//! Whatever is written, deleted, merged, removed and restarted: queries see what a plain map of
//! the points says.

mod memory;
mod points;
mod world;

use std::sync::Arc;
use std::time::Duration;

use influxd_engine::chunk::Sizes;
use influxd_engine::merge::{CompactorOptions, Limits};
use influxd_engine::predicate::{Absent, Predicate, Test};
use influxd_engine::source::Few;
use influxd_model::{
    Bucket, BucketId, BucketKind, MAX_TIME, MIN_TIME, OrgId, Organization, TimeRange,
};
use influxd_store::{ChunkStore, Store};
use influxd_store_sqlite::{SqliteOptions, SqliteStore};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::runtime::Runtime;

use crate::memory::MemoryStore;
use crate::points::{Cell, Point};
use crate::world::{FIELDS, KEYS, MEASUREMENTS, World};

const HOUR: i64 = 3_600_000_000_000;

#[derive(Debug, Clone)]
enum Action {
    Write(Vec<Point>),
    Delete(Option<&'static str>, TimeRange, Predicate),
    Merge(usize),
    Sweep,
    Restart,
    /// Begins a query that is looked at again later.
    Begin,
    Check(TimeRange, Option<Few>),
}

fn time() -> impl Strategy<Value = i64> {
    prop_oneof![
        20 => (0..4_i64, 0..30_i64).prop_map(|(hour, second)| hour * HOUR + second * 1_000_000_000),
        1 => Just(MIN_TIME),
        1 => Just(MAX_TIME),
        1 => Just(-1_i64),
    ]
}

fn range() -> impl Strategy<Value = TimeRange> {
    let hours = |a: i64, b: i64| TimeRange {
        min: a * HOUR,
        max: b * HOUR - 1,
    };
    prop_oneof![
        Just(TimeRange::ALL),
        (time(), time()).prop_map(|(a, b)| TimeRange {
            min: a.min(b),
            max: a.max(b)
        }),
        (0..4_i64, 1..3_i64).prop_map(move |(a, b)| hours(a, a + b)),
        time().prop_map(|time| TimeRange {
            min: time,
            max: time
        }),
    ]
}

fn cell() -> impl Strategy<Value = Cell> {
    // Mostly floats, so that most points fit.
    prop_oneof![
        12 => (-400..400_i32).prop_map(|x| Cell::Float(f64::from(x) / 4.0)),
        1 => any::<i64>().prop_map(Cell::Integer),
        1 => any::<u64>().prop_map(Cell::Unsigned),
        1 => prop::collection::vec(any::<u8>(), 0..4).prop_map(Cell::String),
        1 => any::<bool>().prop_map(Cell::Boolean),
    ]
}

fn point() -> impl Strategy<Value = Point> {
    let fields = prop::sample::subsequence(&FIELDS[..], 1..=3).prop_flat_map(|names| {
        (
            Just(names.clone()),
            prop::collection::vec(cell(), names.len()),
        )
    });
    let names = (
        prop::sample::select(&MEASUREMENTS[..]),
        prop::sample::select(&KEYS[..]),
    );
    (names, time(), fields).prop_map(|((measurement, key), time, (names, cells))| Point {
        measurement,
        key,
        time,
        fields: names.into_iter().zip(cells).collect(),
    })
}

fn predicate() -> impl Strategy<Value = Predicate> {
    let tag = |key: &'static str, test: Test, absent: Absent| Predicate::Tag {
        key: key.into(),
        test,
        absent,
    };
    prop_oneof![
        3 => Just(Predicate::All),
        1 => Just(tag("h", Test::Is(b"a".to_vec()), Absent::NoMatch)),
        1 => Just(tag("h", Test::IsNot(b"a".to_vec()), Absent::Empty)),
        1 => Just(tag("r", Test::IsNot(b"x".to_vec()), Absent::NoMatch)),
        1 => Just(Predicate::Or(
            Box::new(tag("r", Test::Is(b"x".to_vec()), Absent::Empty)),
            Box::new(tag("h", Test::Is(b"b".to_vec()), Absent::Empty)),
        )),
    ]
}

fn action() -> impl Strategy<Value = Action> {
    let few = prop::option::of((1..5_usize, any::<bool>()))
        .prop_map(|few| few.map(|(rows, descending)| Few { rows, descending }));
    let measurement = prop::option::of(prop::sample::select(&MEASUREMENTS[..]));
    prop_oneof![
        8 => prop::collection::vec(point(), 1..12).prop_map(Action::Write),
        2 => (measurement, range(), predicate()).prop_map(|(m, r, p)| Action::Delete(m, r, p)),
        4 => (1..8_usize).prop_map(Action::Merge),
        1 => Just(Action::Sweep),
        1 => Just(Action::Restart),
        1 => Just(Action::Begin),
        3 => (range(), few).prop_map(|(range, few)| Action::Check(range, few)),
    ]
}

/// Small chunks, pages and pieces, so that few points are many of them.
fn options() -> impl Strategy<Value = CompactorOptions> {
    let sizes = (1..6_usize, 1..24_usize, 1..40_usize).prop_map(|(page, text, segment)| Sizes {
        page_rows: page,
        page_text: text,
        segment_rows: page.max(segment),
        piece_bytes: 64,
    });
    (sizes, 1..60_usize, 1..5_usize, 1..5_usize, any::<bool>()).prop_map(
        |(sizes, rows, fresh_count, fan_in, quiet)| CompactorOptions {
            fresh_count,
            fan_in: fan_in + 1,
            quiet_age: if quiet {
                Duration::ZERO
            } else {
                Duration::from_secs(3600)
            },
            tombstone_age: Duration::ZERO,
            fresh_grace: Duration::ZERO,
            chunk_grace: Duration::ZERO,
            limits: Limits {
                rows,
                series: rows,
                sizes,
            },
            ..CompactorOptions::default()
        },
    )
}

fn run(world: &mut World, actions: Vec<Action>) {
    let mut begun = None;
    for action in actions {
        match action {
            Action::Write(points) => world.write(&points),
            Action::Delete(measurement, range, predicate) => {
                world.delete(measurement, range, &predicate);
            }
            Action::Merge(steps) => world.merge(steps),
            Action::Sweep => {
                begun = None;
                world.sweep();
            }
            Action::Restart => world.restart(),
            Action::Begin => begun = Some((world.snapshot(), world.points.clone())),
            Action::Check(range, few) => {
                world.check(&world.snapshot(), &world.points, range, few);
                if let Some((snapshot, points)) = &begun {
                    world.check(snapshot, points, range, few);
                }
            }
        }
    }
    world.check(&world.snapshot(), &world.points, TimeRange::ALL, None);
    assert!(world.settles_within(500), "background work ends");
    world.check(&world.snapshot(), &world.points, TimeRange::ALL, None);
    let (_, tombstones) = world.shape();
    assert_eq!(tombstones, 0, "deletes have become real");
}

fn runtime() -> Arc<Runtime> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    Arc::new(runtime.unwrap())
}

/// Any actions on stores made by `open`, which has a bucket with shards of an hour in it.
fn check<K>(cases: u32, open: impl Fn(&Runtime) -> (K, Arc<dyn ChunkStore>, BucketId)) {
    let runtime = runtime();
    // More of them for a long run: PROPTEST_CASES=20000.
    let config = Config {
        failure_persistence: None,
        ..match std::env::var_os("PROPTEST_CASES") {
            Some(_) => Config::default(),
            None => Config::with_cases(cases),
        }
    };
    let strategy = (options(), prop::collection::vec(action(), 1..40));
    let result = TestRunner::new(config).run(&strategy, |(options, actions)| {
        let (kept, store, bucket) = open(&runtime);
        run(
            &mut World::new(Arc::clone(&runtime), store, bucket, HOUR, options),
            actions,
        );
        drop(kept);
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

#[test]
fn queries_agree_with_a_plain_map() {
    let bucket = BucketId::new(7).unwrap();
    check(200, |_| {
        ((), MemoryStore::new(HOUR) as Arc<dyn ChunkStore>, bucket)
    });
}

#[test]
fn queries_agree_with_a_plain_map_on_sqlite() {
    check(12, |runtime| {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteOptions::new(folder.path().join("influxd.sqlite"));
        let store = runtime.block_on(SqliteStore::open(options)).unwrap();
        let bucket = runtime.block_on(add_bucket(&*store)).unwrap();
        (folder, store as Arc<dyn ChunkStore>, bucket)
    });
}

/// Adds an organization with a bucket.
async fn add_bucket(store: &dyn Store) -> influxd_store::Result<BucketId> {
    let org = OrgId::new(3).expect("3 is not 0");
    let id = BucketId::new(7).expect("7 is not 0");
    let mut transaction = store.begin().await?;
    let organization = Organization {
        id: org,
        name: "o".into(),
        description: String::new(),
        created_at: 0,
        updated_at: 0,
    };
    transaction.organizations().insert(&organization).await?;
    let bucket = Bucket {
        id,
        org,
        name: "b".into(),
        kind: BucketKind::User,
        description: String::new(),
        policy: String::new(),
        retention: None,
        shard_duration: HOUR,
        created_at: 0,
        updated_at: 0,
    };
    transaction.buckets().insert(&bucket).await?;
    transaction.commit().await?;
    Ok(id)
}
