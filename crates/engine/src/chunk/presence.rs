//! Which rows have a value, as bits or as runs, whichever is shorter.

use super::ChunkError;
use super::bitmap::Bitmap;
use super::bytes::{Cursor, put_varint};

/// The bits follow, 8 to a byte.
const BITS: u8 = 0;
/// The lengths of runs follow: of rows without a value, of rows with one, and so on by turns.
const RUNS: u8 = 1;

/// Appends a bitmap. Its length is not written.
pub(super) fn write(present: &Bitmap, out: &mut Vec<u8>) {
    let start = out.len();
    let limit = Bitmap::byte_len(present.len());
    out.push(RUNS);
    if !write_runs(present, limit, out) {
        out.truncate(start);
        out.push(BITS);
        present.write_to(out);
    }
}

/// Appends the runs; gives up when they take more than `limit` bytes.
fn write_runs(present: &Bitmap, limit: usize, out: &mut Vec<u8>) -> bool {
    let end = out.len() + limit;
    let (mut bit, mut at) = (false, 0);
    while at < present.len() {
        let length = run_length(present, at, bit);
        put_varint(out, length as u64);
        if out.len() > end {
            return false;
        }
        at += length;
        bit = !bit;
    }
    true
}

/// How many bits from `start` on are `bit`.
fn run_length(present: &Bitmap, start: usize, bit: bool) -> usize {
    let flip = if bit { u64::MAX } else { 0 };
    let mut shift = start % 64;
    for (index, word) in present.words().iter().enumerate().skip(start / 64) {
        let others = (word ^ flip) >> shift;
        if others != 0 {
            let end = index * 64 + shift + others.trailing_zeros() as usize;
            return end.min(present.len()) - start;
        }
        shift = 0;
    }
    present.len() - start
}

/// Reads the bitmap of `rows`.
pub(super) fn read(cursor: &mut Cursor<'_>, rows: usize) -> Result<Bitmap, ChunkError> {
    match cursor.byte()? {
        BITS => Ok(Bitmap::read_from(
            cursor.take(Bitmap::byte_len(rows))?,
            rows,
        )),
        RUNS => {
            let mut present = Bitmap::new();
            let mut bit = false;
            while present.len() < rows {
                let length = cursor.size(rows - present.len())?;
                present.push_many(bit, length);
                bit = !bit;
            }
            Ok(present)
        }
        _ => Err(ChunkError::Corrupt("its rows with a value are garbled")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(present: &Bitmap) -> usize {
        let mut out = Vec::new();
        write(present, &mut out);
        let mut cursor = Cursor(&out);
        assert_eq!(&read(&mut cursor, present.len()).unwrap(), present);
        cursor.end().unwrap();
        assert!(
            present.is_empty() || read(&mut Cursor(&out[..out.len() - 1]), present.len()).is_err()
        );
        out.len()
    }

    proptest! {
        #[test]
        fn any_bits_read_back(runs in prop::collection::vec((any::<bool>(), 1..200_usize), 0..40)) {
            let mut present = Bitmap::new();
            for (bit, count) in runs {
                present.push_many(bit, count);
            }
            check(&present);
        }

        #[test]
        fn bits_without_runs_read_back(bits in prop::collection::vec(any::<bool>(), 0..500)) {
            check(&bits.into_iter().collect());
        }
    }

    #[test]
    fn long_runs_are_short() {
        let mut present = Bitmap::filled(true, 2000);
        present.push_many(false, 2096);
        assert_eq!(check(&present), 1 + 1 + 2 + 2);
        assert_eq!(check(&(0..4096).map(|row| row % 2 == 0).collect()), 1 + 512);
    }
}
