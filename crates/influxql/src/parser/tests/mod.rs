//! Tests of the parser.

mod errors;
mod recorded;
mod round_trip;

use crate::ast::{BinaryOp, Expr, Fill, MeasurementName, Number, Order, Source, Statement, Target};
use crate::{ParamValue, Params, parse_query};

/// The text is refused with this message.
#[track_caller]
fn check(text: &str, message: &str) {
    let shown = text.chars().take(100).collect::<String>();
    match parse_query(text, None) {
        Ok(statements) => panic!("{shown} was read as {statements:?}"),
        Err(error) => assert_eq!(error.to_string(), message, "{shown}"),
    }
}

/// The text is read, and printed as `printed`.
#[track_caller]
fn reads(text: &str, printed: &str) {
    match parse_query(text, None) {
        Ok(statements) => {
            let statements: Vec<_> = statements.iter().map(ToString::to_string).collect();
            assert_eq!(statements.join("; "), printed, "{text}");
        }
        Err(error) => panic!("{text}: {error}"),
    }
}

fn one(text: &str) -> Statement {
    parse_query(text, None).unwrap().remove(0)
}

fn select(text: &str) -> crate::ast::Select {
    match one(text) {
        Statement::Select(select) => *select,
        other => panic!("{other:?}"),
    }
}

#[test]
fn statements_are_separated_by_semicolons() {
    reads("", "");
    reads(" ;; ", "");
    reads("-- nothing", "");
    reads("/* a */ -- b", "");
    reads(
        "; ;SELECT u FROM cpu LIMIT 1;;SHOW DATABASES",
        "SELECT u FROM cpu LIMIT 1; SHOW DATABASES",
    );
}

#[test]
fn comments_are_white_space_everywhere() {
    let plain = "SELECT mean(u) FROM cpu, mem GROUP BY host";
    reads(
        "SELECT /* a */ mean( /* b */ u) FROM /* c */ cpu /* c2 */, -- d\n mem GROUP BY /**/ host /* e **/",
        plain,
    );
    reads(
        "SELECT -- x\n /u/ FROM /* y */ /cpu/",
        "SELECT /u/ FROM /cpu/",
    );
    reads("SELECT u FROM cpu--x\nLIMIT 1", "SELECT u FROM cpu LIMIT 1");
}

#[test]
fn operators_bind_as_they_should() {
    reads("SELECT a + b * c - d FROM m", "SELECT a + b * c - d FROM m");
    let Expr::Binary { op, lhs, .. } = &select("SELECT a + b * c - d FROM m").fields[0].expr else {
        panic!("a binary expression")
    };
    assert_eq!(
        (*op, lhs.to_string().as_str()),
        (BinaryOp::Sub, "a + b * c")
    );
    let condition = select("SELECT a FROM m WHERE a = 1 OR b = 2 AND c = 3")
        .condition
        .unwrap();
    let Expr::Binary { op, rhs, .. } = condition else {
        panic!("a binary expression")
    };
    assert_eq!(
        (op, rhs.to_string().as_str()),
        (BinaryOp::Or, "b = 2 AND c = 3")
    );
    let condition = select("SELECT a FROM m WHERE a & 1 = 1 ^ b")
        .condition
        .unwrap();
    let Expr::Binary { op, lhs, .. } = condition else {
        panic!("a binary expression")
    };
    assert_eq!((op, lhs.to_string().as_str()), (BinaryOp::Eq, "a & 1"));
}

#[test]
fn a_sign_belongs_to_a_literal_and_multiplies_anything_else() {
    reads(
        "SELECT -u, +u, -(u), -f(u), u * -1, u - -1 FROM m",
        "SELECT -1 * u, 1 * u, -1 * (u), -1 * f(u), u * -1, u - -1 FROM m",
    );
    reads(
        "SELECT u FROM m WHERE u > -9223372036854775808",
        "SELECT u FROM m WHERE u > -9223372036854775808",
    );
    reads(
        "SELECT u FROM m WHERE u > -1.5 AND u < +18446744073709551615",
        "SELECT u FROM m WHERE u > -1.5 AND u < 18446744073709551615",
    );
    reads("SELECT f(u, -10s) FROM m", "SELECT f(u, -10s) FROM m");
}

