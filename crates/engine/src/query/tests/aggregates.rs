//! Aggregates, selectors, buckets and fill (InfluxQL 7, 9.1, 9.3).

use super::check;

#[test]
fn aggregates_have_the_lower_bound_as_their_time() {
    check(&[
        ("SELECT mean(u) FROM cpu", &["cpu (time,mean) [E 4]"]),
        (
            "SELECT mean(u) FROM cpu WHERE $W",
            &["cpu (time,mean) [+0 4]"],
        ),
        (
            "SELECT mean(u) FROM cpu WHERE time > '2020-01-01T00:00:00Z'",
            &["cpu (time,mean) [+0.000000001 4.6]"],
        ),
        (
            "SELECT median(u), mode(u), spread(u), stddev(u) FROM cpu",
            &["cpu (time,median,mode,spread,stddev) [E 3.5 1 7 2.6076809620810595]"],
        ),
        (
            "SELECT stddev(i), sum(i), mean(i), median(i), spread(i), mode(i) FROM cpu",
            &["cpu (time,stddev,sum,mean,median,spread,mode) [E 5.805170109479997 51 10.2 9 15 5]"],
        ),
        (
            "SELECT stddev(f) FROM mem WHERE f = 50",
            &["mem (time,stddev) [E null]"],
        ),
        (
            "SELECT mean(u) - min(u) FROM cpu",
            &["cpu (time,mean_min) [E 3]"],
        ),
        (
            "SELECT sum(u) / count(u) FROM cpu GROUP BY host",
            &[
                "cpu{host=a} (time,sum_count) [E 2.3333333333333335]",
                "cpu{host=b} (time,sum_count) [E 5.666666666666667]",
            ],
        ),
        (
            "SELECT count(distinct(s)) FROM cpu",
            &["cpu (time,count) [E 3]"],
        ),
        (
            "SELECT distinct(u) FROM cpu",
            &["cpu (time,distinct) [E 1] [E 3] [E 2] [E 8] [E 4] [E 6]"],
        ),
        (
            "SELECT mean(nosuch), mean(u) FROM cpu",
            &["cpu (time,mean,mean_1) [E null 4]"],
        ),
        (
            "SELECT mean(f), mean(u) FROM cpu, mem",
            &[
                "cpu (time,mean,mean_1) [E null 4]",
                "mem (time,mean,mean_1) [E 75 null]",
            ],
        ),
        ("SELECT count(host) FROM cpu", &[]),
        ("SELECT count(u) FROM cpu WHERE host = 'zzz'", &[]),
    ]);
}

#[test]
fn wildcards_in_calls_take_suitable_fields() {
    check(&[
        (
            "SELECT mean(*) FROM cpu",
            &["cpu (time,mean_i,mean_u) [E 10.2 4]"],
        ),
        (
            "SELECT max(*) FROM cpu",
            &["cpu (time,max_b,max_i,max_u) [E true 20 8]"],
        ),
        (
            "SELECT first(*) FROM cpu",
            &["cpu (time,first_b,first_i,first_s,first_u) [E true 10 \"one\" 1]"],
        ),
        (
            "SELECT count(*) FROM cpu",
            &["cpu (time,count_b,count_i,count_s,count_u) [E 3 5 3 6]"],
        ),
        (
            "SELECT mean(*) AS m FROM cpu",
            &["cpu (time,m_i,m_u) [E 10.2 4]"],
        ),
        (
            "SELECT mean(/u|i/) FROM cpu",
            &["cpu (time,mean_i,mean_u) [E 10.2 4]"],
        ),
    ]);
}

#[test]
fn a_lone_selector_keeps_the_time_of_its_point() {
    check(&[
        (
            "SELECT max(u) FROM cpu WHERE $W",
            &["cpu (time,max) [+20 8]"],
        ),
        (
            "SELECT max(u), host, i FROM cpu",
            &["cpu (time,max,host,i) [+20 8 \"b\" null]"],
        ),
        (
            "SELECT max(u), min(u) FROM cpu",
            &["cpu (time,max,min) [E 8 1]"],
        ),
        (
            "SELECT max(u) + 1, host FROM cpu",
            &["cpu (time,max,host) [+20 9 \"b\"]"],
        ),
        (
            "SELECT percentile(u, 50), host FROM cpu",
            &["cpu (time,percentile,host) [+5 3 \"b\"]"],
        ),
        (
            "SELECT percentile(u, 0), percentile(u, 100) FROM cpu",
            &["cpu (time,percentile,percentile_1) [E null 8]"],
        ),
        ("SELECT percentile(u, 8) FROM cpu", &[]),
        (
            "SELECT last(u), u, i FROM cpu GROUP BY host",
            &[
                "cpu{host=a} (time,last,u,i) [+25 4 4 5]",
                "cpu{host=b} (time,last,u,i) [+65 6 6 9]",
            ],
        ),
        ("SELECT first(b) FROM cpu", &["cpu (time,first) [+0 true]"]),
        (
            "SELECT sample(u, 9) FROM cpu WHERE host = 'a'",
            &["cpu (time,sample) [+0 1] [+10 2] [+25 4]"],
        ),
    ]);
}

#[test]
fn top_and_bottom_keep_several_points() {
    check(&[
        (
            "SELECT top(u, 2) FROM cpu",
            &["cpu (time,top) [+20 8] [+65 6]"],
        ),
        (
            "SELECT top(u, host, 2) FROM cpu",
            &["cpu (time,top,host) [+20 8 \"b\"] [+25 4 \"a\"]"],
        ),
        (
            "SELECT top(u, host, 2), host FROM cpu",
            &["cpu (time,top,host,host_1) [+20 8 \"b\" \"b\"] [+25 4 \"a\" \"a\"]"],
        ),
        (
            "SELECT bottom(u, 2), host FROM cpu",
            &["cpu (time,bottom,host) [+0 1 \"a\"] [+10 2 \"a\"]"],
        ),
        (
            "SELECT top(u, 1) FROM cpu WHERE $W GROUP BY time(20s)",
            &["cpu (time,top) [+5 3] [+20 8] [+65 6]"],
        ),
    ]);
}

