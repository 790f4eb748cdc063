//! API tokens and 1.x users: made, listed, shown, changed and removed.

use serde_json::{Value, json};

use super::people::{all_access, id, permission};
use super::{Reply, TestServer};

const NOBODY: &str = "00000000000000ab";

/// The ids of a list.
fn ids(list: &Value) -> Vec<&str> {
    let list = list["authorizations"].as_array().unwrap();
    list.iter().map(|one| one["id"].as_str().unwrap()).collect()
}

/// An organization with a bucket, and a user.
async fn world(server: &TestServer) -> (String, String, String) {
    let admin = server.admin();
    let org = admin.makes_org("o").await;
    let bucket = admin.makes_bucket(&org, "b").await;
    (org, bucket, admin.makes_user("u", "").await)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_shown_once() {
    let server = TestServer::set_up().await;
    let (org, bucket, user) = world(&server).await;
    let body = json!({
        "orgID": org, "userID": user, "description": "a <b>", "token": "mine",
        "permissions": [
            permission("read", "buckets", &org, &bucket),
            permission("write", "buckets", "", NOBODY),
            permission("read", "orgs", "", &org),
            permission("read", "tasks", &org, ""),
            permission("read", "dashboards", &org, NOBODY),
        ],
    });
    let mut made = server.admin().makes("/api/v2/authorizations", body).await;
    let token = made["token"].as_str().unwrap().to_owned();
    assert_eq!(token.len(), 88);
    let own = id(&made);
    let times = [made["createdAt"].take(), made["updatedAt"].take()];
    assert_eq!(times[0], times[1]);
    assert_eq!(
        made,
        json!({
            "id": own, "token": token, "status": "active", "description": "a <b>",
            "orgID": org, "org": "o", "userID": user, "user": "u",
            "permissions": [
                {"action": "read", "resource":
                    {"type": "buckets", "id": bucket, "orgID": org, "name": "b", "org": "o"}},
                // What is gone is shown without any name.
                {"action": "write", "resource": {"type": "buckets", "id": NOBODY}},
                {"action": "read", "resource": {"type": "orgs", "id": org, "name": "o"}},
                {"action": "read", "resource": {"type": "tasks", "orgID": org, "org": "o"}},
                {"action": "read", "resource":
                    {"type": "dashboards", "id": NOBODY, "orgID": org, "org": "o"}},
            ],
            "links": {
                "self": format!("/api/v2/authorizations/{own}"),
                "user": format!("/api/v2/users/{user}"),
            },
            "createdAt": null, "updatedAt": null,
        })
    );
    let path = format!("/api/v2/authorizations/{own}");
    assert_eq!(server.admin().sees(&path).await["token"], "");
    let list = server.admin().gets("/api/v2/authorizations").await;
    assert!(!list.text().contains(&token) && !list.text().contains("influxdb2-sha"));
    let reply = server
        .holder(&token)
        .gets(&format!("/api/v2/buckets/{bucket}"))
        .await;
    assert_eq!(reply.status, 200);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_new_token_is_told_in_order() {
    let server = TestServer::set_up().await;
    let (org, bucket, _) = world(&server).await;
    let other = server.admin().makes_org("other").await;
    let good = [permission("read", "buckets", &org, &bucket)];
    let cases = [
        (
            json!("{"),
            400,
            "invalid json structure: unexpected EOF".to_owned(),
        ),
        (
            json!({"orgID": "abc"}),
            400,
            "invalid json structure: id must have a length of 16 bytes".to_owned(),
        ),
        (
            json!({}),
            400,
            "authorization must include permissions".to_owned(),
        ),
        (
            json!({"permissions": [{"action": "x", "resource": {"type": "y"}}]}),
            400,
            "invalid resource type for permission: unknown resource type for permission".to_owned(),
        ),
        (
            json!({"permissions": [good[0], {"resource": {"type": "buckets"}}]}),
            400,
            "invalid action type for permission: unknown action for permission".to_owned(),
        ),
        (
            json!({"status": "x", "permissions": good}),
            400,
            "org id required: invalid ID".to_owned(),
        ),
        (
            json!({"status": "x", "orgID": NOBODY, "permissions": good}),
            400,
            "invalid status: must be active or inactive".to_owned(),
        ),
        (
            json!({"orgID": org, "permissions": [permission("read", "instance", &other, "")]}),
            403,
            format!(
                "permission read:orgs/{other}/instance is not allowed: \
                 read:orgs/{other}/instance is unauthorized"
            ),
        ),
        (
            json!({"orgID": NOBODY, "permissions": good}),
            400,
            format!("permission read:orgs/{org}/buckets/{bucket} is not for org id {NOBODY}"),
        ),
        (
            json!({"orgID": org, "userID": NOBODY, "permissions": good}),
            400,
            "unable to create token".to_owned(),
        ),
        (
            json!({"orgID": NOBODY, "permissions": [permission("read", "buckets", "", "")]}),
            400,
            "unable to create token".to_owned(),
        ),
    ];
    for (body, status, message) in cases {
        let reply = server
            .admin()
            .posts("/api/v2/authorizations", body.clone())
            .await;
        assert_eq!(reply.status, status, "{body}");
        reply.is_refused(status, &message);
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_grants_what_they_do_not_hold() {
    let server = TestServer::set_up().await;
    let (org, bucket, user) = world(&server).await;
    let admin = server.admin();
    let foreign = admin.makes_org("foreign").await;
    let foreign_bucket = admin.makes_bucket(&foreign, "b").await;
    let (_, token) = admin
        .makes_token(&org, &user, &all_access(&org, &user))
        .await;
    let all = server.holder(&token);
    let asks = |org: &str, owner: &str, permission: Value| {
        let mut body = json!({"orgID": org, "permissions": [permission]});
        if !owner.is_empty() {
            body["userID"] = json!(owner);
        }
        let all = all.clone();
        async move { all.posts("/api/v2/authorizations", body).await }
    };
    let refused = |reply: Reply, permission: &str| {
        reply.is_refused(
            403,
            &format!("permission {permission} is not allowed: {permission} is unauthorized"),
        );
    };
    assert_eq!(
        asks(&org, "", permission("read", "buckets", &org, ""))
            .await
            .status,
        201
    );
    assert_eq!(
        asks(&org, &user, permission("read", "buckets", "", &bucket))
            .await
            .status,
        201
    );
    // Another organization's bucket, said to be of one's own.
    let given = permission("read", "buckets", &org, &foreign_bucket);
    refused(
        asks(&org, "", given).await,
        &format!("read:orgs/{org}/buckets/{foreign_bucket}"),
    );
    // A user who may come to be.
    refused(
        asks(&org, "", permission("write", "users", &org, NOBODY)).await,
        &format!("write:orgs/{org}/users/{NOBODY}"),
    );
    refused(
        asks(&org, "", permission("read", "buckets", "", "")).await,
        "read:buckets",
    );
    let reply = asks(&foreign, "", permission("read", "buckets", &foreign, "")).await;
    reply.is_refused(
        401,
        &format!("write:orgs/{foreign}/authorizations is unauthorized"),
    );
    let reply = asks(&org, NOBODY, permission("read", "buckets", &org, "")).await;
    reply.is_refused(401, &format!("write:users/{NOBODY} is unauthorized"));
    // A held bucket under another organization's name is a mistake, not an attempt.
    let reply = asks(&org, "", permission("read", "buckets", &foreign, &bucket)).await;
    reply.is_refused(
        400,
        &format!("permission read:orgs/{foreign}/buckets/{bucket} is not for org id {org}"),
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_of_the_instance_cannot_put_it_into_a_token() {
    let server = TestServer::set_up().await;
    let session = server.signed_in("admin", "admin-password").await;
    let orgs = session.sees("/api/v2/orgs").await;
    let org = orgs["orgs"][0]["id"].as_str().unwrap();
    for target in ["/api/v2/authorizations", "/private/legacy/authorizations"] {
        let body = json!({
            "orgID": org, "token": "x", "permissions": [permission("read", "instance", "", "")]
        });
        let reply = session.posts(target, body).await;
        reply.is_refused(
            500,
            "authorizations cannot be created with the instance type, it is only used during setup",
        );
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_filtered_by_what_is_asked_and_by_what_may_be_seen() {
    let server = TestServer::set_up().await;
    let (org, _, user) = world(&server).await;
    let admin = server.admin();
    let other = admin.makes_org("other").await;
    let read = |org: &str| [permission("read", "buckets", org, "")];
    let (one, _) = admin.makes_token(&org, "", &read(&org)).await;
    let (two, _) = admin.makes_token(&org, &user, &read(&org)).await;
    let (three, _) = admin.makes_token(&other, &user, &read(&other)).await;
    for (query, expected) in [
        (format!("orgID={org}"), vec![&one, &two]),
        ("org=other".to_owned(), vec![&three]),
        (format!("orgID={org}&org=other"), vec![&one, &two]),
        (format!("userID={user}"), vec![&two, &three]),
        ("user=u&org=o".to_owned(), vec![&two]),
        (format!("id={three}&orgID={org}&user=x"), vec![&three]),
        (format!("orgID=&userID={user}&limit=1"), vec![&two, &three]),
        (
            format!("userID={user}&token=x&authID={one}"),
            vec![&two, &three],
        ),
        (format!("orgID={NOBODY}"), vec![]),
    ] {
        let list = admin.sees(&format!("/api/v2/authorizations?{query}")).await;
        assert_eq!(ids(&list), expected, "{query}");
        assert_eq!(list["links"], json!({"self": "/api/v2/authorizations"}));
    }
    for (query, status, message) in [
        ("user=x", 404, "user not found"),
        ("org=x", 404, "organization name \"x\" not found"),
        ("id=00000000000000ab", 404, "authorization not found"),
        ("id=abc", 400, "id must have a length of 16 bytes"),
        ("userID=zzzzzzzzzzzzzzzz", 400, "invalid ID"),
        ("orgID=abc", 400, "id must have a length of 16 bytes"),
        ("orgID=abc&userID=zzzzzzzzzzzzzzzz", 400, "invalid ID"),
    ] {
        let reply = admin.gets(&format!("/api/v2/authorizations?{query}")).await;
        reply.is_refused(status, message);
    }
    let (mine, token) = admin
        .makes_token(&org, &user, &all_access(&org, &user))
        .await;
    let all = server.holder(&token);
    assert_eq!(
        ids(&all.sees("/api/v2/authorizations").await),
        [two.as_str(), &mine]
    );
    let list = all.sees(&format!("/api/v2/authorizations?id={one}")).await;
    assert!(ids(&list).is_empty());
    let reply = all.gets(&format!("/api/v2/authorizations/{three}")).await;
    reply.is_refused(
        401,
        &format!("read:orgs/{other}/authorizations/{three} is unauthorized"),
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn status_and_description_change_and_nothing_else() {
    let server = TestServer::set_up().await;
    let (org, bucket, _) = world(&server).await;
    let read = [permission("read", "buckets", &org, &bucket)];
    let (one, token) = server.admin().makes_token(&org, "", &read).await;
    let path = format!("/api/v2/authorizations/{one}");
    let before = server.admin().sees(&path).await;
    for (body, status, description) in [
        (json!({"description": "new"}), "active", "new"),
        (json!({"status": "inactive"}), "inactive", "new"),
        (
            json!({"status": null, "description": null}),
            "inactive",
            "new",
        ),
        (json!({"status": ""}), "active", "new"),
        (
            json!({"description": "", "permissions": [], "orgID": NOBODY}),
            "active",
            "",
        ),
        (json!({}), "active", ""),
    ] {
        let reply = server.admin().patches(&path, body.clone()).await;
        assert_eq!(reply.status, 200, "{body} {}", reply.text());
        let mut expected = before.clone();
        expected["status"] = json!(status);
        expected["description"] = json!(description);
        expected["updatedAt"] = reply.json()["updatedAt"].clone();
        assert_eq!(reply.json(), expected, "{body}");
        assert_ne!(reply.json()["updatedAt"], before["updatedAt"]);
        let used = server
            .holder(&token)
            .gets(&format!("/api/v2/buckets/{bucket}"))
            .await;
        assert_eq!(used.status, if status == "active" { 200 } else { 401 });
    }
    for (body, message) in [
        (
            json!({"status": "x"}),
            "encodeAuthorization: unknown authorization status",
        ),
        (json!(""), "EOF"),
        (json!("{"), "unexpected EOF"),
        (
            json!({"description": "\u{0}"}),
            "a text must not hold U+0000",
        ),
    ] {
        server
            .admin()
            .patches(&path, body)
            .await
            .is_refused(400, message);
    }
    assert_eq!(server.admin().deletes(&path).await.status, 204);
    server
        .admin()
        .deletes(&path)
        .await
        .is_refused(404, "authorization not found");
    server
        .admin()
        .patches(&path, json!({}))
        .await
        .is_refused(404, "authorization not found");
    let used = server.holder(&token).gets("/api/v2/buckets").await;
    used.is_refused(401, "unauthorized access");
    assert_eq!(
        server.admin().sends("PUT", &path, &json!({})).await.status,
        405
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_outlives_its_organization_or_owner_is_not_shown_but_can_be_removed() {
    let server = TestServer::set_up().await;
    let (org, _, user) = world(&server).await;
    let admin = server.admin();
    let other = admin.makes_org("other").await;
    for (base, gone) in [
        ("/api/v2/authorizations", "user not found"),
        ("/private/legacy/authorizations", "organization not found"),
    ] {
        let body = json!({
            "orgID": org, "userID": user, "token": "x",
            "permissions": [permission("read", "buckets", &org, "")]
        });
        let made = id(&admin.makes(base, body).await);
        let reply = if gone == "user not found" {
            admin.deletes(&format!("/api/v2/users/{user}")).await
        } else {
            admin.deletes(&format!("/api/v2/orgs/{org}")).await
        };
        if gone == "user not found" {
            assert_eq!(reply.status, 204, "{}", reply.text());
            // Of the next one the owner is another user.
            admin
                .posts("/api/v2/users", json!({"name": "u", "id": user}))
                .await
                .is_refused(422, &format!("user with ID {user} already exists"));
        }
        let path = format!("{base}/{made}");
        admin.gets(&path).await.is_refused(404, gone);
        admin
            .patches(&path, json!({"status": "inactive"}))
            .await
            .is_refused(404, gone);
        for query in ["", &format!("?id={made}"), &format!("?orgID={org}")] {
            let list = admin.sees(&format!("{base}{query}")).await;
            assert!(!ids(&list).contains(&made.as_str()), "{query}");
        }
        assert_eq!(admin.deletes(&path).await.status, 204);
        if gone == "user not found" {
            let body = json!({"name": "u", "id": user});
            assert_eq!(id(&admin.makes("/api/v2/users", body).await), user);
        }
    }
    drop(other);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_1x_user_is_found_by_name_and_has_a_password() {
    let server = TestServer::set_up().await;
    let (org, bucket, user) = world(&server).await;
    let admin = server.admin();
    let base = "/private/legacy/authorizations";
    let permissions = json!([
        permission("read", "buckets", &org, &bucket),
        permission("write", "buckets", &org, &bucket),
    ]);
    let body = json!({"orgID": org, "userID": user, "token": "jo:e", "permissions": permissions});
    let made = admin.makes(base, body.clone()).await;
    let own = id(&made);
    assert_eq!(made["token"], "jo:e");
    assert_eq!(made["links"]["self"], json!(format!("{base}/{own}")));
    admin
        .posts(base, body.clone())
        .await
        .is_refused(422, "token already exists");
    let mut nameless = body.clone();
    nameless["token"] = json!("");
    nameless["userID"] = json!(NOBODY);
    admin
        .posts(base, nameless)
        .await
        .is_refused(400, "token required for v1 user authorization type");
    let body = json!({
        "orgID": org, "token": "b", "permissions": [permission("read", "buckets", &org, NOBODY)]
    });
    admin
        .posts(base, body)
        .await
        .is_refused(404, "bucket not found when creating auth");
    // It is no API token.
    let reply = admin.gets(&format!("/api/v2/authorizations/{own}")).await;
    reply.is_refused(404, "authorization not found");
    for query in [
        "token=jo:e&orgID=00000000000000ab".to_owned(),
        format!("authID={own}"),
        format!("id={own}&token=x"),
        "user=u&org=o".to_owned(),
    ] {
        for base in [base, "/legacy/authorizations"] {
            let list = admin.sees(&format!("{base}?{query}")).await;
            assert_eq!(ids(&list), [own.as_str()], "{query}");
            assert_eq!(list["authorizations"][0]["token"], "jo:e");
        }
    }
    admin
        .gets(&format!("{base}?token=x"))
        .await
        .is_refused(404, "authorization not found");
    let path = format!("{base}/{own}");
    let reply = admin.patches(&path, json!({"status": "x"})).await;
    reply.is_refused(400, "unknown authorization status");
    for (id, body, status, message) in [
        ("abc", json!("{"), 400, "unexpected EOF"),
        (
            "abc",
            json!({}),
            500,
            "invalid authorization ID provided in route",
        ),
        (NOBODY, json!({}), 404, "authorization not found"),
        (
            &own,
            json!({}),
            400,
            "passwords must be between 8 and 72 characters long",
        ),
    ] {
        let reply = admin.posts(&format!("{base}/{id}/password"), body).await;
        reply.is_refused(status, message);
    }
    let write = || {
        server
            .client
            .send("POST", "/write?db=b&u=jo:e&p=its-password", &[], b"m f=1")
    };
    write().await.is_refused(401, "Unauthorized");
    let password = json!({"password": "its-password"});
    let reply = admin
        .posts(&format!("{path}/password"), password.clone())
        .await;
    assert_eq!((reply.status, reply.text().as_str()), (204, ""));
    assert_eq!(write().await.status, 204);
    // Who may do less cannot set it.
    let less = [permission("write", "users", "", &user)];
    let (_, token) = admin.makes_token(&org, &user, &less).await;
    let reply = server
        .holder(&token)
        .posts(&format!("{path}/password"), password)
        .await;
    assert_eq!(reply.status, 403, "{}", reply.text());
    assert_eq!(admin.deletes(&path).await.status, 204);
    write().await.is_refused(401, "Unauthorized");
    server.stop().await;
}
