//! Backup and restore of all resources and credentials, over HTTP.

use influxd_tests::{Answer, BUCKET, Client, Home, ORG, Search, Server, on_both_stores};
use reqwest::Method;
use reqwest::header::HeaderMap;
use rustix::process::Signal;

use super::{OFF, is_let_in, reads};

on_both_stores!(
    a_restore_brings_everything_back,
    a_damaged_backup_changes_nothing,
    raw_tokens_of_a_backup_become_digests,
);

/// A backup as bytes.
async fn backs_up(operator: &Client) -> Vec<u8> {
    let request = operator.request(Method::GET, "/api/v2/backup/kv");
    let response = request.send().await.expect("the server answers");
    assert_eq!(response.status().as_u16(), 200);
    response.bytes().await.expect("a whole body").to_vec()
}

async fn restores(operator: &Client, backup: &[u8]) -> Answer {
    let request = operator.request(Method::POST, "/api/v2/restore/kv");
    operator.send(request.body(backup.to_vec())).await
}

/// What the operator sees of everything, without what a restart changes.
async fn seen(operator: &Client) -> Vec<String> {
    let mut seen = Vec::new();
    for path in [
        "orgs",
        "buckets",
        "users",
        "authorizations",
        "dbrps?org=acme",
        "labels",
    ] {
        let answer = operator.gets(&format!("/api/v2/{path}")).await;
        assert_eq!(answer.status.as_u16(), 200, "{path}: {}", answer.body);
        seen.push(answer.body);
    }
    seen
}

fn forms(home: &Home) -> serde_json::Value {
    home.runs(&["token-hashing", "status", "--json"]).json()
}

async fn a_restore_brings_everything_back(home: Home) {
    let server = home.server().await;
    let operator = server.set_up().await;
    let (org, ada) = (operator.org_id(ORG).await, operator.user_id("ada").await);
    let kept = operator.issues(&org, &ada, &reads(&org)).await;
    let user = operator.makes_user("grace").await;
    operator
        .sets_password(&user, "grace has a password")
        .await
        .is_done();
    let may = reads(&org);
    let v1 = operator.makes_v1_user(("telegraf", "its own password"), &org, &ada, &may);
    let v1 = v1.await;
    operator.writes("m f=1 1").await.is_accepted();
    let (before, backup) = (seen(&operator).await, backs_up(&operator).await);
    let known = [
        influxd_tests::OPERATOR_TOKEN,
        "correct horse battery",
        "grace has a password",
    ];
    Search::new(known.into_iter().filter(|secret| secret.len() > 20))
        .finds_nothing_in("a backup", &backup);

    // Life goes on: things come and go, and points with them.
    operator.makes_bucket("younger").await;
    operator.writes_to("younger", "m f=2 2").await.is_accepted();
    operator.writes("m f=3 3").await.is_accepted();
    let young = operator.issues(&org, &ada, &reads(&org)).await;
    operator
        .removes(&format!("/api/v2/authorizations/{}", kept.id))
        .await
        .is_done();
    operator
        .removes(&format!("/api/v2/users/{user}"))
        .await
        .is_done();
    assert!(is_let_in(&young.client).await && !is_let_in(&kept.client).await);

    let restored = restores(&operator, &backup).await;
    assert_eq!(restored.status.as_u16(), 200, "{}", restored.body);
    assert_eq!(restored.json()["token"], "", "a digest tells no token");
    let request = operator.request(Method::POST, "/api/v2/restore/sql");
    let sql = operator.send(request.body("-- nothing")).await;
    assert_eq!(sql.status.as_u16(), 200, "{}", sql.body);
    assert_eq!(seen(&operator).await, before);
    assert!(is_let_in(&kept.client).await, "its digest is back");
    assert!(!is_let_in(&young.client).await, "it is not in the backup");
    operator.signs_in("grace", "grace has a password").await;
    assert_ne!(
        v1.client
            .gets("/query?q=SHOW+DATABASES")
            .await
            .status
            .as_u16(),
        401
    );
    // Points of kept buckets stay, of gone buckets are gone: also when the name comes back.
    assert_eq!(operator.counts("f", "m").await, 2);
    operator.makes_bucket("younger").await;
    let asked = operator.request(Method::GET, "/query");
    let asked = asked.query(&[("db", "younger"), ("q", "SELECT count(f) FROM m")]);
    assert!(operator.send(asked).await.rows().is_empty());
    let stopped = server.stop(Signal::TERM);
    assert!(!stopped.output.contains("panicked"));

    let server = home.server().await;
    let operator = server.operator();
    assert!(is_let_in(&kept.client.at(&operator)).await);
    assert_eq!(operator.counts("f", "m").await, 2);
    assert!(operator.bucket_id(&org, BUCKET).await.len() == 16);
}

