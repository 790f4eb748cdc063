//! The rows of a slice: which pages, which of their rows can be seen, and the blocks they make.

use std::ops::Range;
use std::sync::Arc;

use influxd_model::{FieldType, TimeRange};

use super::find::{Hit, find};
use super::unite::{Part, Plan};
use crate::catalogue::ChunkName;
use crate::chunk::{Column, FreshChunk, Head};
use crate::content::{ChunkView, Form, Hiding, Loader, MeasurementView, Page, PageWant};
use crate::index::SeriesId;
use crate::source::{Block, ReadError, Slice};

/// The points of some series in a slice.
pub(super) fn read(
    view: &MeasurementView,
    loader: &Loader,
    series: &[SeriesId],
    fields: &[&[u8]],
    slice: Slice,
) -> Result<Vec<Block>, ReadError> {
    let types: Vec<Option<FieldType>> = fields
        .iter()
        .map(|name| {
            view.state
                .field(slice.window_start, name)
                .map(|info| info.field_type)
        })
        .collect();
    let mut sources = Vec::new();
    for chunk in &view.chunks {
        if let Some(source) = Source::of(chunk, view, fields, slice) {
            sources.push(source);
        }
    }
    let contents = sources.iter().map(|source| &*source.chunk.content);
    let hits = find(contents, view.index.len(), series);
    load(&mut sources, &hits, loader, slice.range)?;

    let mut blocks = Vec::with_capacity(series.len().min(hits.len()));
    let (mut parts, mut lists, mut plan) = (Vec::new(), Vec::new(), Plan::default());
    let mut scratch = Vec::new();
    for hits in hits.chunk_by(|a, b| a.request == b.request) {
        parts.clear();
        lists.clear();
        plan.clear();
        let id = series[hits[0].request as usize];
        for hit in hits {
            let begin = parts.len();
            sources[hit.chunk as usize].parts(hit, id, slice.range, &mut scratch, &mut parts);
            if parts.len() > begin {
                lists.push(begin..parts.len());
            }
        }
        if parts.is_empty() {
            continue;
        }
        let mut times = Vec::with_capacity(parts.iter().map(|part| part.times.len()).sum());
        plan.unite(&parts, &lists, &mut times);
        let column = |(field, field_type): (usize, &Option<FieldType>)| {
            plan.column(&parts, (*field_type)?, times.len(), |part| {
                sources[part.chunk as usize].values(field, part.page as usize)
            })
        };
        let columns = types.iter().enumerate().map(column).collect();
        blocks.push(Block {
            series: id,
            times,
            columns,
        });
    }
    Ok(blocks)
}

/// A chunk with something to read.
struct Source<'a> {
    chunk: &'a ChunkView,
    /// For each field asked for the chunk's column that counts.
    columns: Vec<Option<usize>>,
    /// The deletes that overlap the slice.
    hidings: Vec<&'a Hiding>,
    data: Data<'a>,
}

/// The rows of a source, as far as needed.
enum Data<'a> {
    Fresh(Option<Arc<FreshChunk>>),
    Paged(&'a Arc<Head>, Pages),
}

/// Decoded pages by their numbers.
#[derive(Default)]
struct Pages {
    times: Vec<Option<Arc<Vec<i64>>>>,
    /// For each field asked for.
    values: Vec<Vec<Option<Arc<Column>>>>,
}

impl<'a> Source<'a> {
    /// `None` if the chunk has nothing to show.
    fn of(
        chunk: &'a ChunkView,
        view: &MeasurementView,
        fields: &[&[u8]],
        slice: Slice,
    ) -> Option<Self> {
        let inside = chunk.info.range.intersect(slice.range);
        if inside.is_empty() || chunk.info.rows == 0 {
            return None;
        }
        let columns: Vec<Option<usize>> = fields
            .iter()
            .map(|name| {
                let info = view.state.field(slice.window_start, name)?;
                let counts = chunk.info.newest >= info.version;
                chunk
                    .content
                    .column(name, info.field_type)
                    .filter(|_| counts)
            })
            .collect();
        if columns.iter().all(Option::is_none) {
            return None;
        }
        let hidings: Vec<&Hiding> = chunk
            .hidings
            .iter()
            .filter(|h| h.tombstone.range.overlaps(inside))
            .collect();
        if hidings
            .iter()
            .any(|h| h.taken.is_none() && h.tombstone.range.covers(inside))
        {
            return None;
        }
        let data = match chunk.content.form() {
            Form::Fresh(_) => Data::Fresh(None),
            Form::Paged(head) => Data::Paged(head, Pages::default()),
        };
        Some(Self {
            chunk,
            columns,
            hidings,
            data,
        })
    }

