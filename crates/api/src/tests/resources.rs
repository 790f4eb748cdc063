//! Set-up, organizations, buckets and mappings.

use serde_json::{Value, json};

use super::{TOKEN, TestServer};
use crate::server::{EndpointsConfig, ServerConfig};

/// A document with what varies taken out.
fn redacted(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(key, value)| {
                let value = match (key.as_str(), value) {
                    ("createdAt" | "updatedAt", _) => json!("TIME"),
                    _ => redacted(value),
                };
                (key.clone(), value)
            })
            .collect(),
        Value::Array(items) => items.iter().map(redacted).collect(),
        Value::String(text) => {
            let is_id =
                |part: &str| part.len() == 16 && part.bytes().all(|b| b.is_ascii_hexdigit());
            let parts = |text: &str, by: char| -> Vec<String> {
                text.split(by)
                    .map(|p| {
                        if is_id(p) {
                            "ID".to_owned()
                        } else {
                            p.to_owned()
                        }
                    })
                    .collect()
            };
            let text = parts(text, '/').join("/");
            json!(
                text.split('&')
                    .map(|p| parts(p, '=').join("="))
                    .collect::<Vec<_>>()
                    .join("&")
            )
        }
        other => other.clone(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn set_up_works_once() {
    let server = TestServer::fresh().await;
    let allowed = server.client.send("GET", "/api/v2/setup", &[], b"").await;
    assert_eq!(allowed.text(), "{\n\t\"allowed\": true\n}");
    let body =
        json!({"username": "admin", "org": "acme", "bucket": "b/x", "retentionPeriodHrs": 48});
    let body = body.to_string();
    let reply = server
        .client
        .send("POST", "/api/v2/setup", &[], body.as_bytes())
        .await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    assert!(!reply.text().contains("influxdb2-sha"), "no digest leaves");
    let made = reply.json();
    assert_eq!(made["auth"]["token"].as_str().unwrap().len(), 88);
    assert_eq!(made["auth"]["permissions"].as_array().unwrap().len(), 44);
    assert_eq!(
        redacted(&made["bucket"]),
        json!({
            "id": "ID", "orgID": "ID", "type": "user", "name": "b/x",
            "retentionRules": [
                {"type": "expire", "everySeconds": 172_800, "shardGroupDurationSeconds": 86_400}
            ],
            "createdAt": "TIME", "updatedAt": "TIME",
            "links": {
                "labels": "/api/v2/buckets/ID/labels", "members": "/api/v2/buckets/ID/members",
                "org": "/api/v2/orgs/ID", "owners": "/api/v2/buckets/ID/owners",
                "self": "/api/v2/buckets/ID", "write": "/api/v2/write?org=ID&bucket=ID",
            },
            "labels": [],
        })
    );
    assert!(reply.text().contains("org=") && reply.text().contains("\\u0026bucket="));
    let again = server
        .client
        .send("POST", "/api/v2/setup", &[], body.as_bytes())
        .await;
    again.is_refused(422, "onboarding has already been completed");
    let allowed = server.client.send("GET", "/api/v2/setup", &[], b"").await;
    assert_eq!(allowed.json(), json!({"allowed": false}));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_for_tests_is_set_up_again_and_again() {
    let config = ServerConfig {
        endpoints: EndpointsConfig {
            set_up_again: true,
            ..EndpointsConfig::default()
        },
        ..ServerConfig::default()
    };
    let server = TestServer::with(config, |store| store).await;
    server.onboard().await;
    let allowed = server.client.send("GET", "/api/v2/setup", &[], b"").await;
    assert_eq!(allowed.json(), json!({"allowed": true}));
    for (user, org, token, message) in [
        ("admin", "beta", "t2", "user with name admin already exists"),
        (
            "eve",
            "acme",
            "t2",
            "organization with name acme already exists",
        ),
        ("eve", "beta", TOKEN, "token already exists"),
    ] {
        let body = json!({"username": user, "org": org, "bucket": "b", "token": token});
        let body = body.to_string();
        let reply = server
            .client
            .send("POST", "/api/v2/setup", &[], body.as_bytes())
            .await;
        reply.is_refused(422, message);
        assert_eq!(reply.json()["code"], "conflict");
    }
    let body = br#"{"username":"eve","org":"beta","bucket":"b"}"#;
    let reply = server.client.send("POST", "/api/v2/setup", &[], body).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_whose_user_is_gone_is_still_taken() {
    let server = TestServer::set_up().await;
    let orgs = server.operator("GET", "/api/v2/orgs", "").await.json();
    let users = server.operator("GET", "/api/v2/users", "").await.json();
    for (kind, list) in [("orgs", &orgs), ("users", &users)] {
        let id = list[kind][0]["id"].as_str().unwrap();
        let path = format!("/api/v2/{kind}/{id}");
        let reply = server.operator("DELETE", &path, "").await;
        assert_eq!(reply.status, 204, "{}", reply.text());
    }
    let body = json!({"username": "a", "org": "o", "bucket": "b", "token": TOKEN}).to_string();
    let reply = server
        .client
        .send("POST", "/api/v2/setup", &[], body.as_bytes())
        .await;
    reply.is_refused(422, "token already exists");
    let allowed = server.client.send("GET", "/api/v2/setup", &[], b"").await;
    assert_eq!(allowed.json(), json!({"allowed": true}));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn that_it_is_done_is_the_first_thing_a_set_up_is_told() {
    let server = TestServer::set_up().await;
    for body in ["{}", r#"{"username":"a\u0000","org":"o","bucket":"b"}"#] {
        let reply = server
            .client
            .send("POST", "/api/v2/setup", &[], body.as_bytes())
            .await;
        reply.is_refused(422, "onboarding has already been completed");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_set_up_leaves_nothing_behind() {
    let server = TestServer::fresh().await;
    for (body, status, message) in [
        ("", 400, "EOF"),
        (
            "{}",
            422,
            "onboarding failed: missing required fields [username,org,bucket]",
        ),
        (
            r#"{"username":"a","org":"o"}"#,
            422,
            "onboarding failed: missing required fields [bucket]",
        ),
        (
            r#"{"username":"a","org":"o","bucket":"b","password":"short"}"#,
            400,
            "passwords must be between 8 and 72 characters long",
        ),
        (
            r#"{"username":"a","org":" ","bucket":"b"}"#,
            400,
            "org name is empty",
        ),
        (
            r#"{"username":"a","org":"o","bucket":"_b"}"#,
            400,
            "bucket name _b is invalid. Buckets may not start with underscore",
        ),
        (
            r#"{"username":"a\u0000","org":"o","bucket":"b"}"#,
            400,
            "a text must not hold U+0000",
        ),
        (
            r#"{"username":"a","org":"o","bucket":"b","retentionPeriodHrs":9223372036}"#,
            422,
            "the retention must be at most 9223372036 seconds",
        ),
        (
            r#"{"username":"a","org":"o","bucket":"b","retentionPeriodSeconds":60}"#,
            500,
            "retention policy duration must be at least 1h0m0s",
        ),
    ] {
        let reply = server
            .client
            .send("POST", "/api/v2/setup", &[], body.as_bytes())
            .await;
        reply.is_refused(status, message);
    }
    server.onboard().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_too_long_is_told_where_its_thing_is_made() {
    let server = TestServer::fresh().await;
    let long = "x".repeat(32_769);
    let (too_long, password) = (
        (413, "key too large"),
        "passwords must be between 8 and 72 characters long",
    );
    for (user, password, org, bucket, (status, message)) in [
        (long.as_str(), "short", " ", "_b", too_long),
        ("a", "short", &long, "b", (400, password)),
        ("a", "", &long, "_b", too_long),
        ("a", "", " ", &long, (400, "org name is empty")),
        ("a", "", "o\0", &long, (400, "a text must not hold U+0000")),
        ("a", "", "o", &long, too_long),
    ] {
        let body = json!({
            "username": user, "password": password, "org": org, "bucket": bucket,
            "retentionPeriodSeconds": 60,
        });
        let body = body.to_string();
        let reply = server
            .client
            .send("POST", "/api/v2/setup", &[], body.as_bytes())
            .await;
        reply.is_refused(status, message);
    }
    server.onboard().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn buckets_come_change_and_go() {
    let server = TestServer::set_up().await;
    let orgs = server
        .operator("GET", "/api/v2/orgs?org=acme", "")
        .await
        .json();
    let org = orgs["orgs"][0]["id"].as_str().unwrap().to_owned();
    let create = |body: Value| {
        let (server, body) = (&server, body.to_string());
        async move { server.operator("POST", "/api/v2/buckets", &body).await }
    };
    let made = create(json!({"orgID": org, "name": "two", "description": "d"})).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let id = made.json()["id"].as_str().unwrap().to_owned();
    create(json!({"orgID": org, "name": "two"}))
        .await
        .is_refused(422, "bucket with name two already exists");
    create(json!({"orgID": "00000000000000ab", "name": "x"}))
        .await
        .is_refused(404, "organization not found");
    create(json!({"name": "x"}))
        .await
        .is_refused(400, "organization id must be provided");
    let rules = json!([{"everySeconds": 60}]);
    create(json!({"orgID": org, "name": "x", "retentionRules": rules}))
        .await
        .is_refused(500, "retention policy duration must be at least 1h0m0s");

    let path = format!("/api/v2/buckets/{id}");
    let patched = server.operator("PATCH", &path, r#"{"name":"three"}"#).await;
    assert_eq!(
        (patched.status, patched.json()["name"].as_str()),
        (200, Some("three"))
    );
    let refused = server.operator("PATCH", &path, r#"{"name":"first"}"#).await;
    refused.is_refused(422, "bucket name is not unique");

    let list = server
        .operator("GET", &format!("/api/v2/buckets?orgID={org}&limit=2"), "")
        .await;
    let names: Vec<Value> = list.json()["buckets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|b| b["name"].clone())
        .collect();
    assert_eq!(names, [json!("_monitoring"), json!("_tasks")]);
    let next = format!("/api/v2/buckets?descending=false&limit=2&offset=2&orgID={org}");
    assert_eq!(list.json()["links"]["next"], json!(next));

    assert_eq!(server.operator("DELETE", &path, "").await.status, 204);
    server
        .operator("DELETE", &path, "")
        .await
        .is_refused(404, "bucket not found");
    server
        .operator("GET", &path, "")
        .await
        .is_refused(404, "bucket not found");
    let system = server
        .operator("GET", "/api/v2/buckets?name=_tasks", "")
        .await
        .json();
    let path = format!(
        "/api/v2/buckets/{}",
        system["buckets"][0]["id"].as_str().unwrap()
    );
    server
        .operator("DELETE", &path, "")
        .await
        .is_refused(400, "system buckets cannot be deleted");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mappings_shadow_what_bucket_names_imply() {
    let server = TestServer::set_up().await;
    let orgs = server.operator("GET", "/api/v2/orgs", "").await.json();
    let org = orgs["orgs"][0]["id"].as_str().unwrap().to_owned();
    let body = json!({"orgID": org, "name": "second"}).to_string();
    let second = server
        .operator("POST", "/api/v2/buckets", &body)
        .await
        .json();
    let second = second["id"].as_str().unwrap().to_owned();
    let body =
        json!({"orgID": org, "bucketID": second, "database": "first", "retention_policy": "rp"});
    let made = server
        .operator("POST", "/api/v2/dbrps", &body.to_string())
        .await;
    assert_eq!(
        (made.status, &made.json()["default"]),
        (201, &json!(true)),
        "{}",
        made.text()
    );
    let again = server
        .operator("POST", "/api/v2/dbrps", &body.to_string())
        .await;
    again.is_refused(
        422,
        "another DBRP mapping with same orgID, db, and rp exists",
    );

    server.writes("mapped f=1 1").await;
    let reply = server
        .operator("POST", "/write?db=first&rp=autogen", "implied f=1 1")
        .await;
    assert_eq!(reply.status, 204);
    let seen = server.query("SHOW MEASUREMENTS", "").await.text();
    assert!(seen.contains("mapped"), "{seen}");
    let seen = server
        .operator("GET", "/query?db=second&q=SHOW+MEASUREMENTS", "")
        .await
        .text();
    assert!(
        seen.contains("mapped") && !seen.contains("implied"),
        "{seen}"
    );

    let list = server
        .operator("GET", &format!("/api/v2/dbrps?orgID={org}&db=first"), "")
        .await;
    let shown: Vec<(Value, Value, Value)> = list.json()["content"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| {
            (
                d["retention_policy"].clone(),
                d["default"].clone(),
                d["virtual"].clone(),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            (json!("rp"), json!(true), json!(false)),
            (json!("autogen"), json!(false), json!(true))
        ]
    );
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v2/dbrps/{id}?orgID={org}");
    assert_eq!(server.operator("DELETE", &path, "").await.status, 204);
    server
        .operator("GET", &path, "")
        .await
        .is_refused(404, "unable to find DBRP");
    // Seen at once by writes, whatever was remembered.
    server.writes("back f=1 1").await;
    let seen = server.query("SHOW MEASUREMENTS", "").await.text();
    assert!(seen.contains("back") && seen.contains("implied"), "{seen}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_paths_and_methods_are_answered_by_family() {
    let server = TestServer::set_up().await;
    let check = |method: &'static str, target: &'static str, status: u16, body: &'static str| {
        let server = &server;
        async move {
            let reply = server.operator(method, target, "").await;
            assert_eq!(
                (reply.status, reply.text().as_str()),
                (status, body),
                "{method} {target}"
            );
            reply
        }
    };
    let not_found = "{\n\t\"code\": \"not found\",\n\t\"message\": \"path not found\"\n}";
    check("GET", "/api/v2/nope", 404, not_found).await;
    check("GET", "/api/v2orgs", 404, not_found).await;
    check("GET", "/private/x", 404, not_found).await;
    check(
        "GET",
        "/api/v2/orgs/0000000000000001/xx",
        404,
        "404 page not found\n",
    )
    .await;
    check("GET", "/nowhere", 404, "no assets included in binary\n").await;
    check("GET", "/write/", 404, "no assets included in binary\n").await;
    let reply = check("DELETE", "/api/v2/orgs", 405, "").await;
    assert_eq!(reply.header("Allow"), None);
    check("BREW", "/api/v2/orgs", 405, "").await;
    let allow = r#"{"code":"method not allowed","message":"allow: OPTIONS, POST"}"#;
    let reply = check("PUT", "/api/v2/write", 405, allow).await;
    assert_eq!(reply.header("Allow"), Some("OPTIONS, POST"));
    let reply = check("POST", "/api/v2/write/?org=a", 308, "").await;
    assert_eq!(reply.header("Location"), Some("/api/v2/write?org=a"));
    let reply = server.client.send("GET", "/api/v2/nope", &[], b"").await;
    reply.is_refused(401, "unauthorized access");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cors_is_for_the_api_alone() {
    let server = TestServer::set_up().await;
    let origin = [("Origin", "http://ui.example")];
    let reply = server
        .client
        .send("OPTIONS", "/api/v2/nope", &origin, b"")
        .await;
    assert_eq!(reply.status, 204);
    assert_eq!(
        reply.header("Access-Control-Allow-Origin"),
        Some("http://ui.example")
    );
    assert!(reply.header("Access-Control-Allow-Methods").is_some());
    let reply = server
        .client
        .send("OPTIONS", "/api/v2/write", &[], b"")
        .await;
    assert_eq!((reply.status, reply.text().as_str()), (405, ""));
    let reply = server
        .operator_with("GET", "/api/v2/nope", &origin, b"")
        .await;
    assert_eq!(
        reply.header("Access-Control-Allow-Origin"),
        Some("http://ui.example")
    );
    for target in ["/ping", "/health", "/query?q=SHOW+DATABASES"] {
        let reply = server.operator_with("GET", target, &origin, b"").await;
        assert_eq!(
            reply.header("Access-Control-Allow-Origin"),
            None,
            "{target}"
        );
    }
    let token = format!("Token {TOKEN}");
    let headers = [("Authorization", token.as_str())];
    let reply = server.client.send("OPTIONS", "/write", &headers, b"").await;
    assert_eq!(
        (reply.status, reply.header("Allow")),
        (200, Some("OPTIONS, POST"))
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_set_ups_at_once_one_wins() {
    let server = TestServer::fresh().await;
    let set_up = |name: &'static str| {
        let client = server.client;
        async move {
            let body = format!(r#"{{"username":"{name}","org":"{name}","bucket":"b"}}"#);
            client
                .send("POST", "/api/v2/setup", &[], body.as_bytes())
                .await
        }
    };
    let (one, two) = tokio::join!(set_up("one"), set_up("two"));
    let (good, bad) = if one.status == 201 {
        (one, two)
    } else {
        (two, one)
    };
    assert_eq!(good.status, 201, "{}", good.text());
    bad.is_refused(422, "onboarding has already been completed");
    server.stop().await;
}