async fn a_damaged_backup_changes_nothing(home: Home) {
    let server = home.server().await;
    let operator = server.set_up().await;
    let backup = backs_up(&operator).await;
    operator.makes_bucket("after-the-backup").await;
    let before = seen(&operator).await;
    let middle = backup.len() / 2;
    let mut damaged: Vec<Vec<u8>> = vec![
        Vec::new(),
        b"no backup at all".to_vec(),
        backup[..middle].to_vec(),
        backup[..backup.len() - 1].to_vec(),
        [&backup[..], b"more"].concat(),
    ];
    for at in [0, 9, middle, backup.len() - 40, backup.len() - 1] {
        let mut bytes = backup.clone();
        bytes[at] ^= 1;
        damaged.push(bytes);
    }
    for bytes in &damaged {
        let answer = restores(&operator, bytes).await;
        assert!(
            answer.status.as_u16() >= 400,
            "{} bytes were taken",
            bytes.len()
        );
    }
    // Nor do those who are no operators.
    let (org, ada) = (operator.org_id(ORG).await, operator.user_id("ada").await);
    let made = operator.issues(&org, &ada, &reads(&org)).await;
    let refused = restores(&made.client, &backup).await;
    assert!(
        matches!(refused.status.as_u16(), 401 | 403),
        "{}",
        refused.body
    );
    let refused = made.client.gets("/api/v2/backup/kv").await;
    assert!(
        matches!(refused.status.as_u16(), 401 | 403),
        "{}",
        refused.body
    );
    operator
        .removes(&format!("/api/v2/authorizations/{}", made.id))
        .await
        .is_done();
    assert_eq!(seen(&operator).await, before);
}

async fn raw_tokens_of_a_backup_become_digests(home: Home) {
    let server = home.server_with(&[OFF]).await;
    let operator = server.set_up().await;
    let (org, ada) = (operator.org_id(ORG).await, operator.user_id("ada").await);
    let made = operator.issues(&org, &ada, &reads(&org)).await;
    let backup = backs_up(&operator).await;
    server.says("API tokens in clear").await;
    let (headers, whole) = metadata(&operator).await;
    let kind = headers["content-type"].to_str().unwrap();
    assert!(kind.starts_with("multipart/mixed; boundary="), "{kind}");
    let search = Search::new([influxd_tests::OPERATOR_TOKEN]);
    assert_eq!(search.finds_in(&backup).len(), 1);
    assert_eq!(
        search.finds_in(&whole).len(),
        1,
        "the same archive is in it"
    );
    // Back into a server that keeps them raw, it answers with the operator's.
    let restored = restores(&operator, &backup).await;
    assert_eq!(restored.json()["token"], influxd_tests::OPERATOR_TOKEN);
    assert_eq!(forms(&home)["raw"], 2);
    server.stop(Signal::TERM);

    // And into one that hashes, of another life.
    let other = if home.is_shared() {
        Home::postgres().await
    } else {
        Home::sqlite()
    };
    let server: Server = other.server().await;
    let somebody = server.client("another-operator-token-for-tests-77c1");
    let who = influxd_tests::Person {
        name: "bob",
        password: "bob has a password",
        token: "another-operator-token-for-tests-77c1",
    };
    assert_eq!(somebody.sets_up(who).await.status.as_u16(), 201);
    let session = somebody.signs_in(who.name, who.password).await;
    let restored = restores(&somebody, &backup).await;
    assert_eq!(restored.status.as_u16(), 200, "{}", restored.body);
    assert_eq!(restored.json()["token"], influxd_tests::OPERATOR_TOKEN);
    let now = forms(&other);
    assert_eq!(
        (now["raw"].as_u64(), now["tokens"].as_u64()),
        (Some(0), Some(2)),
        "{now}"
    );
    let operator = server.operator();
    assert!(is_let_in(&operator).await);
    assert!(is_let_in(&made.client.at(&operator)).await);
    assert!(!is_let_in(&somebody).await, "what was there is gone");
    let refused = session.gets("/api/v2/me").await;
    assert_eq!(refused.status.as_u16(), 403, "{}", refused.body);
    assert!(
        refused.body.contains("User is inactive"),
        "{}",
        refused.body
    );
    // Nothing of them was ever written raw.
    let Some(token) = token_of(&made.client) else {
        panic!("a token was issued");
    };
    let search = Search::new([influxd_tests::OPERATOR_TOKEN, &token]);
    search.finds_nothing_below(other.folder());
    let output = server.stop(Signal::TERM).output;
    search.finds_nothing_in("the output", output.as_bytes());
    search.finds_nothing_below(other.folder());
}

fn token_of(client: &Client) -> Option<String> {
    match client.credential() {
        influxd_tests::Credential::Token(token) => Some(token.clone()),
        _ => None,
    }
}

async fn metadata(operator: &Client) -> (HeaderMap, Vec<u8>) {
    let request = operator.request(Method::GET, "/api/v2/backup/metadata");
    let response = request.send().await.expect("the server answers");
    assert_eq!(response.status().as_u16(), 200);
    let headers = response.headers().clone();
    let bytes = response.bytes().await.expect("a whole body");
    (headers, bytes.to_vec())
}
