//! Merging chunks in the background, making deletes real, and removing what died.
//!
//! Chunks never change: a merge makes new ones out of old ones and puts them in their place in
//! one transaction, which fails if any of the old ones is gone already. So whatever else
//! happens (a stalled server, two that do the same), points are never lost and never double
//! (storage study 8.6 and 8.7).

mod build;
mod choose;
mod compactor;
mod encode;
mod hidden;
mod run;
mod stats;
mod sweep;
mod worker;

use std::time::Duration;

pub use compactor::{Compactor, Nudge};
pub use run::{Limits, Run};
pub use stats::MergeStats;
pub use sweep::Sweeper;
pub use worker::{Step, Worker};

/// When chunks are merged, and when dead ones are removed.
#[derive(Debug, Clone)]
pub struct CompactorOptions {
    /// How long to wait before looking again when there was nothing to do.
    pub interval: Duration,
    /// Level 0 chunks of a measurement are merged when there are so many of them,
    pub fresh_count: usize,
    /// or so many bytes,
    pub fresh_bytes: u64,
    /// or when one has been there for so long.
    pub fresh_age: Duration,
    /// Chunks of one level and window are merged when there are so many of them,
    pub fan_in: usize,
    /// or, whatever their levels, when the window has not changed for so long.
    pub quiet_age: Duration,
    /// How long a delete waits before chunks are rewritten for it.
    pub tombstone_age: Duration,
    /// How long dead level 0 chunks stay for queries that began before.
    pub fresh_grace: Duration,
    /// How long other dead rows stay.
    pub chunk_grace: Duration,
    /// How large chunks become.
    pub limits: Limits,
    /// How often dead rows are removed.
    pub sweep_interval: Duration,
}

impl Default for CompactorOptions {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(1),
            fresh_count: 32,
            fresh_bytes: 8 << 20,
            fresh_age: Duration::from_secs(600),
            fan_in: 8,
            quiet_age: Duration::from_secs(3600),
            tombstone_age: Duration::from_secs(60),
            fresh_grace: Duration::from_secs(120),
            chunk_grace: Duration::from_secs(600),
            limits: Limits::default(),
            sweep_interval: Duration::from_secs(5),
        }
    }
}
