//! A server with an organization, a bucket in it, and users and tokens with some rights.

use serde_json::{Value, json};

use super::TestServer;
use super::client::Reply;

/// A server that was set up, and what there is.
pub(super) struct World {
    pub(super) server: TestServer,
    pub(super) org: String,
    pub(super) bucket: String,
}

impl World {
    pub(super) async fn new() -> Self {
        let server = TestServer::set_up().await;
        let list = server.operator("GET", "/api/v2/buckets?name=first", "");
        let bucket = list.await.json()["buckets"][0].clone();
        let text = |name: &str| bucket[name].as_str().unwrap().to_owned();
        Self {
            org: text("orgID"),
            bucket: text("id"),
            server,
        }
    }

    /// Sends a request as the operator.
    pub(super) async fn operator(&self, method: &str, target: &str, body: &Value) -> Reply {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        self.server.operator(method, target, &body).await
    }

    /// Sends a request with a token.
    pub(super) async fn with(
        &self,
        token: &str,
        method: &str,
        target: &str,
        body: &Value,
    ) -> Reply {
        let token = format!("Token {token}");
        let headers = [("Authorization", token.as_str())];
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let client = self.server.client;
        client.send(method, target, &headers, body.as_bytes()).await
    }

    /// The id of something that the operator makes.
    pub(super) async fn makes(&self, target: &str, body: &Value) -> String {
        let reply = self.operator("POST", target, body).await;
        assert_eq!(reply.status, 201, "{target} {body}: {}", reply.text());
        let made = reply.json();
        let id = made["id"].as_str().or(made["label"]["id"].as_str());
        id.unwrap().to_owned()
    }

    /// A token of the operator's user with these permissions.
    pub(super) async fn token(&self, permissions: &[Value]) -> String {
        let body = json!({"orgID": self.org, "permissions": permissions});
        let reply = self.operator("POST", "/api/v2/authorizations", &body).await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        reply.json()["token"].as_str().unwrap().to_owned()
    }
}
