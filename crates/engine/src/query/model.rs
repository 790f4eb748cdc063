//! Points in plain maps: a [`Source`] for tests, slow and obvious.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use influxd_model::{BucketId, FieldType, TimeRange};
use influxd_store::StoreError;

use crate::chunk::{Column, Value};
use crate::index::{MeasurementIndex, SeriesId};
use crate::source::{Block, Delete, Few, ReadError, Slice, Snapshot, Source};

/// The length of a shard window, in nanoseconds.
const WINDOW: i64 = 7 * 86_400 * 1_000_000_000;
/// 1970 began on a Thursday; windows begin on Mondays.
const MONDAY: i64 = 4 * 86_400 * 1_000_000_000;

/// A value of the model.
#[derive(Debug, Clone, PartialEq)]
pub enum Datum {
    /// A float.
    Float(f64),
    /// An integer.
    Integer(i64),
    /// An unsigned integer.
    Unsigned(u64),
    /// A boolean.
    Boolean(bool),
    /// A text.
    String(Vec<u8>),
}

impl Datum {
    /// Its type.
    pub const fn field_type(&self) -> FieldType {
        self.value().field_type()
    }

    const fn value(&self) -> Value<'_> {
        match self {
            Self::Float(v) => Value::Float(*v),
            Self::Integer(v) => Value::Integer(*v),
            Self::Unsigned(v) => Value::Unsigned(*v),
            Self::Boolean(v) => Value::Boolean(*v),
            Self::String(v) => Value::String(v.as_slice()),
        }
    }
}

type Row = BTreeMap<Vec<u8>, Datum>;

#[derive(Debug, Clone, Default)]
struct Measurement {
    index: Arc<MeasurementIndex>,
    rows: BTreeMap<SeriesId, BTreeMap<i64, Row>>,
}

/// All buckets of a test.
#[derive(Debug, Default)]
pub struct Model {
    buckets: Mutex<HashMap<BucketId, Arc<Bucket>>>,
}

#[derive(Debug, Clone, Default)]
struct Bucket {
    measurements: BTreeMap<Vec<u8>, Measurement>,
}

const fn window(time: i64) -> i64 {
    time.saturating_sub(MONDAY)
        .div_euclid(WINDOW)
        .saturating_mul(WINDOW)
        .saturating_add(MONDAY)
}

impl Model {
    /// Writes a point; `false` if a field has another type in that window: then nothing of the
    /// point is kept.
    pub fn write(
        &self,
        bucket: BucketId,
        measurement: &[u8],
        tags: &[u8],
        time: i64,
        fields: Vec<(Vec<u8>, Datum)>,
    ) -> bool {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = Arc::make_mut(buckets.entry(bucket).or_default());
        let measurement = bucket.measurements.entry(measurement.to_vec()).or_default();
        let known = measurement.fields(TimeRange {
            min: time,
            max: time,
        });
        for (name, value) in &fields {
            if known
                .iter()
                .any(|(n, t)| n == name && *t != value.field_type())
            {
                return false;
            }
        }
        let id = Arc::make_mut(&mut measurement.index).intern(tags);
        measurement
            .rows
            .entry(id)
            .or_default()
            .entry(time)
            .or_default()
            .extend(fields);
        true
    }
}

impl Measurement {
    fn fields(&self, range: TimeRange) -> Vec<(Vec<u8>, FieldType)> {
        let mut fields = std::collections::BTreeSet::new();
        for row in self.rows_in_windows(range).flat_map(|(_, row)| row) {
            fields.insert((row.0.clone(), row.1.field_type()));
        }
        fields.into_iter().collect()
    }

    fn rows_in_windows(&self, range: TimeRange) -> impl Iterator<Item = (SeriesId, &Row)> {
        self.rows.iter().flat_map(move |(id, rows)| {
            rows.iter()
                .filter(move |(time, _)| {
                    let start = window(**time);
                    start <= range.max && range.min < start.saturating_add(WINDOW)
                })
                .map(|(_, row)| (*id, row))
        })
    }
}

