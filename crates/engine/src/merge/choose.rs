//! Which chunks to merge next: the rules of storage study 8.6 and 8.7.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use influxd_model::BucketId;
use influxd_store::Version;

use super::CompactorOptions;
use super::run::Run;
use crate::catalogue::{ChunkInfo, ChunkName, Measurement, MeasurementState};

/// A merge of level 0 takes about so many bytes, rows and chunks at most.
const FRESH_BYTES: u64 = 12 << 20;
const FRESH_ROWS: u64 = 4 << 20;
const FRESH_CHUNKS: usize = 4096;
/// A merge of higher levels takes at most so many rows: their times lie in memory.
const ROWS: u64 = 16 << 20;
/// A measurement of a bucket, looked at for something to merge.
pub(super) struct Candidate<'a> {
    pub(super) bucket: BucketId,
    pub(super) measurement: &'a Measurement,
    pub(super) state: &'a MeasurementState,
    pub(super) low: Version,
    pub(super) now: Instant,
    pub(super) options: &'a CompactorOptions,
}

impl Candidate<'_> {
    fn run(&self, chunks: Vec<Arc<ChunkInfo>>, level: i16) -> Run {
        Run {
            bucket: self.bucket,
            measurement: Arc::clone(self.measurement),
            chunks,
            level,
        }
    }

    fn is_older(&self, seen: Instant, age: std::time::Duration) -> bool {
        self.now.saturating_duration_since(seen) >= age
    }

    /// The oldest level 0 chunks, if they are many, large or old enough, or if a delete waits for
    /// one of them to be rewritten (`is_awaited`). Always a prefix in the order of writes that
    /// parts no transaction.
    pub(super) fn fresh(&self, is_awaited: impl Fn(&ChunkInfo) -> bool) -> Option<Run> {
        let is_fresh = |chunk: &&Arc<ChunkInfo>| matches!(chunk.name, ChunkName::Fresh(_));
        let complete: Vec<&Arc<ChunkInfo>> = self
            .state
            .chunks
            .iter()
            .filter(is_fresh)
            .take_while(|chunk| chunk.newest < self.low)
            .collect();
        let bytes: u64 = complete.iter().map(|chunk| chunk.bytes).sum();
        let is_due = complete.len() >= self.options.fresh_count
            || bytes >= self.options.fresh_bytes
            || complete
                .iter()
                .any(|c| self.is_older(c.seen, self.options.fresh_age))
            || complete.iter().any(|chunk| is_awaited(chunk));
        if !is_due || complete.is_empty() {
            return None;
        }
        let (mut taken, mut bytes, mut rows) = (Vec::new(), 0, 0);
        for of_one in complete.chunk_by(|a, b| a.newest == b.newest) {
            bytes += of_one.iter().map(|chunk| chunk.bytes).sum::<u64>();
            rows += of_one.iter().map(|chunk| chunk.rows).sum::<u64>();
            let is_full = bytes > FRESH_BYTES || rows > FRESH_ROWS || taken.len() >= FRESH_CHUNKS;
            if is_full && !taken.is_empty() {
                break;
            }
            taken.extend(of_one.iter().map(|chunk| Arc::clone(chunk)));
        }
        Some(self.run(taken, 1))
    }

    /// Merged chunks of one window, if enough are of one level, or if nothing new has come for
    /// long.
    pub(super) fn merged(&self) -> Option<Run> {
        let mut windows: BTreeMap<i64, Vec<&Arc<ChunkInfo>>> = BTreeMap::new();
        for chunk in &self.state.chunks {
            if let Some(start) = chunk.window_start {
                windows.entry(start).or_default().push(chunk);
            }
        }
        let fresh = self.state.chunks.iter().filter(|chunk| chunk.level == 0);
        let oldest_fresh = fresh
            .map(|chunk| chunk.oldest)
            .min()
            .unwrap_or(Version::MAX);
        let end = oldest_fresh.min(self.low);
        windows.into_values().find_map(|chunks| {
            let units = units(chunks, end);
            self.full_level(&units).or_else(|| self.quiet(&units))
        })
    }

    /// What is so large is not merged again for its number alone.
    fn is_large(&self, unit: &Unit<'_>) -> bool {
        unit.rows > self.options.limits.rows as u64 / 2
    }

    /// Enough neighbours of one level, none between or below them of a higher one.
    fn full_level(&self, units: &[Unit<'_>]) -> Option<Run> {
        let top = units
            .iter()
            .filter(|unit| !self.is_large(unit))
            .map(|unit| unit.level)
            .max()?;
        (1..=top).find_map(|level| {
            let fits = |unit: &Unit<'_>| unit.level <= level && !self.is_large(unit);
            units
                .chunk_by(|a, b| fits(a) == fits(b))
                .find_map(|stretch| {
                    let of_level = stretch
                        .iter()
                        .filter(|u| fits(u) && u.level == level)
                        .count();
                    let enough = of_level >= self.options.fan_in;
                    enough.then(|| self.together(stretch, level.saturating_add(1)))?
                })
        })
    }

    /// What is left in a window where nothing has changed for long.
    fn quiet(&self, units: &[Unit<'_>]) -> Option<Run> {
        let is_quiet = |unit: &Unit<'_>| {
            unit.chunks
                .iter()
                .all(|chunk| self.is_older(chunk.seen, self.options.quiet_age))
        };
        if !units.iter().all(is_quiet) {
            return None;
        }
        units
            .chunk_by(|a, b| self.is_large(a) == self.is_large(b))
            .find_map(|stretch| {
                let rows: u64 = stretch.iter().map(|unit| unit.rows).sum();
                let largest = stretch.iter().map(|unit| unit.rows).max()?;
                // A little beside much is not worth writing the much again.
                let pays = (rows - largest).saturating_mul(16) >= largest;
                let level = stretch.iter().map(|unit| unit.level).max()?;
                let is_large = self.is_large(&stretch[0]);
                (stretch.len() > 1 && pays && !is_large).then(|| self.together(stretch, level))?
            })
    }

    /// The oldest of these as a run, as far as the limit goes.
    fn together(&self, units: &[Unit<'_>], level: i16) -> Option<Run> {
        let mut rows = 0;
        let fitting = units.iter().take_while(|unit| {
            rows += unit.rows;
            rows <= ROWS
        });
        let units = &units[..fitting.count()];
        let chunks = units
            .iter()
            .flat_map(|unit| unit.chunks.iter().map(|c| Arc::clone(c)));
        (units.len() > 1).then(|| self.run(chunks.collect(), level))
    }
}

/// Chunks of a window that must not be parted: their places in the order of writes overlap.
struct Unit<'a> {
    chunks: Vec<&'a Arc<ChunkInfo>>,
    newest: Version,
    level: i16,
    rows: u64,
}

/// The units of a window that lie wholly before `end`, in the order of writes.
fn units(mut chunks: Vec<&Arc<ChunkInfo>>, end: Version) -> Vec<Unit<'_>> {
    chunks.sort_by_key(|chunk| (chunk.oldest, chunk.newest));
    let mut units: Vec<Unit<'_>> = Vec::new();
    for chunk in chunks {
        match units.last_mut() {
            Some(unit) if chunk.oldest <= unit.newest => {
                unit.newest = unit.newest.max(chunk.newest);
                unit.level = unit.level.max(chunk.level);
                unit.rows += chunk.rows;
                unit.chunks.push(chunk);
            }
            _ => units.push(Unit {
                chunks: vec![chunk],
                newest: chunk.newest,
                level: chunk.level,
                rows: chunk.rows,
            }),
        }
    }
    units.retain(|unit| unit.newest < end);
    units
}
