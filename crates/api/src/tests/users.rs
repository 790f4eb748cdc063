//! Users, their passwords, and their sessions.

use serde_json::{Value, json};

use super::TestServer;
use super::people::{all_access, basic, id, permission};
use super::world::World;

const NOBODY: &str = "00000000000000ab";
const TOO_SHORT: &str = "passwords must be between 8 and 72 characters long";

#[tokio::test(flavor = "multi_thread")]
async fn users_come_change_and_go() {
    let server = TestServer::set_up().await;
    let admin = server.admin();
    let body = json!({"name": "bob", "id": "00000000000000AC", "oauthID": "x", "status": ""});
    let bob = admin.makes("/api/v2/users", body).await;
    assert_eq!(
        bob,
        json!({
            "links": {"self": "/api/v2/users/00000000000000ac"}, "id": "00000000000000ac",
            "name": "bob", "oauthID": "x", "status": "active",
        })
    );
    for (body, status, message) in [
        (json!("{"), 400, "unexpected EOF"),
        (json!({"id": "x"}), 400, "id must have a length of 16 bytes"),
        (json!({"id": ""}), 400, "id must have a length of 16 bytes"),
        (
            json!({"status": "x"}),
            400,
            "invalid status: must be active or inactive",
        ),
        (json!({}), 400, "key required"),
        (
            json!({"name": "a\u{0}"}),
            400,
            "a text must not hold U+0000",
        ),
        (json!({"name": "x".repeat(32_769)}), 413, "key too large"),
        (
            json!({"name": "bob", "id": "00000000000000ac"}),
            422,
            "user with name bob already exists",
        ),
        (
            json!({"name": "eve", "id": "00000000000000ac"}),
            422,
            "user with ID 00000000000000ac already exists",
        ),
    ] {
        admin
            .posts("/api/v2/users", body)
            .await
            .is_refused(status, message);
    }
    let empty = admin.posts("/api/v2/users", json!({})).await;
    assert_eq!(empty.json()["code"], "empty value");
    admin
        .makes(
            "/api/v2/users",
            json!({"name": "Bob", "status": "inactive"}),
        )
        .await;
    let path = "/api/v2/users/00000000000000ac";
    for (body, name, status) in [
        (json!({"name": "rob"}), "rob", "active"),
        (json!({"status": "inactive"}), "rob", "inactive"),
        (json!({"status": "active", "name": null}), "rob", "active"),
        (json!({}), "rob", "active"),
    ] {
        let reply = admin.patches(path, body).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(reply.json()["name"], name);
        assert_eq!(reply.json()["status"], status);
    }
    for (body, status, message) in [
        (
            json!({"status": ""}),
            400,
            "invalid status: must be active or inactive",
        ),
        (json!({"name": ""}), 400, "key required"),
        (
            json!({"name": "Bob"}),
            422,
            "user with name Bob already exists",
        ),
        (
            json!({"name": 1}),
            400,
            "json: cannot unmarshal number into Go struct field UserUpdate.name of type string",
        ),
    ] {
        admin.patches(path, body).await.is_refused(status, message);
    }
    assert_eq!(admin.deletes(path).await.status, 204);
    admin.deletes(path).await.is_refused(404, "user not found");
    admin.gets(path).await.is_refused(404, "user not found");
    admin
        .patches(path, json!({"status": "active"}))
        .await
        .is_refused(404, "user not found");
    admin
        .gets("/api/v2/users/x")
        .await
        .is_refused(400, "id must have a length of 16 bytes");
    assert_eq!(admin.gets("/api/v2/users/x/y").await.status, 404);
    assert_eq!(admin.deletes("/api/v2/users").await.status, 405);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn users_see_themselves() {
    let server = TestServer::set_up().await;
    let admin = server.admin();
    let org = admin.makes_org("o").await;
    let user = admin.makes_user("u", "").await;
    let other = admin.makes_user("v", "").await;
    let own = [permission("read", "users", "", &user)];
    let (_, token) = admin.makes_token(&org, &user, &own).await;
    let somebody = server.holder(&token);
    assert_eq!(id(&somebody.sees("/api/v2/me").await), user);
    let names = |list: &Value| -> Vec<String> {
        let users = list["users"].as_array().unwrap();
        users
            .iter()
            .map(|u| u["name"].as_str().unwrap().to_owned())
            .collect()
    };
    for (query, seen, seen_by_admin) in [
        (String::new(), vec!["u"], vec!["admin", "u", "v"]),
        (
            "?descending=true&limit=2".to_owned(),
            vec!["u"],
            vec!["v", "u"],
        ),
        ("?limit=1".to_owned(), vec![], vec!["admin"]),
        (format!("?after={user}"), vec![], vec!["v"]),
        ("?offset=-2&limit=1".to_owned(), vec![], vec!["admin"]),
        (format!("?id={other}&name=u"), vec![], vec!["v"]),
        ("?name=u".to_owned(), vec!["u"], vec!["u"]),
    ] {
        let list = somebody.sees(&format!("/api/v2/users{query}")).await;
        assert_eq!(names(&list), seen, "{query}");
        let list = admin.sees(&format!("/api/v2/users{query}")).await;
        assert_eq!(names(&list), seen_by_admin, "{query}");
    }
    for (query, status, message) in [
        ("limit=0", 400, "limit must be between 1 and 100"),
        ("id=x", 400, "id must have a length of 16 bytes"),
        ("id=00000000000000ab", 404, "user not found"),
        ("name=x", 404, "user not found"),
    ] {
        let reply = somebody.gets(&format!("/api/v2/users?{query}")).await;
        reply.is_refused(status, message);
    }
    // The permission comes before whether there is anybody.
    let reply = somebody.gets(&format!("/api/v2/users/{NOBODY}")).await;
    reply.is_refused(401, &format!("read:users/{NOBODY} is unauthorized"));
    let reply = somebody
        .patches(&format!("/api/v2/users/{user}"), json!({"name": "w"}))
        .await;
    reply.is_refused(401, &format!("write:users/{user} is unauthorized"));
    assert_eq!(somebody.patches("/api/v2/me", json!({})).await.status, 405);
    assert_eq!(
        admin
            .sees(&format!("/api/v2/users/{NOBODY}/permissions"))
            .await,
        json!([
            {"action": "read", "resource": {"type": "users", "id": NOBODY}},
            {"action": "write", "resource": {"type": "users", "id": NOBODY}},
        ])
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_a_cookie_until_it_is_signed_out() {
    let server = TestServer::set_up().await;
    let user = server.admin().makes_user("u", "its-password").await;
    let sign_in = |method: &'static str, name: &'static str, password: &'static str| {
        let somebody = server.nobody().with("Authorization", basic(name, password));
        async move { somebody.sends(method, "/api/v2/signin", &Value::Null).await }
    };
    for (name, password) in [
        ("u", "wrong-password"),
        ("x", "its-password"),
        ("u", ""),
        ("", ""),
    ] {
        let reply = sign_in("POST", name, password).await;
        reply.is_refused(401, "unauthorized access");
        assert_eq!(reply.header("Set-Cookie"), None);
    }
    let reply = server
        .nobody()
        .posts("/api/v2/signin?u=u&p=its-password", json!(null))
        .await;
    reply.is_refused(401, "unauthorized access");
    server
        .admin()
        .posts("/api/v2/signin", json!(null))
        .await
        .is_refused(401, "unauthorized access");
    for method in ["POST", "GET"] {
        let reply = sign_in(method, "u", "its-password").await;
        assert_eq!((reply.status, reply.text().as_str()), (204, ""));
        let cookie = reply.header("Set-Cookie").unwrap();
        let parts: Vec<&str> = cookie.split("; ").collect();
        assert_eq!(
            parts[0].len(),
            "influxdb-oss-session=".len() + 88,
            "{cookie}"
        );
        assert_eq!(parts[1], "Path=/api/");
        assert!(
            parts[2].starts_with("Expires=") && parts[2].ends_with(" GMT"),
            "{cookie}"
        );
        assert_eq!(parts[3..], ["HttpOnly", "SameSite=Strict"]);
    }
    let session = server.signed_in("u", "its-password").await;
    assert_eq!(id(&session.sees("/api/v2/me").await), user);
    let reply = session.posts("/api/v2/signout", json!(null)).await;
    assert_eq!((reply.status, reply.header("Set-Cookie")), (204, None));
    session
        .gets("/api/v2/me")
        .await
        .is_refused(401, "unauthorized access");
    session
        .posts("/api/v2/signout", json!(null))
        .await
        .is_refused(401, "unauthorized access");
    server
        .nobody()
        .posts("/api/v2/signout", json!(null))
        .await
        .is_refused(401, "unauthorized access");
    // An inactive user signs in and out, and no more.
    let path = format!("/api/v2/users/{user}");
    server
        .admin()
        .patches(&path, json!({"status": "inactive"}))
        .await;
    let session = server.signed_in("u", "its-password").await;
    session
        .gets("/api/v2/me")
        .await
        .is_refused(403, "User is inactive");
    assert_eq!(
        session.posts("/api/v2/signout", json!(null)).await.status,
        204
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_knows_the_old_password_changes_it() {
    let server = TestServer::set_up().await;
    let user = server.admin().makes_user("u", "first-password").await;
    let session = server.signed_in("u", "first-password").await;
    let other = server.signed_in("u", "first-password").await;
    let own = format!("/api/v2/users/{user}/password");
    let changes = |target: String, old: &'static str, body: Value| {
        let somebody = session.clone().with("Authorization", basic("whoever", old));
        async move { somebody.sends("PUT", &target, &body).await }
    };
    let me = || "/api/v2/me/password".to_owned();
    let new = json!({"password": "second-password"});
    for (target, old, body, status, message) in [
        (
            me(),
            "wrong-password",
            &new,
            403,
            "your username or password is incorrect",
        ),
        (
            me(),
            "first-password",
            &json!({"password": "short"}),
            400,
            TOO_SHORT,
        ),
        (
            me(),
            "first-password",
            &json!("{"),
            400,
            "error decoding password reset request: unexpected EOF",
        ),
        (
            "/api/v2/users/password".to_owned(),
            "first-password",
            &new,
            500,
            "invalid user ID provided in route",
        ),
        (
            "/api/v2/users/x/password".to_owned(),
            "first-password",
            &new,
            500,
            "invalid user ID provided in route",
        ),
        (
            format!("/api/v2/users/{NOBODY}/password"),
            "first-password",
            &new,
            401,
            "write:users/00000000000000ab is unauthorized",
        ),
    ] {
        changes(target, old, body.clone())
            .await
            .is_refused(status, message);
    }
    for somebody in [session.clone(), server.admin()] {
        let reply = somebody.sends("PUT", "/api/v2/me/password", &new).await;
        reply.is_refused(
            400,
            "error decoding password reset request: invalid basic auth",
        );
    }
    // Basic is the old password here, and no credential.
    let bare = server
        .nobody()
        .with("Authorization", basic("u", "first-password"));
    let reply = bare.sends("PUT", "/api/v2/me/password", &new).await;
    reply.is_refused(401, "unauthorized access");

    assert_eq!(changes(me(), "first-password", new).await.status, 204);
    assert_eq!(session.gets("/api/v2/me").await.status, 200);
    other
        .gets("/api/v2/me")
        .await
        .is_refused(401, "unauthorized access");
    let old = server
        .nobody()
        .with("Authorization", basic("u", "first-password"));
    old.posts("/api/v2/signin", json!(null))
        .await
        .is_refused(401, "unauthorized access");
    let third = json!({"password": "third-password"});
    assert_eq!(changes(own, "second-password", third).await.status, 204);
    server.signed_in("u", "third-password").await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_sets_a_password_and_that_ends_the_sessions() {
    let server = TestServer::set_up().await;
    let admin = server.admin();
    let user = admin.makes_user("u", "first-password").await;
    let session = server.signed_in("u", "first-password").await;
    let path = format!("/api/v2/users/{user}/password");
    for (target, body, status, message) in [
        (path.as_str(), json!("{"), 400, "unexpected EOF"),
        (&path, json!({}), 400, TOO_SHORT),
        (&path, json!({"password": "x".repeat(73)}), 400, TOO_SHORT),
        (
            "/api/v2/users/x/password",
            json!("{"),
            400,
            "unexpected EOF",
        ),
        (
            "/api/v2/users/x/password",
            json!({}),
            500,
            "invalid user ID provided in route",
        ),
        (
            "/api/v2/users/00000000000000ab/password",
            json!({}),
            400,
            TOO_SHORT,
        ),
        (
            "/api/v2/users/00000000000000ab/password",
            json!({"password": "a-password"}),
            403,
            "your userID is incorrect",
        ),
    ] {
        admin.posts(target, body).await.is_refused(status, message);
    }
    // One's own session sets it without the old one, and lives on.
    let other = server.signed_in("u", "first-password").await;
    let reply = session
        .posts(&path, json!({"password": "second-password"}))
        .await;
    assert_eq!((reply.status, reply.text().as_str()), (204, ""));
    assert_eq!(session.gets("/api/v2/me").await.status, 200);
    other
        .gets("/api/v2/me")
        .await
        .is_refused(401, "unauthorized access");
    // Set by somebody else, it ends them all.
    let reply = admin
        .posts(&path, json!({"password": "third-password"}))
        .await;
    assert_eq!(reply.status, 204);
    session
        .gets("/api/v2/me")
        .await
        .is_refused(401, "unauthorized access");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_takes_over_who_may_do_more() {
    let server = TestServer::set_up().await;
    let admin = server.admin();
    let first = id(&admin.sees("/api/v2/me").await);
    let orgs = admin.sees("/api/v2/orgs").await;
    let org = orgs["orgs"][0]["id"].as_str().unwrap();
    let (_, token) = admin.makes_token(org, "", &all_access(org, &first)).await;
    let all = server.holder(&token);
    let path = format!("/api/v2/users/{first}");
    let password = json!({"password": "another-password"});
    let forbidden = |reply: super::Reply| {
        assert_eq!(
            (reply.status, &reply.json()["code"]),
            (403, &json!("forbidden"))
        );
    };
    forbidden(
        all.posts(&format!("{path}/password"), password.clone())
            .await,
    );
    forbidden(all.patches(&path, json!({"status": "inactive"})).await);
    forbidden(all.deletes(&path).await);
    // A name gives nobody anything.
    assert_eq!(
        all.patches(&path, json!({"name": "root"})).await.status,
        200
    );
    // The operator holds all that there is to hold.
    let reply = admin.posts(&format!("{path}/password"), password).await;
    assert_eq!(reply.status, 204, "{}", reply.text());
    let user = admin.makes_user("u", "").await;
    let own = [permission("write", "users", "", &user)];
    let (_, weak) = admin.makes_token(org, &user, &own).await;
    admin
        .makes_token(org, &user, &[permission("read", "buckets", org, "")])
        .await;
    let weak = server.holder(&weak);
    let path = format!("/api/v2/users/{user}");
    // A session of that user could read buckets, too.
    forbidden(
        weak.posts(
            &format!("{path}/password"),
            json!({"password": "a-password"}),
        )
        .await,
    );
    // Its own `read` it would gain, too.
    forbidden(weak.patches(&path, json!({"status": "inactive"})).await);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_word_password_is_no_id() {
    let world = World::new().await;
    let path = "/api/v2/users/password";
    for (method, body) in [
        ("GET", Value::Null),
        ("PATCH", json!({"name": "x"})),
        ("DELETE", Value::Null),
    ] {
        let reply = world.operator(method, path, &body).await;
        reply.is_refused(400, "id must have a length of 16 bytes");
    }
    let reply = world.operator("POST", path, &json!({})).await;
    assert_eq!(reply.status, 405);
    world.server.stop().await;
}
