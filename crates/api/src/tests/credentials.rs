//! Who gets in, and how.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use serde_json::{Value, json};

use super::people::{id, permission};
use super::world::World;
use super::{TOKEN, TestServer};

fn basic(name: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{secret}")))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_form_of_a_good_token_gets_in_everywhere() {
    let server = TestServer::set_up().await;
    for target in ["/query?q=SHOW+DATABASES", "/api/v2/buckets"] {
        for header in [
            format!("Token {TOKEN}"),
            format!("token {TOKEN}"),
            format!("Bearer {TOKEN}"),
            format!("BEARER {TOKEN}"),
            format!("Token anybody:{TOKEN}"),
            basic("anybody", TOKEN),
            basic("", TOKEN),
        ] {
            // Twice: the second time out of the cache.
            for _ in 0..2 {
                let headers = [("Authorization", header.as_str())];
                let reply = server.client.send("GET", target, &headers, b"").await;
                assert_eq!(reply.status, 200, "{header} {target}");
            }
        }
    }
    let target = format!("/query?q=SHOW+DATABASES&u=x&p={TOKEN}");
    let bad = [("Authorization", "Token nonsense")];
    assert_eq!(
        server.client.send("GET", &target, &bad, b"").await.status,
        200
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_else_is_refused_in_the_words_of_the_contract() {
    let server = TestServer::set_up().await;
    let token = influxd_tokens::ApiToken::from(TOKEN.as_bytes().to_vec());
    let digest = influxd_tokens::Keyring::default().digest(&token).to_phc();
    for (header, words) in [
        (None, "unauthorized access"),
        (Some(TOKEN.to_owned()), "unauthorized access"),
        (Some("Token".to_owned()), "unauthorized access"),
        (Some(format!("Token\t{TOKEN}")), "unauthorized access"),
        (Some(format!("ApiKey {TOKEN}")), "unauthorized access"),
        (Some("Basic nonsense".to_owned()), "unauthorized access"),
        (Some("Token wrong".to_owned()), "Unauthorized"),
        (Some(format!("Token  {TOKEN}")), "Unauthorized"),
        (Some(format!("Token {TOKEN}x")), "Unauthorized"),
        (Some(format!("Bearer anybody:{TOKEN}")), "Unauthorized"),
        (Some(format!("Token {digest}")), "Unauthorized"),
        (Some(basic("admin", "admin-password")), "Unauthorized"),
        (Some(basic(TOKEN, "")), "Unauthorized"),
    ] {
        let headers: Vec<(&str, &str)> = header
            .iter()
            .map(|value| ("Authorization", value.as_str()))
            .collect();
        let reply = server
            .client
            .send("GET", "/query?q=SHOW+DATABASES", &headers, b"")
            .await;
        reply.is_refused(401, words);
        assert_eq!(reply.json()["error"], reply.json()["message"]);
        let reply = server
            .client
            .send("GET", "/api/v2/buckets", &headers, b"")
            .await;
        reply.is_refused(401, "unauthorized access");
        assert_eq!(
            reply.text(),
            r#"{"code":"unauthorized","message":"unauthorized access"}"#
        );
    }
    for query in ["u=x&p=wrong", "u=x&p=%00"] {
        let target = format!("/write?db=first&{query}");
        let good = format!("Token {TOKEN}");
        let headers = [("Authorization", good.as_str())];
        let reply = server
            .client
            .send("POST", &target, &headers, b"m f=1")
            .await;
        reply.is_refused(401, "Unauthorized");
    }
    // `u` and `p` belong into no URL of the API, and no form.
    let target = format!("/api/v2/buckets?u=x&p={TOKEN}");
    let reply = server.client.send("GET", &target, &[], b"").await;
    reply.is_refused(401, "unauthorized access");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_counted_by_reason_and_secrets_are_in_no_metric() {
    let server = TestServer::set_up().await;
    server.client.send("GET", "/api/v2/buckets", &[], b"").await;
    let headers = [
        ("Authorization", "Token hush-hush"),
        ("User-Agent", "curl/8.0"),
    ];
    server
        .client
        .send("GET", "/api/v2/buckets", &headers, b"")
        .await;
    server.operator("GET", "/api/v2/buckets", "").await;
    let metrics = server.client.send("GET", "/metrics", &[], b"").await.text();
    assert!(metrics.contains("http_refused_credentials_total{reason=\"no_credential\"} 1"));
    assert!(metrics.contains("http_refused_credentials_total{reason=\"unknown\"} 1"));
    assert!(!metrics.contains("hush-hush") && !metrics.contains(TOKEN));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_outlives_its_organization_can_be_switched_off() {
    let world = World::new().await;
    let org = world.makes("/api/v2/orgs", &json!({"name": "o"})).await;
    let body = json!({
        "orgID": org, "token": "jo", "permissions": [permission("read", "orgs", "", &world.org)],
    });
    let base = "/api/v2/authorizations";
    let made = world.operator("POST", base, &body).await.json();
    let (token, path) = (&made["token"], format!("{base}/{}", id(&made)));
    let token = format!("Token {}", token.as_str().unwrap());
    let base = "/private/legacy/authorizations";
    let v1_path = format!("{base}/{}", world.makes(base, &body).await);
    let password = json!({"password": "its-password"});
    let target = format!("{v1_path}/password");
    let set = world.operator("POST", &target, &password).await;
    assert_eq!(set.status, 204, "{}", set.text());
    let target = format!("/api/v2/orgs/{org}");
    let deleted = world.operator("DELETE", &target, &Value::Null).await;
    assert_eq!(deleted.status, 204, "{}", deleted.text());

    let seen = format!("/api/v2/orgs/{}", world.org);
    for (path, header, words) in [
        (path, token, "token is inactive"),
        (v1_path, basic("jo", "its-password"), "unauthorized access"),
    ] {
        let headers = [("Authorization", header.as_str())];
        let asks = || world.server.client.send("GET", &seen, &headers, b"");
        let change = async |status: &str| {
            let change = json!({"status": status, "description": "d"});
            let reply = world.operator("PATCH", &path, &change).await;
            reply.is_refused(404, "organization not found");
        };
        assert_eq!(asks().await.status, 200);
        change("inactive").await;
        asks().await.is_refused(401, words);
        change("active").await;
        assert_eq!(asks().await.status, 200);
    }
    world.server.stop().await;
}
