//! The frame of a blob, and the numbers and byte strings in it.

use xxhash_rust::xxh3::xxh3_64;

use super::ChunkError;

const MAGIC: &[u8; 3] = b"IXC";
/// Magic and format byte.
pub(super) const HEADER_LEN: usize = 4;
/// The checksum.
pub(super) const TRAILER_LEN: usize = 4;

/// What kind of blob it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Format {
    /// A whole chunk of level 0.
    Fresh = 1,
    /// The head of a chunk of level 1 or above.
    Head = 2,
    /// A piece of a column of such a chunk.
    Piece = 3,
}

/// Begins a blob.
pub(super) fn begin(format: Format, capacity: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER_LEN + capacity + TRAILER_LEN);
    out.extend_from_slice(MAGIC);
    out.push(format as u8);
    out
}

/// Ends a blob.
pub(super) fn seal(out: &mut Vec<u8>) {
    let checksum = xxh3_64(out) as u32;
    out.extend_from_slice(&checksum.to_le_bytes());
}

/// What is between the header and the checksum of a blob, both of which are as they should be.
pub(super) fn open(blob: &[u8], format: Format) -> Result<&[u8], ChunkError> {
    let Some((framed, checksum)) = blob.split_last_chunk::<TRAILER_LEN>() else {
        return Err(ChunkError::Corrupt("it is too short"));
    };
    let Some((header, content)) = framed.split_first_chunk::<HEADER_LEN>() else {
        return Err(ChunkError::Corrupt("it is too short"));
    };
    if !header.starts_with(MAGIC) {
        return Err(ChunkError::Corrupt("it does not begin as chunks do"));
    }
    if xxh3_64(framed) as u32 != u32::from_le_bytes(*checksum) {
        return Err(ChunkError::Corrupt("its checksum is wrong"));
    }
    if header[3] != format as u8 {
        return Err(ChunkError::Version(header[3]));
    }
    Ok(content)
}

/// Appends an unsigned number, 7 bits a byte, the lowest first.
#[inline]
pub(super) fn put_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Appends a signed number.
pub(super) fn put_zigzag(out: &mut Vec<u8>, number: i64) {
    put_varint(out, zigzag(number));
}

/// Appends a byte string and before it its length.
pub(super) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Signed numbers as unsigned ones, small if they are near 0.
#[inline]
pub(super) const fn zigzag(number: i64) -> u64 {
    (number << 1 ^ number >> 63) as u64
}

/// The inverse of [`zigzag`].
#[inline]
pub(super) const fn unzigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

/// What is left to read.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a>(pub(super) &'a [u8]);

const ENDS_EARLY: ChunkError = ChunkError::Corrupt("it ends early");

impl<'a> Cursor<'a> {
    /// So many bytes.
    #[inline]
    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], ChunkError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(ENDS_EARLY)?;
        self.0 = rest;
        Ok(taken)
    }

    /// One byte.
    #[inline]
    pub(super) fn byte(&mut self) -> Result<u8, ChunkError> {
        let (first, rest) = self.0.split_first().ok_or(ENDS_EARLY)?;
        self.0 = rest;
        Ok(*first)
    }

    /// See [`put_varint`].
    #[inline]
    pub(super) fn varint(&mut self) -> Result<u64, ChunkError> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(ChunkError::Corrupt("a number is too long"))
    }

    /// See [`put_zigzag`].
    pub(super) fn zigzag(&mut self) -> Result<i64, ChunkError> {
        Ok(unzigzag(self.varint()?))
    }

    /// A number that says how large something is, which is at most `limit`.
    pub(super) fn size(&mut self, limit: usize) -> Result<usize, ChunkError> {
        let size = usize::try_from(self.varint()?).unwrap_or(usize::MAX);
        if size > limit {
            return Err(ChunkError::Corrupt("it claims an impossible size"));
        }
        Ok(size)
    }

    /// How many things follow, each at least `bytes` long (so it is safe to make room for them).
    pub(super) fn count(&mut self, bytes: usize) -> Result<usize, ChunkError> {
        // The number itself takes a byte at least, so the bound holds before it is read, too.
        self.size(self.0.len() / bytes)
    }

    /// See [`put_bytes`].
    #[inline]
    pub(super) fn bytes(&mut self) -> Result<&'a [u8], ChunkError> {
        let length = usize::try_from(self.varint()?).unwrap_or(usize::MAX);
        self.take(length)
    }

    /// That nothing is left.
    pub(super) fn end(&self) -> Result<(), ChunkError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(ChunkError::Corrupt("something follows its end"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_size_read_back() {
        let mut out = Vec::new();
        let numbers: Vec<u64> = (0..64)
            .flat_map(|bit| [1 << bit, (1 << bit) - 1, u64::MAX >> bit])
            .collect();
        for &number in &numbers {
            put_varint(&mut out, number);
            put_zigzag(&mut out, number as i64);
        }
        let mut cursor = Cursor(&out);
        for &number in &numbers {
            assert_eq!(cursor.varint().unwrap(), number);
            assert_eq!(cursor.zigzag().unwrap(), number as i64);
        }
        cursor.end().unwrap();
        assert_eq!(cursor.varint(), Err(ENDS_EARLY));
    }

    #[test]
    fn a_number_above_64_bits_is_refused() {
        assert!(Cursor(&[0xff; 12]).varint().is_err());
        let mut two_to_the_64 = [0x80; 10];
        two_to_the_64[9] = 2;
        assert!(Cursor(&two_to_the_64).varint().is_err());
    }

    #[test]
    fn only_the_format_asked_for_opens() {
        let mut blob = begin(Format::Head, 3);
        blob.extend_from_slice(b"abc");
        seal(&mut blob);
        assert_eq!(open(&blob, Format::Head), Ok(&b"abc"[..]));
        assert_eq!(open(&blob, Format::Piece), Err(ChunkError::Version(2)));
        for short in 0..blob.len() {
            assert!(matches!(
                open(&blob[..short], Format::Head),
                Err(ChunkError::Corrupt(_))
            ));
        }
    }
}
