//! SHOW, cardinalities, DELETE, EXPLAIN (InfluxQL 4).

use super::check;

#[test]
fn metadata_is_listed() {
    check(&[
        ("SHOW DATABASES", &["databases (name) [\"ex\"]"]),
        (
            "SHOW RETENTION POLICIES",
            &[
                "(name,duration,shardGroupDuration,replicaN,default) [\"autogen\" \"0s\" \"168h0m0s\" 1 true]",
            ],
        ),
        (
            "SHOW MEASUREMENTS",
            &["measurements (name) [\"cpu\"] [\"disk\"] [\"mem\"]"],
        ),
        (
            "SHOW MEASUREMENTS WHERE host = 'c'",
            &["measurements (name) [\"disk\"]"],
        ),
        (
            "SHOW MEASUREMENTS WHERE host != 'c'",
            &["measurements (name) [\"cpu\"]"],
        ),
        (
            "SHOW MEASUREMENTS WITH MEASUREMENT =~ /m/",
            &["measurements (name) [\"mem\"]"],
        ),
        (
            "SHOW MEASUREMENTS ON *.* LIMIT 1",
            &["measurements (name,database,retention policy) [\"cpu\" \"ex\" \"autogen\"]"],
        ),
        (
            "SHOW SERIES",
            &["(key) [\"cpu,dc=x,host=a\"] [\"cpu,dc=x,host=b\"] [\"disk,host=c\"] [\"mem\"]"],
        ),
        (
            "SHOW SERIES WHERE host = 'b'",
            &["(key) [\"cpu,dc=x,host=b\"]"],
        ),
        (
            "SHOW TAG KEYS",
            &[
                "cpu (tagKey) [\"dc\"] [\"host\"]",
                "disk (tagKey) [\"host\"]",
            ],
        ),
        (
            "SHOW TAG VALUES WITH KEY = host",
            &[
                "cpu (key,value) [\"host\" \"a\"] [\"host\" \"b\"]",
                "disk (key,value) [\"host\" \"c\"]",
            ],
        ),
        (
            "SHOW TAG VALUES FROM cpu WITH KEY IN (host, dc) WHERE host = 'a'",
            &["cpu (key,value) [\"dc\" \"x\"] [\"host\" \"a\"]"],
        ),
        (
            "SHOW FIELD KEYS",
            &[
                "cpu (fieldKey,fieldType) [\"b\" \"boolean\"] [\"i\" \"integer\"] [\"s\" \"string\"] [\"u\" \"float\"]",
                "disk (fieldKey,fieldType) [\"free\" \"integer\"]",
                "mem (fieldKey,fieldType) [\"f\" \"float\"]",
            ],
        ),
    ]);
}

#[test]
fn cardinalities_are_counted() {
    check(&[
        (
            "SHOW SERIES EXACT CARDINALITY",
            &["cpu (count) [2]", "disk (count) [1]", "mem (count) [1]"],
        ),
        ("SHOW MEASUREMENT EXACT CARDINALITY", &["(count) [3]"]),
        (
            "SHOW TAG KEY CARDINALITY",
            &["cpu (count) [2]", "disk (count) [1]"],
        ),
        (
            "SHOW FIELD KEY CARDINALITY",
            &["cpu (count) [4]", "disk (count) [1]", "mem (count) [1]"],
        ),
        (
            "SHOW TAG VALUES CARDINALITY WITH KEY = host",
            &["cpu (count) [2]", "disk (count) [1]"],
        ),
        (
            "SHOW SERIES EXACT CARDINALITY FROM cpu GROUP BY host",
            &["cpu{host=a} (count) [1]", "cpu{host=b} (count) [1]"],
        ),
    ]);
}

#[test]
fn a_plan_is_explained() {
    check(&[
        (
            "EXPLAIN SELECT mean(u) FROM cpu",
            &[
                "(QUERY PLAN) [\"EXPRESSION: mean(u::float)\"] [\"NUMBER OF SHARDS: 1\"] [\"NUMBER OF SERIES: 2\"] [\"CACHED VALUES: 0\"] [\"NUMBER OF FILES: 0\"] [\"NUMBER OF BLOCKS: 0\"] [\"SIZE OF BLOCKS: 0\"]",
            ],
        ),
        ("EXPLAIN SELECT u FROM nosuch", &["(QUERY PLAN) [\"\"]"]),
    ]);
}
