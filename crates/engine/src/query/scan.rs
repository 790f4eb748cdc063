//! Reading an input: filtered blocks with the columns that a plan asked for.

use influxd_influxql::ast::VarRef;
use influxd_model::FieldType;

use super::filter::{Filter, Mask};
use super::input::{Input, Reference};
use super::output::Value;
use super::resolve::Fields;
use super::scalar::{cast_column, cell};
use super::types::Type;
use super::{Env, Result};
use crate::chunk::Column;
use crate::source::{Block, Slice};

/// Where a column of the plan comes from in one input.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Slot {
    /// A column of a [`Batch`].
    Column(usize),
    /// A tag of the series.
    Tag(Vec<u8>),
    /// Always null.
    Missing,
}

/// What to read from one input.
pub(super) struct Scan {
    /// Where each of the plan's columns comes from.
    pub(super) slots: Vec<Slot>,
    /// Which rows to read.
    pub(super) filter: Filter,
    fields: Fields,
    columns: Vec<(usize, Option<FieldType>)>,
}

/// The rows of one series in a slice that pass the filter.
pub(super) struct Batch {
    /// The series' number in its input.
    pub(super) series: u32,
    /// The series of each row, where rows of several were merged.
    owners: Option<Vec<u32>>,
    /// Ascending.
    pub(super) times: Vec<i64>,
    /// One for each column of the scan; `None` where no row has a value.
    pub(super) columns: Vec<Option<Column>>,
}

impl Scan {
    /// Plans the reading of `columns` from an input; the filter is compiled with `fields`.
    pub(super) fn new(
        input: &Input,
        columns: &[VarRef],
        filter: Filter,
        mut fields: Fields,
    ) -> Self {
        let mut read: Vec<(usize, Option<FieldType>)> = Vec::new();
        let slots = columns
            .iter()
            .map(|column| match input.resolve(column) {
                Reference::Tag(key) => Slot::Tag(key),
                Reference::Missing => Slot::Missing,
                Reference::Field(name, wanted) => {
                    let column = (fields.add(&name), wanted.map(Type::cells));
                    let at = read
                        .iter()
                        .position(|known| *known == column)
                        .unwrap_or_else(|| {
                            read.push(column);
                            read.len() - 1
                        });
                    Slot::Column(at)
                }
            })
            .collect();
        Self {
            slots,
            filter,
            fields,
            columns: read,
        }
    }

    /// Whether there can be rows: a measurement's have a field; those of a subquery are there
    /// whatever they hold, but some column must be known.
    pub(super) fn has_rows(&self, input: &Input) -> bool {
        let known = |slot: &Slot| match slot {
            Slot::Column(_) => true,
            Slot::Tag(_) => input.is_derived(),
            Slot::Missing => false,
        };
        self.slots.iter().any(known)
    }

    /// The rows of some series in a slice, in the order of `series`.
    pub(super) fn read(
        &self,
        env: &Env<'_>,
        input: &Input,
        series: &[u32],
        slice: Slice,
    ) -> Result<Vec<Batch>> {
        env.check()?;
        if !self.has_rows(input) || series.is_empty() {
            return Ok(Vec::new());
        }
        let blocks = input.read(series, self.fields.names(), slice)?;
        let mut batches = Vec::with_capacity(blocks.len());
        for block in blocks {
            batches.extend(self.batch(input, block));
        }
        Ok(batches)
    }

    fn batch(&self, input: &Input, mut block: Block) -> Option<Batch> {
        match self.filter.apply(input, &block) {
            Mask::None => return None,
            Mask::All => {}
            Mask::Some(mask) => {
                let rows: Vec<u32> = mask
                    .iter()
                    .enumerate()
                    .filter(|(_, taken)| **taken)
                    .map(|(row, _)| row as u32)
                    .collect();
                if rows.is_empty() {
                    return None;
                }
                if rows.len() < mask.len() {
                    block.times = rows.iter().map(|row| block.times[*row as usize]).collect();
                    for column in block.columns.iter_mut().flatten() {
                        *column = column.gather(&rows);
                    }
                }
            }
        }
        let mut uses = vec![0_usize; block.columns.len()];
        self.columns.iter().for_each(|(field, _)| uses[*field] += 1);
        let columns = self
            .columns
            .iter()
            .map(|(field, wanted)| {
                uses[*field] -= 1;
                let column = if uses[*field] == 0 {
                    block.columns[*field].take()
                } else {
                    block.columns[*field].clone()
                }?;
                match wanted {
                    Some(wanted) => cast_column(column, *wanted),
                    None => Some(column),
                }
            })
            .collect();
        Some(Batch {
            series: block.series.0,
            owners: None,
            times: block.times,
            columns,
        })
    }
}

impl Batch {
    /// A cell of one of the plan's columns.
    pub(super) fn cell<'a>(&'a self, input: &'a Input, slot: &Slot, row: usize) -> Value<'a> {
        match slot {
            Slot::Column(at) => match &self.columns[*at] {
                Some(column) => cell(column, row),
                None => Value::Null,
            },
            Slot::Tag(key) => {
                let series = self
                    .owners
                    .as_ref()
                    .map_or(self.series, |owners| owners[row]);
                input.tag(series, key).map_or(Value::Null, Value::String)
            }
            Slot::Missing => Value::Null,
        }
    }

    /// The rows of several series as one, in the order of time; of equal time in the order given.
    pub(super) fn merge(batches: &[Self]) -> Option<Self> {
        let first = batches.first()?;
        let mut order: Vec<(i64, u32, u32)> = Vec::new();
        for (number, batch) in batches.iter().enumerate() {
            let rows = batch.times.iter().enumerate();
            order.extend(rows.map(|(row, time)| (*time, number as u32, row as u32)));
        }
        order.sort_by_key(|(time, _, _)| *time);
        let columns = (0..first.columns.len())
            .map(|at| {
                let known = batches
                    .iter()
                    .find_map(|batch| batch.columns[at].as_ref())?;
                let mut merged = Column::new(known.field_type());
                for (_, batch, row) in &order {
                    match &batches[*batch as usize].columns[at] {
                        Some(column) => merged.push_from(column, *row as usize),
                        None => merged.push_absent(),
                    }
                }
                Some(merged)
            })
            .collect();
        Some(Self {
            series: first.series,
            owners: Some(
                order
                    .iter()
                    .map(|(_, at, _)| batches[*at as usize].series)
                    .collect(),
            ),
            times: order.iter().map(|(time, _, _)| *time).collect(),
            columns,
        })
    }

    /// Whether a row has a value in any column. Rows of a subquery count without one.
    pub(super) fn has_value(&self, input: &Input, row: usize) -> bool {
        input.is_derived()
            || self
                .columns
                .iter()
                .flatten()
                .any(|column| column.is_present(row))
    }
}
