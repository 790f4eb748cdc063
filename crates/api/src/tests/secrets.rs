//! What is in the log, and what must never be.

use std::io::Write;
use std::sync::{Mutex, Once, PoisonError};

use tracing_subscriber::fmt::MakeWriter;

use super::TestServer;
use super::people::permission;

static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static START: Once = Once::new();

/// Keeps what is logged, at every level.
#[derive(Debug, Clone, Copy)]
struct Keep;

impl Write for Keep {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOG.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Keep {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        Self
    }
}

/// Keeps the log from now on.
fn keep_log() {
    START.call_once(|| {
        tracing_subscriber::fmt()
            .with_writer(Keep)
            .with_max_level(tracing::Level::TRACE)
            .init();
    });
}

/// What was logged, by all tests.
fn kept_log() -> String {
    let log = LOG.lock().unwrap_or_else(PoisonError::into_inner);
    String::from_utf8_lossy(&log).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_credential_and_no_body_gets_into_the_log() {
    keep_log();
    let server = TestServer::fresh().await;
    let body = r#"{"username":"admin","password":"hush-password","org":"acme","bucket":"first","token":"hush-token"}"#;
    let made = server
        .client
        .send("POST", "/api/v2/setup", &[], body.as_bytes())
        .await;
    assert_eq!(made.status, 201);
    for header in [
        "Token hush-token",
        "Token hush-wrong",
        "Bearer hush-wrong",
        "Basic aHVzaDpodXNo",
    ] {
        let headers = [
            ("Authorization", header),
            ("Cookie", "influxdb-oss-session=hush-key"),
        ];
        for target in [
            "/query?q=CREATE+USER+hush+WITH+PASSWORD+'hush-user'",
            "/api/v2/buckets?token=hush-query",
            "/write?db=hush-db&u=hush-name&p=hush-secret",
        ] {
            server
                .client
                .send("POST", target, &headers, b"hush-line f=1")
                .await;
        }
    }
    server.stop().await;
    let log = kept_log();
    assert!(log.contains("Unauthorized"), "the log is kept");
    let found: Vec<&str> = log
        .lines()
        .filter(|l| l.contains("hush") || l.contains("aHVzaDpodXNo"))
        .collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_asked_for_and_left_out_of_the_list_is_logged() {
    keep_log();
    let server = TestServer::set_up().await;
    let admin = server.admin();
    let org = admin.makes_org("o").await;
    let read = [permission("read", "buckets", &org, "")];
    let (id, token) = admin.makes_token(&org, "", &read).await;
    assert_eq!(
        admin.deletes(&format!("/api/v2/orgs/{org}")).await.status,
        204
    );
    let list = format!("/api/v2/authorizations?id={id}");
    assert_eq!(
        admin.sees(&list).await["authorizations"],
        serde_json::json!([])
    );
    server.stop().await;
    let log = kept_log();
    let told = format!("left API token {id} out of a list: organization not found");
    assert!(log.contains(&told) && !log.contains(&token));
}
