//! Durations as InfluxDB's flags write them: `10s`, `1h30m`, `2.5ms`.

const NANOSECOND: i128 = 1;
const MICROSECOND: i128 = 1_000 * NANOSECOND;
const MILLISECOND: i128 = 1_000 * MICROSECOND;
const SECOND: i128 = 1_000 * MILLISECOND;
const MINUTE: i128 = 60 * SECOND;
const HOUR: i128 = 60 * MINUTE;

/// Nanoseconds of a duration text; the error says what is wrong in the words of 2.x.
pub(crate) fn parse(text: &str) -> Result<i64, String> {
    let invalid = || format!("time: invalid duration {text:?}");
    let (negative, mut rest) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total: i128 = 0;
    while !rest.is_empty() {
        let number = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let (digits, behind) = rest.split_at(number);
        let unit_end = behind
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(unit_end);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
            return Err(invalid());
        }
        let factor = match unit {
            "ns" => NANOSECOND,
            "us" | "µs" | "μs" => MICROSECOND,
            "ms" => MILLISECOND,
            "s" => SECOND,
            "m" => MINUTE,
            "h" => HOUR,
            "" => return Err(format!("time: missing unit in duration {text:?}")),
            _ => return Err(format!("time: unknown unit {unit:?} in duration {text:?}")),
        };
        total += decimal(whole, fraction, factor).ok_or_else(invalid)?;
        if total > i128::from(i64::MAX) {
            return Err(invalid());
        }
        rest = behind;
    }
    let total = if negative { -total } else { total };
    i64::try_from(total).map_err(|_| invalid())
}

/// `whole.fraction` times `factor`, cut down to a whole number.
fn decimal(whole: &str, fraction: &str, factor: i128) -> Option<i128> {
    let whole: i128 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    let mut sum = whole.checked_mul(factor)?;
    let mut share = factor;
    for digit in fraction.bytes() {
        // Below a nanosecond nothing is left to add.
        if share == 0 {
            break;
        }
        // Units are products of 10, 6 and 36, so a tenth of a share can have a remainder;
        // it is below a nanosecond of the result and is cut off like the rest.
        sum += share * i128::from(digit - b'0') / 10;
        share /= 10;
    }
    Some(sum)
}

/// The text that [`parse`] reads back, as 2.x prints durations: `3m0s`, `1.5ms`, `0s`.
pub(crate) fn format(nanoseconds: i64) -> String {
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let total = i128::from(nanoseconds).abs();
    if total == 0 {
        return "0s".to_owned();
    }
    if total < SECOND {
        let (factor, unit) = if total < MICROSECOND {
            (NANOSECOND, "ns")
        } else if total < MILLISECOND {
            (MICROSECOND, "µs")
        } else {
            (MILLISECOND, "ms")
        };
        return format!("{sign}{}{unit}", with_fraction(total, factor));
    }
    let (hours, minutes, seconds) = (total / HOUR, total % HOUR / MINUTE, total % MINUTE);
    let seconds = with_fraction(seconds, SECOND);
    match (hours, minutes) {
        (0, 0) => format!("{sign}{seconds}s"),
        (0, _) => format!("{sign}{minutes}m{seconds}s"),
        _ => format!("{sign}{hours}h{minutes}m{seconds}s"),
    }
}

/// `total / factor` as a decimal without trailing zeros; `factor` is a power of ten.
fn with_fraction(total: i128, factor: i128) -> String {
    let digits = factor.ilog10() as usize;
    let text = format!("{}.{:0digits$}", total / factor, total % factor);
    if factor == 1 {
        return (total / factor).to_string();
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn reads(text: &str, nanoseconds: i64, shown: &str) {
        assert_eq!(parse(text), Ok(nanoseconds));
        assert_eq!(format(nanoseconds), shown);
        assert_eq!(parse(shown), Ok(nanoseconds));
    }

    #[test]
    fn durations_read_and_print_as_in_2x() {
        reads("0", 0, "0s");
        reads("10s", 10_000_000_000, "10s");
        reads("3m0s", 180_000_000_000, "3m0s");
        reads("1h30m", 5_400_000_000_000, "1h30m0s");
        reads("1.5h", 5_400_000_000_000, "1h30m0s");
        reads("100ms", 100_000_000, "100ms");
        reads("2.5ms", 2_500_000, "2.5ms");
        reads("1µs", 1_000, "1µs");
        reads("7ns", 7, "7ns");
        reads("-2s", -2_000_000_000, "-2s");
        reads(".5s", 500_000_000, "500ms");
    }

    #[test]
    fn what_is_no_duration_is_refused_with_the_reason() {
        assert_eq!(parse("abc").unwrap_err(), "time: invalid duration \"abc\"");
        assert_eq!(
            parse("10").unwrap_err(),
            "time: missing unit in duration \"10\""
        );
        for wrong in ["", "-", "1.2.3s", "1y", "9999999999h", ".s"] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
