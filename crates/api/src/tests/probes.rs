//! What clients look for although there is none of it, and what shows the server itself.

use serde_json::{Map, Value, json};

use super::TestServer;
use super::people::permission;
use super::world::World;
use crate::server::ServerConfig;

const NONE: Value = Value::Null;

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_empty_each_in_its_shape() {
    let world = World::new().await;
    let org = &world.org;
    let page =
        |name: &str| format!("/api/v2/{name}?descending=false&limit=20&offset=0&orgID={org}");
    for (path, expected) in [
        (
            "v2/variables",
            json!({"variables": [], "links": {"self": page("variables")}}),
        ),
        (
            "v2/checks",
            json!({"checks": [], "links": {"self": page("checks")}}),
        ),
        (
            "v2/notificationRules",
            json!({"notificationRules": [], "links": {"self": page("notificationRules")}}),
        ),
        (
            "v2/notificationEndpoints",
            json!({"notificationEndpoints": [], "links": {"self": page("notificationEndpoints")}}),
        ),
        (
            "v2/dashboards",
            json!({"links": {"self": page("dashboards")}, "dashboards": []}),
        ),
        (
            "v2/tasks",
            json!({
                "links": {"self": format!("/api/v2/tasks?limit=100&orgID={org}")}, "tasks": [],
            }),
        ),
        ("v2/telegrafs", json!({"configurations": []})),
        (
            "v2/scrapers",
            json!({"links": {"self": "/api/v2/scrapers"}, "configurations": []}),
        ),
        ("v2/stacks", json!({"stacks": []})),
        ("v2/remotes", json!({"remotes": []})),
        ("v2/replications", json!({"replications": []})),
        ("v2private/notebooks", json!({"flows": []})),
        ("v2private/annotations", json!({})),
        ("v2private/streams", json!([])),
        ("v2/documents/templates", json!({"documents": []})),
    ] {
        let target = format!("/api/{path}?orgID={org}");
        let reply = world.operator("GET", &target, &NONE).await;
        assert_eq!((reply.status, reply.json()), (200, expected), "{path}");
        assert_eq!(
            reply.header("Content-Type"),
            Some("application/json; charset=utf-8")
        );
        let reply = world.server.client.send("GET", &target, &[], b"").await;
        reply.is_refused(401, "unauthorized access");
    }
    for (target, expected) in [
        ("tasks?limit=500&org=acme", "tasks?limit=500&orgID=ORG"),
        ("tasks", "tasks?limit=100"),
        (
            "dashboards?limit=5&offset=7",
            "dashboards?descending=false&limit=5&offset=7",
        ),
    ] {
        let target = format!("/api/v2/{target}");
        let reply = world.operator("GET", &target, &NONE).await;
        let expected = format!("/api/v2/{}", expected.replace("ORG", org));
        assert_eq!(reply.json()["links"]["self"], json!(expected));
    }
    for (target, status, message) in [
        (
            "v2/tasks?orgID=abc",
            400,
            "failed to decode request: id must have a length of 16 bytes",
        ),
        (
            "v2/tasks?org=nowhere",
            400,
            "failed to decode request: organization name \"nowhere\" not found",
        ),
        ("v2/variables?limit=x", 400, "limit is invalid"),
        (
            "v2/checks?orgID=abc",
            400,
            "id must have a length of 16 bytes",
        ),
        (
            "v2/dashboards?org=nowhere",
            404,
            "organization name \"nowhere\" not found",
        ),
        ("v2private/notebooks", 400, "invalid or missing org ID"),
    ] {
        let reply = world
            .operator("GET", &format!("/api/{target}"), &NONE)
            .await;
        reply.is_refused(status, message);
    }
    let sources = world.operator("GET", "/api/v2/sources", &NONE).await.json();
    assert_eq!(sources["sources"][0]["name"], "autogen");
    assert_eq!(sources["sources"][0]["type"], "self");
    let reader = world.token(&[permission("read", "buckets", org, "")]).await;
    let notebooks = format!("/api/v2private/notebooks?orgID={org}");
    world
        .with(&reader, "GET", &notebooks, &NONE)
        .await
        .is_refused(401, &format!("read:orgs/{org}/notebooks is unauthorized"));
    world.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn single_things_do_not_exist_and_cannot_be_made() {
    let world = World::new().await;
    let org = &world.org;
    let id = "00000000000000AB";
    for (path, resource, missing) in [
        (
            "variables",
            "variables",
            "variable not found for key \"00000000000000ab\"",
        ),
        (
            "checks",
            "checks",
            "check not found for key \"00000000000000ab\"",
        ),
        (
            "notificationEndpoints",
            "notificationEndpoints",
            "notification endpoint not found for key \"00000000000000ab\"",
        ),
        (
            "notificationRules",
            "notificationRules",
            "notification rule not found",
        ),
        ("dashboards", "dashboards", "dashboard not found"),
        ("telegrafs", "telegrafs", "telegraf configuration not found"),
        ("scrapers", "scrapers", "scraper target is not found"),
        ("tasks", "tasks", "failed to find task: task not found"),
        ("remotes", "remotes", "remote connection not found"),
        ("replications", "replications", "replication not found"),
    ] {
        let root = format!("/api/v2/{path}");
        for method in ["GET", "DELETE"] {
            let reply = world.operator(method, &format!("{root}/{id}"), &NONE).await;
            reply.is_refused(404, missing);
        }
        let malformed = match path {
            "tasks" => "failed to decode request: id must have a length of 16 bytes",
            _ => "id must have a length of 16 bytes",
        };
        world
            .operator("GET", &format!("{root}/abc"), &NONE)
            .await
            .is_refused(400, malformed);
        let body = json!({"orgID": org, "name": "x"});
        let reply = world.operator("POST", &root, &body).await;
        assert_eq!(reply.status, 501, "{path}: {}", reply.text());
        assert_eq!(reply.json()["code"], "not implemented");
        let reader = world.token(&[permission("read", resource, org, "")]).await;
        world
            .with(&reader, "POST", &root, &body)
            .await
            .is_refused(401, &format!("write:orgs/{org}/{resource} is unauthorized"));
        world
            .operator("POST", &root, &json!({}))
            .await
            .is_refused(400, "orgID is required");
    }
    let task = json!({"org": "acme", "flux": "x"});
    let reply = world.operator("POST", "/api/v2/tasks", &task).await;
    assert_eq!(reply.status, 501);
    for (target, status, message) in [
        (
            "dashboards/00000000000000ab/labels",
            404,
            "404 page not found",
        ),
        (
            "dashboards/abc/members",
            400,
            "corrupt ID provided: id must have a length of 16 bytes",
        ),
        (
            "tasks/00000000000000ab/runs/00000000000000ab/logs",
            404,
            "failed to find task: task not found",
        ),
        (
            "tasks/abc/labels",
            400,
            "failed to decode request: id must have a length of 16 bytes",
        ),
        ("tasks/00000000000000ab/nope", 404, "path not found"),
        (
            "dashboards/00000000000000ab/cells/x/view",
            404,
            "dashboard not found",
        ),
        ("sources/00000000000000ab", 404, "source not found"),
        (
            "stacks?orgID=x",
            400,
            "organization id[\"x\"] is invalid: id must have a length of 16 bytes",
        ),
    ] {
        let target = format!("/api/v2/{target}");
        let reply = world.operator("GET", &target, &NONE).await;
        reply.is_refused(status, message);
    }
    // Routers of the two families.
    let reply = world.operator("PUT", "/api/v2/dashboards", &NONE).await;
    assert_eq!((reply.status, reply.text().as_str()), (405, ""));
    let reply = world.operator("PUT", "/api/v2/tasks", &NONE).await;
    reply.is_refused(405, "allow: GET, OPTIONS, POST");
    assert_eq!(reply.header("Allow"), Some("GET, OPTIONS, POST"));
    let reply = world.operator("GET", "/api/v2/tasks/", &NONE).await;
    assert_eq!(
        (reply.status, reply.header("Location")),
        (301, Some("/api/v2/tasks"))
    );
    world.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn below_single_things_wrong_methods_slashes_and_tails_are_told() {
    let world = World::new().await;
    let id = "00000000000000ab";
    let source = "020f755c3c082000";
    // One family of routers says what is wrong …
    for (method, target, list) in [
        ("PUT", format!("tasks/{id}/runs"), "GET, OPTIONS, POST"),
        ("PUT", format!("tasks/{id}/runs/x"), "DELETE, GET, OPTIONS"),
        ("GET", format!("tasks/{id}/runs/x/retry"), "OPTIONS, POST"),
        ("POST", format!("tasks/{id}/logs"), "GET, OPTIONS"),
        ("DELETE", format!("checks/{id}/query"), "GET, OPTIONS"),
        ("PUT", format!("checks/{id}/members"), "GET, OPTIONS, POST"),
        ("GET", format!("variables/{id}/labels/x"), "DELETE, OPTIONS"),
        ("POST", format!("sources/{source}/health"), "GET, OPTIONS"),
        ("GET", format!("sources/{id}/query"), "OPTIONS, POST"),
    ] {
        let target = format!("/api/v2/{target}");
        let reply = world.operator(method, &target, &NONE).await;
        reply.is_refused(405, &format!("allow: {list}"));
        assert_eq!(reply.header("Allow"), Some(list), "{method} {target}");
    }
    for target in [
        format!("tasks/{id}/runs/{id}/nope/a"),
        format!("checks/{id}/query/extra"),
        format!("telegrafs/{id}/owners/x/y"),
        format!("sources/{source}/health/x"),
    ] {
        let target = format!("/api/v2/{target}");
        let reply = world.operator("GET", &target, &NONE).await;
        reply.is_refused(404, "path not found");
    }
    for (method, target, status) in [
        ("GET", format!("tasks/{id}/runs"), 301),
        ("GET", format!("sources/{source}/health"), 301),
        ("POST", format!("scrapers/{id}/labels"), 308),
    ] {
        let target = format!("/api/v2/{target}");
        let reply = world.operator(method, &format!("{target}/"), &NONE).await;
        assert_eq!(
            (reply.status, reply.header("Location")),
            (status, Some(target.as_str()))
        );
    }
    // … the other says little.
    for (method, target) in [
        ("GET", format!("dashboards/{id}/cells")),
        ("GET", format!("dashboards/{id}/cells/")),
        ("DELETE", format!("dashboards/{id}/cells/x/view")),
        ("GET", format!("stacks/{id}/uninstall")),
        ("GET", format!("replications/{id}/validate")),
    ] {
        let target = format!("/api/v2/{target}");
        let reply = world.operator(method, &target, &NONE).await;
        assert_eq!((reply.status, reply.text()), (405, String::new()));
        assert_eq!(reply.header("Allow"), None, "{method} {target}");
    }
    for target in [
        format!("dashboards/{id}/cells/x/y/z"),
        format!("stacks/{id}/uninstall/q"),
    ] {
        let target = format!("/api/v2/{target}");
        let reply = world.operator("GET", &target, &NONE).await;
        assert_eq!(
            (reply.status, reply.text().as_str()),
            (404, "404 page not found\n")
        );
    }
    for (target, message) in [
        ("dashboards/ID/cells/", "dashboard not found"),
        ("stacks/ID/uninstall/", "stack not found"),
    ] {
        let target = format!("/api/v2/{}", target.replace("ID", id));
        let reply = world.operator("POST", &target, &NONE).await;
        reply.is_refused(404, message);
    }
    // A dashboard that is not there comes before what is asked of its members.
    for (method, tail) in [
        ("PUT", "members"),
        ("GET", "owners/"),
        ("PATCH", "labels/x"),
        ("GET", "labels/x/y"),
    ] {
        let target = format!("/api/v2/dashboards/{id}/{tail}");
        let reply = world.operator(method, &target, &NONE).await;
        reply.is_refused(404, "404 page not found");
    }
    // What is right is answered as before.
    for target in ["buckets", "health"] {
        let target = format!("/api/v2/sources/{source}/{target}");
        let reply = world.operator("GET", &target, &NONE).await;
        reply.is_refused(
            501,
            "queries by way of a source are not implemented by this server",
        );
    }
    world.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn flux_is_looked_at_and_not_executed() {
    let world = World::new().await;
    let query = |parameters: &'static str, body: Value| {
        let world = &world;
        async move {
            let target = format!("/api/v2/query?{parameters}");
            world.operator("POST", &target, &body).await
        }
    };
    let good = json!({"query": "buckets()"});
    for org in ["org=acme", "org=acme&x=y"] {
        let reply = query(org, good.clone()).await;
        assert_eq!(reply.status, 501, "{}", reply.text());
        assert!(reply.text().contains("InfluxQL"));
    }
    query("", good.clone()).await.is_refused(
        400,
        "failed to decode request body: Please provide either orgID or org",
    );
    query("org=nowhere", good).await.is_refused(
        400,
        "failed to decode request body: organization name \"nowhere\" not found",
    );
    query("org=acme", json!({})).await.is_refused(
        400,
        "failed to decode request body: request body requires either query or AST",
    );
    let reply = world
        .operator("GET", "/api/v2/query/suggestions", &NONE)
        .await;
    assert_eq!(reply.text(), "{\"funcs\":[]}\n");
    let reply = world.operator("GET", "/api/v2/query", &NONE).await;
    reply.is_refused(405, "allow: OPTIONS, POST");
    world.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_shows_its_settings_to_operators() {
    let settings: Map<String, Value> = [
        ("http-bind-address".to_owned(), json!(":8086")),
        (
            "feature-flags".to_owned(),
            json!({"newlabels": "true", "queryTracing": "maybe", "other": "true"}),
        ),
    ]
    .into_iter()
    .collect();
    let config = ServerConfig {
        settings: settings.clone(),
        ..ServerConfig::default()
    };
    let server = TestServer::with(config, |store| store).await;
    server.onboard().await;
    let reply = server.operator("GET", "/api/v2/config", "").await;
    assert_eq!(reply.json(), json!({"config": settings}));
    let list = server.operator("GET", "/api/v2/orgs", "").await.json();
    let org = list["orgs"][0]["id"].as_str().unwrap();
    let body = json!({"orgID": org, "permissions": [permission("read", "orgs", "", "")]});
    let made = server
        .operator("POST", "/api/v2/authorizations", &body.to_string())
        .await
        .json();
    let token = format!("Token {}", made["token"].as_str().unwrap());
    let headers = [("Authorization", token.as_str())];
    let send = |method: &'static str, target: &'static str| {
        let (client, headers) = (server.client, &headers);
        async move { client.send(method, target, headers, b"").await }
    };
    send("GET", "/api/v2/config").await.is_refused(
        401,
        "access to /api/v2/config requires operator permissions",
    );
    send("GET", "/api/v2/backup/kv")
        .await
        .is_refused(401, "read:authorizations is unauthorized");
    for method in ["GET", "POST", "DELETE"] {
        let flags = send(method, "/api/v2/flags").await.json();
        assert_eq!(flags["newLabels"], true);
        assert_eq!(flags["queryTracing"], "maybe");
        assert_eq!(flags["newAutoRefresh"], true);
        assert_eq!(flags["appMetrics"], false);
        assert_eq!(flags.get("other"), None);
        let resources = send(method, "/api/v2/resources").await;
        assert_eq!(resources.header("Content-Type"), Some("application/json"));
        let resources = resources.json();
        let resources = resources.as_array().unwrap();
        assert_eq!(resources.len(), 23);
        assert_eq!(resources[0], "authorizations");
        assert_eq!(resources[22], "instance");
    }
    for target in ["/api/v2/flags", "/api/v2/resources", "/api/v2/config"] {
        let reply = server.client.send("GET", target, &[], b"").await;
        reply.is_refused(401, "unauthorized access");
    }
    server.stop().await;
}