#[test]
fn names_and_literals_print_as_they_must_be_written() {
    reads(
        r#"SELECT "we ird", "select", "a\"b", _x FROM "m""#,
        r#"SELECT "we ird", "select", "a\"b", _x FROM m"#,
    );
    reads(
        r"SELECT u FROM m WHERE s = 'it\'s \\ \n'",
        r"SELECT u FROM m WHERE s = 'it\'s \\ \n'",
    );
    reads(
        "SELECT x.y::float, *::tag, /a\\/b/ FROM db.rp.m, db..m, rp.m, db.rp./re/, db../re/, rp./re/",
        "SELECT \"x.y\"::float, *::tag, /a\\/b/ FROM db.rp.m, db..m, rp.m, db.rp./re/, db../re/, rp./re/",
    );
    reads(
        "SELECT u FROM m WHERE a = .5 OR a = 1. OR d > 90m OR t = TRUE",
        "SELECT u FROM m WHERE a = 0.5 OR a = 1 OR d > 90m OR t = true",
    );
    reads(
        "SELECT MEAN(u), DISTINCT u, distinct(u), DISTINCT(u) FROM m",
        "SELECT mean(u), DISTINCT u, distinct(u), distinct(u) FROM m",
    );
    reads(
        "SELECT u AS \"\", v AS \"über\" FROM m",
        "SELECT u, v AS \"über\" FROM m",
    );
    reads(
        "SELECT u FROM a,/b/,(SELECT u FROM c)",
        "SELECT u FROM a, /b/, (SELECT u FROM c)",
    );
}

#[test]
fn select_has_all_its_clauses() {
    let text = "SELECT mean(u) INTO db.rp.:MEASUREMENT FROM cpu WHERE time > now() - 1h \
                GROUP BY time(1m, 5s), host, /re/, * fill(-1.5) ORDER BY time DESC \
                LIMIT 1 OFFSET 2 SLIMIT 3 SOFFSET 4 TZ('Europe/Berlin')";
    reads(text, text);
    let select = select(text);
    let name = |name: &str| Some(name.to_owned());
    assert_eq!(
        select.into,
        Some(Target {
            database: name("db"),
            policy: name("rp"),
            measurement: None
        })
    );
    assert_eq!(select.fill, Fill::Number(Number::Float(-1.5)));
    assert_eq!(select.order, Some(Order::Descending));
    assert_eq!((select.limit, select.soffset), (Some(1), Some(4)));
    assert_eq!(select.timezone, Some(chrono_tz::Tz::Europe__Berlin));
}

#[test]
fn into_names_a_target() {
    let target = |text: &str| {
        select(&format!("SELECT u INTO {text} FROM m"))
            .into
            .unwrap()
            .to_string()
    };
    for text in [
        "x",
        "rp.x",
        "db.rp.x",
        "db..x",
        "rp.:MEASUREMENT",
        "db..:MEASUREMENT",
    ] {
        assert_eq!(target(text), text);
    }
    reads(
        "SELECT u FROM (SELECT u INTO x FROM m)",
        "SELECT u FROM (SELECT u INTO x FROM m)",
    );
}

#[test]
fn counts_of_zero_are_none_and_too_large_ones_as_large_as_can_be() {
    let select = select("SELECT u FROM m LIMIT 0 OFFSET 99999999999999999999");
    assert_eq!(
        (select.limit, select.offset),
        (None, Some(i64::MAX.unsigned_abs()))
    );
}

