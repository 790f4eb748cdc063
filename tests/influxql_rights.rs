//! Whoever may only read changes nothing through InfluxQL, whatever a statement is dressed as.

use influxd_tests::{
    BUCKET, Client, Credential, Home, ORG, Permission, all_access, on_both_stores,
};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

on_both_stores!(
    a_reader_changes_nothing_whatever_the_statement_is_dressed_as,
    a_disguise_does_not_keep_a_writer_from_deleting,
    a_writer_reads_nothing,
);

/// Statements that delete, whose effect those who may can see.
const DELETING: &[&str] = &["DELETE FROM m", "DROP MEASUREMENT m"];

/// Everything else that changes something, or would in InfluxDB 1.x.
const CHANGING: &[&str] = &[
    "DELETE WHERE time > 0",
    "DELETE FROM /.*/",
    "DELETE FROM \"climate\".\"autogen\".\"m\"",
    "DROP SERIES FROM m",
    "DROP SERIES WHERE \"host\" = 'a'",
    "DROP SHARD 1",
    "DROP DATABASE climate",
    "DROP RETENTION POLICY autogen ON climate",
    "CREATE DATABASE stolen",
    "CREATE DATABASE stolen WITH DURATION 1d REPLICATION 1 NAME rp",
    "CREATE RETENTION POLICY short ON climate DURATION 1h REPLICATION 1 DEFAULT",
    "ALTER RETENTION POLICY autogen ON climate DURATION 1h",
    "CREATE USER eve WITH PASSWORD 'correct horse battery' WITH ALL PRIVILEGES",
    "DROP USER reader",
    "SET PASSWORD FOR reader = 'another horse battery'",
    "GRANT ALL TO reader",
    "GRANT WRITE ON climate TO reader",
    "REVOKE ALL PRIVILEGES FROM reader",
    "CREATE CONTINUOUS QUERY cq ON climate BEGIN SELECT mean(f) INTO copy FROM m GROUP BY time(1m) END",
    "DROP CONTINUOUS QUERY cq ON climate",
    "CREATE SUBSCRIPTION s ON climate.autogen DESTINATIONS ALL 'udp://127.0.0.1:9'",
    "DROP SUBSCRIPTION s ON climate.autogen",
    "KILL QUERY 1",
    "SELECT f INTO copy FROM m",
    "SELECT * INTO \"climate\".\"autogen\".:MEASUREMENT FROM /.*/",
    "SELECT f INTO \"stolen\".\"autogen\".\"m\" FROM m",
    "SELECT f INTO copy FROM (SELECT f INTO copy FROM m)",
];

/// The texts that a statement can hide in; whether it is executed there if its sender may.
fn texts(statement: &str) -> Vec<(String, bool)> {
    let mixed = statement.char_indices().map(|(at, c)| match at % 2 {
        0 => c.to_ascii_lowercase(),
        _ => c,
    });
    vec![
        (statement.to_owned(), true),
        (statement.to_ascii_lowercase(), true),
        (mixed.collect(), true),
        (statement.replace(' ', "\n\t "), true),
        (format!("  ;{statement};  "), true),
        (format!("/* SELECT f FROM m */ {statement}"), true),
        (format!("-- SELECT f FROM m\n{statement}"), true),
        (format!("SHOW DATABASES; {statement}"), true),
        (
            format!("SELECT f FROM m; {statement}; SELECT f FROM m"),
            true,
        ),
        (format!("{statement}; {statement}"), true),
        (
            format!("SELECT f FROM m /* ; */ ; {statement} -- ; SELECT"),
            true,
        ),
        (format!("\u{feff}{statement}"), false),
        (format!("EXPLAIN {statement}"), false),
        (format!("EXPLAIN ANALYZE {statement}"), false),
        (format!("SELECT f FROM ({statement})"), false),
        (
            format!("SELECT f FROM m WHERE \"host\" = '' ; '{statement}'"),
            false,
        ),
        (format!("SELECT f FROM m -- {statement}"), false),
    ]
}

