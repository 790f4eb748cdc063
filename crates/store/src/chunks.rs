//! The chunk store: points as columnar chunks in rows, and what decides how they are read.
//!
//! The rules are those of storage study 8.1 and 8.5 to 8.7. A [`Version`] is the number of the
//! transaction that wrote a row (PostgreSQL: its transaction id plus an offset; SQLite: a counter
//! raised by every transaction that writes here). All order between writes is by version.

use async_trait::async_trait;
use influxd_model::{BucketId, FieldType};

use crate::Result;

/// The number of a transaction that wrote to the chunk store. Starts above zero.
pub type Version = i64;

/// A level 0 chunk to write: one bucket's and one measurement's share of a group of bodies.
#[derive(Debug, Clone)]
pub struct NewFreshChunk {
    /// Its bucket.
    pub bucket: BucketId,
    /// The bucket's epoch that the writer's knowledge of field types stems from. If the bucket
    /// has another one, or is gone, the chunk is not written.
    pub epoch: Version,
    /// Its place among the chunks of its transaction.
    pub part: i32,
    /// Its measurement, any bytes.
    pub measurement: Vec<u8>,
    /// The earliest time in it, nanoseconds.
    pub min_time: i64,
    /// The latest time in it, nanoseconds.
    pub max_time: i64,
    /// How many rows it has.
    pub row_count: i64,
    /// The encoded chunk.
    pub body: Vec<u8>,
}

/// What became of a commit.
#[derive(Debug, Clone)]
pub struct Committed {
    /// The transaction's number.
    pub version: Version,
    /// (part, id) of the chunks written, in any order. A part that is missing was refused
    /// because its bucket is gone or has another epoch.
    pub chunks: Vec<(i32, i64)>,
}

/// A point's time and one of its fields, for which a window and a type must be agreed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FieldWant {
    /// A time of the window meant, nanoseconds.
    pub time: i64,
    /// The measurement.
    pub measurement: Vec<u8>,
    /// The field.
    pub name: Vec<u8>,
    /// The type that the writer would give it.
    pub field_type: FieldType,
}

/// What is agreed about a bucket's windows and fields.
#[derive(Debug, Clone)]
pub struct Agreed {
    /// The bucket's epoch, read in the same transaction.
    pub epoch: Version,
    /// The windows that contain the times asked for.
    pub windows: Vec<WindowRow>,
    /// The fields asked for, each with the type that counts, whoever set it.
    pub fields: Vec<FieldRow>,
}

/// A level 0 chunk as others see it, without its body.
#[derive(Debug, Clone)]
pub struct FreshRow {
    /// A name, never an order.
    pub id: i64,
    /// The transaction that wrote it.
    pub version: Version,
    /// Its place in that transaction.
    pub part: i32,
    /// The transaction that compacted or dropped it.
    pub died: Option<Version>,
    /// Its bucket.
    pub bucket: BucketId,
    /// Its measurement.
    pub measurement: Vec<u8>,
    /// The earliest time in it.
    pub min_time: i64,
    /// The latest time in it.
    pub max_time: i64,
    /// How many rows it has.
    pub row_count: i64,
    /// Bytes of its body.
    pub body_bytes: i64,
}

/// A chunk of level 1 or above as others see it, without head and pieces.
#[derive(Debug, Clone)]
pub struct ChunkRow {
    /// A name, never an order.
    pub id: i64,
    /// The transaction that wrote it.
    pub version: Version,
    /// The smallest version among what was merged into it.
    pub oldest: Version,
    /// The greatest version among what was merged into it: its place in the order of writes.
    pub newest: Version,
    /// The transaction that compacted or dropped it.
    pub died: Option<Version>,
    /// How often its content was merged.
    pub level: i16,
    /// Its bucket.
    pub bucket: BucketId,
    /// Its measurement.
    pub measurement: Vec<u8>,
    /// The start of the shard window that holds all of it.
    pub window_start: i64,
    /// The earliest time in it.
    pub min_time: i64,
    /// The latest time in it.
    pub max_time: i64,
    /// How many rows it has.
    pub row_count: i64,
    /// Bytes of its head and pieces.
    pub bytes: i64,
}

