//! Which series live: those with a point that no delete hides, or that a refused point made
//! known.

use std::sync::{Arc, PoisonError};

use influxd_model::TimeRange;

use crate::catalogue::ChunkName;
use crate::chunk::Bitmap;
use crate::content::{ChunkView, Form, Hiding, Loader, MeasurementView, Page, PageWant};
use crate::index::SeriesId;
use crate::read::rows::visible;
use crate::source::ReadError;

/// Answers remembered in a view: dashboards ask for a few ranges over and over.
const REMEMBERED: usize = 64;

/// The series that live in a range of whole windows, ascending.
pub(super) fn living(
    view: &MeasurementView,
    loader: &Loader,
    range: TimeRange,
) -> Result<Arc<[SeriesId]>, ReadError> {
    let key = (range.min, range.max);
    let remembered = || view.living.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(living) = remembered().get(&key) {
        return Ok(Arc::clone(living));
    }
    let mut lives = Bitmap::filled(false, view.index.len());
    let mut count = 0;
    for chunk in view
        .chunks
        .iter()
        .rev()
        .filter(|c| c.info.range.overlaps(range))
    {
        if count == lives.len() {
            break;
        }
        let left = left_in(chunk, loader, range)?;
        for (number, id) in chunk.content.series().iter().enumerate() {
            let id = *id as usize;
            if left.as_ref().is_none_or(|left| left.get(number)) && !lives.get(id) {
                lives.set(id, true);
                count += 1;
            }
        }
    }
    let living: Arc<[SeriesId]> = lives.ones().map(|id| SeriesId(id as u32)).collect();
    let mut remembered = remembered();
    if remembered.len() >= REMEMBERED {
        remembered.clear();
    }
    remembered.insert(key, Arc::clone(&living));
    Ok(living)
}

/// Which of a chunk's series, by their numbers, live in a range of whole windows; `None`: all.
fn left_in(
    chunk: &ChunkView,
    loader: &Loader,
    range: TimeRange,
) -> Result<Option<Arc<Bitmap>>, ReadError> {
    let is_inside = range.covers(chunk.info.range);
    if is_inside && chunk.hidings.is_empty() {
        return Ok(None);
    }
    if !is_inside {
        return Ok(Some(Arc::new(look(chunk, loader, range)?)));
    }
    let tombstones: Box<[i64]> = chunk.hidings.iter().map(|h| h.tombstone.id).collect();
    let remembered = || {
        chunk
            .content
            .left
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    };
    if let Some((of, left)) = &*remembered()
        && *of == tombstones
    {
        return Ok(Some(Arc::clone(left)));
    }
    let left = Arc::new(look(chunk, loader, range)?);
    *remembered() = Some((tombstones, Arc::clone(&left)));
    Ok(Some(left))
}

/// Looks at the series one by one; reads times only where nothing else tells.
fn look(chunk: &ChunkView, loader: &Loader, range: TimeRange) -> Result<Bitmap, ReadError> {
    let content = &chunk.content;
    let mut lives = Bitmap::filled(false, content.series().len());
    let (mut unclear, mut seen) = (Vec::new(), Vec::new());
    for (number, id) in content.series().iter().enumerate() {
        let takers: Vec<&Hiding> = chunk.hidings.iter().filter(|h| h.takes(*id)).collect();
        let rows = content.rows_of(number);
        if rows.is_empty() {
            lives.set(number, takers.is_empty());
        } else if takers.is_empty() && range.covers(chunk.info.range) {
            lives.set(number, true);
        } else if !takers
            .iter()
            .any(|h| h.tombstone.range.covers(chunk.info.range))
        {
            let hidden: Vec<TimeRange> = takers.iter().map(|h| h.tombstone.range).collect();
            unclear.push((number, rows, hidden));
        }
    }
    if unclear.is_empty() {
        return Ok(lives);
    }
    match (content.form(), chunk.info.name) {
        (Form::Fresh(_), ChunkName::Fresh(id)) => {
            let fresh = loader.fresh(&[(id, chunk.info.bytes)])?;
            for (number, rows, hidden) in unclear {
                visible(&fresh[&id].times[rows], range, &hidden, &mut seen);
                lives.set(number, !seen.is_empty());
            }
        }
        (Form::Paged(head), ChunkName::Merged(id)) => {
            let mut wanted = Vec::new();
            let mut reads = Vec::new();
            for (number, rows, hidden) in &unclear {
                for page in head.pages_of(rows) {
                    let span = head.page_range(page).intersect(range);
                    if hidden.iter().any(|h| h.covers(span)) {
                        continue;
                    }
                    if range.covers(head.page_range(page))
                        && !hidden.iter().any(|h| h.overlaps(span))
                    {
                        lives.set(*number, true);
                        break;
                    }
                    if wanted
                        .last()
                        .is_none_or(|want: &PageWant| want.page != page as u32)
                    {
                        let head = Arc::clone(head);
                        wanted.push(PageWant {
                            chunk: id,
                            head,
                            column: 0,
                            page: page as u32,
                        });
                    }
                    reads.push((
                        *number,
                        rows,
                        hidden,
                        wanted.len() - 1,
                        head.page_rows(page),
                    ));
                }
            }
            let pages = loader.pages(&wanted)?;
            for (number, rows, hidden, page, all) in reads {
                if let Page::Times(times) = &pages[page] {
                    let start = rows.start.max(all.start) - all.start;
                    let end = rows.end.min(all.end) - all.start;
                    visible(&times[start..end], range, hidden, &mut seen);
                    if !seen.is_empty() {
                        lives.set(number, true);
                    }
                }
            }
        }
        _ => {}
    }
    Ok(lives)
}
