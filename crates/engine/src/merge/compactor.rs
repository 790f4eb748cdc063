//! The background task.

use std::sync::Arc;
use std::time::{Duration, Instant};

use influxd_store::ChunkStore;
use prometheus::Registry;
use tokio::sync::{Mutex, Notify, watch};
use tokio::task::JoinHandle;

use super::{CompactorOptions, MergeStats, Step, Sweeper, Worker};
use crate::catalogue::Follow;
use crate::content::Contents;

/// Commits may come by the thousand; looks for work do not.
const SHORTEST_PAUSE: Duration = Duration::from_millis(200);
/// The longest wait after errors.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Merges and removes in the background until it is stopped or dropped.
#[derive(Debug)]
pub struct Compactor {
    nudge: Nudge,
    stop: watch::Sender<bool>,
    task: Mutex<Option<JoinHandle<()>>>,
}

/// Tells the compactor that there may be work. Cheap to clone and to use.
#[derive(Debug, Clone)]
pub struct Nudge(Arc<Notify>);

impl Nudge {
    /// There may be work.
    pub fn nudge(&self) {
        self.0.notify_one();
    }
}

impl Compactor {
    /// Starts on the present runtime; its metrics go to `registry`.
    ///
    /// # Errors
    /// If the registry has metrics of these names already.
    pub fn start(
        store: Arc<dyn ChunkStore>,
        follow: Follow,
        contents: Arc<Contents>,
        options: CompactorOptions,
        registry: &Registry,
    ) -> prometheus::Result<Self> {
        let stats = MergeStats::register(registry)?;
        let nudge = Nudge(Arc::new(Notify::new()));
        let (stop, stopped) = watch::channel(false);
        let worker = Worker::new(
            Arc::clone(&store),
            follow.clone(),
            contents,
            options.clone(),
            stats.clone(),
        );
        let sweeper = Sweeper::new(store, follow, options.clone(), stats.clone());
        let task = Task {
            worker,
            sweeper,
            options,
            stats,
            nudge: nudge.clone(),
            stopped,
        };
        let task = Mutex::new(Some(tokio::spawn(task.run())));
        Ok(Self { nudge, stop, task })
    }

    /// A handle that makes it look for work soon.
    pub fn nudge(&self) -> Nudge {
        self.nudge.clone()
    }

    /// Stops. A merge that has begun is dropped, which changes nothing, or finishes first.
    pub async fn stop(&self) {
        self.stop.send_replace(true);
        if let Some(task) = self.task.lock().await.take() {
            // A panic in the task was reported when it happened.
            let _ = task.await;
        }
    }
}

struct Task {
    worker: Worker,
    sweeper: Sweeper,
    options: CompactorOptions,
    stats: MergeStats,
    nudge: Nudge,
    stopped: watch::Receiver<bool>,
}

impl Task {
    async fn run(mut self) {
        let mut swept = Instant::now();
        let mut pause = self.options.interval;
        loop {
            if !self.wait(pause).await {
                return;
            }
            pause = match self.round(&mut swept).await {
                Ok(()) => self.options.interval,
                Err(error) => {
                    self.stats.failed.inc();
                    let next = (pause * 2).clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        retry_s = next.as_secs_f64(),
                        "merging chunks failed, trying again later"
                    );
                    next
                }
            };
        }
    }

    /// Waits for a nudge, but not too short, or for the pause to end. `false`: it is over.
    async fn wait(&mut self, pause: Duration) -> bool {
        let shortest = SHORTEST_PAUSE.min(pause);
        let failed = pause > self.options.interval;
        let wake = async {
            tokio::time::sleep(shortest).await;
            if failed {
                tokio::time::sleep(pause.saturating_sub(shortest)).await;
            } else {
                let rest = pause.saturating_sub(shortest);
                // Nudged or not, it is time to look.
                let _ = tokio::time::timeout(rest, self.nudge.0.notified()).await;
            }
        };
        tokio::select! {
            () = wake => true,
            // An error means that the compactor was dropped.
            _ = self.stopped.wait_for(|stop| *stop) => false,
        }
    }

    async fn round(&mut self, swept: &mut Instant) -> Result<(), influxd_store::StoreError> {
        loop {
            if *self.stopped.borrow() {
                return Ok(());
            }
            let step = self.worker.step().await?;
            if swept.elapsed() >= self.options.sweep_interval {
                *swept = Instant::now();
                self.sweeper.sweep(step == Step::Idle).await?;
            }
            if step == Step::Idle {
                return Ok(());
            }
        }
    }
}
