//! Where the rows of a `SELECT` go: to the client, or into the query around it.

use chrono_tz::Tz;

use super::eval::{Division, Formula};
use super::input::Derived;
use super::output::{Output, SeriesHead, Value};
use super::scalar::push;
use super::{Env, Result};
use crate::chunk::Column;
use influxd_model::FieldType;

/// Takes rows, series by series.
pub(super) trait Sink {
    /// The rows that follow belong to this series.
    fn begin(&mut self, name: &[u8], tags: &[Vec<u8>]) -> Result<()>;
    /// A row: its time and its cells.
    fn row(&mut self, time: i64, cells: &[Value<'_>]) -> Result<()>;
}

/// Passes rows on to the client.
pub(super) struct ToOutput<'a> {
    pub(super) out: &'a mut dyn Output,
    pub(super) columns: Vec<String>,
    pub(super) dimensions: Vec<String>,
    pub(super) zone: Option<Tz>,
}

impl Sink for ToOutput<'_> {
    fn begin(&mut self, name: &[u8], tags: &[Vec<u8>]) -> Result<()> {
        let tags = (!self.dimensions.is_empty()).then(|| {
            let keys = self.dimensions.iter().map(|key| key.clone().into_bytes());
            keys.zip(tags.iter().cloned()).collect()
        });
        self.out.begin_series(SeriesHead {
            name: Some(name.to_vec()),
            tags,
            columns: self.columns.clone(),
            zone: self.zone,
        })?;
        Ok(())
    }

    fn row(&mut self, time: i64, cells: &[Value<'_>]) -> Result<()> {
        let mut few = [Value::Null; 16];
        let width = cells.len() + 1;
        if width <= few.len() {
            few[0] = Value::Time(time);
            few[1..width].copy_from_slice(cells);
            self.out.row(&few[..width])?;
        } else {
            let mut row = Vec::with_capacity(width);
            row.push(Value::Time(time));
            row.extend_from_slice(cells);
            self.out.row(&row)?;
        }
        Ok(())
    }
}

/// Keeps rows as the series of a subquery.
pub(super) struct ToSeries<'a> {
    pub(super) env: &'a Env<'a>,
    pub(super) types: Vec<FieldType>,
    pub(super) dimensions: Vec<String>,
    /// The series so far, by measurement.
    pub(super) inputs: Vec<(Vec<u8>, Vec<Derived>)>,
}

impl Sink for ToSeries<'_> {
    fn begin(&mut self, name: &[u8], tags: &[Vec<u8>]) -> Result<()> {
        if self.inputs.last().is_none_or(|(last, _)| last != name) {
            self.inputs.push((name.to_vec(), Vec::new()));
        }
        let (_, series) = self
            .inputs
            .last_mut()
            .expect("pushed above if it was missing");
        series.push(Derived {
            tags: self
                .dimensions
                .iter()
                .zip(tags)
                .filter(|(_, value)| !value.is_empty())
                .map(|(key, value)| (key.clone().into_bytes(), value.clone()))
                .collect(),
            times: Vec::new(),
            columns: self.types.iter().map(|cells| Column::new(*cells)).collect(),
        });
        Ok(())
    }

    fn row(&mut self, time: i64, cells: &[Value<'_>]) -> Result<()> {
        self.env.hold(1 + cells.len())?;
        let series = self
            .inputs
            .last_mut()
            .and_then(|(_, series)| series.last_mut());
        let series = series.expect("a row comes after the beginning of its series");
        series.times.push(time);
        for (column, cell) in series.columns.iter_mut().zip(cells) {
            push(column, *cell);
        }
        Ok(())
    }
}

impl ToSeries<'_> {
    /// The series with their rows in ascending order, whatever order they came in.
    pub(super) fn finish(mut self, descending: bool) -> Vec<(Vec<u8>, Vec<Derived>)> {
        if descending {
            for series in self.inputs.iter_mut().flat_map(|(_, all)| all) {
                let rows: Vec<u32> = (0..series.times.len() as u32).rev().collect();
                series.times.reverse();
                for column in &mut series.columns {
                    *column = column.gather(&rows);
                }
            }
        }
        self.inputs
    }
}

/// Evaluates the rows of a group and passes on those within LIMIT and OFFSET.
pub(super) struct Emitter<'a> {
    sink: &'a mut dyn Sink,
    formulas: &'a [Formula],
    skip: u64,
    take: u64,
    name: &'a [u8],
    tags: &'a [Vec<u8>],
    begun: bool,
}

/// How many rows of a series are wanted (InfluxQL 6.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct RowLimit {
    pub(super) limit: Option<u64>,
    pub(super) offset: Option<u64>,
}

impl RowLimit {
    /// How many rows have to be found before no more are needed.
    pub(super) fn rows(self) -> Option<u64> {
        Some(self.limit?.saturating_add(self.offset.unwrap_or(0)))
    }
}

impl<'a> Emitter<'a> {
    /// For the rows of one group.
    pub(super) fn new(
        sink: &'a mut dyn Sink,
        formulas: &'a [Formula],
        limit: RowLimit,
        name: &'a [u8],
        tags: &'a [Vec<u8>],
    ) -> Self {
        Self {
            sink,
            formulas,
            skip: limit.offset.unwrap_or(0),
            take: limit.limit.unwrap_or(u64::MAX),
            name,
            tags,
            begun: false,
        }
    }

    /// Whether further rows would be dropped.
    pub(super) const fn is_done(&self) -> bool {
        self.take == 0
    }

    /// Takes a row, whose slots `row` gives.
    pub(super) fn row<'r>(&mut self, time: i64, row: &impl Fn(usize) -> Value<'r>) -> Result<()> {
        if self.skip > 0 {
            self.skip -= 1;
            return Ok(());
        }
        if self.take == 0 {
            return Ok(());
        }
        self.take -= 1;
        if !self.begun {
            self.sink.begin(self.name, self.tags)?;
            self.begun = true;
        }
        let width = self.formulas.len();
        let mut few = [Value::Null; 16];
        let mut many = Vec::new();
        let cells: &mut [Value<'_>] = if width <= few.len() {
            &mut few[..width]
        } else {
            many.resize(width, Value::Null);
            &mut many
        };
        for (cell, formula) in cells.iter_mut().zip(self.formulas) {
            *cell = match formula.evaluate(Division::Exact, &|slot| row(slot)) {
                Value::Float(v) if v.is_nan() => Value::Null,
                value => value,
            };
        }
        self.sink.row(time, cells)
    }
}
