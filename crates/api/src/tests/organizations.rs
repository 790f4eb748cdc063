//! Organizations, their members and their secrets.

use serde_json::{Value, json};

use super::people::permission;
use super::world::World;

const NONE: Value = Value::Null;

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_is_renamed_and_described() {
    let world = World::new().await;
    let id = world
        .makes("/api/v2/orgs", &json!({"name": "beta", "description": "d"}))
        .await;
    let path = format!("/api/v2/orgs/{id}");
    let patch = |body: Value| {
        let (world, path) = (&world, &path);
        async move { world.operator("PATCH", path, &body).await }
    };
    let changed = patch(json!({"name": "gamma"})).await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    assert_eq!(changed.json()["name"], "gamma");
    assert_eq!(changed.json()["description"], "d");
    assert_eq!(
        changed.json()["links"]["buckets"],
        "/api/v2/buckets?org=gamma"
    );
    let changed = patch(json!({"description": "", "id": "00000000000000ab"})).await;
    assert_eq!(changed.json()["description"], "");
    assert_eq!(changed.json()["id"], json!(id));
    assert_eq!(patch(json!({"name": "gamma"})).await.status, 200);
    patch(json!({"name": " acme "}))
        .await
        .is_refused(422, "organization with name  acme  already exists");
    for blank in ["", " \u{a0}"] {
        patch(json!({"name": blank}))
            .await
            .is_refused(400, "org name is empty");
    }
    patch(json!({"name": "x".repeat(32_769)}))
        .await
        .is_refused(413, "key too large");
    patch(json!({"name": "a\0b"}))
        .await
        .is_refused(400, "a text must not hold U+0000");
    patch(json!({"description": "a\0b"}))
        .await
        .is_refused(400, "a text must not hold U+0000");
    let reply = world.operator("GET", &path, &NONE).await;
    assert_eq!(reply.json()["name"], "gamma");

    let missing = "/api/v2/orgs/00000000000000ab";
    world
        .operator("PATCH", missing, &json!({"name": "x"}))
        .await
        .is_refused(404, "organization not found");
    // Who may do nothing is not told whether it exists.
    let reader = world
        .token(&[permission("read", "buckets", &world.org, "")])
        .await;
    world
        .with(&reader, "PATCH", missing, &json!({"name": "x"}))
        .await
        .is_refused(401, "write:orgs/00000000000000ab is unauthorized");
    world.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_show_what_the_callers_user_belongs_to() {
    let world = World::new().await;
    let second = world.makes("/api/v2/orgs", &json!({"name": "beta"})).await;
    let user = world.makes("/api/v2/users", &json!({"name": "bob"})).await;
    let ids = |reply: &super::client::Reply| -> Vec<String> {
        let list = reply.json();
        let orgs = list["orgs"].as_array().unwrap();
        orgs.iter()
            .map(|org| org["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let of_user = format!("/api/v2/orgs?userID={user}");
    let reply = world.operator("GET", &of_user, &NONE).await;
    assert_eq!(ids(&reply), [""; 0]);
    let members = format!("/api/v2/orgs/{second}/members");
    world.makes(&members, &json!({"id": user})).await;
    let reply = world.operator("GET", &of_user, &NONE).await;
    assert_eq!(ids(&reply), std::slice::from_ref(&second));

    // A token of bob's that may read both sees the one that bob belongs to.
    let permissions = [
        permission("read", "orgs", "", &second),
        permission("read", "orgs", "", &world.org),
    ];
    let body = json!({"orgID": world.org, "userID": user, "permissions": permissions});
    let reply = world
        .operator("POST", "/api/v2/authorizations", &body)
        .await;
    let token = reply.json()["token"].as_str().unwrap().to_owned();
    let reply = world.with(&token, "GET", "/api/v2/orgs", &NONE).await;
    assert_eq!(ids(&reply), std::slice::from_ref(&second));
    // Malformed ids count as absent; the direction does not count at all.
    let list = "/api/v2/orgs?userID=abc&orgID=x&descending=true";
    let reply = world.with(&token, "GET", list, &NONE).await;
    assert_eq!(ids(&reply), std::slice::from_ref(&second));
    let named = format!("/api/v2/orgs?orgID={}", world.org);
    let reply = world.with(&token, "GET", &named, &NONE).await;
    assert_eq!(ids(&reply), std::slice::from_ref(&world.org));
    let reply = world
        .operator("GET", "/api/v2/orgs?descending=true", &NONE)
        .await;
    let mut sorted = [world.org.clone(), second.clone()];
    sorted.sort();
    assert_eq!(ids(&reply), sorted);
    world.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn members_and_owners_come_and_go() {
    let world = World::new().await;
    let user = world.makes("/api/v2/users", &json!({"name": "bob"})).await;
    for thing in [
        format!("orgs/{}", world.org),
        format!("buckets/{}", world.bucket),
    ] {
        let members = format!("/api/v2/{thing}/members");
        let owners = format!("/api/v2/{thing}/owners");
        let bob = json!({
            "role": "member", "links": {"self": format!("/api/v2/users/{user}")},
            "id": user, "name": "bob", "status": "active",
        });
        let reply = world.operator("GET", &members, &NONE).await;
        assert_eq!(
            reply.json(),
            json!({"links": {"self": members}, "users": []})
        );
        let added = world
            .operator("POST", &members, &json!({"id": user, "role": "owner"}))
            .await;
        assert_eq!((added.status, added.json()), (201, bob.clone()));
        let taken = format!(
            "Unexpected error when assigning user to a resource: mapping for user {user} already exists"
        );
        for list in [&members, &owners] {
            world
                .operator("POST", list, &json!({"id": user}))
                .await
                .is_refused(500, &taken);
        }
        let reply = world.operator("GET", &members, &NONE).await;
        assert_eq!(reply.json()["users"], json!([bob]));
        for (body, status, message) in [
            (json!({}), 400, "user id missing or invalid"),
            (json!({"id": ""}), 400, "id must have a length of 16 bytes"),
            (json!({"id": "00000000000000ab"}), 404, "user not found"),
        ] {
            world
                .operator("POST", &members, &body)
                .await
                .is_refused(status, message);
        }
        world
            .server
            .operator("POST", &members, "{")
            .await
            .is_refused(400, "unexpected EOF");
        // Whatever the path says, the role goes; and going twice is no error.
        for _ in 0..2 {
            let reply = world
                .operator("DELETE", &format!("{owners}/{user}"), &NONE)
                .await;
            assert_eq!(reply.status, 204);
        }
        let reply = world.operator("GET", &members, &NONE).await;
        assert_eq!(reply.json()["users"], json!([]));
        world
            .operator("DELETE", &format!("{owners}/abc"), &NONE)
            .await
            .is_refused(400, "id must have a length of 16 bytes");
    }
    for (path, status, message) in [
        (
            "orgs/abc/members",
            400,
            "corrupt ID provided: id must have a length of 16 bytes",
        ),
        (
            "buckets/zzzzzzzzzzzzzzzz/owners",
            400,
            "corrupt ID provided: invalid ID",
        ),
        ("orgs/00000000000000ab/owners", 404, "404 page not found"),
        (
            "buckets/00000000000000ab/members",
            404,
            "404 page not found",
        ),
        ("orgs/00000000000000ab/secrets", 404, "404 page not found"),
    ] {
        world
            .operator("GET", &format!("/api/v2/{path}"), &NONE)
            .await
            .is_refused(status, message);
    }
    world.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_names_members_holds_what_they_get() {
    let world = World::new().await;
    let (org, bucket) = (&world.org, &world.bucket);
    let user = world.makes("/api/v2/users", &json!({"name": "bob"})).await;
    let add = json!({"id": user});
    let org_members = format!("/api/v2/orgs/{org}/members");
    let bucket_members = format!("/api/v2/buckets/{bucket}/members");

    // To who cannot read them, they are nowhere.
    let nothing = world.token(&[permission("read", "tasks", org, "")]).await;
    for list in [&org_members, &bucket_members] {
        for method in ["GET", "POST"] {
            world
                .with(&nothing, method, list, &add)
                .await
                .is_refused(404, "404 page not found");
        }
    }
    // Members of a bucket are shown to readers of its organization alone.
    let reader = world.token(&[permission("read", "buckets", org, "")]).await;
    world
        .with(&reader, "GET", &bucket_members, &NONE)
        .await
        .is_refused(404, "not found");
    world
        .with(&reader, "POST", &bucket_members, &add)
        .await
        .is_refused(
            401,
            &format!("write:orgs/{org}/buckets/{bucket} is unauthorized"),
        );
    // Reading and writing the organization is not all that a member gets.
    let writer = world
        .token(&[
            permission("read", "orgs", "", org),
            permission("write", "orgs", "", org),
        ])
        .await;
    let refused = world.with(&writer, "POST", &org_members, &add).await;
    assert_eq!(refused.status, 403, "{}", refused.text());
    assert_eq!(refused.json()["code"], "forbidden");
    let reply = world.with(&writer, "GET", &org_members, &NONE).await;
    assert_eq!(reply.json()["users"], json!([]));
    // A member of a bucket reads it: whoever reads and writes it may give that.
    let full = world
        .token(&[
            permission("read", "buckets", "", bucket),
            permission("write", "buckets", "", bucket),
        ])
        .await;
    let added = world.with(&full, "POST", &bucket_members, &add).await;
    assert_eq!(added.status, 201, "{}", added.text());
    // What is not there can be removed by anybody; what is there cannot.
    let there = format!("{bucket_members}/{user}");
    world
        .with(&reader, "DELETE", &there, &NONE)
        .await
        .is_refused(
            401,
            &format!("write:orgs/{org}/buckets/{bucket} is unauthorized"),
        );
    let stranger = format!("{bucket_members}/00000000000000ab");
    assert_eq!(
        world.with(&reader, "DELETE", &stranger, &NONE).await.status,
        204
    );
    assert_eq!(world.with(&full, "DELETE", &there, &NONE).await.status, 204);
    world.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_show_their_keys_alone() {
    let world = World::new().await;
    let path = format!("/api/v2/orgs/{}/secrets", world.org);
    let links = json!({"org": format!("/api/v2/orgs/{}", world.org), "self": path});
    let shown = |keys: Value| json!({"links": links, "secrets": keys});
    let reply = world.operator("GET", &path, &NONE).await;
    assert_eq!(reply.json(), shown(json!([])));
    let body = json!({"b": "hidden", "a/ü": "too", "B": null});
    assert_eq!(world.operator("PATCH", &path, &body).await.status, 204);
    let reply = world.operator("GET", &path, &NONE).await;
    assert_eq!(reply.json(), shown(json!(["B", "a/ü", "b"])));
    assert!(!reply.text().contains("hidden"));
    for _ in 0..2 {
        let key = format!("{path}/a%2F%C3%BC");
        assert_eq!(world.operator("DELETE", &key, &NONE).await.status, 204);
    }
    let body = json!({"delete": "x"});
    assert_eq!(world.operator("PATCH", &path, &body).await.status, 204);
    let key = format!("{path}/delete");
    assert_eq!(world.operator("DELETE", &key, &NONE).await.status, 204);
    let body = json!({"secrets": ["B", "no such"]});
    let delete = format!("{path}/delete");
    assert_eq!(world.operator("POST", &delete, &body).await.status, 204);
    let reply = world.operator("GET", &path, &NONE).await;
    assert_eq!(reply.json(), shown(json!(["b"])));
    for (body, message) in [
        ("", "failed to unmarshal json: EOF"),
        ("{", "failed to unmarshal json: unexpected EOF"),
        (
            r#"{"k": 1}"#,
            "failed to unmarshal json: json: cannot unmarshal number into Go value of type string",
        ),
        (r#"{"a\u0000": "x"}"#, "a text must not hold U+0000"),
    ] {
        let refused = world.server.operator("PATCH", &path, body).await;
        refused.is_refused(400, message);
    }
    let reader = world
        .token(&[
            permission("read", "orgs", "", &world.org),
            permission("read", "secrets", &world.org, ""),
        ])
        .await;
    let reply = world.with(&reader, "GET", &path, &NONE).await;
    assert_eq!(reply.json(), shown(json!(["b"])));
    let write = format!("write:orgs/{}/secrets is unauthorized", world.org);
    for (method, target, body) in [
        ("PATCH", path.clone(), json!({"k": "v"})),
        ("POST", delete, json!({"secrets": ["b"]})),
        ("DELETE", format!("{path}/b"), NONE),
    ] {
        world
            .with(&reader, method, &target, &body)
            .await
            .is_refused(401, &write);
    }
    world.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_hangs_on_a_deleted_organization_goes_with_it() {
    let world = World::new().await;
    let org = world.makes("/api/v2/orgs", &json!({"name": "beta"})).await;
    let label = world
        .makes("/api/v2/labels", &json!({"orgID": org, "name": "x"}))
        .await;
    let path = format!("/api/v2/orgs/{org}");
    let secrets = format!("{path}/secrets");
    world.operator("PATCH", &secrets, &json!({"k": "v"})).await;
    assert_eq!(world.operator("DELETE", &path, &NONE).await.status, 204);
    world
        .operator("GET", &format!("/api/v2/labels/{label}"), &NONE)
        .await
        .is_refused(404, "label not found");
    for below in ["members", "owners", "secrets"] {
        world
            .operator("GET", &format!("{path}/{below}"), &NONE)
            .await
            .is_refused(404, "404 page not found");
    }
    let buckets = format!("/api/v2/buckets?orgID={org}");
    let reply = world.operator("GET", &buckets, &NONE).await;
    assert_eq!(reply.json()["buckets"], json!([]));
    world
        .operator(
            "POST",
            "/api/v2/labels",
            &json!({"orgID": org, "name": "y"}),
        )
        .await
        .is_refused(404, "organization not found");
    world.operator("DELETE", &path, &NONE).await.is_refused(
        404,
        &format!("error deleting organization id: {org}: organization not found"),
    );
    world.server.stop().await;
}
