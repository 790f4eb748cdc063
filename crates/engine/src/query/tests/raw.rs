//! Queries without calls (InfluxQL 5, 6, 8).

use super::check;

#[test]
fn rows_come_by_time_with_the_columns_asked_for() {
    check(&[
        (
            "SELECT u FROM cpu",
            &["cpu (time,u) [+0 1] [+5 3] [+10 2] [+20 8] [+25 4] [+65 6]"],
        ),
        (
            "SELECT u, host FROM cpu WHERE host = 'a'",
            &["cpu (time,u,host) [+0 1 \"a\"] [+10 2 \"a\"] [+25 4 \"a\"]"],
        ),
        ("SELECT host FROM cpu", &[]),
        (
            "SELECT u, nosuch FROM cpu LIMIT 1",
            &["cpu (time,u,nosuch) [+0 1 null]"],
        ),
        ("SELECT u FROM nosuch", &[]),
        (
            "SELECT time AS t, u FROM cpu LIMIT 1",
            &["cpu (t,u) [+0 1]"],
        ),
        (
            "SELECT u FROM cpu WHERE time > '2020-01-01T00:00:20Z' + 5s",
            &["cpu (time,u) [+65 6]"],
        ),
    ]);
}

#[test]
fn wildcards_and_patterns_stand_for_columns() {
    check(&[
        (
            "SELECT * FROM cpu LIMIT 1",
            &["cpu (time,b,dc,host,i,s,u) [+0 true \"x\" \"a\" 10 \"one\" 1]"],
        ),
        (
            "SELECT *::tag, u FROM cpu LIMIT 1",
            &["cpu (time,dc,host,u) [+0 \"x\" \"a\" 1]"],
        ),
        (
            "SELECT /^[hd]/, u FROM cpu LIMIT 1",
            &["cpu (time,dc,host,u) [+0 \"x\" \"a\" 1]"],
        ),
        (
            "SELECT *, u FROM cpu LIMIT 1",
            &["cpu (time,b,dc,host,i,s,u,u_1) [+0 true \"x\" \"a\" 10 \"one\" 1 1]"],
        ),
        (
            "SELECT * FROM cpu, mem LIMIT 1",
            &[
                "cpu (time,b,dc,f,host,i,s,u) [+0 true \"x\" null \"a\" 10 \"one\" 1]",
                "mem (time,b,dc,f,host,i,s,u) [+0 null null 100 null null null null]",
            ],
        ),
        (
            "SELECT * FROM cpu GROUP BY host LIMIT 1",
            &[
                "cpu{host=a} (time,b,dc,i,s,u) [+0 true \"x\" 10 \"one\" 1]",
                "cpu{host=b} (time,b,dc,i,s,u) [+5 true \"x\" 7 \"three\" 3]",
            ],
        ),
        ("SELECT f FROM /m/", &["mem (time,f) [+0 100] [+60 50]"]),
    ]);
}

#[test]
fn groups_are_series_of_the_answer() {
    check(&[
        (
            "SELECT u FROM cpu GROUP BY host",
            &[
                "cpu{host=a} (time,u) [+0 1] [+10 2] [+25 4]",
                "cpu{host=b} (time,u) [+5 3] [+20 8] [+65 6]",
            ],
        ),
        (
            "SELECT u FROM cpu GROUP BY host ORDER BY time DESC",
            &[
                "cpu{host=b} (time,u) [+65 6] [+20 8] [+5 3]",
                "cpu{host=a} (time,u) [+25 4] [+10 2] [+0 1]",
            ],
        ),
        (
            "SELECT u FROM cpu GROUP BY host LIMIT 1 OFFSET 1",
            &[
                "cpu{host=a} (time,u) [+10 2]",
                "cpu{host=b} (time,u) [+20 8]",
            ],
        ),
        (
            "SELECT u FROM cpu GROUP BY host SLIMIT 1",
            &["cpu{host=a} (time,u) [+0 1] [+10 2] [+25 4]"],
        ),
        (
            "SELECT u FROM cpu GROUP BY nosuch LIMIT 1",
            &["cpu{nosuch=} (time,u) [+0 1]"],
        ),
        (
            "SELECT u FROM cpu GROUP BY /^h/ LIMIT 1",
            &["cpu{host=a} (time,u) [+0 1]", "cpu{host=b} (time,u) [+5 3]"],
        ),
        (
            "SELECT u FROM cpu ORDER BY time DESC LIMIT 2 OFFSET 1",
            &["cpu (time,u) [+25 4] [+20 8]"],
        ),
    ]);
}

#[test]
fn missing_cells_are_filled() {
    check(&[
        (
            "SELECT u, i FROM cpu fill(previous)",
            &["cpu (time,u,i) [+0 1 10] [+5 3 7] [+10 2 20] [+20 8 20] [+25 4 5] [+65 6 9]"],
        ),
        (
            "SELECT u, s FROM cpu fill(0)",
            &[
                "cpu (time,u,s) [+0 1 \"one\"] [+5 3 \"three\"] [+10 2 \"two\"] [+20 8 0] [+25 4 0] [+65 6 0]",
            ],
        ),
    ]);
}

