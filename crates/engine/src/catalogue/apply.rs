//! Taking in what a poll found.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use influxd_model::{BucketId, TimeRange};
use influxd_store::{
    ChunkRow, FieldRow, Followed, FreshRow, StoreError, TombstoneRow, Version, WindowRow,
};

use super::{
    BucketState, Catalogue, ChunkInfo, ChunkName, FieldInfo, Measurement, Tombstone, Window,
};
use crate::predicate::Predicate;

impl Catalogue {
    /// The catalogue after a poll. The same row may come many times, in this or a later poll:
    /// what is known is not added twice, and what has died does not come back.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if a stored predicate cannot be read.
    pub fn apply(&self, found: Followed, now: Instant) -> Result<Self, StoreError> {
        let mut next = Self {
            low: found.low,
            history: self.history,
            buckets: self.buckets.clone(),
        };
        let mut changes: HashMap<BucketId, Changes> = HashMap::new();
        for row in found.windows {
            changes.entry(row.bucket).or_default().windows.push(row);
        }
        for row in found.fields {
            changes.entry(row.bucket).or_default().fields.push(row);
        }
        for row in found.fresh {
            let of = changes.entry(row.bucket).or_default();
            of.chunk(row.died, fresh_info(row, now));
        }
        for row in found.chunks {
            let of = changes.entry(row.bucket).or_default();
            of.chunk(row.died, merged_info(row, now));
        }
        for row in found.tombstones {
            changes.entry(row.bucket).or_default().tombstones.push(row);
        }
        for (bucket, changes) in changes {
            let old = next.buckets.get(&bucket).cloned().unwrap_or_default();
            let state = changes.apply(&old, now)?;
            if state.is_void() {
                next.buckets.remove(&bucket);
            } else {
                next.buckets.insert(bucket, Arc::new(state));
            }
        }
        Ok(next)
    }
}

/// What a poll found about one bucket.
#[derive(Default)]
struct Changes {
    windows: Vec<WindowRow>,
    fields: Vec<FieldRow>,
    born: HashMap<Measurement, Vec<ChunkInfo>>,
    died: HashMap<Measurement, Vec<ChunkName>>,
    tombstones: Vec<TombstoneRow>,
}

impl Changes {
    fn chunk(&mut self, died: Option<Version>, info: ChunkInfo) {
        let measurement = Arc::clone(&info.measurement);
        match died {
            None => self.born.entry(measurement).or_default().push(info),
            Some(_) => self.died.entry(measurement).or_default().push(info.name),
        }
    }

    fn apply(self, old: &BucketState, now: Instant) -> Result<BucketState, StoreError> {
        let mut state = old.clone();
        apply_windows(&mut state, self.windows);
        apply_fields(&mut state, self.fields);
        for (measurement, names) in self.died {
            let names: HashSet<ChunkName> = names.into_iter().collect();
            if let Some(of) = state.measurements.get_mut(&measurement)
                && of.chunks.iter().any(|c| names.contains(&c.name))
            {
                Arc::make_mut(of)
                    .chunks
                    .retain(|c| !names.contains(&c.name));
            }
        }
        for (measurement, chunks) in self.born {
            let of = Arc::make_mut(state.measurements.entry(measurement).or_default());
            let known = of.chunks.len();
            for chunk in chunks {
                if !of.chunks[..known].iter().any(|c| c.name == chunk.name) {
                    of.chunks.push(Arc::new(chunk));
                }
            }
            of.chunks.sort_by_key(|c| c.order());
        }
        state
            .measurements
            .retain(|_, m| !(m.chunks.is_empty() && m.fields.is_empty()));
        if !self.tombstones.is_empty() {
            state.tombstones = tombstones(&state.tombstones, self.tombstones, now)?;
        }
        Ok(state)
    }
}

impl BucketState {
    fn is_void(&self) -> bool {
        self.windows.is_empty() && self.measurements.is_empty() && self.tombstones.is_empty()
    }
}