    /// The values of a field in a page.
    fn values(&self, field: usize, page: usize) -> Option<&Column> {
        match &self.data {
            Data::Fresh(chunk) => Some(&chunk.as_ref()?.columns[self.columns[field]?].column),
            Data::Paged(_, pages) => pages.values[field][page].as_deref(),
        }
    }

    /// Adds the rows of a series that can be seen and have a value.
    fn parts<'s>(
        &'s self,
        hit: &Hit,
        id: SeriesId,
        range: TimeRange,
        scratch: &mut Vec<Range<usize>>,
        parts: &mut Vec<Part<'s>>,
    ) {
        let rows = self.chunk.content.rows_of(hit.number as usize);
        if rows.is_empty() {
            return;
        }
        let hidden: Vec<TimeRange> = self
            .hidings
            .iter()
            .filter(|h| h.takes(id.0))
            .map(|h| h.tombstone.range)
            .collect();
        let mut add = |times: &'s [i64], page: usize, row: usize| {
            let whole = Part {
                times,
                chunk: hit.chunk,
                page: page as u32,
                row: row as u32,
            };
            visible(times, range, &hidden, scratch);
            for rows in scratch.drain(..) {
                self.add_present(&whole, rows, parts);
            }
        };
        match &self.data {
            Data::Fresh(chunk) => {
                if let Some(chunk) = chunk {
                    add(&chunk.times[rows.clone()], 0, rows.start);
                }
            }
            Data::Paged(head, pages) => {
                for page in head.pages_of(&rows) {
                    if let Some(Some(times)) = pages.times.get(page) {
                        let all = head.page_rows(page);
                        let start = rows.start.max(all.start) - all.start;
                        let end = rows.end.min(all.end) - all.start;
                        add(&times[start..end], page, start);
                    }
                }
            }
        }
    }

    /// Adds the rows `range` of a part in which one of the fields has a value.
    fn add_present<'s>(&'s self, whole: &Part<'s>, range: Range<usize>, parts: &mut Vec<Part<'s>>) {
        let page = whole.page as usize;
        let base = whole.row as usize;
        let mut push = |rows: Range<usize>| {
            let row = (base + rows.start) as u32;
            parts.push(Part {
                times: &whole.times[rows],
                row,
                ..*whole
            });
        };
        let rows = base + range.start..base + range.end;
        let mut sparse = Vec::new();
        for column in (0..self.columns.len()).filter_map(|field| self.values(field, page)) {
            match &column.present {
                None => return push(range),
                Some(present) => match present.count_ones_in(rows.clone()) {
                    0 => {}
                    some if some == rows.len() => return push(range),
                    _ => sparse.push(present),
                },
            }
        }
        if sparse.is_empty() {
            return;
        }
        let mut start = None;
        for row in range.clone() {
            let present = sparse.iter().any(|bits| bits.get(base + row));
            match (present, start) {
                (true, None) => start = Some(row),
                (false, Some(first)) => {
                    push(first..row);
                    start = None;
                }
                _ => {}
            }
        }
        if let Some(first) = start {
            push(first..range.end);
        }
    }
}