#[test]
fn empty_buckets_are_filled() {
    check(&[
        (
            "SELECT max(u) FROM cpu WHERE $W GROUP BY time(20s)",
            &["cpu (time,max) [+0 3] [+20 8] [+40 null] [+60 6]"],
        ),
        (
            "SELECT max(u), host FROM cpu WHERE $W GROUP BY time(20s)",
            &["cpu (time,max,host) [+0 3 \"b\"] [+20 8 \"b\"] [+40 null null] [+60 6 \"b\"]"],
        ),
        (
            "SELECT max(u), host FROM cpu WHERE $W GROUP BY time(20s) fill(0)",
            &["cpu (time,max,host) [+0 3 \"b\"] [+20 8 \"b\"] [+40 0 0] [+60 6 \"b\"]"],
        ),
        (
            "SELECT max(u), host FROM cpu WHERE $W GROUP BY time(20s) fill(previous)",
            &["cpu (time,max,host) [+0 3 \"b\"] [+20 8 \"b\"] [+40 8 \"b\"] [+60 6 \"b\"]"],
        ),
        (
            "SELECT first(u), last(u), count(u) FROM cpu WHERE $W GROUP BY time(20s)",
            &["cpu (time,first,last,count) [+0 1 2 3] [+20 8 4 2] [+40 null null 0] [+60 6 6 1]"],
        ),
        (
            "SELECT count(u) FROM cpu WHERE $W GROUP BY time(20s) fill(none)",
            &["cpu (time,count) [+0 3] [+20 2] [+60 1]"],
        ),
        (
            "SELECT first(i) FROM cpu WHERE $W GROUP BY time(20s) fill(1.7)",
            &["cpu (time,first) [+0 10] [+20 5] [+40 1] [+60 9]"],
        ),
        (
            "SELECT first(s) FROM cpu WHERE $W GROUP BY time(20s) fill(0)",
            &["cpu (time,first) [+0 \"one\"] [+20 \"\"] [+40 \"\"] [+60 \"\"]"],
        ),
        (
            "SELECT first(b) FROM cpu WHERE $W GROUP BY time(20s) fill(1)",
            &["cpu (time,first) [+0 true] [+20 false] [+40 false] [+60 false]"],
        ),
        (
            "SELECT distinct(u) FROM cpu WHERE $W GROUP BY time(20s) fill(0)",
            &["cpu (time,distinct) [+0 1] [+0 3] [+0 2] [+20 8] [+20 4] [+60 6]"],
        ),
        (
            "SELECT mean(u) * 2 + 1 AS x FROM cpu WHERE $W GROUP BY time(20s)",
            &["cpu (time,x) [+0 5] [+20 13] [+40 null] [+60 13]"],
        ),
        (
            "SELECT mean(u) FROM cpu WHERE host='a' AND $W GROUP BY time(5s) fill(linear) LIMIT 7",
            &[
                "cpu (time,mean) [+0 1] [+5 1.5] [+10 2] [+15 2.6666666666666665] [+20 3.333333333333333] [+25 4] [+30 null]",
            ],
        ),
        (
            "SELECT sum(i) FROM cpu WHERE $W GROUP BY time(20s) fill(linear)",
            &["cpu (time,sum) [+0 37] [+20 5] [+40 7] [+60 9]"],
        ),
    ]);
}

#[test]
fn buckets_start_at_multiples_and_offsets() {
    check(&[
        (
            "SELECT sum(i) FROM cpu WHERE $W GROUP BY time(20s), host",
            &[
                "cpu{host=a} (time,sum) [+0 30] [+20 5] [+40 null] [+60 null]",
                "cpu{host=b} (time,sum) [+0 7] [+20 null] [+40 null] [+60 9]",
            ],
        ),
        (
            "SELECT mean(u) FROM cpu WHERE $W GROUP BY time(20s, 5s)",
            &["cpu (time,mean) [-15 1] [+5 4.333333333333333] [+25 4] [+45 null] [+65 6]"],
        ),
        (
            "SELECT count(u) FROM cpu WHERE $W GROUP BY time(20s, -5s)",
            &["cpu (time,count) [-5 3] [+15 2] [+35 0] [+55 1] [+75 0]"],
        ),
        (
            "SELECT mean(u) FROM cpu GROUP BY time(20s) LIMIT 5",
            &["cpu (time,mean) [+0 2] [+20 6] [+40 null] [+60 6] [+80 null]"],
        ),
        (
            "SELECT mean(u) FROM cpu GROUP BY time(20s) ORDER BY time DESC",
            &["cpu (time,mean) [+100 null] [+80 null] [+60 6] [+40 null] [+20 6] [+0 2]"],
        ),
        (
            "SELECT mean(u) FROM cpu WHERE $W GROUP BY time(1w)",
            &["cpu (time,mean) [-518400 4]"],
        ),
        (
            "SELECT mean(u) FROM cpu WHERE $W GROUP BY time(1d) tz('America/New_York')",
            &["cpu (time,mean) [-68400 4]"],
        ),
        (
            "SELECT mean(u) FROM cpu WHERE $W GROUP BY time(20s) ORDER BY time DESC LIMIT 2",
            &["cpu (time,mean) [+60 6] [+40 null]"],
        ),
    ]);
}
