//! Texts that InfluxDB 2.9.1 refused, and with which words.

use super::check;

#[test]
fn queries_are_refused_as_by_influxdb() {
    check(
        "SELECT /u/ + 1 FROM cpu",
        "found +, expected FROM at line 1, char 12",
    );
    check(
        "SELECT count(distinct *) FROM cpu",
        "found *, expected identifier at line 1, char 23",
    );
    check(
        "SELECT u FROM a.b.c.d",
        r#"too many segments in "a"."b"."c".d at line 1, char 1"#,
    );
    check(
        "SELECT b AND b FROM cpu",
        "invalid operator AND in SELECT clause at line 1, char 8; operator is intended for WHERE clause",
    );
    check(
        "SELECT u > 1 FROM cpu",
        "invalid operator > in SELECT clause at line 1, char 8; operator is intended for WHERE clause",
    );
    check(
        "SELECT u = 1 FROM cpu",
        "invalid operator = in SELECT clause at line 1, char 8; operator is intended for WHERE clause",
    );
    check(
        "SELECT b = true FROM cpu",
        "invalid operator = in SELECT clause at line 1, char 8; operator is intended for WHERE clause",
    );
    check("SELECT u FROM cpu WHERE u>1AND u<5", "invalid duration");
    check(
        "SELECT u+1,u-1,u*-1,u--1 FROM cpu LIMIT 1",
        "found EOF, expected FROM at line 1, char 43",
    );
    check(
        "SELECT u FROM",
        "found EOF, expected identifier at line 1, char 15",
    );
    check(
        "SELECT u,  FROM cpu",
        "found FROM, expected identifier, string, number, bool at line 1, char 12",
    );
    check(
        "SELECT u cpu",
        "found cpu, expected FROM at line 1, char 10",
    );
    check(
        "SELECT u FROM cpu WHERE",
        "found EOF, expected identifier, string, number, bool at line 1, char 25",
    );
    check(
        "SELECT u FROM cpu WHERE u = 1)",
        "found ), expected ; at line 1, char 30",
    );
    check(
        "SELECT u FROM cpu GROUP",
        "found EOF, expected BY at line 1, char 25",
    );
    check(
        "SELECT u FROM cpu GROUP BY",
        "found EOF, expected identifier, string, number, bool at line 1, char 28",
    );
    check(
        "SELECT u FROM cpu GROUP time(1m)",
        "found time, expected BY at line 1, char 25",
    );
    check(
        "SELECT u FROM cpu OFFSET x",
        "found x, expected integer at line 1, char 26",
    );
    check(
        "SELECT u FROM cpu ORDER time",
        "found time, expected BY at line 1, char 25",
    );
    check(
        "SELECT u FROM cpu ORDER BY",
        "found EOF, expected identifier, ASC, DESC at line 1, char 28",
    );
    check(
        "SELECT mean(u FROM cpu",
        "found FROM, expected ) at line 1, char 15",
    );
    check(
        "SELECT mean (u) FROM cpu",
        "found (, expected FROM at line 1, char 13",
    );
    check(
        "SELECT u FROM 1",
        "found 1, expected identifier at line 1, char 15",
    );
    check(
        "SELECT u FROM (DELETE FROM cpu)",
        "found DELETE, expected SELECT at line 1, char 16",
    );
    check(
        "SELECT u FROM cpu WHERE host LIKE 'a'",
        "found LIKE, expected ; at line 1, char 30",
    );
    check(
        "SELECT u FROM cpu WHERE NOT b",
        "found b, expected ; at line 1, char 29",
    );
    check(
        "SELECT u FROM cpu WHERE u BETWEEN 1 AND 2",
        "found BETWEEN, expected ; at line 1, char 27",
    );
    check(
        "SELECT u FROM cpu WHERE host =~ /(/",
        "error parsing regexp: missing closing ): `(` at line 1, char 32",
    );
    check(
        "SELECT u FROM cpu WHERE host = 'a",
        "found a, expected identifier, string, number, bool at line 1, char 31",
    );
    check("SELECT u FROM cpu WHERE u = 10x", "invalid duration");
    check("SELECT u FROM cpu WHERE u > 1e5", "invalid duration");
    check(
        "SELECT u FROM cpu WHERE i > 99999999999999999999",
        "unable to parse integer at line 1, char 29",
    );
    check(
        "SELECT u FROM cpu WHERE time > now() - 99999999w",
        "overflowed duration 99999999w: choose a smaller duration or INF",
    );
    check(
        r"SELECT u FROM cpu WHERE host = 'a\q'",
        r"found \q, expected identifier, string, number, bool at line 1, char 35",
    );
    check(
        "SELECT u FROM cpu JOIN mem",
        "found JOIN, expected ; at line 1, char 19",
    );
    check(
        "SELECT u AS FROM cpu",
        "found FROM, expected identifier at line 1, char 13",
    );
    check(
        "SELECT u AS 'x' FROM cpu",
        "found x, expected identifier at line 1, char 12",
    );
    check(
        "SELECT u FROM cpu HAVING u > 1",
        "found HAVING, expected ; at line 1, char 19",
    );
    check(
        "SELECT u FROM cpu LIMIT 1 LIMIT 2",
        "found LIMIT, expected ; at line 1, char 27",
    );
    check(
        "SELECT u FROM cpu ORDER BY time LIMIT 1 WHERE u = 1",
        "found WHERE, expected ; at line 1, char 41",
    );
    check(
        "SELECT # FROM cpu",
        "found #, expected identifier, string, number, bool at line 1, char 8",
    );
    check(
        "SELECT u FROM cpu;;; foo",
        "found foo, expected SELECT, DELETE, SHOW, CREATE, DROP, EXPLAIN, GRANT, REVOKE, ALTER, SET, KILL at line 1, char 22",
    );
    check(
        "SELECT u FROM cpu WHERE u ! 1",
        "found !, expected ; at line 1, char 27",
    );
    check(
        "SELECT u::1 FROM cpu",
        "found 1, expected float, integer, string, boolean, field, tag at line 1, char 11",
    );
    check(
        "EXPLAIN DELETE FROM cpu",
        "found DELETE, expected SELECT at line 1, char 9",
    );
    check(
        "EXPLAIN ANALYZE SHOW SERIES",
        "found SHOW, expected SELECT at line 1, char 17",
    );
    check("SELECT $x FROM cpu", "missing parameter: x");
    check(
        "SELECT u FROM cpu WHERE host = $host",
        "missing parameter: host",
    );
    check("SELECT u FROM cpu tz()", "tz requires exactly one argument");
    check(
        "SELECT u FROM cpu tz(1)",
        "expected string argument in tz()",
    );
    check(
        "SELECT u FROM cpu WHERE AND u = 1",
        "found AND, expected identifier, string, number, bool at line 1, char 25",
    );
    check(
        "SELECT u + FROM cpu",
        "found FROM, expected identifier, string, number, bool at line 1, char 12",
    );
    check(
        "SELECT u FROM cpu,",
        "found EOF, expected identifier at line 1, char 20",
    );
    check(
        "SELECT -'x' FROM cpu",
        "found x, expected identifier, number, duration, ( at line 1, char 8",
    );
    check(
        "SELECT count(u) FROM cpu GROUP BY time(1x)",
        "invalid duration",
    );
    check(
        "SELECT count(distinct 1) FROM cpu",
        "found 1, expected identifier at line 1, char 23",
    );
    check(
        "SELECT mean(u) FROM cpu WHERE time >= '2020-01-01T00:00:00Z' AND time < '2020-01-01T00:01:20Z' GROUP BY time(20s) fill()",
        "fill requires an argument, e.g.: 0, null, none, previous, linear",
    );
    check(
        "SELECT mean(u) FROM cpu WHERE time >= '2020-01-01T00:00:00Z' AND time < '2020-01-01T00:01:20Z' GROUP BY time(20s) fill(abc)",
        "expected number argument in fill()",
    );
    check(
        "SELECT mean(u) FROM cpu WHERE time >= '2020-01-01T00:00:00Z' AND time < '2020-01-01T00:01:20Z' GROUP BY time(20s) fill(NULL)",
        "expected number argument in fill()",
    );
    check(
        "SELECT mean(u) FROM cpu WHERE time >= '2020-01-01T00:00:00Z' AND time < '2020-01-01T00:01:20Z' GROUP BY time(20s) fill",
        "fill must be a function call",
    );
    check(
        "SELECT mean(u) FROM cpu WHERE time >= '2020-01-01T00:00:00Z' AND time < '2020-01-01T00:01:20Z' GROUP BY time(20s) fill('x')",
        "expected number argument in fill()",
    );
    check(
        "SELECT mean(u) FROM cpu WHERE time >= '2020-01-01T00:00:00Z' AND time < '2020-01-01T00:01:20Z' GROUP BY time(20s) fill(1e3)",
        "invalid duration",
    );
    check(
        "SELECT u FROM cpu LIMIT -1",
        "found -, expected integer at line 1, char 25",
    );
    check(
        "SELECT u FROM cpu LIMIT 1.5",
        "found 1.5, expected integer at line 1, char 25",
    );
    check(
        "SELECT u FROM cpu LIMIT a",
        "found a, expected integer at line 1, char 25",
    );
    check(
        "SELECT u FROM cpu ORDER BY TIME DESC",
        "only ORDER BY time supported at this time",
    );
    check(
        "SELECT u FROM cpu ORDER BY u",
        "only ORDER BY time supported at this time",
    );
    check(
        "SELECT * FROM select",
        "found SELECT, expected identifier at line 1, char 15",
    );
    check(
        "SELECT * FROM dot.ted.name",
        "found NAME, expected identifier at line 1, char 23",
    );
    check(
        "SELECT * FROM 1digit",
        "found 1digit, expected identifier at line 1, char 15",
    );
    check(
        "SELECT name FROM same",
        "found NAME, expected identifier, string, number, bool at line 1, char 8",
    );
    check(
        "SELECT name FROM same WHERE name::tag = 'x'",
        "found NAME, expected identifier, string, number, bool at line 1, char 8",
    );
    check(
        "SELECT name FROM same GROUP BY name",
        "found NAME, expected identifier, string, number, bool at line 1, char 8",
    );
    check(
        "SELECT u FROM cpu LIMIT 1 SELECT f FROM mem",
        "found SELECT, expected ; at line 1, char 27",
    );
    check(
        "SELECT u FROM cpu LIMIT 1 tz('Nowhere/X')",
        "unable to find time zone Nowhere/X",
    );
    check(
        "SELECT u FROM cpu LIMIT 1 tz('america/new_york')",
        "unable to find time zone america/new_york",
    );
    check(
        "SELECT f FROM t WHERE k = 'a' OR f > 1e3",
        "invalid duration",
    );
}

