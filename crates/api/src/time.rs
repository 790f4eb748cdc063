//! Instants as text: RFC 3339 with up to nine digits of fraction.

/// Nanoseconds in a second.
const SECOND: i64 = 1_000_000_000;
const DAY_SECONDS: i64 = 86_400;

/// Appends an instant (nanoseconds since 1970) in UTC; trailing zeros of the fraction are left
/// out (auth-and-resources 1.2).
pub(crate) fn push_rfc3339(time: i64, out: &mut Vec<u8>) {
    push_local(time, 0, out);
    out.push(b'Z');
}

/// Appends an instant in a zone that is `offset` seconds east of UTC.
pub(crate) fn push_rfc3339_offset(time: i64, offset: i32, out: &mut Vec<u8>) {
    push_local(time, i64::from(offset), out);
    if offset == 0 {
        out.push(b'Z');
        return;
    }
    out.push(if offset < 0 { b'-' } else { b'+' });
    let minutes = i64::from(offset).abs() / 60;
    push_padded(minutes / 60, 2, out);
    out.push(b':');
    push_padded(minutes % 60, 2, out);
}

fn push_local(time: i64, offset: i64, out: &mut Vec<u8>) {
    let seconds = time.div_euclid(SECOND) + offset;
    let (year, month, day) = civil(seconds.div_euclid(DAY_SECONDS));
    let of_day = seconds.rem_euclid(DAY_SECONDS);
    push_padded(year, 4, out);
    out.push(b'-');
    push_padded(month, 2, out);
    out.push(b'-');
    push_padded(day, 2, out);
    out.push(b'T');
    push_padded(of_day / 3_600, 2, out);
    out.push(b':');
    push_padded(of_day / 60 % 60, 2, out);
    out.push(b':');
    push_padded(of_day % 60, 2, out);
    let fraction = time.rem_euclid(SECOND);
    if fraction != 0 {
        out.push(b'.');
        let start = out.len();
        push_padded(fraction, 9, out);
        let zeros = out[start..]
            .iter()
            .rev()
            .take_while(|b| **b == b'0')
            .count();
        out.truncate(out.len() - zeros);
    }
}

fn push_padded(mut number: i64, digits: usize, out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + digits, b'0');
    for place in out[start..].iter_mut().rev() {
        *place = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// Year, month and day of a number of days since 1970-01-01, in the proleptic Gregorian calendar.
const fn civil(days: i64) -> (i64, i64, i64) {
    // Counted from 0000-03-01, in eras of 400 years, so that leap days come last.
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

/// The number of days from 1970-01-01 to a date.
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let month = (month + 9) % 12;
    let of_year = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The text of an instant in UTC.
pub(crate) fn rfc3339(time: i64) -> String {
    let mut text = Vec::with_capacity(30);
    push_rfc3339(time, &mut text);
    String::from_utf8(text).expect("digits and punctuation")
}

/// The instant that an RFC 3339 text means, nanoseconds since 1970; digits of the fraction beyond
/// the ninth are dropped.
pub(crate) fn parse_rfc3339(text: &str) -> Option<i128> {
    let bytes = text.as_bytes();
    let number = |from: usize, to: usize| -> Option<i64> {
        let digits = bytes.get(from..to)?;
        digits.iter().try_fold(0, |sum, digit| {
            digit
                .is_ascii_digit()
                .then(|| sum * 10 + i64::from(digit - b'0'))
        })
    };
    let literal = |at: usize, expected: u8| (bytes.get(at) == Some(&expected)).then_some(());
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    literal(4, b'-')?;
    literal(7, b'-')?;
    literal(10, b'T')?;
    literal(13, b':')?;
    literal(16, b':')?;
    let mut rest = &bytes[19..];
    let mut fraction = 0;
    if let [b'.' | b',', digits @ ..] = rest {
        let count = digits.iter().take_while(|b| b.is_ascii_digit()).count();
        if count == 0 {
            return None;
        }
        for place in 0..9 {
            fraction = fraction * 10
                + digits[..count]
                    .get(place)
                    .map_or(0, |b| i64::from(b - b'0'));
        }
        rest = &digits[count..];
    }
    let offset = match rest {
        [b'Z'] => 0,
        [sign @ (b'+' | b'-'), zone @ ..] => {
            let at = bytes.len() - zone.len();
            let (hours, minutes) = (number(at, at + 2)?, number(at + 3, at + 5)?);
            literal(at + 2, b':')?;
            if zone.len() != 5 || hours > 24 || minutes > 59 {
                return None;
            }
            (hours * 3_600 + minutes * 60) * if *sign == b'-' { -1 } else { 1 }
        }
        _ => return None,
    };
    let date = days(year, month, day);
    let exists = (1..=12).contains(&month) && day >= 1 && civil(date) == (year, month, day);
    if !exists || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = date * DAY_SECONDS + hour * 3_600 + minute * 60 + second - offset;
    Some(i128::from(seconds) * i128::from(SECOND) + i128::from(fraction))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_print_without_superfluous_zeros() {
        for (time, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (1, "1970-01-01T00:00:00.000000001Z"),
            (-1, "1969-12-31T23:59:59.999999999Z"),
            (1_500_000_000, "1970-01-01T00:00:01.5Z"),
            (1_582_934_400_000_000_000, "2020-02-29T00:00:00Z"),
            (i64::MIN + 2, "1677-09-21T00:12:43.145224194Z"),
            (i64::MAX - 1, "2262-04-11T23:47:16.854775806Z"),
        ] {
            assert_eq!(rfc3339(time), expected);
            assert_eq!(parse_rfc3339(expected), Some(i128::from(time)));
        }
    }

    #[test]
    fn zones_shift_the_clock() {
        let mut text = Vec::new();
        push_rfc3339_offset(1_577_836_800_000_000_000, -5 * 3_600, &mut text);
        text.push(b' ');
        push_rfc3339_offset(1_577_836_800_500_000_000, 5 * 3_600 + 1_800, &mut text);
        assert_eq!(
            String::from_utf8(text).unwrap(),
            "2019-12-31T19:00:00-05:00 2020-01-01T05:30:00.5+05:30"
        );
        assert_eq!(
            parse_rfc3339("2020-01-01T00:00:00.5+02:00"),
            Some(1_577_829_600_500_000_000)
        );
    }

    #[test]
    fn what_is_no_instant_is_refused() {
        for bad in [
            "",
            "x",
            "2020-01-01",
            "2020-01-01T00:00:00",
            "2020-13-01T00:00:00Z",
            "2020-02-30T00:00:00Z",
            "2020-01-01t00:00:00Z",
            "2020-01-01T24:00:00Z",
            "2020-01-01T00:00:00.Z",
            "2020-01-01T00:00:00+2:00",
            "2020-01-01T00:00:00ZZ",
            "2020-01-01 00:00:00Z",
            "2020-01-01T00:00:00+02:00x",
            "ü020-01-01T00:00:00Z",
        ] {
            assert_eq!(parse_rfc3339(bad), None, "{bad}");
        }
    }
}
