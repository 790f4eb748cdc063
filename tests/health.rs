//! What the server says about itself, also while its database is away.

use std::time::{Duration, Instant};

use influxd_tests::{Home, on_both_stores};

on_both_stores!(
    a_server_says_how_it_is_without_a_token,
    metrics_count_what_was_written,
);

async fn a_server_says_how_it_is_without_a_token(home: Home) {
    let server = home.server().await;
    let stranger = server.client("");
    let health = stranger.gets("/health").await;
    assert_eq!(health.status.as_u16(), 200);
    assert_eq!(health.json()["status"], "pass");
    assert_eq!(stranger.gets("/ready").await.json()["status"], "ready");
    assert_eq!(stranger.gets("/ping").await.status.as_u16(), 204);
    assert_eq!(stranger.gets("/metrics").await.status.as_u16(), 200);
    assert_eq!(health.headers["x-influxdb-build"], "OSS");
    assert_eq!(health.headers["x-influxdb-version"], "v2.9.1");
}

async fn metrics_count_what_was_written(home: Home) {
    let server = home.server().await;
    let client = server.set_up().await;
    client.writes("m f=1 1\nm f=2 2").await.is_accepted();
    assert!(client.reads_metric("http_write_request_count").await >= 1.0);
    assert!(client.reads_metric("http_api_requests_total").await >= 1.0);
    // Counted when somebody asks, though not for each who does.
    let counts_buckets = async |count: f64| {
        let began = Instant::now();
        while (client.reads_metric("influxdb_buckets_total").await - count).abs() > 0.5 {
            assert!(began.elapsed() < Duration::from_secs(30), "not {count}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    counts_buckets(3.0).await;
    let org = client.org_id(influxd_tests::ORG).await;
    let another = client.tries_to_make_bucket(&org, "another").await;
    another.made("id");
    counts_buckets(4.0).await;
    for (what, count) in [
        ("organizations", 1.0),
        ("users", 1.0),
        ("tokens", 1.0),
        ("dashboards", 0.0),
    ] {
        let name = format!("influxdb_{what}_total");
        let found = client.reads_metric(&name).await;
        assert!((found - count).abs() < 0.5, "{name} {found}");
    }
}

/// Every answer while the database is away comes soon, and none blames the client.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_its_database_says_so_and_recovers() {
    let home = Home::postgres_alone().await;
    let server = home.server().await;
    let client = server.set_up().await;
    client.writes("m f=1 1").await.is_accepted();

    home.cluster().stop_immediate().expect("PostgreSQL stops");
    let began = Instant::now();
    loop {
        let health = client.gets("/health").await;
        if health.status.as_u16() == 503 {
            assert_eq!(health.json()["status"], "fail");
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{}", health.body);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for path in ["/ping", "/metrics", "/health", "/ready"] {
        let asked = Instant::now();
        client.gets(path).await;
        assert!(
            asked.elapsed() < Duration::from_secs(1),
            "{path} took {:?}",
            asked.elapsed()
        );
    }
    client.writes("m f=2 2").await.asks_to_come_again();
    client.asks("SELECT f FROM m").await.asks_to_come_again();
    // Nobody is told that a credential is wrong while nobody can know.
    let other = client.with_token("a-token-that-was-never-seen-before");
    other.writes("m f=3 3").await.asks_to_come_again();

    home.cluster().start_again().expect("PostgreSQL starts");
    let began = Instant::now();
    while client.gets("/health").await.status.as_u16() != 200 {
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "{}",
            server.output()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    client.writes("m f=4 4").await.is_accepted();
    assert_eq!(client.counts("f", "m").await, 2);
}
