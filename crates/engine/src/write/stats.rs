//! Counters of the way in.

use prometheus::{Histogram, HistogramOpts, IntCounter, IntGauge, Registry};

/// What `/metrics` shows of writing.
#[derive(Debug, Clone)]
pub struct WriteStats {
    /// Points stored.
    pub points: IntCounter,
    /// Points refused while the rest of their body was stored.
    pub refused: IntCounter,
    /// Bodies read again because types or windows had to be agreed first.
    pub agreements: IntCounter,
    /// Commits that failed.
    pub failed: IntCounter,
    /// Seconds that a commit took.
    pub commit_seconds: Histogram,
    /// Bytes of chunks in a commit.
    pub commit_bytes: Histogram,
    /// Bytes of bodies that wait for their commit.
    pub queued_bytes: IntGauge,
}

impl WriteStats {
    /// Makes the counters and registers them.
    ///
    /// # Errors
    /// If the registry has metrics of these names already.
    pub fn register(registry: &Registry) -> prometheus::Result<Self> {
        let seconds = HistogramOpts::new(
            "influxd_commit_duration_seconds",
            "Time that a group commit of chunks took",
        )
        .buckets(prometheus::exponential_buckets(0.0001, 2.0, 16)?);
        let bytes = HistogramOpts::new(
            "influxd_commit_size_bytes",
            "Bytes of the chunks in a group commit",
        )
        .buckets(prometheus::exponential_buckets(256.0, 4.0, 10)?);
        let stats = Self {
            points: IntCounter::new("influxd_points_written_total", "Points stored")?,
            refused: IntCounter::new(
                "influxd_points_refused_total",
                "Points refused while the rest of their body was stored",
            )?,
            agreements: IntCounter::new(
                "influxd_field_agreements_total",
                "Bodies that had to wait until field types were agreed",
            )?,
            failed: IntCounter::new("influxd_commits_failed_total", "Group commits that failed")?,
            commit_seconds: Histogram::with_opts(seconds)?,
            commit_bytes: Histogram::with_opts(bytes)?,
            queued_bytes: IntGauge::new(
                "influxd_write_queue_bytes",
                "Bytes of bodies that wait for their commit",
            )?,
        };
        registry.register(Box::new(stats.points.clone()))?;
        registry.register(Box::new(stats.refused.clone()))?;
        registry.register(Box::new(stats.agreements.clone()))?;
        registry.register(Box::new(stats.failed.clone()))?;
        registry.register(Box::new(stats.commit_seconds.clone()))?;
        registry.register(Box::new(stats.commit_bytes.clone()))?;
        registry.register(Box::new(stats.queued_bytes.clone()))?;
        Ok(stats)
    }
}
