//! Removing what died long enough ago that no query can want it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use influxd_store::{ChunkStore, Dead, StoreError};

use super::{CompactorOptions, MergeStats};
use crate::catalogue::Follow;

/// Rows removed in one transaction.
const AT_ONCE: u32 = 1000;
/// Transactions of one kind in one sweep: the rest has time.
const ROUNDS: usize = 50;
/// Freed space is given back once nothing was removed for this long.
const TIDY_AFTER: Duration = Duration::from_secs(10);

/// Removes dead rows. Any number may run, on any number of servers.
#[derive(Debug)]
pub struct Sweeper {
    store: Arc<dyn ChunkStore>,
    follow: Follow,
    options: CompactorOptions,
    stats: MergeStats,
    /// When rows were removed last, unless the space was given back since.
    untidy: Option<Instant>,
}

impl Sweeper {
    /// One that has removed nothing yet.
    pub fn new(
        store: Arc<dyn ChunkStore>,
        follow: Follow,
        options: CompactorOptions,
        stats: MergeStats,
    ) -> Self {
        // What an earlier process removed may still be untidy.
        Self {
            store,
            follow,
            options,
            stats,
            untidy: Some(Instant::now()),
        }
    }

    /// Removes what is due; returns how many rows went. `is_idle`: nobody is merging.
    pub async fn sweep(&mut self, is_idle: bool) -> Result<u64, StoreError> {
        let mut removed = 0;
        let (fresh, chunks) = (self.options.fresh_grace, self.options.chunk_grace);
        for (what, kind, grace) in [
            (Dead::Fresh, "fresh", fresh),
            (Dead::Chunks, "chunks", chunks),
            (Dead::Marks, "marks", chunks),
        ] {
            let Some(up_to) = self.follow.passed_before(grace) else {
                continue;
            };
            for _ in 0..ROUNDS {
                let count = self.store.remove_dead(what, up_to, AT_ONCE).await?;
                self.stats.removed.with_label_values(&[kind]).inc_by(count);
                removed += count;
                if count < u64::from(AT_ONCE) {
                    break;
                }
            }
        }
        for _ in 0..ROUNDS {
            let retired = self.store.retire_deleted_buckets(AT_ONCE).await?;
            removed += retired;
            if retired < u64::from(AT_ONCE) {
                break;
            }
        }
        let now = Instant::now();
        if removed > 0 {
            self.untidy = Some(now);
        } else if is_idle
            && self
                .untidy
                .is_some_and(|since| now.duration_since(since) >= TIDY_AFTER)
        {
            self.store.tidy().await?;
            self.untidy = None;
        }
        Ok(removed)
    }
}