#[test]
fn fill_and_tz_are_words_in_any_case() {
    assert_eq!(
        select("SELECT f(u) FROM m FILL(previous)").fill,
        Fill::Previous
    );
    assert_eq!(
        select("SELECT f(u) FROM m fill(7)").fill,
        Fill::Number(Number::Integer(7))
    );
    for zone in ["", "UTC", "Local"] {
        let zone = select(&format!("SELECT u FROM m TZ('{zone}')")).timezone;
        assert_eq!(zone, Some(chrono_tz::Tz::UTC));
    }
}

#[test]
fn a_long_chain_makes_no_high_tree() {
    let chain: Vec<_> = (0..50_000)
        .map(|number| format!("host = 'h{number}'"))
        .collect();
    let text = format!("SELECT u FROM m WHERE {}", chain.join(" OR "));
    let select = select(&text);
    assert_eq!(select.to_string(), text);
    let mut order = Vec::new();
    select.condition.unwrap().walk(&mut |expr| {
        if let Expr::String(host) = expr {
            order.push(host.clone());
        }
    });
    assert!(
        order
            .iter()
            .enumerate()
            .all(|(number, host)| *host == format!("h{number}"))
    );
}

#[test]
fn every_other_statement_is_read() {
    for text in [
        "EXPLAIN SELECT u FROM m",
        "EXPLAIN ANALYZE VERBOSE SELECT u FROM m",
        "DELETE FROM rp.m WHERE host = 'a'",
        "DELETE WHERE time < 0",
        "DELETE FROM /x/",
        "DROP MEASUREMENT m",
        "DROP SERIES FROM m WHERE host = 'a'",
        "SHOW DATABASES",
        "SHOW RETENTION POLICIES",
        "SHOW RETENTION POLICIES ON db",
        "SHOW MEASUREMENTS",
        "SHOW MEASUREMENTS ON db.rp WITH MEASUREMENT =~ /x/ WHERE a = 'b' ORDER BY time DESC LIMIT 1 OFFSET 2",
        "SHOW MEASUREMENTS ON *.*",
        "SHOW MEASUREMENTS ON * WITH MEASUREMENT = m",
        "SHOW SERIES ON db FROM m WHERE a = 'b' LIMIT 1 OFFSET 2",
        "SHOW TAG KEYS ON db FROM m, /x/ WITH KEY =~ /k/ WHERE a = 'b' LIMIT 1 OFFSET 2 SLIMIT 3 SOFFSET 4",
        "SHOW TAG VALUES ON db FROM m WITH KEY IN (a, \"b c\") WHERE a = 'b' ORDER BY time ASC LIMIT 1 OFFSET 2",
        "SHOW TAG VALUES WITH KEY = a",
        "SHOW TAG VALUES WITH KEY != a",
        "SHOW TAG VALUES WITH KEY !~ /a/",
        "SHOW FIELD KEYS ON db FROM m ORDER BY time ASC LIMIT 1 OFFSET 2",
        "SHOW SERIES CARDINALITY",
        "SHOW SERIES EXACT CARDINALITY ON db FROM m WHERE a = 'b' GROUP BY a, * LIMIT 1 OFFSET 2",
        "SHOW MEASUREMENT EXACT CARDINALITY",
        "SHOW TAG KEY CARDINALITY ON db",
        "SHOW TAG VALUES EXACT CARDINALITY ON db FROM m WITH KEY = a WHERE a = 'b' GROUP BY a",
        "SHOW FIELD KEY CARDINALITY FROM m",
        "SHOW CONTINUOUS QUERIES",
        "SHOW QUERIES",
        "SHOW SHARDS",
        "SHOW SHARD GROUPS",
        "SHOW SUBSCRIPTIONS",
        "SHOW USERS",
        "SHOW GRANTS FOR x",
        "SHOW STATS",
        "SHOW STATS FOR 'x'",
        "SHOW DIAGNOSTICS FOR 'x'",
        "DROP DATABASE db",
        "DROP RETENTION POLICY rp ON db",
        "DROP SHARD 1",
        "DROP USER x",
        "DROP CONTINUOUS QUERY cq ON db",
        "DROP SUBSCRIPTION s ON db.rp",
        "CREATE DATABASE db",
        "CREATE DATABASE db WITH DURATION 1d REPLICATION 1 SHARD DURATION 1h NAME rp",
        "CREATE DATABASE db WITH DURATION INF SHARD DURATION INF",
        "CREATE RETENTION POLICY rp ON db DURATION INF REPLICATION 1",
        "CREATE RETENTION POLICY rp ON db DURATION 1d REPLICATION 1 SHARD DURATION 1h DEFAULT",
        "CREATE SUBSCRIPTION s ON db.rp DESTINATIONS ANY 'udp://h:1', 'udp://h:2'",
        "CREATE CONTINUOUS QUERY cq ON db RESAMPLE EVERY 1m FOR 2m BEGIN SELECT mean(u) INTO x FROM m GROUP BY time(1m) END",
        "ALTER RETENTION POLICY rp ON db DURATION 1d REPLICATION 2 SHARD DURATION 1h DEFAULT",
        "GRANT READ ON db TO x",
        "GRANT ALL PRIVILEGES ON db TO x",
        "GRANT ALL PRIVILEGES TO x",
        "REVOKE WRITE ON db FROM x",
        "REVOKE ALL PRIVILEGES FROM x",
        "KILL QUERY 1",
        "KILL QUERY 1 ON host",
    ] {
        reads(text, text);
        reads(
            &text.to_lowercase().replace(":measurement", ":MEASUREMENT"),
            text,
        );
    }
    reads("SHOW SERIES EXACT", "SHOW SERIES");
    reads(
        "ALTER RETENTION POLICY DEFAULT ON db DEFAULT",
        "ALTER RETENTION POLICY \"default\" ON db DEFAULT",
    );
}

