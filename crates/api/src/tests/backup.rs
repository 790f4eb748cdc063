//! Backups that could not have been made.

use influxd_model::{Dbrp, DbrpId};
use influxd_store::{Snapshot, archive};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_what_no_route_makes_is_refused_and_changes_nothing() {
    let world = World::new().await;
    let mapping = json!({
        "orgID": world.org, "bucketID": world.bucket, "database": "d", "retention_policy": "p",
    });
    world.makes("/api/v2/dbrps", &mapping).await;
    world.makes("/api/v2/users", &json!({"name": " "})).await;
    for rule in [
        json!({"everySeconds": 3_600}),
        json!({"everySeconds": 0, "shardGroupDurationSeconds": 1}),
        json!({"everySeconds": 7_200, "shardGroupDurationSeconds": 7_200}),
    ] {
        let name = rule.to_string().replace('"', "");
        let bucket = json!({"orgID": world.org, "name": name, "retentionRules": [rule]});
        world.makes("/api/v2/buckets", &bucket).await;
    }
    let backs_up = || world.operator("GET", "/api/v2/backup/kv", &Value::Null);
    let restores = async |backup: &[u8]| {
        let reply = world
            .server
            .operator_with("POST", "/api/v2/restore/kv", &[], backup);
        reply.await
    };
    let backup = backs_up().await.body;
    let reply = restores(&backup).await;
    assert_eq!(reply.status, 200, "{}", reply.text());

    let before = archive::decode(&backup).unwrap();
    let (org, user) = (before.organizations[0].id, before.users[0].user.id);
    let bucket = before.buckets[0].id;
    let changes: [(fn(&mut Snapshot), String); 5] = [
        (
            |it| " ".clone_into(&mut it.organizations[0].name),
            format!("organization {org} has no name"),
        ),
        (
            |it| it.users[0].user.name.clear(),
            format!("user {user} has no name"),
        ),
        (
            |it| it.buckets[0].shard_duration = 1,
            format!("the shard duration of bucket {bucket} is too short"),
        ),
        (
            |it| it.buckets[0].retention = Some(0),
            format!("the retention of bucket {bucket} is too short"),
        ),
        (
            |it| {
                let second = Dbrp {
                    id: DbrpId::new(1).unwrap(),
                    policy: "q".to_owned(),
                    ..it.dbrps[0].clone()
                };
                it.dbrps.push(second);
            },
            "a default is in it twice".to_owned(),
        ),
    ];
    for (change, what) in changes {
        let mut snapshot = archive::decode(&backup).unwrap();
        change(&mut snapshot);
        let message = format!("this backup contradicts itself: snapshot: {what}");
        let reply = restores(archive::encode(&snapshot).expose_secret()).await;
        reply.is_refused(422, &message);
    }
    assert!(backs_up().await.body == backup, "nothing has changed");
    world.server.stop().await;
}
