//! A bucket in a store, written to, deleted from, merged and read; and the same in a plain map.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use influxd_engine::catalogue::Follow;
use influxd_engine::chunk::{Column, FreshChunk, NamedColumn, Value};
use influxd_engine::content::Contents;
use influxd_engine::index::SeriesId;
use influxd_engine::merge::{CompactorOptions, MergeStats, Step, Sweeper, Worker};
use influxd_engine::predicate::Predicate;
use influxd_engine::read::BucketSnapshot;
use influxd_engine::source::{Few, Snapshot};
use influxd_model::{BucketId, TimeRange};
use influxd_store::{ChunkStore, FieldWant, Forget, NewFreshChunk, NewTombstone};
use tokio::runtime::Runtime;

use crate::points::{Cell, Point, Points};

pub const MEASUREMENTS: [&str; 2] = ["cpu", "mem"];
pub const KEYS: [&str; 5] = ["", "h=a", "h=a,r=x", "h=b", "h=c"];
pub const FIELDS: [&str; 3] = ["f", "g", "h"];

pub struct World {
    runtime: Arc<Runtime>,
    store: Arc<dyn ChunkStore>,
    bucket: BucketId,
    options: CompactorOptions,
    server: Server,
    pub points: Points,
}

/// What a process has in memory.
struct Server {
    follow: Follow,
    contents: Arc<Contents>,
    worker: Worker,
    sweeper: Sweeper,
}

impl World {
    pub fn new(
        runtime: Arc<Runtime>,
        store: Arc<dyn ChunkStore>,
        bucket: BucketId,
        shard_duration: i64,
        options: CompactorOptions,
    ) -> Self {
        let server = Server::start(&runtime, &store, &options);
        let points = Points {
            shard_duration,
            ..Points::default()
        };
        Self {
            runtime,
            store,
            bucket,
            options,
            server,
            points,
        }
    }

    /// Writes points as one body: one transaction.
    pub fn write(&mut self, points: &[Point]) {
        let want = |point: &Point| {
            let of_point = |(name, cell): &(&'static str, Cell)| FieldWant {
                time: point.time,
                measurement: point.measurement.into(),
                name: (*name).into(),
                field_type: cell.field_type(),
            };
            point.fields.iter().map(of_point).collect::<Vec<_>>()
        };
        let wants = points.iter().flat_map(want).collect();
        let agreed = self
            .runtime
            .block_on(self.store.agree(self.bucket, wants))
            .unwrap();

        // Rows by series and time, and refused points apart: they may be in other windows.
        let mut stored: BTreeMap<&str, BTreeMap<&str, BTreeMap<i64, BTreeMap<&str, Cell>>>> =
            BTreeMap::new();
        let mut refused = Vec::new();
        for point in points {
            if self.points.write(point) {
                let row = (stored.entry(point.measurement).or_default())
                    .entry(point.key)
                    .or_default()
                    .entry(point.time)
                    .or_default();
                row.extend(point.fields.iter().cloned());
            } else {
                refused.push(point);
            }
        }
        let mut chunks = Vec::new();
        for (measurement, series) in stored {
            let times: BTreeSet<i64> = series.values().flat_map(|s| s.keys().copied()).collect();
            let (min, max) = (*times.first().unwrap(), *times.last().unwrap());
            let mut known = Vec::new();
            // Where all is in one window, the refused points go along.
            let window = self.points.window(min);
            if window.contains(max) {
                refused.retain(|point| {
                    let fits = point.measurement == measurement && window.contains(point.time);
                    if fits {
                        known.push((point.key, point.time));
                    }
                    !fits
                });
            }
            let hull = known
                .iter()
                .fold((min, max), |(a, b), (_, t)| (a.min(*t), b.max(*t)));
            let known: Vec<&str> = known.iter().map(|(key, _)| *key).collect();
            chunks.push((measurement, hull, fresh_chunk(&series, &known)));
        }
        for point in refused {
            let hull = (point.time, point.time);
            chunks.push((
                point.measurement,
                hull,
                fresh_chunk(&BTreeMap::new(), &[point.key]),
            ));
        }
        let new = chunks
            .iter()
            .zip(0..)
            .map(|((measurement, (min, max), chunk), part)| NewFreshChunk {
                bucket: self.bucket,
                epoch: agreed.epoch,
                part,
                measurement: (*measurement).into(),
                min_time: *min,
                max_time: *max,
                row_count: chunk.times.len() as i64,
                body: chunk.encode(),
            });
        let history = self.server.follow.latest().history;
        let written = self
            .runtime
            .block_on(self.store.commit(new.collect()))
            .unwrap();
        assert_eq!(
            written.chunks.len(),
            chunks.len(),
            "all chunks were written"
        );
        // Some of what was written is kept, as the ingest may do.
        for (part, id) in written.chunks {
            if id % 2 == 0 {
                let chunk = Arc::new(chunks[part as usize].2.clone());
                self.server.contents.put_fresh(history, id, chunk);
            }
        }
    }

