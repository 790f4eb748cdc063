//! What this server knows of the points in the store: which chunks live, which deletes apply,
//! which windows and field types were agreed. Never the points themselves.
//!
//! The catalogue is the sum of all polls of the store's [`Follower`](influxd_store::Follower)
//! (storage study 8.6). Its states are immutable and shared, so a query keeps the one that it
//! began with; a poll makes the next one.

mod apply;
mod follow;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Instant;

use influxd_model::{BucketId, FieldType, TimeRange};
use influxd_store::Version;

use crate::predicate::Predicate;

pub use follow::{Follow, FollowError, Passed};

/// A name of a measurement: any bytes.
pub type Measurement = Arc<[u8]>;

/// All buckets, as of one poll.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    /// Every transaction below it has ended and is in here.
    pub low: Version,
    /// Raised whenever everything was learned anew: caches keyed by ids of an older history are
    /// void.
    pub history: u64,
    /// The buckets that have anything.
    pub buckets: HashMap<BucketId, Arc<BucketState>>,
}

/// What is known of a bucket.
#[derive(Debug, Clone, Default)]
pub struct BucketState {
    /// The shard windows by their start.
    pub windows: BTreeMap<i64, Window>,
    /// The versions of their rows: a window may die and come again.
    window_versions: BTreeMap<i64, Version>,
    /// Everything with chunks or field types.
    pub measurements: BTreeMap<Measurement, Arc<MeasurementState>>,
    /// The deletes, in the order of their versions.
    pub tombstones: Arc<[Arc<Tombstone>]>,
}

/// A shard window: `start <= time < end`, and the very last instant belongs to the last window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The first instant in it.
    pub start: i64,
    /// The first instant after it.
    pub end: i64,
}

impl Window {
    /// The same with both ends included.
    pub const fn range(self) -> TimeRange {
        let max = if self.end == i64::MAX {
            i64::MAX
        } else {
            self.end - 1
        };
        TimeRange {
            min: self.start,
            max,
        }
    }
}

/// What is known of a measurement of a bucket.
#[derive(Debug, Clone, Default)]
pub struct MeasurementState {
    /// The living chunks, in the order of writes: a later one wins over an earlier one.
    pub chunks: Vec<Arc<ChunkInfo>>,
    /// The living field types, by window start and name.
    pub fields: BTreeMap<i64, BTreeMap<Arc<[u8]>, FieldInfo>>,
}

/// The agreed type of a field in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldInfo {
    /// The type that counts. A chunk's column of another type is as deleted.
    pub field_type: FieldType,
    /// When it was agreed. Columns of chunks that are older (`newest` below it) are as deleted.
    pub version: Version,
}

/// A chunk's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ChunkName {
    /// A row of `fresh_chunks`.
    Fresh(i64),
    /// A row of `chunks`.
    Merged(i64),
}

/// A chunk, without its content.
#[derive(Debug, Clone)]
pub struct ChunkInfo {
    /// Its name.
    pub name: ChunkName,
    /// Its bucket.
    pub bucket: BucketId,
    /// Its measurement.
    pub measurement: Measurement,
    /// The smallest version merged into it.
    pub oldest: Version,
    /// The greatest version merged into it: its place in the order of writes.
    pub newest: Version,
    /// Its place among the chunks of one transaction; 0 for merged ones.
    pub part: i32,
    /// 0 for fresh chunks.
    pub level: i16,
    /// For merged chunks the start of the one window that holds them; `None` for fresh ones,
    /// which may span windows.
    pub window_start: Option<i64>,
    /// The times in it.
    pub range: TimeRange,
    /// How many rows it has.
    pub rows: u64,
    /// Bytes of it in the store.
    pub bytes: u64,
    /// When this server first heard of it.
    pub seen: Instant,
}

impl ChunkInfo {
    /// What decides which of two chunks wins: the greater.
    pub fn order(&self) -> (Version, i32) {
        (self.newest, self.part)
    }
}

/// A delete.
#[derive(Debug, Clone)]
pub struct Tombstone {
    /// Its name in the store.
    pub id: i64,
    /// It hides points of chunks whose `newest` is smaller.
    pub version: Version,
    /// Its measurement; `None`: whatever the predicate takes.
    pub measurement: Option<Measurement>,
    /// Only points in here.
    pub range: TimeRange,
    /// Only of series that it takes.
    pub predicate: Predicate,
    /// When this server first heard of it.
    pub seen: Instant,
}

impl Tombstone {
    /// Whether any point of `chunk` may be hidden by it.
    pub fn touches(&self, chunk: &ChunkInfo) -> bool {
        chunk.newest < self.version
            && self.range.overlaps(chunk.range)
            && self.may_take(&chunk.measurement)
    }

    /// Whether it may take series of a measurement.
    pub fn may_take(&self, measurement: &[u8]) -> bool {
        self.measurement
            .as_ref()
            .is_none_or(|m| **m == *measurement)
            && self.predicate.may_match_measurement(measurement)
    }

    /// Whether it hides all of `chunk`, whatever series are in it.
    pub fn covers(&self, chunk: &ChunkInfo) -> bool {
        self.touches(chunk) && self.range.covers(chunk.range) && !self.predicate.depends_on_tags()
    }
}

impl BucketState {
    /// The window that contains `time`.
    pub fn window(&self, time: i64) -> Option<Window> {
        let (_, window) = self.windows.range(..=time).next_back()?;
        window.range().contains(time).then_some(*window)
    }

    /// The windows that overlap `range`, ascending.
    pub fn windows_in(&self, range: TimeRange) -> impl Iterator<Item = Window> + '_ {
        self.windows
            .values()
            .copied()
            .filter(move |w| w.range().overlaps(range))
    }

    /// The deletes that touch a chunk, in the order of their versions.
    pub fn tombstones_of<'a>(
        &'a self,
        chunk: &'a ChunkInfo,
    ) -> impl Iterator<Item = &'a Arc<Tombstone>> {
        self.tombstones.iter().filter(move |t| t.touches(chunk))
    }
}

impl MeasurementState {
    /// The type that counts for a field in the window that starts at `window_start`.
    pub fn field(&self, window_start: i64, name: &[u8]) -> Option<FieldInfo> {
        self.fields.get(&window_start)?.get(name).copied()
    }
}
