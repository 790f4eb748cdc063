//! Points that are refused while the rest of their body is stored (data-endpoints 4.4).

use std::fmt;

use influxd_line_protocol::{Lossy, SeriesKey};
use influxd_model::{BucketId, FieldType};

/// A string longer than this is refused, in bytes.
pub(super) const MAX_STRING: usize = 1 << 20;

/// Why some points of a body were refused. Prints as what follows `failure writing points to
/// database: `.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("partial write: {reason} dropped={dropped}{suffix}")]
pub struct PartialWrite {
    /// The first reason.
    pub reason: String,
    /// How many points were not stored.
    pub dropped: usize,
    suffix: String,
}

/// Gathers the refusals of one body.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    /// Why the first point that was refused for its fields was.
    first: Option<String>,
    /// What is said if nothing but fields called `time` was taken out.
    stripped: Option<String>,
    dropped: usize,
    expired: Option<Expired>,
}

#[derive(Debug)]
struct Expired {
    count: usize,
    oldest: (i64, Vec<u8>),
    newest: (i64, Vec<u8>),
}

impl Refusals {
    /// A field has another type in its window.
    pub(super) fn conflict(
        &mut self,
        measurement: &[u8],
        field: &[u8],
        new: FieldType,
        old: FieldType,
    ) {
        self.dropped += 1;
        self.first.get_or_insert_with(|| {
            let (field, measurement) = (quoted(field), quoted(measurement));
            format!(
                "field type conflict: input field {field} on measurement {measurement} is type \
                 {new}, already exists as type {old}"
            )
        });
    }

    /// A string is too long.
    pub(super) fn too_long(&mut self, measurement: &[u8], field: &[u8], length: usize) {
        self.dropped += 1;
        self.first.get_or_insert_with(|| {
            let (field, measurement) = (quoted(field), quoted(measurement));
            format!(
                "input field {field} on measurement {measurement} is too long, {length} > {MAX_STRING}"
            )
        });
    }

    /// The point's only field is called `time`.
    pub(super) fn only_time(&mut self, measurement: &[u8]) {
        self.dropped += 1;
        self.first.get_or_insert_with(|| {
            let measurement = quoted(measurement);
            format!(
                "invalid field name: input field \"time\" on measurement {measurement} is invalid"
            )
        });
    }

    /// A field called `time` was left out; the point is stored.
    pub(super) fn stripped_time(&mut self, measurement: &[u8]) {
        self.stripped.get_or_insert_with(|| {
            let measurement = quoted(measurement);
            format!(
                "invalid field name: input field \"time\" on measurement {measurement} is invalid. \
                 Field \"time\" has been stripped from point."
            )
        });
    }

    /// The point is older than the bucket keeps points. `key` is asked for only if it is needed.
    pub(super) fn expired(&mut self, time: i64, key: impl Fn() -> Vec<u8>) {
        self.dropped += 1;
        match &mut self.expired {
            None => {
                let key = key();
                self.expired = Some(Expired {
                    count: 1,
                    oldest: (time, key.clone()),
                    newest: (time, key),
                });
            }
            Some(expired) => {
                expired.count += 1;
                if time < expired.oldest.0 {
                    expired.oldest = (time, key());
                }
                if time > expired.newest.0 {
                    expired.newest = (time, key());
                }
            }
        }
    }

    /// The error to answer with, if anything was refused.
    pub(super) fn finish(
        self,
        bucket: BucketId,
        retention: Option<i64>,
        now: i64,
    ) -> Option<PartialWrite> {
        let (reason, suffixed) = match (self.first, self.stripped, self.expired) {
            (Some(first), _, _) => (first, false),
            (None, Some(stripped), _) => (stripped, true),
            (None, None, Some(expired)) => (expired.text(retention.unwrap_or(0), now), true),
            (None, None, None) => return None,
        };
        let suffix = if suffixed {
            format!(" for database: {bucket} for retention policy: autogen")
        } else {
            String::new()
        };
        Some(PartialWrite {
            reason,
            dropped: self.dropped,
            suffix,
        })
    }
}

