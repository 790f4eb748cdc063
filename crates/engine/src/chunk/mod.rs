//! Columns to bytes and back: the format of chunks (storage study 8.2).
//!
//! Pure functions. A commit writes [`FreshChunk`]s (level 0), one blob each. Merging makes chunks
//! of level 1 and above, of which each has a [`Head`] and pieces: [`ChunkWriter`] makes them one
//! column at a time, [`ColumnReader`] reads the pages it is asked for.
//!
//! Every blob starts with `IXC` and a format byte and ends with the low half of the XXH3 of all
//! before it. Reading damaged or forged bytes ends in a [`ChunkError`]; what they claim is held
//! against their length and the limits here before memory is taken for it.

mod bitmap;
mod bytes;
pub mod column;
mod decimal;
mod fresh;
mod fresh_read;
mod head;
mod head_bytes;
mod numbers;
mod packed;
mod pages;
mod presence;
mod reader;
#[cfg(test)]
mod samples;
mod strings;
mod text;
mod text_page;
mod times;
mod writer;

pub use bitmap::{Bitmap, Ones};
pub use column::{Column, Value, Values};
pub use fresh::{FreshChunk, FreshWriter, NamedColumn};
pub use head::{ColumnHead, Head};
pub use pages::{PagePlan, Sizes};
pub use reader::{ColumnReader, Piece};
pub use strings::Strings;
pub use writer::ChunkWriter;

/// No chunk has more rows. A body of 256 MiB, the largest accepted, holds fewer.
pub const MAX_ROWS: usize = 1 << 26;

/// No page has more rows.
pub const MAX_PAGE_ROWS: usize = 1 << 16;

/// No chunk has more bytes of series keys, or of strings in one column of level 0 or one page.
pub const MAX_TEXT_BYTES: usize = 1 << 30;

/// Why bytes are no chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChunkError {
    /// They are damaged, or never were a chunk; what was found.
    #[error("a chunk is corrupt: {0}")]
    Corrupt(&'static str),
    /// They are whole, but of another kind or made by another version of this program.
    #[error("a chunk has format {0}, which is not the one expected")]
    Version(u8),
    /// It was not made, because it would have been too large to be read again; what is too large.
    #[error("a chunk would be too large: {0}")]
    TooLarge(&'static str),
}
