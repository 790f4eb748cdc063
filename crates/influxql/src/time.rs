//! Texts of instants: RFC 3339 and the forms without a zone (InfluxQL 8.2).

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, Offset, SecondsFormat, TimeZone};
use chrono_tz::Tz;

const NANOS_PER_SECOND: i128 = 1_000_000_000;

/// An instant as RFC 3339 in UTC, with as many fraction digits as it needs.
pub fn format_rfc3339(nanoseconds: i64) -> String {
    let text =
        DateTime::from_timestamp_nanos(nanoseconds).to_rfc3339_opts(SecondsFormat::Nanos, true);
    match text.strip_suffix('Z').and_then(|text| text.split_once('.')) {
        Some((seconds, fraction)) => match fraction.trim_end_matches('0') {
            "" => format!("{seconds}Z"),
            fraction => format!("{seconds}.{fraction}Z"),
        },
        None => text,
    }
}

/// An instant out of a text. It may lie beyond what 64 bits can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Instant {
    /// Nanoseconds since the epoch.
    pub(crate) nanoseconds: i128,
    /// How far the clocks of its zone are ahead of UTC, in seconds.
    pub(crate) offset: i32,
}

impl Instant {
    pub(crate) const fn utc(nanoseconds: i128) -> Self {
        Self {
            nanoseconds,
            offset: 0,
        }
    }

    /// The instant in its own zone, in whole seconds.
    pub(crate) fn to_rfc3339(self) -> String {
        let seconds = i64::try_from(self.nanoseconds.div_euclid(NANOS_PER_SECOND)).ok();
        let utc = seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
        match (utc, FixedOffset::east_opt(self.offset)) {
            (Some(utc), Some(zone)) => utc
                .with_timezone(&zone)
                .to_rfc3339_opts(SecondsFormat::Secs, true),
            _ => format!("{}ns", self.nanoseconds),
        }
    }
}

/// Whether a text begins like a date: then it has to be an instant.
pub(crate) fn looks_like_time(text: &str) -> bool {
    let shape = |(index, byte): (usize, u8)| match index {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    };
    text.len() >= 10 && text.bytes().take(10).enumerate().all(shape)
}

/// The instant that a text names; `zone` counts where the text names none.
pub(crate) fn parse_time(text: &str, zone: Tz) -> Option<Instant> {
    let mut scanner = Scanner(text);
    let year = i32::try_from(scanner.digits(4, 4)?).ok()?;
    scanner.accept('-')?;
    let month = scanner.digits(2, 2)?;
    scanner.accept('-')?;
    let date = NaiveDate::from_ymd_opt(year, month, scanner.digits(2, 2)?)?;
    if scanner.0.is_empty() {
        return Some(in_zone(date.and_hms_opt(0, 0, 0)?, 0, zone));
    }
    let zoned = scanner.accept(' ').is_none();
    if zoned {
        scanner.accept('T')?;
    }
    let hour = scanner.digits(1, 2)?;
    scanner.accept(':')?;
    let minute = scanner.digits(2, 2)?;
    scanner.accept(':')?;
    let time = date.and_hms_opt(hour, minute, scanner.digits(2, 2)?)?;
    let fraction = scanner.fraction()?;
    let offset = if zoned { Some(scanner.offset()?) } else { None };
    if !scanner.0.is_empty() {
        return None;
    }
    match offset {
        Some(offset) => Some(at_offset(time, fraction, offset)),
        None => Some(in_zone(time, fraction, zone)),
    }
}

/// A local time of a zone. What the clocks skip or show twice is read with one of the two offsets.
fn in_zone(local: NaiveDateTime, fraction: u32, zone: Tz) -> Instant {
    let offset_at = |utc: NaiveDateTime| zone.offset_from_utc_datetime(&utc).fix();
    let guess = offset_at(local);
    let offset = match local.checked_sub_offset(guess) {
        Some(utc) => offset_at(utc),
        None => guess,
    };
    at_offset(local, fraction, offset.local_minus_utc())
}

fn at_offset(local: NaiveDateTime, fraction: u32, offset: i32) -> Instant {
    let seconds = i128::from(local.and_utc().timestamp()) - i128::from(offset);
    Instant {
        nanoseconds: seconds * NANOS_PER_SECOND + i128::from(fraction),
        offset,
    }
}

