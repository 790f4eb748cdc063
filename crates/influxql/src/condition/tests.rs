//! Conditions and what they are split into.

use super::*;
use crate::ast::Statement;
use crate::parse_query;

const NEW_YEAR: i64 = 1_577_836_800_000_000_000;
const SECOND: i64 = 1_000_000_000;
const NOW: i64 = NEW_YEAR + 1_000 * SECOND;

fn split(condition: &str) -> Result<(TimeRange, Option<Expr>), ConditionError> {
    let query = format!("SELECT u FROM cpu WHERE {condition}");
    let statement = parse_query(&query, None).unwrap().remove(0);
    let Statement::Select(select) = statement else {
        panic!("a SELECT")
    };
    split_condition(select.condition.as_ref(), NOW, select.timezone)
}

/// Bounds in seconds after new year, and what is left.
fn check(condition: &str, min: Option<i64>, max: Option<i64>, rest: &str) {
    let (range, left) = split(condition).unwrap();
    let left = left.map(|left| left.to_string()).unwrap_or_default();
    let after = |bound: i64| bound - NEW_YEAR;
    assert_eq!(
        (range.min.map(after), range.max.map(after)),
        (min, max),
        "{condition}"
    );
    assert_eq!(left, rest, "{condition}");
}

fn refused(condition: &str, message: &str) {
    assert_eq!(
        split(condition).unwrap_err().to_string(),
        message,
        "{condition}"
    );
}

#[test]
fn comparisons_with_time_become_a_range() {
    let s = SECOND;
    check("time = 1577836805000000000", Some(5 * s), Some(5 * s), "");
    check("time = 1577836805000ms", Some(5 * s), Some(5 * s), "");
    check("time >= '2020-01-01 00:00:20'", Some(20 * s), None, "");
    check("time > '2020-01-01T00:00:20Z'", Some(20 * s + 1), None, "");
    check(
        "time < '2020-01-01 00:00:20.5'",
        None,
        Some(20 * s + s / 2 - 1),
        "",
    );
    check("time <= '2020-01-01'", None, Some(0), "");
    check(
        "time >= '2020-01-01T00:00:20Z' + 5",
        Some(20 * s + 5),
        None,
        "",
    );
    check("time >= '2019-12-31' + 1d + 20s", Some(20 * s), None, "");
    check("'2020-01-01' < time", Some(1), None, "");
    check("TIME > 1577836820s", Some(20 * s + 1), None, "");
    check("time > 1577836820000000000.7", Some(20 * s + 1), None, "");
    check("time > now() - 1000s", Some(1), None, "");
    check("time < now() + 5s * 2", None, Some(1_010 * s - 1), "");
    check("time > 2020-01-01", Some(2019 - NEW_YEAR), None, "");
    check(
        "time >= '2020-01-01' tz('America/New_York')",
        Some(18_000 * s),
        None,
        "",
    );
    check(
        "time >= '2020-01-01T00:00:00Z' tz('America/New_York')",
        Some(0),
        None,
        "",
    );
    check(
        "time >= 26297280m AND time < 438288h",
        Some(0),
        Some(-1),
        "",
    );
}

#[test]
fn ranges_intersect_even_across_or() {
    let s = SECOND;
    let (range, rest) = split("time = 5s OR time = 10s").unwrap();
    assert!(range.is_empty());
    assert_eq!(rest, None);
    check(
        "(time >= '2020-01-01' + 20s) AND (host = 'b' OR host = 'a')",
        Some(20 * s),
        None,
        "host = 'b' OR host = 'a'",
    );
    check(
        "host = 'a' OR time > '2020-01-01' AND u > 1",
        Some(1),
        None,
        "host = 'a' OR u > 1",
    );
    check(
        "time > '2020-01-01' AND time > '2020-01-01' + 20s",
        Some(20 * s + 1),
        None,
        "",
    );
}

#[test]
fn what_is_left_is_folded() {
    check("u > 1 + 1", None, None, "u > 2");
    check("1 = 1", None, None, "");
    check("1 = 2", None, None, "false");
    check("true AND u > 1", None, None, "u > 1");
    check("false OR (u > 1)", None, None, "u > 1");
    check("u / 4 = 4 / 2", None, None, "u / 4 = 2");
    check(
        "time + 5s > 1577836820s",
        None,
        None,
        "time + 5s > 1577836820s",
    );
    check("(time > '2020-01-01')", Some(1), None, "");
}

#[test]
fn a_bound_just_outside_wraps_around() {
    let (range, _) = split("time > 9223372036854775807").unwrap();
    assert_eq!(range.min, Some(i64::MIN));
    let (range, _) = split("time < -9223372036854775808").unwrap();
    assert_eq!(range.max, Some(i64::MAX));
}

#[test]
fn what_is_no_condition_is_refused() {
    refused("b", "invalid condition expression: b");
    refused("'x'", "invalid condition expression: 'x'");
    refused("u > 1 AND (b)", "invalid condition expression: b");
    refused(
        "time != '2020-01-01'",
        "invalid time comparison operator: !=",
    );
    refused(
        "time > 'yesterday'",
        "invalid operation: time and *influxql.StringLiteral are not compatible",
    );
    refused(
        "time > ''",
        "invalid operation: time and *influxql.StringLiteral are not compatible",
    );
    refused(
        "time =~ /2020/",
        "invalid operation: time and *influxql.RegexLiteral are not compatible",
    );
    refused(
        "time > u",
        "invalid operation: time and *influxql.VarRef are not compatible",
    );
    refused(
        "time > mean(u)",
        "invalid operation: time and *influxql.Call are not compatible",
    );
    refused(
        "time > u + 1",
        "invalid operation: time and *influxql.BinaryExpr are not compatible",
    );
    refused(
        "time = true",
        "invalid operation: time and *influxql.BooleanLiteral are not compatible",
    );
    refused("time > '2020-01-01T00:00:00'", "invalid timestamp string");
    refused(
        "time > '3000-01-01'",
        "time 3000-01-01T00:00:00Z overflows time literal",
    );
    refused(
        "time > '1600-01-01'",
        "time 1600-01-01T00:00:00Z underflows time literal",
    );
    refused(
        "time > '2262-01-01' + 200w",
        "time 2265-11-01T00:00:00Z overflows time literal",
    );
}

#[test]
fn calls_are_refused_unless_they_are_math() {
    let calls = |condition: &str| {
        let (_, rest) = split(condition).unwrap();
        check_calls(&rest.unwrap()).map_err(|error| error.to_string())
    };
    assert_eq!(calls("abs(u) > 1 AND pow(u, 2) < 3"), Ok(()));
    assert_eq!(calls("log(u, 2) < 3"), Ok(()));
    assert_eq!(
        calls("count(u) > 1"),
        Err("invalid function call in condition: count(u)".into())
    );
    assert_eq!(
        calls("top(u, 1) > 1"),
        Err("invalid function call in condition: top(u, 1)".into())
    );
    assert_eq!(
        calls("abs(u, 1) > 1"),
        Err("invalid number of arguments for abs, expected 1, got 2".into())
    );
}
