//! Times of points (data-endpoints 10.5).

use crate::digits::{self, MAX_DIGITS};
use crate::error::LineError;

/// The earliest time that a point can have, in nanoseconds since 1970.
pub const MIN_TIME: i64 = i64::MIN + 2;
/// The latest time that a point can have, in nanoseconds since 1970.
pub const MAX_TIME: i64 = i64::MAX - 1;

/// The unit of the times in a body.
///
/// What a request's `precision` means, and to what a missing time is truncated, is the API's
/// to say (data-endpoints 4.1, 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Precision {
    /// As stored.
    #[default]
    Nanosecond,
    /// 1,000 nanoseconds.
    Microsecond,
    /// A million nanoseconds.
    Millisecond,
    /// A thousand million nanoseconds.
    Second,
}

impl Precision {
    /// How many nanoseconds the unit has.
    pub const fn nanoseconds(self) -> i64 {
        match self {
            Self::Nanosecond => 1,
            Self::Microsecond => 1_000,
            Self::Millisecond => 1_000_000,
            Self::Second => 1_000_000_000,
        }
    }
}

/// The time that starts here, in nanoseconds, and its length: an optional `-` and digits.
///
/// What follows is not looked at; without any digit the time is wrong for whatever follows.
#[inline]
pub(crate) fn scan(rest: &[u8], precision: Precision) -> Result<(i64, usize), LineError> {
    let negative = rest.first() == Some(&b'-');
    let start = usize::from(negative);
    let (number, end) = digits::scan_long(rest, start, 0);
    match rest.get(end) {
        None | Some(b' ' | b'\n') => {}
        Some(_) => return Err(LineError::BadTimestamp),
    }
    let number = match (number.cast_signed(), end - start) {
        (_, 0) => return Err(LineError::TimestampWithoutDigits),
        // The highest bit is set where 64 bits hold the number and 63 do not.
        (number @ 0.., ..=MAX_DIGITS) if negative => -number,
        (number @ 0.., ..=MAX_DIGITS) => number,
        _ => parse_long(&rest[..end])?,
    };
    let time = number
        .checked_mul(precision.nanoseconds())
        .filter(|time| (MIN_TIME..=MAX_TIME).contains(time))
        .ok_or(LineError::TimeOutsideRange)?;
    Ok((time, end))
}

/// Any number of digits.
#[cold]
fn parse_long(text: &[u8]) -> Result<i64, LineError> {
    let text = String::from_utf8_lossy(text);
    text.parse()
        .map_err(|_| LineError::TimestampOutOfRange(text.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, precision: Precision, expected: Result<i64, &str>) {
        let expected = expected
            .map(|time| (time, text.len()))
            .map_err(str::to_owned);
        for end in ["", " ", "\n", "\n12345678"] {
            let rest = format!("{text}{end}");
            let scanned = scan(rest.as_bytes(), precision).map_err(|error| error.to_string());
            assert_eq!(scanned, expected, "{rest:?} {precision:?}");
        }
    }

    const OUTSIDE: &str = "time outside range -9223372036854775806 - 9223372036854775806";

    #[test]
    fn the_range_is_two_short_of_64_bits_at_the_bottom_and_one_at_the_top() {
        use Precision::Nanosecond as Ns;
        check("9223372036854775806", Ns, Ok(9_223_372_036_854_775_806));
        check("-9223372036854775806", Ns, Ok(-9_223_372_036_854_775_806));
        check("9223372036854775807", Ns, Err(OUTSIDE));
        check("-9223372036854775807", Ns, Err(OUTSIDE));
        check("-9223372036854775808", Ns, Err(OUTSIDE));
        check(
            "9223372036854775808",
            Ns,
            Err("strconv.ParseInt: parsing \"9223372036854775808\": value out of range"),
        );
        check(
            "-9223372036854775809",
            Ns,
            Err("strconv.ParseInt: parsing \"-9223372036854775809\": value out of range"),
        );
        check(
            "-",
            Ns,
            Err("strconv.ParseInt: parsing \"-\": invalid syntax"),
        );
    }

    #[test]
    fn leading_zeros_do_not_count() {
        use Precision::Nanosecond as Ns;
        check("00012", Ns, Ok(12));
        check("-0", Ns, Ok(0));
        check("-00000000000000000000000000000000012", Ns, Ok(-12));
        check("00000000000000000000000000000000000", Ns, Ok(0));
    }

    #[test]
    fn the_unit_scales_and_the_result_must_fit() {
        check(
            "1577836800",
            Precision::Second,
            Ok(1_577_836_800_000_000_000),
        );
        check(
            "1577836800123",
            Precision::Millisecond,
            Ok(1_577_836_800_123_000_000),
        );
        check(
            "1577836800123456",
            Precision::Microsecond,
            Ok(1_577_836_800_123_456_000),
        );
        check(
            "9223372036",
            Precision::Second,
            Ok(9_223_372_036_000_000_000),
        );
        check(
            "-9223372036",
            Precision::Second,
            Ok(-9_223_372_036_000_000_000),
        );
        check("9223372037", Precision::Second, Err(OUTSIDE));
        check("-9223372037", Precision::Second, Err(OUTSIDE));
        check(
            "9223372036854",
            Precision::Millisecond,
            Ok(9_223_372_036_854_000_000),
        );
        check("9223372036854776", Precision::Microsecond, Err(OUTSIDE));
        check("9223372036854775807", Precision::Second, Err(OUTSIDE));
    }

    #[test]
    fn every_length_takes_the_same_way_to_its_number() {
        for length in 1..=19 {
            let text = &"1234567890123456789"[..length];
            check(text, Precision::Nanosecond, Ok(text.parse().unwrap()));
            check(
                &format!("-{text}"),
                Precision::Nanosecond,
                Ok(-text.parse::<i64>().unwrap()),
            );
            let nines = "9".repeat(length);
            if length < 19 {
                check(&nines, Precision::Nanosecond, Ok(nines.parse().unwrap()));
            }
        }
    }
}
