//! Counters of merging and removing.

use std::time::Duration;

use prometheus::{Counter, IntCounter, IntCounterVec, Opts, Registry};

use super::run::Run;

/// What `/metrics` shows of merging and removing.
#[derive(Debug, Clone)]
pub struct MergeStats {
    /// Merges done, by the level of their results.
    pub(super) merges: IntCounterVec,
    /// Merges and deaths given up because another server was faster.
    pub(super) aborted: IntCounter,
    /// Looks for work that ended with an error.
    pub(super) failed: IntCounter,
    rows: IntCounter,
    bytes_read: IntCounter,
    bytes_written: IntCounter,
    seconds: Counter,
    /// Dead rows removed from the store, by kind.
    pub(super) removed: IntCounterVec,
}

impl MergeStats {
    /// Makes the counters and registers them.
    ///
    /// # Errors
    /// If the registry has metrics of these names already.
    pub fn register(registry: &Registry) -> prometheus::Result<Self> {
        let stats = Self {
            merges: IntCounterVec::new(
                Opts::new(
                    "influxd_merges_total",
                    "Merges of chunks, by the resulting level",
                ),
                &["level"],
            )?,
            aborted: IntCounter::new(
                "influxd_merges_aborted_total",
                "Merges given up because another server was faster",
            )?,
            failed: IntCounter::new(
                "influxd_merges_failed_total",
                "Looks for chunks to merge or remove that ended with an error",
            )?,
            rows: IntCounter::new("influxd_merged_rows_total", "Rows of the chunks merged")?,
            bytes_read: IntCounter::new(
                "influxd_merge_read_bytes_total",
                "Bytes of the chunks merged",
            )?,
            bytes_written: IntCounter::new(
                "influxd_merge_written_bytes_total",
                "Bytes of the chunks that merges made",
            )?,
            seconds: Counter::new("influxd_merge_seconds_total", "Time spent merging")?,
            removed: IntCounterVec::new(
                Opts::new(
                    "influxd_dead_rows_removed_total",
                    "Dead rows removed from the store",
                ),
                &["kind"],
            )?,
        };
        registry.register(Box::new(stats.merges.clone()))?;
        registry.register(Box::new(stats.aborted.clone()))?;
        registry.register(Box::new(stats.failed.clone()))?;
        registry.register(Box::new(stats.rows.clone()))?;
        registry.register(Box::new(stats.bytes_read.clone()))?;
        registry.register(Box::new(stats.bytes_written.clone()))?;
        registry.register(Box::new(stats.seconds.clone()))?;
        registry.register(Box::new(stats.removed.clone()))?;
        Ok(stats)
    }

    pub(super) fn merged(&self, run: &Run, bytes: u64, took: Duration) {
        self.merges
            .with_label_values(&[&run.level.to_string()])
            .inc();
        self.rows.inc_by(run.rows());
        self.bytes_read.inc_by(run.bytes());
        self.bytes_written.inc_by(bytes);
        self.seconds.inc_by(took.as_secs_f64());
    }
}