    pub fn delete(
        &mut self,
        measurement: Option<&'static str>,
        range: TimeRange,
        predicate: &Predicate,
    ) {
        let forgets = !predicate.depends_on_tags();
        let forget = match (forgets, measurement) {
            (false, _) => Forget::Nothing,
            (true, Some(name)) => Forget::Measurements(vec![name.into()]),
            (true, None) => Forget::Everything,
        };
        let tombstone = NewTombstone {
            bucket: self.bucket,
            measurement: measurement.map(Into::into),
            min_time: range.min,
            max_time: range.max,
            predicate: predicate.encode(),
            forget,
        };
        self.runtime.block_on(self.store.bury(tombstone)).unwrap();
        self.points.delete(measurement, range, predicate, forgets);
    }

    /// Does at most so many pieces of background work.
    pub fn merge(&mut self, steps: usize) {
        for _ in 0..steps {
            if self.runtime.block_on(self.server.worker.step()).unwrap() == Step::Idle {
                return;
            }
        }
    }

    /// Whether there is no background work left after so many pieces.
    pub fn settles_within(&mut self, steps: usize) -> bool {
        (0..steps).any(|_| self.runtime.block_on(self.server.worker.step()).unwrap() == Step::Idle)
    }

    /// The chunks that live, by level, and the deletes.
    pub fn shape(&self) -> (BTreeMap<i16, usize>, usize) {
        let catalogue = self.runtime.block_on(self.server.follow.now()).unwrap();
        let mut levels = BTreeMap::new();
        let Some(bucket) = catalogue.buckets.get(&self.bucket) else {
            return (levels, 0);
        };
        for chunk in bucket.measurements.values().flat_map(|of| &of.chunks) {
            *levels.entry(chunk.level).or_default() += 1;
        }
        (levels, bucket.tombstones.len())
    }

    pub fn sweep(&mut self) {
        self.runtime.block_on(self.server.follow.now()).unwrap();
        self.runtime
            .block_on(self.server.sweeper.sweep(true))
            .unwrap();
    }

    pub fn restart(&mut self) {
        self.server = Server::start(&self.runtime, &self.store, &self.options);
    }

    pub fn snapshot(&self) -> BucketSnapshot {
        let Server {
            follow, contents, ..
        } = &self.server;
        let catalogue = self.runtime.block_on(follow.now()).unwrap();
        BucketSnapshot::new(Arc::clone(contents), follow.clone(), catalogue, self.bucket)
    }

    /// Compares everything that a snapshot can tell with the map.
    pub fn check(
        &self,
        snapshot: &dyn Snapshot,
        points: &Points,
        range: TimeRange,
        few: Option<Few>,
    ) {
        let all = TimeRange {
            min: i64::MIN,
            max: i64::MAX,
        };
        for name in snapshot.measurements() {
            let name = MEASUREMENTS
                .iter()
                .find(|m| m.as_bytes() == name)
                .expect("it was written");
            assert!(
                !points.living(name, all).1.is_empty(),
                "{name} has a series"
            );
        }
        let names = snapshot.measurements();
        for name in MEASUREMENTS {
            if !points.living(name, all).0.is_empty() {
                assert!(names.contains(&name.into()), "{name} is listed");
            }
            for range in [all, range] {
                check_living(snapshot, points, name, range);
                check_fields(snapshot, points, name, range);
                check_points(snapshot, points, name, range, few);
            }
        }
    }
}

