//! Organizations, users, tokens and sessions as tests make and use them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Reply, TOKEN, TestServer};

/// The header of a name and a password.
pub(super) fn basic(name: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{secret}")))
}

/// The id in an answer.
pub(super) fn id(made: &Value) -> String {
    made["id"].as_str().unwrap().to_owned()
}

/// A permission; empty texts are left out.
pub(super) fn permission(action: &str, resource: &str, org: &str, id: &str) -> Value {
    let mut about = json!({"type": resource});
    for (key, value) in [("orgID", org), ("id", id)] {
        if !value.is_empty() {
            about[key] = json!(value);
        }
    }
    json!({"action": action, "resource": about})
}

/// Somebody who sends requests.
#[derive(Clone)]
pub(super) struct Somebody<'s> {
    server: &'s TestServer,
    headers: Vec<(&'static str, String)>,
}

impl TestServer {
    /// Somebody without credentials.
    pub(super) fn nobody(&self) -> Somebody<'_> {
        let headers = Vec::new();
        Somebody {
            server: self,
            headers,
        }
    }

    /// Somebody with a token.
    pub(super) fn holder(&self, token: &str) -> Somebody<'_> {
        self.nobody()
            .with("Authorization", format!("Token {token}"))
    }

    /// Whoever set the server up.
    pub(super) fn admin(&self) -> Somebody<'_> {
        self.holder(TOKEN)
    }

    /// Somebody who signs in.
    pub(super) async fn signed_in(&self, name: &str, password: &str) -> Somebody<'_> {
        let basic = self.nobody().with("Authorization", basic(name, password));
        let reply = basic.sends("POST", "/api/v2/signin", &json!(null)).await;
        assert_eq!(reply.status, 204, "{}", reply.text());
        let cookie = reply.header("Set-Cookie").unwrap();
        let pair = cookie.split(';').next().unwrap().to_owned();
        self.nobody().with("Cookie", pair)
    }
}

impl Somebody<'_> {
    /// With one header more.
    pub(super) fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Sends a request; a body that is a text is sent as it is, `null` is none.
    pub(super) async fn sends(&self, method: &str, target: &str, body: &Value) -> Reply {
        let headers: Vec<(&str, &str)> = self
            .headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let body = match body {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        self.server
            .client
            .send(method, target, &headers, body.as_bytes())
            .await
    }

    pub(super) async fn gets(&self, target: &str) -> Reply {
        self.sends("GET", target, &Value::Null).await
    }

    /// The document at a path.
    pub(super) async fn sees(&self, target: &str) -> Value {
        let reply = self.gets(target).await;
        assert_eq!(reply.status, 200, "{target} {}", reply.text());
        reply.json()
    }

    pub(super) async fn posts(&self, target: &str, body: Value) -> Reply {
        self.sends("POST", target, &body).await
    }

    pub(super) async fn patches(&self, target: &str, body: Value) -> Reply {
        self.sends("PATCH", target, &body).await
    }

    pub(super) async fn deletes(&self, target: &str) -> Reply {
        self.sends("DELETE", target, &Value::Null).await
    }

    /// Makes something, and shows it.
    pub(super) async fn makes(&self, target: &str, body: Value) -> Value {
        let reply = self.posts(target, body).await;
        assert_eq!(reply.status, 201, "{target} {}", reply.text());
        reply.json()
    }

    pub(super) async fn makes_org(&self, name: &str) -> String {
        id(&self.makes("/api/v2/orgs", json!({"name": name})).await)
    }

    pub(super) async fn makes_bucket(&self, org: &str, name: &str) -> String {
        let body = json!({"orgID": org, "name": name});
        id(&self.makes("/api/v2/buckets", body).await)
    }

    /// Makes a user, with a password unless it is empty.
    pub(super) async fn makes_user(&self, name: &str, password: &str) -> String {
        let user = id(&self.makes("/api/v2/users", json!({"name": name})).await);
        if !password.is_empty() {
            let target = format!("/api/v2/users/{user}/password");
            let reply = self.posts(&target, json!({"password": password})).await;
            assert_eq!(reply.status, 204, "{}", reply.text());
        }
        user
    }

    /// Makes a token for `user` (empty: for themselves); its id and itself.
    pub(super) async fn makes_token(
        &self,
        org: &str,
        user: &str,
        permissions: &[Value],
    ) -> (String, String) {
        let mut body = json!({"orgID": org, "permissions": permissions});
        if !user.is_empty() {
            body["userID"] = json!(user);
        }
        let made = self.makes("/api/v2/authorizations", body).await;
        (id(&made), made["token"].as_str().unwrap().to_owned())
    }
}

/// What a command line calls all access: everything in an organization, and its own user.
pub(super) fn all_access(org: &str, user: &str) -> Vec<Value> {
    let mut all = Vec::new();
    for resource in influxd_model::ResourceType::ALL {
        match resource.name() {
            "instance" => {}
            "orgs" => all.push(permission("read", "orgs", "", org)),
            "users" => {
                all.push(permission("read", "users", "", user));
                all.push(permission("write", "users", "", user));
            }
            other => {
                all.push(permission("read", other, org, ""));
                all.push(permission("write", other, org, ""));
            }
        }
    }
    all
}
