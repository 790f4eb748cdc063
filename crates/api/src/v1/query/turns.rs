//! Who runs a query, who waits, and who is sent away.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::ApiError;

/// How many requests wait for others to end: each holds its text.
const WAITING: usize = 1_024;

/// Lets some requests run at once, and some wait.
#[derive(Debug)]
pub(crate) struct Turns {
    running: Arc<Semaphore>,
    /// Of those that run and those that wait.
    places: Arc<Semaphore>,
}

/// One request's turn. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Turn(#[expect(dead_code, reason = "they are held")] [OwnedSemaphorePermit; 2]);

impl Turns {
    pub(crate) fn new(at_once: usize) -> Self {
        let at_once = at_once.clamp(1, Semaphore::MAX_PERMITS - WAITING);
        Self {
            running: Arc::new(Semaphore::new(at_once)),
            places: Arc::new(Semaphore::new(at_once + WAITING)),
        }
    }

    /// Waits for a turn; [`ApiError::Busy`] if too many do.
    pub(crate) async fn wait(&self) -> Result<Turn, ApiError> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| ApiError::Busy("too many queries are waiting"))?;
        let running = Arc::clone(&self.running).acquire_owned().await;
        let running =
            running.map_err(|error| ApiError::internal("no more queries are taken", error))?;
        Ok(Turn([place, running]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn some_run_some_wait_and_the_others_are_sent_away() {
        let turns = Arc::new(Turns::new(1));
        let first = turns.wait().await.unwrap();
        let mut waiting = Vec::new();
        for _ in 0..WAITING {
            let turns = Arc::clone(&turns);
            waiting.push(tokio::spawn(async move { turns.wait().await.is_ok() }));
        }
        while turns.places.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert!(matches!(turns.wait().await, Err(ApiError::Busy(_))));
        drop(first);
        for waiting in waiting {
            assert!(waiting.await.unwrap());
        }
        assert!(turns.wait().await.is_ok());
    }
}