/// A delete, applied when reading until a merge makes it real.
#[derive(Debug, Clone)]
pub struct TombstoneRow {
    /// A name, never an order.
    pub id: i64,
    /// It hides points of chunks whose newest version is smaller.
    pub version: Version,
    /// The transaction that retired it.
    pub died: Option<Version>,
    /// Its bucket.
    pub bucket: BucketId,
    /// Its measurement; `None`: the predicate says which.
    pub measurement: Option<Vec<u8>>,
    /// The first instant that it covers.
    pub min_time: i64,
    /// The last instant that it covers.
    pub max_time: i64,
    /// The encoded predicate.
    pub predicate: Vec<u8>,
}

/// A shard window of a bucket: `start <= time < end`. Windows of a bucket never overlap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowRow {
    /// Its bucket.
    pub bucket: BucketId,
    /// The first instant in it.
    pub start: i64,
    /// The first instant after it (saturating: `i64::MAX` is in the last window).
    pub end: i64,
    /// The transaction that added it.
    pub version: Version,
    /// The transaction that dropped it.
    pub died: Option<Version>,
}

/// The type of a field in a shard window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldRow {
    /// Its bucket.
    pub bucket: BucketId,
    /// The start of its window.
    pub window_start: i64,
    /// The measurement.
    pub measurement: Vec<u8>,
    /// The field.
    pub name: Vec<u8>,
    /// Its type.
    pub field_type: FieldType,
    /// The transaction that agreed it.
    pub version: Version,
    /// The transaction that dropped it.
    pub died: Option<Version>,
}

/// The epoch of a bucket: the version of the last delete that changed its field types, or 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpochRow {
    /// The bucket.
    pub bucket: BucketId,
    /// Its epoch.
    pub epoch: Version,
}

/// What a poll found: all rows with `version >= since` or `died >= since`, of one snapshot.
#[derive(Debug, Clone, Default)]
pub struct Followed {
    /// Every transaction below this has ended, and its rows were in this or an earlier answer.
    /// Poll from here next time.
    pub low: Version,
    /// The greatest `died` whose row may have been removed. A follower whose last `low` is not
    /// above it has missed deaths and must start again from 0.
    pub horizon: Version,
    /// Level 0 chunks.
    pub fresh: Vec<FreshRow>,
    /// Chunks of level 1 and above.
    pub chunks: Vec<ChunkRow>,
    /// Deletes.
    pub tombstones: Vec<TombstoneRow>,
    /// Shard windows.
    pub windows: Vec<WindowRow>,
    /// Field types.
    pub fields: Vec<FieldRow>,
    /// Buckets whose epoch is at least `since`.
    pub epochs: Vec<EpochRow>,
}

/// Follows what all servers commit, on a connection of its own.
///
/// Any error ends it: its connection may have gone to another server or another history. Then
/// everything learned from it, and caches keyed by id, are void; make a new one and start at 0.
#[async_trait]
pub trait Follower: Send {
    /// What was committed since the poll that returned `since` as its `low`; 0 at first. With 0
    /// rows that are dead already are left out.
    async fn poll(&mut self, since: Version) -> Result<Followed>;
}

/// A new delete.
#[derive(Debug, Clone)]
pub struct NewTombstone {
    /// Its bucket.
    pub bucket: BucketId,
    /// Its measurement; `None`: the predicate says which.
    pub measurement: Option<Vec<u8>>,
    /// The first instant that it covers.
    pub min_time: i64,
    /// The last instant that it covers.
    pub max_time: i64,
    /// The encoded predicate.
    pub predicate: Vec<u8>,
    /// Whose field types go with it, in the windows that `min_time..=max_time` covers whole.
    pub forget: Forget,
}

