//! Limits: what is too large, and what is malformed, gets an answer that says so.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use influxd_tests::{BUCKET, Client, Home, ORG, on_both_stores};
use reqwest::Method;

on_both_stores!(
    a_body_above_the_limit_is_refused_while_it_is_read,
    malformed_bodies_are_refused_and_leave_nothing,
    a_bad_point_leaves_the_others_alone,
);

const LIMIT: usize = 256 << 20;

/// `bytes` bytes of comment lines and one point at the end, compressed.
fn gzipped(bytes: usize) -> Vec<u8> {
    let point = b"huge f=1 1\n";
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    let line = [b"#", &[b' '; 1022][..], b"\n"].concat();
    let mut left = bytes - point.len();
    while left > 0 {
        let piece = &line[line.len() - left.min(line.len())..];
        // The last piece begins within a line: blanks up to its end.
        out.write_all(piece).unwrap();
        left -= piece.len();
    }
    out.write_all(point).unwrap();
    out.finish().unwrap()
}

async fn writes_gzip(client: &Client, body: Vec<u8>) -> influxd_tests::Answer {
    let request = client
        .request(Method::POST, "/api/v2/write")
        .query(&[("org", ORG), ("bucket", BUCKET)])
        .header("content-encoding", "gzip")
        .body(body);
    client.send(request).await
}

async fn a_body_above_the_limit_is_refused_while_it_is_read(home: Home) {
    let server = home.server().await;
    let client = server.set_up().await;
    let answer = writes_gzip(&client, gzipped(LIMIT + 1)).await;
    assert_eq!(answer.status.as_u16(), 413, "{}", answer.body);
    assert_eq!(client.counts("f", "huge").await, 0);

    writes_gzip(&client, gzipped(LIMIT)).await.is_accepted();
    assert_eq!(client.counts("f", "huge").await, 1);
}

async fn malformed_bodies_are_refused_and_leave_nothing(home: Home) {
    let server = home.server().await;
    let client = server.set_up().await;
    client
        .writes("good f=1 1\nbad f=")
        .await
        .is_refused(400, "unable to parse 'bad f=': missing field value");
    client
        .writes_to("nowhere", "good f=1 1")
        .await
        .is_refused(404, "bucket \\\"nowhere\\\" not found");
    let answer = writes_gzip(&client, b"this is no gzip".to_vec()).await;
    assert_eq!(answer.status.as_u16(), 400, "{}", answer.body);
    assert_eq!(client.counts("f", "good").await, 0);
}

async fn a_bad_point_leaves_the_others_alone(home: Home) {
    let server = home.server().await;
    let client = server.set_up().await;
    client.writes("m f=1 1").await.is_accepted();
    client
        .writes("m f=2 2\nm f=\"text\" 3\nm f=4 4")
        .await
        .is_refused(422, "partial write: field type conflict");
    let times: Vec<i64> = client
        .asks("SELECT f FROM m")
        .await
        .rows()
        .iter()
        .map(|row| row[0].as_i64().unwrap())
        .collect();
    assert_eq!(times, [1, 2, 4]);
}
