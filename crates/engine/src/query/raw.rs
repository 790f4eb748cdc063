//! Queries without calls: rows as they were written, merged by time.

use influxd_model::TimeRange;

use super::eval::Formula;
use super::group::Group;
use super::input::Input;
use super::output::Value;
use super::scalar::Scalar;
use super::scan::{Batch, Scan};
use super::sink::{Emitter, RowLimit, Sink};
use super::stream::RawFill;
use super::{Env, Result};
use crate::source::Few;

/// How many series are read together, when every one of them makes its own result series.
const SERIES_AT_ONCE: usize = 256;

/// What to read and to write.
pub(super) struct Raw<'a> {
    pub(super) env: &'a Env<'a>,
    pub(super) inputs: &'a [(Input, Scan)],
    pub(super) range: TimeRange,
    pub(super) descending: bool,
    pub(super) limit: RowLimit,
    pub(super) fill: RawFill,
    pub(super) formulas: &'a [Formula],
    /// How many columns the plan reads.
    pub(super) columns: usize,
}

/// A batch, and the input it comes from.
struct Part<'a> {
    input: &'a Input,
    scan: &'a Scan,
    batch: Batch,
}

impl Raw<'_> {
    /// Writes the rows of all groups, in the order given.
    pub(super) fn run(&self, groups: &[Group], sink: &mut dyn Sink) -> Result<()> {
        let mut rest = groups;
        while let Some(first) = rest.first() {
            if first.members.len() == 1 && first.members[0].series.len() > SERIES_AT_ONCE / 4
                || rest.len() == 1 && first.members.len() == 1
            {
                self.stream(first, sink)?;
                rest = &rest[1..];
                continue;
            }
            let mut series = 0;
            let count = rest
                .iter()
                .take_while(|group| {
                    series += group.members.iter().map(|m| m.series.len()).sum::<usize>();
                    series <= SERIES_AT_ONCE
                })
                .count()
                .max(1);
            // Groups with more rows than should be kept are read in smaller parties.
            let mut count = count;
            while !self.together(&rest[..count], sink)? {
                count = (count / 2).max(1);
                if count == 1 && rest[0].members.len() == 1 {
                    self.stream(&rest[0], sink)?;
                    break;
                }
            }
            rest = &rest[count..];
        }
        Ok(())
    }

    fn few(&self, groups: usize) -> Option<Few> {
        let rows = usize::try_from(self.limit.rows()?)
            .ok()?
            .saturating_mul(groups);
        Some(Few {
            rows,
            descending: self.descending,
        })
    }

    /// A group of one input, slice by slice.
    fn stream(&self, group: &Group, sink: &mut dyn Sink) -> Result<()> {
        let member = &group.members[0];
        let (input, scan) = &self.inputs[member.input];
        let mut emitter = Emitter::new(sink, self.formulas, self.limit, &group.name, &group.tags);
        let mut filler = Filler::new(&self.fill, self.columns);
        let mut slices = input.slices(self.range, self.few(1));
        if self.descending {
            slices.reverse();
        }
        for slice in slices {
            let parts: Vec<Part<'_>> = scan
                .read(self.env, input, &member.series, slice)?
                .into_iter()
                .map(|batch| Part { input, scan, batch })
                .collect();
            self.rows(&parts, &mut emitter, &mut filler)?;
            if emitter.is_done() {
                break;
            }
        }
        Ok(())
    }

    /// Several groups, or one out of several inputs: read together, then written one by one.
    /// `false`, and nothing written, if these are too many rows and fewer groups would help.
    fn together(&self, groups: &[Group], sink: &mut dyn Sink) -> Result<bool> {
        let divisible = groups.len() > 1 || groups[0].members.len() == 1;
        let mut parts: Vec<Vec<Part<'_>>> = groups.iter().map(|_| Vec::new()).collect();
        let enough = self
            .limit
            .rows()
            .and_then(|rows| usize::try_from(rows).ok());
        let mut held = 0;
        for (number, (input, scan)) in self.inputs.iter().enumerate() {
            let mut owner = vec![u32::MAX; input.series_count()];
            let mut series = Vec::new();
            for (at, group) in groups.iter().enumerate() {
                for member in group.members.iter().filter(|member| member.input == number) {
                    member
                        .series
                        .iter()
                        .for_each(|id| owner[*id as usize] = at as u32);
                    series.extend_from_slice(&member.series);
                }
            }
            if series.is_empty() {
                continue;
            }
            let mut rows = vec![0_usize; groups.len()];
            let mut slices = input.slices(self.range, self.few(groups.len()));
            if self.descending {
                slices.reverse();
            }
            for slice in slices {
                for batch in scan.read(self.env, input, &series, slice)? {
                    let at = owner[batch.series as usize] as usize;
                    // What only the filter asked for makes no row.
                    rows[at] += (0..batch.times.len())
                        .filter(|row| batch.has_value(input, *row))
                        .count();
                    let cells = batch.times.len() * (1 + batch.columns.len());
                    held += cells;
                    self.env.hold(cells)?;
                    parts[at].push(Part { input, scan, batch });
                }
                if divisible && held > self.env.context.limits.max_held / 16 {
                    self.env.release(held);
                    return Ok(false);
                }
                if let Some(enough) = enough {
                    series.retain(|id| rows[owner[*id as usize] as usize] < enough);
                    if series.is_empty() {
                        break;
                    }
                }
            }
        }
        for (group, parts) in groups.iter().zip(parts) {
            let mut emitter =
                Emitter::new(sink, self.formulas, self.limit, &group.name, &group.tags);
            let mut filler = Filler::new(&self.fill, self.columns);
            self.rows(&parts, &mut emitter, &mut filler)?;
        }
        self.env.release(held);
        Ok(true)
    }

    /// Writes the rows of some batches, merged by time; those of equal time in the order of the
    /// batches.
    fn rows(
        &self,
        parts: &[Part<'_>],
        emitter: &mut Emitter<'_>,
        filler: &mut Filler<'_>,
    ) -> Result<()> {
        if let [part] = parts {
            let rows = part.batch.times.len();
            for at in 0..rows {
                let row = if self.descending { rows - 1 - at } else { at };
                write_row(part, row, emitter, filler)?;
                if emitter.is_done() {
                    return Ok(());
                }
            }
            return Ok(());
        }
        let mut order: Vec<(i64, u32, u32)> = Vec::new();
        for (number, part) in parts.iter().enumerate() {
            let rows = part.batch.times.iter().enumerate();
            order.extend(rows.map(|(row, time)| (*time, number as u32, row as u32)));
        }
        order.sort_by_key(|(time, _, _)| *time);
        if self.descending {
            order.reverse();
        }
        for (at, (_, part, row)) in order.into_iter().enumerate() {
            if at % 4096 == 0 {
                self.env.check()?;
            }
            write_row(&parts[part as usize], row as usize, emitter, filler)?;
            if emitter.is_done() {
                break;
            }
        }
        Ok(())
    }
}

