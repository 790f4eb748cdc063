//! Rows of one series from several chunks made one: ascending times, the latest write on top.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;

use influxd_model::FieldType;

use crate::chunk::Column;

/// Consecutive rows of a page (or a level 0 chunk) that may be seen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part<'a> {
    /// Their times, ascending and unique; never empty.
    pub(crate) times: &'a [i64],
    /// Which chunk; the caller's numbering.
    pub(crate) chunk: u32,
    /// Which page of it; the caller's numbering.
    pub(crate) page: u32,
    /// Where in the page the first of them is.
    pub(crate) row: u32,
}

/// Rows in a part from some place on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    part: u32,
    offset: u32,
}

/// Consecutive rows of the result that come from the same parts, row by row.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    /// The last of its places; they begin where those of the stretch before end. The later a
    /// place, the later it was written.
    places_end: u32,
    rows: u32,
}

/// Where the rows of a result come from.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    stretches: Vec<Stretch>,
    places: Vec<Place>,
}

impl Plan {
    /// Starts again, keeping the memory.
    pub(crate) fn clear(&mut self) {
        self.stretches.clear();
        self.places.clear();
    }

    /// Where it stands; for [`Self::reset`].
    pub(crate) fn mark(&self) -> (usize, usize) {
        (self.stretches.len(), self.places.len())
    }

    /// Forgets what was united since a mark.
    pub(crate) fn reset(&mut self, (stretches, places): (usize, usize)) {
        self.stretches.truncate(stretches);
        self.places.truncate(places);
    }

