//! Reading pages of a chunk of level 1 or above.

use std::ops::Range;

use pco::DecompressorScratch;
use pco::wrapped::ChunkDecompressor;

use super::bytes::{Cursor, Format, TRAILER_LEN, open};
use super::head::{Encoding, Head, Stored};
use super::{Bitmap, ChunkError, Column, Strings, Values, decimal, numbers, presence, text_page};

/// A piece whose checksum was found right.
#[derive(Debug, Clone, Copy)]
pub struct Piece<'a>(&'a [u8]);

impl<'a> Piece<'a> {
    /// For pages without bytes: those for which [`Head::piece_of`] is `None`.
    pub const NONE: Self = Self(&[]);

    /// Checks a piece.
    pub fn open(blob: &'a [u8]) -> Result<Self, ChunkError> {
        open(blob, Format::Piece)?;
        Ok(Self(&blob[..blob.len() - TRAILER_LEN]))
    }
}

impl Head {
    /// The times of a page. `piece` is the whole piece that [`Self::piece_of`] names; of no
    /// importance if it names none. Many pages are cheaper through [`ColumnReader`].
    ///
    /// # Panics
    /// If there is no page of this number.
    pub fn decode_times(&self, page: usize, piece: &[u8]) -> Result<Vec<i64>, ChunkError> {
        let mut times = Vec::new();
        ColumnReader::new(self, 0).read_times(page, self.piece(0, page, piece)?, &mut times)?;
        Ok(times)
    }

    /// The values of a column in a page; see [`Self::decode_times`].
    ///
    /// # Panics
    /// If there is no column or page of this number.
    pub fn decode_page(
        &self,
        column: usize,
        page: usize,
        piece: &[u8],
    ) -> Result<Column, ChunkError> {
        let mut values = Column::new(self.columns[column].field_type);
        let piece = self.piece(column, page, piece)?;
        ColumnReader::new(self, column).read(page, piece, &mut values)?;
        Ok(values)
    }

    fn piece<'a>(
        &self,
        column: usize,
        page: usize,
        piece: &'a [u8],
    ) -> Result<Piece<'a>, ChunkError> {
        match self.piece_of(column, page) {
            None => Ok(Piece::NONE),
            Some(_) => Piece::open(piece),
        }
    }
}

/// Reads pages of one column. Keeps what the pages of a segment share, so read them in order.
#[derive(Debug)]
pub struct ColumnReader<'a> {
    head: &'a Head,
    column: usize,
    /// The segment last used.
    segment: Option<(usize, Codes)>,
    scratch: DecompressorScratch,
    signed: Vec<i64>,
    unsigned: Vec<u64>,
}

/// What the pages of a segment share.
#[derive(Debug)]
enum Codes {
    /// Nothing.
    None,
    Signed(Box<ChunkDecompressor<i64>>),
    Unsigned(Box<ChunkDecompressor<u64>>),
    Floats(Box<ChunkDecompressor<f64>>),
}

const OUTSIDE: ChunkError = ChunkError::Corrupt("a page is not where the head says");

impl<'a> ColumnReader<'a> {
    /// A reader of a column: 0 for time.
    ///
    /// # Panics
    /// If there is no such column. The methods panic if there is no such page.
    pub fn new(head: &'a Head, column: usize) -> Self {
        assert!(
            column < head.columns.len(),
            "the column is one of the chunk's"
        );
        Self {
            head,
            column,
            segment: None,
            scratch: DecompressorScratch::default(),
            signed: Vec::new(),
            unsigned: Vec::new(),
        }
    }

    /// Appends the times of a page; the reader is one of column 0.
    pub fn read_times(
        &mut self,
        page: usize,
        piece: Piece<'_>,
        times: &mut Vec<i64>,
    ) -> Result<(), ChunkError> {
        let stored = self.head.columns[self.column].pages[page];
        let place = stored.place();
        self.prepare(page)?;
        let Some((_, Codes::Unsigned(codes))) = &self.segment else {
            return Err(ChunkError::Corrupt("times are asked of another column"));
        };
        self.unsigned.resize(stored.present as usize, 0);
        numbers::read_page(codes, piece.0, place, &mut self.scratch, &mut self.unsigned)?;
        let base = self.head.time;
        times.extend(self.unsigned.iter().map(|&steps| base.time(steps)));
        Ok(())
    }

