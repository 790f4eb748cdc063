//! Transactions that lose against others are tried again: clients need not know.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use influxd_store::{LostRace, Result, Store, StoreError, Transaction};
use serde_json::{Value, json};

use super::TestServer;
use crate::server::ServerConfig;

/// A store on which the next few transactions lose.
#[derive(Debug)]
struct Contended {
    store: Arc<dyn Store>,
    losses: Arc<AtomicUsize>,
}

#[async_trait]
impl Store for Contended {
    async fn begin(&self) -> Result<Box<dyn Transaction>> {
        let lose = |left: usize| left.checked_sub(1);
        let (set, fetch) = (Ordering::Relaxed, Ordering::Relaxed);
        if self.losses.fetch_update(set, fetch, lose).is_ok() {
            let race = LostRace("of the same row".to_owned());
            return Err(StoreError::Unavailable(Box::new(race)));
        }
        self.store.begin().await
    }

    async fn begin_read(&self) -> Result<Box<dyn Transaction>> {
        self.store.begin_read().await
    }

    async fn ping(&self) -> Result<()> {
        self.store.ping().await
    }

    async fn counts(&self) -> Result<influxd_store::Counts> {
        self.store.counts().await
    }

    async fn count_lists(&self) -> influxd_store::Result<()> {
        self.store.count_lists().await
    }

    async fn awaits_scrub(&self) -> influxd_store::Result<influxd_store::AwaitsScrub> {
        self.store.awaits_scrub().await
    }

    async fn scrub(&self, force: bool) -> Result<influxd_store::Scrubbed> {
        self.store.scrub(force).await
    }

    async fn close(&self) {
        self.store.close().await;
    }
}

async fn contended() -> (TestServer, Arc<AtomicUsize>) {
    let losses = Arc::new(AtomicUsize::new(0));
    let shared = Arc::clone(&losses);
    let wrap = move |store| -> Arc<dyn Store> {
        Arc::new(Contended {
            store,
            losses: shared,
        })
    };
    let server = TestServer::with(ServerConfig::default(), wrap).await;
    (server, losses)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_loses_races_is_made_all_the_same() {
    let (server, losses) = contended().await;
    losses.store(3, Ordering::Relaxed);
    server.onboard().await;
    assert_eq!(losses.load(Ordering::Relaxed), 0);

    let send = async |method: &str, target: &str, body: &Value| {
        losses.store(3, Ordering::Relaxed);
        let body = match body {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        let reply = server.operator(method, target, &body).await;
        assert_eq!(losses.load(Ordering::Relaxed), 0, "{method} {target}");
        assert!(
            reply.status < 300,
            "{method} {target}: {} {}",
            reply.status,
            reply.text()
        );
        reply
    };
    let made = async |target: &str, body: &Value| {
        let made = send("POST", target, body).await.json();
        let id = made["id"].as_str().or(made["label"]["id"].as_str());
        id.unwrap().to_owned()
    };

    let org = made("/api/v2/orgs", &json!({"name": "beta"})).await;
    let bucket = made("/api/v2/buckets", &json!({"orgID": org, "name": "b"})).await;
    let label = made("/api/v2/labels", &json!({"orgID": org, "name": "l"})).await;
    let user = made("/api/v2/users", &json!({"name": "otto"})).await;
    let v1 = json!({
        "orgID": org, "token": "v1",
        "permissions": [{"action": "read", "resource": {"type": "buckets", "orgID": org}}],
    });
    let v1 = made("/private/legacy/authorizations", &v1).await;
    let password = json!({"password": "correct horse battery"});
    for (method, target, body) in [
        ("POST", format!("/api/v2/users/{user}/password"), &password),
        (
            "POST",
            format!("/private/legacy/authorizations/{v1}/password"),
            &password,
        ),
        (
            "POST",
            format!("/api/v2/buckets/{bucket}/labels"),
            &json!({"labelID": label}),
        ),
        (
            "POST",
            format!("/api/v2/orgs/{org}/members"),
            &json!({"id": user}),
        ),
        (
            "PATCH",
            format!("/api/v2/orgs/{org}/secrets"),
            &json!({"k": "v"}),
        ),
        (
            "PATCH",
            format!("/api/v2/labels/{label}"),
            &json!({"name": "m"}),
        ),
        ("DELETE", format!("/api/v2/buckets/{bucket}"), &Value::Null),
        ("DELETE", format!("/api/v2/orgs/{org}"), &Value::Null),
    ] {
        send(method, &target, body).await;
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_begin_and_end_all_the_same() {
    let (server, losses) = contended().await;
    server.onboard().await;
    losses.store(3, Ordering::Relaxed);
    let basic = [("Authorization", "Basic YWRtaW46YWRtaW4tcGFzc3dvcmQ=")];
    let client = server.client;
    let reply = client.send("POST", "/api/v2/signin", &basic, b"").await;
    assert_eq!(reply.status, 204, "{}", reply.text());
    assert_eq!(losses.load(Ordering::Relaxed), 0);
    let cookie = reply.header("set-cookie").unwrap();
    let (cookie, _) = cookie.split_once(';').unwrap();
    losses.store(3, Ordering::Relaxed);
    let cookie = [("Cookie", cookie)];
    let reply = client.send("POST", "/api/v2/signout", &cookie, b"").await;
    assert_eq!(reply.status, 204, "{}", reply.text());
    assert_eq!(losses.load(Ordering::Relaxed), 0);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_loses_every_race_is_asked_to_come_again() {
    let (server, losses) = contended().await;
    server.onboard().await;
    losses.store(1000, Ordering::Relaxed);
    let reply = server
        .operator("POST", "/api/v2/orgs", r#"{"name": "beta"}"#)
        .await;
    assert_eq!(reply.status, 503, "{}", reply.text());
    assert_eq!(reply.header("retry-after"), Some("1"));
    losses.store(0, Ordering::Relaxed);
    server.stop().await;
}
