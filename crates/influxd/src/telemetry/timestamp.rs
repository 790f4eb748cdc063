//! Instants as text, UTC.

const SECOND: i64 = 1_000_000_000;
const DAY_S: i64 = 86_400;

/// `2026-05-11T13:30:49.123456Z`: always six digits, so that lines stay aligned.
pub(crate) fn micros(nanoseconds: i64) -> String {
    let micros = nanoseconds.rem_euclid(SECOND) / 1_000;
    format!("{}.{micros:06}Z", date_and_time(nanoseconds))
}

/// `2026-05-11T13:30:49Z`.
pub(crate) fn seconds(nanoseconds: i64) -> String {
    format!("{}Z", date_and_time(nanoseconds))
}

fn date_and_time(nanoseconds: i64) -> String {
    let seconds = nanoseconds.div_euclid(SECOND);
    let (year, month, day) = civil(seconds.div_euclid(DAY_S));
    let second = seconds.rem_euclid(DAY_S);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
}

/// Year, month and day of a day counted from 1970-01-01, in the Gregorian calendar.
fn civil(day: i64) -> (i64, i64, i64) {
    // Counted from 0000-03-01, years end with their leap day.
    let day = day + 719_468;
    let era = day.div_euclid(146_097);
    let of_era = day.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * of_year + 2) / 153;
    let day_of_month = of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day_of_month)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_read_as_utc() {
        assert_eq!(micros(0), "1970-01-01T00:00:00.000000Z");
        assert_eq!(
            micros(1_583_020_799_123_456_789),
            "2020-02-29T23:59:59.123456Z"
        );
        assert_eq!(seconds(1_583_020_800_000_000_000), "2020-03-01T00:00:00Z");
        assert_eq!(seconds(951_782_400_000_000_000), "2000-02-29T00:00:00Z");
        assert_eq!(micros(-1), "1969-12-31T23:59:59.999999Z");
    }
}
