//! Writing, asking, deleting.

use std::io::Write;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use influxd_model::{BucketId, Clock, SystemClock};

use super::TestServer;
use crate::server::ServerConfig;

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_is_found_in_every_format() {
    let server = TestServer::set_up().await;
    server
        .writes("m,t=<a>&b f=1.5,s=\"x,y\" 1000000000\nm f=-0.0,i=3i 2000000000")
        .await;
    let reply = server.query("SELECT f, i FROM m; SHOW TAG KEYS", "").await;
    assert_eq!(reply.header("Content-Type"), Some("application/json"));
    assert_eq!(
        reply.text(),
        "{\"results\":[{\"statement_id\":0,\"series\":[{\"name\":\"m\",\"columns\":[\"time\",\"f\",\"i\"],\
         \"values\":[[\"1970-01-01T00:00:01Z\",1.5,null],[\"1970-01-01T00:00:02Z\",-0,3]]}]},\
         {\"statement_id\":1,\"series\":[{\"name\":\"m\",\"columns\":[\"tagKey\"],\"values\":[[\"t\"]]}]}]}\n"
    );
    let reply = server
        .query("SELECT f FROM m", "&epoch=ms&chunked=true&chunk_size=1")
        .await;
    assert_eq!(
        reply.text(),
        "{\"results\":[{\"statement_id\":0,\"series\":[{\"name\":\"m\",\"columns\":[\"time\",\"f\"],\
         \"values\":[[1000,1.5]],\"partial\":true}],\"partial\":true}]}\n\
         {\"results\":[{\"statement_id\":0,\"series\":[{\"name\":\"m\",\"columns\":[\"time\",\"f\"],\
         \"values\":[[2000,-0]]}]}]}\n"
    );
    let target = "/query?db=first&q=SELECT+s,t+FROM+m+LIMIT+1";
    let reply = server
        .operator_with("GET", target, &[("Accept", "text/csv")], b"")
        .await;
    assert_eq!(reply.header("Content-Type"), Some("text/csv"));
    assert_eq!(
        reply.text(),
        "name,tags,time,s,t\nm,,1000000000,\"x,y\",<a>&b\n"
    );
    let accept = [("Accept", "application/x-msgpack")];
    let reply = server
        .operator_with("GET", "/query?db=first&q=SHOW+SERIES", &accept, b"")
        .await;
    assert_eq!(reply.header("Content-Type"), Some("application/x-msgpack"));
    assert!(
        reply
            .body
            .starts_with(b"\x81\xa7results\xdd\0\0\0\x01\x82\xacstatement_id\0\xa6series")
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_that_fail_say_so_each_for_itself() {
    let server = TestServer::set_up().await;
    server.writes("m f=1 1").await;
    let reply = server
        .query(
            "SHOW MEASUREMENTS; SELECT f FROM nodb..m; SHOW TAG KEYS",
            "",
        )
        .await;
    let results = &reply.json()["results"];
    assert_eq!(
        (reply.status, results[0]["statement_id"].as_u64()),
        (200, Some(0))
    );
    assert_eq!(results[1]["error"], "database not found: nodb");
    assert_eq!(
        (&results[2]["error"], &results[2]["statement_id"]),
        (&"not executed".into(), &2.into())
    );
    let reply = server.query("SELECT", "").await;
    reply.is_refused(
        400,
        "failed to parse query: found EOF, expected identifier, string, number, bool at line 1, char 8",
    );
    assert_eq!(
        server.query("", "").await.json()["message"],
        "mime: no media type"
    );
    for (params, message) in [
        ("{", "error parsing query parameters: unexpected EOF"),
        (
            "[]",
            "error parsing query parameters: json: cannot unmarshal array into Go value of type map[string]interface {}",
        ),
    ] {
        let mut encoded = "&params=".to_owned();
        crate::query_string::push_encoded(params, &mut encoded);
        server
            .query("SHOW DATABASES", &encoded)
            .await
            .is_refused(400, message);
    }
    assert_eq!(server.query("DROP MEASUREMENT m", "").await.text(), "{}\n");
    assert_eq!(
        server.query("SELECT f FROM m", "").await.text(),
        "{\"results\":[{\"statement_id\":0}]}\n"
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn large_answers_stream_and_are_compressed_when_asked() {
    let server = TestServer::set_up().await;
    let lines: Vec<String> = (0..60_000).map(|i| format!("m f={i} {i}")).collect();
    server.writes(&lines.join("\n")).await;
    let plain = server.query("SELECT f FROM m", "").await;
    assert_eq!(plain.header("Transfer-Encoding"), Some("chunked"));
    assert_eq!(plain.header("Vary"), Some("Accept-Encoding"));
    assert_eq!(
        plain.json()["results"][0]["series"][0]["values"]
            .as_array()
            .unwrap()
            .len(),
        60_000
    );
    for (rows, is_streamed) in [(60_000, true), (100, false)] {
        let target = format!("/query?db=first&q=SELECT+f+FROM+m+LIMIT+{rows}");
        let accept = [("Accept-Encoding", "gzip")];
        let reply = server.operator_with("GET", &target, &accept, b"").await;
        assert_eq!(reply.header("Content-Encoding"), Some("gzip"), "{rows}");
        assert_eq!(reply.header("Transfer-Encoding").is_some(), is_streamed);
        let mut text = String::new();
        let mut decoder = flate2::read::GzDecoder::new(reply.body.as_slice());
        std::io::Read::read_to_string(&mut decoder, &mut text).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            value["results"][0]["series"][0]["values"]
                .as_array()
                .unwrap()
                .len(),
            rows
        );
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gzip_bodies_are_read_and_damaged_ones_refused() {
    let server = TestServer::set_up().await;
    let orgs = "/api/v2/write?org=acme&bucket=first";
    let two: Vec<u8> = [gzip("m f=1 1\n"), gzip("m f=2 2")].concat();
    let mut checksum = gzip("m f=3 3");
    let at = checksum.len() - 8;
    checksum[at..at + 4].fill(0);
    let cut = &gzip("m f=4 4")[..14];
    let trailing = [gzip("m f=5 5"), b"trailing".to_vec()].concat();
    let mut corrupt = gzip("m f=6 6");
    corrupt[10..14].fill(0xff);
    for target in [orgs, "/write?db=first"] {
        for (coding, body, status, message) in [
            ("gzip", two.as_slice(), 204, ""),
            ("x-gzip", &gzip("m f=3 3"), 204, ""),
            ("identity", b"m f=4 4".as_slice(), 204, ""),
            ("GZIP", &gzip("m f=4 4"), 400, "unable to parse"),
            ("gzip", b"m f=5 5", 400, "gzip: invalid header"),
            ("gzip", b"", 400, "gzip: invalid header"),
            (
                "gzip",
                &checksum,
                400,
                "unable to read data: gzip: invalid checksum",
            ),
            ("gzip", cut, 400, "unable to read data: unexpected EOF"),
            ("gzip", &trailing, 400, "unable to read data: "),
            (
                "gzip",
                &corrupt,
                400,
                "unable to read data: flate: corrupt input",
            ),
        ] {
            let headers = [("Content-Encoding", coding)];
            let reply = server.operator_with("POST", target, &headers, body).await;
            assert_eq!(reply.status, status, "{coding} {}", reply.text());
            assert!(reply.text().contains(message), "{coding} {}", reply.text());
        }
    }
    let reply = server.query("SELECT count(f) FROM m", "").await;
    assert_eq!(reply.json()["results"][0]["series"][0]["values"][0][1], 4);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_beyond_the_limit_are_refused_compressed_or_not() {
    let config = ServerConfig {
        max_write_bytes: 1_000,
        ..ServerConfig::default()
    };
    let server = TestServer::with(config, |store| store).await;
    server.onboard().await;
    let fits = format!("m f=1 1\n#{}", "x".repeat(900));
    let large = format!("m f=1 1\n#{}", "x".repeat(2_000));
    for (headers, body, status) in [
        (&[][..], fits.clone().into_bytes(), 204),
        (&[], large.clone().into_bytes(), 413),
        (&[("Content-Encoding", "gzip")], gzip(&fits), 204),
        (&[("Content-Encoding", "gzip")], gzip(&large), 413),
    ] {
        let reply = server
            .operator_with("POST", "/write?db=first", headers, &body)
            .await;
        assert_eq!(reply.status, status, "{}", reply.text());
        if status == 413 {
            reply.is_refused(413, "unable to read data: points batch is too large");
        }
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_are_checked_in_the_order_of_the_contract() {
    let server = TestServer::set_up().await;
    let gzip = [("Content-Encoding", "gzip")];
    for (target, body, status, message) in [
        ("/write", "m f=x", 400, "missing db"),
        ("/write?db=nope", "m f=x", 404, "no dbrp mapping found"),
        (
            "/write?db=first&rp=nope",
            "m f=x",
            404,
            "no dbrp mapping found",
        ),
        (
            "/write?db=first",
            "m f=x",
            400,
            "unable to parse 'm f=x': invalid boolean",
        ),
        (
            "/api/v2/write?org=acme&precision=m",
            "m f=x",
            400,
            "invalid precision; valid precision units are ns, us, ms, and s",
        ),
        ("/api/v2/write?org=acme", "m f=x", 404, "bucket not found"),
        (
            "/api/v2/write?bucket=first",
            "m f=x",
            400,
            "Please provide either orgID or org",
        ),
        (
            "/api/v2/write?bucket=nope&org=nope",
            "m f=x",
            404,
            "organization name \"nope\" not found",
        ),
        (
            "/api/v2/write?bucket=nope&org=acme",
            "m f=x",
            404,
            "bucket \"nope\" not found",
        ),
        (
            "/api/v2/write?bucket=first&orgID=x",
            "m f=x",
            400,
            "id must have a length of 16 bytes",
        ),
    ] {
        server
            .operator("POST", target, body)
            .await
            .is_refused(status, message);
    }
    let reply = server
        .operator_with("POST", "/write?db=nope", &gzip, b"m f=1")
        .await;
    reply.is_refused(400, "unable to read data: gzip: invalid header");
    server.writes("m f=1i 1").await;
    let reply = server
        .operator("POST", "/write?db=first", "m f=\"x\" 2\nm g=1 2")
        .await;
    reply.is_refused(
        422,
        "failure writing points to database: partial write: field type conflict: input field \"f\" \
         on measurement \"m\" is type string, already exists as type integer dropped=1",
    );
    let noted = "/query?db=_monitoring&q=SELECT+error+FROM+write_errors";
    let noted = server.operator("GET", noted, "").await.json();
    assert_eq!(
        noted["results"][0]["series"][0]["values"][0][1],
        "partial write: field type conflict: input field \"f\" on measurement \"m\" is type string, \
         already exists as type integer dropped=1"
    );
    server.stop().await;
}

/// A clock that stands still: what is remembered for a moment is remembered for ever.
#[derive(Debug)]
struct Still(i64);

impl Clock for Still {
    fn now(&self) -> i64 {
        self.0
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_meets_the_deletion_of_its_bucket_is_told_in_the_words_of_its_route() {
    let mut store = None;
    let clock = Arc::new(Still(SystemClock.now()));
    let server = TestServer::with_clock(ServerConfig::default(), clock, |own| {
        Arc::clone(store.insert(own))
    })
    .await;
    server.onboard().await;
    let found = server.operator("GET", "/api/v2/buckets?name=first", "");
    let id = found.await.json()["buckets"][0]["id"].clone();
    let id = id.as_str().unwrap();
    let asks = [
        (
            "/api/v2/write?org=acme&bucket=%66irst".to_owned(),
            "bucket \"first\" not found".to_owned(),
        ),
        (
            format!("/api/v2/write?org=acme&bucket={id}"),
            format!("bucket \"{id}\" not found"),
        ),
        ("/write?db=first".to_owned(), "bucket not found".to_owned()),
    ];
    for (target, _) in &asks {
        assert_eq!(server.operator("POST", target, "m f=1").await.status, 204);
    }
    // Another server does, and this one remembers the bucket.
    let mut transaction = store.unwrap().begin().await.unwrap();
    let bucket: BucketId = id.parse().unwrap();
    transaction.buckets().delete(bucket).await.unwrap();
    transaction.commit().await.unwrap();
    for (target, message) in &asks {
        let reply = server.operator("POST", target, "m f=2").await;
        reply.is_refused(404, message);
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deletes_take_what_they_name() {
    let server = TestServer::set_up().await;
    server
        .writes("m,t=a f=1 1000000000\nm,t=b f=2 2000000000\nn f=3 3000000000")
        .await;
    let delete = |predicate: &str| {
        let body = format!(
            r#"{{"start":"1970-01-01T00:00:00Z","stop":"1970-01-01T00:00:02Z","predicate":{}}}"#,
            serde_json::Value::from(predicate)
        );
        let server = &server;
        async move {
            server
                .operator("POST", "/api/v2/delete?org=acme&bucket=first", &body)
                .await
        }
    };
    let series = || async { server.query("SHOW SERIES", "").await.text() };
    delete("t>1").await.is_refused(
        400,
        "error decoding json body: invalid operator \">\" at position: 1",
    );
    delete("_field=f")
        .await
        .is_refused(501, "delete by field is not supported");
    assert_eq!(delete("t=a").await.status, 204);
    assert!(!series().await.contains("t=a"));
    assert_eq!(delete("").await.status, 204);
    let left = series().await;
    assert!(!left.contains("t=b") && left.contains("[\"n\"]"), "{left}");
    let body = r#"{"start":"1970-01-01T00:00:00Z","stop":"1970-01-01T00:00:02Z"}"#;
    for (target, status, message) in [
        ("/api/v2/delete", 400, "Please provide either orgID or org"),
        (
            "/api/v2/delete?org=acme",
            400,
            "Please provide either bucketID or bucket",
        ),
        (
            "/api/v2/delete?org=acme&bucket=nope",
            404,
            "bucket \"nope\" not found",
        ),
        (
            "/api/v2/delete?org=acme&bucketID=00000000000000ab",
            404,
            "bucket not found",
        ),
    ] {
        server
            .operator("POST", target, body)
            .await
            .is_refused(status, message);
    }
    server.stop().await;
}
