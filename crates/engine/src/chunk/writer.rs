//! Writing a chunk of level 1 or above, one column at a time.

use std::borrow::Cow;
use std::ops::Range;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use influxd_model::{FieldType, TimeRange};
use influxd_store::NewPiece;
use pco::ModeSpec;
use pco::data_types::Number;

use super::bytes::{Format, begin, put_varint, seal};
use super::head::{ColumnHead, Encoding, Page, Stored, place_of};
use super::pages::{Layout, PagePlan};
use super::times::TimeBase;
use super::{
    Bitmap, ChunkError, Column, MAX_ROWS, MAX_TEXT_BYTES, Strings, Values, decimal, head_bytes,
    numbers, presence, text_page,
};

/// Makes a chunk out of rows that are in its order already: by series key, then time.
///
/// [`Self::new`], then [`Self::column`] for each field, then [`Self::finish`]. Only one column at
/// a time has to be in memory.
#[derive(Debug)]
pub struct ChunkWriter {
    plan: PagePlan,
    pages: Vec<Page>,
    segments: Vec<Range<usize>>,
    /// The head as far as the columns.
    head: Vec<u8>,
    columns: Vec<u8>,
    column_count: usize,
}

impl ChunkWriter {
    /// Begins a chunk of series, each with its canonical tags and number of rows (may be 0),
    /// sorted by tags, and the times of all rows, ascending and unique within a series. The plan
    /// was made for the same series. Returns the pieces of the time column, too.
    ///
    /// # Errors
    /// [`ChunkError::TooLarge`] for more than [`MAX_ROWS`] rows or [`MAX_TEXT_BYTES`] of keys:
    /// cut it.
    ///
    /// # Panics
    /// If series, times and plan disagree on the number of rows, or the series are not sorted.
    pub fn new<K: AsRef<[u8]>>(
        series: &[(K, usize)],
        times: &[i64],
        plan: PagePlan,
    ) -> Result<(Self, Vec<NewPiece>), ChunkError> {
        let rows: usize = series.iter().map(|(_, rows)| *rows).sum();
        assert_eq!(rows, times.len(), "a chunk has as many times as rows");
        assert_eq!(rows, plan.rows(), "pages are planned for all rows");
        let ascend = series.is_sorted_by(|(a, _), (b, _)| a.as_ref() < b.as_ref());
        assert!(ascend, "the series of a chunk are sorted and distinct");
        if rows > MAX_ROWS {
            return Err(ChunkError::TooLarge("its rows"));
        }
        if series
            .iter()
            .map(|(key, _)| key.as_ref().len())
            .sum::<usize>()
            > MAX_TEXT_BYTES
        {
            return Err(ChunkError::TooLarge("its series keys"));
        }

        let time = TimeBase::of(times.iter().copied());
        let pages: Vec<Page> = plan.pages().map(|rows| page(times, rows)).collect();
        let segments = plan.segments();
        let segment_ends: Vec<u32> = segments.iter().map(|pages| pages.end as u32).collect();
        let mut head = Vec::new();
        head_bytes::write_series(series, rows, &mut head);
        head_bytes::write_pages(
            time,
            plan.sizes.piece_bytes,
            &pages,
            &segment_ends,
            &mut head,
        );
        let mut writer = Self {
            plan,
            pages,
            segments,
            head,
            columns: Vec::new(),
            column_count: 0,
        };
        let steps: Vec<u64> = times.iter().map(|&at| time.steps(at)).collect();
        let pieces = writer.times(&steps);
        Ok((writer, pieces))
    }

    fn times(&mut self, steps: &[u64]) -> Vec<NewPiece> {
        let mut backs = vec![0; self.pages.len()];
        let mut own = Vec::new();
        for pages in &self.segments {
            // The first page with these times.
            let mut first: HashMap<&[u64], usize, RandomState> = HashMap::default();
            for number in pages.clone() {
                let rows = self.pages[number].row_range();
                let same = *first.entry(&steps[rows.clone()]).or_insert(number);
                backs[number] = (number - same) as u32;
                if same == number {
                    own.extend_from_slice(&steps[rows]);
                }
            }
        }
        let counts: Vec<usize> = self
            .pages
            .iter()
            .zip(&backs)
            .map(|(page, &back)| if back == 0 { page.rows as usize } else { 0 })
            .collect();
        let (order, headers, bodies) = pack(&own, &counts, &self.segments, &ModeSpec::Classic);
        let encoded = Encoded {
            encoding: Encoding::Unsigned,
            order,
            headers,
            bodies,
        };
        // What the head says of time is said of its pages already.
        let stored = self.pages.iter().map(|page| Stored {
            present: page.rows,
            ..Stored::default()
        });
        self.store(&[], FieldType::Integer, encoded, stored.collect(), &backs)
    }

