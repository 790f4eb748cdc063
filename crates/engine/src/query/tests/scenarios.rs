//! Several windows, several policies, deletes, limits and clients that go away.

use std::sync::atomic::AtomicBool;

use influxd_influxql::parse_query;

use super::{Fixture, SECOND, T, mapping};
use crate::query::model::Datum;
use crate::query::{
    Context, Limits, Outcome, Output, SeriesHead, StatementError, Stopped, Value, execute,
};

const DAY: i64 = 86_400 * SECOND;

/// A series a with values on twenty days, a week being a window, and b with one on the first.
fn many_windows() -> Fixture {
    let fixture = Fixture::empty();
    for day in 0..20 {
        let value = vec![("v", Datum::Float(day as f64 + 0.1))];
        fixture.write(1, "m", &[("h", "a")], T + day * DAY, value);
    }
    fixture.write(1, "m", &[("h", "b")], T, vec![("v", Datum::Float(7.0))]);
    fixture
}

#[test]
fn the_last_values_are_found_in_whatever_window_they_lie() {
    let fixture = many_windows();
    fixture.check(
        "SELECT last(v) FROM m GROUP BY h",
        &[
            "m{h=a} (time,last) [+1641600 19.1]",
            "m{h=b} (time,last) [+0 7]",
        ],
    );
    fixture.check("SELECT last(v) FROM m", &["m (time,last) [+1641600 19.1]"]);
    fixture.check(
        "SELECT first(v), last(v) FROM m",
        &["m (time,first,last) [E 7 19.1]"],
    );
    fixture.check(
        "SELECT last(v), first(v) FROM m WHERE h = 'b'",
        &["m (time,last,first) [E 7 7]"],
    );
}

#[test]
fn buckets_reach_across_windows() {
    let fixture = many_windows();
    fixture.check(
        "SELECT count(v), max(v) FROM m WHERE time >= '2020-01-01' AND time < '2020-01-21' GROUP BY time(1w)",
        &["m (time,count,max) [-518400 2 7] [+86400 7 7.1] [+691200 7 14.1] [+1296000 5 19.1]"],
    );
    fixture.check(
        "SELECT count(v) FROM m WHERE v > 5 AND h = 'a'",
        &["m (time,count) [E 15]"],
    );
}

#[test]
fn a_field_may_have_another_type_in_another_window() {
    let fixture = Fixture::empty();
    fixture.write(1, "m", &[], T, vec![("x", Datum::Integer(1))]);
    fixture.write(1, "m", &[], T + 14 * DAY, vec![("x", Datum::Float(2.5))]);
    fixture.write(
        1,
        "m",
        &[],
        T + 28 * DAY,
        vec![("x", Datum::String(b"no".to_vec()))],
    );
    fixture.check("SELECT x FROM m", &["m (time,x) [+0 1] [+1209600 2.5]"]);
    fixture.check(
        "SELECT x::integer FROM m",
        &["m (time,x) [+0 1] [+1209600 2]"],
    );
    fixture.check("SELECT x::string FROM m", &["m (time,x) [+2419200 \"no\"]"]);
    fixture.check("SELECT sum(x) FROM m", &["m (time,sum) [E 3.5]"]);
    fixture.check(
        "SELECT x FROM m WHERE time >= '2020-01-28'",
        &["m (time,x) [+2419200 \"no\"]"],
    );
    fixture.check(
        "SHOW FIELD KEYS",
        &["m (fieldKey,fieldType) [\"x\" \"float\"] [\"x\" \"integer\"] [\"x\" \"string\"]"],
    );
}

#[test]
fn a_measurement_of_two_policies_is_one_series() {
    let mut fixture = Fixture::new();
    fixture.mappings.push(mapping(2, "ex", "long", false));
    fixture.write(
        2,
        "mem",
        &[],
        T + 30 * SECOND,
        vec![("f", Datum::Float(1.0))],
    );
    fixture.check(
        "SELECT f FROM mem, long.mem",
        &["mem (time,f) [+0 100] [+30 1] [+60 50]"],
    );
    fixture.check(
        "SELECT sum(f) FROM mem, ex.long.mem",
        &["mem (time,sum) [E 151]"],
    );
    fixture.check("SELECT f FROM long.mem", &["mem (time,f) [+30 1]"]);
}

#[test]
fn deleted_points_are_gone() {
    let fixture = Fixture::new();
    fixture.check(
        "DELETE FROM cpu WHERE host = 'a' AND time < '2020-01-01T00:00:10Z'",
        &["(silent)"],
    );
    fixture.check(
        "SELECT u FROM cpu LIMIT 2",
        &["cpu (time,u) [+5 3] [+10 2]"],
    );
    fixture.check("DELETE FROM /^c/ WHERE host !~ /a/", &["(silent)"]);
    fixture.check(
        "SHOW SERIES",
        &["(key) [\"cpu,dc=x,host=a\"] [\"disk,host=c\"] [\"mem\"]"],
    );
    fixture.check("DELETE WHERE host = 'c'", &["(silent)"]);
    fixture.check(
        "SHOW MEASUREMENTS",
        &["measurements (name) [\"cpu\"] [\"mem\"]"],
    );
    fixture.check("DROP MEASUREMENT mem", &["(silent)"]);
    fixture.check("DROP MEASUREMENT nosuch", &["(silent)"]);
    fixture.check("SHOW MEASUREMENTS", &["measurements (name) [\"cpu\"]"]);
}

