//! Floats as integers and one decimal exponent, where that is exact.
//!
//! Most floats were written with a few decimals. A column is decimal with exponent `e` if every
//! value has the very bits of `i / 10^e` for an integer `i` below 9·10^15. So -0.0, NaN, infinities
//! and long fractions never are, and the bits of those that are come back.

/// The greatest exponent.
pub(super) const MAX_EXPONENT: u8 = 15;

const POWERS: [f64; MAX_EXPONENT as usize + 1] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
];

/// Integers at most this large are exact as floats, and so are their quotients' roundings.
const LIMIT: f64 = 9e15;

/// Added to a float between -2^51 and 2^51 it leaves the nearest integer in the lowest bits.
const ROUNDER: f64 = 1.5 * (1_u64 << 52) as f64;
const ROUNDER_BITS: u64 = ROUNDER.to_bits();
const ROUNDER_LIMIT: f64 = (1_u64 << 51) as f64;

/// How many values are looked at before all of them are.
const SAMPLE: usize = 16;

const BLOCK: usize = 128;

/// Fills `integers` and returns the exponent, the least possible; `None` if the values are not
/// decimal.
pub(super) fn encode(values: &[f64], integers: &mut Vec<i64>) -> Option<u8> {
    let mut exponent = 0;
    for &value in values.iter().step_by((values.len() / SAMPLE).max(1)) {
        exponent = least_exponent(value, exponent)?;
    }
    while let Err(value) = convert(values, exponent, integers) {
        exponent = least_exponent(value, exponent + 1)?;
    }
    Some(exponent)
}

/// The values of decimal integers.
pub(super) fn decode(integers: &[i64], exponent: u8) -> impl ExactSizeIterator<Item = f64> + '_ {
    let power = POWERS[usize::from(exponent)];
    integers.iter().map(move |&integer| integer as f64 / power)
}

/// One value of a decimal integer.
pub(super) fn decode_one(integer: i64, exponent: u8) -> f64 {
    integer as f64 / POWERS[usize::from(exponent)]
}

/// The integer of a value, if it is exact.
fn exact(value: f64, exponent: u8) -> Option<i64> {
    let power = POWERS[usize::from(exponent)];
    let scaled = (value * power).round_ties_even();
    let integer = scaled as i64;
    let same = (integer as f64 / power).to_bits() == value.to_bits();
    (scaled.abs() < LIMIT && same).then_some(integer)
}

/// The least exponent, from `exponent` on, at which the value is exact.
#[cold]
fn least_exponent(value: f64, exponent: u8) -> Option<u8> {
    (exponent..=MAX_EXPONENT).find(|&exponent| exact(value, exponent).is_some())
}

/// Converts all values, or returns the first that is not exact.
fn convert(values: &[f64], exponent: u8, integers: &mut Vec<i64>) -> Result<(), f64> {
    let power = POWERS[usize::from(exponent)];
    integers.clear();
    integers.reserve(values.len());
    for block in values.chunks(BLOCK) {
        let start = integers.len();
        // No branch and no conversion instruction, so that it is vectorised: this runs on every
        // float written.
        let (mut difference, mut small) = (0_u64, true);
        integers.extend(block.iter().map(|&value| {
            let shifted = value * power + ROUNDER;
            let rounded = shifted - ROUNDER;
            difference |= (rounded / power).to_bits() ^ value.to_bits();
            small &= rounded.abs() < ROUNDER_LIMIT; // so NaN is not
            shifted.to_bits().wrapping_sub(ROUNDER_BITS) as i64
        }));
        if difference != 0 || !small {
            for (integer, &value) in integers[start..].iter_mut().zip(block) {
                *integer = exact(value, exponent).ok_or(value)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(values: &[f64]) -> Option<u8> {
        let mut integers = Vec::new();
        let exponent = encode(values, &mut integers)?;
        let bits = |value: f64| value.to_bits();
        assert!(
            decode(&integers, exponent)
                .map(bits)
                .eq(values.iter().copied().map(bits))
        );
        assert!(decode(&integers, exponent).eq(integers.iter().map(|&i| decode_one(i, exponent))));
        Some(exponent)
    }

    proptest! {
        #[test]
        fn decimals_are_exact(
            integers in prop::collection::vec(-9_000_000_000_000_i64..9_000_000_000_000, 1..300),
            exponent in 0..=15_usize,
        ) {
            let values: Vec<f64> = integers.iter().map(|&i| i as f64 / POWERS[exponent]).collect();
            prop_assert!(values.iter().any(|value| value.to_bits() == (-0.0_f64).to_bits())
                || usize::from(check(&values).unwrap()) <= exponent);
        }

        #[test]
        fn any_bits_come_back_or_are_refused(bits in prop::collection::vec(any::<u64>(), 0..50)) {
            check(&bits.iter().map(|&bits| f64::from_bits(bits)).collect::<Vec<_>>());
        }
    }

    #[test]
    fn what_is_not_decimal_is_refused() {
        let nan_with_payload = f64::from_bits(0x7ff8_dead_beef_0001);
        for value in [
            -0.0,
            f64::NAN,
            nan_with_payload,
            -nan_with_payload,
            f64::from_bits(0x7ff0_0000_0000_0001),
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::MIN_POSITIVE,
            f64::from_bits(1),
            f64::MAX,
            1e16,
            std::f64::consts::PI / 1e10,
        ] {
            assert_eq!(check(&[value]), None, "{value}");
            // Also where the sample does not see it.
            let mut many = vec![1.5; 1000];
            many[777] = value;
            assert_eq!(check(&many), None, "{value}");
        }
    }

    #[test]
    fn the_least_exponent_is_found_wherever_it_hides() {
        let mut values = vec![3.0; 5000];
        assert_eq!(check(&values), Some(0));
        values[4001] = 0.25;
        values[4003] = -0.001;
        assert_eq!(check(&values), Some(3));
        assert_eq!(check(&[]), Some(0));
        assert_eq!(
            check(&[8_999_999_999_999_999.0, -8_999_999_999_999_999.0, 4.0]),
            Some(0)
        );
        // Above 2^51, where the fast way ends.
        assert_eq!(check(&[(1_i64 << 49) as f64 + 0.5]), Some(1));
        assert_eq!(check(&[89_999_999_999_999.98, 1.25]), Some(2));
        // Each alone would be decimal.
        assert_eq!(check(&[0.001, 89_999_999_999_999.98]), None);
    }
}