    /// Appends the values of a page to a column of the same type; the reader is not one of
    /// column 0. After an error the column may have any rows.
    ///
    /// # Panics
    /// If `out` is of another type.
    pub fn read(
        &mut self,
        page: usize,
        piece: Piece<'_>,
        out: &mut Column,
    ) -> Result<(), ChunkError> {
        let column = &self.head.columns[self.column];
        assert_eq!(
            out.field_type(),
            column.field_type,
            "values are appended to their like"
        );
        let stored = column.pages[page];
        let rows = self.head.pages[page].rows as usize;
        let count = stored.present as usize;
        if count == 0 {
            out.push_absent_many(rows);
            return Ok(());
        }
        self.prepare(page)?;
        let mut place = stored.place();
        let present = if count == rows {
            None
        } else {
            let mut cursor = Cursor(piece.0.get(place.clone()).ok_or(OUTSIDE)?);
            let present = presence::read(&mut cursor, rows)?;
            if present.count_ones() != count {
                return Err(ChunkError::Corrupt("its rows with a value are garbled"));
            }
            place.start = place.end - cursor.0.len();
            Some(present)
        };
        self.read_values(piece.0, place, count, present.as_ref(), &mut out.values)?;
        match present {
            Some(present) => out.extend_present(&present),
            None => {
                if let Some(all) = &mut out.present {
                    all.push_many(true, rows);
                }
            }
        }
        Ok(())
    }

    fn read_values(
        &mut self,
        bytes: &[u8],
        place: Range<usize>,
        count: usize,
        present: Option<&Bitmap>,
        out: &mut Values,
    ) -> Result<(), ChunkError> {
        let encoding = self.head.columns[self.column].encoding;
        let codes = self
            .segment
            .as_ref()
            .map_or(&Codes::None, |(_, codes)| codes);
        let scratch = &mut self.scratch;
        match (out, codes, encoding) {
            (Values::Float(out), Codes::Signed(codes), Encoding::Signed(exponent)) => {
                self.signed.resize(count, 0);
                numbers::read_page(codes, bytes, place, scratch, &mut self.signed)?;
                spread(decimal::decode(&self.signed, exponent), present, out);
            }
            (Values::Float(out), Codes::Floats(codes), _) => {
                append(out, count, present, |values| {
                    numbers::read_page(codes, bytes, place, scratch, values)
                })?;
            }
            (Values::Integer(out), Codes::Signed(codes), _) => {
                append(out, count, present, |values| {
                    numbers::read_page(codes, bytes, place, scratch, values)
                })?;
            }
            (Values::Unsigned(out), Codes::Unsigned(codes), _) => {
                append(out, count, present, |values| {
                    numbers::read_page(codes, bytes, place, scratch, values)
                })?;
            }
            (Values::Boolean(out), ..) => {
                let bits = bytes.get(place).ok_or(OUTSIDE)?;
                if bits.len() != Bitmap::byte_len(count) {
                    return Err(ChunkError::Corrupt("booleans are missing"));
                }
                spread(Bitmap::read_from(bits, count).iter(), present, out);
            }
            (Values::String(out), ..) => {
                let bytes = bytes.get(place).ok_or(OUTSIDE)?;
                let Some(present) = present else {
                    return text_page::read(bytes, count, scratch, out);
                };
                let mut values = Strings::new();
                text_page::read(bytes, count, scratch, &mut values)?;
                values.spread(present, out);
            }
            _ => return Err(ChunkError::Corrupt("values are asked of the time column")),
        }
        Ok(())
    }

    /// Makes ready what the page's segment shares.
    fn prepare(&mut self, page: usize) -> Result<(), ChunkError> {
        let segment = self.head.segment_of(page);
        if self
            .segment
            .as_ref()
            .is_some_and(|(number, _)| *number == segment)
        {
            return Ok(());
        }
        let column = &self.head.columns[self.column];
        let header = column.headers.get(segment).map_or(&[][..], Vec::as_slice);
        let codes = match column.encoding {
            Encoding::Signed(_) => Codes::Signed(Box::new(numbers::open(header)?)),
            Encoding::Unsigned => Codes::Unsigned(Box::new(numbers::open(header)?)),
            Encoding::Floats => Codes::Floats(Box::new(numbers::open(header)?)),
            Encoding::Bits | Encoding::Strings => Codes::None,
        };
        self.segment = Some((segment, codes));
        Ok(())
    }
}

impl Stored {
    /// Where it lies in its piece.
    const fn place(&self) -> Range<usize> {
        let start = self.start as usize;
        start..start + self.length as usize
    }
}

/// Appends `count` values that `read` fills in, or as many rows as `present` has.
fn append<T: Copy + Default>(
    out: &mut Vec<T>,
    count: usize,
    present: Option<&Bitmap>,
    read: impl FnOnce(&mut [T]) -> Result<(), ChunkError>,
) -> Result<(), ChunkError> {
    let start = out.len();
    out.resize(start + count, T::default());
    read(&mut out[start..])?;
    if let Some(present) = present {
        let values = out.split_off(start);
        spread(values.into_iter(), Some(present), out);
    }
    Ok(())
}

/// Appends values, those of rows without one being the default.
fn spread<T: Copy + Default>(
    values: impl Iterator<Item = T>,
    present: Option<&Bitmap>,
    out: &mut Vec<T>,
) {
    match present {
        None => out.extend(values),
        Some(present) => {
            let start = out.len();
            out.resize(start + present.len(), T::default());
            let rows = &mut out[start..];
            for (row, value) in present.ones().zip(values) {
                rows[row] = value;
            }
        }
    }
}
