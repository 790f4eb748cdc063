//! Somebody with a token.

use reqwest::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::{BUCKET, OPERATOR_TOKEN, ORG};

/// Somebody who talks to one server with one token.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    token: String,
}

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
            token: token.to_owned(),
        }
    }

    /// The same person with another token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            token: token.to_owned(),
            ..self.clone()
        }
    }

    /// A request with the token, to be filled and sent by the test.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.url))
            .header("authorization", format!("Token {}", self.token))
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

    fn write(&self, bucket: &str, lines: String) -> reqwest::RequestBuilder {
        self.request(Method::POST, "/api/v2/write")
            .query(&[("org", ORG), ("bucket", bucket)])
            .body(lines)
    }

    /// Writes line protocol with times in nanoseconds.
    pub async fn writes(&self, lines: &str) -> Answer {
        self.send(self.write(BUCKET, lines.to_owned())).await
    }

    /// The same to another bucket.
    pub async fn writes_to(&self, bucket: &str, lines: &str) -> Answer {
        self.send(self.write(bucket, lines.to_owned())).await
    }

    /// Writes; `None` if the server went away.
    pub async fn tries_to_write(&self, lines: String) -> Option<Answer> {
        self.try_send(self.write(BUCKET, lines)).await
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

    /// Makes a bucket; returns what the server says of it.
    pub async fn makes_bucket(&self, name: &str) -> Value {
        let orgs = self.gets(&format!("/api/v2/orgs?org={ORG}")).await.json();
        let body = json!({"name": name, "orgID": orgs["orgs"][0]["id"]});
        let made = self
            .send(self.request(Method::POST, "/api/v2/buckets").json(&body))
            .await;
        assert_eq!(made.status.as_u16(), 201, "{}", made.body);
        made.json()
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