#[test]
fn passwords_are_kept_but_not_shown() {
    for text in [
        "CREATE USER x WITH PASSWORD 'secret' WITH ALL PRIVILEGES",
        "SET PASSWORD FOR x = 'secret'",
    ] {
        let statement = one(text);
        let password = match &statement {
            Statement::CreateUser(create) => &create.password,
            Statement::SetPassword(set) => &set.password,
            other => panic!("{other:?}"),
        };
        assert_eq!(password.expose(), "secret");
        assert!(!format!("{statement:?} {statement:#?} {statement}").contains("secret"));
    }
}

#[test]
fn a_source_may_have_no_name() {
    let select = select("SELECT u FROM \"\"");
    let Source::Measurement(measurement) = &select.sources[0] else {
        panic!("a measurement")
    };
    assert_eq!(measurement.name, MeasurementName::Name(String::new()));
}

fn bind(text: &str, value: ParamValue) -> Result<String, String> {
    let params = Params::from_json([("my x".to_owned(), value)]).unwrap();
    let text = text.replace("$x", "$\"my x\"");
    match parse_query(&text, Some(&params)) {
        Ok(statements) => Ok(statements[0].to_string()),
        Err(error) => Err(error.to_string()),
    }
}

#[test]
fn a_parameter_stands_for_one_token() {
    let text = |text: &str| ParamValue::String(text.to_owned());
    let number = |text: &str| ParamValue::Number(text.to_owned());
    let object = |kind: &str, value: ParamValue| ParamValue::Object(vec![(kind.to_owned(), value)]);
    let query = "SELECT u FROM m WHERE u = $x";
    for (value, printed) in [
        (text("a' OR 'x' = 'x"), r"'a\' OR \'x\' = \'x'"),
        (number("3.5"), "3.5"),
        (number("1.0e0"), "1"),
        (number("-3"), "-3"),
        (ParamValue::Boolean(true), "true"),
        (object("ident", text("b c")), "\"b c\""),
        (object("identifier", text("b")), "b"),
        (object("string", text("b")), "'b'"),
        (object("float", number("8")), "8"),
        (object("number", number("1.5")), "1.5"),
        (object("int", number("7")), "7"),
        (object("duration", text("90m")), "90m"),
        (object("duration", number("40000000000")), "40s"),
        (object("duration", number("-40000000000")), "-40s"),
    ] {
        assert_eq!(
            bind(query, value),
            Ok(format!("SELECT u FROM m WHERE u = {printed}"))
        );
    }
    let regex = object("regex", text("^a/b$"));
    assert_eq!(
        bind("SELECT $x FROM $x WHERE u =~ $x", regex),
        Ok("SELECT /^a\\/b$/ FROM /^a\\/b$/ WHERE u =~ /^a\\/b$/".to_owned())
    );
    assert_eq!(
        bind("SELECT u FROM m LIMIT $x", number("2")),
        Ok("SELECT u FROM m LIMIT 2".to_owned())
    );
}

