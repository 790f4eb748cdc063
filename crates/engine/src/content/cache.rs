//! Decoded chunks and pages in memory, bounded by their bytes.
//!
//! Chunks never change, so nothing in here is ever stale; only a new history of the store (ids
//! may come again after a fail-over) voids it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use foldhash::fast::RandomState;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::chunk::{Column, FreshChunk};

/// What is kept, within a history of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    /// A level 0 chunk.
    Fresh(i64),
    /// A page of a column (0 is time) of a chunk.
    Page {
        /// The chunk's id.
        chunk: i64,
        /// The column's number.
        column: u32,
        /// The page's number.
        page: u32,
    },
}

/// A page of a chunk, decoded.
#[derive(Debug, Clone)]
pub(crate) enum Page {
    /// Of the time column.
    Times(Arc<Vec<i64>>),
    /// Of a field.
    Values(Arc<Column>),
}

#[derive(Debug, Clone)]
enum Data {
    Fresh(Arc<FreshChunk>),
    Page(Page),
}

#[derive(Debug, Clone)]
struct Entry {
    bytes: u64,
    data: Data,
}

#[derive(Debug, Clone)]
struct ByBytes;

impl Weighter<(u64, Key), Entry> for ByBytes {
    fn weight(&self, _: &(u64, Key), entry: &Entry) -> u64 {
        entry.bytes
    }
}

/// What the cache adds to an entry: key, links, reference counts, allocation headers.
const OVERHEAD: u64 = 160;

/// The cache of decoded data.
pub(crate) struct Decoded {
    cache: Cache<(u64, Key), Entry, ByBytes, RandomState>,
    hits: AtomicU64,
    misses: AtomicU64,
}

impl std::fmt::Debug for Decoded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoded")
            .field("bytes", &self.cache.weight())
            .finish_non_exhaustive()
    }
}

impl Decoded {
    /// A cache of at most about `bytes` bytes.
    pub(crate) fn new(bytes: u64) -> Self {
        let items = usize::try_from(bytes / 16_384)
            .unwrap_or(usize::MAX)
            .clamp(64, 1 << 20);
        let cache = Cache::with(
            items,
            bytes,
            ByBytes,
            RandomState::default(),
            quick_cache::sync::DefaultLifecycle::default(),
        );
        Self {
            cache,
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
    }

    /// A level 0 chunk.
    pub(crate) fn fresh(&self, history: u64, id: i64) -> Option<Arc<FreshChunk>> {
        match self.get((history, Key::Fresh(id)))? {
            Data::Fresh(chunk) => Some(chunk),
            Data::Page(_) => None,
        }
    }

    /// Keeps a level 0 chunk.
    pub(crate) fn put_fresh(&self, history: u64, id: i64, chunk: Arc<FreshChunk>) {
        let bytes = OVERHEAD + fresh_bytes(&chunk);
        self.cache.insert(
            (history, Key::Fresh(id)),
            Entry {
                bytes,
                data: Data::Fresh(chunk),
            },
        );
    }

    /// A page.
    pub(crate) fn page(&self, history: u64, chunk: i64, column: u32, page: u32) -> Option<Page> {
        match self.get((
            history,
            Key::Page {
                chunk,
                column,
                page,
            },
        ))? {
            Data::Page(page) => Some(page),
            Data::Fresh(_) => None,
        }
    }

    /// Keeps a page.
    pub(crate) fn put_page(&self, history: u64, chunk: i64, column: u32, page: u32, data: Page) {
        let bytes = OVERHEAD
            + match &data {
                Page::Times(times) => 8 * times.capacity() as u64,
                Page::Values(column) => column.heap_bytes() as u64,
            };
        let key = (
            history,
            Key::Page {
                chunk,
                column,
                page,
            },
        );
        self.cache.insert(
            key,
            Entry {
                bytes,
                data: Data::Page(data),
            },
        );
    }

    fn get(&self, key: (u64, Key)) -> Option<Data> {
        let found = self.cache.get(&key);
        let counter = if found.is_some() {
            &self.hits
        } else {
            &self.misses
        };
        counter.fetch_add(1, Ordering::Relaxed);
        Some(found?.data)
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        self.cache.clear();
    }

    /// Bytes held, hits and misses so far.
    pub(crate) fn usage(&self) -> (u64, u64, u64) {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (self.cache.weight(), count(&self.hits), count(&self.misses))
    }
}

/// About how many bytes a level 0 chunk takes in memory.
fn fresh_bytes(chunk: &FreshChunk) -> u64 {
    let keys: usize = chunk
        .series
        .iter()
        .map(|(key, _)| key.capacity() + 48)
        .sum();
    let columns: usize = chunk
        .columns
        .iter()
        .map(|c| c.name.capacity() + 128 + c.column.heap_bytes())
        .sum();
    (keys + 8 * chunk.times.capacity() + columns) as u64
}
