//! The head as bytes.
//!
//! All of it, but for the frame, is compressed with zstd (see [`super::text`]). Letters as in
//! [`super::fresh`].
//!
//! | part | content |
//! | --- | --- |
//! | series | `v` rows, `v` series; for each `v` bytes shared with the key before, `b` the rest; then for each `v` rows |
//! | pages | `v` most bytes of a piece; `z` earliest time, `v` step; `v` pages; for each `v` rows, `z` steps of its earliest time from the page before's, `v` steps from there to its latest; `v` segments; for each `v` pages |
//! | columns | `v` columns, time first; for each `b` name, `u8` type, `u8` encoding, `u8` delta order; for each segment `b` header (if the encoding has them); for each page `v` length, `v` how many pages back the same bytes are (0: here) |
//! | statistics | after the pages of each column but time; for each page `v` rows without value, `z` minimum from the page before's, `v` maximum from the minimum |

use influxd_model::{FieldType, TimeRange};

use super::bytes::{Cursor, Format, begin, open, put_bytes, put_varint, put_zigzag, seal};
use super::head::{ColumnHead, Encoding, Head, Page, Stored};
use super::pages::{Layout, MAX_PIECE_BYTES};
use super::text::{put_compressed, take_compressed};
use super::times::TimeBase;
use super::{ChunkError, MAX_PAGE_ROWS, MAX_ROWS, MAX_TEXT_BYTES, Strings};

/// Written once, read often.
const ZSTD_LEVEL: i32 = 9;

/// Appends the series and their rows.
pub(super) fn write_series<K: AsRef<[u8]>>(series: &[(K, usize)], rows: usize, out: &mut Vec<u8>) {
    put_varint(out, rows as u64);
    put_varint(out, series.len() as u64);
    let mut previous: &[u8] = &[];
    for (key, _) in series {
        let key = key.as_ref();
        let shared = key.iter().zip(previous).take_while(|(a, b)| a == b).count();
        put_varint(out, shared as u64);
        put_bytes(out, &key[shared..]);
        previous = key;
    }
    for (_, rows) in series {
        put_varint(out, *rows as u64);
    }
}

/// Appends the pages.
pub(super) fn write_pages(
    time: TimeBase,
    piece_bytes: usize,
    pages: &[Page],
    segment_ends: &[u32],
    out: &mut Vec<u8>,
) {
    put_varint(out, piece_bytes as u64);
    time.write_to(out);
    put_varint(out, pages.len() as u64);
    let mut previous = 0;
    for page in pages {
        let (min, max) = (time.steps(page.times.min), time.steps(page.times.max));
        put_varint(out, u64::from(page.rows));
        put_zigzag(out, min.wrapping_sub(previous) as i64);
        put_varint(out, max.wrapping_sub(min));
        previous = min;
    }
    put_varint(out, segment_ends.len() as u64);
    let mut previous = 0;
    for &end in segment_ends {
        put_varint(out, u64::from(end - previous));
        previous = end;
    }
}

/// Appends a column: `pages` says for each of its pages the length, and how far back it is.
pub(super) fn write_column(
    column: &ColumnHead,
    pages: &[Page],
    backs: &[u32],
    is_time: bool,
    out: &mut Vec<u8>,
) {
    put_bytes(out, &column.name);
    out.extend_from_slice(&[
        column.field_type as u8,
        column.encoding.number(),
        column.order,
    ]);
    if column.encoding.has_headers() {
        for header in &column.headers {
            put_bytes(out, header);
        }
    }
    for (stored, &back) in column.pages.iter().zip(backs) {
        put_varint(
            out,
            if back == 0 {
                u64::from(stored.length)
            } else {
                0
            },
        );
        put_varint(out, u64::from(back));
    }
    if is_time {
        return;
    }
    let mut previous = 0_i64;
    for (stored, page) in column.pages.iter().zip(pages) {
        put_varint(out, u64::from(page.rows - stored.present));
        put_zigzag(out, stored.min.wrapping_sub(previous));
        put_varint(out, stored.max.wrapping_sub(stored.min) as u64);
        previous = stored.min;
    }
}

/// The blob of what was written.
pub(super) fn finish(raw: &[u8]) -> Vec<u8> {
    let mut out = begin(Format::Head, raw.len() / 4 + 16);
    put_compressed(&mut out, raw, ZSTD_LEVEL);
    seal(&mut out);
    out
}

/// Reads a head.
pub(super) fn decode(blob: &[u8]) -> Result<Head, ChunkError> {
    let mut cursor = Cursor(open(blob, Format::Head)?);
    let raw = take_compressed(&mut cursor)?;
    cursor.end()?;
    let mut cursor = Cursor(&raw);
    let (keys, series_ends) = read_series(&mut cursor)?;
    let rows = series_ends.last().copied().unwrap_or(0);
    let piece_bytes = cursor.size(MAX_PIECE_BYTES)?;
    let time = TimeBase::read_from(&mut cursor)?;
    let pages = read_pages(&mut cursor, time, rows)?;
    let segment_ends = read_segments(&mut cursor, pages.len() as u32)?;
    let mut head = Head {
        keys,
        series_ends,
        pages,
        segment_ends,
        time,
        piece_bytes,
        columns: Vec::new(),
    };
    // Name, type, encoding and order of each, and two bytes for each of its pages.
    let count = cursor.count(4 + 2 * head.pages.len())?;
    for column in 0..count {
        let column = read_column(&mut cursor, &head, column == 0)?;
        head.columns.push(column);
    }
    cursor.end()?;
    if head.columns.is_empty() {
        return Err(ChunkError::Corrupt("it has no times"));
    }
    Ok(head)
}

