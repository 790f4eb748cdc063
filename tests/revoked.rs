//! What one server takes away, every server refuses: several servers on one PostgreSQL database.

use std::time::{Duration, Instant};

use influxd_tests::{Answer, BUCKET, Client, Credential, Home, Issued, ORG, Permission, Person};
use reqwest::Method;
use serde_json::{Value, json};

/// How long another server may go on accepting what was taken away.
const BOUND: Duration = Duration::from_secs(1);

const PASSWORD: &str = "correct horse battery";
const OTHER_PASSWORD: &str = "another horse battery";

/// A credential, and how it ends.
struct Case {
    /// What is done, for messages.
    name: &'static str,
    /// Who uses it, at the other server.
    user: Client,
    /// What they ask for.
    path: String,
    /// Ends it: a request to the first server.
    end: Box<dyn Fn() -> reqwest::RequestBuilder + Send + Sync>,
    /// What they get then.
    refusal: u16,
}

/// One credential of each kind for each way in which it can end.
async fn cases(one: &Client, other: &Client) -> Vec<Case> {
    let org = one.org_id(ORG).await;
    let bucket = one.bucket_id(&org, BUCKET).await;
    let read = vec![Permission("read", "buckets", &org, &bucket).json()];
    let query = format!("/query?db={BUCKET}&q=SHOW+MEASUREMENTS");
    let buckets = format!("/api/v2/buckets/{bucket}");
    let org_path = format!("/api/v2/orgs/{org}");
    let otto = one.makes_user("otto").await;
    let mut cases = Vec::new();
    let mut add = |name, user: &Client, path: &str, refusal, end: Ending| {
        let (user, path) = (user.at(other), path.to_owned());
        let (client, end_path) = (end.by, end.path);
        let (method, body) = (end.method, end.body);
        cases.push(Case {
            name,
            user,
            path,
            end: Box::new(move || {
                let request = client.request(method.clone(), &end_path);
                match &body {
                    Value::Null => request,
                    body => request.json(body),
                }
            }),
            refusal,
        });
    };
    let ending = |method, path: String, body| Ending {
        by: one.clone(),
        method,
        path,
        body,
    };
    let inactive = || json!({"status": "inactive"});
    let token_path = |issued: &Issued| format!("/api/v2/authorizations/{}", issued.id);
    let v1_path = |issued: &Issued| format!("/private/legacy/authorizations/{}", issued.id);

    let token = one.issues(&org, &otto, &read).await;
    let end = ending(Method::DELETE, token_path(&token), Value::Null);
    add("a token is removed", &token.client, &buckets, 401, end);
    let token = one.issues(&org, &otto, &read).await;
    let end = ending(Method::DELETE, token_path(&token), Value::Null);
    add(
        "a token is removed, on /query",
        &token.client,
        &query,
        401,
        end,
    );
    let token = one.issues(&org, &otto, &read).await;
    let end = ending(Method::PATCH, token_path(&token), inactive());
    add(
        "a token is made inactive",
        &token.client,
        &buckets,
        401,
        end,
    );
    for (name, method, body) in [
        ("a token's user is made inactive", Method::PATCH, inactive()),
        ("a token's user is removed", Method::DELETE, Value::Null),
    ] {
        let user = one.makes_user(name).await;
        let token = one.issues(&org, &user, &read).await;
        let end = ending(method, format!("/api/v2/users/{user}"), body);
        add(name, &token.client, &buckets, 403, end);
    }
    let new_password = || json!({"password": OTHER_PASSWORD});
    for (name, suffix, method, body) in [
        (
            "a 1.x password is changed",
            "/password",
            Method::POST,
            new_password(),
        ),
        ("a 1.x user is made inactive", "", Method::PATCH, inactive()),
        ("a 1.x user is removed", "", Method::DELETE, Value::Null),
    ] {
        let v1 = one
            .makes_v1_user((name, PASSWORD), &org, &otto, &read)
            .await;
        let end = ending(method, format!("{}{suffix}", v1_path(&v1)), body);
        add(name, &v1.client, &query, 401, end);
    }
    let in_query = ("by u and p", PASSWORD);
    let v1 = one.makes_v1_user(in_query, &org, &otto, &read).await;
    let end = ending(
        Method::POST,
        format!("{}/password", v1_path(&v1)),
        new_password(),
    );
    let by_query = v1.client.with(Credential::Query(
        in_query.0.to_owned(),
        PASSWORD.to_owned(),
    ));
    add(
        "a 1.x password is changed, u and p",
        &by_query,
        &query,
        401,
        end,
    );

    for (name, refusal) in [
        ("a session is signed out", 401),
        ("a session's user gets a new password", 401),
        ("a session's user is made inactive", 403),
        ("a session's user is removed", 403),
        ("a session's membership ends", 401),
    ] {
        let user = one.makes_user(name).await;
        one.sets_password(&user, PASSWORD).await.is_done();
        one.adds_member(&format!("orgs/{org}"), "members", &user)
            .await
            .is_done();
        let session = one.signs_in(name, PASSWORD).await;
        let user_path = format!("/api/v2/users/{user}");
        let end = match name {
            "a session is signed out" => Ending {
                by: session.clone(),
                ..ending(Method::POST, "/api/v2/signout".to_owned(), Value::Null)
            },
            "a session's user gets a new password" => ending(
                Method::POST,
                format!("{user_path}/password"),
                new_password(),
            ),
            "a session's user is made inactive" => ending(Method::PATCH, user_path, inactive()),
            "a session's user is removed" => ending(Method::DELETE, user_path, Value::Null),
            _ => {
                let path = format!("{org_path}/members/{user}");
                ending(Method::DELETE, path, Value::Null)
            }
        };
        add(name, &session, &org_path, refusal, end);
    }
    cases
}