    /// Adds a field. Returns its pieces.
    ///
    /// # Panics
    /// If the column has not as many rows as the chunk.
    pub fn column(&mut self, name: &[u8], column: &Column) -> Vec<NewPiece> {
        assert_eq!(
            column.len(),
            self.plan.rows(),
            "a column has a slot for every row"
        );
        let present = column.present.as_ref();
        let counts: Vec<usize> = self
            .plan
            .pages()
            .map(|rows| present.map_or(rows.len(), |present| present.count_ones_in(rows)))
            .collect();
        let classic = ModeSpec::Classic;
        let (encoded, bounds) = match &column.values {
            Values::Float(values) => {
                let values = compact(values, present);
                let mut integers = Vec::new();
                if let Some(exponent) = decimal::encode(&values, &mut integers) {
                    drop(values);
                    let bounds = bounds(&integers, &counts, |integer| integer);
                    (
                        self.pack(Encoding::Signed(exponent), &integers, &counts, &classic),
                        bounds,
                    )
                } else {
                    let bounds = bounds(&values, &counts, place_of);
                    (
                        self.pack(Encoding::Floats, &values, &counts, &ModeSpec::Auto),
                        bounds,
                    )
                }
            }
            Values::Integer(values) => {
                let values = compact(values, present);
                let bounds = bounds(&values, &counts, |value| value);
                (
                    self.pack(Encoding::Signed(0), &values, &counts, &classic),
                    bounds,
                )
            }
            Values::Unsigned(values) => {
                let values = compact(values, present);
                // Compared as signed numbers with the highest bit flipped, kept with it restored.
                let flip = |value: u64| (value ^ 1 << 63) as i64;
                let mut bounds = bounds(&values, &counts, flip);
                for bound in bounds.iter_mut().filter(|bound| bound.present > 0) {
                    bound.min ^= i64::MIN;
                    bound.max ^= i64::MIN;
                }
                (
                    self.pack(Encoding::Unsigned, &values, &counts, &classic),
                    bounds,
                )
            }
            Values::Boolean(values) => {
                let values = compact(values, present);
                let bodies = slices(&values, &counts).map(|page| {
                    let mut out = Vec::new();
                    page.iter().copied().collect::<Bitmap>().write_to(&mut out);
                    out
                });
                (
                    Encoded::alone(Encoding::Bits, bodies),
                    bounds(&values, &counts, i64::from),
                )
            }
            Values::String(values) => {
                let bodies = self
                    .plan
                    .pages()
                    .map(|rows| text_body(values, present, rows));
                let stored = counts.iter().map(|&n| Stored {
                    present: n as u32,
                    ..Stored::default()
                });
                (Encoded::alone(Encoding::Strings, bodies), stored.collect())
            }
        };
        let mut encoded = encoded;
        if let Some(present) = present {
            for ((rows, &count), body) in self.plan.pages().zip(&counts).zip(&mut encoded.bodies) {
                if count > 0 && count < rows.len() {
                    let mut page = Bitmap::new();
                    page.extend_range(present, rows);
                    let mut whole = Vec::with_capacity(body.len() + 64);
                    presence::write(&page, &mut whole);
                    whole.append(body);
                    *body = whole;
                }
            }
        }
        let backs = vec![0; counts.len()];
        self.store(name, column.field_type(), encoded, bounds, &backs)
    }

    fn pack<T: Number>(
        &self,
        encoding: Encoding,
        values: &[T],
        counts: &[usize],
        mode: &ModeSpec,
    ) -> Encoded {
        let (order, headers, bodies) = pack(values, counts, &self.segments, mode);
        Encoded {
            encoding,
            order,
            headers,
            bodies,
        }
    }

    /// Lays the pages of a column out in pieces, and describes it in the head.
    fn store(
        &mut self,
        name: &[u8],
        field_type: FieldType,
        encoded: Encoded,
        mut stored: Vec<Stored>,
        backs: &[u32],
    ) -> Vec<NewPiece> {
        let Encoded {
            encoding,
            order,
            headers,
            bodies,
        } = encoded;
        let column_no = self.column_count as i32;
        let mut layout = Layout::new(self.plan.sizes.piece_bytes);
        let mut pieces: Vec<NewPiece> = Vec::new();
        for (stored, body) in stored.iter_mut().zip(&bodies) {
            if body.is_empty() {
                continue;
            }
            let (piece, start) = layout.place(body.len());
            if piece == pieces.len() {
                let data = begin(Format::Piece, self.plan.sizes.piece_bytes.min(1 << 16));
                pieces.push(NewPiece {
                    column_no,
                    piece_no: piece as i32,
                    data,
                });
            }
            pieces[piece].data.extend_from_slice(body);
            debug_assert_eq!(pieces[piece].data.len(), start + body.len());
            stored.length = body.len() as u32;
        }
        for piece in &mut pieces {
            seal(&mut piece.data);
            piece.data.shrink_to_fit();
        }
        let is_time = self.column_count == 0;
        let column = ColumnHead {
            name: name.to_vec(),
            field_type,
            encoding,
            order,
            headers,
            pages: stored,
        };
        head_bytes::write_column(&column, &self.pages, backs, is_time, &mut self.columns);
        self.column_count += 1;
        pieces
    }

