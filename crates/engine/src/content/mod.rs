//! What is in the chunks: loaded when a query first touches their measurement, kept as long as
//! they live (series, columns, heads) or as there is room (times and values).
//!
//! The catalogue says which chunks there are; this module knows what is in them. A
//! [`MeasurementView`] puts both together at one moment.

mod cache;
mod chunk;
mod load;
mod view;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use influxd_model::BucketId;
use influxd_store::ChunkStore;
use tokio::runtime::Handle;

use crate::catalogue::{BucketState, Catalogue, Measurement, MeasurementState};
use crate::chunk::FreshChunk;
use crate::source::ReadError;

pub(crate) use cache::Page;
pub use chunk::{ChunkContent, ChunkView, Form, Hiding};
pub(crate) use load::{Loader, PageWant};
pub use view::MeasurementView;

/// The contents of all chunks that queries asked for. One for the process; its blocking methods
/// are for threads that may block.
#[derive(Debug)]
pub struct Contents {
    store: Arc<dyn ChunkStore>,
    handle: Handle,
    decoded: Arc<cache::Decoded>,
    known: Mutex<Known>,
}

type Shared = Arc<Mutex<view::MeasurementContents>>;

#[derive(Debug, Default)]
struct Known {
    history: u64,
    measurements: HashMap<(BucketId, Measurement), Shared>,
}

/// How full the cache is, and how well it serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheUsage {
    /// Bytes held.
    pub bytes: u64,
    /// Times that something was found in it.
    pub hits: u64,
    /// Times that something had to be fetched.
    pub misses: u64,
}

impl Contents {
    /// Nothing known yet. Times and values take at most about `cache_bytes` bytes; `handle`'s
    /// runtime runs the statements.
    pub fn new(store: Arc<dyn ChunkStore>, handle: Handle, cache_bytes: u64) -> Self {
        let decoded = Arc::new(cache::Decoded::new(cache_bytes));
        Self {
            store,
            handle,
            decoded,
            known: Mutex::default(),
        }
    }

    /// Keeps a level 0 chunk that this process wrote. `history` is the catalogue's from before
    /// the commit began, so that an id which a fail-over gave again is never taken for this one.
    pub fn put_fresh(&self, history: u64, id: i64, chunk: Arc<FreshChunk>) {
        self.decoded.put_fresh(history, id, chunk);
    }

    /// How full the cache is.
    pub fn usage(&self) -> CacheUsage {
        let (bytes, hits, misses) = self.decoded.usage();
        CacheUsage {
            bytes,
            hits,
            misses,
        }
    }

    /// A measurement as `catalogue` has it; `None` if nothing of it can be seen. Loads what is
    /// not known yet: blocks.
    ///
    /// # Errors
    /// [`ReadError::Moved`] if the catalogue is of an older history, or so old that a chunk of
    /// it is gone.
    pub fn view(
        &self,
        catalogue: &Catalogue,
        bucket: BucketId,
        measurement: &[u8],
    ) -> Result<Option<Arc<MeasurementView>>, ReadError> {
        let Some(of_bucket) = catalogue.buckets.get(&bucket) else {
            return Ok(None);
        };
        let Some((name, state)) = of_bucket.measurements.get_key_value(measurement) else {
            return Ok(None);
        };
        let shared = self.shared(catalogue, bucket, name)?;
        let mut contents = shared.lock().unwrap_or_else(PoisonError::into_inner);
        contents.view(
            &self.loader(catalogue),
            catalogue.low,
            name,
            of_bucket,
            state,
        )
    }

    /// Forgets measurements that are no more in `catalogue`, which should be the latest.
    pub fn forget_gone(&self, catalogue: &Catalogue) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.history == catalogue.history {
            known.measurements.retain(|(bucket, name), _| {
                let of_bucket = catalogue.buckets.get(bucket);
                of_bucket.is_some_and(|b| b.measurements.contains_key(name))
            });
        }
    }

    pub(crate) fn loader(&self, catalogue: &Catalogue) -> Loader {
        Loader {
            store: Arc::clone(&self.store),
            decoded: Arc::clone(&self.decoded),
            handle: self.handle.clone(),
            history: catalogue.history,
            keeps: true,
        }
    }

    /// Some chunks of a measurement, for one use: nothing of it is kept. `bucket` and `state`
    /// say which chunks there are, and which deletes.
    pub(crate) fn passing_view(
        loader: &Loader,
        bucket: &BucketState,
        name: &Measurement,
        state: &Arc<MeasurementState>,
    ) -> Result<Option<Arc<MeasurementView>>, ReadError> {
        view::MeasurementContents::default().view(loader, 0, name, bucket, state)
    }

    fn shared(
        &self,
        catalogue: &Catalogue,
        bucket: BucketId,
        name: &Measurement,
    ) -> Result<Shared, ReadError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.history > catalogue.history {
            return Err(ReadError::Moved);
        }
        if known.history < catalogue.history {
            known.history = catalogue.history;
            known.measurements.clear();
            self.decoded.clear();
        }
        let entry = known.measurements.entry((bucket, Arc::clone(name)));
        Ok(Arc::clone(entry.or_default()))
    }
}