/// The stretches of ascending times that are in `range` and in none of the hidden ranges, into
/// `left`.
pub(crate) fn visible(
    times: &[i64],
    range: TimeRange,
    hidden: &[TimeRange],
    left: &mut Vec<Range<usize>>,
) {
    let within = |range: TimeRange| {
        let start = match times.first() {
            Some(first) if *first < range.min => times.partition_point(|time| *time < range.min),
            _ => 0,
        };
        let end = match times.last() {
            Some(last) if *last > range.max => times.partition_point(|time| *time <= range.max),
            _ => times.len(),
        };
        start..end.max(start)
    };
    left.clear();
    left.push(within(range));
    for range in hidden {
        let gone = within(*range);
        if gone.is_empty() {
            continue;
        }
        for at in 0..left.len() {
            let rows = left[at].clone();
            left[at].end = rows.end.min(gone.start);
            left.push(rows.start.max(gone.end)..rows.end);
        }
        left.retain(|rows| !rows.is_empty());
    }
    left.retain(|rows| !rows.is_empty());
    if hidden.len() > 1 {
        left.sort_unstable_by_key(|rows| rows.start);
    }
}

/// Gets the times and values that the hits need, all in one go.
fn load(
    sources: &mut [Source<'_>],
    hits: &[Hit],
    loader: &Loader,
    range: TimeRange,
) -> Result<(), ReadError> {
    let mut fresh = Vec::new();
    let mut needed: Vec<Vec<bool>> = Vec::with_capacity(sources.len());
    let mut is_hit = vec![false; sources.len()];
    for hit in hits {
        is_hit[hit.chunk as usize] = true;
    }
    for (source, is_hit) in sources.iter().zip(&is_hit) {
        let pages = match (&source.data, source.chunk.info.name) {
            (Data::Fresh(_), ChunkName::Fresh(id)) if *is_hit => {
                fresh.push((id, source.chunk.info.bytes));
                0
            }
            (Data::Paged(head, _), _) if *is_hit => head.page_count(),
            _ => 0,
        };
        needed.push(vec![false; pages]);
    }
    for hit in hits {
        let source = &sources[hit.chunk as usize];
        if let Data::Paged(head, _) = &source.data {
            let rows = source.chunk.content.rows_of(hit.number as usize);
            let needed = &mut needed[hit.chunk as usize];
            for page in head.pages_of(&rows) {
                needed[page] = true;
            }
        }
    }
    let mut wanted = Vec::new();
    // (source, field; none: times, page)
    let mut places: Vec<(usize, Option<usize>, usize)> = Vec::new();
    for (number, (source, needed)) in sources.iter_mut().zip(&needed).enumerate() {
        let (Data::Paged(head, pages), ChunkName::Merged(id)) =
            (&mut source.data, source.chunk.info.name)
        else {
            continue;
        };
        pages.times = vec![None; needed.len()];
        pages.values = vec![vec![None; needed.len()]; source.columns.len()];
        for page in (0..needed.len()).filter(|page| needed[*page]) {
            if !head.page_range(page).overlaps(range) {
                continue;
            }
            let begin = wanted.len();
            let mut want = |column: usize, field| {
                let head = Arc::clone(head);
                wanted.push(PageWant {
                    chunk: id,
                    head,
                    column: column as u32,
                    page: page as u32,
                });
                places.push((number, field, page));
            };
            for (field, column) in source.columns.iter().enumerate() {
                if let Some(column) = *column
                    && head.present_count(column, page) > 0
                {
                    want(column, Some(field));
                }
            }
            if wanted.len() > begin {
                let head = Arc::clone(head);
                wanted.push(PageWant {
                    chunk: id,
                    head,
                    column: 0,
                    page: page as u32,
                });
                places.push((number, None, page));
            }
        }
    }
    let chunks = loader.fresh(&fresh)?;
    for source in sources.iter_mut() {
        if let (Data::Fresh(data), ChunkName::Fresh(id)) =
            (&mut source.data, source.chunk.info.name)
        {
            *data = chunks.get(&id).cloned();
        }
    }
    for (page, (source, field, number)) in loader.pages(&wanted)?.into_iter().zip(places) {
        if let Data::Paged(_, pages) = &mut sources[source].data {
            match (page, field) {
                (Page::Times(times), _) => pages.times[number] = Some(times),
                (Page::Values(values), Some(field)) => pages.values[field][number] = Some(values),
                (Page::Values(_), None) => {}
            }
        }
    }
    Ok(())
}
