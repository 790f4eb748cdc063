//! Texts of instants: RFC 3339 and the two forms without a zone.

use chrono::{DateTime, SecondsFormat};

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
