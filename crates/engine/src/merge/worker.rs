//! Does one piece of work after the other: merges, rewrites beside deletes, deaths.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use influxd_model::BucketId;
use influxd_store::{ChunkStore, Replacement, StoreError, Version};

use super::choose::Candidate;
use super::run::{Run, deaths, settled};
use super::{CompactorOptions, MergeStats};
use crate::catalogue::{
    BucketState, Catalogue, ChunkInfo, ChunkName, Follow, Measurement, MeasurementState, Tombstone,
};
use crate::content::{Contents, Loader};
use crate::source::ReadError;

/// Work that another server has claimed is looked at again after this long.
const CLAIMED_FOR: Duration = Duration::from_secs(2);
/// Merges between two looks for the most urgent ones.
const RUNS_AT_ONCE: usize = 16;
/// Chunks or deletes that die in one transaction.
const DEATHS_AT_ONCE: usize = 500;

/// What a look at the catalogue led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Something was done, or another server did it: look again.
    Worked,
    /// There is nothing to do.
    Idle,
}

/// Looks for work and does it. Any number may run, on any number of servers.
#[derive(Debug)]
pub struct Worker {
    store: Arc<dyn ChunkStore>,
    follow: Follow,
    contents: Arc<Contents>,
    options: CompactorOptions,
    stats: MergeStats,
    history: u64,
    /// Chunks in which a delete that touches them hides nothing (any more).
    clean: HashSet<(ChunkName, i64)>,
    /// Until when work is left to others.
    claimed: HashMap<i64, Instant>,
}

/// The claim under which a run is merged: of level 0 one for the measurement, above one for each
/// window.
fn claim_key(run: &Run) -> i64 {
    let window = match run.chunks.first().and_then(|chunk| chunk.window_start) {
        Some(start) => start.to_le_bytes().to_vec(),
        None => Vec::new(),
    };
    let bucket = run.bucket.to_column().to_le_bytes();
    let name = [
        &bucket[..],
        &(window.len() as u8).to_le_bytes(),
        &window,
        &run.measurement,
    ];
    xxhash_rust::xxh3::xxh3_64(&name.concat()) as i64
}

impl Worker {
    /// One that has nothing done yet.
    pub fn new(
        store: Arc<dyn ChunkStore>,
        follow: Follow,
        contents: Arc<Contents>,
        options: CompactorOptions,
        stats: MergeStats,
    ) -> Self {
        let (clean, claimed) = (HashSet::new(), HashMap::new());
        Self {
            store,
            follow,
            contents,
            options,
            stats,
            history: 0,
            clean,
            claimed,
        }
    }

    /// Does the most urgent pieces of work, if there are any.
    pub async fn step(&mut self) -> Result<Step, StoreError> {
        let catalogue = self.follow.now().await?;
        let now = Instant::now();
        self.settle(&catalogue, now);
        if self.let_covered_die(&catalogue).await? {
            return Ok(Step::Worked);
        }
        for level in [Level::Fresh, Level::Awaited, Level::Merged] {
            let runs = self.find(&catalogue, now, level).await?;
            if !runs.is_empty() {
                for run in runs {
                    self.work(run, level).await?;
                }
                return Ok(Step::Worked);
            }
        }
        if self.let_tombstones_die(&catalogue, now).await? {
            return Ok(Step::Worked);
        }
        self.contents.forget_gone(&catalogue);
        Ok(Step::Idle)
    }

    /// Forgets what means nothing any more.
    fn settle(&mut self, catalogue: &Catalogue, now: Instant) {
        if self.history != catalogue.history {
            self.history = catalogue.history;
            self.clean.clear();
        }
        self.claimed.retain(|_, until| *until > now);
        if !self.clean.is_empty() {
            let tombstones: HashSet<i64> = catalogue
                .buckets
                .values()
                .flat_map(|bucket| bucket.tombstones.iter().map(|t| t.id))
                .collect();
            self.clean
                .retain(|(_, tombstone)| tombstones.contains(tombstone));
        }
    }

    /// Chunks of which a delete hides all die without being looked into.
    async fn let_covered_die(&self, catalogue: &Catalogue) -> Result<bool, StoreError> {
        for bucket in catalogue
            .buckets
            .values()
            .filter(|bucket| !bucket.tombstones.is_empty())
        {
            let covered: Vec<Arc<ChunkInfo>> = bucket
                .measurements
                .values()
                .flat_map(|of| &of.chunks)
                .filter(|chunk| bucket.tombstones.iter().any(|t| t.covers(chunk)))
                .take(DEATHS_AT_ONCE)
                .map(Arc::clone)
                .collect();
            if !covered.is_empty() {
                return self.replace(deaths(&covered)).await;
            }
        }
        Ok(false)
    }