struct Scanner<'a>(&'a str);

impl Scanner<'_> {
    fn accept(&mut self, letter: char) -> Option<()> {
        self.0 = self.0.strip_prefix(letter)?;
        Some(())
    }

    /// A number of so many digits.
    fn digits(&mut self, least: usize, most: usize) -> Option<u32> {
        let count = self
            .0
            .bytes()
            .take(most)
            .take_while(u8::is_ascii_digit)
            .count();
        if count < least {
            return None;
        }
        let (digits, rest) = self.0.split_at(count);
        self.0 = rest;
        digits.parse().ok()
    }

    /// Nanoseconds of a fraction, zero if there is none. Digits beyond the ninth do not count.
    fn fraction(&mut self) -> Option<u32> {
        let Some(rest) = self.0.strip_prefix(['.', ',']) else {
            return Some(0);
        };
        let count = rest.bytes().take_while(u8::is_ascii_digit).count();
        if count == 0 {
            return None;
        }
        let (digits, rest) = rest.split_at(count);
        self.0 = rest;
        format!("{:0<9}", &digits[..count.min(9)]).parse().ok()
    }

    /// `Z`, or hours and minutes ahead of or behind UTC; in seconds.
    fn offset(&mut self) -> Option<i32> {
        if self.accept('Z').is_some() {
            return Some(0);
        }
        let sign = if self.accept('+').is_some() { 1 } else { -1 };
        if sign < 0 {
            self.accept('-')?;
        }
        let hours = self.digits(2, 2)?;
        self.accept(':')?;
        let minutes = self.digits(2, 2)?;
        if hours > 23 || minutes > 59 {
            return None;
        }
        Some(sign * i32::try_from(hours * 3600 + minutes * 60).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str, zone: Tz) -> Option<i128> {
        parse_time(text, zone).map(|instant| instant.nanoseconds)
    }

    #[test]
    fn instants_are_read_in_all_their_forms() {
        let new_year = 1_577_836_800_000_000_000;
        for (text, after) in [
            ("2020-01-01", 0),
            ("2020-01-01 00:00:20", 20_000_000_000),
            ("2020-01-01 00:00:20.5", 20_500_000_000),
            ("2020-01-01T00:00:20Z", 20_000_000_000),
            ("2020-01-01T02:00:00+02:00", 0),
            ("2020-01-01T00:00:00.123456789Z", 123_456_789),
            ("2020-01-01T00:00:00.1234567899Z", 123_456_789),
            ("2020-01-01 1:00:00", 3_600_000_000_000),
        ] {
            assert_eq!(parsed(text, Tz::UTC), Some(new_year + after), "{text}");
        }
    }

    #[test]
    fn the_zone_counts_where_the_text_has_none() {
        let new_york = Tz::America__New_York;
        assert_eq!(
            parsed("2020-01-01", new_york),
            Some(1_577_854_800_000_000_000)
        );
        assert_eq!(
            parsed("2020-07-01 00:00:00", new_york),
            Some(1_593_576_000_000_000_000)
        );
        assert_eq!(
            parsed("2020-01-01T00:00:00Z", new_york),
            Some(1_577_836_800_000_000_000)
        );
    }

    #[test]
    fn what_only_begins_like_a_date_is_no_instant() {
        for text in [
            "2020-01-01T00:00:00",
            "2020-13-01",
            "2020-02-30",
            "2020-01-01 24:00:00",
            "2020-01-01 00:00:00.",
            "2020-01-01 00:00:00Z",
            "2020-01-01x",
            "2020-01-01T00:00:00+2:00",
        ] {
            assert!(looks_like_time(text), "{text}");
            assert_eq!(parsed(text, Tz::UTC), None, "{text}");
        }
        for text in [
            "",
            "yesterday",
            "2020",
            "2020-1-01",
            "2020/01/01",
            "２０２０-01-01",
        ] {
            assert!(!looks_like_time(text), "{text}");
        }
    }

    #[test]
    fn instants_print_with_the_digits_they_need() {
        assert_eq!(format_rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(
            format_rfc3339(1_577_836_820_500_000_000),
            "2020-01-01T00:00:20.5Z"
        );
        assert_eq!(format_rfc3339(-1), "1969-12-31T23:59:59.999999999Z");
    }
}
