//! The order of a merge: which rows of which chunks make up the next chunk of a window.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use influxd_model::TimeRange;
use influxd_store::shard_window;

use super::run::Limits;
use crate::catalogue::{BucketState, ChunkName, Window};
use crate::chunk::FreshChunk;
use crate::content::{ChunkView, Form, Loader, MeasurementView, Page, PageWant};
use crate::index::SeriesId;
use crate::read::find::{Hit, find};
use crate::read::rows::visible;
use crate::read::unite::{Part, Plan};
use crate::source::ReadError;

/// A chunk to be merged, with all its times.
#[derive(Debug)]
pub(super) struct Input<'a> {
    pub(super) chunk: &'a ChunkView,
    pub(super) data: Data,
}

/// What of an input is in memory from beginning to end.
#[derive(Debug)]
pub(super) enum Data {
    /// All of it.
    Fresh(Arc<FreshChunk>),
    /// The times of each page.
    Paged(Vec<Arc<Vec<i64>>>),
}

/// All that is merged at once, and where each series is.
#[derive(Debug)]
pub(super) struct Inputs<'a> {
    pub(super) view: &'a MeasurementView,
    pub(super) inputs: Vec<Input<'a>>,
    /// All series in the order of their keys.
    order: Arc<[SeriesId]>,
    hits: Vec<Hit>,
}

/// Where a window's next chunk begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Cursor {
    /// A place among the hits.
    hit: usize,
    /// Of that series only rows from here on, if it was cut.
    from: Option<i64>,
}

/// The rows of a chunk to be.
#[derive(Debug, Default)]
pub(super) struct Built<'a> {
    /// Its series and how many rows each has.
    pub(super) series: Vec<(SeriesId, usize)>,
    pub(super) times: Vec<i64>,
    pub(super) parts: Vec<Part<'a>>,
    pub(super) plan: Plan,
    /// Times of refused points, as far as known.
    known: Option<TimeRange>,
}

impl<'a> Inputs<'a> {
    /// Reads the times of the chunks.
    pub(super) fn read(view: &'a MeasurementView, loader: &Loader) -> Result<Self, ReadError> {
        let mut inputs = Vec::with_capacity(view.chunks.len());
        let fresh: Vec<(i64, u64)> = view
            .chunks
            .iter()
            .filter_map(|chunk| match chunk.info.name {
                ChunkName::Fresh(id) => Some((id, chunk.info.bytes)),
                ChunkName::Merged(_) => None,
            })
            .collect();
        let bodies = loader.fresh(&fresh)?;
        for chunk in &view.chunks {
            let data = match (chunk.info.name, chunk.content.form()) {
                (ChunkName::Merged(id), Form::Paged(head)) => {
                    let want = |page: usize| PageWant {
                        chunk: id,
                        head: Arc::clone(head),
                        column: 0,
                        page: page as u32,
                    };
                    let wanted: Vec<PageWant> = (0..head.page_count()).map(want).collect();
                    let times = loader
                        .pages(&wanted)?
                        .into_iter()
                        .filter_map(|page| match page {
                            Page::Times(times) => Some(times),
                            Page::Values(_) => None,
                        });
                    Data::Paged(times.collect())
                }
                (ChunkName::Fresh(id) | ChunkName::Merged(id), _) => {
                    Data::Fresh(Arc::clone(bodies.get(&id).ok_or(ReadError::Moved)?))
                }
            };
            inputs.push(Input { chunk, data });
        }
        let order = Arc::clone(view.index.sorted());
        let contents = view.chunks.iter().map(|chunk| &*chunk.content);
        let hits = find(contents, view.index.len(), &order);
        Ok(Self {
            view,
            inputs,
            order,
            hits,
        })
    }

    /// The windows that the chunks reach into. Where a refused point lies in none, a week takes
    /// its place, so that its series stays known.
    pub(super) fn windows(&self, bucket: &BucketState) -> Vec<Window> {
        const WEEK: i64 = 7 * 24 * 3600 * 1_000_000_000;
        let mut windows = BTreeMap::new();
        for input in &self.inputs {
            let range = input.chunk.info.range;
            let mut found = false;
            for window in bucket.windows_in(range) {
                found = true;
                windows.insert(window.start, window);
            }
            if !found {
                let (start, end) = shard_window(range.min, WEEK);
                let start = input.chunk.info.window_start.unwrap_or(start);
                windows.entry(start).or_insert(Window { start, end });
            }
        }
        windows.into_values().collect()
    }

