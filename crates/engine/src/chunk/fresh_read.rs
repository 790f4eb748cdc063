//! Reading a chunk of level 0. For the layout see [`super::fresh`].

use std::ops::Range;

use influxd_model::FieldType;

use super::bytes::{Cursor, Format, open};
use super::decimal::{self, MAX_EXPONENT};
use super::fresh::{ALL_PRESENT, BITS, DICTIONARY, SHUFFLED, SOME_PRESENT};
use super::text::{Dictionary, take_compressed, take_strings};
use super::times::TimeBase;
use super::{Bitmap, ChunkError, Column, FreshChunk, MAX_ROWS, NamedColumn, Strings, Values};
use super::{packed, presence};

/// lz4 makes at most this many bytes of one.
const LZ4_RATIO: usize = 255;

impl FreshChunk {
    /// Reads a chunk.
    pub fn decode(blob: &[u8]) -> Result<Self, ChunkError> {
        let mut cursor = Cursor(open(blob, Format::Fresh)?);
        let rows = cursor.size(MAX_ROWS)?;
        // A bit says whether it has times of its own, and a byte how many rows.
        let series_count = cursor.count(1)?;
        // Name, type, encoding, presence, values: a byte at the least.
        let column_count = cursor.count(5)?;

        let series = read_series(&mut cursor, series_count, rows)?;
        let times = read_times(&mut cursor, &series, rows)?;
        let mut columns = Vec::with_capacity(column_count);
        for _ in 0..column_count {
            columns.push(read_column(&mut cursor, rows)?);
        }
        cursor.end()?;
        Ok(Self {
            series,
            times,
            columns,
        })
    }
}

fn read_series(
    cursor: &mut Cursor<'_>,
    count: usize,
    rows: usize,
) -> Result<Vec<(Vec<u8>, usize)>, ChunkError> {
    let keys = take_compressed(cursor)?;
    let mut keys = Cursor(&keys);
    let mut counts = Cursor(cursor.bytes()?);
    let mut series = Vec::with_capacity(count);
    let mut left = rows;
    for _ in 0..count {
        let key = keys.bytes()?.to_vec();
        let rows = counts.size(left)?;
        left -= rows;
        series.push((key, rows));
    }
    if left > 0 {
        return Err(ChunkError::Corrupt("rows belong to no series"));
    }
    keys.end()?;
    counts.end()?;
    Ok(series)
}

fn read_times(
    cursor: &mut Cursor<'_>,
    series: &[(Vec<u8>, usize)],
    rows: usize,
) -> Result<Vec<i64>, ChunkError> {
    const GARBLED: ChunkError = ChunkError::Corrupt("its times are garbled");
    let base = TimeBase::read_from(cursor)?;
    let same = Bitmap::read_from(cursor.take(Bitmap::byte_len(series.len()))?, series.len());
    let count = cursor.size(rows)?;
    let steps = packed::unpack(cursor.bytes()?, count)?;
    let mut own: Vec<i64> = steps
        .into_iter()
        .map(|steps| base.time(steps as u64))
        .collect();
    if own.len() == rows && same.count_ones() == 0 {
        return Ok(own);
    }

    let mut times = Vec::with_capacity(rows);
    let mut at = 0;
    let mut previous: Range<usize> = 0..0;
    for ((_, rows), repeated) in series.iter().zip(same.iter()) {
        let start = times.len();
        if repeated {
            if previous.len() != *rows {
                return Err(GARBLED);
            }
            times.extend_from_within(previous);
        } else {
            let end = at + rows;
            times.extend_from_slice(own.get(at..end).ok_or(GARBLED)?);
            at = end;
        }
        previous = start..times.len();
    }
    own.drain(..at);
    if own.is_empty() {
        Ok(times)
    } else {
        Err(GARBLED)
    }
}