impl Source for Model {
    fn snapshot(&self, bucket: BucketId) -> Result<Arc<dyn Snapshot>, ReadError> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Arc::clone(buckets.entry(bucket).or_default()) as Arc<dyn Snapshot>)
    }

    fn delete(&self, bucket: BucketId, delete: Delete) -> Result<(), StoreError> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = Arc::make_mut(buckets.entry(bucket).or_default());
        for (name, measurement) in &mut bucket.measurements {
            if delete
                .measurement
                .as_ref()
                .is_some_and(|wanted| wanted != name)
            {
                continue;
            }
            let index = Arc::clone(&measurement.index);
            measurement.rows.retain(|id, rows| {
                if delete.predicate.matches(name, &index.series(*id).tags) {
                    rows.retain(|time, _| !delete.range.contains(*time));
                }
                !rows.is_empty()
            });
        }
        bucket
            .measurements
            .retain(|_, measurement| !measurement.rows.is_empty());
        Ok(())
    }
}

impl Snapshot for Bucket {
    fn measurements(&self) -> Vec<Vec<u8>> {
        self.measurements.keys().cloned().collect()
    }

    fn index(&self, measurement: &[u8]) -> Option<Arc<MeasurementIndex>> {
        self.measurements
            .get(measurement)
            .map(|measurement| Arc::clone(&measurement.index))
    }

    fn living(&self, measurement: &[u8], range: TimeRange) -> Result<Vec<SeriesId>, ReadError> {
        let Some(measurement) = self.measurements.get(measurement) else {
            return Ok(Vec::new());
        };
        let mut living: Vec<SeriesId> = measurement
            .rows_in_windows(range)
            .map(|(id, _)| id)
            .collect();
        living.dedup();
        Ok(living)
    }

    fn fields(&self, measurement: &[u8], range: TimeRange) -> Vec<(Vec<u8>, FieldType)> {
        self.measurements
            .get(measurement)
            .map_or_else(Vec::new, |found| found.fields(range))
    }

    fn window_count(&self, measurement: &[u8], range: TimeRange) -> usize {
        self.slices(measurement, range, None).len()
    }

    fn slices(&self, measurement: &[u8], range: TimeRange, _: Option<Few>) -> Vec<Slice> {
        let Some(measurement) = self.measurements.get(measurement) else {
            return Vec::new();
        };
        let starts: std::collections::BTreeSet<i64> = measurement
            .rows
            .values()
            .flat_map(|rows| rows.keys())
            .filter(|time| range.contains(**time))
            .map(|time| window(*time))
            .collect();
        starts
            .into_iter()
            .map(|start| Slice {
                range: range.intersect(TimeRange {
                    min: start,
                    max: start.saturating_add(WINDOW - 1),
                }),
                window_start: start,
            })
            .collect()
    }

    fn read(
        &self,
        measurement: &[u8],
        series: &[SeriesId],
        fields: &[&[u8]],
        slice: Slice,
    ) -> Result<Vec<Block>, ReadError> {
        let Some(measurement) = self.measurements.get(measurement) else {
            return Ok(Vec::new());
        };
        let mut blocks = Vec::new();
        for id in series {
            let Some(rows) = measurement.rows.get(id) else {
                continue;
            };
            let rows: Vec<(i64, &Row)> = rows
                .range(slice.range.min..=slice.range.max)
                .filter(|(_, row)| fields.iter().any(|field| row.contains_key(*field)))
                .map(|(time, row)| (*time, row))
                .collect();
            if rows.is_empty() {
                continue;
            }
            let columns = fields
                .iter()
                .map(|field| {
                    let first = rows.iter().find_map(|(_, row)| row.get(*field))?;
                    let mut column = Column::new(first.field_type());
                    for (_, row) in &rows {
                        match row.get(*field) {
                            Some(value) => column.push(value.value()),
                            None => column.push_absent(),
                        }
                    }
                    Some(column)
                })
                .collect();
            let times = rows.iter().map(|(time, _)| *time).collect();
            blocks.push(Block {
                series: *id,
                times,
                columns,
            });
        }
        Ok(blocks)
    }
}
