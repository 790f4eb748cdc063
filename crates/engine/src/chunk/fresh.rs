//! A chunk of level 0: what a commit writes, one blob for one bucket and measurement.
//!
//! `v`: a varint; `z`: a zigzag varint; `b`: a length as varint, then bytes; *compressed*: `v` the
//! length, then `b` what zstd made of it, or the bytes themselves if that is not longer.
//!
//! | part | content |
//! | --- | --- |
//! | counts | `v` rows, `v` series, `v` columns |
//! | series | compressed: for each series `b` its key; `b`: for each series `v` its rows |
//! | time | `z` earliest, `v` step; a bit per series "same times as the series before"; `v` count and `b` packed steps of the times of the others |
//! | columns | `b` name, `u8` type, `u8` encoding, `u8` presence (0: all rows; 1: `b` which); `b` the values present |
//!
//! Encodings: 0 to 15 packed integers with that decimal exponent; 32 bytes shuffled and lz4; 33 a
//! bit each; 34 `v` count and compressed distinct strings, then packed indices.

use std::borrow::Cow;

use super::bytes::{Format, begin, put_bytes, put_varint, seal};
use super::text::{Dictionary, put_compressed, put_strings};
use super::times::TimeBase;
use super::{Bitmap, Column, Strings, Values, decimal, packed, presence};

/// Floats that are not decimal.
pub(super) const SHUFFLED: u8 = 32;
/// Booleans.
pub(super) const BITS: u8 = 33;
/// Strings.
pub(super) const DICTIONARY: u8 = 34;

/// Every row has a value.
pub(super) const ALL_PRESENT: u8 = 0;
/// A bitmap says which rows have a value.
pub(super) const SOME_PRESENT: u8 = 1;

/// Level 0 is written while somebody waits.
const ZSTD_LEVEL: i32 = 1;

/// A chunk of level 0 in memory. Rows are sorted by series, in the order of `series`, then time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FreshChunk {
    /// The series: canonical tags (may be empty), and how many rows it has (may be 0: a point
    /// refused for its fields still makes its series known, data-endpoints 4.4).
    pub series: Vec<(Vec<u8>, usize)>,
    /// The time of each row; ascending and unique within a series.
    pub times: Vec<i64>,
    /// The fields. Two may have the same name and different types.
    pub columns: Vec<NamedColumn>,
}

/// A field's name and its values.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedColumn {
    /// The name, any bytes.
    pub name: Vec<u8>,
    /// The values, one slot for each row of the chunk.
    pub column: Column,
}

impl FreshChunk {
    /// Its bytes. [`FreshWriter`] does the same with what lies elsewhere.
    ///
    /// # Panics
    /// As [`FreshWriter`].
    pub fn encode(&self) -> Vec<u8> {
        let series = self
            .series
            .iter()
            .map(|(key, rows)| (key.as_slice(), *rows));
        let mut writer = FreshWriter::new(series, &self.times);
        for NamedColumn { name, column } in &self.columns {
            writer.column(name, column);
        }
        writer.finish()
    }
}

/// Makes a chunk of level 0 from borrowed parts.
///
/// It can be read again if it stays below [`MAX_ROWS`](super::MAX_ROWS) and, in keys and in each
/// string column, [`MAX_TEXT_BYTES`](super::MAX_TEXT_BYTES); a group of bodies of at most 256 MiB
/// does.
#[derive(Debug)]
pub struct FreshWriter {
    rows: usize,
    series: usize,
    columns: usize,
    /// All that comes after the counts.
    body: Vec<u8>,
    integers: Vec<i64>,
}

