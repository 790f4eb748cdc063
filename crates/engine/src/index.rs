//! The series of one measurement, and which of them have which tag.
//!
//! In memory only: built from the dictionaries that every chunk carries, never written anywhere.
//! Cost is linear in the number of series: about 150 bytes and their keys each.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use influxd_line_protocol::parse_tags;

/// A series of a measurement, by the order in which this process first saw it. Only means
/// something beside the [`MeasurementIndex`] that gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesId(pub u32);

impl SeriesId {
    /// Its place in the index.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The tags of a series, sorted by key; names and values are any bytes, values not empty.
pub type Tags = Arc<[(Box<[u8]>, Box<[u8]>)]>;

/// What the index knows of one series.
#[derive(Debug, Clone)]
pub struct Series {
    /// The canonical key: its tags, sorted and escaped (storage study 8.2); empty without tags.
    pub key: Arc<[u8]>,
    /// The same, taken apart.
    pub tags: Tags,
}

impl Series {
    /// The value of a tag, if the series has it.
    pub fn tag(&self, key: &[u8]) -> Option<&[u8]> {
        self.tags
            .iter()
            .find(|(k, _)| &**k == key)
            .map(|(_, v)| &**v)
    }
}

/// For one tag key: every value, sorted, and the series that have it, in ascending order.
pub type TagValues = BTreeMap<Box<[u8]>, Vec<SeriesId>>;

/// The series of one measurement. Only ever grows; what lives is the chunks' business.
#[derive(Debug, Clone, Default)]
pub struct MeasurementIndex {
    series: Vec<Series>,
    by_key: HashMap<Arc<[u8]>, SeriesId, RandomState>,
    tags: BTreeMap<Box<[u8]>, TagValues>,
    sorted: OnceLock<Arc<[SeriesId]>>,
}

impl MeasurementIndex {
    /// The id of the series with this canonical key, which is added if it is new.
    pub fn intern(&mut self, key: &[u8]) -> SeriesId {
        if let Some(id) = self.by_key.get(key) {
            return *id;
        }
        let id = SeriesId(u32::try_from(self.series.len()).unwrap_or(u32::MAX));
        let key: Arc<[u8]> = Arc::from(key);
        let tags: Tags = parse_tags(&key)
            .into_iter()
            .map(|(k, v)| (k.into_boxed_slice(), v.into_boxed_slice()))
            .collect();
        for (k, v) in tags.iter() {
            if !self.tags.contains_key(k) {
                self.tags.insert(k.clone(), TagValues::new());
            }
            let values = self.tags.get_mut(k).expect("the key was inserted above");
            match values.get_mut(v) {
                Some(ids) => ids.push(id),
                None => {
                    values.insert(v.clone(), vec![id]);
                }
            }
        }
        self.by_key.insert(Arc::clone(&key), id);
        self.series.push(Series { key, tags });
        self.sorted = OnceLock::new();
        id
    }

    /// The id of the series with this canonical key.
    pub fn find(&self, key: &[u8]) -> Option<SeriesId> {
        self.by_key.get(key).copied()
    }

    /// How many series there are.
    pub fn len(&self) -> usize {
        self.series.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.series.is_empty()
    }

    /// What is known of a series.
    ///
    /// # Panics
    /// If the id is another index's.
    pub fn series(&self, id: SeriesId) -> &Series {
        &self.series[id.index()]
    }

    /// All ids, in the byte order of the canonical keys.
    pub fn sorted(&self) -> &Arc<[SeriesId]> {
        self.sorted.get_or_init(|| {
            let mut ids: Vec<SeriesId> = (0..self.series.len() as u32).map(SeriesId).collect();
            ids.sort_unstable_by(|a, b| {
                self.series[a.index()].key.cmp(&self.series[b.index()].key)
            });
            ids.into()
        })
    }

    /// The tag keys, sorted.
    pub fn tag_keys(&self) -> impl Iterator<Item = &[u8]> {
        self.tags.keys().map(|k| &**k)
    }

    /// The values of a tag key and their series; `None` if no series has the key.
    pub fn tag_values(&self, key: &[u8]) -> Option<&TagValues> {
        self.tags.get(key)
    }

    /// The series with this value of this tag, ascending.
    pub fn with_tag(&self, key: &[u8], value: &[u8]) -> &[SeriesId] {
        self.tags
            .get(key)
            .and_then(|values| values.get(value))
            .map_or(&[], Vec::as_slice)
    }
}
