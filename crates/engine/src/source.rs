//! What a query asks of the points: the line between executing InfluxQL and storing chunks.
//!
//! The executor (`query`) sees only these traits. The engine implements them over chunks; a
//! plain in-memory model implements them for the tests.

use std::sync::Arc;

use influxd_model::{BucketId, FieldType, TimeRange};
use influxd_store::StoreError;

use crate::chunk::Column;
use crate::index::{MeasurementIndex, SeriesId};
use crate::predicate::Predicate;

/// Why points could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stored chunk is damaged.
    #[error(transparent)]
    Chunk(#[from] crate::chunk::ChunkError),
    /// Points moved while they were read, more often than can be explained.
    #[error("the points moved while they were read")]
    Moved,
}

/// All buckets. Its methods block: call them where blocking is allowed.
pub trait Source: Sync {
    /// A bucket as it is now: everything that any server acknowledged before the call is in it.
    /// A bucket without points is an empty snapshot.
    fn snapshot(&self, bucket: BucketId) -> Result<Arc<dyn Snapshot>, ReadError>;

    /// Deletes points; durable when it returns.
    fn delete(&self, bucket: BucketId, delete: Delete) -> Result<(), StoreError>;
}

/// A delete.
#[derive(Debug, Clone)]
pub struct Delete {
    /// Only of this measurement; `None`: of whatever the predicate takes.
    pub measurement: Option<Vec<u8>>,
    /// Only points in this range.
    pub range: TimeRange,
    /// Only of series that it takes.
    pub predicate: Predicate,
}

/// A stretch of time within one shard window, with few enough points to hold in memory. In a
/// slice every field has one type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slice {
    /// The stretch.
    pub range: TimeRange,
    /// The start of its shard window.
    pub window_start: i64,
}

/// The points of one series in a slice.
#[derive(Debug, Clone)]
pub struct Block {
    /// The series.
    pub series: SeriesId,
    /// The times at which at least one of the fields asked for has a value: ascending, unique.
    pub times: Vec<i64>,
    /// For each field asked for its values at those times; `None` where it has none at all.
    /// The columns have the window's type of the field.
    pub columns: Vec<Option<Column>>,
}

/// A bucket at one moment. Whatever happens later, it goes on showing the same points.
pub trait Snapshot: Send + Sync {
    /// Names of the measurements with at least one series, sorted by bytes.
    fn measurements(&self) -> Vec<Vec<u8>>;

    /// The series of a measurement, and the tags' index. May know series without any point left:
    /// see [`Self::living`]. `None` if there is no such measurement.
    fn index(&self, measurement: &[u8]) -> Option<Arc<MeasurementIndex>>;

    /// The series of a measurement that live in windows overlapping `range`, in ascending order
    /// of ids. A series whose only points were refused for their fields lives, too.
    fn living(&self, measurement: &[u8], range: TimeRange) -> Result<Vec<SeriesId>, ReadError>;

    /// (name, type) of the fields of a measurement in windows overlapping `range`, sorted; a
    /// field with several types among the windows comes once for each.
    fn fields(&self, measurement: &[u8], range: TimeRange) -> Vec<(Vec<u8>, FieldType)>;

    /// How many shard windows with points of the measurement overlap `range` (EXPLAIN).
    fn window_count(&self, measurement: &[u8], range: TimeRange) -> usize;

    /// Cuts `range` into slices in ascending order that hold all points of the measurement in it.
    /// With `few` only the first (or, if `descending`, the last) handful of rows is likely to be
    /// needed, so that the slices at that end are small.
    fn slices(&self, measurement: &[u8], range: TimeRange, few: Option<Few>) -> Vec<Slice>;

    /// The points of some series in a slice: a block for each series that has any, in the order
    /// of `series`.
    fn read(
        &self,
        measurement: &[u8],
        series: &[SeriesId],
        fields: &[&[u8]],
        slice: Slice,
    ) -> Result<Vec<Block>, ReadError>;
}

/// A hint that a query will stop early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Few {
    /// About so many rows of the whole measurement are needed.
    pub rows: usize,
    /// They are the latest ones.
    pub descending: bool,
}
