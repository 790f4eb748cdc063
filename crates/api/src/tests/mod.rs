//! The server as its clients meet it: a real store, a real port.

mod authorizations;
mod backup;
mod changes;
mod client;
mod credentials;
mod data;
mod labels;
mod mappings;
mod organizations;
mod parents;
mod people;
mod probes;
mod races;
mod resources;
mod secrets;
mod status;
mod users;
mod world;

use std::sync::Arc;

use influxd_engine::{Engine, EngineOptions};
use influxd_model::{Clock, SystemClock};
use influxd_store::Store;
use influxd_store_sqlite::{SqliteOptions, SqliteStore};
use influxd_tokens::{Hashing, OsRandomness};
use prometheus::Registry;
use tempfile::TempDir;

use self::client::{Client, Reply};
use crate::server::{Running, ServerConfig, Services, start};
use crate::system::readiness::Readiness;

/// The operator token that servers are set up with.
const TOKEN: &str = "operator-token-of-the-tests-0123456789";

/// A server on a store of its own.
#[derive(Debug)]
struct TestServer {
    running: Option<Running>,
    engine: Arc<Engine>,
    client: Client,
    _folder: TempDir,
}

impl TestServer {
    /// A new server, not set up yet.
    async fn fresh() -> Self {
        Self::with(ServerConfig::default(), |store| store).await
    }

    /// A server with the organization `acme` and the bucket `first`.
    async fn set_up() -> Self {
        let server = Self::fresh().await;
        server.onboard().await;
        server
    }

    async fn onboard(&self) {
        let body = format!(
            r#"{{"username":"admin","password":"admin-password","org":"acme","bucket":"first","token":"{TOKEN}"}}"#
        );
        let reply = self
            .client
            .send("POST", "/api/v2/setup", &[], body.as_bytes())
            .await;
        assert_eq!(reply.status, 201, "{}", reply.text());
    }

    /// A server whose resources are seen through `wrap`.
    async fn with(
        config: ServerConfig,
        wrap: impl FnOnce(Arc<dyn Store>) -> Arc<dyn Store>,
    ) -> Self {
        Self::with_clock(config, Arc::new(SystemClock), wrap).await
    }

    /// The same with a clock of its own.
    async fn with_clock(
        config: ServerConfig,
        clock: Arc<dyn Clock>,
        wrap: impl FnOnce(Arc<dyn Store>) -> Arc<dyn Store>,
    ) -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("influxd.sqlite");
        let store = SqliteStore::open(SqliteOptions::new(path)).await.unwrap();
        let registry = Registry::new();
        let points = Arc::clone(&store) as Arc<dyn influxd_store::ChunkStore>;
        let engine = Engine::open(points, EngineOptions::default(), &registry).unwrap();
        let services = Services {
            store: wrap(store),
            engine: Arc::clone(&engine),
            clock,
            random: Arc::new(OsRandomness),
            hashing: Arc::new(Hashing::default()),
            readiness: Arc::new(Readiness::default()),
            registry,
        };
        let config = ServerConfig {
            bind: "127.0.0.1:0".to_owned(),
            version: "v2.9.1".to_owned(),
            ..config
        };
        let running = start(config, services).await.unwrap();
        let client = Client::new(running.addr());
        Self {
            running: Some(running),
            engine,
            client,
            _folder: folder,
        }
    }

    /// Sends a request as the operator.
    async fn operator(&self, method: &str, target: &str, body: &str) -> Reply {
        let token = format!("Token {TOKEN}");
        self.client
            .send(
                method,
                target,
                &[("Authorization", &token)],
                body.as_bytes(),
            )
            .await
    }

    /// Sends a request as the operator, with further headers.
    async fn operator_with(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Reply {
        let token = format!("Token {TOKEN}");
        let mut all = vec![("Authorization", token.as_str())];
        all.extend_from_slice(headers);
        self.client.send(method, target, &all, body).await
    }

    /// The answer to a query on the database `first`.
    async fn query(&self, text: &str, parameters: &str) -> Reply {
        let mut target = "/query?db=first&q=".to_owned();
        crate::query_string::push_encoded(text, &mut target);
        target.push_str(parameters);
        self.operator("GET", &target, "").await
    }

    async fn writes(&self, lines: &str) {
        let reply = self.operator("POST", "/write?db=first", lines).await;
        assert_eq!((reply.status, reply.text().as_str()), (204, ""), "{lines}");
    }

    async fn stop(mut self) {
        if let Some(running) = self.running.take() {
            running.stop().await.unwrap();
        }
        self.engine.close().await;
    }
}