#[test]
fn other_statements_are_refused_as_by_influxdb() {
    check(
        "SHOW TAG VALUES CARDINALITY",
        "found EOF, expected WITH at line 1, char 29",
    );
    check(
        "foo",
        "found foo, expected SELECT, DELETE, SHOW, CREATE, DROP, EXPLAIN, GRANT, REVOKE, ALTER, SET, KILL at line 1, char 1",
    );
    check(
        r#"SELECT u FROM "cpu"#,
        "found cpu, expected identifier at line 1, char 14",
    );
    check(
        r#"SELECT u FROM "a\q""#,
        r"found \q, expected identifier at line 1, char 18",
    );
    check(
        "SHOW",
        "found EOF, expected CONTINUOUS, DATABASES, DIAGNOSTICS, FIELD, GRANTS, MEASUREMENT, MEASUREMENTS, QUERIES, RETENTION, SERIES, SHARD, SHARDS, STATS, SUBSCRIPTIONS, TAG, USERS at line 1, char 6",
    );
    check(
        "SHOW foo",
        "found foo, expected CONTINUOUS, DATABASES, DIAGNOSTICS, FIELD, GRANTS, MEASUREMENT, MEASUREMENTS, QUERIES, RETENTION, SERIES, SHARD, SHARDS, STATS, SUBSCRIPTIONS, TAG, USERS at line 1, char 6",
    );
    check(
        "SHOW TAG",
        "found EOF, expected KEY, KEYS, VALUES at line 1, char 10",
    );
    check(
        "SHOW TAG KEY",
        "found EOF, expected EXACT, CARDINALITY at line 1, char 14",
    );
    check(
        "SHOW FIELD",
        "found EOF, expected KEY, KEYS at line 1, char 12",
    );
    check(
        "SHOW FIELD KEYS WHERE a = 'b'",
        "found WHERE, expected ; at line 1, char 17",
    );
    check(
        "SHOW TAG VALUES WITH",
        "found EOF, expected KEY at line 1, char 22",
    );
    check(
        "SHOW TAG VALUES WITH KEY",
        "found EOF, expected IN, =, =~ at line 1, char 26",
    );
    check(
        "SHOW TAG VALUES WITH KEY = 'host'",
        "found host, expected identifier at line 1, char 27",
    );
    check(
        "SHOW TAG VALUES WITH KEY IN host",
        "found host, expected ( at line 1, char 29",
    );
    check(
        "SHOW TAG VALUES WITH KEY IN (host",
        "found EOF, expected ) at line 1, char 35",
    );
    check(
        "SHOW MEASUREMENTS WITH MEASUREMENT cpu",
        "found cpu, expected =, =~ at line 1, char 36",
    );
    check(
        "SHOW MEASUREMENTS ON 1",
        "found 1, expected identifier or * at line 1, char 22",
    );
    check(
        "SHOW SERIES FROM",
        "found EOF, expected identifier at line 1, char 18",
    );
    check(
        "SHOW SHARD",
        "found EOF, expected GROUPS at line 1, char 12",
    );
    check(
        "SHOW CONTINUOUS",
        "found EOF, expected QUERIES at line 1, char 17",
    );
    check(
        "CREATE",
        "found EOF, expected CONTINUOUS, DATABASE, USER, RETENTION, SUBSCRIPTION at line 1, char 8",
    );
    check(
        "CREATE DATABASE",
        "found EOF, expected identifier at line 1, char 17",
    );
    check(
        "CREATE DATABASE foo WITH",
        "found EOF, expected DURATION, NAME, REPLICATION, SHARD at line 1, char 26",
    );
    check(
        "CREATE DATABASE foo WITH REPLICATION 0",
        "invalid value 0: must be 1 <= n <= 2147483647 at line 1, char 38",
    );
    check(
        "CREATE RETENTION POLICY a ON b",
        "found EOF, expected DURATION at line 1, char 32",
    );
    check(
        "CREATE RETENTION POLICY a ON b DURATION 1d",
        "found EOF, expected REPLICATION at line 1, char 43",
    );
    check(
        "CREATE USER x",
        "found EOF, expected WITH at line 1, char 15",
    );
    check(
        "CREATE USER x WITH PASSWORD y",
        "found y, expected string at line 1, char 29",
    );
    check(
        "CREATE CONTINUOUS QUERY cq ON db0 BEGIN SELECT mean(u) FROM cpu GROUP BY time(1m) END",
        "found FROM, expected INTO at line 1, char 56",
    );
    check(
        "DROP",
        "found EOF, expected CONTINUOUS, DATABASE, MEASUREMENT, RETENTION, SERIES, SHARD, SUBSCRIPTION, USER at line 1, char 6",
    );
    check(
        "DROP SERIES",
        "found EOF, expected FROM, WHERE at line 1, char 13",
    );
    check(
        "DROP SERIES FROM rp0.cpu",
        "retention policy not supported at line 1, char 1",
    );
    check(
        "DROP MEASUREMENT /cpu/",
        "found /, expected identifier at line 1, char 18",
    );
    check(
        "DROP SHARD x",
        "found x, expected integer at line 1, char 12",
    );
    check(
        "ALTER RETENTION POLICY a ON b DURATION 1d DURATION 2d",
        "found duplicate DURATION option at line 1, char 43",
    );
    check(
        "GRANT",
        "found EOF, expected READ, WRITE, ALL [PRIVILEGES] at line 1, char 7",
    );
    check(
        "GRANT foo TO x",
        "found foo, expected READ, WRITE, ALL [PRIVILEGES] at line 1, char 7",
    );
    check(
        "REVOKE ALL ON db0",
        "found EOF, expected FROM at line 1, char 19",
    );
    check("SET PASSWORD x", "found x, expected FOR at line 1, char 14");
    check("KILL", "found EOF, expected QUERY at line 1, char 6");
    check(
        "KILL QUERY x",
        "found x, expected integer at line 1, char 12",
    );
    check(
        "DELETE",
        "found EOF, expected FROM, WHERE at line 1, char 8",
    );
    check(
        "DELETE cpu",
        "found cpu, expected FROM, WHERE at line 1, char 8",
    );
    check(
        "DELETE FROM db0.rp0.cpu",
        "database not supported at line 1, char 1",
    );
    check(
        "DELETE FROM cpu WHERE",
        "found EOF, expected identifier, string, number, bool at line 1, char 23",
    );
    check(
        "DELETE FROM (SELECT u FROM cpu)",
        "found (, expected identifier at line 1, char 13",
    );
    check(
        "USE db0",
        "found USE, expected SELECT, DELETE, SHOW, CREATE, DROP, EXPLAIN, GRANT, REVOKE, ALTER, SET, KILL at line 1, char 1",
    );
    check(
        r#"SELECT u FROM cpu WHERE s = "ü" AND == 1"#,
        "found =, expected identifier, string, number, bool at line 1, char 37",
    );
    check(
        "é",
        "found é, expected SELECT, DELETE, SHOW, CREATE, DROP, EXPLAIN, GRANT, REVOKE, ALTER, SET, KILL at line 1, char 1",
    );
    check(
        "SHOW MEASUREMENTS WITH MEASUREMENT !~ /cpu/",
        "found !~, expected =, =~ at line 1, char 36",
    );
    check(
        "SHOW TAG VALUES FROM cpu WITH KEY = host ORDER BY value",
        "only ORDER BY time supported at this time",
    );
    check(
        r#"SELECT f AS über FROM "quote'd""#,
        "found ü, expected identifier at line 1, char 13",
    );
}
