//! Runs of decimal digits, eight at a time.

/// This many digits always fit into 64 bits.
pub(crate) const MAX_DIGITS: usize = 19;

/// The powers of ten up to that of a full word of digits.
const POWERS_OF_TEN: [u64; 9] = [
    1,
    10,
    100,
    1_000,
    10_000,
    100_000,
    1_000_000,
    10_000_000,
    100_000_000,
];

/// Most numbers are short: so many digits are looked at one by one, then eight at a time.
const SINGLE_DIGITS: usize = 3;

/// Appends the digits that start at `at` to `number`; returns it and where they end.
///
/// The number is right if it has [`MAX_DIGITS`] at most, and anything if it has more.
#[inline]
pub(crate) fn scan(rest: &[u8], mut at: usize, mut number: u64) -> (u64, usize) {
    for _ in 0..SINGLE_DIGITS {
        let Some(digit) = digit(rest, at) else {
            return (number, at);
        };
        number = number.wrapping_mul(10).wrapping_add(digit);
        at += 1;
    }
    scan_long(rest, at, number)
}

/// Does what [`scan`] does, sooner if the digits are many.
#[inline]
pub(crate) fn scan_long(rest: &[u8], mut at: usize, mut number: u64) -> (u64, usize) {
    while let Some(word) = rest.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        // The value of each digit, in its byte; the highest bit of what is none.
        let values = u64::from_le_bytes(*word) ^ 0x3030_3030_3030_3030;
        let others = ((values & 0x7f7f_7f7f_7f7f_7f7f) + 0x7676_7676_7676_7676) | values;
        let bits = (others & 0x8080_8080_8080_8080).trailing_zeros() & !7;
        let digits = (bits / 8) as usize;
        // The first digit comes lowest in the word: with zeros in front all words are full.
        let full = values.unbounded_shl(64 - bits);
        number = number
            .wrapping_mul(POWERS_OF_TEN[digits])
            .wrapping_add(eight_digits(full));
        at += digits;
        if digits < 8 {
            return (number, at);
        }
    }
    while let Some(digit) = digit(rest, at) {
        number = number.wrapping_mul(10).wrapping_add(digit);
        at += 1;
    }
    (number, at)
}

#[inline]
fn digit(rest: &[u8], at: usize) -> Option<u64> {
    let digit = rest.get(at)? ^ b'0';
    (digit < 10).then_some(u64::from(digit))
}

/// The number of eight digits, the first in the lowest byte: pairs, then fours, then all, each step
/// on all lanes of one integer.
#[inline]
fn eight_digits(ones: u64) -> u64 {
    let pairs = (ones.wrapping_mul((10 << 8) | 1) >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul((100 << 16) | 1) >> 16) & 0x0000_ffff_0000_ffff;
    fours.wrapping_mul((10_000 << 32) | 1) >> 32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_run_ends_where_its_digits_end(
            front in "[^0-9]{0,9}", digits in "[0-9]{0,19}", end in "([^0-9].{0,12})?",
        ) {
            let text = format!("{front}{digits}{end}");
            let expected = (digits.parse().unwrap_or(0), front.len() + digits.len());
            prop_assert_eq!(scan(text.as_bytes(), front.len(), 0), expected);
        }

        #[test]
        fn bytes_of_all_values_are_told_apart(bytes in any::<[u8; 12]>()) {
            let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
            prop_assert_eq!(scan(&bytes, 0, 0).1, digits);
        }

        #[test]
        fn a_run_continues_the_number_before_it(left in 0..10_000_000_u64, right in "[0-9]{0,12}") {
            let expected: u64 = format!("{left}{right}").parse().unwrap();
            prop_assert_eq!(scan(format!("{right},12345678").as_bytes(), 0, left).0, expected);
        }
    }

    #[test]
    fn neighbours_of_the_digits_are_none() {
        for other in (0..=255_u8).filter(|byte| !byte.is_ascii_digit()) {
            assert_eq!(
                scan(&[b'1', other, b'2', 0, 0, 0, 0, 0], 0, 0),
                (1, 1),
                "{other}"
            );
        }
    }
}
