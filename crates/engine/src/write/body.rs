//! Bodies on their way through the ingest thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use influxd_store::{Agreed, StoreError};
use prometheus::IntGauge;
use tokio::sync::oneshot;

use super::refusal::PartialWrite;
use super::{WriteError, WriteRequest};

/// Bytes of the bodies that were accepted and not answered yet.
#[derive(Debug)]
pub(super) struct Queue {
    pub(super) bytes: AtomicUsize,
    pub(super) gauge: IntGauge,
}

impl Queue {
    /// Adds a body; returns what was there before.
    pub(super) fn enter(&self, bytes: usize) -> usize {
        self.gauge.add(bytes as i64);
        self.bytes.fetch_add(bytes, Ordering::Relaxed)
    }

    fn leave(&self, bytes: usize) {
        self.gauge.sub(bytes as i64);
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

#[derive(Debug)]
pub(super) struct Body {
    pub(super) request: WriteRequest,
    /// `None` once it is answered.
    pub(super) answer: Option<oneshot::Sender<Result<(), WriteError>>>,
    pub(super) attempts: u32,
    /// To be committed by itself: its group was refused for its content.
    pub(super) alone: bool,
    pub(super) queue: Arc<Queue>,
}

impl Drop for Body {
    fn drop(&mut self) {
        self.queue.leave(self.request.body.len());
    }
}

#[derive(Debug)]
pub(super) enum Event {
    Body(Box<Body>),
    Agreed(Box<Body>, Result<Agreed, StoreError>),
    /// Bodies to be read again; what is known of the bucket's types is out of date.
    Again(Vec<Member>),
    SlotFree,
    Close(oneshot::Sender<()>),
}

/// A body in a group.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) body: Box<Body>,
    pub(super) partial: Option<PartialWrite>,
    pub(super) points: usize,
}

/// Tells whoever sent it what became of a body.
#[expect(clippy::boxed_local, reason = "bodies are moved about boxed")]
pub(super) fn answer(mut body: Box<Body>, result: Result<(), WriteError>) {
    if let Some(answer) = body.answer.take() {
        // Whoever went away does not need the answer.
        let _ = answer.send(result);
    }
}
