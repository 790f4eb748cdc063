//! Whether the server lets requests through yet: not before its store is as it should be.

use std::sync::{PoisonError, RwLock};

/// What a server that is still starting is at. While it is at something, requests are answered with
/// 503 and `Retry-After`, and `/health` says what it is.
#[derive(Debug, Default)]
pub struct Readiness(RwLock<Option<String>>);

impl Readiness {
    /// Says what the server is at. `what` is for people, and shown to everybody.
    pub fn wait_for(&self, what: impl Into<String>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(what.into());
    }

    /// Says how far that is. Without effect once requests are let through.
    pub fn progress(&self, how_far: String) {
        let mut waiting = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(what) = &mut *waiting {
            *what = how_far;
        }
    }

    /// Lets requests through.
    pub fn ready(&self) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Whether requests wait.
    pub fn is_waiting(&self) -> bool {
        self.waiting_for().is_some()
    }

    /// What the server is at, if it is not ready.
    pub(crate) fn waiting_for(&self) -> Option<String> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