    /// Deletes die that are real everywhere: nothing older is left that they would hide.
    async fn let_tombstones_die(
        &self,
        catalogue: &Catalogue,
        now: Instant,
    ) -> Result<bool, StoreError> {
        for bucket in catalogue.buckets.values() {
            let done: Vec<i64> = bucket
                .tombstones
                .iter()
                .filter(|tombstone| {
                    self.is_due(tombstone, catalogue.low, now)
                        && bucket.measurements.iter().all(|(name, of)| {
                            !tombstone.may_take(name)
                                || of.chunks.iter().all(|chunk| !self.awaits(tombstone, chunk))
                        })
                })
                .take(DEATHS_AT_ONCE)
                .map(|tombstone| tombstone.id)
                .collect();
            if !done.is_empty() {
                let replacement = Replacement {
                    tombstones: done,
                    ..Replacement::default()
                };
                return self.replace(replacement).await;
            }
        }
        Ok(false)
    }

    fn is_due(&self, tombstone: &Tombstone, low: Version, now: Instant) -> bool {
        tombstone.version < low
            && now.saturating_duration_since(tombstone.seen) >= self.options.tombstone_age
    }

    /// Whether a delete may hide something in a chunk.
    fn awaits(&self, tombstone: &Tombstone, chunk: &ChunkInfo) -> bool {
        tombstone.touches(chunk) && !self.clean.contains(&(chunk.name, tombstone.id))
    }

    /// Work of one kind that nobody else has claimed, the oldest first.
    async fn find(
        &mut self,
        catalogue: &Arc<Catalogue>,
        now: Instant,
        level: Level,
    ) -> Result<Vec<Run>, StoreError> {
        let mut found: Vec<Run> = Vec::new();
        for (id, bucket) in &catalogue.buckets {
            if level == Level::Awaited && bucket.tombstones.is_empty() {
                continue;
            }
            for (name, state) in &bucket.measurements {
                let dirty = match level {
                    Level::Awaited => self.dirty(catalogue, *id, bucket, name, state, now).await?,
                    Level::Fresh | Level::Merged => None,
                };
                let candidate = Candidate {
                    bucket: *id,
                    measurement: name,
                    state,
                    low: catalogue.low,
                    now,
                    options: &self.options,
                };
                let run = match level {
                    Level::Fresh => candidate.fresh(|_| false),
                    Level::Merged => candidate.merged(),
                    Level::Awaited => match dirty {
                        None => None,
                        Some(chunk) if chunk.level == 0 => {
                            candidate.fresh(|of| of.name == chunk.name)
                        }
                        Some(chunk) => Some(Run {
                            bucket: *id,
                            measurement: Arc::clone(name),
                            level: chunk.level,
                            chunks: vec![chunk],
                        }),
                    },
                };
                let Some(run) = run else { continue };
                if !self.claimed.contains_key(&claim_key(&run)) {
                    found.push(run);
                }
            }
        }
        // The oldest first, so that no measurement waits for ever behind a busy one.
        found.sort_by_key(Run::oldest);
        found.truncate(RUNS_AT_ONCE);
        Ok(found)
    }

    /// The oldest chunk in which a delete that is due hides something. Chunks in which it does
    /// not are remembered.
    async fn dirty(
        &mut self,
        catalogue: &Arc<Catalogue>,
        id: BucketId,
        bucket: &BucketState,
        name: &Measurement,
        state: &MeasurementState,
        now: Instant,
    ) -> Result<Option<Arc<ChunkInfo>>, StoreError> {
        let due: Vec<Arc<Tombstone>> = bucket
            .tombstones
            .iter()
            .filter(|t| t.may_take(name) && self.is_due(t, catalogue.low, now))
            .map(Arc::clone)
            .collect();
        if due.is_empty() {
            return Ok(None);
        }
        for chunk in state
            .chunks
            .iter()
            .filter(|chunk| chunk.newest < catalogue.low)
        {
            let awaiting: Vec<Arc<Tombstone>> = due
                .iter()
                .filter(|t| self.awaits(t, chunk))
                .map(Arc::clone)
                .collect();
            if awaiting.is_empty() {
                continue;
            }
            let ids: Vec<i64> = awaiting.iter().map(|t| t.id).collect();
            let hidden = {
                let (contents, catalogue) = (Arc::clone(&self.contents), Arc::clone(catalogue));
                let (chunk, name) = (Arc::clone(chunk), Arc::clone(name));
                blocking(move || hides(&contents, &catalogue, id, &name, &chunk, &awaiting)).await?
            };
            if hidden {
                return Ok(Some(Arc::clone(chunk)));
            }
            self.clean
                .extend(ids.into_iter().map(|id| (chunk.name, id)));
        }
        Ok(None)
    }