    /// The head.
    pub fn finish(self) -> Vec<u8> {
        let mut raw = self.head;
        put_varint(&mut raw, self.column_count as u64);
        raw.extend_from_slice(&self.columns);
        head_bytes::finish(&raw)
    }
}

impl Page {
    pub(super) const fn row_range(&self) -> Range<usize> {
        self.first_row as usize..(self.first_row + self.rows) as usize
    }
}

fn page(times: &[i64], rows: Range<usize>) -> Page {
    let times = &times[rows.clone()];
    let first = times.first().copied().unwrap_or(0);
    let (min, max) = times
        .iter()
        .fold((first, first), |(min, max), &at| (at.min(min), at.max(max)));
    Page {
        first_row: rows.start as u32,
        rows: rows.len() as u32,
        times: TimeRange { min, max },
    }
}

/// A column as bytes.
struct Encoded {
    encoding: Encoding,
    order: u8,
    headers: Vec<Vec<u8>>,
    /// The bytes of each page.
    bodies: Vec<Vec<u8>>,
}

impl Encoded {
    /// Pages that share nothing.
    fn alone(encoding: Encoding, bodies: impl Iterator<Item = Vec<u8>>) -> Self {
        Self {
            encoding,
            order: 0,
            headers: Vec::new(),
            bodies: bodies.collect(),
        }
    }
}

/// The values that are present.
fn compact<'a, T: Copy>(values: &'a [T], present: Option<&Bitmap>) -> Cow<'a, [T]> {
    match present {
        Some(present) if !present.all() => present.ones().map(|row| values[row]).collect(),
        _ => Cow::Borrowed(values),
    }
}

/// The values of each page.
fn slices<'a, T>(values: &'a [T], counts: &'a [usize]) -> impl Iterator<Item = &'a [T]> {
    let mut start = 0;
    counts.iter().map(move |&count| {
        start += count;
        &values[start - count..start]
    })
}

/// The least and the greatest value of each page.
fn bounds<T: Copy>(values: &[T], counts: &[usize], place: impl Fn(T) -> i64) -> Vec<Stored> {
    slices(values, counts)
        .map(|page| {
            let (mut min, mut max) = (i64::MAX, i64::MIN);
            for &value in page {
                let value = place(value);
                min = min.min(value);
                max = max.max(value);
            }
            match page.len() as u32 {
                0 => Stored::default(),
                present => Stored {
                    present,
                    min,
                    max,
                    ..Stored::default()
                },
            }
        })
        .collect()
}

/// Delta order, the header of each segment, the body of each page.
fn pack<T: Number>(
    values: &[T],
    counts: &[usize],
    segments: &[Range<usize>],
    mode: &ModeSpec,
) -> (u8, Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let filled = |pages: Range<usize>| -> Vec<usize> {
        counts[pages]
            .iter()
            .copied()
            .filter(|&count| count > 0)
            .collect()
    };
    let order = numbers::delta_order(values, &filled(0..counts.len()), mode);
    let mut headers = Vec::with_capacity(segments.len());
    let mut bodies = vec![Vec::new(); counts.len()];
    let mut rest = values;
    for pages in segments {
        let lengths = filled(pages.clone());
        let (segment, following) = rest.split_at(lengths.iter().sum());
        rest = following;
        let packed = numbers::compress(segment, &lengths, mode, order);
        headers.push(packed.header);
        let filled = pages.clone().filter(|&page| counts[page] > 0);
        for (page, body) in filled.zip(packed.pages) {
            bodies[page] = body;
        }
    }
    (order, headers, bodies)
}

fn text_body(values: &Strings, present: Option<&Bitmap>, rows: Range<usize>) -> Vec<u8> {
    let mut page = Strings::new();
    match present {
        None => page.extend_range(values, rows),
        Some(present) => {
            page.extend(
                rows.filter(|&row| present.get(row))
                    .map(|row| values.get(row)),
            );
        }
    }
    let mut out = Vec::new();
    if !page.is_empty() {
        text_page::write(&page, &mut out);
    }
    out
}

#[cfg(test)]
mod tests;
