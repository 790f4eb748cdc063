//! A group's rows in the order of a chunk: by series, then time, one row for each.

use influxd_model::BucketId;
use influxd_store::{NewFreshChunk, Version};

use super::table::Rows;
use crate::chunk::{Column, FreshChunk, NamedColumn};

/// The rows of one measurement, taken out of a group.
#[derive(Debug)]
pub(super) struct Share {
    pub(super) bucket: BucketId,
    pub(super) epoch: Version,
    pub(super) measurement: Box<[u8]>,
    pub(super) rows: Rows,
}

/// Encodes the shares of a group; their parts are their places.
pub(super) fn encode(shares: Vec<Share>) -> Vec<NewFreshChunk> {
    shares
        .into_iter()
        .zip(0..)
        .map(|(share, part)| encode_share(share, part))
        .collect()
}

fn encode_share(share: Share, part: i32) -> NewFreshChunk {
    let all = share
        .rows
        .times
        .iter()
        .chain(share.rows.known.iter().map(|(_, time)| time));
    let (min_time, max_time) = all.fold((i64::MAX, i64::MIN), |(min, max), t| {
        (min.min(*t), max.max(*t))
    });
    let chunk = arrange(share.rows);
    NewFreshChunk {
        bucket: share.bucket,
        epoch: share.epoch,
        part,
        measurement: share.measurement.into(),
        min_time,
        max_time,
        row_count: chunk.times.len() as i64,
        body: chunk.encode(),
    }
}

/// Sorts rows by series (in first-seen order) and time. Of rows with the same series and time
/// one is left, with each field's latest value.
fn arrange(rows: Rows) -> FreshChunk {
    let count = rows.times.len();
    let mut counts = vec![0_usize; rows.series.len()];
    for series in &rows.row_series {
        counts[*series as usize] += 1;
    }
    let mut next: Vec<usize> = counts
        .iter()
        .scan(0, |sum, n| {
            let start = *sum;
            *sum += n;
            Some(start)
        })
        .collect();
    let mut order = vec![0_u32; count];
    for (row, series) in (0_u32..).zip(&rows.row_series) {
        let place = &mut next[*series as usize];
        order[*place] = row;
        *place += 1;
    }
    let mut times: Vec<i64> = order.iter().map(|row| rows.times[*row as usize]).collect();
    let mut start = 0;
    let mut repeated = false;
    for n in &counts {
        let series = start..start + n;
        if !times[series.clone()].is_sorted() {
            // Stable: of equal times the later row stays behind the earlier one.
            order[series.clone()].sort_by_key(|row| rows.times[*row as usize]);
            for at in series.clone() {
                times[at] = rows.times[order[at] as usize];
            }
        }
        repeated |= times[series.clone()]
            .windows(2)
            .any(|pair| pair[0] == pair[1]);
        start = series.end;
    }
    let in_order = order.iter().zip(0_u32..).all(|(row, place)| *row == place);
    let columns = rows.columns.into_iter().map(|mut c| {
        c.column.pad_to(count);
        (c.name.into_vec(), c.column)
    });
    let mut columns: Vec<NamedColumn> = if repeated {
        let groups = unite(&order, &mut times, &mut counts);
        columns
            .map(|(name, c)| NamedColumn {
                name,
                column: latest(&c, &groups),
            })
            .collect()
    } else if in_order {
        columns
            .map(|(name, column)| NamedColumn { name, column })
            .collect()
    } else {
        columns
            .map(|(name, c)| NamedColumn {
                name,
                column: c.gather(&order),
            })
            .collect()
    };
    columns.retain(|c| c.column.count_present() > 0);
    let mut is_known = vec![false; counts.len()];
    for (series, _) in &rows.known {
        is_known[*series as usize] = true;
    }
    let series = rows
        .series
        .into_iter()
        .zip(counts)
        .zip(is_known)
        .filter(|((_, rows), known)| *rows > 0 || *known)
        .map(|((tags, rows), _)| (tags.into_vec(), rows))
        .collect();
    FreshChunk {
        series,
        times,
        columns,
    }
}

