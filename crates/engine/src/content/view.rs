//! A measurement at one moment: its index and the chunks that may show points.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use influxd_store::Version;

use super::chunk::{ChunkContent, ChunkView, Hiding};
use super::load::Loader;
use crate::catalogue::{
    BucketState, ChunkInfo, ChunkName, Measurement, MeasurementState, Tombstone,
};
use crate::chunk::Bitmap;
use crate::index::{MeasurementIndex, SeriesId};
use crate::source::ReadError;

/// A measurement at one moment.
#[derive(Debug)]
pub struct MeasurementView {
    /// Its name.
    pub name: Measurement,
    /// Every series of its chunks, and maybe more.
    pub index: Arc<MeasurementIndex>,
    /// The chunks that no delete covers whole, in the order of writes: the later wins.
    pub chunks: Vec<ChunkView>,
    /// The catalogue's part.
    pub state: Arc<MeasurementState>,
    /// Which series live, by the range of whole windows asked about.
    pub(crate) living: Mutex<HashMap<(i64, i64), Arc<[SeriesId]>>>,
}

/// All that is known of the chunks of a measurement.
#[derive(Debug, Default)]
pub(super) struct MeasurementContents {
    /// The greatest `low` of the catalogues seen: only the latest may make chunks forgotten.
    low: Version,
    index: Arc<MeasurementIndex>,
    chunks: HashMap<ChunkName, Arc<ChunkContent>>,
    /// For each delete with a condition on tags a bit for every series: whether it takes it.
    taken: HashMap<i64, Arc<Bitmap>>,
    last: Option<Last>,
}

/// The view made last, and what it was made of.
#[derive(Debug)]
struct Last {
    tombstones: Arc<[Arc<Tombstone>]>,
    view: Option<Arc<MeasurementView>>,
    state: Arc<MeasurementState>,
}

impl MeasurementContents {
    /// The measurement as a catalogue has it.
    pub(super) fn view(
        &mut self,
        loader: &Loader,
        low: Version,
        name: &Measurement,
        bucket: &BucketState,
        state: &Arc<MeasurementState>,
    ) -> Result<Option<Arc<MeasurementView>>, ReadError> {
        if let Some(last) = &self.last
            && Arc::ptr_eq(&last.state, state)
            && Arc::ptr_eq(&last.tombstones, &bucket.tombstones)
        {
            return Ok(last.view.clone());
        }
        let tombstones: Vec<&Arc<Tombstone>> = bucket
            .tombstones
            .iter()
            .filter(|t| t.may_take(name))
            .collect();
        let mut visible = Vec::with_capacity(state.chunks.len());
        for info in &state.chunks {
            let touching: Vec<&Arc<Tombstone>> = tombstones
                .iter()
                .copied()
                .filter(|t| touches(t, info))
                .collect();
            if !touching.iter().any(|t| t.covers(info)) {
                visible.push((info, touching));
            }
        }
        // The index can only grow in place while no view made here holds it.
        self.last = None;
        self.load(loader, visible.iter().map(|(info, _)| *info))?;
        if low >= self.low {
            self.low = low;
            self.forget(state, &tombstones);
        }
        let view = (!visible.is_empty()).then(|| {
            let chunks = visible.into_iter().map(|(info, touching)| ChunkView {
                info: Arc::clone(info),
                content: Arc::clone(&self.chunks[&info.name]),
                hidings: touching.into_iter().map(|t| self.hiding(name, t)).collect(),
            });
            let chunks = chunks.collect();
            Arc::new(MeasurementView {
                name: Arc::clone(name),
                index: Arc::clone(&self.index),
                chunks,
                state: Arc::clone(state),
                living: Mutex::default(),
            })
        });
        self.last = Some(Last {
            tombstones: Arc::clone(&bucket.tombstones),
            view: view.clone(),
            state: Arc::clone(state),
        });
        Ok(view)
    }

