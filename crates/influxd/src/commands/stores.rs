//! Opening the store that the settings name. The only place that knows both databases.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use influxd_store::{ChunkStore, Store, StoreError};
use influxd_store_postgres::{PostgresOptions, PostgresStore};
use influxd_store_sqlite::{SqliteOptions, SqliteStore};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::settings::{ServerSettings, StoreChoice, masked};

/// How long a start waits for a database that does not answer, before it gives up.
const PATIENCE: Duration = Duration::from_secs(60);
/// The same for a command that somebody waits for.
const OFFLINE_PATIENCE: Duration = Duration::from_secs(5);

/// An open store.
pub(super) struct Stores {
    /// Its resources and credentials.
    pub(super) resources: Arc<dyn Store>,
    /// Its points.
    pub(super) points: Arc<dyn ChunkStore>,
    /// What the log calls it.
    pub(super) kind: &'static str,
    /// The servers that run on it, where it was opened beside them.
    pub(super) servers: Vec<String>,
    /// The folder of a throw-away store; goes when this does.
    _folder: Option<TempDir>,
}

/// Opens it, and brings its schema up to date.
pub(super) async fn open(settings: &ServerSettings) -> Result<Stores> {
    match &settings.store {
        StoreChoice::Sqlite(path) => sqlite(settings, SqliteOptions::new(path), None).await,
        StoreChoice::Memory => {
            let folder = throw_away().context("cannot make a folder for the throw-away store")?;
            let path = folder.path().join("influxd.sqlite");
            sqlite(settings, SqliteOptions::new(path), Some(folder)).await
        }
        StoreChoice::Postgres(url) => postgres(settings, url, Some(name(settings))).await,
    }
}

/// Opens a store that must be there already, maybe beside a server that runs on it.
pub(super) async fn open_existing(settings: &ServerSettings) -> Result<Stores> {
    match &settings.store {
        StoreChoice::Sqlite(path) => {
            if !path.is_file() {
                bail!("there is no store at {}", path.display());
            }
            let options = SqliteOptions {
                must_exist: true,
                ..SqliteOptions::new(path)
            };
            let store = open_sqlite(options).await?;
            let server = store.server()?;
            let mut stores = Stores::of_sqlite(store, None);
            stores.servers.extend(server.map(|who| match who.as_str() {
                "" => "one that has just started".to_owned(),
                who => who.to_owned(),
            }));
            Ok(stores)
        }
        StoreChoice::Memory => bail!("a throw-away store is gone when its server is"),
        StoreChoice::Postgres(url) => postgres(settings, url, None).await,
    }
}

/// A folder for this server's eyes only.
fn throw_away() -> std::io::Result<TempDir> {
    let only_ours = std::fs::Permissions::from_mode(0o700);
    let mut folder = tempfile::Builder::new();
    folder
        .prefix("influxd-memory-")
        .permissions(only_ours)
        .tempdir()
}

/// What others on the same store are told of this server.
fn name(settings: &ServerSettings) -> String {
    format!(
        "process {} at {}",
        std::process::id(),
        settings.bind_address
    )
}

async fn sqlite(
    settings: &ServerSettings,
    options: SqliteOptions,
    folder: Option<TempDir>,
) -> Result<Stores> {
    let path = options.path.clone();
    let store = open_sqlite(options).await?;
    store.lock_for_serving()?;
    store.announce(&name(settings))?;
    tracing::info!(service = "sqlite", path = %path.display(), "Resources opened");
    Ok(Stores::of_sqlite(store, folder))
}

async fn open_sqlite(options: SqliteOptions) -> Result<Arc<SqliteStore>> {
    let path = options.path.clone();
    let opened = SqliteStore::open(options).await;
    opened.with_context(|| format!("unable to open the store {}", path.display()))
}

impl Stores {
    fn of_sqlite(store: Arc<SqliteStore>, folder: Option<TempDir>) -> Self {
        Self {
            resources: Arc::clone(&store) as Arc<dyn Store>,
            points: store,
            kind: "sqlite",
            servers: Vec::new(),
            _folder: folder,
        }
    }
}

/// Opens it to serve it under this name, or beside those who do.
async fn postgres(settings: &ServerSettings, url: &str, server: Option<String>) -> Result<Stores> {
    let began = Instant::now();
    let mut pause = Duration::from_millis(100);
    let shown = masked(url);
    let patience = match server {
        Some(_) => PATIENCE,
        None => OFFLINE_PATIENCE,
    };
    let store = loop {
        let options = PostgresOptions {
            max_connections: settings.store_max_connections,
            must_exist: server.is_none(),
            server: server.clone(),
            ..PostgresOptions::new(url)
        };
        match PostgresStore::open(options).await {
            Ok(store) => break store,
            Err(error @ StoreError::Unavailable(_)) if began.elapsed() < patience => {
                let error: &(dyn std::error::Error + 'static) = &error;
                tracing::warn!(error, url = %shown, "The database does not answer yet");
                sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(5));
            }
            Err(error) => {
                return Err(error).with_context(|| format!("unable to open the store {shown}"));
            }
        }
    };
    tracing::info!(service = "postgres", path = %shown, "Resources opened");
    let servers = match server {
        Some(_) => Vec::new(),
        None => store.servers().await?,
    };
    Ok(Stores {
        resources: Arc::clone(&store) as Arc<dyn Store>,
        points: store,
        kind: "postgres",
        servers,
        _folder: None,
    })
}
