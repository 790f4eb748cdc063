//! Decompressing the bodies of writes while they arrive (data-endpoints 4.2 and 4.3).

use std::io::Write;

use actix_web::web::{Bytes, Payload};
use flate2::write::MultiGzDecoder;

use crate::body::{piece, too_large};
use crate::error::ApiError;

/// Whether a body that comes with this `Content-Encoding` is decompressed: exactly these two
/// words, in lower case. With any other the body is read as it is.
pub(crate) fn is_gzip(encoding: Option<&[u8]>) -> bool {
    matches!(encoding, Some(b"gzip" | b"x-gzip"))
}

/// A gzip body on its way in. What it holds may have at most `limit` bytes.
pub(crate) struct Inflating {
    payload: Payload,
    decoder: MultiGzDecoder<Limited>,
}

impl std::fmt::Debug for Inflating {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Inflating")
    }
}

/// Keeps what was decompressed, and refuses more than it may hold.
struct Limited {
    bytes: Vec<u8>,
    limit: usize,
    exceeded: bool,
}

impl Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.bytes.len() + bytes.len() > self.limit {
            self.exceeded = true;
            return Err(std::io::Error::other("too large"));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The fixed part of a gzip header.
const HEADER: usize = 10;

impl Inflating {
    /// Reads enough of the body to see that it is gzip at all: that is looked at before the
    /// database is.
    pub(crate) async fn begin(mut payload: Payload, limit: usize) -> Result<Self, ApiError> {
        let mut head = Vec::new();
        let mut decoder = MultiGzDecoder::new(Limited {
            bytes: Vec::new(),
            limit,
            exceeded: false,
        });
        while head.len() < HEADER {
            match piece(&mut payload).await? {
                Some(chunk) => head.extend_from_slice(&chunk),
                None => break,
            }
        }
        if head.len() < HEADER || !head.starts_with(&[0x1f, 0x8b, 8]) {
            return Err(ApiError::invalid(
                "unable to read data: gzip: invalid header",
            ));
        }
        push(&mut decoder, &head)?;
        Ok(Self { payload, decoder })
    }

    /// Reads the rest, and returns what it holds.
    pub(crate) async fn finish(mut self) -> Result<Bytes, ApiError> {
        while let Some(chunk) = piece(&mut self.payload).await? {
            push(&mut self.decoder, &chunk)?;
        }
        if let Err(error) = self.decoder.try_finish() {
            // All there was has been taken: what is wrong now is what is missing.
            let is_whole =
                self.decoder.get_ref().exceeded || error.to_string().contains("checksum");
            return Err(if is_whole {
                damaged(&self.decoder, &error)
            } else {
                ApiError::invalid("unable to read data: unexpected EOF")
            });
        }
        Ok(Bytes::from(std::mem::take(
            &mut self.decoder.get_mut().bytes,
        )))
    }
}

fn push(decoder: &mut MultiGzDecoder<Limited>, bytes: &[u8]) -> Result<(), ApiError> {
    decoder
        .write_all(bytes)
        .map_err(|error| damaged(decoder, &error))
}

/// What a damaged body gets; the texts tell a wrong checksum from other damage.
fn damaged(decoder: &MultiGzDecoder<Limited>, error: &std::io::Error) -> ApiError {
    if decoder.get_ref().exceeded {
        return too_large();
    }
    let text = error.to_string();
    ApiError::invalid(if text.contains("checksum") {
        "unable to read data: gzip: invalid checksum"
    } else if text.contains("header") {
        "unable to read data: gzip: invalid header"
    } else if text.contains("deflate") {
        "unable to read data: flate: corrupt input"
    } else {
        "unable to read data: unexpected EOF"
    })
}