/// A window can die and be added again, with both rows in one poll or the dead one in a later
/// poll, too: the row with the greatest version says what is.
fn apply_windows(state: &mut BucketState, mut rows: Vec<WindowRow>) {
    rows.sort_by_key(|row| row.version);
    for row in rows {
        let WindowRow {
            start,
            end,
            version,
            ..
        } = row;
        let known = state.window_versions.get(&start);
        if known.is_some_and(|known| *known > version) {
            continue;
        }
        if row.died.is_some() {
            state.windows.remove(&start);
            state.window_versions.remove(&start);
        } else {
            state.windows.insert(start, Window { start, end });
            state.window_versions.insert(start, version);
        }
    }
}

/// A field can die and be agreed again, with both rows in one poll: the row with the greatest
/// version says what is.
fn apply_fields(state: &mut BucketState, mut rows: Vec<FieldRow>) {
    rows.sort_by_key(|row| row.version);
    for row in rows {
        let measurement: Measurement = row.measurement.into();
        let of = Arc::make_mut(state.measurements.entry(measurement).or_default());
        let window = of.fields.entry(row.window_start).or_default();
        let is_newest = window
            .get(row.name.as_slice())
            .is_none_or(|known| known.version <= row.version);
        if row.died.is_some() {
            if is_newest {
                window.remove(row.name.as_slice());
            }
        } else if is_newest {
            let info = FieldInfo {
                field_type: row.field_type,
                version: row.version,
            };
            window.insert(row.name.into(), info);
        }
        if window.is_empty() {
            of.fields.remove(&row.window_start);
        }
    }
}

fn tombstones(
    old: &[Arc<Tombstone>],
    rows: Vec<TombstoneRow>,
    now: Instant,
) -> Result<Arc<[Arc<Tombstone>]>, StoreError> {
    let mut all: BTreeMap<(Version, i64), Arc<Tombstone>> = old
        .iter()
        .map(|t| ((t.version, t.id), Arc::clone(t)))
        .collect();
    for row in rows {
        let key = (row.version, row.id);
        if row.died.is_some() {
            all.remove(&key);
        } else if let Entry::Vacant(place) = all.entry(key) {
            let predicate =
                Predicate::decode(&row.predicate).map_err(|error| StoreError::Corrupt {
                    what: "tombstone",
                    detail: error.to_string(),
                })?;
            place.insert(Arc::new(Tombstone {
                id: row.id,
                version: row.version,
                measurement: row.measurement.map(Into::into),
                range: TimeRange {
                    min: row.min_time,
                    max: row.max_time,
                },
                predicate,
                seen: now,
            }));
        }
    }
    Ok(all.into_values().collect())
}

fn fresh_info(row: FreshRow, now: Instant) -> ChunkInfo {
    ChunkInfo {
        name: ChunkName::Fresh(row.id),
        bucket: row.bucket,
        measurement: row.measurement.into(),
        oldest: row.version,
        newest: row.version,
        part: row.part,
        level: 0,
        window_start: None,
        range: TimeRange {
            min: row.min_time,
            max: row.max_time,
        },
        rows: row.row_count.unsigned_abs(),
        bytes: row.body_bytes.unsigned_abs(),
        seen: now,
    }
}

fn merged_info(row: ChunkRow, now: Instant) -> ChunkInfo {
    ChunkInfo {
        name: ChunkName::Merged(row.id),
        bucket: row.bucket,
        measurement: row.measurement.into(),
        oldest: row.oldest,
        newest: row.newest,
        part: 0,
        level: row.level,
        window_start: Some(row.window_start),
        range: TimeRange {
            min: row.min_time,
            max: row.max_time,
        },
        rows: row.row_count.unsigned_abs(),
        bytes: row.bytes.unsigned_abs(),
        seen: now,
    }
}

#[cfg(test)]
mod tests {
    use influxd_model::FieldType;

