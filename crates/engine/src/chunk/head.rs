//! The head of a chunk of level 1 or above: its series, and what lies where in its pieces.

use std::ops::Range;

use influxd_model::{FieldType, TimeRange};

use super::decimal::{self, MAX_EXPONENT};
use super::times::TimeBase;
use super::{ChunkError, Strings, Value};

/// What a chunk contains and where.
///
/// Rows are sorted by series key, then time. They are cut into pages, the same for all columns. A
/// column is named by its number: 0 is time, fields follow. A page of a column lies in one piece.
#[derive(Debug, Clone)]
pub struct Head {
    pub(super) keys: Strings,
    /// Where the rows of each series end.
    pub(super) series_ends: Vec<u32>,
    pub(super) pages: Vec<Page>,
    /// Where the pages of each segment end.
    pub(super) segment_ends: Vec<u32>,
    pub(super) time: TimeBase,
    pub(super) piece_bytes: usize,
    pub(super) columns: Vec<ColumnHead>,
}

/// A page, whatever the column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page {
    pub(super) first_row: u32,
    pub(super) rows: u32,
    pub(super) times: TimeRange,
}

/// A column of a chunk.
#[derive(Debug, Clone)]
pub struct ColumnHead {
    pub(super) name: Vec<u8>,
    pub(super) field_type: FieldType,
    pub(super) encoding: Encoding,
    pub(super) order: u8,
    /// For each segment what its pages share; empty if the encoding has nothing of the kind.
    pub(super) headers: Vec<Vec<u8>>,
    pub(super) pages: Vec<Stored>,
}

/// A page of a column.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Stored {
    pub(super) piece: u32,
    /// Where it begins in the piece.
    pub(super) start: u32,
    /// 0: there is nothing to be fetched.
    pub(super) length: u32,
    /// How many rows have a value.
    pub(super) present: u32,
    /// The least and the greatest value, as [`Encoding`] says; 0 if there is none.
    pub(super) min: i64,
    pub(super) max: i64,
}

/// How the values of a column become bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// pco on signed integers, which are to be divided by this power of ten if they are floats.
    Signed(u8),
    /// A bit each.
    Bits,
    /// pco on unsigned integers. Bounds are their bits.
    Unsigned,
    /// pco on floats. Bounds are their places in the total order.
    Floats,
    /// Pages of strings. No bounds.
    Strings,
}

impl Encoding {
    /// The number that stands for it.
    pub(super) const fn number(self) -> u8 {
        match self {
            Self::Signed(exponent) => exponent,
            Self::Bits => 33,
            Self::Unsigned => 35,
            Self::Floats => 36,
            Self::Strings => 37,
        }
    }

    /// The inverse of [`Self::number`], if the encoding suits the type.
    pub(super) const fn from_number(
        number: u8,
        field_type: FieldType,
        is_time: bool,
    ) -> Option<Self> {
        Some(match (number, field_type) {
            (35, FieldType::Integer) if is_time => Self::Unsigned,
            _ if is_time => return None,
            (0..=MAX_EXPONENT, FieldType::Float) | (0, FieldType::Integer) => Self::Signed(number),
            (33, FieldType::Boolean) => Self::Bits,
            (35, FieldType::Unsigned) => Self::Unsigned,
            (36, FieldType::Float) => Self::Floats,
            (37, FieldType::String) => Self::Strings,
            _ => return None,
        })
    }

    /// Whether the pages of a segment share a header.
    pub(super) const fn has_headers(self) -> bool {
        matches!(self, Self::Signed(_) | Self::Unsigned | Self::Floats)
    }

    /// A bound as a value; `None` for strings.
    fn bound(self, field_type: FieldType, bound: i64) -> Option<Value<'static>> {
        Some(match self {
            Self::Signed(exponent) if matches!(field_type, FieldType::Float) => {
                Value::Float(decimal::decode_one(bound, exponent))
            }
            Self::Signed(_) => Value::Integer(bound),
            Self::Bits => Value::Boolean(bound != 0),
            Self::Unsigned => Value::Unsigned(bound as u64),
            Self::Floats => Value::Float(float_at(bound)),
            Self::Strings => return None,
        })
    }
}

/// The place of a float in the total order, -NaN first and NaN last.
pub(super) const fn place_of(float: f64) -> i64 {
    let bits = float.to_bits() as i64;
    bits ^ ((bits >> 63) as u64 >> 1) as i64
}

/// The inverse of [`place_of`].
const fn float_at(place: i64) -> f64 {
    f64::from_bits((place ^ ((place >> 63) as u64 >> 1) as i64) as u64)
}

impl ColumnHead {
    /// Its name; empty for time.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// Its type.
    pub const fn field_type(&self) -> FieldType {
        self.field_type
    }

    /// How many rows have a value.
    pub fn present_count(&self) -> usize {
        self.pages.iter().map(|page| page.present as usize).sum()
    }
}

impl Head {
    /// How many rows.
    pub fn rows(&self) -> usize {
        self.series_ends.last().map_or(0, |end| *end as usize)
    }

    /// How many series; those without rows count.
    pub const fn series_count(&self) -> usize {
        self.series_ends.len()
    }

