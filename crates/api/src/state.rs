//! What all handlers share.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::HeaderValue;
use influxd_model::Clock;
use influxd_store::{Store, StoreError};
use influxd_tokens::{
    Accounts, Hashing, Ids, Passwords, Randomness, Resolver, SetPasswordError, SignInError,
};
use tokio::runtime::Handle;
use tokio::task::JoinError;

use crate::directory::Directory;
use crate::error::ApiError;
use crate::points::Engine;
use crate::server::ServerConfig;
use crate::system::metrics::Metrics;
use crate::system::readiness::Readiness;
use crate::system::watch::Watch;
use crate::v1::query::turns::Turns;

/// How often a transaction is tried while others are faster.
const TRIES: usize = 16;

/// How long to wait after so many lost races: not at all at first, then up to 64 milliseconds, and
/// hardly ever as long as those who lost with us.
fn pause(lost: usize, random: u64) -> Duration {
    match lost {
        0..=2 => Duration::ZERO,
        _ => Duration::from_micros(random % (1000 << lost.min(6))),
    }
}

/// A failure that may be a race with another transaction, lost.
pub(crate) trait Race {
    /// Whether the same once more may go better, or would say more about what is wrong.
    fn is_lost(&self) -> bool;
}

impl Race for ApiError {
    fn is_lost(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_lost_race())
    }
}

impl Race for SetPasswordError {
    fn is_lost(&self) -> bool {
        // Whose password it is was there when the old one was verified.
        matches!(self, Self::Store(error)
            if error.is_lost_race() || matches!(error, StoreError::NotFound(_)))
    }
}

impl Race for SignInError {
    fn is_lost(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_lost_race())
    }
}

/// What all handlers share. One per process; ends with the server.
#[derive(Debug)]
pub(crate) struct AppState {
    pub(crate) config: ServerConfig,
    pub(crate) version: HeaderValue,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) engine: Arc<Engine>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Randomness>,
    pub(crate) ids: Arc<Ids>,
    pub(crate) hashing: Arc<Hashing>,
    pub(crate) readiness: Arc<Readiness>,
    pub(crate) passwords: Arc<Passwords>,
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) resolver: Arc<Resolver>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) watch: Arc<Watch>,
    /// Which queries may run.
    pub(crate) queries: Turns,
    /// When the server started, nanoseconds since 1970.
    pub(crate) started: i64,
    /// The runtime that outlives the HTTP workers: what holds connections to the database runs
    /// there, so that stopping a worker cannot cut them.
    pub(crate) runtime: Handle,
}

impl AppState {
    /// Runs something on the long-lived runtime. It runs to its end even if the client goes away.
    pub(crate) async fn on_runtime<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, JoinError> {
        self.runtime.spawn(work).await
    }

    /// The same for work that can fail in the ways of a handler.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, ApiError>> + Send + 'static,
    ) -> Result<T, ApiError> {
        ended(self.on_runtime(work).await)
    }

    /// The same for work that keeps a thread busy.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        ended(self.runtime.spawn_blocking(work).await)
    }

    /// The same for a transaction that changes something: it runs anew as long as others are
    /// faster, a few times at most.
    pub(crate) async fn change<T, W>(
        &self,
        work: impl Fn() -> W + Send + Sync + 'static,
    ) -> Result<T, ApiError>
    where
        T: Send + 'static,
        W: Future<Output = Result<T, ApiError>> + Send + 'static,
    {
        self.insist(work).await?
    }

    /// The same for work that fails in ways of its own.
    pub(crate) async fn insist<T, E, W>(
        &self,
        work: impl Fn() -> W + Send + Sync + 'static,
    ) -> Result<Result<T, E>, ApiError>
    where
        T: Send + 'static,
        E: Race + Send + 'static,
        W: Future<Output = Result<T, E>> + Send + 'static,
    {
        let random = Arc::clone(&self.random);
        self.run(async move {
            for lost in 1..TRIES {
                match work().await {
                    Err(error) if error.is_lost() => {}
                    result => return Ok(result),
                }
                tokio::time::sleep(pause(lost, random.number())).await;
            }
            Ok(work().await)
        })
        .await
    }

    /// Forgets what is cached of organizations, buckets and mappings: this server changed them.
    pub(crate) fn changed(&self) {
        self.directory.forget();
    }
}

/// What became of a part of a request.
fn ended<T>(result: Result<Result<T, ApiError>, JoinError>) -> Result<T, ApiError> {
    result.unwrap_or_else(|error| Err(ApiError::internal("a part of a request did not end", error)))
}
