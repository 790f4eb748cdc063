//! Texts of durations (InfluxQL 1.3).

/// Why a text is no duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DurationError {
    #[error("invalid duration")]
    Invalid,
    #[error("overflowed duration {0}: choose a smaller duration or INF")]
    Overflow(String),
}

/// Nanoseconds out of a text such as `1h30m`, perhaps with a minus sign before it.
pub(crate) fn parse_duration(text: &str) -> Result<i64, DurationError> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    if rest.is_empty() {
        return Err(DurationError::Invalid);
    }
    let mut total = 0i64;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: i64 = rest[..digits].parse().map_err(|_| DurationError::Invalid)?;
        let (unit, size) = unit(&rest[digits..]).ok_or(DurationError::Invalid)?;
        let part = digits + unit.len();
        total = number
            .checked_mul(size)
            .and_then(|nanoseconds| total.checked_add(nanoseconds))
            .ok_or_else(|| DurationError::Overflow(rest[..part].to_owned()))?;
        rest = &rest[part..];
    }
    Ok(if negative { -total } else { total })
}

/// The unit at the start of the text, and its size in nanoseconds.
fn unit(text: &str) -> Option<(&'static str, i64)> {
    const UNITS: [(&str, i64); 9] = [
        ("ns", 1),
        ("u", 1_000),
        ("µ", 1_000),
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
        ("d", 86_400_000_000_000),
        ("w", 604_800_000_000_000),
    ];
    UNITS.into_iter().find(|(unit, _)| text.starts_with(unit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ast::format_duration;

    #[test]
    fn parts_add_up() {
        assert_eq!(parse_duration("1h30m"), Ok(5_400_000_000_000));
        assert_eq!(
            parse_duration("1w2d3h4m5s6ms7u8ns"),
            Ok(788_645_006_007_008)
        );
        assert_eq!(parse_duration("5µ"), Ok(5_000));
        assert_eq!(parse_duration("-10s"), Ok(-10_000_000_000));
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in [
            "",
            "1",
            "s",
            "10x",
            "1e5",
            "5us",
            "5µs",
            "1n",
            "1h30",
            "99999999999999999999s",
        ] {
            assert_eq!(parse_duration(text), Err(DurationError::Invalid), "{text}");
        }
        assert_eq!(
            parse_duration("9999999w").unwrap_err().to_string(),
            "overflowed duration 9999999w: choose a smaller duration or INF"
        );
    }

    #[test]
    fn durations_print_in_their_largest_whole_unit() {
        for text in ["0s", "1ns", "1500u", "15ms", "90m", "1h", "1d", "2w", "-1s"] {
            assert_eq!(format_duration(parse_duration(text).unwrap()), text);
        }
    }
}