impl Server {
    fn start(runtime: &Runtime, store: &Arc<dyn ChunkStore>, options: &CompactorOptions) -> Self {
        let _entered = runtime.enter();
        let follow = Follow::start(Arc::clone(store), Duration::from_secs(3600));
        let handle = runtime.handle().clone();
        // Small enough that things have to be fetched again.
        let contents = Arc::new(Contents::new(Arc::clone(store), handle, 64 << 10));
        let stats = MergeStats::register(&prometheus::Registry::new()).unwrap();
        let worker = Worker::new(
            Arc::clone(store),
            follow.clone(),
            Arc::clone(&contents),
            options.clone(),
            stats.clone(),
        );
        let sweeper = Sweeper::new(Arc::clone(store), follow.clone(), options.clone(), stats);
        Self {
            follow,
            contents,
            worker,
            sweeper,
        }
    }
}

type Series<'a> = BTreeMap<&'a str, BTreeMap<i64, BTreeMap<&'a str, Cell>>>;

fn fresh_chunk(series: &Series<'_>, known: &[&str]) -> FreshChunk {
    let mut chunk = FreshChunk::default();
    let mut columns: BTreeMap<(&str, influxd_model::FieldType), Column> = BTreeMap::new();
    // First-seen order is any order: here backwards.
    for (key, rows) in series.iter().rev() {
        chunk.series.push((key.as_bytes().to_vec(), rows.len()));
        for (time, row) in rows {
            for (name, cell) in row {
                let field_type = cell.field_type();
                let column = columns
                    .entry((name, field_type))
                    .or_insert_with(|| Column::absent(field_type, chunk.times.len()));
                column.pad_to(chunk.times.len());
                column.push(match cell {
                    Cell::Float(x) => Value::Float(*x),
                    Cell::Integer(x) => Value::Integer(*x),
                    Cell::Unsigned(x) => Value::Unsigned(*x),
                    Cell::String(x) => Value::String(x),
                    Cell::Boolean(x) => Value::Boolean(*x),
                });
            }
            chunk.times.push(*time);
        }
    }
    let known: BTreeSet<&&str> = known
        .iter()
        .filter(|key| !series.contains_key(**key))
        .collect();
    chunk
        .series
        .extend(known.into_iter().map(|key| (key.as_bytes().to_vec(), 0)));
    for ((name, _), mut column) in columns {
        column.pad_to(chunk.times.len());
        chunk.columns.push(NamedColumn {
            name: name.into(),
            column,
        });
    }
    chunk
}

fn check_living(snapshot: &dyn Snapshot, points: &Points, name: &str, range: TimeRange) {
    let living = snapshot.living(name.as_bytes(), range).unwrap();
    assert!(living.is_sorted_by(|a, b| a < b), "ascending");
    let index = snapshot.index(name.as_bytes());
    let keys: BTreeSet<String> = living
        .iter()
        .map(|id| index.as_ref().unwrap().series(*id).key.to_vec())
        .map(|key| String::from_utf8(key).unwrap())
        .collect();
    let keys: BTreeSet<&str> = keys.iter().map(String::as_str).collect();
    let (surely, maybe) = points.living(name, range);
    assert!(
        surely.is_subset(&keys),
        "{name} {range:?}: {surely:?} live, found {keys:?}"
    );
    assert!(
        keys.is_subset(&maybe),
        "{name} {range:?}: only {maybe:?} may live, found {keys:?}"
    );
}

