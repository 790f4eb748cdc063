//! Where an answer is put together: whole while it is small, in pieces on its way once it is not.

use std::io::Write;
use std::time::Duration;

use actix_web::web::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use crate::v1::query::{Cut, First};

/// An answer larger than this streams.
const HOLD: usize = 1 << 20;
/// Pieces of a stream have about this size.
const PIECE: usize = 128 << 10;
/// A document that is complete is sent once this much waits.
const DOCUMENT_PIECE: usize = 16 << 10;
/// So many pieces may wait for the client.
const PIECES: usize = 4;

/// A client that takes nothing for so long is gone: it must not keep others from asking.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until a piece is on its way; whether anybody takes it.
fn pass(sender: &mpsc::Sender<Result<Bytes, Cut>>, piece: Result<Bytes, Cut>) -> bool {
    let sent = async { tokio::time::timeout(PATIENCE, sender.send(piece)).await };
    matches!(Handle::current().block_on(sent), Ok(Ok(())))
}

/// The answer on its way.
pub(super) struct Sink {
    /// What was not sent yet.
    pub(super) bytes: Vec<u8>,
    way: Way,
    gzip: Option<GzEncoder<Vec<u8>>>,
    /// Whether nothing may be sent before all is there.
    hold: bool,
}

enum Way {
    /// Nothing was sent.
    Whole(oneshot::Sender<First>),
    /// Something was.
    Stream(mpsc::Sender<Result<Bytes, Cut>>),
    /// Nobody is there any more.
    Gone,
}

impl Sink {
    /// With `gzip` a stream is compressed; an answer that stays whole is left to others. With
    /// `hold` it never streams.
    pub(super) fn new(answer: oneshot::Sender<First>, gzip: bool, hold: bool) -> Self {
        Self {
            bytes: Vec::with_capacity(4096),
            way: Way::Whole(answer),
            gzip: gzip.then(|| GzEncoder::new(Vec::new(), Compression::fast())),
            hold,
        }
    }

    /// Whether something was sent, so that the status is settled.
    pub(super) const fn has_sent(&self) -> bool {
        !matches!(self.way, Way::Whole(_))
    }

    /// Whether anybody takes the answer.
    pub(super) const fn is_gone(&self) -> bool {
        matches!(self.way, Way::Gone)
    }

    /// Called after each row: sends what there is if it is much.
    pub(super) fn row_done(&mut self) {
        let limit = if self.has_sent() { PIECE } else { HOLD };
        if self.bytes.len() >= limit && !self.hold {
            self.send();
        }
    }

    /// Called after each document of a chunked answer: a client may be waiting for it.
    pub(super) fn document_done(&mut self) {
        if self.bytes.len() >= DOCUMENT_PIECE && !self.hold {
            self.send();
        }
    }

    fn send(&mut self) {
        self.way = match std::mem::replace(&mut self.way, Way::Gone) {
            Way::Whole(answer) => {
                let (sender, receiver) = mpsc::channel(PIECES);
                match answer.send(First::Stream(receiver)) {
                    Ok(()) => Way::Stream(sender),
                    Err(_) => Way::Gone,
                }
            }
            way => way,
        };
        let bytes = std::mem::take(&mut self.bytes);
        let bytes = match &mut self.gzip {
            Some(gzip) => {
                // Writing to memory does not fail.
                let _ = gzip.write_all(&bytes).and_then(|()| gzip.flush());
                std::mem::take(gzip.get_mut())
            }
            None => bytes,
        };
        self.pass_on(bytes);
    }

    fn pass_on(&mut self, bytes: Vec<u8>) {
        if let Way::Stream(sender) = &self.way
            && !bytes.is_empty()
            && !pass(sender, Ok(Bytes::from(bytes)))
        {
            self.way = Way::Gone;
        }
    }

    /// The answer is complete.
    pub(super) fn finish(mut self) {
        match std::mem::replace(&mut self.way, Way::Gone) {
            Way::Whole(answer) => {
                let _ = answer.send(First::Whole(Bytes::from(self.bytes)));
            }
            Way::Stream(sender) => {
                self.way = Way::Stream(sender);
                if !self.bytes.is_empty() {
                    self.send();
                }
                if let Some(gzip) = self.gzip.take()
                    && let Ok(rest) = gzip.finish()
                {
                    self.pass_on(rest);
                }
            }
            Way::Gone => {}
        }
    }

    /// The answer is an error of HTTP, or, if a part of it was sent, breaks off.
    pub(super) fn refuse(self, error: crate::error::ApiError) {
        match self.way {
            Way::Whole(answer) => {
                let _ = answer.send(First::Refused(error));
            }
            Way::Stream(sender) => {
                error.log();
                pass(&sender, Err(Cut));
            }
            Way::Gone => {}
        }
    }
}
