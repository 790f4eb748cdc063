//! The store on PostgreSQL, which any number of servers can share.
//!
//! A pool of connections serves requests; each follower has a connection of its own, and so have
//! all claims of a process together. Every connection says how durable a commit has to be.

mod chunks;
mod connection;
mod error;
mod resources;
#[cfg(feature = "scratch")]
pub mod scratch;
mod scrub;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use influxd_store::{AwaitsScrub, Counts, Result, Scrubbed, Store, StoreError, Transaction};
use secrecy::SecretString;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, Executor, PgPool};

use crate::chunks::Claims;
use crate::error::{PostgresFailure, store_error};
use crate::resources::PostgresTransaction;

/// How long a request waits for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// A connection that was idle for so long is asked whether it still works before it is used.
const TRUSTED: Duration = Duration::from_secs(1);

static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/postgres");

/// Where the database is, and how much may go on at once.
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    /// `postgres://user:password@host:port/database`, with the usual parameters.
    pub url: SecretString,
    /// How many connections the pool may hold. Followers and claims come on top.
    pub max_connections: u32,
    /// How long a scrub waits, all in all, for transactions that still see what was removed.
    pub scrub_patience: Duration,
    /// Refuse a database that holds no store, instead of making one.
    pub must_exist: bool,
    /// What others are to know of this process, if it serves the database: a few words.
    pub server: Option<String>,
}

impl PostgresOptions {
    /// The usual options for a database.
    pub fn new(url: impl Into<SecretString>) -> Self {
        Self {
            url: url.into(),
            max_connections: 16,
            scrub_patience: Duration::from_secs(60),
            must_exist: false,
            server: None,
        }
    }
}

/// The store on a PostgreSQL database.
pub struct PostgresStore {
    options: PgConnectOptions,
    pool: PgPool,
    claims: Claims,
    scrub_patience: Duration,
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the options: they hold the password.
        f.debug_struct("PostgresStore")
            .field("pool", &self.pool)
            .finish_non_exhaustive()
    }
}

impl PostgresStore {
    /// Connects, and brings the schema up to date while nobody else does.
    ///
    /// [`StoreError::Unusable`] if the URL makes no sense or a newer server has changed the
    /// schema, or the server lets nobody in with it; [`StoreError::Unavailable`] if the database cannot be reached.
    pub async fn open(options: PostgresOptions) -> Result<Arc<Self>> {
        let connect = connection::connect_options(&options.url, options.server.as_deref())?;
        if options.must_exist {
            require_store(&connect).await?;
        }
        migrate(&connect).await?;
        let pool = PgPoolOptions::new()
            .max_connections(options.max_connections.max(2))
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .test_before_acquire(false)
            .before_acquire(|conn, meta| {
                Box::pin(async move {
                    // A ping costs as much as a small query: busy connections go without.
                    Ok(meta.idle_for < TRUSTED || conn.ping().await.is_ok())
                })
            })
            .after_connect(|conn, _| Box::pin(connection::set_up(conn)))
            .connect_with(connect.clone())
            .await
            .map_err(store_error)?;
        Ok(Arc::new(Self {
            claims: Claims::new(connect.clone()),
            options: connect,
            pool,
            scrub_patience: options.scrub_patience,
        }))
    }

    /// What the processes that serve the database have said of themselves
    /// ([`PostgresOptions::server`]), with the address that they come from where it is another host.
    pub async fn servers(&self) -> Result<Vec<String>> {
        let rows = sqlx::query_scalar(
            "SELECT DISTINCT
               substr(application_name, strpos(application_name, $1) + length($1))
               || coalesce(' from ' || host(client_addr), '')
             FROM pg_stat_activity
             WHERE datname = current_database() AND strpos(application_name, $1) > 0
             ORDER BY 1",
        )
        .bind(connection::SERVER)
        .fetch_all(&self.pool)
        .await;
        rows.map_err(store_error)
    }

    pub(crate) fn pool(&self) -> &PgPool {
        &self.pool
    }

    pub(crate) fn options(&self) -> &PgConnectOptions {
        &self.options
    }

    pub(crate) fn scrub_patience(&self) -> Duration {
        self.scrub_patience
    }

    pub(crate) fn claims(&self) -> &Claims {
        &self.claims
    }
}

/// Refuses a database in which nobody has made a store.
async fn require_store(options: &PgConnectOptions) -> Result<()> {
    let mut conn = connection::connect_first(options).await?;
    let there: bool = sqlx::query_scalar("SELECT to_regclass('store_state') IS NOT NULL")
        .fetch_one(&mut conn)
        .await
        .map_err(store_error)?;
    conn.close().await.map_err(store_error)?;
    if there {
        Ok(())
    } else {
        Err(StoreError::Unusable(
            "there is no store in this database".to_owned(),
        ))
    }
}

/// Brings the schema up to date; sqlx holds an advisory lock meanwhile.
async fn migrate(options: &PgConnectOptions) -> Result<()> {
    let mut conn = connection::connect_first(options).await?;
    let settings = "SET client_min_messages = warning; SET statement_timeout = 0";
    conn.execute(settings).await.map_err(store_error)?;
    MIGRATIONS.run(&mut conn).await.map_err(migrate_error)?;
    conn.close().await.map_err(store_error)
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the library adds variants as it grows"
)]
fn migrate_error(error: MigrateError) -> StoreError {
    match error {
        MigrateError::VersionMissing(version) => StoreError::Unusable(format!(
            "the database has been changed by a newer server (its schema has version {version}): \
             start that one, or a newer one"
        )),
        MigrateError::Execute(error) => store_error(error),
        other => StoreError::Refused(Box::new(PostgresFailure(other.to_string()))),
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn begin(&self) -> Result<Box<dyn Transaction>> {
        // With one snapshot for all statements, changing what another transaction has changed
        // since is an error instead of a lost update.
        let begin = self
            .pool
            .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ");
        let transaction = begin.await.map_err(store_error)?;
        Ok(Box::new(PostgresTransaction(transaction)))
    }

    async fn begin_read(&self) -> Result<Box<dyn Transaction>> {
        let sql = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        let transaction = self.pool.begin_with(sql).await.map_err(store_error)?;
        Ok(Box::new(PostgresTransaction(transaction)))
    }

    async fn ping(&self) -> Result<()> {
        let query = sqlx::query("SELECT 1").execute(&self.pool).await;
        query.map_err(store_error)?;
        Ok(())
    }

    async fn counts(&self) -> Result<Counts> {
        resources::counts(&self.pool).await
    }

    async fn count_lists(&self) -> Result<()> {
        resources::lists::count(self).await
    }

    async fn awaits_scrub(&self) -> Result<AwaitsScrub> {
        scrub::awaits(self).await
    }

    async fn scrub(&self, force: bool) -> Result<Scrubbed> {
        scrub::scrub(self, force).await
    }

    async fn close(&self) {
        self.claims.close().await;
        self.pool.close().await;
    }
}