fn check_fields(snapshot: &dyn Snapshot, points: &Points, name: &'static str, range: TimeRange) {
    let fields = snapshot.fields(name.as_bytes(), range);
    assert!(fields.is_sorted(), "sorted");
    let fields: BTreeSet<_> = fields
        .iter()
        .map(|(field, t)| (*FIELDS.iter().find(|f| f.as_bytes() == field).unwrap(), *t))
        .collect();
    let (surely, maybe) = points.fields(name, range);
    assert!(
        surely.is_subset(&fields),
        "{name} {range:?}: {surely:?}, found {fields:?}"
    );
    assert!(
        fields.is_subset(&maybe),
        "{name} {range:?}: only {maybe:?}, found {fields:?}"
    );
}

fn check_points(
    snapshot: &dyn Snapshot,
    points: &Points,
    name: &'static str,
    range: TimeRange,
    few: Option<Few>,
) {
    let slices = snapshot.slices(name.as_bytes(), range, few);
    for pair in slices.windows(2) {
        assert!(pair[0].range.max < pair[1].range.min, "slices ascend");
    }
    // Unknown fields are allowed, and all orders of series.
    let wanted: [&str; 3] = ["g", "none", "f"];
    let names: Vec<&[u8]> = wanted.iter().map(|name| name.as_bytes()).collect();
    let index = snapshot.index(name.as_bytes());
    let mut series: Vec<SeriesId> = index
        .iter()
        .flat_map(|index| KEYS.iter().filter_map(|key| index.find(key.as_bytes())))
        .collect();
    if range.min % 2 == 0 {
        series.reverse();
    }
    let mut found = BTreeMap::new();
    for slice in slices {
        assert!(
            range.covers(slice.range) && !slice.range.is_empty(),
            "slices lie in the range"
        );
        let window = points.window(slice.range.min.max(i64::MIN + 2));
        assert!(window.covers(slice.range), "slices lie in windows");
        assert_eq!(window.min, slice.window_start);
        let blocks = snapshot
            .read(name.as_bytes(), &series, &names, slice)
            .unwrap();
        let order: Vec<SeriesId> = blocks.iter().map(|block| block.series).collect();
        let expected = series.iter().copied().filter(|id| order.contains(id));
        assert_eq!(
            order,
            expected.collect::<Vec<_>>(),
            "blocks are in the order asked for"
        );
        for block in blocks {
            assert!(!block.times.is_empty() && block.times.is_sorted_by(|a, b| a < b));
            let key = &index.as_ref().unwrap().series(block.series).key;
            let key = *KEYS.iter().find(|k| k.as_bytes() == &**key).unwrap();
            for (row, time) in block.times.iter().enumerate() {
                assert!(slice.range.contains(*time));
                let mut cells = BTreeMap::new();
                for (name, column) in wanted.iter().zip(&block.columns) {
                    let Some(column) = column else { continue };
                    assert_eq!(column.len(), block.times.len());
                    if let Some(value) = column.get(row) {
                        cells.insert(*name, cell(value));
                    }
                }
                assert!(!cells.is_empty(), "a row has a value");
                found.insert((key, *time), cells);
            }
            for column in block.columns.iter().flatten() {
                assert!(column.count_present() > 0, "a column has a value");
            }
        }
    }
    let mut expected = BTreeMap::new();
    for ((m, key, time), row) in &points.rows {
        let cells: BTreeMap<&str, Cell> = row
            .iter()
            .filter(|(n, _)| wanted.contains(n))
            .map(|(n, c)| (*n, c.clone()))
            .collect();
        if *m == name && range.contains(*time) && !cells.is_empty() {
            expected.insert((*key, *time), cells);
        }
    }
    assert_eq!(found, expected, "the points of {name} in {range:?}");
}

fn cell(value: Value<'_>) -> Cell {
    match value {
        Value::Float(x) => Cell::Float(x),
        Value::Integer(x) => Cell::Integer(x),
        Value::Unsigned(x) => Cell::Unsigned(x),
        Value::Boolean(x) => Cell::Boolean(x),
        Value::String(x) => Cell::String(x.to_vec()),
    }
}
