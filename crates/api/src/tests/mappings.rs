//! Who sees which mapping of 1.x names.

use serde_json::{Value, json};

use super::people::permission;
use super::world::World;

/// The databases that `GET /api/v2/dbrps` shows somebody.
async fn databases(world: &World, token: &str) -> Vec<Value> {
    let path = format!("/api/v2/dbrps?orgID={}", world.org);
    let reply = world.with(token, "GET", &path, &Value::Null).await;
    let found = reply.json()["content"].as_array().unwrap().clone();
    found.iter().map(|it| it["database"].clone()).collect()
}

/// To see a system bucket is not to read it (auth-and-resources 4.7).
#[tokio::test(flavor = "multi_thread")]
async fn mappings_of_system_buckets_take_both_rights() {
    let world = World::new().await;
    let (org, bucket) = (&world.org, &world.bucket);
    let sees = permission("read", "orgs", "", org);
    let one = permission("read", "buckets", org, bucket);
    let all = permission("read", "buckets", org, "");
    let only_org = world.token(std::slice::from_ref(&sees)).await;
    let one_bucket = world.token(&[sees.clone(), one]).await;
    let all_buckets = world.token(std::slice::from_ref(&all)).await;
    let both = world.token(&[sees, all]).await;
    assert_eq!(databases(&world, &only_org).await, [] as [Value; 0]);
    assert_eq!(databases(&world, &one_bucket).await, [json!("first")]);
    assert_eq!(databases(&world, &all_buckets).await, [json!("first")]);
    let everything = [json!("_monitoring"), json!("_tasks"), json!("first")];
    assert_eq!(databases(&world, &both).await, everything);

    let shows = async |token: &str, text: &str| {
        let path = format!("/query?db=_tasks&q={}", text.replace(' ', "+"));
        world.with(token, "GET", &path, &Value::Null).await.text()
    };
    for (token, seen) in [(&only_org, false), (&one_bucket, false), (&both, true)] {
        let databases = shows(token, "SHOW DATABASES").await;
        assert_eq!(databases.contains("_tasks"), seen, "{databases}");
        let points = shows(token, "SELECT * FROM m").await;
        assert_eq!(
            points.contains("database not found: _tasks"),
            !seen,
            "{points}"
        );
        let path = "/write?db=_tasks";
        let written = world.with(token, "POST", path, &json!(1)).await;
        if seen {
            written.is_refused(403, "insufficient permissions for write");
        } else {
            written.is_refused(404, "no dbrp mapping found");
        }
    }
    let tasks = world.operator("GET", "/api/v2/buckets?name=_tasks", &Value::Null);
    let tasks = tasks.await.json()["buckets"][0]["id"].clone();
    let path = format!("/api/v2/dbrps/{}?orgID={org}", tasks.as_str().unwrap());
    for (token, status) in [(&only_org, 401), (&all_buckets, 404), (&both, 200)] {
        let reply = world.with(token, "GET", &path, &Value::Null).await;
        assert_eq!(reply.status, status, "{}", reply.text());
    }
    world.server.stop().await;
}