    /// Merges a run, under a claim and as the catalogue is once that is held.
    async fn work(&mut self, run: Run, level: Level) -> Result<(), StoreError> {
        let key = claim_key(&run);
        let Some(claim) = self.store.claim(key).await? else {
            self.claimed.insert(key, Instant::now() + CLAIMED_FOR);
            return Ok(());
        };
        let catalogue = self.follow.now().await?;
        if !is_current(&run, &catalogue) {
            // Another server has just done it.
            return Ok(());
        }
        let begun = Instant::now();
        let run = Arc::new(run);
        let replacement = {
            let (run, contents) = (Arc::clone(&run), Arc::clone(&self.contents));
            let catalogue = Arc::clone(&catalogue);
            let limits = self.options.limits;
            blocking(move || run.merge(&contents, &catalogue, limits)).await
        };
        let replacement = match replacement {
            Err(ReadError::Moved) => return Ok(()),
            other => other?,
        };
        let (bytes, chunks) = size(&replacement);
        let applied: Vec<i64> = settled(&catalogue, run.bucket)
            .tombstones
            .iter()
            .map(|t| t.id)
            .collect();
        let replaced = self.store.replace(replacement).await?;
        drop(claim);
        if let Some(replaced) = replaced {
            for id in replaced.ids {
                self.clean
                    .extend(applied.iter().map(|of| (ChunkName::Merged(id), *of)));
            }
            self.stats.merged(&run, bytes, begun.elapsed());
            tracing::debug!(
                bucket.id = %run.bucket,
                level = run.level,
                awaited = level == Level::Awaited,
                chunks.old = run.chunks.len(),
                chunks.new = chunks,
                bytes.old = run.bytes(),
                bytes.new = bytes,
                rows = run.rows(),
                "merged chunks"
            );
        } else {
            self.stats.aborted.inc();
            self.claimed.insert(key, Instant::now() + CLAIMED_FOR);
        }
        Ok(())
    }

    /// `false` if another server was faster.
    async fn replace(&self, replacement: Replacement) -> Result<bool, StoreError> {
        let replaced = self.store.replace(replacement).await?;
        if replaced.is_none() {
            self.stats.aborted.inc();
        }
        Ok(replaced.is_some())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    /// Level 0 becomes level 1.
    Fresh,
    /// A delete becomes real.
    Awaited,
    /// Higher levels.
    Merged,
}

fn is_current(run: &Run, catalogue: &Catalogue) -> bool {
    let bucket = catalogue.buckets.get(&run.bucket);
    let Some(state) = bucket.and_then(|bucket| bucket.measurements.get(&run.measurement)) else {
        return false;
    };
    let living: HashSet<ChunkName> = state.chunks.iter().map(|chunk| chunk.name).collect();
    run.chunks.iter().all(|chunk| living.contains(&chunk.name))
}

/// Whether deletes hide something in a chunk.
fn hides(
    contents: &Contents,
    catalogue: &Catalogue,
    bucket: BucketId,
    name: &Measurement,
    chunk: &Arc<ChunkInfo>,
    tombstones: &[Arc<Tombstone>],
) -> Result<bool, ReadError> {
    let loader = Loader {
        keeps: false,
        ..contents.loader(catalogue)
    };
    let mut of = catalogue
        .buckets
        .get(&bucket)
        .map(|state| (**state).clone())
        .unwrap_or_default();
    of.tombstones = tombstones.iter().map(Arc::clone).collect();
    let state = MeasurementState {
        chunks: vec![Arc::clone(chunk)],
        ..MeasurementState::default()
    };
    let state = Arc::new(state);
    let Some(view) = Contents::passing_view(&loader, &of, name, &state)? else {
        return Ok(true);
    };
    super::hidden::hides_any(&view, &loader)
}

fn size(replacement: &Replacement) -> (u64, usize) {
    let bytes = replacement.new.iter().map(|chunk| {
        chunk.head.len()
            + chunk
                .pieces
                .iter()
                .map(|piece| piece.data.len())
                .sum::<usize>()
    });
    (bytes.sum::<usize>() as u64, replacement.new.len())
}

/// Runs what blocks where that is allowed.
async fn blocking<T: Send + 'static>(
    f: impl FnOnce() -> Result<T, ReadError> + Send + 'static,
) -> Result<T, ReadError> {
    match tokio::task::spawn_blocking(f).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(error) => Err(StoreError::Unavailable(Box::new(error)).into()),
        },
    }
}
