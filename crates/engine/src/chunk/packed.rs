//! Integers as bit-packed deltas: what level 0 uses, for it costs next to nothing.
//!
//! Blocks of up to 128 numbers; deltas run on from block to block, the first number's predecessor
//! is 0. A block is a byte for the width `w`, a byte for the number of exceptions, the exceptions
//! (a byte for the place and 8 for the delta), and `w` bits for each zigzag delta, lowest bits
//! first, rounded up to whole bytes. Jumps, as from one series to the next, become exceptions
//! instead of widening their block.

use super::ChunkError;
use super::bytes::{Cursor, unzigzag, zigzag};

const BLOCK: usize = 128;
/// What an exception costs.
const EXCEPTION_LEN: usize = 9;
/// The most bytes that the packed bits of a block are.
const BLOCK_LEN: usize = BLOCK * 8;

/// Appends numbers, each turned into an integer first. Differences wrap around.
#[inline]
pub(super) fn pack<T: Copy>(numbers: &[T], to_integer: impl Fn(T) -> i64, out: &mut Vec<u8>) {
    let mut previous = 0_i64;
    let mut deltas = [0; BLOCK];
    for block in numbers.chunks(BLOCK) {
        for (delta, &number) in deltas.iter_mut().zip(block) {
            let number = to_integer(number);
            *delta = zigzag(number.wrapping_sub(previous));
            previous = number;
        }
        pack_block(&deltas[..block.len()], out);
    }
}

/// How many bits a number needs.
#[inline]
const fn bits(number: u64) -> usize {
    (u64::BITS - number.leading_zeros()) as usize
}

/// The cheapest width, and how many numbers need more.
fn choose_width(deltas: &[u64]) -> (usize, usize) {
    // Two histograms, so that equal neighbours do not wait for one another.
    let mut histogram = [[0_u8; 65]; 2];
    let mut pairs = deltas.chunks_exact(2);
    for pair in &mut pairs {
        histogram[0][bits(pair[0])] += 1;
        histogram[1][bits(pair[1])] += 1;
    }
    for &delta in pairs.remainder() {
        histogram[0][bits(delta)] += 1;
    }
    let count = |width: usize| usize::from(histogram[0][width]) + usize::from(histogram[1][width]);
    let mut width = 64;
    while width > 0 && count(width) == 0 {
        width -= 1;
    }
    let (mut best, mut best_cost) = ((width, 0), (deltas.len() * width).div_ceil(8));
    let mut exceptions = 0;
    while width > 0 {
        exceptions += count(width);
        width -= 1;
        let exceptions_cost = exceptions * EXCEPTION_LEN;
        if exceptions_cost >= best_cost {
            break;
        }
        let cost = (deltas.len() * width).div_ceil(8) + exceptions_cost;
        if cost < best_cost {
            (best, best_cost) = ((width, exceptions), cost);
        }
    }
    best
}

fn pack_block(deltas: &[u64], out: &mut Vec<u8>) {
    let (width, exceptions) = choose_width(deltas);
    out.push(width as u8);
    out.push(exceptions as u8);
    if exceptions > 0 {
        for (index, &delta) in deltas.iter().enumerate() {
            if bits(delta) > width {
                out.push(index as u8);
                out.extend_from_slice(&delta.to_le_bytes());
            }
        }
    }
    if width == 0 {
        return;
    }
    let mask = u64::MAX >> (64 - width);
    let mut packed = [0_u8; BLOCK_LEN];
    let (mut filled, mut word, mut used) = (0, 0_u64, 0);
    for &delta in deltas {
        let delta = delta & mask;
        word |= delta << used;
        used += width;
        if used >= 64 {
            packed[filled..filled + 8].copy_from_slice(&word.to_le_bytes());
            filled += 8;
            used -= 64;
            // What of this delta did not fit; all of it did if nothing is used.
            word = if used == 0 {
                0
            } else {
                delta >> (width - used)
            };
        }
    }
    if used > 0 {
        packed[filled..filled + 8].copy_from_slice(&word.to_le_bytes());
        filled += used.div_ceil(8);
    }
    out.extend_from_slice(&packed[..filled]);
}