impl Expired {
    fn text(&self, retention: i64, now: i64) -> String {
        let bound = Instant(now.saturating_sub(retention));
        let violates = "dropped because it violates a Retention Policy Lower Bound at";
        format!(
            "dropped {} points outside retention policy of duration {} - oldest point {} at {} \
             {violates} {bound}, newest point {} at {} {violates} {bound}",
            self.count,
            GoDuration(retention),
            Lossy(&self.oldest.1),
            Instant(self.oldest.0),
            Lossy(&self.newest.1),
            Instant(self.newest.0),
        )
    }
}

/// The key of a point as messages show it.
pub(super) fn shown_key(measurement: &[u8], tags: &[u8]) -> Vec<u8> {
    let tags = influxd_line_protocol::parse_tags(tags);
    SeriesKey::new(measurement.to_vec(), tags)
        .map_or_else(|_| measurement.to_vec(), |key| key.to_line_bytes())
}

/// A name in double quotes, those inside escaped; bytes that are no UTF-8 are replaced.
fn quoted(name: &[u8]) -> String {
    format!("\"{}\"", Lossy(name).to_string().replace('"', "\\\""))
}

/// An instant in RFC 3339 with up to nine digits of the second, UTC.
struct Instant(i64);

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = chrono::DateTime::from_timestamp_nanos(self.0);
        write!(f, "{}", time.format("%Y-%m-%dT%H:%M:%S"))?;
        let nanos = self.0.rem_euclid(1_000_000_000);
        if nanos != 0 {
            write!(f, ".{}", format!("{nanos:09}").trim_end_matches('0'))?;
        }
        f.write_str("Z")
    }
}

/// A duration as Go prints it, for whole seconds: `1h0m0s`, `30m0s`, `5s`.
struct GoDuration(i64);

impl fmt::Display for GoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0 / 1_000_000_000;
        let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        if hours > 0 {
            write!(f, "{hours}h{minutes}m{rest}s")
        } else if minutes > 0 {
            write!(f, "{minutes}m{rest}s")
        } else {
            write!(f, "{rest}s")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket() -> BucketId {
        BucketId::new(0xb).unwrap()
    }

    #[test]
    fn the_first_reason_counts_and_all_points_are_counted() {
        let mut refusals = Refusals::default();
        refusals.conflict(b"m", b"f\"x", FieldType::Integer, FieldType::Float);
        refusals.conflict(b"m", b"g", FieldType::Boolean, FieldType::Float);
        assert_eq!(
            refusals.finish(bucket(), None, 0).unwrap().to_string(),
            "partial write: field type conflict: input field \"f\\\"x\" on measurement \"m\" is \
             type integer, already exists as type float dropped=2"
        );
    }

    #[test]
    fn a_refused_point_says_more_than_a_stripped_time() {
        let mut refusals = Refusals::default();
        refusals.stripped_time(b"m");
        refusals.only_time(b"m");
        assert_eq!(
            refusals.finish(bucket(), None, 0).unwrap().to_string(),
            "partial write: invalid field name: input field \"time\" on measurement \"m\" is \
             invalid dropped=1"
        );
    }

    #[test]
    fn a_stripped_time_drops_no_point() {
        let mut refusals = Refusals::default();
        refusals.stripped_time(b"m");
        assert_eq!(
            refusals.finish(bucket(), None, 0).unwrap().to_string(),
            "partial write: invalid field name: input field \"time\" on measurement \"m\" is \
             invalid. Field \"time\" has been stripped from point. dropped=0 for database: \
             000000000000000b for retention policy: autogen"
        );
    }

    #[test]
    fn expired_points_name_the_oldest_and_the_newest() {
        let mut refusals = Refusals::default();
        let second = 1_000_000_000;
        for (time, key) in [(5, "m,t=a"), (2, "m,t=c"), (7, "m,t=b")] {
            refusals.expired(time * second + 500_000_000, || key.into());
        }
        let text = refusals
            .finish(bucket(), Some(3600 * second), 3610 * second)
            .unwrap()
            .to_string();
        assert_eq!(
            text,
            "partial write: dropped 3 points outside retention policy of duration 1h0m0s - oldest \
             point m,t=c at 1970-01-01T00:00:02.5Z dropped because it violates a Retention Policy \
             Lower Bound at 1970-01-01T00:00:10Z, newest point m,t=b at 1970-01-01T00:00:07.5Z \
             dropped because it violates a Retention Policy Lower Bound at 1970-01-01T00:00:10Z \
             dropped=3 for database: 000000000000000b for retention policy: autogen"
        );
    }
}