impl FreshWriter {
    /// Begins a chunk of some series, each with its canonical tags and number of rows, and the
    /// times of all rows (see [`FreshChunk`]).
    ///
    /// # Panics
    /// If the rows of the series are not as many as the times.
    pub fn new<'a>(series: impl IntoIterator<Item = (&'a [u8], usize)>, times: &[i64]) -> Self {
        let mut keys = Vec::new();
        let mut counts = Vec::new();
        let mut same = Bitmap::new();
        // Ranges of the times that have to be written.
        let mut own = Vec::new();
        let (mut start, mut previous) = (0, 0..0);
        for (key, rows) in series {
            put_bytes(&mut keys, key);
            put_varint(&mut counts, rows as u64);
            let range = start..start + rows;
            start = range.end;
            let repeated = times[range.clone()] == times[previous.clone()];
            same.push(repeated);
            if !repeated {
                own.push(range.clone());
            }
            previous = range;
        }
        assert_eq!(start, times.len(), "a chunk has as many times as rows");

        let mut body = Vec::with_capacity(keys.len() + times.len());
        put_compressed(&mut body, &keys, ZSTD_LEVEL);
        put_bytes(&mut body, &counts);
        let mut writer = Self {
            rows: times.len(),
            series: same.len(),
            columns: 0,
            body,
            integers: Vec::new(),
        };
        writer.times(times, &own, &same);
        writer
    }

    fn times(&mut self, times: &[i64], own: &[std::ops::Range<usize>], same: &Bitmap) {
        let joined = match own {
            [] => Cow::Borrowed(&[][..]),
            // Series follow one another, so without repetitions nothing has to be moved.
            [first, .., last] if own.len() == self.series => {
                Cow::Borrowed(&times[first.start..last.end])
            }
            [only] => Cow::Borrowed(&times[only.clone()]),
            _ => own
                .iter()
                .flat_map(|range| &times[range.clone()])
                .copied()
                .collect(),
        };
        let base = TimeBase::of(joined.iter().copied());
        base.write_to(&mut self.body);
        same.write_to(&mut self.body);
        put_varint(&mut self.body, joined.len() as u64);
        sized(&mut self.body, |out| {
            packed::pack(&joined, |time| base.steps(time) as i64, out);
        });
    }

    /// Adds a field.
    ///
    /// # Panics
    /// If the column has not as many rows as the chunk.
    pub fn column(&mut self, name: &[u8], column: &Column) {
        assert_eq!(
            column.len(),
            self.rows,
            "a column has a slot for every row of its chunk"
        );
        self.columns += 1;
        let out = &mut self.body;
        put_bytes(out, name);
        out.push(column.field_type() as u8);
        // Known only afterwards, for floats.
        let encoding_at = out.len();
        out.push(0);
        let present = column.present.as_ref().filter(|present| !present.all());
        match present {
            None => out.push(ALL_PRESENT),
            Some(present) => {
                out.push(SOME_PRESENT);
                sized(out, |out| presence::write(present, out));
            }
        }
        let integers = &mut self.integers;
        let mut encoding = 0;
        sized(out, |out| {
            encoding = match &column.values {
                Values::Float(values) => floats(&compact(values, present), integers, out),
                Values::Integer(values) => {
                    packed::pack(&compact(values, present), |value| value, out);
                    0
                }
                Values::Unsigned(values) => {
                    packed::pack(&compact(values, present), |value| value as i64, out);
                    0
                }
                Values::Boolean(values) => {
                    let values = compact(values, present);
                    values.iter().copied().collect::<Bitmap>().write_to(out);
                    BITS
                }
                Values::String(values) => {
                    strings(values, present, out);
                    DICTIONARY
                }
            };
        });
        self.body[encoding_at] = encoding;
    }

    /// The chunk.
    pub fn finish(self) -> Vec<u8> {
        let mut out = begin(Format::Fresh, self.body.len() + 30);
        put_varint(&mut out, self.rows as u64);
        put_varint(&mut out, self.series as u64);
        put_varint(&mut out, self.columns as u64);
        out.extend_from_slice(&self.body);
        seal(&mut out);
        out
    }
}

/// Appends what `write` appends, with its length before it.
fn sized(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    // The length is nearly always one of two or three bytes: room for three, and a move if not.
    const ROOM: usize = 3;
    let start = out.len();
    out.extend_from_slice(&[0; ROOM]);
    write(out);
    let length = (out.len() - start - ROOM) as u64;
    let mut varint = Vec::with_capacity(10);
    put_varint(&mut varint, length);
    out.splice(start..start + ROOM, varint);
}

/// The values that are present.
fn compact<'a, T: Copy>(values: &'a [T], present: Option<&Bitmap>) -> Cow<'a, [T]> {
    match present {
        None => Cow::Borrowed(values),
        Some(present) => present.ones().map(|row| values[row]).collect(),
    }
}

fn floats(values: &[f64], integers: &mut Vec<i64>, out: &mut Vec<u8>) -> u8 {
    if let Some(exponent) = decimal::encode(values, integers) {
        packed::pack(integers, |integer| integer, out);
        return exponent;
    }
    // All first bytes, then all second bytes, and so on: signs and exponents repeat.
    let mut shuffled = Vec::with_capacity(values.len() * 8);
    for byte in 0..8 {
        shuffled.extend(
            values
                .iter()
                .map(|value| (value.to_bits() >> (byte * 8)) as u8),
        );
    }
    out.extend_from_slice(&lz4_flex::block::compress(&shuffled));
    SHUFFLED
}

fn strings(values: &Strings, present: Option<&Bitmap>, out: &mut Vec<u8>) {
    let dictionary = match present {
        None => Dictionary::new(values.iter(), usize::MAX),
        Some(present) => {
            let rows: Vec<&[u8]> = present.ones().map(|row| values.get(row)).collect();
            Dictionary::new(rows.into_iter(), usize::MAX)
        }
    }
    .expect("no dictionary is larger than allowed");
    put_varint(out, dictionary.strings.len() as u64);
    put_strings(out, &dictionary.strings, ZSTD_LEVEL);
    packed::pack(&dictionary.indices, i64::from, out);
}

#[cfg(test)]
mod tests;