/// Which field types a delete ends, in the windows that it covers whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Forget {
    /// None: it has a condition on tags.
    Nothing,
    /// Those of these measurements. The windows stay.
    Measurements(Vec<Vec<u8>>),
    /// Those of all measurements of the bucket; and the windows end with them, so that the next
    /// point there begins one of the bucket's present shard duration.
    Everything,
}

/// A piece of a column of a chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPiece {
    /// 0 is time.
    pub column_no: i32,
    /// From 0.
    pub piece_no: i32,
    /// The piece.
    pub data: Vec<u8>,
}

/// A chunk of level 1 or above to write.
#[derive(Debug, Clone)]
pub struct NewChunk {
    /// See [`ChunkRow::oldest`].
    pub oldest: Version,
    /// See [`ChunkRow::newest`].
    pub newest: Version,
    /// See [`ChunkRow::level`].
    pub level: i16,
    /// Its bucket.
    pub bucket: BucketId,
    /// Its measurement.
    pub measurement: Vec<u8>,
    /// The start of its shard window.
    pub window_start: i64,
    /// The earliest time in it.
    pub min_time: i64,
    /// The latest time in it.
    pub max_time: i64,
    /// How many rows it has.
    pub row_count: i64,
    /// The encoded head.
    pub head: Vec<u8>,
    /// Its pieces.
    pub pieces: Vec<NewPiece>,
}

/// Old for new, in one transaction.
#[derive(Debug, Clone, Default)]
pub struct Replacement {
    /// Level 0 chunks that die.
    pub fresh: Vec<i64>,
    /// Chunks of level 1 and above that die.
    pub chunks: Vec<i64>,
    /// Tombstones that die.
    pub tombstones: Vec<i64>,
    /// What takes their place; may be nothing.
    pub new: Vec<NewChunk>,
}

/// What became of a replacement.
#[derive(Debug, Clone)]
pub struct Replaced {
    /// The transaction's number.
    pub version: Version,
    /// The ids of the new chunks, in the order given.
    pub ids: Vec<i64>,
}

/// A piece's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PieceKey {
    /// The chunk's id.
    pub chunk: i64,
    /// 0 is time.
    pub column_no: i32,
    /// From 0.
    pub piece_no: i32,
}

/// Which dead rows to remove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dead {
    /// Level 0 chunks.
    Fresh,
    /// Chunks of level 1 and above, with their pieces.
    Chunks,
    /// Tombstones, windows and field types.
    Marks,
}

/// An exclusive claim on some work, held by one process among all servers. Dropping it gives it
/// back; so does the loss of its connection, whether its holder notices or not.
pub trait Claim: Send + Sync {}

