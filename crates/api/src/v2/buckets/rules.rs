//! Names and retention rules in requests.

use influxd_tokens::{MAX_NAME, check_bucket_name};

use crate::error::{ApiError, ErrorCode};
use crate::json::{DecodeError, Fields};
use crate::text::refuse_nul;
use crate::v2::buckets::view::SECOND;

/// A retention rule as a request gives it; seconds, each maybe absent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct GivenRule {
    pub(super) every: Option<i64>,
    pub(super) shard_duration: Option<i64>,
}

/// Reads the field `retentionRules`.
pub(super) fn read(fields: &mut Fields) -> Result<Vec<GivenRule>, DecodeError> {
    let rules = fields
        .objects("retentionRules", "retentionRule")?
        .unwrap_or_default();
    rules
        .into_iter()
        .map(|mut rule| {
            Ok(GivenRule {
                every: rule.integer("everySeconds")?,
                shard_duration: rule.integer("shardGroupDurationSeconds")?,
            })
        })
        .collect()
}

/// The one rule of a request, if any, in nanoseconds (auth-and-resources 9.4, rows 3 to 5).
pub(super) fn check(rules: &[GivenRule]) -> Result<Option<GivenRule>, ApiError> {
    let refuse = |message: &'static str| Err(ApiError::new(ErrorCode::Unprocessable, message));
    let [] = rules else {
        let [rule] = rules else {
            return refuse("buckets cannot have more than one retention rule at this time");
        };
        if rule.every.is_some_and(|every| every < 0) {
            return refuse("expiration seconds cannot be negative");
        }
        if rule.shard_duration.is_some_and(|duration| duration < 0) {
            return refuse("shard-group duration seconds cannot be negative");
        }
        let nanoseconds = |seconds: Option<i64>| match seconds {
            Some(seconds) => seconds.checked_mul(SECOND).map(Some),
            None => Some(None),
        };
        let Some(every) = nanoseconds(rule.every) else {
            return refuse("expiration seconds must be at most 9223372036");
        };
        let Some(shard_duration) = nanoseconds(rule.shard_duration) else {
            return refuse("shard-group duration seconds must be at most 9223372036");
        };
        return Ok(Some(GivenRule {
            every,
            shard_duration,
        }));
    };
    Ok(None)
}

/// Refuses what cannot be the name that a client gives to a bucket.
pub(super) fn check_name(name: &str) -> Result<(), ApiError> {
    check_bucket_name(name).map_err(|error| ApiError::invalid(error.to_string()))?;
    if name.len() > MAX_NAME {
        return Err(ApiError::new(ErrorCode::TooLarge, "key too large"));
    }
    refuse_nul(name)
}

/// How long points are kept for a number of nanoseconds in a request: 0 is for ever.
pub(super) fn retention(every: i64) -> Option<i64> {
    (every > 0).then_some(every)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_that_cannot_be_stored_are_refused() {
        let rule = |every, shard_duration| {
            check(&[GivenRule {
                every: Some(every),
                shard_duration: Some(shard_duration),
            }])
        };
        let most = 9_223_372_036;
        assert!(rule(most, most).is_ok());
        for (every, shard_duration, message) in [
            (most + 1, 0, "expiration seconds must be at most 9223372036"),
            (
                0,
                i64::MAX,
                "shard-group duration seconds must be at most 9223372036",
            ),
            (-1, 0, "expiration seconds cannot be negative"),
        ] {
            let error = rule(every, shard_duration).unwrap_err();
            assert_eq!(error.code(), ErrorCode::Unprocessable);
            assert_eq!(error.to_string(), message);
        }
    }
}
