//! Texts that are refused, and with which words.

use super::check;

#[test]
fn errors_of_the_contract_read_so_too() {
    check(
        "SELECT a b FROM m",
        "found b, expected FROM at line 1, char 10",
    );
    check(
        "SELECT a FROM m WHERE x IN (1)",
        "found IN, expected ; at line 1, char 25",
    );
    check(
        "SELECT",
        "found EOF, expected identifier, string, number, bool at line 1, char 8",
    );
    check("SELECT a", "found EOF, expected FROM at line 1, char 10");
    check(
        "SELECT a FROM m WHERE (a = 1",
        "found EOF, expected ) at line 1, char 29",
    );
    check(
        "SELECT a FROM m WHERE a =~ 'x'",
        "found x, expected regex at line 1, char 27",
    );
    check(
        "SELECT a FROM m WHERE a =~",
        "found EOF, expected regex at line 1, char 28",
    );
    check(
        "SELECT a FROM m ORDER BY 1",
        "found 1, expected identifier, ASC, DESC at line 1, char 26",
    );
    check(
        "SELECT a FROM m ORDER BY time, time",
        "only ORDER BY time supported at this time",
    );
    check("SELECT a FROM m tz", "tz must be a function call");
    check(
        "SELECT a::foo FROM m",
        "found foo, expected float, integer, unsigned, string, boolean, field, tag at line 1, char 11",
    );
    check(
        "SELECT *::float FROM m",
        "found float, expected field, tag at line 1, char 11",
    );
    check(
        "SELECT DISTINCT 1 FROM m",
        "found 1, expected identifier at line 1, char 17",
    );
    check(
        "SELECT a FROM m WHERE a =~ /x",
        "bad regex:  at line 1, char 27",
    );
    check(
        "SELECT u,",
        "found EOF, expected identifier, string, number, bool at line 1, char 11",
    );
    check(
        "SELECT mean(",
        "found EOF, expected identifier, string, number, bool at line 1, char 14",
    );
    check(
        "SHOW RETENTION POLICIES ON",
        "found EOF, expected identifier at line 1, char 28",
    );
    check(
        "SHOW TAG VALUES WITH KEY x",
        "found x, expected IN, =, =~ at line 1, char 26",
    );
    check("ALTER RETENTION POLICY a ON b", ALTER_OPTIONS);
    check(
        "ALTER RETENTION POLICY a ON b SHARD DURATION INF",
        "invalid duration INF for shard duration at line 1, char 46",
    );
    check("SELECT $ FROM m", "empty bound parameter");
    check(
        "SELECT u FROM m WHERE u > -9223372036854775809",
        "constant -9223372036854775809 underflows int64",
    );
    check(
        "SELECT u FROM m WHERE time > 9999999w",
        "overflowed duration 9999999w: choose a smaller duration or INF",
    );
    check(
        "SELECT u FROM a.b.c.d",
        "too many segments in \"a\".\"b\".\"c\".d at line 1, char 1",
    );
}

const ALTER_OPTIONS: &str =
    "found EOF, expected DURATION, REPLICATION, SHARD, DEFAULT at line 1, char 31";

#[test]
fn lines_are_counted() {
    check(
        "SELECT u\nFROM cpu\nWHERE",
        "found EOF, expected identifier, string, number, bool at line 3, char 7",
    );
    check(
        "SELECT u\r\nFROM 1",
        "found 1, expected identifier at line 2, char 6",
    );
    check(
        "SELECT u\rFROM 1",
        "found 1, expected identifier at line 2, char 6",
    );
    check(
        "SELECT u -- x\nFROM 1",
        "found 1, expected identifier at line 2, char 6",
    );
}

#[test]
fn a_comment_without_end_is_an_error() {
    check(
        "SELECT u FROM cpu /* x",
        "found ILLEGAL, expected ; at line 1, char 19",
    );
    check(
        "SELECT /* x",
        "found ILLEGAL, expected identifier, string, number, bool at line 1, char 8",
    );
    check(
        "SELECT u FROM cpu /x/",
        "found  , expected regex at line 1, char 18",
    );
}

#[test]
fn a_password_is_not_quoted_by_an_error() {
    check(
        "CREATE USER x WITH PASSWORD 'secret",
        "found [REDACTED], expected string at line 1, char 28",
    );
    check(
        "SET PASSWORD FOR x = 'se\\cret'",
        "found [REDACTED], expected string at line 1, char 26",
    );
}

#[test]
fn too_deep_a_query_is_refused_and_not_a_crash() {
    let deep = "query is nested too deeply";
    check(&format!("SELECT {}", "(".repeat(1 << 20)), deep);
    check(
        &format!("SELECT u FROM m WHERE {}", "(".repeat(1 << 20)),
        deep,
    );
    check(&format!("SELECT {}", "f(".repeat(1 << 19)), deep);
    check(
        &format!("SELECT u FROM {}", "(SELECT u FROM ".repeat(1 << 16)),
        deep,
    );
    check(&format!("SELECT {}", "-(".repeat(1 << 19)), deep);
    check(
        &format!("SELECT u FROM m WHERE u{}", " + u".repeat(1 << 18)),
        deep,
    );
    check(&format!("SELECT u{} FROM m", " + u".repeat(1000)), deep);
}
