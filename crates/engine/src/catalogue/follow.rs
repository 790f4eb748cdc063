//! Keeping the catalogue up to date: one poll serves all who asked before it began.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use influxd_store::{ChunkStore, Followed, Follower, StoreError, Version};
use tokio::sync::{mpsc, oneshot};

use super::Catalogue;

/// A poll failed. All who waited for it get the same error.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the store could not be followed")]
pub struct FollowError(#[source] Arc<StoreError>);

impl From<FollowError> for StoreError {
    fn from(error: FollowError) -> Self {
        Self::Unavailable(Box::new(error))
    }
}

type Answer = oneshot::Sender<Result<Arc<Catalogue>, FollowError>>;

/// The catalogue, and the task that follows the store. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Follow {
    requests: mpsc::UnboundedSender<Answer>,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    latest: RwLock<Arc<Catalogue>>,
    passed: Mutex<Passed>,
}

/// When this server's `low` was where: what dead rows wait for before they are removed.
#[derive(Debug, Default)]
pub struct Passed(VecDeque<(Instant, Version)>);

impl Passed {
    /// How far apart the entries are: removal need not be more punctual than that.
    const STEP: Duration = Duration::from_millis(500);
    const KEPT: usize = 8192;

    fn note(&mut self, now: Instant, low: Version) {
        if self
            .0
            .back()
            .is_none_or(|(at, _)| now.duration_since(*at) >= Self::STEP)
        {
            if self.0.len() == Self::KEPT {
                self.0.pop_front();
            }
            self.0.push_back((now, low));
        }
    }

    /// The greatest version whose death was passed at least `grace` ago.
    fn before(&self, now: Instant, grace: Duration) -> Option<Version> {
        let passed = |(at, _): &&(Instant, Version)| now.duration_since(*at) >= grace;
        self.0.iter().rev().find(passed).map(|(_, low)| low - 1)
    }
}

impl Follow {
    /// Starts following; ends when the last clone is dropped. Polls at least every `interval`.
    pub fn start(store: Arc<dyn ChunkStore>, interval: Duration) -> Self {
        let (requests, queue) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared::default());
        let task = Task {
            store,
            queue,
            shared: Arc::clone(&shared),
            follower: None,
        };
        tokio::spawn(task.run(interval));
        Self { requests, shared }
    }

    /// The catalogue of a poll that began after this call: it holds everything that any server
    /// had acknowledged by now.
    pub async fn now(&self) -> Result<Arc<Catalogue>, FollowError> {
        let (answer, result) = oneshot::channel();
        let gone = || {
            FollowError(Arc::new(StoreError::Unavailable(
                "the engine has stopped".into(),
            )))
        };
        self.requests.send(answer).map_err(|_| gone())?;
        result.await.map_err(|_| gone())?
    }

    /// The catalogue of the latest poll, without waiting for one.
    pub fn latest(&self) -> Arc<Catalogue> {
        Arc::clone(
            &self
                .shared
                .latest
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// The greatest version whose death this server passed at least `grace` ago.
    pub fn passed_before(&self, grace: Duration) -> Option<Version> {
        let passed = self
            .shared
            .passed
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        passed.before(Instant::now(), grace)
    }
}

struct Task {
    store: Arc<dyn ChunkStore>,
    queue: mpsc::UnboundedReceiver<Answer>,
    shared: Arc<Shared>,
    follower: Option<Box<dyn Follower>>,
}

impl Task {
    async fn run(mut self, interval: Duration) {
        let mut waiting: Vec<Answer> = Vec::new();
        loop {
            match tokio::time::timeout(interval, self.queue.recv()).await {
                Ok(None) => return,
                Ok(Some(first)) => waiting.push(first),
                Err(_) => {}
            }
            while let Ok(next) = self.queue.try_recv() {
                waiting.push(next);
            }
            let result = self.poll().await;
            if let Err(error) = &result {
                tracing::debug!(error = %error.0, "could not follow the store");
            }
            for answer in waiting.drain(..) {
                // Whoever went away does not need the answer.
                let _ = answer.send(result.clone());
            }
        }
    }

    /// Polls, and starts all over when the connection was lost or deaths were missed (8.6).
    async fn poll(&mut self) -> Result<Arc<Catalogue>, FollowError> {
        match self.try_poll().await {
            Ok(catalogue) => Ok(catalogue),
            Err(error) => {
                self.follower = None;
                Err(FollowError(Arc::new(error)))
            }
        }
    }

    async fn try_poll(&mut self) -> Result<Arc<Catalogue>, StoreError> {
        let known = Arc::clone(
            &self
                .shared
                .latest
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        );
        if let Some(follower) = &mut self.follower {
            match follower.poll(known.low).await {
                Ok(found) if found.horizon < known.low => return self.take(&known, found),
                Ok(found) => {
                    tracing::info!(
                        horizon = found.horizon,
                        low = known.low,
                        "deaths were missed, learning the catalogue anew"
                    );
                }
                Err(error) => tracing::warn!(%error, "following the store failed, connecting anew"),
            }
        }
        self.follower = None;
        let mut follower = self.store.follower().await?;
        let found = follower.poll(0).await?;
        self.follower = Some(follower);
        let empty = Catalogue {
            history: known.history + 1,
            ..Catalogue::default()
        };
        self.take(&empty, found)
    }

    fn take(&self, known: &Catalogue, found: Followed) -> Result<Arc<Catalogue>, StoreError> {
        let now = Instant::now();
        let low = found.low;
        let next = Arc::new(known.apply(found, now)?);
        *self
            .shared
            .latest
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Arc::clone(&next);
        self.shared
            .passed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .note(now, low);
        Ok(next)
    }
}