/// Writes a row of a part, unless it has no value.
fn write_row(
    part: &Part<'_>,
    row: usize,
    emitter: &mut Emitter<'_>,
    filler: &mut Filler<'_>,
) -> Result<()> {
    let Part { input, scan, batch } = part;
    if !batch.has_value(input, row) {
        return Ok(());
    }
    let cell = |slot: usize| batch.cell(input, &scan.slots[slot], row);
    match filler {
        Filler::Null => emitter.row(batch.times[row], &cell),
        Filler::Number(number) => emitter.row(batch.times[row], &|slot| match cell(slot) {
            Value::Null => number.value(),
            value => value,
        }),
        Filler::Previous(last) => {
            for (slot, last) in last.iter_mut().enumerate() {
                match cell(slot) {
                    Value::Null => {}
                    value => *last = Scalar::from(value),
                }
            }
            emitter.row(batch.times[row], &|slot| last[slot].value())
        }
    }
}

/// The fill of one series of the result.
enum Filler<'a> {
    Null,
    Number(&'a Scalar),
    Previous(Vec<Scalar>),
}

impl<'a> Filler<'a> {
    fn new(fill: &'a RawFill, columns: usize) -> Self {
        match fill {
            RawFill::Null => Self::Null,
            RawFill::Number(number) => Self::Number(number),
            RawFill::Previous => Self::Previous(vec![Scalar::Null; columns]),
        }
    }
}