    use super::*;

    fn bucket() -> BucketId {
        BucketId::new(1).unwrap()
    }

    fn fresh(id: i64, version: Version, died: Option<Version>) -> FreshRow {
        FreshRow {
            id,
            version,
            part: 0,
            died,
            bucket: bucket(),
            measurement: b"m".to_vec(),
            min_time: 0,
            max_time: 9,
            row_count: 1,
            body_bytes: 1,
        }
    }

    fn field(version: Version, field_type: FieldType, died: Option<Version>) -> FieldRow {
        FieldRow {
            bucket: bucket(),
            window_start: 0,
            measurement: b"m".to_vec(),
            name: b"f".to_vec(),
            field_type,
            version,
            died,
        }
    }

    fn names(catalogue: &Catalogue) -> Vec<ChunkName> {
        catalogue.buckets.get(&bucket()).map_or_else(Vec::new, |b| {
            b.measurements[&b"m"[..]]
                .chunks
                .iter()
                .map(|c| c.name)
                .collect()
        })
    }

    #[test]
    fn rows_that_come_again_change_nothing() {
        let now = Instant::now();
        let rows = || Followed {
            low: 3,
            fresh: vec![fresh(7, 2, None), fresh(5, 1, None)],
            ..Followed::default()
        };
        let once = Catalogue::default().apply(rows(), now).unwrap();
        let twice = once.apply(rows(), now).unwrap();
        assert_eq!(names(&twice), [ChunkName::Fresh(5), ChunkName::Fresh(7)]);
        let dead = Followed {
            low: 4,
            fresh: vec![fresh(7, 2, Some(3))],
            ..Followed::default()
        };
        let after = twice.apply(dead, now).unwrap();
        assert_eq!(names(&after), [ChunkName::Fresh(5)]);
        let last = Followed {
            low: 5,
            fresh: vec![fresh(5, 1, Some(4))],
            ..Followed::default()
        };
        assert!(after.apply(last, now).unwrap().buckets.is_empty());
    }

    #[test]
    fn a_field_agreed_again_after_its_death_lives() {
        let now = Instant::now();
        let found = Followed {
            low: 9,
            fields: vec![
                field(5, FieldType::Integer, None),
                field(1, FieldType::Float, Some(5)),
            ],
            ..Followed::default()
        };
        let catalogue = Catalogue::default().apply(found, now).unwrap();
        let state = &catalogue.buckets[&bucket()].measurements[&b"m"[..]];
        assert_eq!(state.field(0, b"f").unwrap().field_type, FieldType::Integer);
        let old_death = Followed {
            low: 10,
            fields: vec![field(1, FieldType::Float, Some(5))],
            ..Followed::default()
        };
        let catalogue = catalogue.apply(old_death, now).unwrap();
        let state = &catalogue.buckets[&bucket()].measurements[&b"m"[..]];
        assert_eq!(state.field(0, b"f").unwrap().field_type, FieldType::Integer);
    }

    #[test]
    fn a_window_added_again_after_its_death_lives() {
        let now = Instant::now();
        let row = |version, died| WindowRow {
            bucket: bucket(),
            start: 0,
            end: 10,
            version,
            died,
        };
        let poll = |windows| Followed {
            low: 9,
            windows,
            ..Followed::default()
        };
        let lives = |catalogue: &Catalogue| {
            (catalogue.buckets.get(&bucket())).is_some_and(|state| state.window(5).is_some())
        };
        let both = poll(vec![row(7, None), row(2, Some(5))]);
        let catalogue = Catalogue::default().apply(both, now).unwrap();
        assert!(lives(&catalogue));
        let catalogue = catalogue.apply(poll(vec![row(2, Some(5))]), now).unwrap();
        assert!(lives(&catalogue));
        let catalogue = catalogue.apply(poll(vec![row(7, Some(8))]), now).unwrap();
        assert!(!lives(&catalogue));
    }
}
