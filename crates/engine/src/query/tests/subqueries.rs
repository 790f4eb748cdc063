//! Queries over the rows of queries (InfluxQL 11).

use super::check;

#[test]
fn rows_of_a_query_are_points_for_the_one_around_it() {
    check(&[
        (
            "SELECT max(m) FROM (SELECT mean(u) AS m FROM cpu GROUP BY host)",
            &["cpu (time,max) [E 5.666666666666667]"],
        ),
        (
            "SELECT m, host FROM (SELECT mean(u) AS m FROM cpu GROUP BY host)",
            &["cpu (time,m,host) [E 2.3333333333333335 \"a\"] [E 5.666666666666667 \"b\"]"],
        ),
        (
            "SELECT * FROM (SELECT mean(u) FROM cpu GROUP BY host)",
            &["cpu (time,host,mean) [E \"a\" 2.3333333333333335] [E \"b\" 5.666666666666667]"],
        ),
        (
            "SELECT mean(m) FROM (SELECT max(u) AS m FROM cpu GROUP BY time(20s), host) WHERE $W",
            &["cpu (time,mean) [+0 4.6]"],
        ),
        (
            "SELECT mean(m) FROM (SELECT mean(u) AS m FROM cpu WHERE $W GROUP BY time(20s) fill(0))",
            &["cpu (time,mean) [E 3.5]"],
        ),
        (
            "SELECT top(m, host, 1) FROM (SELECT mean(u) AS m FROM cpu GROUP BY host)",
            &["cpu (time,top,host) [E 5.666666666666667 \"b\"]"],
        ),
        (
            "SELECT host FROM (SELECT max(u) FROM cpu GROUP BY host)",
            &["cpu (time,host) [+20 \"b\"] [+25 \"a\"]"],
        ),
    ]);
}

#[test]
fn only_columns_and_dimensions_are_visible() {
    check(&[
        (
            "SELECT u, host FROM (SELECT u FROM cpu) LIMIT 1",
            &["cpu (time,u,host) [+0 1 null]"],
        ),
        ("SELECT u FROM (SELECT u FROM cpu) WHERE host = 'a'", &[]),
        (
            "SELECT u FROM (SELECT u FROM cpu) GROUP BY host",
            &[
                "cpu{host=a} (time,u) [+0 1] [+10 2] [+25 4]",
                "cpu{host=b} (time,u) [+5 3] [+20 8] [+65 6]",
            ],
        ),
        (
            "SELECT x FROM (SELECT u AS x, host FROM cpu) WHERE host = 'a'",
            &["cpu (time,x) [+0 1] [+10 2] [+25 4]"],
        ),
        (
            "SELECT m FROM (SELECT max(u) AS m FROM cpu GROUP BY host) WHERE m > 5",
            &["cpu (time,m) [+20 8]"],
        ),
    ]);
}

#[test]
fn intervals_and_ranges_reach_inwards() {
    check(&[
        (
            "SELECT sum(x) FROM (SELECT sum(u) AS x FROM cpu) WHERE $W GROUP BY time(40s)",
            &["cpu (time,sum) [+0 18] [+40 6]"],
        ),
        (
            "SELECT count(u) FROM (SELECT u FROM cpu) WHERE $W AND time < '2020-01-01T00:00:20Z'",
            &["cpu (time,count) [+0 3]"],
        ),
    ]);
}

#[test]
fn limits_inside_come_first() {
    check(&[
        (
            "SELECT mean(u) FROM (SELECT u FROM cpu LIMIT 2)",
            &["cpu (time,mean) [E 2]"],
        ),
        (
            "SELECT u FROM (SELECT u FROM cpu LIMIT 2)",
            &["cpu (time,u) [+0 1] [+5 3]"],
        ),
        (
            "SELECT u FROM (SELECT u FROM cpu) ORDER BY time DESC LIMIT 2",
            &["cpu (time,u) [+65 6] [+25 4]"],
        ),
    ]);
}

#[test]
fn several_sources_stand_side_by_side() {
    check(&[(
        "SELECT a, b2 FROM (SELECT u AS a FROM cpu WHERE u > 5), (SELECT f AS b2 FROM mem)",
        &[
            "cpu (time,a,b2) [+20 8 null] [+65 6 null]",
            "mem (time,a,b2) [+0 null 100] [+60 null 50]",
        ],
    )]);
}
