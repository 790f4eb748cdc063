//! Changes that say something twice.

use serde_json::{Value, json};

use super::people::permission;
use super::world::World;

/// What a field was given before counts no more where it is `null` in the end.
#[tokio::test(flavor = "multi_thread")]
async fn a_last_null_takes_back_what_a_change_says() {
    let world = World::new().await;
    let org = world.org.as_str();
    let user = world.makes("/api/v2/users", &json!({"name": "u"})).await;
    let mapping = json!({
        "orgID": org, "bucketID": world.bucket, "database": "d", "retention_policy": "p",
    });
    let mapping = world.makes("/api/v2/dbrps", &mapping).await;
    let token = json!({
        "orgID": org, "token": "v1", "permissions": [permission("read", "buckets", org, "")],
    });
    let authorizations = "/api/v2/authorizations";
    let api_token = world.makes(authorizations, &token).await;
    let legacy = "/private/legacy/authorizations";
    let v1_user = world.makes(legacy, &token).await;
    for (path, change) in [
        (
            format!("/api/v2/orgs/{org}"),
            "'name': 'n', 'name': null, 'description': 'd', 'Description': null",
        ),
        (
            format!("/api/v2/buckets/{}", world.bucket),
            "'name': 'n', 'name': null, 'description': 'd', 'description': null,
             'retentionRules': [{
                'everySeconds': 7200, 'everySeconds': null,
                'shardGroupDurationSeconds': 3600, 'shardGroupDurationSeconds': null
             }]",
        ),
        (
            format!("/api/v2/buckets/{}", world.bucket),
            "'retentionRules': [{'everySeconds': 7200}], 'retentionRules': null",
        ),
        (
            format!("/api/v2/users/{user}"),
            "'name': 'n', 'name': null, 'status': 'inactive', 'status': null",
        ),
        (
            format!("/api/v2/dbrps/{mapping}?orgID={org}"),
            "'retention_policy': 'n', 'retention_policy': null, 'default': false, 'default': null",
        ),
        (
            format!("{authorizations}/{api_token}"),
            "'status': 'inactive', 'status': null, 'description': 'd', 'description': null",
        ),
        (
            format!("{legacy}/{v1_user}"),
            "'status': 'inactive', 'status': null, 'description': 'd', 'description': null",
        ),
    ] {
        let without_time = |mut seen: Value| {
            seen["updatedAt"] = Value::Null;
            seen
        };
        let before = world.operator("GET", &path, &Value::Null).await.json();
        let change = format!("{{{}}}", change.replace('\'', "\""));
        let reply = world.server.operator("PATCH", &path, &change).await;
        assert_eq!(reply.status, 200, "{path} {}", reply.text());
        let after = world.operator("GET", &path, &Value::Null).await.json();
        assert_eq!(without_time(after), without_time(before), "{path}");
    }
    // What is made keeps it.
    let body = format!(r#"{{"orgID": "{org}", "name": "new", "name": null}}"#);
    let reply = world
        .server
        .operator("POST", "/api/v2/buckets", &body)
        .await;
    assert_eq!(reply.json()["name"], "new", "{}", reply.text());
    world.server.stop().await;
}
