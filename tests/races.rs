//! Requests that meet each other get the answers of one after the other, in some order: two
//! servers on one PostgreSQL database.

use influxd_tests::{Answer, Client, Home, ORG};
use reqwest::Method;
use serde_json::{Value, json};

const ROUNDS: usize = 15;

/// The id of something that the operator makes.
async fn makes(client: &Client, path: &str, body: Value) -> String {
    let answer = client.posts(path, &body).await;
    assert_eq!(answer.status.as_u16(), 201, "{path}: {}", answer.body);
    let made = answer.json();
    let id = made["id"].as_str().or(made["label"]["id"].as_str());
    id.expect("an id").to_owned()
}

/// Something to ask for.
struct Ask {
    method: Method,
    path: String,
    body: Value,
    /// What may be answered: a status, and a part of the body.
    may_be: Vec<(u16, String)>,
}

impl Ask {
    fn delete(path: &str, may_be: &[(u16, &str)]) -> Self {
        Self::new((Method::DELETE, path), Value::Null, may_be)
    }

    fn post(path: &str, body: Value, may_be: &[(u16, &str)]) -> Self {
        Self::new((Method::POST, path), body, may_be)
    }

    fn new((method, path): (Method, &str), body: Value, may_be: &[(u16, &str)]) -> Self {
        let may_be = may_be.iter();
        Self {
            method,
            path: path.to_owned(),
            body,
            may_be: may_be.map(|(s, text)| (*s, (*text).to_owned())).collect(),
        }
    }

    fn check(&self, answer: &Answer) {
        let status = answer.status.as_u16();
        let may_be = |(s, text): &(u16, String)| *s == status && answer.body.contains(text);
        assert!(
            self.may_be.iter().any(may_be),
            "{} {}: {status} {}",
            self.method,
            self.path,
            answer.body
        );
    }
}

/// Asks for everything at once, in turn at either server; the statuses, in the order given.
async fn at_once(clients: &[Client; 2], asks: Vec<Ask>) -> Vec<u16> {
    let asking = asks.into_iter().enumerate().map(|(at, ask)| {
        let client = clients[at % 2].clone();
        tokio::spawn(async move {
            let request = client.request(ask.method.clone(), &ask.path);
            let answer = match &ask.body {
                Value::Null => client.send(request).await,
                body => client.send(request.json(body)).await,
            };
            ask.check(&answer);
            answer.status.as_u16()
        })
    });
    let asking: Vec<_> = asking.collect();
    let mut statuses = Vec::new();
    for one in asking {
        statuses.push(one.await.expect("an answer that may be"));
    }
    statuses
}

/// Of three requests to remove the same thing one does it, and the others find nothing.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_removed_at_once_is_removed_once() {
    let (_home, _servers, clients) = Home::with_two_servers(&[]).await;
    let org = clients[0].org_id(ORG).await;
    for round in 0..ROUNDS {
        let name = format!("name-{round}");
        for (path, body, missing) in [
            (
                "/api/v2/orgs",
                json!({"name": name}),
                "organization not found",
            ),
            (
                "/api/v2/buckets",
                json!({"name": name, "orgID": org}),
                "bucket not found",
            ),
            (
                "/api/v2/labels",
                json!({"name": name, "orgID": org}),
                "label not found",
            ),
            ("/api/v2/users", json!({"name": name}), "user not found"),
        ] {
            let id = makes(&clients[0], path, body).await;
            let delete = || Ask::delete(&format!("{path}/{id}"), &[(204, ""), (404, missing)]);
            let mut statuses = at_once(&clients, vec![delete(), delete(), delete()]).await;
            statuses.sort_unstable();
            assert_eq!(statuses, [204, 404, 404], "{path}");
        }
    }
}

