//! Fetching chunks from the store and decoding them, through the cache.

use std::collections::{BTreeSet, HashMap};
use std::num::NonZero;
use std::sync::Arc;

use influxd_store::{ChunkStore, PieceKey, StoreError};
use tokio::runtime::Handle;

use super::cache::{Decoded, Page};
use crate::chunk::{ChunkError, FreshChunk, Head};
use crate::source::ReadError;

/// Bodies of level 0 chunks fetched in one statement: at most so many, and about so many bytes.
const FRESH_AT_ONCE: usize = 1024;
const FRESH_BYTES_AT_ONCE: u64 = 32 << 20;
/// Heads fetched in one statement. One has up to a few MB, most a few KB.
const HEADS_AT_ONCE: usize = 128;
/// Pieces fetched in one statement, 64 KiB each.
const PIECES_AT_ONCE: usize = 512;
/// Fewer things than this, or fewer bytes, are not worth a second thread.
const PARALLEL_FROM: usize = 8;

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
                self.decoded.put_fresh(self.history, id, Arc::clone(&chunk));
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
            let decode =
                |(id, head): &(i64, Vec<u8>)| Ok::<_, ChunkError>((*id, Arc::new(Head::decode(head)?)));
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
            let page = self.decoded.page(self.history, want.chunk, want.column, want.page);
            if page.is_none() {
                missing.push((want.piece(), place));
            }
            found.push(page);
        }
        missing.sort_unstable();
        let mut rest = missing.as_slice();
        while !rest.is_empty() {
            let mut keys = BTreeSet::new();
            let fits = rest.iter().take_while(|(key, _)| {
                keys.insert(*key);
                keys.len() <= PIECES_AT_ONCE
            });
            let (batch, later) = rest.split_at(fits.count());
            rest = later;
            let keys: BTreeSet<PieceKey> = batch.iter().map(|(key, _)| *key).collect();
            let keys: Vec<PieceKey> = keys.into_iter().collect();
            let pieces = self.handle.block_on(self.store.pieces(&keys))?;
            if pieces.len() < keys.len() {
                return Err(ReadError::Moved);
            }
            let pieces: HashMap<PieceKey, Vec<u8>> = pieces.into_iter().collect();
            let pages = map_parallel(batch, |(key, place)| {
                Ok::<_, ChunkError>((*place, wanted[*place].decode(&pieces[key])?))
            })?;
            for (place, page) in pages {
                let want = &wanted[place];
                let (column, number) = (want.column, want.page);
                self.decoded.put_page(self.history, want.chunk, column, number, page.clone());
                found[place] = Some(page);
            }
        }
        Ok(found.into_iter().map(|page| page.expect("every page was found or fetched")).collect())
    }
}

impl PageWant {
    fn piece(&self) -> PieceKey {
        let piece_no = self.head.piece_of(self.column as usize, self.page as usize);
        PieceKey {
            chunk: self.chunk,
            column_no: self.column as i32,
            piece_no: piece_no as i32,
        }
    }

    fn decode(&self, piece: &[u8]) -> Result<Page, ChunkError> {
        let page = self.page as usize;
        Ok(if self.column == 0 {
            Page::Times(Arc::new(self.head.decode_times(page, piece)?))
        } else {
            let values = self.head.decode_page(self.column as usize, page, piece)?;
            Page::Values(Arc::new(values))
        })
    }
}

/// Applies `f` to all items, on as many threads as pay. The first error in their order counts.
fn map_parallel<T: Sync, R: Send, E: Send>(
    items: &[T],
    f: impl Fn(&T) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E> {
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get).min(8);
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
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
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
            ReadError::Chunk(error) => {
                Self::Corrupt { what: "chunk", detail: error.to_string() }
            }
            ReadError::Moved => Self::Unavailable(Box::new(error)),
        }
    }
}