/// For each row that stays the rows that it is made of, the latest first. Shortens `times` and
/// `counts` to match.
fn unite(order: &[u32], times: &mut Vec<i64>, counts: &mut [usize]) -> Vec<Vec<u32>> {
    let mut groups: Vec<Vec<u32>> = Vec::with_capacity(order.len());
    let mut kept = Vec::with_capacity(order.len());
    let mut at = 0;
    for count in counts {
        let end = at + *count;
        *count = 0;
        while at < end {
            let time = times[at];
            let same = times[at..end].iter().take_while(|t| **t == time).count();
            groups.push(order[at..at + same].iter().rev().copied().collect());
            kept.push(time);
            *count += 1;
            at += same;
        }
    }
    *times = kept;
    groups
}

fn latest(column: &Column, groups: &[Vec<u32>]) -> Column {
    let mut out = Column::absent(column.field_type(), 0);
    out.reserve(groups.len());
    for rows in groups {
        match rows.iter().find(|row| column.is_present(**row as usize)) {
            Some(row) => out.push_from(column, *row as usize),
            None => out.push_absent(),
        }
    }
    out.simplify();
    out
}

#[cfg(test)]
mod tests {
    use influxd_model::FieldType;

    use super::*;
    use crate::chunk::Value;
    use crate::write::table::Table;

    fn table() -> Table {
        Table::new(b"m")
    }

    fn line(table: &mut Table, tags: &str, fields: &[(&str, f64)], time: i64) {
        let series = table.series(tags.as_bytes());
        table.begin_line();
        for (position, (name, value)) in fields.iter().enumerate() {
            let field = table.field_named(position, name.as_bytes());
            table.push(field, Value::Float(*value));
        }
        table.end_row(series, time);
    }

    fn values(chunk: &FreshChunk, name: &str) -> Vec<Option<f64>> {
        let column = chunk
            .columns
            .iter()
            .find(|c| c.name == name.as_bytes())
            .unwrap();
        (0..chunk.times.len())
            .map(|row| match column.column.get(row) {
                Some(Value::Float(v)) => Some(v),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn rows_are_sorted_by_series_and_time() {
        let mut t = table();
        line(&mut t, "h=b", &[("f", 1.0)], 5);
        line(&mut t, "h=a", &[("f", 2.0)], 4);
        line(&mut t, "h=b", &[("g", 3.0)], 3);
        let chunk = arrange(t.take_rows());
        assert_eq!(chunk.series, [(b"h=b".to_vec(), 2), (b"h=a".to_vec(), 1)]);
        assert_eq!(chunk.times, [3, 5, 4]);
        assert_eq!(values(&chunk, "f"), [None, Some(1.0), Some(2.0)]);
        assert_eq!(values(&chunk, "g"), [Some(3.0), None, None]);
    }

    #[test]
    fn of_equal_times_each_fields_latest_value_stays() {
        let mut t = table();
        line(&mut t, "", &[("f", 1.0), ("g", 1.0)], 5);
        line(&mut t, "", &[("f", 2.0)], 5);
        line(&mut t, "", &[("f", 3.0)], 1);
        line(&mut t, "", &[("f", 4.0)], 5);
        let chunk = arrange(t.take_rows());
        assert_eq!(chunk.series, [(Vec::new(), 2)]);
        assert_eq!(chunk.times, [1, 5]);
        assert_eq!(values(&chunk, "f"), [Some(3.0), Some(4.0)]);
        assert_eq!(values(&chunk, "g"), [None, Some(1.0)]);
    }

    #[test]
    fn an_undone_body_leaves_nothing() {
        let mut t = table();
        line(&mut t, "h=a", &[("f", 1.0)], 1);
        let mark = t.mark();
        line(&mut t, "h=b", &[("f", 2.0), ("new", 7.0)], 2);
        t.undo(mark);
        line(&mut t, "h=a", &[("g", 3.0)], 3);
        let chunk = arrange(t.take_rows());
        assert_eq!(chunk.series, [(b"h=a".to_vec(), 2)]);
        assert_eq!(chunk.columns.len(), 2);
        assert_eq!(values(&chunk, "g"), [None, Some(3.0)]);
        assert_eq!(chunk.columns[0].column.field_type(), FieldType::Float);
    }
}
