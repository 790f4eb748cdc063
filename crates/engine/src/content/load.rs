//! Fetching chunks from the store and decoding them, through the cache.

use std::collections::{BTreeSet, HashMap};
use std::num::NonZero;
use std::sync::Arc;

use influxd_store::{ChunkStore, PieceKey, StoreError};
use tokio::runtime::Handle;

use super::cache::{Decoded, Page};
use crate::chunk::{ChunkError, Column, ColumnReader, FreshChunk, Head, Piece};
use crate::source::ReadError;

/// Bodies of level 0 chunks fetched in one statement: at most so many, and about so many bytes.
const FRESH_AT_ONCE: usize = 1024;
const FRESH_BYTES_AT_ONCE: u64 = 32 << 20;
/// Heads fetched in one statement. One has up to a few MB, most a few KB.
const HEADS_AT_ONCE: usize = 128;
/// Pieces fetched in one statement, 64 KiB each.
const PIECES_AT_ONCE: usize = 512;
/// Fewer things than this are not worth a second thread.
const PARALLEL_FROM: usize = 4;
/// Pages decoded by one thread before another may take over.
const PAGES_AT_ONCE: usize = 16;

/// A page that somebody needs.
#[derive(Debug, Clone)]
pub(crate) struct PageWant {
    /// The chunk's id.
    pub(crate) chunk: i64,
    /// Its head.
    pub(crate) head: Arc<Head>,
    /// The column; 0 is time.
    pub(crate) column: u32,
    /// The page.
    pub(crate) page: u32,
}

/// Fetches and decodes within one history of the store. Blocks: only for threads that may.
#[derive(Debug, Clone)]
pub(crate) struct Loader {
    pub(crate) store: Arc<dyn ChunkStore>,
    pub(crate) decoded: Arc<Decoded>,
    pub(crate) handle: Handle,
    pub(crate) history: u64,
    /// Whether the cache keeps what was fetched; a merge needs it only once.
    pub(crate) keeps: bool,
}

impl Loader {
    /// Level 0 chunks by id, each given with its size in the store.
    ///
    /// # Errors
    /// [`ReadError::Moved`] if one is gone.
    pub(crate) fn fresh(
        &self,
        wanted: &[(i64, u64)],
    ) -> Result<HashMap<i64, Arc<FreshChunk>>, ReadError> {
        let mut found = HashMap::with_capacity(wanted.len());
        let mut missing = Vec::new();
        for &(id, bytes) in wanted {
            match self.decoded.fresh(self.history, id) {
                Some(chunk) => {
                    found.insert(id, chunk);
                }
                None => missing.push((id, bytes)),
            }
        }
        let mut rest = missing.as_slice();
        while !rest.is_empty() {
            let mut bytes = 0;
            let fits = rest.iter().take(FRESH_AT_ONCE).take_while(|(_, size)| {
                bytes += size;
                bytes <= FRESH_BYTES_AT_ONCE
            });
            let (batch, later) = rest.split_at(fits.count().max(1));
            rest = later;
            let ids: Vec<i64> = batch.iter().map(|(id, _)| *id).collect();
            let bodies = self.handle.block_on(self.store.fresh_bodies(&ids))?;
            if bodies.len() < ids.len() {
                return Err(ReadError::Moved);
            }
            let chunks = map_parallel(&bodies, |(id, body)| {
                Ok::<_, ChunkError>((*id, Arc::new(FreshChunk::decode(body)?)))
            })?;
            for (id, chunk) in chunks {
                if self.keeps {
                    self.decoded.put_fresh(self.history, id, Arc::clone(&chunk));
                }
                found.insert(id, chunk);
            }
        }
        Ok(found)
    }

    /// Heads of chunks by id.
    ///
    /// # Errors
    /// [`ReadError::Moved`] if one is gone.
    pub(crate) fn heads(&self, ids: &[i64]) -> Result<HashMap<i64, Arc<Head>>, ReadError> {
        let mut found = HashMap::with_capacity(ids.len());
        for batch in ids.chunks(HEADS_AT_ONCE) {
            let heads = self.handle.block_on(self.store.heads(batch))?;
            if heads.len() < batch.len() {
                return Err(ReadError::Moved);
            }
            let decode = |(id, head): &(i64, Vec<u8>)| {
                Ok::<_, ChunkError>((*id, Arc::new(Head::decode(head)?)))
            };
            found.extend(map_parallel(&heads, decode)?);
        }
        Ok(found)
    }

