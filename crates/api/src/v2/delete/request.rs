//! The body of a delete.

use influxd_model::{MAX_TIME, MIN_TIME, TimeRange};

use crate::error::{ApiError, ErrorCode};
use crate::json::{DecodeError, Fields};
use crate::time::parse_rfc3339;
use crate::v2::delete::predicate::{self, Condition, PredicateError};

/// What a request asks to be deleted.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) range: TimeRange,
    pub(super) condition: Condition,
}

const BAD_START: &str = "invalid RFC3339Nano for field start, please format your time with \
                         RFC3339Nano format, example: 2009-01-02T23:00:00Z";
const BAD_STOP: &str = "invalid RFC3339Nano for field stop, please format your time with \
                        RFC3339Nano format, example: 2009-01-01T23:00:00Z";
const EARLY_START: &str = "invalid start time, start time must not be before \
                           1677-09-21T00:12:43.145224194Z";
const LATE_STOP: &str = "invalid stop time, stop time must not be after \
                         2262-04-11T23:47:16.854775806Z";

/// Reads the body (data-endpoints 7).
pub(super) fn read(body: &[u8]) -> Result<Asked, ApiError> {
    let refuse = |reason: &str| ApiError::invalid(format!("error decoding json body: {reason}"));
    let (start, stop, predicate) = decode(body).map_err(|error| match error {
        DecodeError::Json(error) => refuse(&error.to_string()),
        error => refuse(&format!("Invalid delete predicate node request: {error}")),
    })?;
    let min = parse_rfc3339(&start).ok_or_else(|| refuse(BAD_START))?;
    if min < i128::from(MIN_TIME) {
        return Err(refuse(EARLY_START));
    }
    let max = parse_rfc3339(&stop).ok_or_else(|| refuse(BAD_STOP))?;
    if max > i128::from(MAX_TIME) {
        return Err(refuse(LATE_STOP));
    }
    // What lies beyond the ends of time on the other side leaves an empty range.
    let clamp =
        |time: i128| i64::try_from(time).unwrap_or(if time < 0 { i64::MIN } else { i64::MAX });
    let range = TimeRange {
        min: clamp(min),
        max: clamp(max),
    };
    let condition = predicate::parse(&predicate).map_err(|error| match error {
        PredicateError::Grammar(text) => refuse(&text),
        PredicateError::InfluxQl(text) => {
            ApiError::invalid(format!("invalid request; error parsing predicate: {text}"))
        }
        PredicateError::Field => ApiError::new(
            ErrorCode::NotImplemented,
            "delete by field is not supported",
        ),
    })?;
    Ok(Asked { range, condition })
}

fn decode(body: &[u8]) -> Result<(String, String, String), DecodeError> {
    const NAME: &str = "deleteRequestDecode";
    let mut fields = match Fields::read(body, NAME) {
        // A value that is no object goes by its full name.
        Err(DecodeError::Type { found, place, .. }) => {
            return Err(DecodeError::Type {
                found,
                place,
                expected: "http.deleteRequestDecode",
            });
        }
        fields => fields?,
    };
    Ok((
        fields.string("start")?.unwrap_or_default(),
        fields.string("stop")?.unwrap_or_default(),
        fields.string("predicate")?.unwrap_or_default(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, expected: &str) {
        let shown = match read(body.as_bytes()) {
            Ok(asked) => format!("{} {}", asked.range.min, asked.range.max),
            Err(error) => error.message().into_owned(),
        };
        assert_eq!(
            shown.trim_start_matches("error decoding json body: "),
            expected,
            "{body}"
        );
    }

    #[test]
    fn bodies_are_read_as_in_the_contract() {
        let stop = r#""stop":"1970-01-01T00:00:02Z""#;
        check("", "EOF");
        check("{", "unexpected EOF");
        check(
            "[]",
            "Invalid delete predicate node request: json: cannot unmarshal array into Go value of type http.deleteRequestDecode",
        );
        check(
            &format!(r#"{{"start":0,{stop}}}"#),
            "Invalid delete predicate node request: json: cannot unmarshal number into Go struct field deleteRequestDecode.start of type string",
        );
        check(&format!("{{{stop}}}"), BAD_START);
        check(r#"{"start":"1970-01-01T00:00:00Z","stop":"x"}"#, BAD_STOP);
        check(
            &format!(r#"{{"start":"1600-01-01T00:00:00Z",{stop}}}"#),
            EARLY_START,
        );
        check(
            r#"{"start":"1970-01-01T00:00:00Z","stop":"2300-01-01T00:00:00Z"}"#,
            LATE_STOP,
        );
        check(
            &format!(r#"{{"start":"1970-01-01T00:00:00.5+00:00",{stop},"predicate":null}}"#),
            "500000000 2000000000",
        );
        check(
            r#"{"start":"2300-01-01T00:00:00Z","stop":"1600-01-01T00:00:00Z"}"#,
            &format!("{} {}", i64::MAX, i64::MIN),
        );
    }
}
