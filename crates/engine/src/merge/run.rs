//! One merge: some chunks of a measurement become others.

use std::sync::Arc;

use influxd_model::BucketId;
use influxd_store::{Replacement, Version};

use super::build::{Cursor, Inputs};
use super::encode::{Encoded, encode};
use crate::catalogue::{
    BucketState, Catalogue, ChunkInfo, ChunkName, Measurement, MeasurementState,
};
use crate::chunk::Sizes;
use crate::content::{Contents, Loader};
use crate::source::ReadError;

/// How large the chunks may become that merges make, and their parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Rows of a chunk.
    pub rows: usize,
    /// Series of a chunk.
    pub series: usize,
    /// Pages, segments and pieces.
    pub sizes: Sizes,
}

impl Default for Limits {
    /// Those of storage study 8.3.
    fn default() -> Self {
        Self {
            rows: 4 << 20,
            series: 1 << 20,
            sizes: Sizes::default(),
        }
    }
}

/// Chunks to be merged. No chunk of their measurement and windows that is not among them lies
/// between them in the order of writes.
#[derive(Debug, Clone)]
pub struct Run {
    /// Their bucket.
    pub bucket: BucketId,
    /// Their measurement.
    pub measurement: Measurement,
    /// The chunks, in the order of writes.
    pub chunks: Vec<Arc<ChunkInfo>>,
    /// The level of what they become.
    pub level: i16,
}

impl Run {
    /// The smallest version merged.
    pub fn oldest(&self) -> Version {
        self.chunks
            .iter()
            .map(|chunk| chunk.oldest)
            .min()
            .unwrap_or_default()
    }

    /// The greatest version merged.
    pub fn newest(&self) -> Version {
        self.chunks
            .iter()
            .map(|chunk| chunk.newest)
            .max()
            .unwrap_or_default()
    }

    /// Bytes of the chunks in the store.
    pub fn bytes(&self) -> u64 {
        self.chunks.iter().map(|chunk| chunk.bytes).sum()
    }

    /// Rows of the chunks.
    pub fn rows(&self) -> u64 {
        self.chunks.iter().map(|chunk| chunk.rows).sum()
    }

    /// Old for new. Applies exactly the deletes below the catalogue's `low`, each to what is
    /// older. Blocks, and works hard.
    ///
    /// # Errors
    /// [`ReadError::Moved`] if a chunk is gone.
    pub(super) fn merge(
        &self,
        contents: &Contents,
        catalogue: &Catalogue,
        limits: Limits,
    ) -> Result<Replacement, ReadError> {
        let loader = Loader {
            keeps: false,
            ..contents.loader(catalogue)
        };
        let bucket = settled(catalogue, self.bucket);
        let state = self.state(&bucket);
        let mut replacement = Replacement {
            new: Vec::new(),
            ..deaths(&self.chunks)
        };
        let Some(view) = Contents::passing_view(&loader, &bucket, &self.measurement, &state)?
        else {
            return Ok(replacement);
        };
        let inputs = Inputs::read(&view, &loader)?;
        for window in inputs.windows(&bucket) {
            let mut limits = limits;
            let mut cursor = Some(Cursor::default());
            while let Some(at) = cursor {
                let (built, next) = inputs.build(window, at, limits);
                if built.series.is_empty() {
                    break;
                }
                match encode(self, &inputs, &built, window, limits.sizes, &loader)? {
                    Encoded::Chunk(chunk) => {
                        replacement.new.push(*chunk);
                        cursor = next;
                    }
                    Encoded::TooLarge(rows) => limits.rows = rows,
                }
            }
        }
        Ok(replacement)
    }

    /// The measurement as if it had only these chunks.
    fn state(&self, bucket: &BucketState) -> Arc<MeasurementState> {
        let of = bucket.measurements.get(&self.measurement);
        let fields = of.map(|of| of.fields.clone()).unwrap_or_default();
        Arc::new(MeasurementState {
            chunks: self.chunks.clone(),
            fields,
        })
    }
}

/// A bucket with only those deletes that every server's later writes come after.
pub(super) fn settled(catalogue: &Catalogue, bucket: BucketId) -> BucketState {
    let mut state = catalogue
        .buckets
        .get(&bucket)
        .map(|state| (**state).clone())
        .unwrap_or_default();
    if state.tombstones.iter().any(|t| t.version >= catalogue.low) {
        let settled = state
            .tombstones
            .iter()
            .filter(|t| t.version < catalogue.low);
        state.tombstones = settled.map(Arc::clone).collect();
    }
    state
}

/// A replacement of chunks by nothing.
pub(super) fn deaths(chunks: &[Arc<ChunkInfo>]) -> Replacement {
    let mut replacement = Replacement::default();
    for chunk in chunks {
        match chunk.name {
            ChunkName::Fresh(id) => replacement.fresh.push(id),
            ChunkName::Merged(id) => replacement.chunks.push(id),
        }
    }
    replacement
}
