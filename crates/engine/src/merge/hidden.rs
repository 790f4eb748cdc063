//! Whether deletes hide anything in a chunk.

use std::ops::Range;
use std::sync::Arc;

use influxd_model::TimeRange;

use crate::catalogue::ChunkName;
use crate::content::{ChunkView, Form, Loader, MeasurementView, Page, PageWant};
use crate::source::ReadError;

/// Whether the deletes of a view hide a point or a series of its chunks. Reads times only where
/// nothing else tells.
pub(super) fn hides_any(view: &MeasurementView, loader: &Loader) -> Result<bool, ReadError> {
    for chunk in &view.chunks {
        if hides(chunk, loader)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn hides(chunk: &ChunkView, loader: &Loader) -> Result<bool, ReadError> {
    let content = &chunk.content;
    // Rows of series that are taken, and when.
    let mut taken: Vec<(Range<usize>, TimeRange)> = Vec::new();
    for (number, id) in content.series().iter().enumerate() {
        for hiding in chunk.hidings.iter().filter(|hiding| hiding.takes(*id)) {
            let rows = content.rows_of(number);
            if rows.is_empty() || hiding.tombstone.range.covers(chunk.info.range) {
                return Ok(true);
            }
            taken.push((rows, hiding.tombstone.range));
        }
    }
    if taken.is_empty() {
        return Ok(false);
    }
    match (content.form(), chunk.info.name) {
        (Form::Fresh(_), ChunkName::Fresh(id)) => {
            let fresh = loader.fresh(&[(id, chunk.info.bytes)])?;
            let fresh = fresh.get(&id).ok_or(ReadError::Moved)?;
            Ok(taken
                .into_iter()
                .any(|(rows, range)| any_in(&fresh.times[rows], range)))
        }
        (Form::Paged(head), ChunkName::Merged(id)) => {
            let mut wanted: Vec<PageWant> = Vec::new();
            let mut reads = Vec::new();
            for (rows, range) in taken {
                for page in head.pages_of(&rows) {
                    let span = head.page_range(page);
                    if range.covers(span) {
                        return Ok(true);
                    }
                    if !range.overlaps(span) {
                        continue;
                    }
                    if wanted.last().is_none_or(|want| want.page != page as u32) {
                        let head = Arc::clone(head);
                        wanted.push(PageWant {
                            chunk: id,
                            head,
                            column: 0,
                            page: page as u32,
                        });
                    }
                    let all = head.page_rows(page);
                    let start = rows.start.max(all.start) - all.start;
                    let end = rows.end.min(all.end) - all.start;
                    reads.push((wanted.len() - 1, start..end, range));
                }
            }
            let pages = loader.pages(&wanted)?;
            Ok(reads
                .into_iter()
                .any(|(page, rows, range)| match &pages[page] {
                    Page::Times(times) => any_in(&times[rows], range),
                    Page::Values(_) => false,
                }))
        }
        _ => Ok(false),
    }
}

/// Whether one of some ascending times is in a range.
fn any_in(times: &[i64], range: TimeRange) -> bool {
    let first = times.partition_point(|time| *time < range.min);
    times.get(first).is_some_and(|time| *time <= range.max)
}
