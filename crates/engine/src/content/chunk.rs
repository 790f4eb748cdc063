//! What stays known of a chunk once it was looked into: its series, its columns, its pages.

use std::ops::Range;
use std::sync::{Arc, Mutex};

use influxd_model::FieldType;

use crate::catalogue::{ChunkInfo, ChunkName};
use crate::chunk::{Bitmap, FreshChunk, Head};
use crate::index::SeriesId;

/// The permanent part of a chunk's content: everything but times and values.
#[derive(Debug)]
pub struct ChunkContent {
    /// The ids of its series, by their number in the chunk.
    series: Box<[u32]>,
    /// Where the rows of each series begin, and where the last one's end.
    starts: Box<[u32]>,
    /// Numbers of series sorted by their ids; `None` if they are so sorted as they are.
    by_id: Option<Box<[u32]>>,
    form: Form,
    /// Which of its series have anything left under a set of tombstones (their ids), as last
    /// asked.
    pub(crate) left: Mutex<Option<(Box<[i64]>, Arc<Bitmap>)>>,
}

/// How the rows are kept.
#[derive(Debug)]
pub enum Form {
    /// A level 0 chunk: all at once. Its columns by number.
    Fresh(Box<[(Box<[u8]>, FieldType)]>),
    /// Pages of columns.
    Paged(Arc<Head>),
}

impl ChunkContent {
    /// Of a level 0 chunk, the ids of its series given.
    pub(super) fn fresh(series: Box<[u32]>, chunk: &FreshChunk) -> Self {
        let columns = chunk
            .columns
            .iter()
            .map(|c| (c.name.as_slice().into(), c.column.field_type()));
        let starts = starts(chunk.series.iter().map(|(_, rows)| *rows));
        Self::new(series, starts, Form::Fresh(columns.collect()))
    }

    /// Of a chunk of level 1 or above.
    pub(super) fn paged(series: Box<[u32]>, head: Arc<Head>) -> Self {
        let starts = starts((0..head.series_count()).map(|no| head.rows_of(no).len()));
        Self::new(series, starts, Form::Paged(head))
    }

    fn new(series: Box<[u32]>, starts: Box<[u32]>, form: Form) -> Self {
        let by_id = (!series.is_sorted()).then(|| {
            let mut numbers: Box<[u32]> = (0..series.len() as u32).collect();
            numbers.sort_unstable_by_key(|no| series[*no as usize]);
            numbers
        });
        Self {
            series,
            starts,
            by_id,
            form,
            left: Mutex::new(None),
        }
    }

    /// The ids of its series, by their number in the chunk.
    pub fn series(&self) -> &[u32] {
        &self.series
    }

    /// The number of a series in the chunk.
    pub fn number_of(&self, id: SeriesId) -> Option<usize> {
        match &self.by_id {
            None => self.series.binary_search(&id.0).ok(),
            Some(numbers) => {
                let at = numbers
                    .binary_search_by_key(&id.0, |no| self.series[*no as usize])
                    .ok()?;
                Some(numbers[at] as usize)
            }
        }
    }

    /// The rows of a series, by its number in the chunk.
    pub fn rows_of(&self, number: usize) -> Range<usize> {
        self.starts[number] as usize..self.starts[number + 1] as usize
    }

    /// How the rows are kept.
    pub const fn form(&self) -> &Form {
        &self.form
    }

    /// The number of the column of a field with this type. For a paged chunk 0 is time.
    pub fn column(&self, name: &[u8], field_type: FieldType) -> Option<usize> {
        match &self.form {
            Form::Fresh(columns) => columns
                .iter()
                .position(|(n, t)| **n == *name && *t == field_type),
            Form::Paged(head) => head.find_column(name, field_type),
        }
    }
}

fn starts(rows: impl Iterator<Item = usize>) -> Box<[u32]> {
    let mut end = 0_u32;
    std::iter::once(0)
        .chain(rows.map(|rows| {
            end += rows as u32;
            end
        }))
        .collect()
}

/// A chunk that may show points: what a view of a measurement holds.
#[derive(Debug, Clone)]
pub struct ChunkView {
    /// What the catalogue says of it.
    pub info: Arc<ChunkInfo>,
    /// What is in it.
    pub content: Arc<ChunkContent>,
    /// The deletes that may hide some of its points.
    pub hidings: Arc<[Hiding]>,
}

impl ChunkView {
    /// Its id and whether it is of level 0.
    pub fn name(&self) -> ChunkName {
        self.info.name
    }
}

/// A delete, with the series that it takes.
#[derive(Debug, Clone)]
pub struct Hiding {
    /// The delete.
    pub tombstone: Arc<crate::catalogue::Tombstone>,
    /// A bit for each series of the index that it takes; `None`: it takes all.
    pub taken: Option<Arc<Bitmap>>,
}

impl Hiding {
    /// Whether points of the series are hidden by it.
    pub fn takes(&self, id: u32) -> bool {
        self.taken
            .as_ref()
            .is_none_or(|taken| taken.get(id as usize))
    }
}
