//! The way in: bodies of line protocol become chunks, committed in groups.
//!
//! One thread parses whatever has arrived into the columns of the present group; as soon as the
//! store can take another transaction the group is sealed, sorted, encoded and committed, and
//! everybody in it is answered (storage study 8.5). There is no artificial wait. A body is one
//! transaction: wholly there, or not at all.

mod body;
mod bucket;
mod committer;
mod ingest;
mod keys;
mod refusal;
mod seal;
mod sink;
mod stats;
mod table;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use influxd_line_protocol::{ParseErrors, Precision};
use influxd_model::WriteGrant;
use influxd_store::StoreError;

pub use ingest::{Ingest, IngestOptions};
pub use refusal::PartialWrite;
pub use stats::WriteStats;

/// A body of line protocol, and what to know to read it.
#[derive(Debug, Clone)]
pub struct WriteRequest {
    /// The proof that its sender may write, and to which bucket.
    pub grant: WriteGrant,
    /// How long the bucket keeps points, nanoseconds: older ones are refused.
    pub retention: Option<i64>,
    /// The lines.
    pub body: Bytes,
    /// The unit of their time stamps.
    pub precision: Precision,
    /// The time of lines without a time stamp, nanoseconds.
    pub default_time: i64,
    /// The time of the request, nanoseconds.
    pub now: i64,
}

/// Why a body, or part of it, was not stored.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// At least one line is malformed; nothing was stored.
    #[error(transparent)]
    Parse(ParseErrors),
    /// Some points were refused; the others are stored and durable.
    #[error(transparent)]
    Partial(PartialWrite),
    /// Too much is waiting; nothing was stored. Trying again later will help.
    #[error("too many writes are waiting")]
    QueueFull,
    /// The bucket was deleted meanwhile; nothing was stored.
    #[error("the bucket is gone")]
    BucketGone,
    /// The store failed. What became of the body is unknown; sending it again does no harm.
    #[error(transparent)]
    Store(#[from] StoreError),
}