    /// Unites the rows of one series. `lists` are ranges of `parts`: the parts of one chunk, in
    /// ascending order of time; chunks in the order of writes. Appends the times of the result
    /// to `times`; several series can follow one another.
    pub(crate) fn unite(
        &mut self,
        parts: &[Part<'_>],
        lists: &[Range<usize>],
        times: &mut Vec<i64>,
    ) {
        match lists {
            [] => {}
            [only] => {
                for part in only.clone() {
                    self.whole(parts, part, times);
                }
            }
            _ => match disjoint(parts, lists) {
                Some(order) => {
                    for list in order {
                        for part in lists[list].clone() {
                            self.whole(parts, part, times);
                        }
                    }
                }
                None => self.merge(parts, lists, times),
            },
        }
    }

    fn whole(&mut self, parts: &[Part<'_>], part: usize, times: &mut Vec<i64>) {
        let rows = parts[part].times.len();
        times.extend_from_slice(parts[part].times);
        self.places.push(Place {
            part: part as u32,
            offset: 0,
        });
        self.stretches.push(Stretch {
            places_end: self.places.len() as u32,
            rows: rows as u32,
        });
    }

    fn merge(&mut self, parts: &[Part<'_>], lists: &[Range<usize>], times: &mut Vec<i64>) {
        let mut cursors: Vec<Cursor> = lists
            .iter()
            .map(|list| Cursor {
                part: list.start,
                end: list.end,
                offset: 0,
            })
            .collect();
        let mut heads: BinaryHeap<Reverse<(i64, usize)>> = cursors
            .iter()
            .enumerate()
            .filter_map(|(list, cursor)| Some(Reverse((cursor.time(parts)?, list))))
            .collect();
        let mut equal = Vec::new();
        // Stretches of another series must not be prolonged.
        let mut first = true;
        while let Some(Reverse((time, list))) = heads.pop() {
            equal.clear();
            equal.push(list);
            while let Some(Reverse((next, other))) = heads.peek().copied()
                && next == time
            {
                heads.pop();
                equal.push(other);
            }
            let rows = if let [list] = equal[..] {
                let until = heads.peek().map(|Reverse((next, _))| *next);
                let left = &parts[cursors[list].part].times[cursors[list].offset..];
                let rows = match until {
                    Some(until) => gallop(left, until),
                    None => left.len(),
                };
                times.extend_from_slice(&left[..rows]);
                rows
            } else {
                times.push(time);
                1
            };
            self.add(&equal, &cursors, rows as u32, first);
            first = false;
            for &list in &equal {
                cursors[list].advance(parts, rows);
                if let Some(time) = cursors[list].time(parts) {
                    heads.push(Reverse((time, list)));
                }
            }
        }
    }

    /// Adds rows that come from the cursors of some lists, to the last stretch if they go on
    /// where it ends.
    fn add(&mut self, lists: &[usize], cursors: &[Cursor], rows: u32, first: bool) {
        let place = |list: usize| Place {
            part: cursors[list].part as u32,
            offset: cursors[list].offset as u32,
        };
        if !first && let Some(last) = self.stretches.last().copied() {
            let begin = match self.stretches.len() {
                1 => 0,
                count => self.stretches[count - 2].places_end as usize,
            };
            let before = &self.places[begin..];
            let goes_on = before.len() == lists.len()
                && before.iter().zip(lists).all(|(was, list)| {
                    let now = place(*list);
                    was.part == now.part && was.offset + last.rows == now.offset
                });
            if goes_on {
                if let Some(last) = self.stretches.last_mut() {
                    last.rows += rows;
                }
                return;
            }
        }
        self.places.extend(lists.iter().map(|list| place(*list)));
        self.stretches.push(Stretch {
            places_end: self.places.len() as u32,
            rows,
        });
    }

    /// Appends a field's values of all rows to `column`. `values` gives the column in which a
    /// part's rows lie, if its chunk has the field; of several values of a row the one written
    /// last counts.
    ///
    /// # Panics
    /// If a column is of another type.
    pub(crate) fn fill<'c>(
        &self,
        parts: &[Part<'_>],
        values: impl Fn(&Part<'_>) -> Option<&'c Column>,
        column: &mut Column,
    ) {
        let mut begin = 0;
        for stretch in &self.stretches {
            let places = &self.places[begin..stretch.places_end as usize];
            begin = stretch.places_end as usize;
            let rows = stretch.rows as usize;
            let of = |place: &Place| {
                let part = &parts[place.part as usize];
                let start = (part.row + place.offset) as usize;
                values(part).map(|values| (values, start))
            };
            if let [only] = places {
                match of(only) {
                    Some((values, start)) => column.append_range(values, start..start + rows),
                    None => column.push_absent_many(rows),
                }
            } else {
                overlay(places.iter().rev().filter_map(of), rows, column);
            }
        }
    }

    /// The same as a column of its own; `None` if no row has a value.
    pub(crate) fn column<'c>(
        &self,
        parts: &[Part<'_>],
        field_type: FieldType,
        rows: usize,
        values: impl Fn(&Part<'_>) -> Option<&'c Column>,
    ) -> Option<Column> {
        let any = self
            .places
            .iter()
            .any(|p| values(&parts[p.part as usize]).is_some());
        if !any {
            return None;
        }
        let mut column = Column::new(field_type);
        column.reserve(rows);
        self.fill(parts, values, &mut column);
        match &column.present {
            None => Some(column),
            Some(present) => match present.count_ones() {
                0 => None,
                some => {
                    if some == present.len() {
                        column.present = None;
                    }
                    Some(column)
                }
            },
        }
    }
}

/// Appends `rows` rows of which the first column that has a value decides each.
fn overlay<'c>(
    mut columns: impl Iterator<Item = (&'c Column, usize)>,
    rows: usize,
    column: &mut Column,
) {
    let Some((top, start)) = columns.next() else {
        column.push_absent_many(rows);
        return;
    };
    let full = top
        .present
        .as_ref()
        .is_none_or(|p| p.count_ones_in(start..start + rows) == rows);
    if full {
        column.append_range(top, start..start + rows);
        return;
    }
    let below: Vec<(&Column, usize)> = columns.collect();
    for row in 0..rows {
        if top.is_present(start + row) {
            column.push_from(top, start + row);
            continue;
        }
        match below
            .iter()
            .find(|(values, start)| values.is_present(start + row))
        {
            Some((values, start)) => column.push_from(values, start + row),
            None => column.push_absent(),
        }
    }
}

#[derive(Debug)]
struct Cursor {
    part: usize,
    /// The part after the last one.
    end: usize,
    offset: usize,
}

impl Cursor {
    fn time(&self, parts: &[Part<'_>]) -> Option<i64> {
        (self.part < self.end).then(|| parts[self.part].times[self.offset])
    }

    fn advance(&mut self, parts: &[Part<'_>], rows: usize) {
        self.offset += rows;
        if self.offset == parts[self.part].times.len() {
            self.part += 1;
            self.offset = 0;
        }
    }
}

/// How many times are before `until`; the first one is. Near the start it is quick.
fn gallop(times: &[i64], until: i64) -> usize {
    let mut bound = 1;
    while bound < times.len() && times[bound] < until {
        bound *= 2;
    }
    let from = bound / 2;
    from + times[from..bound.min(times.len())].partition_point(|time| *time < until)
}

/// The lists in the order of time, if none overlaps another.
fn disjoint(parts: &[Part<'_>], lists: &[Range<usize>]) -> Option<Vec<usize>> {
    let span = |list: usize| {
        let list = &lists[list];
        let first = parts.get(list.start)?.times.first()?;
        let last = parts.get(list.end.checked_sub(1)?)?.times.last()?;
        (!list.is_empty()).then_some((*first, *last))
    };
    let mut order: Vec<usize> = (0..lists.len())
        .filter(|list| span(*list).is_some())
        .collect();
    order.sort_by_key(|list| span(*list));
    let apart = order.windows(2).all(|pair| {
        let (before, after) = (span(pair[0]), span(pair[1]));
        matches!((before, after), (Some((_, last)), Some((first, _))) if last < first)
    });
    apart.then_some(order)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::chunk::{Value, Values};

    type Row = (i64, Option<i64>);

    fn naive(chunks: &[Vec<Row>]) -> Vec<Row> {
        let mut all: BTreeMap<i64, Option<i64>> = BTreeMap::new();
        for chunk in chunks {
            for (time, value) in chunk {
                let slot = all.entry(*time).or_default();
                *slot = value.or(*slot);
            }
        }
        all.into_iter().collect()
    }

    fn united(chunks: &[Vec<Row>], cut: usize) -> Vec<Row> {
        let times: Vec<Vec<i64>> = chunks
            .iter()
            .map(|chunk| chunk.iter().map(|(time, _)| *time).collect())
            .collect();
        let columns: Vec<Column> = chunks
            .iter()
            .map(|chunk| {
                let mut column = Column::new(FieldType::Integer);
                for (_, value) in chunk {
                    match value {
                        Some(value) => column.push(Value::Integer(*value)),
                        None => column.push_absent(),
                    }
                }
                column
            })
            .collect();
        let (mut parts, mut lists) = (Vec::new(), Vec::new());
        for (chunk, times) in times.iter().enumerate() {
            let begin = parts.len();
            for (page, times) in times.chunks(cut).enumerate() {
                let row = (page * cut) as u32;
                parts.push(Part {
                    times,
                    chunk: chunk as u32,
                    page: 0,
                    row,
                });
            }
            lists.push(begin..parts.len());
        }
        let mut plan = Plan::default();
        let mut times = Vec::new();
        plan.unite(&parts, &lists, &mut times);
        let column = plan.column(&parts, FieldType::Integer, times.len(), |part| {
            Some(&columns[part.chunk as usize])
        });
        let Some(column) = column else {
            return times.into_iter().map(|time| (time, None)).collect();
        };
        let Values::Integer(values) = &column.values else {
            panic!("a column of integers")
        };
        assert_eq!(values.len(), times.len());
        let value = |row| column.is_present(row).then(|| values[row]);
        times
            .iter()
            .enumerate()
            .map(|(row, time)| (*time, value(row)))
            .collect()
    }

    fn chunk() -> impl Strategy<Value = Vec<Row>> {
        let value = prop::option::of(any::<i64>());
        (
            0..60_i64,
            prop::collection::btree_map(0..40_i64, value, 0..30),
        )
            .prop_map(|(base, rows)| rows.into_iter().map(|(t, v)| (base + t, v)).collect())
    }

    proptest! {
        #[test]
        fn uniting_is_inserting_in_the_order_of_writes(
            chunks in prop::collection::vec(chunk(), 0..6),
            cut in 1..50_usize,
        ) {
            prop_assert_eq!(united(&chunks, cut), naive(&chunks));
        }
    }

    #[test]
    fn equal_times_stay_one_stretch() {
        let rows: Vec<i64> = (0..100).collect();
        let part = |chunk| Part {
            times: &rows,
            chunk,
            page: 0,
            row: 0,
        };
        let mut plan = Plan::default();
        let mut times = Vec::new();
        plan.unite(&[part(0), part(1)], &[0..1, 1..2], &mut times);
        assert_eq!(
            (plan.stretches.len(), plan.places.len(), times.len()),
            (1, 2, 100)
        );
    }
}
