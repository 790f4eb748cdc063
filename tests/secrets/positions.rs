//! Requests with a marked secret in every place where somebody may put one, by intent or not.

use influxd_tests::{BUCKET, Client, Credential, ORG, Permission};
use reqwest::{Method, RequestBuilder};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::search::Marks;

/// Credentials that no server ever issued, in every form and place.
pub(crate) fn wrong_credentials(nobody: &Client, marks: &mut Marks) -> Vec<RequestBuilder> {
    const PATHS: [(Method, &str); 9] = [
        (Method::GET, "/query?db=climate&q=SELECT+f+FROM+m"),
        (Method::POST, "/query?db=climate&q=DROP+MEASUREMENT+m"),
        (Method::POST, "/write?db=climate"),
        (Method::POST, "/api/v2/write?org=acme&bucket=climate"),
        (Method::GET, "/api/v2/buckets"),
        (Method::POST, "/api/v2/signin"),
        (Method::POST, "/api/v2/signout"),
        (Method::PUT, "/api/v2/me/password"),
        (Method::GET, "/no/such/path"),
    ];
    let mut requests = Vec::new();
    for (method, path) in PATHS {
        let ask = || nobody.request(method.clone(), path);
        let mut mark = |position: &str| marks.mark(&format!("{method} {path}: {position}"));
        for scheme in [
            "Token ",
            "Bearer ",
            "token ",
            "Token  ",
            "Token\t",
            "Tokn ",
            "Digest ",
            "Basic ",
            "",
            "Token name:",
            "Bearer name:",
        ] {
            let secret = mark(&format!("Authorization {scheme}"));
            requests.push(ask().header("authorization", format!("{scheme}{secret}")));
        }
        let twice = [mark("first of two headers"), mark("second of two headers")];
        let twice = twice.into_iter().fold(ask(), |request, secret| {
            request.header("authorization", format!("Token {secret}"))
        });
        requests.push(twice);
        requests.push(ask().basic_auth("grace", Some(mark("Basic, password"))));
        requests.push(ask().basic_auth(mark("Basic, name"), Some("")));
        requests.push(ask().basic_auth(mark("Basic, name alone"), None::<&str>));
        let jwt = format!("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.{}", mark("a JWT"));
        requests.push(ask().bearer_auth(jwt));
        let cookie = format!("influxdb-oss-session={}", mark("cookie"));
        requests.push(ask().header("cookie", cookie));
        let cookie = format!("session={}; x", mark("another cookie"));
        requests.push(ask().header("cookie", cookie));
        for name in ["p", "token", "access_token", "password", "authorization"] {
            let secret = mark(&format!("query, {name}"));
            requests.push(ask().query(&[("u", "grace"), (name, &secret)]));
        }
        requests.push(ask().query(&[("u", mark("query, u")), ("p", "x".to_owned())]));
        let quoted: String = mark("query, percent-encoded")
            .bytes()
            .map(|byte| format!("%{byte:02X}"))
            .collect();
        let separator = if path.contains('?') { '&' } else { '?' };
        let quoted = format!("{path}{separator}u=grace&p={quoted}");
        requests.push(nobody.request(method.clone(), &quoted));
        requests.push(ask().form(&[("u", "grace"), ("p", &mark("form, p"))]));
        requests.push(ask().json(&json!({"password": mark("JSON, password")})));
        requests.push(ask().body(mark("a bare body")));
        for name in [
            "x-api-key",
            "proxy-authorization",
            "x-forwarded-for",
            "referer",
        ] {
            let secret = mark(name);
            requests.push(ask().header(name, secret));
        }
    }
    for path in [
        "/",
        "/api/v2/",
        "/api/v2/authorizations/",
        "/private/",
        "/debug/",
    ] {
        let secret = marks.mark(path);
        requests.push(nobody.request(Method::GET, &format!("{path}{secret}")));
    }
    requests
}