#[test]
fn casts_convert_numbers_only() {
    check(&[
        (
            "SELECT u::integer, i::float, s::float FROM cpu WHERE host='a'",
            &["cpu (time,u,i,s) [+0 1 10 null] [+10 2 20 null] [+25 4 5 null]"],
        ),
        ("SELECT u::string FROM cpu", &[]),
    ]);
}

#[test]
fn arithmetic_follows_the_types() {
    check(&[
        (
            "SELECT u + i FROM cpu",
            &["cpu (time,u_i) [+0 11] [+5 10] [+10 22] [+20 null] [+25 9] [+65 15]"],
        ),
        (
            "SELECT u + 1, -u, 2 * u AS dbl, u + i FROM cpu WHERE host='a'",
            &["cpu (time,u,u_1,dbl,u_i) [+0 2 -1 2 11] [+10 3 -2 4 22] [+25 5 -4 8 9]"],
        ),
        (
            "SELECT i / 4, i % 4, i & 3 FROM cpu WHERE host='a'",
            &["cpu (time,i,i_1,i_2) [+0 2.5 2 2] [+10 5 0 0] [+25 1.25 1 1]"],
        ),
        (
            "SELECT i + 1.5, i ^ 3, i | 1 FROM cpu WHERE host='a'",
            &["cpu (time,i,i_1,i_2) [+0 11.5 9 11] [+10 21.5 23 21] [+25 6.5 6 5]"],
        ),
        (
            "SELECT u / 0, i / 0, i % 0 FROM cpu LIMIT 1",
            &["cpu (time,u,i,i_1) [+0 0 0 0]"],
        ),
        (
            "SELECT round(u * 0.5), floor(-u / 3) FROM cpu WHERE host='a'",
            &["cpu (time,round,floor) [+0 1 -1] [+10 1 -1] [+25 2 -2]"],
        ),
        (
            "SELECT abs(s) FROM cpu",
            &["cpu (time,abs) [+0 null] [+5 null] [+10 null]"],
        ),
        (
            "SELECT u AS x, i AS x FROM cpu LIMIT 1",
            &["cpu (time,x,x) [+0 1 10]"],
        ),
    ]);
}

#[test]
fn conditions_take_rows_and_series() {
    check(&[
        (
            "SELECT u FROM cpu WHERE i > 8",
            &["cpu (time,u) [+0 1] [+10 2] [+65 6]"],
        ),
        (
            "SELECT u FROM cpu WHERE 8 < i",
            &["cpu (time,u) [+0 1] [+10 2] [+65 6]"],
        ),
        (
            "SELECT u FROM cpu WHERE i != 10",
            &["cpu (time,u) [+5 3] [+10 2] [+25 4] [+65 6]"],
        ),
        (
            "SELECT u FROM cpu WHERE s =~ /^t/",
            &["cpu (time,u) [+5 3] [+10 2]"],
        ),
        (
            "SELECT u FROM cpu WHERE s !~ /^t/",
            &["cpu (time,u) [+0 1]"],
        ),
        (
            "SELECT u FROM cpu WHERE host > 'a'",
            &["cpu (time,u) [+5 3] [+20 8] [+65 6]"],
        ),
        (
            "SELECT u FROM cpu WHERE nosuch = ''",
            &["cpu (time,u) [+0 1] [+5 3] [+10 2] [+20 8] [+25 4] [+65 6]"],
        ),
        ("SELECT free FROM disk WHERE dc != ''", &[]),
        (
            "SELECT u FROM cpu WHERE b <> true",
            &["cpu (time,u) [+10 2]"],
        ),
        (
            "SELECT u FROM cpu WHERE u < i",
            &["cpu (time,u) [+0 1] [+5 3] [+10 2] [+25 4] [+65 6]"],
        ),
        (
            "SELECT u FROM cpu WHERE i / 4 = 2",
            &["cpu (time,u) [+0 1] [+65 6]"],
        ),
        (
            "SELECT u FROM cpu WHERE i & 1 = 1",
            &["cpu (time,u) [+5 3] [+25 4] [+65 6]"],
        ),
        (
            "SELECT u FROM cpu WHERE (host = 'a' AND u > 1) OR i = 9",
            &["cpu (time,u) [+10 2] [+25 4] [+65 6]"],
        ),
        (
            "SELECT u FROM cpu WHERE host = 'b' AND (dc = 'y' OR u > 6)",
            &["cpu (time,u) [+20 8]"],
        ),
        (
            "SELECT u FROM cpu WHERE host =~ /a|c/ AND u >= 2",
            &["cpu (time,u) [+10 2] [+25 4]"],
        ),
        (
            "SELECT u FROM cpu WHERE true AND host = 'a'",
            &["cpu (time,u) [+0 1] [+10 2] [+25 4]"],
        ),
        ("SELECT u FROM cpu WHERE 1 = 2", &[]),
        (
            "SELECT u FROM cpu WHERE sqrt(i * i) = 7",
            &["cpu (time,u) [+5 3]"],
        ),
        (
            "SELECT u FROM cpu WHERE time = '2020-01-01T00:00:10Z' OR time = '2020-01-01T00:00:20Z'",
            &[],
        ),
    ]);
}