    /// Pages, in the order of `wanted`. What the cache does not have comes in as few statements
    /// as the bound on their size allows.
    ///
    /// # Errors
    /// [`ReadError::Moved`] if one is gone.
    pub(crate) fn pages(&self, wanted: &[PageWant]) -> Result<Vec<Page>, ReadError> {
        let mut found: Vec<Option<Page>> = Vec::with_capacity(wanted.len());
        let mut missing = Vec::new();
        for (place, want) in wanted.iter().enumerate() {
            let page = self
                .decoded
                .page(self.history, want.chunk, want.column, want.page);
            if page.is_none() {
                let (is_stored, key) = want.piece();
                missing.push((is_stored, key, place));
            }
            found.push(page);
        }
        missing.sort_unstable_by_key(|(_, key, place)| (*key, wanted[*place].page));
        let mut rest = missing.as_slice();
        while !rest.is_empty() {
            let mut keys = BTreeSet::new();
            let fits = rest.iter().take_while(|(is_stored, key, _)| {
                if *is_stored {
                    keys.insert(*key);
                }
                keys.len() <= PIECES_AT_ONCE
            });
            let (batch, later) = rest.split_at(fits.count());
            rest = later;
            let pieces = self.pieces(batch)?;
            let groups: Vec<&[Missing]> = batch
                .chunk_by(|a, b| (a.1.chunk, a.1.column_no) == (b.1.chunk, b.1.column_no))
                .flat_map(|of_column| of_column.chunks(PAGES_AT_ONCE))
                .collect();
            let decoded = map_parallel(&groups, |group| decode(group, wanted, &pieces))?;
            for (place, page) in decoded.into_iter().flatten() {
                let want = &wanted[place];
                if self.keeps {
                    let (column, number) = (want.column, want.page);
                    self.decoded
                        .put_page(self.history, want.chunk, column, number, page.clone());
                }
                found[place] = Some(page);
            }
        }
        Ok(found
            .into_iter()
            .map(|page| page.expect("every page was found or fetched"))
            .collect())
    }

    /// The pieces in which some pages are.
    fn pieces(&self, batch: &[Missing]) -> Result<HashMap<PieceKey, Vec<u8>>, ReadError> {
        let mut keys: Vec<PieceKey> = batch
            .iter()
            .filter(|(is_stored, ..)| *is_stored)
            .map(|(_, key, _)| *key)
            .collect();
        keys.dedup();
        if keys.is_empty() {
            return Ok(HashMap::new());
        }
        let pieces = self.handle.block_on(self.store.pieces(&keys))?;
        if pieces.len() < keys.len() {
            return Err(ReadError::Moved);
        }
        Ok(pieces.into_iter().collect())
    }
}

/// A page to be fetched: whether it has any bytes, in which piece, and whose wish it is.
type Missing = (bool, PieceKey, usize);

impl PageWant {
    /// Whether the page has any bytes, and the piece that they are in.
    fn piece(&self) -> (bool, PieceKey) {
        let piece = self.head.piece_of(self.column as usize, self.page as usize);
        let piece_no = piece.unwrap_or(0) as i32;
        let key = PieceKey {
            chunk: self.chunk,
            column_no: self.column as i32,
            piece_no,
        };
        (piece.is_some(), key)
    }
}

/// Decodes pages of one column, in ascending order.
fn decode(
    group: &[Missing],
    wanted: &[PageWant],
    pieces: &HashMap<PieceKey, Vec<u8>>,
) -> Result<Vec<(usize, Page)>, ChunkError> {
    let Some((_, _, first)) = group.first() else {
        return Ok(Vec::new());
    };
    let of = &wanted[*first];
    let column = of.column as usize;
    let mut reader = ColumnReader::new(&of.head, column);
    let mut open: Option<(PieceKey, Piece<'_>)> = None;
    let mut pages = Vec::with_capacity(group.len());
    for (is_stored, key, place) in group {
        let number = wanted[*place].page as usize;
        let piece = match open {
            _ if !is_stored => Piece::NONE,
            Some((of, piece)) if of == *key => piece,
            _ => {
                let blob = pieces
                    .get(key)
                    .ok_or(ChunkError::Corrupt("a piece is missing"))?;
                let piece = Piece::open(blob)?;
                open = Some((*key, piece));
                piece
            }
        };
        let page = if column == 0 {
            let mut times = Vec::with_capacity(of.head.page_rows(number).len());
            reader.read_times(number, piece, &mut times)?;
            Page::Times(Arc::new(times))
        } else {
            let mut values = Column::new(of.head.columns()[column].field_type());
            values.reserve(of.head.page_rows(number).len());
            reader.read(number, piece, &mut values)?;
            Page::Values(Arc::new(values))
        };
        pages.push((*place, page));
    }
    Ok(pages)
}

/// Applies `f` to all items, on as many threads as pay. The first error in their order counts.
fn map_parallel<T: Sync, R: Send, E: Send>(
    items: &[T],
    f: impl Fn(&T) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E> {
    let threads = std::thread::available_parallelism()
        .map_or(1, NonZero::get)
        .min(8);
    if threads == 1 || items.len() < PARALLEL_FROM {
        return items.iter().map(f).collect();
    }
    let share = items.len().div_ceil(threads);
    let parts: Vec<Result<Vec<R>, E>> = std::thread::scope(|scope| {
        let f = &f;
        let (first, others) = items.split_at(share);
        let others: Vec<_> = others
            .chunks(share)
            .map(|part| scope.spawn(move || part.iter().map(f).collect()))
            .collect();
        let mut parts = vec![first.iter().map(f).collect()];
        parts.extend(others.into_iter().map(|thread| {
            thread
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        }));
        parts
    });
    let mut all = Vec::with_capacity(items.len());
    for part in parts {
        all.extend(part?);
    }
    Ok(all)
}

impl From<ReadError> for StoreError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Store(error) => error,
            ReadError::Chunk(error) => Self::Corrupt {
                what: "chunk",
                detail: error.to_string(),
            },
            ReadError::Moved => Self::Unavailable(Box::new(error)),
        }
    }
}