fn read_series(cursor: &mut Cursor<'_>) -> Result<(Strings, Vec<u32>), ChunkError> {
    let rows = cursor.size(MAX_ROWS)?;
    // Two bytes of a key's and one of a number of rows.
    let count = cursor.count(3)?;
    let mut keys = Strings::with_capacity(count, count * 8);
    let mut key: Vec<u8> = Vec::new();
    for number in 0..count {
        let shared = cursor.size(key.len())?;
        let rest = cursor.bytes()?;
        // Keys ascend: only then do those that share much not add up to more than they should.
        let ascends = number == 0 || key[shared..] < *rest;
        if !ascends || keys.byte_len() + shared + rest.len() > MAX_TEXT_BYTES {
            return Err(ChunkError::Corrupt("its series are garbled"));
        }
        key.truncate(shared);
        key.extend_from_slice(rest);
        keys.push(&key);
    }
    let mut ends = Vec::with_capacity(count);
    let mut end = 0;
    for _ in 0..count {
        end += cursor.size(rows - end)?;
        ends.push(end as u32);
    }
    if end < rows {
        return Err(ChunkError::Corrupt("rows belong to no series"));
    }
    Ok((keys, ends))
}

fn read_pages(cursor: &mut Cursor<'_>, time: TimeBase, rows: u32) -> Result<Vec<Page>, ChunkError> {
    const GARBLED: ChunkError = ChunkError::Corrupt("its pages are garbled");
    let count = cursor.count(3)?;
    let mut pages = Vec::with_capacity(count);
    let (mut first_row, mut min) = (0, 0_u64);
    for _ in 0..count {
        let limit = MAX_PAGE_ROWS.min((rows - first_row) as usize);
        let rows = cursor.size(limit)? as u32;
        if rows == 0 {
            return Err(GARBLED);
        }
        min = min.wrapping_add(cursor.zigzag()? as u64);
        let max = min.wrapping_add(cursor.varint()?);
        let times = TimeRange {
            min: time.time(min),
            max: time.time(max),
        };
        pages.push(Page {
            first_row,
            rows,
            times,
        });
        first_row += rows;
    }
    if first_row == rows {
        Ok(pages)
    } else {
        Err(GARBLED)
    }
}

fn read_segments(cursor: &mut Cursor<'_>, pages: u32) -> Result<Vec<u32>, ChunkError> {
    const GARBLED: ChunkError = ChunkError::Corrupt("its segments are garbled");
    let count = cursor.count(1)?;
    let mut ends = Vec::with_capacity(count);
    let mut end = 0;
    for _ in 0..count {
        let length = cursor.size((pages - end) as usize)? as u32;
        if length == 0 {
            return Err(GARBLED);
        }
        end += length;
        ends.push(end);
    }
    if end == pages { Ok(ends) } else { Err(GARBLED) }
}

fn read_column(
    cursor: &mut Cursor<'_>,
    head: &Head,
    is_time: bool,
) -> Result<ColumnHead, ChunkError> {
    let name = cursor.bytes()?.to_vec();
    let (field_type, encoding) = (cursor.byte()?, cursor.byte()?);
    let field_type =
        FieldType::from_u8(field_type).ok_or(ChunkError::Corrupt("a column has no known type"))?;
    let encoding = Encoding::from_number(encoding, field_type, is_time)
        .ok_or(ChunkError::Corrupt("a column has no known encoding"))?;
    let order = cursor.byte()?;
    let mut headers = Vec::new();
    if encoding.has_headers() {
        for _ in 0..head.segment_ends.len() {
            headers.push(cursor.bytes()?.to_vec());
        }
    }

    let mut pages: Vec<Stored> = Vec::with_capacity(head.pages.len());
    let mut layout = Layout::new(head.piece_bytes);
    let mut segment_start = 0;
    let mut segment_ends = head.segment_ends.iter();
    let mut segment_end = 0;
    for (number, page) in head.pages.iter().enumerate() {
        if number == segment_end {
            segment_start = number;
            segment_end = segment_ends.next().map_or(usize::MAX, |end| *end as usize);
        }
        let length = cursor.size(MAX_PIECE_BYTES)?;
        let back = cursor.size(number - segment_start)?;
        let mut stored = Stored {
            present: page.rows,
            ..Stored::default()
        };
        if back > 0 {
            let other = number - back;
            if length > 0 || head.pages[other].rows != page.rows || !is_time {
                return Err(ChunkError::Corrupt(
                    "a page repeats another that it cannot repeat",
                ));
            }
            stored = pages[other];
        } else if length > 0 {
            let (piece, start) = layout.place(length);
            stored.piece = piece as u32;
            stored.start = start as u32;
            stored.length = length as u32;
        }
        pages.push(stored);
    }
    if !is_time {
        let mut min = 0_i64;
        for (stored, page) in pages.iter_mut().zip(&head.pages) {
            stored.present = page.rows - cursor.size(page.rows as usize)? as u32;
            min = min.wrapping_add(cursor.zigzag()?);
            stored.min = min;
            stored.max = min.wrapping_add(cursor.varint()? as i64);
        }
    }
    Ok(ColumnHead {
        name,
        field_type,
        encoding,
        order,
        headers,
        pages,
    })
}
