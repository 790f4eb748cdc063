//! The engine as the rest of the server sees it.

use std::sync::Arc;
use std::time::Duration;

use influxd_model::BucketId;
use influxd_store::{ChunkStore, Forget, NewTombstone, StoreError};
use prometheus::Registry;
use tokio::runtime::Handle;

use crate::catalogue::Follow;
use crate::content::Contents;
use crate::merge::{Compactor, CompactorOptions};
use crate::read::BucketSnapshot;
use crate::source::{Delete, ReadError, Snapshot, Source};
use crate::write::{Ingest, IngestOptions, WriteError, WriteRequest, WriteStats};

/// How the engine uses memory and time.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    /// What may wait, and how large a group grows.
    pub ingest: IngestOptions,
    /// Bytes of decoded points to keep.
    pub cache_bytes: u64,
    /// The longest time between two polls of the store.
    pub follow_interval: Duration,
    /// When chunks are merged, and when dead ones are removed.
    pub compactor: CompactorOptions,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            ingest: IngestOptions::default(),
            cache_bytes: 256 << 20,
            follow_interval: Duration::from_secs(1),
            compactor: CompactorOptions::default(),
        }
    }
}

/// Writes, deletes and reads points; merges chunks in the background.
#[derive(Debug)]
pub struct Engine {
    store: Arc<dyn ChunkStore>,
    follow: Follow,
    contents: Arc<Contents>,
    ingest: Ingest,
    compactor: Compactor,
    runtime: Handle,
}

/// The engine could not start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A thread could not be started.
    #[error("a thread could not be started")]
    Thread(#[from] std::io::Error),
    /// The registry refused the engine's metrics.
    #[error(transparent)]
    Metrics(#[from] prometheus::Error),
}

impl Engine {
    /// Starts the engine on the present runtime; its metrics go to `registry`. The points are
    /// looked at when the first query asks for them.
    pub fn open(
        store: Arc<dyn ChunkStore>,
        options: EngineOptions,
        registry: &Registry,
    ) -> Result<Arc<Self>, OpenError> {
        let runtime = Handle::current();
        let stats = WriteStats::register(registry)?;
        let follow = Follow::start(Arc::clone(&store), options.follow_interval);
        let contents = Arc::new(Contents::new(
            Arc::clone(&store),
            runtime.clone(),
            options.cache_bytes,
        ));
        let compactor = Compactor::start(
            Arc::clone(&store),
            follow.clone(),
            Arc::clone(&contents),
            options.compactor,
            registry,
        )?;
        let nudge = compactor.nudge();
        let ingest = Ingest::start(
            Arc::clone(&store),
            runtime.clone(),
            options.ingest,
            stats,
            Arc::new(move || nudge.nudge()),
        )?;
        Ok(Arc::new(Self {
            store,
            follow,
            contents,
            ingest,
            compactor,
            runtime,
        }))
    }

    /// Stores a body of line protocol; returns when it is durable.
    pub async fn write(&self, request: WriteRequest) -> Result<(), WriteError> {
        self.ingest.write(request).await
    }

    /// Deletes points; returns when that is durable. `NotFound` if the bucket is gone.
    pub async fn delete(&self, bucket: BucketId, delete: Delete) -> Result<(), StoreError> {
        if delete.range.is_empty() {
            return Ok(());
        }
        let forget = if delete.predicate.depends_on_tags() {
            Forget::Nothing
        } else if let Some(measurement) = &delete.measurement {
            if delete.predicate.may_match_measurement(measurement) {
                Forget::Measurements(vec![measurement.clone()])
            } else {
                Forget::Nothing
            }
        } else {
            self.measurements_taken(bucket, &delete).await?
        };
        let tombstone = NewTombstone {
            bucket,
            measurement: delete.measurement,
            min_time: delete.range.min,
            max_time: delete.range.max,
            predicate: delete.predicate.encode(),
            forget,
        };
        self.store.bury(tombstone).await?;
        Ok(())
    }

    /// The measurements whose field types end with a delete that has no condition on tags.
    async fn measurements_taken(
        &self,
        bucket: BucketId,
        delete: &Delete,
    ) -> Result<Forget, StoreError> {
        if matches!(delete.predicate, crate::predicate::Predicate::All) {
            return Ok(Forget::Everything);
        }
        let catalogue = self.follow.now().await?;
        let names = catalogue
            .buckets
            .get(&bucket)
            .map_or_else(Vec::new, |state| {
                let taken = |m: &&Arc<[u8]>| delete.predicate.may_match_measurement(m);
                state
                    .measurements
                    .keys()
                    .filter(taken)
                    .map(|m| m.to_vec())
                    .collect()
            });
        Ok(if names.is_empty() {
            Forget::Nothing
        } else {
            Forget::Measurements(names)
        })
    }

    /// Commits what was accepted and ends the background work.
    pub async fn close(&self) {
        self.ingest.close().await;
        self.compactor.stop().await;
    }
}

impl Source for Engine {
    fn snapshot(&self, bucket: BucketId) -> Result<Arc<dyn Snapshot>, ReadError> {
        let catalogue = self
            .runtime
            .block_on(self.follow.now())
            .map_err(StoreError::from)?;
        let contents = Arc::clone(&self.contents);
        Ok(Arc::new(BucketSnapshot::new(
            contents,
            self.follow.clone(),
            catalogue,
            bucket,
        )))
    }

    fn delete(&self, bucket: BucketId, delete: Delete) -> Result<(), StoreError> {
        self.runtime.block_on(Self::delete(self, bucket, delete))
    }
}