/// The chunk store.
#[async_trait]
pub trait ChunkStore: std::fmt::Debug + Send + Sync + 'static {
    /// How many commits may run at once with profit.
    fn commits_in_flight(&self) -> usize;

    /// Writes a group of chunks in one transaction; returns once it is durable.
    async fn commit(&self, chunks: Vec<NewFreshChunk>) -> Result<Committed>;

    /// Agrees windows and field types of a bucket with all other servers: what is there counts,
    /// what is not is added (storage study 8.3 and 8.5). Missing windows get the bucket's present
    /// shard duration, aligned as `shard_window` aligns it, and cut where they would overlap.
    /// [`NotFound`](crate::StoreError::NotFound) if the bucket is gone.
    async fn agree(&self, bucket: BucketId, wants: Vec<FieldWant>) -> Result<Agreed>;

    /// Adds a delete, ends field types (and windows, see [`Forget`]) with it, and raises the
    /// bucket's epoch to the returned version where something ended. `NotFound` if the bucket is
    /// gone.
    async fn bury(&self, tombstone: NewTombstone) -> Result<Version>;

    /// A new follower.
    async fn follower(&self) -> Result<Box<dyn Follower>>;

    /// (id, body) of level 0 chunks, in any order; one that is gone is left out.
    async fn fresh_bodies(&self, ids: &[i64]) -> Result<Vec<(i64, Vec<u8>)>>;

    /// (id, head) of chunks, in any order; one that is gone is left out.
    async fn heads(&self, ids: &[i64]) -> Result<Vec<(i64, Vec<u8>)>>;

    /// Pieces, in any order; one that is gone is left out. Keep answers to tens of MB.
    async fn pieces(&self, keys: &[PieceKey]) -> Result<Vec<(PieceKey, Vec<u8>)>>;

    /// Claims the work that `key` stands for; `None` while somebody else has it.
    async fn claim(&self, key: i64) -> Result<Option<Box<dyn Claim>>>;

    /// Puts new chunks in the place of old ones. `None`, and nothing has changed, if any of the
    /// old ones is dead or gone already.
    async fn replace(&self, replacement: Replacement) -> Result<Option<Replaced>>;

    /// Lets the chunks (all levels), tombstones, windows and field types of deleted buckets die,
    /// at most `limit` chunks at once. Returns how many chunks died.
    async fn retire_deleted_buckets(&self, limit: u32) -> Result<u64>;

    /// Removes at most `limit` rows that died in or before version `up_to`, and raises the horizon in the
    /// same transaction. Returns how many rows went.
    async fn remove_dead(&self, what: Dead, up_to: Version, limit: u32) -> Result<u64>;

    /// Gives freed space back where the database does not do so by itself. Called when idle.
    async fn tidy(&self) -> Result<()>;

    /// Gauges for `/metrics`: (name without prefix, help, value), such as database size and how
    /// far the oldest running transaction lags behind.
    async fn gauges(&self) -> Result<Vec<(&'static str, &'static str, f64)>>;
}

/// The window of `duration` that contains `time`: [start, end), aligned to Mondays 00:00 UTC for
/// whole weeks as InfluxDB does (its zero time is Monday, 0001-01-01), saturating at both ends of
/// time (data-endpoints 10.8).
pub const fn shard_window(time: i64, duration: i64) -> (i64, i64) {
    // Nanoseconds from 0001-01-01 to 1970-01-01 do not fit an i64; only the remainder counts.
    const ZERO_TO_EPOCH_S: i128 = 62_135_596_800;
    let duration = if duration < 1 { 1 } else { duration } as i128;
    let since_zero = time as i128 + ZERO_TO_EPOCH_S * 1_000_000_000;
    let start = since_zero - since_zero.rem_euclid(duration) - ZERO_TO_EPOCH_S * 1_000_000_000;
    let end = start + duration;
    let start = if start < i64::MIN as i128 {
        i64::MIN
    } else {
        start as i64
    };
    let end = if end > i64::MAX as i128 {
        i64::MAX
    } else {
        end as i64
    };
    (start, end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_start_on_mondays() {
        let week = 7 * 86_400_000_000_000;
        // 2020-01-01 is a Wednesday; its week began on 2019-12-30.
        let (start, end) = shard_window(1_577_836_800_000_000_000, week);
        assert_eq!(start, 1_577_664_000_000_000_000);
        assert_eq!(end - start, week);
        let (again, _) = shard_window(start, week);
        assert_eq!(again, start);
        let (before, _) = shard_window(start - 1, week);
        assert_eq!(before, start - week);
    }

    #[test]
    fn windows_saturate_at_the_ends_of_time() {
        let week = 7 * 86_400_000_000_000;
        let (start, end) = shard_window(i64::MIN + 2, week);
        assert_eq!(start, i64::MIN);
        assert!(end > start);
        let (start, end) = shard_window(i64::MAX - 1, week);
        assert_eq!(end, i64::MAX);
        assert!(start < end);
    }
}
