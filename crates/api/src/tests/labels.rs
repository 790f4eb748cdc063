//! Labels, and the labels of buckets.

use serde_json::{Value, json};

use super::people::permission;
use super::world::World;

const NONE: Value = Value::Null;

#[tokio::test(flavor = "multi_thread")]
async fn labels_come_change_and_go() {
    let world = World::new().await;
    let make = |body: Value| {
        let world = &world;
        async move { world.operator("POST", "/api/v2/labels", &body).await }
    };
    let made = make(json!({
        "orgID": world.org, "name": " Red ", "properties": {"color": "ff0000", "Color": "x"},
    }))
    .await;
    assert_eq!(made.status, 201, "{}", made.text());
    let id = made.json()["label"]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v2/labels/{id}");
    let single = |name: &str, properties: Value| {
        let mut label = json!({"id": id, "orgID": world.org, "name": name});
        if !properties.is_null() {
            label["properties"] = properties;
        }
        json!({"links": {"self": path}, "label": label})
    };
    let both = json!({"color": "ff0000", "Color": "x"});
    assert_eq!(made.json(), single("Red", both));
    make(json!({"orgID": world.org, "name": "RED"}))
        .await
        .is_refused(422, "label with name RED already exists");
    make(json!({"orgID": world.org, "name": "  "}))
        .await
        .is_refused(400, "label name is required");
    make(json!({"name": "x"}))
        .await
        .is_refused(400, "orgID is required");
    make(json!({"orgID": "00000000000000ab", "name": "x"}))
        .await
        .is_refused(404, "organization not found");
    make(json!({"orgID": world.org, "name": "x", "properties": {"a": 1}}))
        .await
        .is_refused(
            400,
            "failed to unmarshal json: json: cannot unmarshal number into Go struct field \
             postLabelRequest.properties of type string",
        );

    let patch = |body: Value| {
        let (world, path) = (&world, &path);
        async move { world.operator("PATCH", path, &body).await }
    };
    let changed = patch(json!({"name": "", "properties": {"Color": "", "size": "1"}})).await;
    let left = json!({"color": "ff0000", "size": "1"});
    assert_eq!((changed.status, changed.json()), (200, single("Red", left)));
    let changed = patch(json!({"name": " red", "properties": {"color": "", "size": ""}})).await;
    assert_eq!(changed.json(), single("red", NONE));
    patch(json!({"name": "   "}))
        .await
        .is_refused(400, "label name is required");
    let other = json!({"orgID": world.org, "name": "Blue"});
    world.makes("/api/v2/labels", &other).await;
    patch(json!({"name": "BLUE"}))
        .await
        .is_refused(422, "label with name BLUE already exists");

    let list = |parameters: String| {
        let world = &world;
        async move {
            let target = format!("/api/v2/labels?{parameters}");
            let list = world.operator("GET", &target, &NONE).await.json();
            assert_eq!(list["links"], json!({"self": "/api/v2/labels"}));
            let labels = list["labels"].as_array().unwrap();
            let names = labels.iter().map(|label| label["name"].clone());
            names.collect::<Vec<_>>()
        }
    };
    assert_eq!(list(format!("orgID={}", world.org)).await, ["red", "Blue"]);
    assert_eq!(list("orgID=abc&name=blue".to_owned()).await, ["Blue"]);
    assert_eq!(list("orgID=00000000000000ab".to_owned()).await, [NONE; 0]);

    assert_eq!(world.operator("DELETE", &path, &NONE).await.status, 204);
    for method in ["GET", "PATCH", "DELETE"] {
        world
            .operator(method, &path, &json!({}))
            .await
            .is_refused(404, "label not found");
    }
    world
        .operator("GET", "/api/v2/labels/abc", &NONE)
        .await
        .is_refused(400, "id must have a length of 16 bytes");
    world.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn buckets_bear_labels_of_their_organization() {
    let world = World::new().await;
    let (org, bucket) = (world.org.clone(), world.bucket.clone());
    let label = world
        .makes("/api/v2/labels", &json!({"orgID": org, "name": "x"}))
        .await;
    let other = world.makes("/api/v2/orgs", &json!({"name": "beta"})).await;
    let foreign = world
        .makes("/api/v2/labels", &json!({"orgID": other, "name": "x"}))
        .await;
    let path = format!("/api/v2/buckets/{bucket}");
    let labels = format!("{path}/labels");
    let shown = json!({"id": label, "orgID": org, "name": "x"});
    let put = |body: Value| {
        let (world, labels) = (&world, &labels);
        async move { world.operator("POST", labels, &body).await }
    };
    let added = put(json!({"labelID": label})).await;
    let single = json!({"links": {"self": format!("/api/v2/labels/{label}")}, "label": shown});
    assert_eq!((added.status, added.json()), (201, single));
    put(json!({"labelID": label}))
        .await
        .is_refused(422, "Cannot add label, label already exists on resource");
    put(json!({})).await.is_refused(400, "label id is required");
    put(json!({"labelID": "abc"})).await.is_refused(
        400,
        "failed to unmarshal json: id must have a length of 16 bytes",
    );
    for unknown in ["00000000000000ab", &foreign] {
        put(json!({"labelID": unknown}))
            .await
            .is_refused(404, "label not found");
        world
            .operator("DELETE", &format!("{labels}/{unknown}"), &NONE)
            .await
            .is_refused(404, "label not found");
    }
    let list = world.operator("GET", &labels, &NONE).await.json();
    assert_eq!(
        list,
        json!({"links": {"self": "/api/v2/labels"}, "labels": [shown]})
    );
    let one = world.operator("GET", &path, &NONE).await.json();
    assert_eq!(one["labels"], json!([shown]));
    let all = format!("/api/v2/buckets?orgID={org}");
    let all = world.operator("GET", &all, &NONE).await.json();
    for shown_bucket in all["buckets"].as_array().unwrap() {
        let expected = if shown_bucket["id"] == json!(bucket) {
            json!([shown])
        } else {
            json!([])
        };
        assert_eq!(shown_bucket["labels"], expected);
    }
    let patched = world
        .operator("PATCH", &path, &json!({"description": "d"}))
        .await;
    assert_eq!(patched.json()["labels"], json!([]));

    // Who reads the bucket but not the label sees the one without the other.
    let reader = world
        .token(&[permission("read", "buckets", &org, "")])
        .await;
    let one = world.with(&reader, "GET", &path, &NONE).await.json();
    assert_eq!(one["labels"], json!([]));
    let list = world.with(&reader, "GET", &labels, &NONE).await.json();
    assert_eq!(list["labels"], json!([]));
    let again = json!({"labelID": label});
    world
        .with(&reader, "POST", &labels, &again)
        .await
        .is_refused(
            401,
            &format!("read:orgs/{org}/labels/{label} is unauthorized"),
        );
    let on = format!("{labels}/{label}");
    world.with(&reader, "DELETE", &on, &NONE).await.is_refused(
        401,
        &format!("write:orgs/{org}/labels/{label} is unauthorized"),
    );
    let labeller = world
        .token(&[
            permission("read", "buckets", &org, ""),
            permission("write", "labels", &org, ""),
        ])
        .await;
    world
        .with(&labeller, "DELETE", &on, &NONE)
        .await
        .is_refused(
            401,
            &format!("write:orgs/{org}/buckets/{bucket} is unauthorized"),
        );
    for _ in 0..2 {
        assert_eq!(world.operator("DELETE", &on, &NONE).await.status, 204);
    }

    // Its router has manners of its own.
    let reply = world.operator("PUT", &labels, &NONE).await;
    reply.is_refused(405, "allow: ");
    assert_eq!(reply.header("Allow"), None);
    world
        .operator("GET", &format!("{labels}/x/y"), &NONE)
        .await
        .is_refused(404, "path not found");
    world
        .operator("GET", "/api/v2/buckets/abc/labels", &NONE)
        .await
        .is_refused(
            400,
            "corrupt ID provided: id must have a length of 16 bytes",
        );
    world
        .operator("GET", "/api/v2/buckets/00000000000000ab/labels/", &NONE)
        .await
        .is_refused(404, "404 page not found");
    world.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn empty_properties_and_blanks_around_names_are_not_touched() {
    let world = World::new().await;
    let body = json!({
        "orgID": world.org, "name": "x", "properties": {"a": "", "b": "1", "c": "2"},
    });
    let id = world.makes("/api/v2/labels", &body).await;
    let path = format!("/api/v2/labels/{id}");
    let change = json!({"name": "q", "properties": {"b": ""}});
    let changed = world.operator("PATCH", &path, &change).await.json();
    assert_eq!(changed["label"]["properties"], json!({"a": "", "c": "2"}));
    for (name, count) in [("q", 1), ("Q", 1), ("%20q", 0), ("q%20", 0)] {
        let target = format!("/api/v2/labels?name={name}");
        let list = world.operator("GET", &target, &NONE).await.json();
        assert_eq!(list["labels"].as_array().unwrap().len(), count, "{name}");
    }
    world.server.stop().await;
}