fn read_column(cursor: &mut Cursor<'_>, rows: usize) -> Result<NamedColumn, ChunkError> {
    let name = cursor.bytes()?.to_vec();
    let field_type = FieldType::from_u8(cursor.byte()?)
        .ok_or(ChunkError::Corrupt("a column has no known type"))?;
    let encoding = cursor.byte()?;
    let present = match cursor.byte()? {
        ALL_PRESENT => None,
        SOME_PRESENT => {
            let mut stored = Cursor(cursor.bytes()?);
            let present = presence::read(&mut stored, rows)?;
            stored.end()?;
            Some(present)
        }
        _ => return Err(ChunkError::Corrupt("its rows with a value are garbled")),
    };
    let count = present.as_ref().map_or(rows, Bitmap::count_ones);
    let stored = cursor.bytes()?;
    let present_ref = present.as_ref();
    let values = match (field_type, encoding) {
        (FieldType::Float, 0..=MAX_EXPONENT) => {
            let integers = packed::unpack(stored, count)?;
            let values = decimal::decode(&integers, encoding);
            Values::Float(spread(values.collect(), present_ref))
        }
        (FieldType::Float, SHUFFLED) => {
            Values::Float(spread(unshuffle(stored, count)?, present_ref))
        }
        (FieldType::Integer, 0) => {
            Values::Integer(spread(packed::unpack(stored, count)?, present_ref))
        }
        (FieldType::Unsigned, 0) => {
            let values = packed::unpack(stored, count)?;
            let values = values.into_iter().map(|value| value as u64).collect();
            Values::Unsigned(spread(values, present_ref))
        }
        (FieldType::Boolean, BITS) => {
            if stored.len() != Bitmap::byte_len(count) {
                return Err(ChunkError::Corrupt("booleans are missing"));
            }
            let values = Bitmap::read_from(stored, count).iter().collect();
            Values::Boolean(spread(values, present_ref))
        }
        (FieldType::String, DICTIONARY) => {
            Values::String(read_strings(stored, count, present_ref)?)
        }
        _ => return Err(ChunkError::Corrupt("a column has no known encoding")),
    };
    Ok(NamedColumn {
        name,
        column: Column { values, present },
    })
}

fn unshuffle(stored: &[u8], count: usize) -> Result<Vec<f64>, ChunkError> {
    const GARBLED: ChunkError = ChunkError::Corrupt("lz4 cannot read it");
    let length = count * 8;
    if length / LZ4_RATIO > stored.len() {
        return Err(GARBLED);
    }
    let shuffled = lz4_flex::block::decompress(stored, length).map_err(|_| GARBLED)?;
    if shuffled.len() != length {
        return Err(GARBLED);
    }
    let mut bits = vec![0_u64; count];
    for (byte, plane) in shuffled.chunks_exact(count.max(1)).enumerate() {
        for (bits, &part) in bits.iter_mut().zip(plane) {
            *bits |= u64::from(part) << (byte * 8);
        }
    }
    Ok(bits.into_iter().map(f64::from_bits).collect())
}

fn read_strings(
    stored: &[u8],
    count: usize,
    present: Option<&Bitmap>,
) -> Result<Strings, ChunkError> {
    let mut cursor = Cursor(stored);
    let distinct = cursor.size(count)?;
    let dictionary = take_strings(&mut cursor, distinct)?;
    let indices = packed::unpack(cursor.0, count)?;
    let mut values = Strings::new();
    Dictionary::expand(
        &dictionary,
        indices.into_iter().map(|index| index as u64),
        &mut values,
    )?;
    Ok(match present {
        None => values,
        Some(present) => {
            let mut rows = Strings::new();
            values.spread(present, &mut rows);
            rows
        }
    })
}

/// Puts values into the rows that have one.
fn spread<T: Copy + Default>(values: Vec<T>, present: Option<&Bitmap>) -> Vec<T> {
    match present {
        None => values,
        Some(present) => {
            let mut rows = vec![T::default(); present.len()];
            for (row, value) in present.ones().zip(values) {
                rows[row] = value;
            }
            rows
        }
    }
}