/// Reads `count` numbers, which must be all there is.
pub(super) fn unpack(bytes: &[u8], count: usize) -> Result<Vec<i64>, ChunkError> {
    // Two bytes a block are the least, so this bounds what is allocated.
    if count.div_ceil(BLOCK) > bytes.len() / 2 {
        return Err(ChunkError::Corrupt("packed numbers are missing"));
    }
    let mut cursor = Cursor(bytes);
    let mut numbers = vec![0; count];
    let mut previous = 0_i64;
    // The bits of a block, and beyond them room to read 9 bytes at any place.
    let mut packed = [0; BLOCK_LEN + 9];
    for block in numbers.chunks_mut(BLOCK) {
        let width = usize::from(cursor.byte()?);
        let exceptions = usize::from(cursor.byte()?);
        if width > 64 || exceptions > block.len() {
            return Err(ChunkError::Corrupt("packed numbers are garbled"));
        }
        let exceptions = cursor.take(exceptions * EXCEPTION_LEN)?;
        let bits = cursor.take((block.len() * width).div_ceil(8))?;
        packed[..bits.len()].copy_from_slice(bits);
        unpack_bits(&packed, width, block);
        for exception in exceptions.as_chunks::<EXCEPTION_LEN>().0 {
            let [index, delta @ ..] = *exception;
            let slot = block
                .get_mut(usize::from(index))
                .ok_or(ChunkError::Corrupt("packed numbers are garbled"))?;
            *slot = i64::from_le_bytes(delta);
        }
        for slot in block {
            previous = previous.wrapping_add(unzigzag(*slot as u64));
            *slot = previous;
        }
    }
    cursor.end()?;
    Ok(numbers)
}

/// Reads the zigzag deltas of a block.
#[inline]
fn unpack_bits(packed: &[u8; BLOCK_LEN + 9], width: usize, block: &mut [i64]) {
    if width == 0 {
        return; // they are zeros already
    }
    let word = |at: usize| {
        let bytes = packed[at..]
            .first_chunk()
            .expect("there is room after the last number");
        u64::from_le_bytes(*bytes)
    };
    let mask = u64::MAX >> (64 - width);
    if width <= 57 {
        for (index, slot) in block.iter_mut().enumerate() {
            let bit = index * width;
            *slot = (word(bit / 8) >> (bit % 8) & mask) as i64;
        }
    } else {
        for (index, slot) in block.iter_mut().enumerate() {
            let bit = index * width;
            let (byte, shift) = (bit / 8, bit % 8);
            let low = word(byte) >> shift;
            let high = if shift == 0 {
                0
            } else {
                u64::from(packed[byte + 8]) << (64 - shift)
            };
            *slot = ((low | high) & mask) as i64;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(numbers: &[i64]) -> usize {
        let mut out = Vec::new();
        pack(numbers, |number| number, &mut out);
        assert_eq!(unpack(&out, numbers.len()).unwrap(), numbers);
        assert!(unpack(&out, numbers.len() + BLOCK).is_err());
        for cut in 0..out.len().min(300) {
            assert!(unpack(&out[..cut], numbers.len()).is_err());
        }
        out.len()
    }

    proptest! {
        #[test]
        fn any_numbers_read_back(
            numbers in prop::collection::vec(
                (any::<i64>(), 0..64_u32).prop_map(|(number, shift)| number >> shift),
                0..400,
            ),
        ) {
            check(&numbers);
        }

        #[test]
        fn forged_bytes_are_no_danger(bytes in prop::collection::vec(any::<u8>(), 0..200), count in 0..1000_usize) {
            drop(unpack(&bytes, count));
        }
    }

    #[test]
    fn every_width_reads_back() {
        for width in 0..=64_u32 {
            let top = 1_u64.checked_shl(width).unwrap_or(0).wrapping_sub(1);
            let mut sum = 0_i64;
            let numbers: Vec<i64> = (0..300_u64)
                .map(|i| {
                    let delta = top & i.wrapping_mul(0x9e37_79b9_7f4a_7c15) | top & !(top >> 1);
                    sum = sum.wrapping_add(unzigzag(delta));
                    sum
                })
                .collect();
            check(&numbers);
        }
    }

    #[test]
    fn the_ends_of_the_range_wrap() {
        check(&[
            i64::MIN,
            i64::MAX,
            0,
            i64::MIN,
            -1,
            i64::MAX,
            i64::MAX,
            i64::MIN,
        ]);
    }

    #[test]
    fn a_jump_costs_an_exception_and_a_short_block_only_its_bits() {
        let mut numbers: Vec<i64> = (0..128).collect();
        assert_eq!(check(&numbers), 2 + 128 * 2 / 8);
        for number in &mut numbers[64..] {
            *number += 1 << 40;
        }
        assert_eq!(check(&numbers), 2 + 9 + 128 * 2 / 8);
        assert_eq!(check(&[5]), 2 + 1);
    }
}
