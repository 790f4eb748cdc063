//! What becomes of a sealed group: a transaction, and answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Instant;

use influxd_model::BucketId;
use influxd_store::{ChunkStore, Committed, NewFreshChunk, StoreError};

use super::WriteError;
use super::body::{Event, Member, answer};
use super::stats::WriteStats;

/// Commits groups, and tells everybody in them.
pub(super) struct Committer {
    pub(super) store: Arc<dyn ChunkStore>,
    pub(super) events: mpsc::Sender<Event>,
    pub(super) in_flight: AtomicUsize,
    pub(super) stats: WriteStats,
    pub(super) committed: Arc<dyn Fn() + Send + Sync>,
}

impl Committer {
    /// Commits what a group became, and answers everybody in it.
    pub(super) async fn commit(
        self: Arc<Self>,
        members: Vec<Member>,
        encoded: Result<Vec<NewFreshChunk>, StoreError>,
    ) {
        let result = match encoded {
            Ok(chunks) => self.write(chunks).await,
            Err(error) => Err(error),
        };
        self.in_flight.fetch_sub(1, Ordering::AcqRel);
        let again = self.answer(members, result);
        let event = if again.is_empty() {
            Event::SlotFree
        } else {
            Event::Again(again)
        };
        // Without the thread there is nothing left to do.
        let _ = self.events.send(event);
    }

    /// Commits, and says which buckets' chunks were refused as out of date.
    async fn write(&self, chunks: Vec<NewFreshChunk>) -> Result<Vec<BucketId>, StoreError> {
        let parts: Vec<(i32, BucketId)> = chunks.iter().map(|c| (c.part, c.bucket)).collect();
        let bytes: usize = chunks.iter().map(|c| c.body.len()).sum();
        let began = Instant::now();
        let Committed {
            chunks: written, ..
        } = self.store.commit(chunks).await?;
        self.stats
            .commit_seconds
            .observe(began.elapsed().as_secs_f64());
        self.stats.commit_bytes.observe(bytes as f64);
        (self.committed)();
        let is_written = |part: i32| written.iter().any(|(p, _)| *p == part);
        Ok(parts
            .into_iter()
            .filter(|(part, _)| !is_written(*part))
            .map(|(_, b)| b)
            .collect())
    }

    /// Answers everybody in the group; returns those who must be read again.
    fn answer(
        &self,
        members: Vec<Member>,
        result: Result<Vec<BucketId>, StoreError>,
    ) -> Vec<Member> {
        match result {
            Ok(stale) => {
                let mut again = Vec::new();
                for member in members {
                    if stale.contains(&member.body.request.grant.bucket()) {
                        again.push(member);
                        continue;
                    }
                    let dropped = member.partial.as_ref().map_or(0, |p| p.dropped);
                    self.stats.points.inc_by(member.points as u64);
                    self.stats.refused.inc_by(dropped as u64);
                    let result = member
                        .partial
                        .map_or(Ok(()), |p| Err(WriteError::Partial(p)));
                    answer(member.body, result);
                }
                again
            }
            Err(error) => {
                self.stats.failed.inc();
                let alone = members.len() == 1;
                if matches!(error, StoreError::Refused(_)) && !alone {
                    // One of them spoils it: each gets a transaction of its own.
                    let mut members = members;
                    for member in &mut members {
                        member.body.alone = true;
                    }
                    return members;
                }
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    bodies = members.len(),
                    "a group commit failed"
                );
                let shared = SharedError(Arc::new(error));
                for member in members {
                    answer(member.body, Err(WriteError::Store(shared.for_one())));
                }
                Vec::new()
            }
        }
    }
}

/// One failure that many have to hear of.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the group commit failed")]
struct SharedError(#[source] Arc<StoreError>);

impl SharedError {
    fn for_one(&self) -> StoreError {
        match *self.0 {
            StoreError::Refused(_) | StoreError::Corrupt { .. } | StoreError::Unusable(_) => {
                StoreError::Refused(Box::new(self.clone()))
            }
            StoreError::NotFound(_) | StoreError::Conflict(_) | StoreError::Unavailable(_) => {
                StoreError::Unavailable(Box::new(self.clone()))
            }
        }
    }
}
