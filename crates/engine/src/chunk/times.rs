//! Times as small numbers: the distance from the earliest, in steps of their common divisor.

use super::ChunkError;
use super::bytes::{Cursor, put_varint, put_zigzag};

/// Where the steps begin and how long one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TimeBase {
    origin: i64,
    step: ExactDivisor,
}

impl TimeBase {
    /// The base of some times, which may be any and in any order.
    pub(super) fn of(times: impl Iterator<Item = i64> + Clone) -> Self {
        let origin = times.clone().min().unwrap_or(0);
        let mut step: Option<ExactDivisor> = None;
        for time in times {
            // Exact even from one end of the range to the other, as it is not negative.
            let distance = time.wrapping_sub(origin) as u64;
            match step {
                _ if distance == 0 => {}
                None => step = Some(ExactDivisor::new(distance)),
                Some(divisor) if divisor.divides(distance) => {}
                Some(divisor) => step = Some(ExactDivisor::new(gcd(divisor.value, distance))),
            }
        }
        Self {
            origin,
            step: step.unwrap_or(ExactDivisor::new(1)),
        }
    }

    /// How many steps a time is from the origin.
    #[inline]
    pub(super) fn steps(self, time: i64) -> u64 {
        self.step.divide(time.wrapping_sub(self.origin) as u64)
    }

    /// The inverse of [`Self::steps`]; wraps around.
    #[inline]
    pub(super) const fn time(self, steps: u64) -> i64 {
        self.origin
            .wrapping_add(steps.wrapping_mul(self.step.value) as i64)
    }

    pub(super) fn write_to(self, out: &mut Vec<u8>) {
        put_zigzag(out, self.origin);
        put_varint(out, self.step.value);
    }

    pub(super) fn read_from(cursor: &mut Cursor<'_>) -> Result<Self, ChunkError> {
        let origin = cursor.zigzag()?;
        match cursor.varint()? {
            0 => Err(ChunkError::Corrupt("its times have no step")),
            step => Ok(Self {
                origin,
                step: ExactDivisor::new(step),
            }),
        }
    }
}

/// Divides multiples of a number by multiplying: a division for every time written is too slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ExactDivisor {
    value: u64,
    /// `value` is an odd number shifted by this.
    shift: u32,
    /// The inverse of that odd number modulo 2^64.
    inverse: u64,
    /// The greatest quotient by that odd number.
    limit: u64,
}

impl ExactDivisor {
    /// `value` is not 0.
    const fn new(value: u64) -> Self {
        let shift = value.trailing_zeros();
        let odd = value >> shift;
        // Newton's method: right in the lowest 3 bits, then in twice as many every time.
        let mut inverse = odd;
        let mut round = 0;
        while round < 5 {
            inverse = inverse.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(inverse)));
            round += 1;
        }
        Self {
            value,
            shift,
            inverse,
            limit: u64::MAX / odd,
        }
    }

    /// The quotient of a multiple.
    #[inline]
    const fn divide(self, number: u64) -> u64 {
        (number >> self.shift).wrapping_mul(self.inverse)
    }

    /// Whether a number is a multiple: only a multiple's product with the inverse is that small.
    #[inline]
    const fn divides(self, number: u64) -> bool {
        number.trailing_zeros() >= self.shift && self.divide(number) <= self.limit
    }
}

const fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn exact_division_agrees_with_division(
            value in (any::<u64>(), 0..64_u32).prop_map(|(value, shift)| (value >> shift).max(1)),
            number in (any::<u64>(), 0..64_u32).prop_map(|(number, shift)| number >> shift),
        ) {
            let divisor = ExactDivisor::new(value);
            prop_assert_eq!(divisor.divides(number), number % value == 0);
            let multiple = number - number % value;
            prop_assert_eq!(divisor.divide(multiple), multiple / value);
        }

        #[test]
        fn any_times_come_back(times in prop::collection::vec(any::<i64>(), 0..20), step in 1..1_000_i64) {
            let multiples: Vec<i64> = times.iter().map(|time| time / 1000 * step).collect();
            for times in [times, multiples] {
                let base = TimeBase::of(times.iter().copied());
                for time in times {
                    prop_assert_eq!(base.time(base.steps(time)), time);
                }
            }
        }
    }

    #[test]
    fn the_step_is_the_greatest_common_divisor() {
        let step = |times: &[i64]| TimeBase::of(times.iter().copied()).step.value;
        assert_eq!(step(&[]), 1);
        assert_eq!(step(&[5, 5]), 1);
        assert_eq!(step(&[-30, 70, 20]), 50);
        assert_eq!(step(&[i64::MIN, i64::MAX]), u64::MAX);
        assert_eq!(step(&[i64::MIN, i64::MAX, 0]), 1);
    }
}
