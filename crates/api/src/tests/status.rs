//! Status endpoints, and what happens while the store is away.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use influxd_store::{Result, Store, StoreError, Transaction};

use super::TestServer;
use crate::server::{EndpointsConfig, ServerConfig};

/// A store that can be switched off.
#[derive(Debug)]
struct Switched {
    store: Arc<dyn Store>,
    is_off: Arc<AtomicBool>,
}

impl Switched {
    fn check(&self) -> Result<()> {
        if self.is_off.load(Ordering::Relaxed) {
            return Err(StoreError::Unavailable("switched off".into()));
        }
        Ok(())
    }
}

#[async_trait]
impl Store for Switched {
    async fn begin(&self) -> Result<Box<dyn Transaction>> {
        self.check()?;
        self.store.begin().await
    }

    async fn begin_read(&self) -> Result<Box<dyn Transaction>> {
        self.check()?;
        self.store.begin_read().await
    }

    async fn ping(&self) -> Result<()> {
        self.check()
    }

    async fn counts(&self) -> Result<influxd_store::Counts> {
        self.check()?;
        self.store.counts().await
    }

    async fn count_lists(&self) -> Result<()> {
        self.check()?;
        self.store.count_lists().await
    }

    async fn awaits_scrub(&self) -> Result<influxd_store::AwaitsScrub> {
        self.check()?;
        self.store.awaits_scrub().await
    }

    async fn scrub(&self, force: bool) -> Result<influxd_store::Scrubbed> {
        self.check()?;
        self.store.scrub(force).await
    }

    async fn close(&self) {
        self.store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn status_endpoints_answer_everybody() {
    let server = TestServer::set_up().await;
    let health = server.client.send("GET", "/health", &[], b"").await;
    assert_eq!(
        health.header("Content-Type"),
        Some("application/json; charset=utf-8")
    );
    assert_eq!(
        health.text(),
        "{\"name\":\"influxdb\", \"message\":\"ready for queries and writes\", \"status\":\"pass\", \
         \"checks\":[], \"version\": \"v2.9.1\", \"commit\": \"none\"}\n"
    );
    for (method, target, status) in [
        ("POST", "/health", 200),
        ("GET", "/health/", 200),
        ("GET", "/health/x", 200),
        ("GET", "/ready/x/y", 200),
        ("GET", "/metrics/x", 200),
        ("POST", "/ready", 200),
        ("GET", "/metrics", 200),
        ("GET", "/ping", 204),
        ("HEAD", "/ping", 204),
        ("OPTIONS", "/ping", 200),
        ("POST", "/ping", 405),
        ("GET", "/api/v2", 200),
    ] {
        let bad = [("Authorization", "Token nonsense")];
        let reply = server.client.send(method, target, &bad, b"").await;
        assert_eq!(reply.status, status, "{method} {target}");
        assert_eq!(
            reply.header("X-Influxdb-Build"),
            Some("OSS"),
            "{method} {target}"
        );
        assert_eq!(
            reply.header("X-Influxdb-Version"),
            Some("v2.9.1"),
            "{method} {target}"
        );
    }
    let ready = server.client.send("GET", "/ready", &[], b"").await;
    assert!(
        ready
            .text()
            .starts_with("{\n    \"status\": \"ready\",\n    \"started\": \"")
    );
    server.writes("m f=1 1").await;
    let metrics = server.client.send("GET", "/metrics", &[], b"").await;
    assert!(
        metrics
            .header("Content-Type")
            .unwrap()
            .starts_with("text/plain; version=0.0.4")
    );
    for family in [
        "influxdb_info{",
        "influxdb_uptime_seconds{",
        "http_api_requests_total{handler=\"platform\",method=\"POST\",path=\"/write\",response_code=\"204\",status=\"2XX\",user_agent=\"unknown\"} 1",
        "http_api_request_duration_seconds_bucket{",
        "http_write_request_count{endpoint=\"/write\",",
        "influxql_service_requests_total{result=\"success\"} 0",
    ] {
        assert!(
            metrics.text().contains(family),
            "{family}\n{}",
            metrics.text()
        );
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_store_is_away_nobody_is_unauthorized() {
    let is_off = Arc::new(AtomicBool::new(false));
    let switch = Arc::clone(&is_off);
    let wrap = |store| {
        Arc::new(Switched {
            store,
            is_off: switch,
        }) as Arc<dyn Store>
    };
    let server = TestServer::with(ServerConfig::default(), wrap).await;
    server.onboard().await;
    is_off.store(true, Ordering::Relaxed);
    for (method, target) in [
        ("POST", "/write?db=first"),
        ("GET", "/query?q=SHOW+DATABASES"),
        ("POST", "/api/v2/write?org=acme&bucket=first"),
        ("GET", "/api/v2/buckets"),
    ] {
        let reply = server.operator(method, target, "").await;
        reply.is_refused(503, "the database is not available, try again later");
        assert_eq!(reply.header("Retry-After"), Some("1"), "{target}");
    }
    // The watch asks once a second.
    let mut health = server.client.send("GET", "/health", &[], b"").await;
    for _ in 0..100 {
        if health.status == 503 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        health = server.client.send("GET", "/health", &[], b"").await;
    }
    assert_eq!(
        (health.status, &health.json()["status"]),
        (503, &"fail".into())
    );
    assert_eq!(
        server.client.send("GET", "/metrics", &[], b"").await.status,
        200
    );
    is_off.store(false, Ordering::Relaxed);
    assert_eq!(
        server.operator("GET", "/api/v2/buckets", "").await.status,
        200
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn profiles_are_never_shown() {
    let server = TestServer::fresh().await;
    for (method, target) in [
        ("GET", "/debug/pprof"),
        ("GET", "/debug/pprof/"),
        ("GET", "/debug/pprof/cmdline"),
        ("POST", "/debug/pprof/all"),
    ] {
        let reply = server.client.send(method, target, &[], b"").await;
        assert_eq!(reply.status, 403, "{target}");
        assert_eq!(
            reply.text(),
            r#"{"code":"forbidden","message":"profiling disabled"}"#
        );
        assert_eq!(reply.header("X-Platform-Error-Code"), Some("forbidden"));
    }
    for target in ["/debug", "/debug/vars", "/debug/pprofx"] {
        let reply = server.client.send("GET", target, &[], b"").await;
        assert_eq!(reply.text(), "no assets included in binary\n", "{target}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_switched_off_says_so() {
    let config = ServerConfig {
        endpoints: EndpointsConfig {
            metrics_disabled: true,
            ui_disabled: true,
            ..EndpointsConfig::default()
        },
        ..ServerConfig::default()
    };
    let server = TestServer::with(config, |store| store).await;
    let reply = server.client.send("GET", "/metrics", &[], b"").await;
    assert_eq!(reply.status, 403);
    assert_eq!(
        reply.text(),
        r#"{"code":"forbidden","message":"metrics disabled"}"#
    );
    assert_eq!(reply.header("X-Platform-Error-Code"), Some("forbidden"));
    for target in ["/", "/foo", "/query/"] {
        let reply = server.client.send("GET", target, &[], b"").await;
        assert_eq!(reply.status, 404, "{target}");
        assert_eq!(reply.text(), "404 page not found\n", "{target}");
        let kind = reply.header("Content-Type").unwrap();
        assert!(kind.starts_with("text/plain"), "{kind}");
    }
    server.stop().await;
}