#[test]
fn who_may_only_read_deletes_nothing() {
    let mut fixture = Fixture::new();
    fixture.mappings[0].may_write = false;
    fixture.check("DELETE FROM cpu", &["error: insufficient permissions"]);
    fixture.check("DROP MEASUREMENT cpu", &["error: insufficient permissions"]);
    fixture.check("SELECT count(u) FROM cpu", &["cpu (time,count) [E 6]"]);
}

#[test]
fn limits_are_kept() {
    let mut fixture = Fixture::new();
    fixture.limits.max_select_series = 1;
    fixture.check(
        "SELECT u FROM cpu",
        &["error: max-select-series limit exceeded: (2/1)"],
    );
    fixture.limits = Limits {
        max_select_buckets: 3,
        ..Limits::default()
    };
    let bounded = "SELECT mean(u) FROM cpu WHERE time >= '2020-01-01T00:00:00Z' AND time < '2020-01-01T00:01:20Z' GROUP BY time(20s)";
    fixture.check(
        bounded,
        &["error: max-select-buckets limit exceeded: (4/3)"],
    );
    fixture.check(
        "SELECT mean(u) FROM cpu GROUP BY time(20s)",
        &["cpu (time,mean) [+60 6] [+80 null] [+100 null]"],
    );
    fixture.limits = Limits {
        max_held: 3,
        ..Limits::default()
    };
    assert!(
        fixture
            .answer("SELECT median(u) FROM cpu")
            .starts_with("error: the query needs more")
    );
    fixture.check("SELECT mean(u) FROM cpu", &["cpu (time,mean) [E 4]"]);
}

#[test]
fn a_forecast_is_bounded_before_it_begins() {
    let fixture = Fixture::new();
    let bounds = "WHERE time >= '2000-01-01' AND time < '2030-01-01'";
    for (call, interval) in [
        ("holt_winters(mean(u), 1000000000, 0)", "20s"),
        ("holt_winters(mean(u), 9223372036854775807, 0)", "20s"),
        ("holt_winters_with_fit(mean(u), 10, 4)", "1ns"),
    ] {
        let query = format!("SELECT {call} FROM cpu {bounds} GROUP BY time({interval}) fill(none)");
        let answer = fixture.answer(&query);
        assert!(
            answer.starts_with("error: the query needs more"),
            "{query}: {answer}"
        );
    }
}

/// Takes a few rows, then hangs up.
struct Impatient(u32);

impl Output for Impatient {
    fn begin_series(&mut self, _: SeriesHead) -> Result<(), Stopped> {
        Ok(())
    }

    fn row(&mut self, _: &[Value<'_>]) -> Result<(), Stopped> {
        self.0 = self.0.checked_sub(1).ok_or(Stopped)?;
        Ok(())
    }
}

#[test]
fn a_statement_ends_when_nobody_listens() {
    let fixture = Fixture::new();
    let ages = "SELECT mean(u) FROM cpu WHERE time >= '1800-01-01' GROUP BY time(1ms)";
    let result = fixture.run(ages, &mut Impatient(1000));
    assert!(matches!(result, Err(StatementError::Stopped)), "{result:?}");

    let stop = AtomicBool::new(true);
    let context = Context {
        source: &fixture.model,
        mappings: &fixture.mappings,
        database: Some("ex"),
        policy: None,
        now: T,
        limits: Limits::default(),
        stop: &stop,
        strict: false,
    };
    let statement = &parse_query("SELECT u FROM cpu", None).unwrap()[0];
    let result = execute(statement, &context, &mut Impatient(1000));
    assert!(matches!(result, Err(StatementError::Stopped)), "{result:?}");
}

#[test]
fn rows_of_ages_are_made_one_by_one() {
    let fixture = Fixture::new();
    let ages =
        "SELECT count(u) FROM cpu WHERE time >= '1800-01-01' GROUP BY time(1ms) LIMIT 1 OFFSET 3";
    assert!(matches!(
        fixture.run(ages, &mut Impatient(9)),
        Ok(Outcome::Rows)
    ));
}

#[test]
fn groups_with_more_rows_than_should_be_kept_come_out_all_the_same() {
    let fixture = many_windows();
    let expected = fixture.answer("SELECT v FROM m GROUP BY h");
    // Sixteen cells at a time: series a has forty.
    let narrow = Fixture {
        limits: Limits {
            max_held: 256,
            ..Limits::default()
        },
        ..many_windows()
    };
    narrow.check(
        "SELECT v FROM m GROUP BY h",
        &expected.split('\n').collect::<Vec<_>>(),
    );
    let newest = "SELECT v FROM m GROUP BY h ORDER BY time DESC LIMIT 2";
    narrow.check(
        newest,
        &[
            "m{h=b} (time,v) [+0 7]",
            "m{h=a} (time,v) [+1641600 19.1] [+1555200 18.1]",
        ],
    );
}
