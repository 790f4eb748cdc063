//! Facts about a real file, worked out from it by other means than this server.
//!
//! `data/README.md` says where the file is from and how the facts were found.

use influxd_tests::{Client, Home, number, on_both_stores};
use serde_json::json;

on_both_stores!(
    facts_about_a_real_file_come_out_right,
    facts_hold_after_compaction_and_restart,
    what_is_in_the_file_can_be_explored,
    a_deleted_year_is_gone_and_the_others_stay,
);

const FILE: &str = include_str!("data/seattle.lp");

async fn facts_about_a_real_file_come_out_right(home: Home) {
    let server = home.server().await;
    let reader = server.set_up().await;
    reader.writes(FILE).await.is_accepted();
    holds(&reader).await;
}

async fn facts_hold_after_compaction_and_restart(home: Home) {
    let server = home.server().await;
    let reader = server.set_up().await;
    // Many small bodies, each a commit of its own, and some of them twice.
    let lines: Vec<&str> = FILE.lines().collect();
    for body in lines.chunks(37) {
        reader.writes(&body.join("\n")).await.is_accepted();
    }
    for body in lines.chunks(101).take(10) {
        reader.writes(&body.join("\n")).await.is_accepted();
    }
    holds(&reader).await;
    server.stop(rustix::process::Signal::INT);

    let server = home.server().await;
    holds(&server.operator()).await;
}

async fn holds(reader: &Client) {
    let answer = reader
        .asks("SELECT count(precipitation), sum(precipitation), max(temp_max), min(temp_min) FROM weather")
        .await;
    let row = answer.only_row();
    assert_eq!(row[0], json!(1461));
    assert!((number(&row[1]) - 4426.0).abs() < 1e-6, "{row:?}");
    assert_eq!(row[2..], [json!(35.6), json!(-7.1)]);

    let answer = reader
        .asks("SELECT count(wind) FROM weather WHERE kind = 'rain'")
        .await;
    assert_eq!(answer.only_row(), [json!(259)]);

    for (year, total) in [
        (2012, 1226.0),
        (2013, 828.0),
        (2014, 1232.8),
        (2015, 1139.2),
    ] {
        let next = year + 1;
        let answer = reader
            .asks(&format!(
                "SELECT sum(precipitation) FROM weather \
                 WHERE time >= '{year}-01-01' AND time < '{next}-01-01'"
            ))
            .await;
        let sum = number(&answer.only_row()[0]);
        assert!((sum - total).abs() < 1e-6, "{year}: {sum}");
    }

    let answer = reader
        .asks("SELECT median(wind), mode(wind), percentile(wind, 90), stddev(wind), first(kind), last(wind) FROM weather")
        .await;
    let row = answer.only_row();
    assert_eq!(row[..3], [json!(3), json!(2.6), json!(5.2)]);
    assert!(
        (number(&row[3]) - 1.437_825_058_874_619_5).abs() < 1e-9,
        "{row:?}"
    );
    assert_eq!(row[4..], [json!("drizzle"), json!(3.5)]);

    let answer = reader
        .asks("SELECT count(fahrenheit), mean(fahrenheit), min(fahrenheit), max(fahrenheit), spread(fahrenheit) FROM temperature GROUP BY city")
        .await;
    let series = answer.series();
    let facts = [
        ("san francisco", 49.984_139_784_946_244, 45.8, 56.2, 10.4),
        ("seattle", 41.704_032_258_064_51, 38.6, 46.2, 7.6),
    ];
    assert_eq!(series.len(), facts.len(), "{series:?}");
    for (series, (city, mean, min, max, spread)) in series.iter().zip(facts) {
        let row = &series["values"][0];
        assert_eq!(series["tags"]["city"], city);
        assert_eq!(row[1], 744, "{city}");
        for (column, fact) in [(2, mean), (3, min), (4, max), (5, spread)] {
            let value = number(&row[column]);
            assert!((value - fact).abs() < 1e-9, "{city}: {value} is not {fact}");
        }
    }
}

async fn what_is_in_the_file_can_be_explored(home: Home) {
    let server = home.server().await;
    let reader = server.set_up().await;
    reader.writes(FILE).await.is_accepted();

    let shown = |answer: influxd_tests::Answer| {
        let mut values: Vec<String> = answer
            .rows()
            .iter()
            .map(|row| {
                row.iter()
                    .map(|v| v.as_str().unwrap_or("?"))
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect();
        values.sort();
        values.join(", ")
    };
    for (question, expected) in [
        ("SHOW DATABASES", "_monitoring, _tasks, climate"),
        ("SHOW MEASUREMENTS", "temperature, weather"),
        ("SHOW TAG KEYS", "city, location"),
        (
            "SHOW TAG VALUES FROM temperature WITH KEY = city",
            "city san francisco, city seattle",
        ),
        (
            "SHOW FIELD KEYS FROM weather",
            "kind string, precipitation float, temp_max float, temp_min float, wind float",
        ),
        (
            "SHOW SERIES",
            "temperature,city=san\\ francisco, temperature,city=seattle, weather,location=seattle",
        ),
    ] {
        assert_eq!(shown(reader.asks(question).await), expected, "{question}");
    }
}

async fn a_deleted_year_is_gone_and_the_others_stay(home: Home) {
    let server = home.server().await;
    let reader = server.set_up().await;
    reader.writes(FILE).await.is_accepted();

    reader
        .asks("DELETE FROM weather WHERE time >= '2013-01-01' AND time < '2014-01-01'")
        .await;
    assert_eq!(reader.counts("wind", "weather").await, 1461 - 365);
    reader
        .deletes("_measurement=\"temperature\" AND city=\"seattle\"")
        .await
        .is_accepted();
    assert_eq!(reader.counts("fahrenheit", "temperature").await, 744);

    reader.writes(FILE).await.is_accepted();
    assert_eq!(reader.counts("wind", "weather").await, 1461);
    assert_eq!(reader.counts("fahrenheit", "temperature").await, 1488);
}
