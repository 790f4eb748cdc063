//! Bytes through zstd, and lists of strings.

use std::cell::RefCell;

use zstd::bulk::Compressor;

use super::bytes::{Cursor, put_bytes, put_varint};
use super::strings::Strings;
use super::{ChunkError, MAX_TEXT_BYTES};

/// Fewer bytes than this are not worth a try: the keys and words of a few lines, which somebody
/// waits for.
const COMPRESSIBLE: usize = 256;

/// For more bytes than this a compressor is made, and given back, for they get large.
const KEEP_COMPRESSOR: usize = 1 << 18;

/// A zstd block of 4 bytes can stand for 128 KiB, nothing for more.
const MAX_RATIO: usize = 1 << 15;

thread_local! {
    /// Compressors by level: to make one takes longer than to compress a few keys.
    static COMPRESSORS: RefCell<Vec<(i32, Compressor<'static>)>> = const { RefCell::new(Vec::new()) };
}

/// What zstd makes of bytes; `None` if it fails.
fn compress(raw: &[u8], level: i32) -> Option<Vec<u8>> {
    if raw.len() > KEEP_COMPRESSOR {
        return zstd::bulk::compress(raw, level).ok();
    }
    COMPRESSORS.with_borrow_mut(|compressors| {
        let known = compressors.iter().position(|(known, _)| *known == level);
        let at = if let Some(at) = known {
            at
        } else {
            compressors.push((level, Compressor::new(level).ok()?));
            compressors.len() - 1
        };
        compressors[at].1.compress(raw).ok()
    })
}

/// Appends bytes: how many they are, then what zstd makes of them, or themselves if that is not
/// shorter.
pub(super) fn put_compressed(out: &mut Vec<u8>, raw: &[u8], level: i32) {
    put_varint(out, raw.len() as u64);
    let compressed = match raw.len() {
        0..COMPRESSIBLE => None,
        _ => compress(raw, level).filter(|bytes| bytes.len() < raw.len()),
    };
    put_bytes(out, compressed.as_deref().unwrap_or(raw));
}

/// The inverse of [`put_compressed`].
pub(super) fn take_compressed(cursor: &mut Cursor<'_>) -> Result<Vec<u8>, ChunkError> {
    let length = cursor.size(MAX_TEXT_BYTES)?;
    let stored = cursor.bytes()?;
    if stored.len() == length {
        return Ok(stored.to_vec());
    }
    if stored.len() > length || length / MAX_RATIO > stored.len() {
        return Err(ChunkError::Corrupt("it claims an impossible size"));
    }
    match zstd::bulk::decompress(stored, length) {
        Ok(raw) if raw.len() == length => Ok(raw),
        _ => Err(ChunkError::Corrupt("zstd cannot read it")),
    }
}

/// Appends strings: their lengths, then their bytes, compressed together. How many they are is
/// not written.
pub(super) fn put_strings(out: &mut Vec<u8>, strings: &Strings, level: i32) {
    let mut raw = Vec::with_capacity(strings.len() * 2 + strings.byte_len());
    for string in strings.iter() {
        put_varint(&mut raw, string.len() as u64);
    }
    raw.extend_from_slice(strings.bytes());
    put_compressed(out, &raw, level);
}

/// Reads `count` strings.
pub(super) fn take_strings(cursor: &mut Cursor<'_>, count: usize) -> Result<Strings, ChunkError> {
    let raw = take_compressed(cursor)?;
    if count > raw.len() {
        return Err(ChunkError::Corrupt("strings are missing"));
    }
    let mut rest = Cursor(&raw);
    let mut lengths = Vec::with_capacity(count);
    for _ in 0..count {
        lengths.push(rest.size(MAX_TEXT_BYTES)?);
    }
    Strings::from_lengths(&lengths, rest.0.to_vec())
        .ok_or(ChunkError::Corrupt("the lengths of strings do not add up"))
}

/// The distinct ones among some strings, in the order in which they first come.
#[derive(Debug, Default)]
pub(super) struct Dictionary {
    /// The distinct strings.
    pub(super) strings: Strings,
    /// For each string its place among the distinct ones.
    pub(super) indices: Vec<u32>,
}

impl Dictionary {
    /// Sorts out the strings; `None` if more than `limit` are distinct.
    pub(super) fn new<'a>(
        strings: impl ExactSizeIterator<Item = &'a [u8]>,
        limit: usize,
    ) -> Option<Self> {
        let mut places: hashbrown::HashMap<&[u8], u32, foldhash::fast::RandomState> =
            hashbrown::HashMap::default();
        let mut dictionary = Self::default();
        dictionary.indices.reserve(strings.len());
        let mut previous: Option<(&[u8], u32)> = None;
        for string in strings {
            let index = match previous {
                Some((before, index)) if before == string => index,
                _ => *places.entry(string).or_insert_with(|| {
                    dictionary.strings.push(string);
                    dictionary.strings.len() as u32 - 1
                }),
            };
            if dictionary.strings.len() > limit {
                return None;
            }
            dictionary.indices.push(index);
            previous = Some((string, index));
        }
        Some(dictionary)
    }

    /// Puts the distinct strings back where they were.
    pub(super) fn expand(
        strings: &Strings,
        indices: impl ExactSizeIterator<Item = u64> + Clone,
        out: &mut Strings,
    ) -> Result<(), ChunkError> {
        let mut bytes = out.byte_len();
        for index in indices.clone() {
            let index = usize::try_from(index).unwrap_or(usize::MAX);
            if index >= strings.len() {
                return Err(ChunkError::Corrupt("a string is not in its dictionary"));
            }
            bytes += strings.len_at(index);
        }
        if bytes > MAX_TEXT_BYTES {
            return Err(ChunkError::Corrupt("it claims an impossible size"));
        }
        out.extend(indices.map(|index| strings.get(index as usize)));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_read_back() {
        let long = vec![b'x'; 1 << 20];
        let strings: [&[u8]; 5] = [b"", b"a", &long, b"\xff\x00", b""];
        let mut out = Vec::new();
        put_strings(&mut out, &strings.into_iter().collect(), 1);
        assert!(out.len() < 1000);
        let read = take_strings(&mut Cursor(&out), 5).unwrap();
        assert!(read.iter().eq(strings));
        for count in [0, 4, 6, 1 << 40] {
            assert!(take_strings(&mut Cursor(&out), count).is_err());
        }
    }

    #[test]
    fn a_bomb_is_not_believed() {
        let mut out = Vec::new();
        put_varint(&mut out, MAX_TEXT_BYTES as u64);
        put_bytes(&mut out, &zstd::bulk::compress(&[0; 1000], 1).unwrap());
        assert!(take_compressed(&mut Cursor(&out)).is_err());
    }

    #[test]
    fn a_dictionary_that_grows_too_large_is_given_up() {
        let strings = ["a", "b", "a", "a", "c"];
        let bytes = || strings.iter().map(|string| string.as_bytes());
        assert!(Dictionary::new(bytes(), 2).is_none());
        let dictionary = Dictionary::new(bytes(), 3).unwrap();
        assert_eq!(dictionary.indices, [0, 1, 0, 0, 2]);
        let mut out = Strings::new();
        let indices = dictionary.indices.iter().map(|&index| u64::from(index));
        Dictionary::expand(&dictionary.strings, indices, &mut out).unwrap();
        assert!(out.iter().eq(bytes()));
        let beyond = [3_u64].into_iter();
        assert!(Dictionary::expand(&dictionary.strings, beyond, &mut out).is_err());
    }
}
