//! Watches whether the store answers, so that `/health` can say so without asking it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use influxd_store::Store;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use crate::error::Causes;

/// The store is asked this often, and has this long to answer.
const INTERVAL: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(2);

/// Whether the store answered when it was last asked.
#[derive(Debug)]
pub(crate) struct Watch {
    up: AtomicBool,
    /// Ends the task; set by [`Self::start`].
    task: Mutex<Option<AbortHandle>>,
}

impl Watch {
    /// The store is taken to be there: it was opened a moment ago.
    pub(crate) const fn new() -> Self {
        Self {
            up: AtomicBool::new(true),
            task: Mutex::new(None),
        }
    }

    pub(crate) fn is_up(&self) -> bool {
        self.up.load(Ordering::Relaxed)
    }

    /// Begins to watch.
    pub(crate) fn start(self: &Arc<Self>, runtime: &Handle, store: Arc<dyn Store>) {
        let watch = Arc::downgrade(self);
        let task = runtime.spawn(async move {
            while let Some(watch) = watch.upgrade() {
                let answer = tokio::time::timeout(PATIENCE, store.ping()).await;
                watch.note(answer.unwrap_or_else(|elapsed| {
                    Err(influxd_store::StoreError::Unavailable(Box::new(elapsed)))
                }));
                drop(watch);
                tokio::time::sleep(INTERVAL).await;
            }
        });
        *self.task.lock().unwrap_or_else(PoisonError::into_inner) = Some(task.abort_handle());
    }

    /// Ends it.
    pub(crate) fn stop(&self) {
        if let Some(task) = self
            .task
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
        {
            task.abort();
        }
    }

    fn note(&self, answer: influxd_store::Result<()>) {
        let was_up = self.up.swap(answer.is_ok(), Ordering::Relaxed);
        match answer {
            Ok(()) if !was_up => tracing::info!("the database answers again"),
            Err(error) if was_up => {
                tracing::error!(error = %Causes(&error), "the database does not answer");
            }
            _ => {}
        }
    }
}