/// What is added to an organization that goes is added before, and goes with it, or finds it gone.
#[tokio::test(flavor = "multi_thread")]
async fn an_organization_goes_whatever_is_added_to_it() {
    let (_home, _servers, clients) = Home::with_two_servers(&[]).await;
    let user = makes(&clients[0], "/api/v2/users", json!({"name": "otto"})).await;
    let gone = "organization not found";
    let no_parent = "404 page not found";
    for round in 0..ROUNDS {
        let body = json!({"name": format!("org-{round}")});
        let org = makes(&clients[0], "/api/v2/orgs", body).await;
        let path = format!("/api/v2/orgs/{org}");
        let mut asks = vec![Ask::delete(&path, &[(204, ""), (404, gone)])];
        for at in 0..4 {
            let bucket = json!({"orgID": org, "name": format!("bucket-{at}")});
            asks.push(Ask::post(
                "/api/v2/buckets",
                bucket,
                &[(201, ""), (404, gone)],
            ));
            let label = json!({"orgID": org, "name": format!("label-{at}")});
            asks.push(Ask::post(
                "/api/v2/labels",
                label,
                &[(201, ""), (404, gone)],
            ));
        }
        let member = json!({"id": user});
        let members = format!("{path}/members");
        asks.push(Ask::post(&members, member, &[(201, ""), (404, no_parent)]));
        asks.push(Ask::new(
            (Method::PATCH, &format!("{path}/secrets")),
            json!({"k": "v"}),
            &[(204, ""), (404, no_parent)],
        ));
        asks.push(Ask::delete(&path, &[(204, ""), (404, gone)]));
        let statuses = at_once(&clients, asks).await;
        let removed = [statuses[0], statuses[statuses.len() - 1]];
        assert!(
            removed == [204, 404] || removed == [404, 204],
            "{removed:?}"
        );
        clients[0].gets(&path).await.is_refused(404, "");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_goes_whatever_they_become() {
    let (_home, _servers, clients) = Home::with_two_servers(&[]).await;
    let org = clients[0].org_id(ORG).await;
    for round in 0..ROUNDS {
        let body = json!({"name": format!("user-{round}")});
        let user = makes(&clients[0], "/api/v2/users", body).await;
        let path = format!("/api/v2/users/{user}");
        let statuses = at_once(
            &clients,
            vec![
                Ask::delete(&path, &[(204, "")]),
                Ask::post(
                    &format!("/api/v2/orgs/{org}/members"),
                    json!({"id": user}),
                    &[(201, ""), (404, "user not found")],
                ),
                Ask::post(
                    &format!("{path}/password"),
                    json!({"password": "correct horse battery"}),
                    &[(204, ""), (403, "your userID is incorrect")],
                ),
                Ask::new(
                    (Method::PATCH, &path),
                    json!({"name": format!("renamed-{round}")}),
                    &[(200, ""), (404, "user not found")],
                ),
            ],
        )
        .await;
        assert_eq!(statuses[0], 204);
        clients[0]
            .gets(&path)
            .await
            .is_refused(404, "user not found");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_label_and_its_bucket_go_while_they_meet() {
    let (_home, _servers, clients) = Home::with_two_servers(&[]).await;
    let org = clients[0].org_id(ORG).await;
    for round in 0..ROUNDS {
        let name = format!("name-{round}");
        let new = json!({"orgID": org, "name": name});
        let bucket = makes(&clients[0], "/api/v2/buckets", new.clone()).await;
        let label = makes(&clients[0], "/api/v2/labels", new).await;
        let path = format!("/api/v2/buckets/{bucket}");
        let attached = [
            (201, ""),
            (404, "404 page not found"),
            (404, "label not found"),
        ];
        let mapping = json!({
            "orgID": org, "bucketID": bucket, "database": name, "retention_policy": "rp",
        });
        at_once(
            &clients,
            vec![
                Ask::delete(&format!("/api/v2/labels/{label}"), &[(204, "")]),
                Ask::post(
                    &format!("{path}/labels"),
                    json!({"labelID": label}),
                    &attached,
                ),
                Ask::post(
                    "/api/v2/dbrps",
                    mapping,
                    &[(201, ""), (404, "bucket not found")],
                ),
                Ask::delete(&path, &[(204, "")]),
            ],
        )
        .await;
        clients[0]
            .gets(&path)
            .await
            .is_refused(404, "bucket not found");
    }
}