    /// The canonical tags of a series.
    ///
    /// # Panics
    /// If there is no series of this number.
    pub fn key(&self, series: usize) -> &[u8] {
        self.keys.get(series)
    }

    /// The canonical tags of all series, sorted.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &[u8]> + Clone + '_ {
        self.keys.iter()
    }

    /// The number of the series with these canonical tags.
    pub fn find_series(&self, key: &[u8]) -> Option<usize> {
        let mut range = 0..self.keys.len();
        while !range.is_empty() {
            let middle = usize::midpoint(range.start, range.end);
            match self.keys.get(middle).cmp(key) {
                std::cmp::Ordering::Less => range.start = middle + 1,
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Greater => range.end = middle,
            }
        }
        None
    }

    /// The rows of a series.
    ///
    /// # Panics
    /// If there is no series of this number.
    pub fn rows_of(&self, series: usize) -> Range<usize> {
        let start = if series == 0 {
            0
        } else {
            self.series_ends[series - 1]
        };
        start as usize..self.series_ends[series] as usize
    }

    /// How many pages each column has.
    pub const fn page_count(&self) -> usize {
        self.pages.len()
    }

    /// The rows of a page.
    ///
    /// # Panics
    /// If there is no page of this number.
    pub fn page_rows(&self, page: usize) -> Range<usize> {
        let Page {
            first_row, rows, ..
        } = self.pages[page];
        first_row as usize..(first_row + rows) as usize
    }

    /// The times between which a page lies.
    ///
    /// # Panics
    /// If there is no page of this number.
    pub fn page_range(&self, page: usize) -> TimeRange {
        self.pages[page].times
    }

    /// The pages that hold some rows.
    pub fn pages_of(&self, rows: &Range<usize>) -> Range<usize> {
        if rows.is_empty() {
            return 0..0;
        }
        let starts_by = |row: usize| self.pages.partition_point(|p| p.first_row as usize <= row);
        starts_by(rows.start).saturating_sub(1)..starts_by(rows.end - 1)
    }

    /// The columns by number; the first is time.
    pub fn columns(&self) -> &[ColumnHead] {
        &self.columns
    }

    /// The number of the column with this name and type.
    pub fn find_column(&self, name: &[u8], field_type: FieldType) -> Option<usize> {
        let is_it = |column: &ColumnHead| column.name == name && column.field_type == field_type;
        self.columns.iter().skip(1).position(is_it).map(|at| at + 1)
    }

    /// How many rows of a page have a value.
    ///
    /// # Panics
    /// If there is no such column or page, as all methods that take both.
    pub fn present_count(&self, column: usize, page: usize) -> usize {
        self.columns[column].pages[page].present as usize
    }

    /// The least and the greatest value in a page, or values beyond. Floats are in total order:
    /// a bound may be NaN. `None` for strings and if there is no value.
    pub fn bounds(&self, column: usize, page: usize) -> Option<(Value<'static>, Value<'static>)> {
        let ColumnHead {
            encoding,
            field_type,
            pages,
            ..
        } = &self.columns[column];
        let Stored {
            present, min, max, ..
        } = pages[page];
        match present {
            0 => None,
            _ if column == 0 => {
                let TimeRange { min, max } = self.pages[page].times;
                Some((Value::Integer(min), Value::Integer(max)))
            }
            _ => Some((
                encoding.bound(*field_type, min)?,
                encoding.bound(*field_type, max)?,
            )),
        }
    }

    /// The number of the piece that holds a page. `None`: the page has no bytes, and is read
    /// without a piece.
    pub fn piece_of(&self, column: usize, page: usize) -> Option<usize> {
        let stored = &self.columns[column].pages[page];
        (stored.length > 0).then_some(stored.piece as usize)
    }

    /// The segment of a page.
    pub(super) fn segment_of(&self, page: usize) -> usize {
        self.segment_ends
            .partition_point(|end| *end as usize <= page)
    }

    /// About how many bytes it takes in memory.
    pub fn heap_bytes(&self) -> usize {
        let of_column = |column: &ColumnHead| {
            size_of::<ColumnHead>()
                + column.name.len()
                + column
                    .headers
                    .iter()
                    .map(|header| size_of_val(header) + header.len())
                    .sum::<usize>()
                + size_of_val(column.pages.as_slice())
        };
        self.keys.heap_bytes()
            + size_of_val(self.series_ends.as_slice())
            + size_of_val(self.pages.as_slice())
            + size_of_val(self.segment_ends.as_slice())
            + self.columns.iter().map(of_column).sum::<usize>()
    }

    /// Reads a head.
    pub fn decode(blob: &[u8]) -> Result<Self, ChunkError> {
        super::head_bytes::decode(blob)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_have_places_in_order() {
        let floats = [
            -f64::NAN,
            f64::NEG_INFINITY,
            -1.5,
            -0.0,
            0.0,
            5e-324,
            1.0,
            f64::INFINITY,
            f64::NAN,
        ];
        for float in floats {
            assert_eq!(float_at(place_of(float)).to_bits(), float.to_bits());
        }
        assert!(floats.is_sorted_by_key(|float| place_of(*float)));
    }
}