/// A request that ends a credential.
struct Ending {
    by: Client,
    method: Method,
    path: String,
    body: Value,
}

/// Sends until the server does not ask to come again.
async fn insist(client: &Client, request: impl Fn() -> reqwest::RequestBuilder) -> Answer {
    let began = Instant::now();
    loop {
        let answer = client.send(request()).await;
        if answer.status.as_u16() != 503 || began.elapsed() > Duration::from_secs(30) {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Uses a credential at the other server all the time, ends it at the first one, and returns how
/// long after the answer to that the other server took the last request that it accepted.
async fn outlives_its_end_by(case: &Case) -> Duration {
    let ask = || case.user.gets(&case.path);
    let before = insist(&case.user, || case.user.request(Method::GET, &case.path)).await;
    assert!(before.status.is_success(), "{}: {}", case.name, before.body);
    let ended = insist(&case.user, &case.end).await;
    assert!(
        ended.status.is_success(),
        "{}: {} {}",
        case.name,
        ended.status,
        ended.body
    );
    let ended = Instant::now();
    let mut outlived = Duration::ZERO;
    let mut last = None;
    while ended.elapsed() < BOUND + Duration::from_millis(400) {
        let began = ended.elapsed();
        let answer = ask().await;
        if answer.status.is_success() {
            outlived = began;
        }
        last = Some(answer);
        // Often enough to keep whatever is cached warm.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut last = last.expect("at least one question");
    if last.status.as_u16() == 503 {
        last = insist(&case.user, || case.user.request(Method::GET, &case.path)).await;
    }
    assert_eq!(
        last.status.as_u16(),
        case.refusal,
        "{}: {}",
        case.name,
        last.body
    );
    assert!(
        outlived < BOUND,
        "{}: accepted {outlived:?} after its end",
        case.name
    );
    outlived
}

/// All cases at once; prints the longest time.
async fn all_end_in_time(cases: Vec<Case>) {
    let asking = cases
        .into_iter()
        .map(|case| tokio::spawn(async move { (case.name, outlives_its_end_by(&case).await) }));
    let asking: Vec<_> = asking.collect();
    let mut longest = ("", Duration::ZERO);
    for one in asking {
        let (name, outlived) = one.await.expect("no case fails");
        if outlived >= longest.1 {
            longest = (name, outlived);
        }
    }
    println!(
        "the longest: {} outlived its end by {:?}",
        longest.0, longest.1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_server_takes_away_the_other_refuses_within_a_second() {
    let (_home, _servers, [one, other]) = Home::with_two_servers(&[]).await;
    let cases = cases(&one, &other).await;
    all_end_in_time(cases).await;
}

/// The same while every connection to PostgreSQL is cut, again and again: no notification can be
/// counted on.
#[tokio::test(flavor = "multi_thread")]
async fn a_cut_connection_keeps_nothing_alive() {
    const CUT: &str = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                       WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let (home, _servers, [one, other]) = Home::with_two_servers(&[]).await;
    let cases = cases(&one, &other).await;
    // Whatever is cached is warm.
    for case in &cases {
        case.user.gets(&case.path).await.is_done();
    }
    let cut: u32 = home.asks_database(CUT).parse().expect("a number");
    assert!(cut >= 2, "each server had a connection");
    let cutting = async {
        for _ in 0..10 {
            tokio::time::sleep(Duration::from_millis(120)).await;
            home.asks_database(CUT);
        }
    };
    tokio::join!(all_end_in_time(cases), cutting);
}

/// A server that did nothing for a while does not go by what it knew before.
#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_server_does_not_wake_up_to_dead_credentials() {
    let (_home, [_one, frozen], [one, other]) = Home::with_two_servers(&[]).await;
    let cases = cases(&one, &other).await;
    for case in &cases {
        case.user.gets(&case.path).await.is_done();
    }
    frozen.freeze();
    for case in &cases {
        let ended = one.send((case.end)()).await;
        assert!(ended.status.is_success(), "{}: {}", case.name, ended.body);
    }
    tokio::time::sleep(BOUND).await;
    frozen.thaw();
    for case in &cases {
        let answer = case.user.gets(&case.path).await;
        assert_eq!(
            answer.status.as_u16(),
            case.refusal,
            "{}: {}",
            case.name,
            answer.body
        );
    }
}

/// On the server that takes it away, nothing outlives its end.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_server_refuses_at_once() {
    let home = Home::postgres().await;
    let server = home.server().await;
    let operator = server.set_up().await;
    for case in cases(&operator, &operator).await {
        case.user.gets(&case.path).await.is_done();
        operator.send((case.end)()).await.is_done();
        let answer = case.user.gets(&case.path).await;
        assert_eq!(
            answer.status.as_u16(),
            case.refusal,
            "{}: {}",
            case.name,
            answer.body
        );
    }
}

/// The new password counts at once, too, and everywhere.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_counts_on_every_server() {
    let (_home, _servers, [one, other]) = Home::with_two_servers(&[]).await;
    let user = one.makes_user("otto").await;
    for password in [PASSWORD, OTHER_PASSWORD] {
        one.sets_password(&user, password).await.is_done();
        for server in [&one, &other] {
            server.signs_in("otto", password).await;
        }
    }
    let old = other.tries_to_sign_in("otto", PASSWORD).await;
    old.is_refused(401, "unauthorized access");
}

/// Of two servers that are asked for the same thing at once exactly one makes it.
#[tokio::test(flavor = "multi_thread")]
async fn what_two_servers_make_at_once_is_made_once() {
    let (_home, _servers, [one, other]) = Home::with_two_servers(&[]).await;
    let org = one.org_id(ORG).await;
    let bucket = one.bucket_id(&org, BUCKET).await;
    let user = one.user_id(Person::default().name).await;
    let read = [Permission("read", "buckets", &org, &bucket).json()];
    for round in 0..20 {
        let name = format!("name-{round}");
        for (path, body) in [
            ("/api/v2/users", json!({"name": name})),
            ("/api/v2/orgs", json!({"name": name})),
            ("/api/v2/buckets", json!({"name": name, "orgID": org})),
            (
                "/private/legacy/authorizations",
                json!({"token": name, "orgID": org, "userID": user, "permissions": read}),
            ),
            ("/api/v2/labels", json!({"name": name, "orgID": org})),
            (
                "/api/v2/dbrps",
                json!({
                    "orgID": org, "bucketID": bucket, "database": name, "retention_policy": "rp",
                }),
            ),
        ] {
            let make = async |client: &Client| {
                insist(client, || client.request(Method::POST, path).json(&body)).await
            };
            let (a, b) = tokio::join!(make(&one), make(&other));
            let mut statuses = [a.status.as_u16(), b.status.as_u16()];
            statuses.sort_unstable();
            assert_eq!(statuses, [201, 422], "{path}: {} {}", a.body, b.body);
        }
    }
    let users = one.gets("/api/v2/users?limit=100").await.json();
    assert_eq!(users["users"].as_array().map(Vec::len), Some(21));
}

/// Of two set-ups at once, on two servers, one is done, wholly.
#[tokio::test(flavor = "multi_thread")]
async fn two_servers_are_set_up_once() {
    for _ in 0..3 {
        let home = Home::postgres().await;
        let (one, other) = tokio::join!(home.server(), home.server());
        let people = ["ada", "eve"].map(|name| Person {
            name,
            token: name,
            ..Person::default()
        });
        let (at_one, at_other) = (one.client("ada"), other.client("eve"));
        let (a, b) = tokio::join!(at_one.sets_up(people[0]), at_other.sets_up(people[1]));
        let (winner, loser, client) = match a.status.as_u16() {
            201 => (a, b, at_one),
            _ => (b, a, at_other),
        };
        assert_eq!(winner.status.as_u16(), 201, "{}", winner.body);
        loser.is_refused(422, "");
        let users = client.gets("/api/v2/users").await.json();
        assert_eq!(users["users"].as_array().map(Vec::len), Some(1));
        let orgs = client.gets("/api/v2/orgs").await.json();
        assert_eq!(orgs["orgs"].as_array().map(Vec::len), Some(1));
    }
}