#[test]
fn unfit_parameters_are_errors_where_they_are_used() {
    let text = |text: &str| ParamValue::String(text.to_owned());
    let number = |text: &str| ParamValue::Number(text.to_owned());
    let object = |kind: &str, value: ParamValue| ParamValue::Object(vec![(kind.to_owned(), value)]);
    let two = ParamValue::Object(vec![
        ("a".to_owned(), number("1")),
        ("b".to_owned(), number("2")),
    ]);
    for (value, message) in [
        (ParamValue::Null, "unable to bind parameter with type <nil>"),
        (
            ParamValue::Array,
            "unable to bind parameter with type []interface {}",
        ),
        (
            ParamValue::Object(Vec::new()),
            "bound object parameter value must have exactly one entry",
        ),
        (
            two,
            "bound object parameter value must have exactly one entry",
        ),
        (object("foo", number("1")), "unknown bind object type: foo"),
        (
            object("ident", number("1")),
            "identifier must be a string value",
        ),
        (
            object("regex", number("1")),
            "regex literal must be a string value",
        ),
        (
            object("string", number("1")),
            "string literal must be a string value",
        ),
        (
            object("float", text("x")),
            "number literal must be a float value",
        ),
        (
            object("int", number("1.5")),
            "integer literal must be an integer value",
        ),
        (
            object("duration", number("1.5")),
            "duration literal must be a string or integer value",
        ),
    ] {
        let message = format!("missing parameter: {message}");
        assert_eq!(bind("SELECT u FROM m WHERE u = $x", value), Err(message));
    }
    assert_eq!(
        bind(
            "SELECT u FROM m WHERE u = $x",
            object("duration", text("5x"))
        ),
        Err("invalid duration".to_owned())
    );
    assert_eq!(
        bind(
            "SELECT u FROM m WHERE u =~ $x",
            object("regex", number("1"))
        ),
        Err(
            "found regex literal must be a string value, expected regex at line 1, char 28"
                .to_owned()
        )
    );
    assert_eq!(
        bind("SELECT u FROM $x", text("m")),
        Err("found m, expected identifier at line 1, char 15".to_owned())
    );
    check("SELECT u FROM m WHERE u = $x", "missing parameter: x");
    check(
        "SELECT u FROM m WHERE u = $\"x y\"",
        "missing parameter: x y",
    );
}

#[test]
fn numbers_out_of_range_are_errors_at_once() {
    let error = |text: &str| {
        let value = ParamValue::Number(text.to_owned());
        let nested = ParamValue::Object(vec![("int".to_owned(), value.clone())]);
        let message = |value| {
            Params::from_json([("x".to_owned(), value)])
                .unwrap_err()
                .to_string()
        };
        assert_eq!(message(nested), message(value.clone()));
        message(value)
    };
    assert_eq!(
        error("1e5"),
        "error parsing json value: strconv.ParseInt: parsing \"1e5\": invalid syntax"
    );
    assert_eq!(
        error("99999999999999999999"),
        "error parsing json value: strconv.ParseInt: parsing \"99999999999999999999\": value out of range"
    );
}