/// Requests of somebody who is allowed in, with secrets where they belong, and where they are
/// malformed.
pub(crate) async fn from_within(operator: &Client, marks: &mut Marks) {
    let org = operator.org_id(ORG).await;
    let bucket = operator.bucket_id(&org, BUCKET).await;
    let read = [Permission("read", "buckets", &org, &bucket).json()];

    // Users, their passwords and sessions.
    let user = operator.makes_user("otto").await;
    let password = marks.mark("POST users/{id}/password");
    operator.sets_password(&user, &password).await.is_done();
    let session = operator.signs_in("otto", &password).await;
    let Credential::Session(key) = session.credential() else {
        panic!("a session has a key");
    };
    marks.remember(key.clone());
    session.gets("/api/v2/me").await.is_done();
    let next = marks.mark("PUT me/password");
    for (old, new) in [
        (marks.mark("PUT me/password, wrong old one"), next.clone()),
        (password, next),
    ] {
        let change = session
            .request(Method::PUT, "/api/v2/me/password")
            .basic_auth("otto", Some(old))
            .json(&json!({"password": new}));
        session.send(change).await;
    }

    // Tokens, theirs and those of 1.x users.
    let issued = operator.issues(&org, &user, &read).await;
    let Credential::Token(token) = issued.client.credential().clone() else {
        panic!("a token was issued");
    };
    for credential in [
        Credential::Bearer(token.clone()),
        Credential::Basic("any".to_owned(), token.clone()),
        Credential::Query("any".to_owned(), token.clone()),
        Credential::Token(format!("any:{token}")),
    ] {
        issued.client.with(credential).asks("SELECT f FROM m").await;
    }
    marks.remember(token);
    let password = marks.mark("POST legacy/authorizations/{id}/password");
    let v1 = operator
        .makes_v1_user(("sensor", &password), &org, &user, &read)
        .await;
    v1.client.asks("SELECT f FROM m").await.is_done();
    let in_query = Credential::Query("sensor".to_owned(), password);
    v1.client
        .with(in_query)
        .asks("SELECT f FROM m")
        .await
        .is_done();
    let v1_password = format!("/private/legacy/authorizations/{}/password", v1.id);

    // Secrets of organizations.
    let secrets = format!("/api/v2/orgs/{org}/secrets");
    let value = marks.stored("PATCH orgs/{id}/secrets");
    operator
        .patches(&secrets, &json!({"key": value}))
        .await
        .is_done();
    operator.gets(&secrets).await.is_done();

    // Bodies with something wrong about them.
    let user_password = format!("/api/v2/users/{user}/password");
    for (method, path) in [
        (Method::POST, user_password.as_str()),
        (Method::POST, v1_password.as_str()),
        (Method::PATCH, secrets.as_str()),
        (Method::POST, "/api/v2/authorizations"),
        (Method::POST, "/private/legacy/authorizations"),
        (Method::POST, "/api/v2/users"),
        (Method::POST, "/api/v2/setup"),
        (Method::POST, "/api/v2/orgs"),
        (Method::POST, "/api/v2/delete?org=acme&bucket=climate"),
        (Method::POST, "/api/v2/query?org=acme"),
        (Method::POST, "/api/v2/restore/kv"),
    ] {
        // What is well formed there is a secret to keep.
        let is_kept = path == secrets;
        let mut mark = |position: &str| {
            let position = format!("{method} {path}: {position}");
            match is_kept {
                true => marks.stored(&position),
                false => marks.mark(&position),
            }
        };
        for body in [
            format!(r#"{{"password": "{}"#, mark("cut off")),
            format!(r#"{{"password": ["{}"]}}"#, mark("a list")),
            format!(r#"{{"password": {{"a": "{}"}}}}"#, mark("an object")),
            format!(r#""{}""#, mark("a text")),
            format!(r#"[{{"password": "{}"}}]"#, mark("in a list")),
            format!("password={}", mark("a form")),
            mark("bare"),
            format!(
                r#"{{"token": "{}", "permissions": 7}}"#,
                mark("beside an error")
            ),
            format!(
                r#"{{"password": "x", "old": "{}"}}"#,
                mark("too short a one")
            ),
            format!(r#"{{"password": "{}"}}"#, mark("too long").repeat(20)),
            format!(
                r#"{{"description": 1, "token": "{}"}}"#,
                mark("a token of one's own")
            ),
        ] {
            let request = operator.request(method.clone(), path);
            operator.send(request.body(body)).await;
        }
    }
    let again = json!({
        "username": "grace", "password": marks.mark("setup again, password"),
        "token": marks.mark("setup again, token"), "org": "o", "bucket": "b",
    });
    operator.posts("/api/v2/setup", &again).await;

    // InfluxQL that names secrets, and line protocol that holds one by mistake.
    for statement in [
        "CREATE USER eve WITH PASSWORD '{}'",
        "create user eve with password '{}' with all privileges",
        "SET PASSWORD FOR eve = '{}'",
        "SET PASSWORD FOR eve = '{}",
        "CREATE USER eve WITH PASSWORD {}",
        "SELECT f FROM m; SET PASSWORD FOR sensor = '{}'; nonsense",
        "CREATE SUBSCRIPTION s ON d.r DESTINATIONS ALL 'http://u:{}@127.0.0.1'",
    ] {
        let text = statement.replace("{}", &marks.mark(statement));
        operator.asks(&text).await;
        let in_query = operator
            .request(Method::GET, "/query")
            .query(&[("q", &text)]);
        operator.send(in_query).await;
    }
    let parameters = format!(r#"{{"p": "{}"}}"#, marks.mark("params"));
    operator
        .asks_with(
            "SELECT f FROM m WHERE \"p\" = $p",
            &[("params", &parameters)],
        )
        .await;
    operator
        .writes(&format!("m,password={} f=", marks.mark("a bad line")))
        .await;
}

/// What is hardly HTTP.
pub(crate) async fn garbage(port: u16, marks: &mut Marks) {
    let mut requests = Vec::new();
    for request in [
        "GET /query?p={} HTTP/9.9\r\n\r\n",
        "GET /query?u=a&p={}\r\n\r\n",
        "{}\r\n\r\n",
        "GET / HTTP/1.1\r\nAuthorization Token {}\r\n\r\n",
        "GET /api/v2/me HTTP/1.1\r\nAuthorization: Token {}\u{1}\r\n\r\n",
        "GET /api/v2/me HTTP/1.1\r\nHost: a\r\nHost: b\r\nAuthorization: Token \u{ff}{}\r\n\r\n",
        "GET /api/v2/me?p={}%zz%ff HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /api/v2/\u{e9}{} HTTP/1.1\r\nHost: a\r\n\r\n",
        "{} /api/v2/me HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /api/v2/signin HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n",
        "POST /write HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{}\r\n",
        "GET http://grace:{}@127.0.0.1/api/v2/me HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /api/v2/me HTTP/1.1\r\nHost: grace:{}@localhost\r\n\r\n",
        "CONNECT grace:{}@localhost:80 HTTP/1.1\r\nHost: a\r\n\r\n",
    ] {
        requests.push(request.replace("{}", &marks.mark(request)));
    }
    // More headers than anybody takes.
    let long = marks.mark("a long header");
    let long = format!(
        "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: {}\r\n\r\n",
        long.repeat(9000)
    );
    requests.push(long);
    for request in requests {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        // The server may have heard enough, or wait for more: both are fine.
        let _ = stream.write_all(request.as_bytes()).await;
        let _ = stream.shutdown().await;
        let mut answer = Vec::new();
        let reading = stream.read_to_end(&mut answer);
        let _ = tokio::time::timeout(std::time::Duration::from_secs(5), reading).await;
    }
}