    /// The next chunk of a window from `cursor` on, and where the one after it begins; no series
    /// in it: there is no more.
    pub(super) fn build(
        &self,
        window: Window,
        mut cursor: Cursor,
        limits: Limits,
    ) -> (Built<'_>, Option<Cursor>) {
        let mut built = Built::default();
        let mut scratch = Scratch::default();
        while cursor.hit < self.hits.len() {
            let request = self.hits[cursor.hit].request;
            let hits = &self.hits[cursor.hit..];
            let hits = &hits[..hits.partition_point(|hit| hit.request == request)];
            let next = Cursor {
                hit: cursor.hit + hits.len(),
                from: None,
            };
            let mut range = window.range();
            range.min = cursor.from.unwrap_or(range.min);
            let id = self.order[request as usize];

            let mark = built.mark();
            let rows = self.unite(id, hits, range, &mut built, &mut scratch);
            if built.times.len() > limits.rows || built.series.len() > limits.series {
                if mark.series > 0 {
                    built.reset(&mark);
                    return (built, Some(cursor));
                }
                if rows > limits.rows {
                    // One series alone is too long: it goes on in the next chunk.
                    let from = built.times[limits.rows];
                    built.reset(&mark);
                    range.max = from - 1;
                    self.unite(id, hits, range, &mut built, &mut scratch);
                    return (
                        built,
                        Some(Cursor {
                            hit: cursor.hit,
                            from: Some(from),
                        }),
                    );
                }
            }
            cursor = next;
        }
        (built, None)
    }

    /// Adds a series' rows in a range; returns how many.
    fn unite<'s>(
        &'s self,
        id: SeriesId,
        hits: &[Hit],
        range: TimeRange,
        built: &mut Built<'s>,
        scratch: &mut Scratch,
    ) -> usize {
        let before = built.times.len();
        scratch.lists.clear();
        let mut known: Option<TimeRange> = None;
        for hit in hits {
            let input = &self.inputs[hit.chunk as usize];
            let begin = built.parts.len();
            let rows = input.chunk.content.rows_of(hit.number as usize);
            let inside = input.chunk.info.range.intersect(range);
            if inside.is_empty() {
                continue;
            }
            scratch.hidden.clear();
            let takers = input
                .chunk
                .hidings
                .iter()
                .filter(|hiding| hiding.takes(id.0));
            scratch
                .hidden
                .extend(takers.map(|hiding| hiding.tombstone.range));
            if rows.is_empty() && scratch.hidden.is_empty() {
                known = Some(hull(known, inside));
            }
            input.parts(hit.chunk, rows, range, scratch, &mut built.parts);
            if built.parts.len() > begin {
                scratch.lists.push(begin..built.parts.len());
            }
        }
        built
            .plan
            .unite(&built.parts, &scratch.lists, &mut built.times);
        let rows = built.times.len() - before;
        if rows > 0 || known.is_some() {
            built.series.push((id, rows));
        }
        if let Some(known) = known {
            built.known = Some(hull(built.known, known));
        }
        rows
    }
}

impl Input<'_> {
    /// Adds what can be seen of some rows in a range.
    fn parts<'s>(
        &'s self,
        chunk: u32,
        rows: Range<usize>,
        range: TimeRange,
        scratch: &mut Scratch,
        parts: &mut Vec<Part<'s>>,
    ) {
        if rows.is_empty() {
            return;
        }
        let mut add = |times: &'s [i64], page: u32, row: usize| {
            visible(times, range, &scratch.hidden, &mut scratch.left);
            parts.extend(scratch.left.drain(..).map(|left| Part {
                row: (row + left.start) as u32,
                times: &times[left],
                chunk,
                page,
            }));
        };
        match (&self.data, self.chunk.content.form()) {
            (Data::Fresh(fresh), _) => add(&fresh.times[rows.clone()], 0, rows.start),
            (Data::Paged(times), Form::Paged(head)) => {
                for page in head.pages_of(&rows) {
                    let all = head.page_rows(page);
                    let start = rows.start.max(all.start) - all.start;
                    let end = rows.end.min(all.end) - all.start;
                    add(&times[page][start..end], page as u32, start);
                }
            }
            (Data::Paged(_), Form::Fresh(_)) => {}
        }
    }
}

impl Built<'_> {
    /// The times that it reaches over: of its points, and of refused ones.
    pub(super) fn range(&self) -> Option<TimeRange> {
        let min = self.times.iter().min();
        let max = self.times.iter().max();
        match (min, max) {
            (Some(min), Some(max)) => Some(hull(
                self.known,
                TimeRange {
                    min: *min,
                    max: *max,
                },
            )),
            _ => self.known,
        }
    }

    fn mark(&self) -> Mark {
        Mark {
            series: self.series.len(),
            times: self.times.len(),
            parts: self.parts.len(),
            plan: self.plan.mark(),
            known: self.known,
        }
    }

    fn reset(&mut self, mark: &Mark) {
        self.series.truncate(mark.series);
        self.times.truncate(mark.times);
        self.parts.truncate(mark.parts);
        self.plan.reset(mark.plan);
        self.known = mark.known;
    }
}

struct Mark {
    series: usize,
    times: usize,
    parts: usize,
    plan: (usize, usize),
    known: Option<TimeRange>,
}

#[derive(Default)]
struct Scratch {
    lists: Vec<Range<usize>>,
    hidden: Vec<TimeRange>,
    left: Vec<Range<usize>>,
}

fn hull(a: Option<TimeRange>, b: TimeRange) -> TimeRange {
    a.map_or(b, |a| TimeRange {
        min: a.min.min(b.min),
        max: a.max.max(b.max),
    })
}