/// The ways to send a text; whether it is executed then if its sender may.
fn ways(client: &Client, text: &str) -> Vec<(&'static str, RequestBuilder, bool)> {
    const HARMLESS: &str = "SHOW DATABASES";
    let ask = |method: Method| client.request(method, "/query").query(&[("db", BUCKET)]);
    let in_query = |method: Method| ask(method).query(&[("q", text)]);
    let multipart =
        format!("--x\r\nContent-Disposition: form-data; name=\"q\"\r\n\r\n{text}\r\n--x--\r\n");
    vec![
        ("GET", in_query(Method::GET), true),
        (
            "GET with a body",
            in_query(Method::GET).body("q=SHOW+DATABASES"),
            true,
        ),
        (
            "POST, in the query",
            in_query(Method::POST).form(&[("db", BUCKET)]),
            true,
        ),
        ("POST, a form", ask(Method::POST).form(&[("q", text)]), true),
        (
            "POST, something harmless in the query",
            ask(Method::POST)
                .query(&[("q", HARMLESS)])
                .form(&[("q", text)]),
            true,
        ),
        (
            "POST, something harmless in the form",
            in_query(Method::POST).form(&[("q", HARMLESS)]),
            false,
        ),
        (
            "POST, first of two",
            ask(Method::POST).form(&[("q", text), ("q", HARMLESS)]),
            true,
        ),
        (
            "POST, second of two",
            ask(Method::POST).form(&[("q", HARMLESS), ("q", text)]),
            false,
        ),
        (
            "POST, multipart",
            ask(Method::POST)
                .header("content-type", "multipart/form-data; boundary=x")
                .body(multipart),
            true,
        ),
        (
            "POST, bare",
            ask(Method::POST)
                .header("content-type", "application/vnd.influxql")
                .body(text.to_owned()),
            true,
        ),
        ("PUT", ask(Method::PUT).form(&[("q", text)]), true),
        ("PATCH", ask(Method::PATCH).form(&[("q", text)]), true),
        ("DELETE", in_query(Method::DELETE), true),
        ("HEAD", in_query(Method::HEAD), true),
        (
            "chunked",
            in_query(Method::GET).query(&[("chunked", "true"), ("chunk_size", "1")]),
            true,
        ),
        (
            "CSV",
            in_query(Method::GET).header("accept", "application/csv"),
            true,
        ),
        (
            "MessagePack, pretty, with parameters",
            in_query(Method::GET)
                .header("accept", "application/x-msgpack")
                .query(&[("pretty", "true"), ("params", r#"{"m":"m","x":1}"#)]),
            true,
        ),
        (
            "another retention policy",
            in_query(Method::GET).query(&[("rp", "autogen"), ("epoch", "s")]),
            true,
        ),
    ]
}

/// Everything that statements could change.
async fn state(operator: &Client) -> Vec<Value> {
    let org = operator.org_id(ORG).await;
    let mut state = Vec::new();
    for query in [
        "SELECT * FROM /.*/",
        "SHOW MEASUREMENTS",
        "SHOW SERIES",
        "SHOW DATABASES",
        "SHOW RETENTION POLICIES",
    ] {
        state.push(operator.asks(query).await.json());
    }
    for path in [
        format!("/api/v2/buckets?orgID={org}&limit=100"),
        format!("/api/v2/dbrps?orgID={org}"),
        "/api/v2/users?limit=100".to_owned(),
        "/api/v2/authorizations".to_owned(),
        "/private/legacy/authorizations".to_owned(),
    ] {
        state.push(operator.gets(&path).await.json());
    }
    state
}

const POINTS: &str = "m,host=a f=1 1\nm,host=b f=2 2\nother,host=a f=3 3";

async fn a_reader_changes_nothing_whatever_the_statement_is_dressed_as(home: Home) {
    let server = home.server().await;
    let operator = server.set_up().await;
    operator.writes(POINTS).await.is_accepted();
    let org = operator.org_id(ORG).await;
    let bucket = operator.bucket_id(&org, BUCKET).await;
    let otto = operator.makes_user("otto").await;

    let one = [Permission("read", "buckets", &org, &bucket).json()];
    let all = [Permission("read", "buckets", &org, "").json()];
    let everything: Vec<Value> = all_access(&org, &otto)
        .into_iter()
        .filter(|permission| permission["action"] == "read")
        .collect();
    // The right to write something else helps nobody.
    let beside = [one[0].clone(), Permission("write", "dbrp", &org, "").json()];
    let other_org = operator.makes_org("globex").await;
    let foreign = all_access(&other_org, &otto);
    let readers = [
        operator.issues(&org, &otto, &one).await.client,
        operator.issues(&org, &otto, &all).await.client,
        operator.issues(&org, &otto, &everything).await.client,
        operator.issues(&org, &otto, &beside).await.client,
        operator.issues(&other_org, &otto, &foreign).await.client,
        operator
            .makes_v1_user(("reader", "correct horse battery"), &org, &otto, &one)
            .await
            .client
            .with(Credential::Query(
                "reader".to_owned(),
                "correct horse battery".to_owned(),
            )),
    ];

    let before = state(&operator).await;
    for (number, reader) in readers.iter().enumerate() {
        for statement in DELETING {
            for (text, _) in texts(statement) {
                for (_, request, _) in ways(reader, &text) {
                    reader.send(request).await;
                }
            }
            assert_eq!(state(&operator).await, before, "{number}: {statement}");
        }
        // Each text in one way, each way with one text.
        for (turn, statement) in CHANGING.iter().enumerate() {
            let texts = texts(statement);
            for (at, (text, _)) in texts.iter().enumerate() {
                let mut ways = ways(reader, text);
                let (_, request, _) = ways.swap_remove((at + turn) % ways.len());
                reader.send(request).await;
            }
            for (_, request, _) in ways(reader, statement) {
                reader.send(request).await;
            }
            assert_eq!(state(&operator).await, before, "{number}: {statement}");
        }
    }
    assert!(!server.output().contains("panicked"), "a handler panicked");
}

/// The disguises are real: with the right to write, the same requests delete.
async fn a_disguise_does_not_keep_a_writer_from_deleting(home: Home) {
    let server = home.server().await;
    let operator = server.set_up().await;
    let org = operator.org_id(ORG).await;
    let bucket = operator.bucket_id(&org, BUCKET).await;
    let both = ["read", "write"].map(|action| Permission(action, "buckets", &org, &bucket).json());
    let otto = operator.makes_user("otto").await;
    let writer = operator.issues(&org, &otto, &both).await.client;
    let statement = DELETING[0];
    let (plain, others) = (ways(&writer, statement).len(), texts(statement).len());
    for turn in 0..plain.max(others) {
        let (text, is_executed) = texts(statement).swap_remove(turn % others);
        let (way, request, is_sent) = ways(&writer, &text).swap_remove(turn % plain);
        let expected = u64::from(!(is_executed && is_sent));
        operator.writes("m,host=a f=1 1").await.is_accepted();
        let answer = writer.send(request).await;
        let left = operator.counts("f", "m").await;
        assert_eq!(left, expected, "{text:?} by {way}: {}", answer.body);
    }
    // Every way with the plain text, every text in the plainest way.
    for turn in 0..plain {
        operator.writes("m,host=a f=1 1").await.is_accepted();
        let (way, request, is_sent) = ways(&writer, statement).swap_remove(turn);
        let answer = writer.send(request).await;
        let left = operator.counts("f", "m").await;
        assert_eq!(left, u64::from(!is_sent), "{way}: {}", answer.body);
    }
    for (text, is_executed) in texts(statement) {
        operator.writes("m,host=a f=1 1").await.is_accepted();
        let answer = writer.asks(&text).await;
        let left = operator.counts("f", "m").await;
        assert_eq!(left, u64::from(!is_executed), "{text:?}: {}", answer.body);
    }
}

async fn a_writer_reads_nothing(home: Home) {
    let server = home.server().await;
    let operator = server.set_up().await;
    let value = "3.14159265358979";
    let line = format!("hidden,place=cellar f={value} 1");
    operator.writes(&line).await.is_accepted();
    let org = operator.org_id(ORG).await;
    let bucket = operator.bucket_id(&org, BUCKET).await;
    let otto = operator.makes_user("otto").await;
    let write = [Permission("write", "buckets", &org, &bucket).json()];
    let writer = operator.issues(&org, &otto, &write).await.client;
    writer.writes("m f=1 1").await.is_accepted();
    for statement in [
        "SELECT * FROM hidden",
        "SELECT f FROM \"climate\".\"autogen\".\"hidden\"",
        "SELECT f FROM (SELECT f FROM hidden)",
        "SELECT * FROM /.*/",
        "SELECT f INTO copy FROM hidden",
        "EXPLAIN ANALYZE SELECT f FROM hidden",
        "SHOW MEASUREMENTS",
        "SHOW SERIES",
        "SHOW TAG VALUES WITH KEY = \"place\"",
        "SHOW FIELD KEYS",
        "SHOW DATABASES",
        "SHOW RETENTION POLICIES",
        "SHOW TAG VALUES CARDINALITY WITH KEY = \"place\"",
    ] {
        for (way, request, _) in ways(&writer, statement) {
            let answer = writer.send(request).await;
            for word in [value, "cellar", "autogen", "\"hidden\""] {
                // An error repeats the name of the database that was asked for, no more.
                assert!(
                    !answer.body.contains(word) || answer.body.contains("error"),
                    "{statement} by {way}: {}",
                    answer.body
                );
                assert!(!answer.body.contains(value), "{statement}: {}", answer.body);
            }
        }
    }
    // Nor does it delete what it cannot see.
    writer.asks("DELETE FROM hidden").await;
    writer.asks("DROP MEASUREMENT hidden").await;
    assert_eq!(operator.counts("f", "hidden").await, 1);
    assert_eq!(
        json!(operator.asks("SELECT * FROM copy").await.rows()),
        json!([])
    );
}
