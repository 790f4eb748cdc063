//! A page of strings, complete in itself.
//!
//! A byte for the kind. 0: `v` how many are distinct, those (see [`put_strings`]), and if there
//! is more than one `b` pco's header and pco's page of their places. 1: the strings themselves.

use pco::{DecompressorScratch, ModeSpec};

use super::bytes::{Cursor, put_bytes, put_varint};
use super::text::{Dictionary, put_strings, take_strings};
use super::{ChunkError, Strings, numbers};

const DICTIONARY: u8 = 0;
const PLAIN: u8 = 1;

const ZSTD_LEVEL: i32 = 3;

/// Appends strings.
pub(super) fn write(strings: &Strings, out: &mut Vec<u8>) {
    // With more distinct ones a dictionary does not pay.
    let Some(dictionary) = Dictionary::new(strings.iter(), strings.len() / 4) else {
        out.push(PLAIN);
        put_strings(out, strings, ZSTD_LEVEL);
        return;
    };
    out.push(DICTIONARY);
    put_varint(out, dictionary.strings.len() as u64);
    put_strings(out, &dictionary.strings, ZSTD_LEVEL);
    if dictionary.strings.len() > 1 {
        let compress = |order| {
            let indices = &dictionary.indices;
            numbers::compress(indices, &[indices.len()], &ModeSpec::Classic, order)
        };
        // Words in any order, or words that stay the same for long.
        let packed = [compress(0), compress(1)]
            .into_iter()
            .min_by_key(|packed| packed.header.len() + packed.pages[0].len())
            .expect("there are two to choose from");
        put_bytes(out, &packed.header);
        out.extend_from_slice(&packed.pages[0]);
    }
}

/// Reads `count` strings and adds them to others.
pub(super) fn read(
    bytes: &[u8],
    count: usize,
    scratch: &mut DecompressorScratch,
    out: &mut Strings,
) -> Result<(), ChunkError> {
    let mut cursor = Cursor(bytes);
    match cursor.byte()? {
        PLAIN => {
            let strings = take_strings(&mut cursor, count)?;
            out.extend_range(&strings, 0..count);
            cursor.end()
        }
        DICTIONARY => {
            let distinct = cursor.size(count)?;
            let strings = take_strings(&mut cursor, distinct)?;
            let mut indices = vec![0_u32; count];
            if distinct > 1 {
                let chunk = numbers::open::<u32>(cursor.bytes()?)?;
                let place = 0..cursor.0.len();
                numbers::read_page(&chunk, cursor.0, place, scratch, &mut indices)?;
            } else {
                cursor.end()?;
            }
            Dictionary::expand(&strings, indices.iter().map(|&index| u64::from(index)), out)
        }
        _ => Err(ChunkError::Corrupt("a page of strings is of no known kind")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chunk::samples::Dice;

    fn check(strings: &Strings) -> usize {
        let mut out = Vec::new();
        write(strings, &mut out);
        let mut read_back: Strings = ["before"].into_iter().collect();
        let mut scratch = DecompressorScratch::default();
        read(&out, strings.len(), &mut scratch, &mut read_back).unwrap();
        assert!(read_back.iter().skip(1).eq(strings.iter()));
        for count in [strings.len() + 1, strings.len() - 1, 1 << 20] {
            let _ = read(&out, count, &mut scratch, &mut Strings::new());
        }
        out.len()
    }

    #[test]
    fn words_take_bits_and_texts_what_zstd_needs() {
        let mut dice = Dice(5);
        check(&["one"].into_iter().collect());
        assert!(check(&std::iter::repeat_n("same", 4096).collect()) < 16);
        let words: Strings = (0..4096)
            .map(|_| ["up", "down", ""][dice.below(3)])
            .collect();
        assert!(check(&words) < 1024);
        let stays: Strings = (0..4096)
            .map(|row| ["up", "down", ""][row / 1000 % 3])
            .collect();
        assert!(check(&stays) < 100);
        let texts: Strings = (0..4096)
            .map(|row| format!("request {row} took a while"))
            .collect();
        assert!(check(&texts) < 16_384);
        check(&(0..100).map(|_| dice.bits().to_le_bytes()).collect());
    }
}
