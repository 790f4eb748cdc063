//! What is refused, and what is found. Messages observed on InfluxDB 2.9.1.

mod calls;

use super::*;
use crate::ast::Statement;
use crate::parse_query;

const NEW_YEAR: i64 = 1_577_836_800_000_000_000;
const SECOND: i64 = 1_000_000_000;
/// Ten days into 2020.
const NOW: i64 = NEW_YEAR + 864_000 * SECOND;
const MINUTE: &str = "time >= '2020-01-01' AND time < '2020-01-01' + 80s";

fn select(text: &str) -> Select {
    let statement = parse_query(text, None).unwrap().remove(0);
    let Statement::Select(select) = statement else {
        panic!("{statement:?}")
    };
    *select
}

fn checked(text: &str) -> Checked {
    check_select(&select(text), NOW).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[track_caller]
fn refused(text: &str, message: &str) {
    match check_select(&select(text), NOW) {
        Ok(checked) => panic!("{text} was accepted as {checked:?}"),
        Err(error) => assert_eq!(error.to_string(), message, "{text}"),
    }
}

fn names(text: &str) -> Vec<String> {
    column_names(&checked(text).fields)
}

#[test]
fn combinations_are_checked() {
    for (rest, message) in [
        (
            "mean(u), u FROM cpu",
            "mixing aggregate and non-aggregate queries is not supported",
        ),
        (
            "mean(u) + s FROM cpu",
            "mixing aggregate and non-aggregate queries is not supported",
        ),
        (
            "max(*), host FROM cpu",
            "mixing aggregate and non-aggregate queries is not supported",
        ),
        (
            "max(u), min(u), host FROM cpu",
            "mixing multiple selector functions with tags or fields is not supported",
        ),
        (
            "distinct(u), mean(u) FROM cpu",
            "aggregate function distinct() cannot be combined with other functions or fields",
        ),
        (
            "distinct(u), i FROM cpu",
            "aggregate function distinct() cannot be combined with other functions or fields",
        ),
        (
            "u FROM cpu fill(none)",
            "fill(none) must be used with a function",
        ),
        (
            "u FROM cpu fill(linear)",
            "fill(linear) must be used with a function",
        ),
        (
            "u FROM cpu GROUP BY time(10s)",
            "GROUP BY requires at least one aggregate function",
        ),
        (
            "mean(x) FROM (SELECT u AS x FROM cpu GROUP BY time(10s))",
            "fill(none) must be used with a function",
        ),
        (
            "u FROM (SELECT u FROM cpu ORDER BY time DESC)",
            "subqueries must be ordered in the same direction as the query itself",
        ),
        (
            "u FROM (SELECT mean() FROM cpu)",
            "invalid number of arguments for mean, expected 1, got 0",
        ),
    ] {
        refused(&format!("SELECT {rest}"), message);
    }
}

#[test]
fn dimensions_are_checked_before_fields_and_conditions_before_both() {
    for (dimension, message) in [
        (
            "time",
            "time() is a function and expects at least one argument",
        ),
        ("foo(10s)", "only time() calls allowed in dimensions"),
        ("time()", "time dimension expected 1 or 2 arguments"),
        (
            "time(10s, 1s, 1s)",
            "time dimension expected 1 or 2 arguments",
        ),
        ("time(10)", "time dimension must have duration argument"),
        (
            "time(10s), time(20s)",
            "multiple time dimensions not allowed",
        ),
        (
            "time(10s, 5)",
            "time dimension offset must be duration or now()",
        ),
        (
            "time(10s, foo())",
            "time dimension offset function must be now()",
        ),
        (
            "time(10s, now(1))",
            "time dimension offset now() function requires no arguments",
        ),
        ("'host'", "only time and tag dimensions allowed"),
        ("1", "only time and tag dimensions allowed"),
        ("host + 1", "only time and tag dimensions allowed"),
    ] {
        refused(
            &format!("SELECT mean() FROM cpu GROUP BY {dimension}"),
            message,
        );
    }
    refused(
        "SELECT mean() FROM cpu WHERE b GROUP BY 1",
        "invalid condition expression: b",
    );
    refused(
        "SELECT u FROM cpu WHERE count(u) > 1 GROUP BY 1",
        "invalid function call in condition: count(u)",
    );
    refused(
        "SELECT count(v) FROM p GROUP BY time(1d, '2020-10-25T06:00:00Z')",
        "invalid time dimension offset: '2020-10-25T06:00:00Z'",
    );
}

#[test]
fn the_interval_and_its_offset_are_found() {
    let interval = |dimension: &str| {
        let text = format!("SELECT mean(u) FROM cpu GROUP BY {dimension}");
        checked(&text)
            .interval
            .map(|interval| (interval.every / SECOND, interval.offset / SECOND))
    };
    assert_eq!(interval("time(20s)"), Some((20, 0)));
    assert_eq!(interval("time(20s, 25s)"), Some((20, 5)));
    assert_eq!(interval("host, time(20s, -5s)"), Some((20, 15)));
    assert_eq!(interval("time(0s)"), None);
    assert_eq!(interval("time(-20s)"), None);
    assert_eq!(interval("time(0s, 5s)"), None);
    assert_eq!(interval("time(10s + 10s)"), Some((20, 0)));
    assert_eq!(
        interval("time(7s, now())"),
        Some((7, (NOW / SECOND + 719_162 * 86_400) % 7))
    );
}

#[test]
fn tags_of_group_by_are_found() {
    let dimensions = checked("SELECT u FROM cpu GROUP BY host, *, /d/, \"a b\"").dimensions;
    assert_eq!(
        dimensions,
        [
            TagDimension::Tag("host".to_owned()),
            TagDimension::All,
            TagDimension::Regex(Regex::new("d").unwrap()),
            TagDimension::Tag("a b".to_owned()),
        ]
    );
}

#[test]
fn the_kind_of_query_is_found() {
    for (fields, kind) in [
        ("u, abs(i)", Kind::Raw),
        ("max(u)", Kind::Selector),
        ("max(u), host", Kind::Selector),
        ("max(u) * 2, max(u)", Kind::Selector),
        ("max(u), min(u)", Kind::Aggregate),
        ("mean(u)", Kind::Aggregate),
        ("floor(mean(u)) + 1", Kind::Aggregate),
        ("count(distinct(u))", Kind::Aggregate),
        ("count(DISTINCT u)", Kind::Aggregate),
        ("DISTINCT u", Kind::Distinct),
        ("top(u, host, 2), dc", Kind::TopBottom),
        ("derivative(u)", Kind::Transformation),
    ] {
        assert_eq!(
            checked(&format!("SELECT {fields} FROM cpu")).kind,
            kind,
            "{fields}"
        );
    }
    let forecast = "SELECT holt_winters(mean(u), 1, 0) FROM cpu GROUP BY time(1m)";
    assert_eq!(checked(forecast).kind, Kind::Forecast);
}

#[test]
fn columns_are_named() {
    for (fields, expected) in [
        ("u, u", "u u_1"),
        ("2*u+1, u+i, max, -u", "u u_i max u_1"),
        ("u AS x, i AS x", "x x"),
        ("u + 1, -u, 2 * u AS dbl, u + i", "u u_1 dbl u_i"),
        ("x.y, (u), \"time\", u AS \"\"", "x.y u u_1"),
        ("u, u_1, u, u", "u u_1 u_2 u_3"),
    ] {
        let text = format!("SELECT {fields} FROM cpu").replace(", max,", ", \"max\",");
        assert_eq!(names(&text).join(" "), expected, "{fields}");
    }
    for (fields, expected) in [
        ("mean(a), mean(b)", "mean mean_1"),
        ("mean(a), mean(b), mean(c) AS mean", "mean_1 mean_2 mean"),
        ("max(u) - min(u)", "max_min"),
        ("DISTINCT u", "distinct"),
        ("top(u, host, 2)", "top host"),
        ("top(u, host, 2), host", "top host host_1"),
        ("floor(mean(u))", "floor"),
    ] {
        assert_eq!(
            names(&format!("SELECT {fields} FROM cpu")).join(" "),
            expected,
            "{fields}"
        );
    }
}

#[test]
fn the_time_column_takes_an_alias() {
    let checked = checked("SELECT time AS t, u FROM cpu");
    assert_eq!(
        (checked.time_column.as_str(), checked.fields.len()),
        ("t", 1)
    );
}

#[test]
fn without_an_upper_bound_buckets_end_now() {
    assert_eq!(
        checked("SELECT mean(u) FROM cpu GROUP BY time(1m)")
            .time_range
            .max,
        Some(NOW)
    );
    assert_eq!(checked("SELECT mean(u) FROM cpu").time_range.max, None);
}

#[test]
fn subqueries_take_over_from_the_query_around_them() {
    let outer = checked(&format!(
        "SELECT sum(x) FROM (SELECT sum(u) AS x FROM cpu), (SELECT mean(u) AS x FROM cpu WHERE time >= \
         '2020-01-01' + 5s GROUP BY time(10s)), mem WHERE {MINUTE} GROUP BY time(40s) ORDER BY time DESC"
    ));
    let [plain, own] = outer.subqueries.as_slice() else {
        panic!("two subqueries")
    };
    assert_eq!(
        (plain.interval, plain.inherited_interval),
        (outer.interval, true)
    );
    assert_eq!(plain.time_range, outer.time_range);
    assert_eq!(plain.fill, Fill::Null);
    assert_eq!(
        own.interval,
        Some(Interval {
            every: 10 * SECOND,
            offset: 0
        })
    );
    assert!(!own.inherited_interval);
    assert_eq!(own.time_range.min, Some(NEW_YEAR + 5 * SECOND));
    assert_eq!(own.time_range.max, Some(NEW_YEAR + 80 * SECOND - 1));
    assert_eq!(own.fill, Fill::None);
    assert_eq!(
        (plain.order, own.order),
        (Order::Descending, Order::Descending)
    );
    let raw = checked("SELECT mean(u) FROM (SELECT u FROM cpu) GROUP BY time(10s)");
    assert_eq!(raw.subqueries[0].kind, Kind::Raw);
}
