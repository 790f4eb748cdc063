//! Somebody with a credential.

use reqwest::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::{BUCKET, OPERATOR_TOKEN, ORG};

/// Somebody who talks to one server with one credential.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    credential: Credential,
}

/// How somebody says who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// Not at all.
    Nothing,
    /// `Authorization: Token …`.
    Token(String),
    /// `Authorization: Bearer …`.
    Bearer(String),
    /// `Authorization: Basic …`.
    Basic(String, String),
    /// `u` and `p` in the query.
    Query(String, String),
    /// The session cookie.
    Session(String),
}

impl Credential {
    /// A request that bears it.
    pub fn on(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        match self {
            Self::Nothing => request,
            Self::Token(token) => request.header("authorization", format!("Token {token}")),
            Self::Bearer(token) => request.header("authorization", format!("Bearer {token}")),
            Self::Basic(name, password) => request.basic_auth(name, Some(password)),
            Self::Query(name, password) => request.query(&[("u", name), ("p", password)]),
            Self::Session(key) => request.header("cookie", format!("{SESSION_COOKIE}={key}")),
        }
    }
}

/// The name of the cookie that holds a session's key.
pub const SESSION_COOKIE: &str = "influxdb-oss-session";

/// Who sets a server up.
#[derive(Debug, Clone, Copy)]
pub struct Person<'a> {
    /// The first user's name.
    pub name: &'a str,
    /// Their password.
    pub password: &'a str,
    /// The operator token.
    pub token: &'a str,
}

impl Default for Person<'_> {
    fn default() -> Self {
        Self {
            name: "ada",
            password: "correct horse battery",
            token: OPERATOR_TOKEN,
        }
    }
}

impl Client {
    pub(crate) fn new(url: &str, token: &str) -> Self {
        Self {
            http: reqwest::Client::new(),
            url: url.to_owned(),
            credential: Credential::Token(token.to_owned()),
        }
    }

    /// The same server, with another token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        self.with(Credential::Token(token.to_owned()))
    }

    /// The same server, with another credential.
    #[must_use]
    pub fn with(&self, credential: Credential) -> Self {
        Self {
            credential,
            ..self.clone()
        }
    }

    /// The same credential, at another server.
    #[must_use]
    pub fn at(&self, other: &Self) -> Self {
        other.with(self.credential.clone())
    }

    /// The same, over connections that come from this address, and from no pool of others.
    #[must_use]
    pub fn from(&self, address: std::net::IpAddr) -> Self {
        let http = reqwest::Client::builder().local_address(address).build();
        Self {
            http: http.expect("an address of this machine"),
            ..self.clone()
        }
    }

    /// What it says who it is.
    pub const fn credential(&self) -> &Credential {
        &self.credential
    }

    /// Where the server is, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A request with the credential, to be filled and sent by the test.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.credential.on(self.bare_request(method, path))
    }

    /// A request without any credential.
    pub fn bare_request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url))
    }

    /// Sends what [`Self::request`] began. `None`: the connection broke, which is what happens to
    /// clients of a server that is killed.
    pub async fn try_send(&self, request: reqwest::RequestBuilder) -> Option<Answer> {
        match request.send().await {
            Ok(response) => Some(Answer::of(response).await),
            Err(_) => None,
        }
    }

    /// Sends what [`Self::request`] began.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.expect("the server answers");
        Answer::of(response).await
    }

    /// Sets the server up.
    pub async fn sets_up(&self, who: Person<'_>) -> Answer {
        let body = json!({
            "username": who.name, "password": who.password, "token": who.token,
            "org": ORG, "bucket": BUCKET,
        });
        let request = self.http.post(format!("{}/api/v2/setup", self.url));
        self.send(request.json(&body)).await
    }

    fn write(&self, org: &str, bucket: &str, lines: String) -> reqwest::RequestBuilder {
        self.request(Method::POST, "/api/v2/write")
            .query(&[("org", org), ("bucket", bucket)])
            .body(lines)
    }

    /// Writes line protocol with times in nanoseconds.
    pub async fn writes(&self, lines: &str) -> Answer {
        self.send(self.write(ORG, BUCKET, lines.to_owned())).await
    }

    /// The same to another bucket.
    pub async fn writes_to(&self, bucket: &str, lines: &str) -> Answer {
        self.writes_in(ORG, bucket, lines).await
    }

    /// The same to another organization's bucket.
    pub async fn writes_in(&self, org: &str, bucket: &str, lines: &str) -> Answer {
        self.send(self.write(org, bucket, lines.to_owned())).await
    }

    /// Writes; `None` if the server went away.
    pub async fn tries_to_write(&self, lines: String) -> Option<Answer> {
        self.try_send(self.write(ORG, BUCKET, lines)).await
    }

    /// Asks InfluxQL; times come back in nanoseconds.
    pub async fn asks(&self, query: &str) -> Answer {
        self.asks_with(query, &[("epoch", "ns")]).await
    }

    /// Asks InfluxQL with further parameters.
    pub async fn asks_with(&self, query: &str, parameters: &[(&str, &str)]) -> Answer {
        let request = self
            .request(Method::POST, "/query")
            .query(&[("db", BUCKET)])
            .query(parameters)
            .form(&[("q", query)]);
        self.send(request).await
    }

    /// How many values a field has.
    pub async fn counts(&self, field: &str, measurement: &str) -> u64 {
        let answer = self
            .asks(&format!("SELECT count({field}) FROM {measurement}"))
            .await;
        match answer.rows().first() {
            Some(row) => row[1].as_u64().expect("a count is a whole number"),
            None => 0,
        }
    }

    /// Deletes points by predicate, over all of time.
    pub async fn deletes(&self, predicate: &str) -> Answer {
        let body = json!({
            "start": "1970-01-01T00:00:00Z", "stop": "2200-01-01T00:00:00Z",
            "predicate": predicate,
        });
        let request = self
            .request(Method::POST, "/api/v2/delete")
            .query(&[("org", ORG), ("bucket", BUCKET)])
            .json(&body);
        self.send(request).await
    }

    /// `GET path`.
    pub async fn gets(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    /// `POST path` with a JSON body.
    pub async fn posts(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    /// `PATCH path` with a JSON body.
    pub async fn patches(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::PATCH, path).json(body))
            .await
    }

    /// `DELETE path`.
    pub async fn removes(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }

    /// The value of a metric without labels, or the sum of those with them.
    pub async fn reads_metric(&self, name: &str) -> f64 {
        let text = self.gets("/metrics").await.body;
        let values = text.lines().filter_map(|line| {
            let rest = line.strip_prefix(name)?;
            let value = match rest.as_bytes().first()? {
                b' ' => rest,
                b'{' => rest.rsplit_once('}')?.1,
                _ => return None,
            };
            value.trim().parse::<f64>().ok()
        });
        values.sum()
    }
}