    /// Looks into chunks that were not looked into yet.
    fn load<'a>(
        &mut self,
        loader: &Loader,
        chunks: impl Iterator<Item = &'a Arc<ChunkInfo>>,
    ) -> Result<(), ReadError> {
        let (mut fresh, mut paged) = (Vec::new(), Vec::new());
        for info in chunks.filter(|info| !self.chunks.contains_key(&info.name)) {
            match info.name {
                ChunkName::Fresh(id) => fresh.push((id, info.bytes)),
                ChunkName::Merged(id) => paged.push(id),
            }
        }
        // By parts, so that a measurement of any size never lies in memory decoded at once.
        for part in by_bytes(&fresh, LOADED_AT_ONCE) {
            let mut bodies = loader.fresh(part)?;
            for (id, _) in part {
                let Some(chunk) = bodies.remove(id) else {
                    return Err(ReadError::Moved);
                };
                let keys = chunk.series.iter().map(|(key, _)| key.as_slice());
                let series = intern(&mut self.index, keys);
                let content = ChunkContent::fresh(series, &chunk);
                self.chunks.insert(ChunkName::Fresh(*id), Arc::new(content));
            }
        }
        for part in paged.chunks(HEADS_AT_ONCE) {
            let mut heads = loader.heads(part)?;
            for id in part {
                let Some(head) = heads.remove(id) else {
                    return Err(ReadError::Moved);
                };
                let series = intern(&mut self.index, head.keys());
                let content = ChunkContent::paged(series, head);
                self.chunks
                    .insert(ChunkName::Merged(*id), Arc::new(content));
            }
        }
        Ok(())
    }

    fn forget(&mut self, state: &MeasurementState, tombstones: &[&Arc<Tombstone>]) {
        if self.chunks.len() > state.chunks.len() {
            let living: HashSet<ChunkName> = state.chunks.iter().map(|c| c.name).collect();
            self.chunks.retain(|name, _| living.contains(name));
        }
        self.taken
            .retain(|id, _| tombstones.iter().any(|t| t.id == *id));
    }

    /// Which series a delete takes; looked at once for every series.
    fn hiding(&mut self, name: &[u8], tombstone: &Arc<Tombstone>) -> Hiding {
        let taken = tombstone.predicate.depends_on_tags().then(|| {
            let taken = self.taken.entry(tombstone.id).or_default();
            if taken.len() < self.index.len() {
                let bits = Arc::make_mut(taken);
                for id in bits.len()..self.index.len() {
                    let tags = &self.index.series(SeriesId(id as u32)).tags;
                    bits.push(tombstone.predicate.matches(name, tags));
                }
            }
            Arc::clone(taken)
        });
        Hiding {
            tombstone: Arc::clone(tombstone),
            taken,
        }
    }
}

/// Bytes of bodies looked into at once. Decoded they are about ten times as many.
const LOADED_AT_ONCE: u64 = 16 << 20;
const HEADS_AT_ONCE: usize = 128;

/// [`Tombstone::touches`] for one that may take the measurement.
fn touches(tombstone: &Tombstone, info: &ChunkInfo) -> bool {
    info.newest < tombstone.version && tombstone.range.overlaps(info.range)
}

/// Cuts a list of (id, bytes) so that no part has many more bytes than `limit`.
fn by_bytes(list: &[(i64, u64)], limit: u64) -> impl Iterator<Item = &[(i64, u64)]> {
    let mut rest = list;
    std::iter::from_fn(move || {
        let mut sum = 0;
        let fits = rest.iter().take_while(|(_, bytes)| {
            sum += bytes;
            sum <= limit
        });
        let (part, later) = rest.split_at(fits.count().max(1).min(rest.len()));
        rest = later;
        (!part.is_empty()).then_some(part)
    })
}

/// The ids of series. An index that others hold is only copied if there is a new one.
fn intern<'k>(
    index: &mut Arc<MeasurementIndex>,
    keys: impl Iterator<Item = &'k [u8]>,
) -> Box<[u32]> {
    keys.map(|key| match index.find(key) {
        Some(id) => id.0,
        None => Arc::make_mut(index).intern(key).0,
    })
    .collect()
}
