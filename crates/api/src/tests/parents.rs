//! What hangs on organizations and buckets that are not there, and what is looked at first.

use serde_json::{Value, json};

use super::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_parent_is_looked_for_before_method_and_path() {
    let world = World::new().await;
    let (org, bucket) = (world.org.as_str(), world.bucket.as_str());
    for (kind, known, below) in [
        ("orgs", org, ["members", "owners", "secrets"]),
        ("buckets", bucket, ["members", "owners", "labels"]),
    ] {
        for name in below {
            let path = |id: &str, tail: &str| format!("/api/v2/{kind}/{id}/{name}{tail}");
            for (method, tail) in [("PUT", ""), ("GET", "/x/y"), ("PUT", "/x")] {
                let send = async |id| world.operator(method, &path(id, tail), &Value::Null).await;
                send("abc").await.is_refused(
                    400,
                    "corrupt ID provided: id must have a length of 16 bytes",
                );
                send("00000000000000ab")
                    .await
                    .is_refused(404, "404 page not found");
                let reply = send(known).await;
                let expected = if method == "PUT" { 405 } else { 404 };
                assert_eq!(reply.status, expected, "{method} {}", path(known, tail));
            }
        }
    }
    world.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_organization_of_mappings_is_looked_for_before_filters() {
    let world = World::new().await;
    let list = async |query: &str| {
        let target = format!("/api/v2/dbrps?{query}");
        world.operator("GET", &target, &Value::Null).await
    };
    list("org=nosuch&id=abc")
        .await
        .is_refused(404, "invalid org \"nosuch\": organization not found");
    let reply = list(&format!("orgID={}&id=abc", world.org)).await;
    assert_eq!(reply.status, 400, "{}", reply.text());
    world.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_request_for_a_token_calls_token_is_not_looked_at() {
    let world = World::new().await;
    let body = json!({
        "orgID": world.org, "token": 5,
        "permissions": [{"action": "read", "resource": {"type": "buckets"}}],
    });
    world.makes("/api/v2/authorizations", &body).await;
    let path = "/private/legacy/authorizations";
    let reply = world.operator("POST", path, &body).await;
    assert_eq!(reply.status, 400, "{}", reply.text());
    world.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_origin_is_none() {
    let world = World::new().await;
    let client = world.server.client;
    let origin = [("Origin", "")];
    let reply = client.send("OPTIONS", "/api/v2", &origin, b"").await;
    assert_eq!(reply.status, 405);
    let reply = client.send("GET", "/api/v2/setup", &origin, b"").await;
    assert_eq!(reply.header("Access-Control-Allow-Origin"), None);
    world.server.stop().await;
}
