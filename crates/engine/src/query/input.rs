//! Where a `SELECT` takes its blocks from: a measurement, or the rows of a subquery.

use std::sync::Arc;

use influxd_influxql::ast::{TypeHint, VarRef};
use influxd_model::TimeRange;

use super::Result;
use super::types::{Schema, Type, hinted};
use crate::chunk::Column;
use crate::index::{MeasurementIndex, SeriesId};
use crate::source::{Block, Few, Slice, Snapshot};

/// A source of blocks whose rows all belong to one measurement name.
pub(super) struct Input {
    /// What the result series are called.
    pub(super) name: Vec<u8>,
    pub(super) data: Data,
    /// Its columns.
    pub(super) schema: Schema,
}

pub(super) enum Data {
    /// A measurement of a bucket.
    Stored {
        snapshot: Arc<dyn Snapshot>,
        index: Arc<MeasurementIndex>,
    },
    /// The rows of a subquery.
    Derived {
        columns: Arc<[String]>,
        series: Vec<Derived>,
    },
}

/// A series of a subquery's result.
pub(super) struct Derived {
    /// The values of its dimensions, by key; empty ones are left out.
    pub(super) tags: Vec<(Vec<u8>, Vec<u8>)>,
    /// Ascending; the same time may come several times.
    pub(super) times: Vec<i64>,
    /// As long as the times each.
    pub(super) columns: Vec<Column>,
}

/// Where the cells of a column reference come from.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Reference {
    /// A field, or a column of a subquery, to be read as this type.
    Field(String, Option<Type>),
    /// A tag, or a dimension of a subquery.
    Tag(Vec<u8>),
    /// Nowhere.
    Missing,
}

impl Input {
    /// What a column reference means here (InfluxQL 5.2).
    pub(super) fn resolve(&self, column: &VarRef) -> Reference {
        let tag = || Reference::Tag(column.name.clone().into_bytes());
        let field = || Reference::Field(column.name.clone(), column.hint.and_then(hinted));
        let is_field = self.schema.fields.contains_key(&column.name);
        match (&self.data, column.hint) {
            (Data::Stored { .. }, Some(TypeHint::Tag)) => tag(),
            _ if is_field => field(),
            (Data::Stored { .. }, None) => tag(),
            (Data::Derived { .. }, _) if self.schema.tags.contains(&column.name) => tag(),
            _ => Reference::Missing,
        }
    }

    /// The series with rows in a range, in the order of their keys.
    pub(super) fn living(&self, range: TimeRange) -> Result<Vec<u32>> {
        match &self.data {
            Data::Derived { series, .. } => Ok((0..series.len() as u32).collect()),
            Data::Stored { snapshot, index } => {
                let living = snapshot.living(&self.name, range)?;
                let mut lives = vec![false; index.len()];
                for id in &living {
                    if let Some(flag) = lives.get_mut(id.index()) {
                        *flag = true;
                    }
                }
                Ok(index
                    .sorted()
                    .iter()
                    .filter(|id| lives[id.index()])
                    .map(|id| id.0)
                    .collect())
            }
        }
    }

    /// How many series numbers there are.
    pub(super) fn series_count(&self) -> usize {
        match &self.data {
            Data::Stored { index, .. } => index.len(),
            Data::Derived { series, .. } => series.len(),
        }
    }

    /// The value of a series' tag.
    pub(super) fn tag(&self, series: u32, key: &[u8]) -> Option<&[u8]> {
        match &self.data {
            Data::Stored { index, .. } => index.series(SeriesId(series)).tag(key),
            Data::Derived { series: all, .. } => all[series as usize]
                .tags
                .iter()
                .find(|(name, _)| name == key)
                .map(|(_, value)| value.as_slice()),
        }
    }

    /// The stretches of time to read one after the other.
    pub(super) fn slices(&self, range: TimeRange, few: Option<Few>) -> Vec<Slice> {
        if range.is_empty() {
            return Vec::new();
        }
        match &self.data {
            Data::Stored { snapshot, .. } => snapshot.slices(&self.name, range, few),
            Data::Derived { .. } => vec![Slice {
                range,
                window_start: 0,
            }],
        }
    }

    /// The rows of some series in a slice: a block for each that has any, in the order given.
    pub(super) fn read(
        &self,
        series: &[u32],
        fields: &[String],
        slice: Slice,
    ) -> Result<Vec<Block>> {
        match &self.data {
            Data::Stored { snapshot, .. } => {
                let ids: Vec<SeriesId> = series.iter().map(|id| SeriesId(*id)).collect();
                let names: Vec<&[u8]> = fields.iter().map(String::as_bytes).collect();
                Ok(snapshot.read(&self.name, &ids, &names, slice)?)
            }
            Data::Derived {
                columns,
                series: all,
            } => Ok(series
                .iter()
                .filter_map(|id| {
                    let rows = &all[*id as usize];
                    let from = rows.times.partition_point(|time| *time < slice.range.min);
                    let to = rows.times.partition_point(|time| *time <= slice.range.max);
                    (from < to).then(|| Block {
                        series: SeriesId(*id),
                        times: rows.times[from..to].to_vec(),
                        columns: fields
                            .iter()
                            .map(|name| {
                                let at = columns.iter().position(|column| column == name)?;
                                Some(rows.columns[at].slice(from..to))
                            })
                            .collect(),
                    })
                })
                .collect()),
        }
    }

    /// Whether the rows come out of a subquery.
    pub(super) const fn is_derived(&self) -> bool {
        matches!(self.data, Data::Derived { .. })
    }
}
