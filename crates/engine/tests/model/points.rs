//! The points as a plain map: what every query must agree with.

use std::collections::{BTreeMap, BTreeSet};

use influxd_engine::predicate::Predicate;
use influxd_model::{FieldType, TimeRange};
use influxd_store::shard_window;

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    Float(f64),
    Integer(i64),
    Unsigned(u64),
    String(Vec<u8>),
    Boolean(bool),
}

impl Cell {
    pub fn field_type(&self) -> FieldType {
        match self {
            Self::Float(_) => FieldType::Float,
            Self::Integer(_) => FieldType::Integer,
            Self::Unsigned(_) => FieldType::Unsigned,
            Self::String(_) => FieldType::String,
            Self::Boolean(_) => FieldType::Boolean,
        }
    }
}

/// A point as a client sends it.
#[derive(Debug, Clone)]
pub struct Point {
    pub measurement: &'static str,
    pub key: &'static str,
    pub time: i64,
    pub fields: Vec<(&'static str, Cell)>,
}

/// Whether a series is known for a refused point. After a delete of part of its window nobody
/// can tell, since the point's time is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    Surely,
    Maybe,
}

type Row = BTreeMap<&'static str, Cell>;

/// Everything in a bucket.
#[derive(Debug, Clone, Default)]
pub struct Points {
    pub rows: BTreeMap<(&'static str, &'static str, i64), Row>,
    /// By measurement, window and field.
    pub types: BTreeMap<(&'static str, i64, &'static str), FieldType>,
    /// By measurement, series and window.
    pub known: BTreeMap<(&'static str, &'static str, i64), Known>,
    pub shard_duration: i64,
}

/// The tags of a canonical key of the tests.
fn tags(key: &str) -> Vec<(Box<[u8]>, Box<[u8]>)> {
    key.split(',')
        .filter_map(|pair| pair.split_once('='))
        .map(|(k, v)| (k.as_bytes().into(), v.as_bytes().into()))
        .collect()
}

impl Points {
    pub fn window(&self, time: i64) -> TimeRange {
        let (start, end) = shard_window(time, self.shard_duration);
        TimeRange {
            min: start,
            max: if end == i64::MAX { end } else { end - 1 },
        }
    }

    /// Writes a point, or refuses it for the type of a field. All types of its fields that were
    /// open are fixed before.
    pub fn write(&mut self, point: &Point) -> bool {
        let window = self.window(point.time).min;
        let mut fits = true;
        for (field, cell) in &point.fields {
            let field_type = cell.field_type();
            let agreed = self
                .types
                .entry((point.measurement, window, field))
                .or_insert(field_type);
            fits &= *agreed == field_type;
        }
        if fits {
            let row = self
                .rows
                .entry((point.measurement, point.key, point.time))
                .or_default();
            row.extend(point.fields.iter().cloned());
        } else {
            self.known
                .insert((point.measurement, point.key, window), Known::Surely);
        }
        fits
    }

    pub fn delete(
        &mut self,
        measurement: Option<&'static str>,
        range: TimeRange,
        predicate: &Predicate,
        forgets: bool,
    ) {
        let takes = |m: &str, key: &str| {
            measurement.is_none_or(|of| of == m) && predicate.matches(m.as_bytes(), &tags(key))
        };
        self.rows
            .retain(|(m, key, time), _| !(range.contains(*time) && takes(m, key)));
        let duration = self.shard_duration;
        let whole = |start: i64| {
            let (_, end) = shard_window(start.max(i64::MIN + 2), duration);
            let last = if end == i64::MAX {
                i64::MAX - 1
            } else {
                end - 1
            };
            TimeRange {
                min: start.max(i64::MIN + 2),
                max: last,
            }
        };
        self.known.retain(|(m, key, window), known| {
            if takes(m, key) && whole(*window).overlaps(range) {
                *known = Known::Maybe;
                return !range.covers(whole(*window));
            }
            true
        });
        if forgets {
            self.types.retain(|(m, window, _), _| {
                !(measurement.is_none_or(|of| of == *m) && range.covers(whole(*window)))
            });
        }
    }

    /// Series of a measurement in the windows that overlap a range: (surely, maybe as well).
    pub fn living(
        &self,
        measurement: &str,
        range: TimeRange,
    ) -> (BTreeSet<&'static str>, BTreeSet<&'static str>) {
        let mut surely = BTreeSet::new();
        let mut maybe = BTreeSet::new();
        for (m, key, time) in self.rows.keys() {
            if *m == measurement && self.window(*time).overlaps(range) {
                surely.insert(*key);
            }
        }
        for ((m, key, window), known) in &self.known {
            if *m == measurement && self.window((*window).max(i64::MIN + 2)).overlaps(range) {
                match known {
                    Known::Surely => surely.insert(*key),
                    Known::Maybe => maybe.insert(*key),
                };
            }
        }
        maybe.extend(surely.iter().copied());
        (surely, maybe)
    }

    /// The fields of a measurement in the windows that overlap a range; the second set counts
    /// windows in which only series live that maybe live.
    pub fn fields(
        &self,
        measurement: &'static str,
        range: TimeRange,
    ) -> (
        BTreeSet<(&'static str, FieldType)>,
        BTreeSet<(&'static str, FieldType)>,
    ) {
        let (mut surely, mut maybe) = (BTreeSet::new(), BTreeSet::new());
        for ((m, window, field), field_type) in &self.types {
            let of_window = self.window((*window).max(i64::MIN + 2));
            if *m != measurement || !of_window.overlaps(range) {
                continue;
            }
            let (sure, all) = self.living(measurement, of_window);
            if !sure.is_empty() {
                surely.insert((*field, *field_type));
            }
            if !all.is_empty() {
                maybe.insert((*field, *field_type));
            }
        }
        (surely, maybe)
    }
}
