//! The store on an embedded SQLite file: what is used when nobody configured a database.
//!
//! One connection writes, a few read, one follows per follower, and one copies the log into the
//! file. The file, its log, its index and its lock can be read by their owner alone.

mod chunks;
mod connection;
mod error;
mod maintenance;
mod resources;
mod scrub;
mod writer;

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use influxd_store::{AwaitsScrub, Counts, Result, Scrubbed, Store, StoreError, Transaction};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{ConnectOptions, Connection, Executor, Row as _, SqliteConnection, SqlitePool};

use crate::chunks::Claims;
use crate::connection::{connect_options, lock_for_serving, prepare_file, server_of};
use crate::error::{SqliteFailure, store_error};
use crate::maintenance::Checkpoints;
use crate::resources::SqliteTransaction;
use crate::writer::{Frees, Writer};

/// Bytes of a database page.
pub(crate) const PAGE_SIZE: i64 = 4096;

/// How long a read waits for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long closing waits for readers in other processes.
const LAST_READERS: Duration = Duration::from_millis(200);

static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/sqlite");

/// Where the file is, and how much may go on at once.
#[derive(Debug, Clone)]
pub struct SqliteOptions {
    /// The file; it and its folder are made if they are missing.
    pub path: PathBuf,
    /// Refuse a file without a store in it, where otherwise one would be made.
    pub must_exist: bool,
    /// How many statements may read at once.
    pub readers: u32,
    /// How long a scrub waits, all in all, for those who read.
    pub scrub_patience: Duration,
}

impl SqliteOptions {
    /// The usual options for a file.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            must_exist: false,
            readers: 4,
            scrub_patience: Duration::from_secs(30),
        }
    }
}

/// The store on an SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    scrub_patience: Duration,
    writer: Writer,
    readers: SqlitePool,
    checkpoints: Arc<Checkpoints>,
    /// Aborted when the store goes.
    copying: tokio::task::AbortHandle,
    claims: Claims,
    /// Held by who counts lists.
    counting: tokio::sync::Mutex<()>,
    /// Held from [`Self::lock_for_serving`] on.
    serving: Mutex<Option<File>>,
}

impl SqliteStore {
    /// Opens the file, which is made if it is missing, and brings its schema up to date.
    ///
    /// Any number of processes may have it open; only one may [serve](Self::lock_for_serving) it.
    /// [`StoreError::Unusable`] if a newer server has changed its schema, or the file is another
    /// program's database.
    pub async fn open(options: SqliteOptions) -> Result<Arc<Self>> {
        look_inside(&options).await?;
        let path = prepare_file(&options.path)?;
        let connect = connect_options(&path);
        let mut writer = connect.connect().await.map_err(store_error)?;
        migrate(&mut writer).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(options.readers.max(1))
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None)
            .after_connect(|conn, _| Box::pin(async move { only_read(conn).await }))
            .connect_with(connect.clone())
            .await
            .map_err(store_error)?;
        let checkpoints = Checkpoints::new(connect.connect().await.map_err(store_error)?);
        let writer = Writer::new(writer, Arc::clone(&checkpoints));
        let copying = tokio::spawn(Arc::clone(&checkpoints).run(writer.clone()));
        // What an earlier process left in the log.
        checkpoints.wrote(1);
        Ok(Arc::new(Self {
            path,
            scrub_patience: options.scrub_patience,
            writer,
            readers,
            checkpoints,
            copying: copying.abort_handle(),
            claims: Claims::default(),
            counting: tokio::sync::Mutex::default(),
            serving: Mutex::new(None),
        }))
    }

    /// Makes this process the one server of the file, until the store is closed or the process
    /// ends. [`StoreError::Unusable`] if another process is.
    pub fn lock_for_serving(&self) -> Result<()> {
        let mut serving = self.serving.lock().unwrap_or_else(PoisonError::into_inner);
        if serving.is_none() {
            *serving = Some(lock_for_serving(&self.path)?);
        }
        Ok(())
    }

    /// Lets others read in the lock file who serves the file: this process, which has
    /// [locked](Self::lock_for_serving) it.
    pub fn announce(&self, who: &str) -> Result<()> {
        let serving = self.serving.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(lock) = serving.as_ref() else {
            return Ok(());
        };
        let text = format!("{who}\n");
        let written = lock
            .set_len(0)
            .and_then(|()| lock.write_all_at(text.as_bytes(), 0));
        written.map_err(|error| self.lock_error("write", &error))
    }

    /// What the process that serves the file, if another one does, has [announced](Self::announce):
    /// empty if it has not yet.
    pub fn server(&self) -> Result<Option<String>> {
        server_of(&self.path).map_err(|error| self.lock_error("read", &error))
    }

    fn lock_error(&self, what: &str, error: &std::io::Error) -> StoreError {
        let path = self.path.display();
        let text = format!("cannot {what} the lock file of {path}: {error}");
        StoreError::Unavailable(Box::new(SqliteFailure(text)))
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn writer(&self) -> &Writer {
        &self.writer
    }

    pub(crate) fn readers(&self) -> &SqlitePool {
        &self.readers
    }

    pub(crate) fn checkpoints(&self) -> &Checkpoints {
        &self.checkpoints
    }

    pub(crate) fn scrub_patience(&self) -> Duration {
        self.scrub_patience
    }

    pub(crate) fn counting(&self) -> &tokio::sync::Mutex<()> {
        &self.counting
    }

    pub(crate) fn claims(&self) -> &Claims {
        &self.claims
    }

    /// Notes that so many bytes, roughly, were written.
    pub(crate) fn wrote(&self, bytes: u64) {
        self.checkpoints.wrote(bytes);
    }

    /// A connection outside the pool that only reads.
    pub(crate) async fn connect_reader(&self) -> Result<SqliteConnection> {
        let conn = connect_options(&self.path).connect().await;
        let mut conn = conn.map_err(store_error)?;
        only_read(&mut conn).await.map_err(store_error)?;
        Ok(conn)
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.copying.abort();
    }
}

async fn only_read(conn: &mut SqliteConnection) -> sqlx::Result<()> {
    conn.execute("PRAGMA query_only = ON").await?;
    Ok(())
}

/// Brings the schema up to date, while nobody else does.
async fn migrate(conn: &mut SqliteConnection) -> Result<()> {
    let begin = conn.begin_with("BEGIN IMMEDIATE").await;
    let mut transaction = begin.map_err(store_error)?;
    MIGRATIONS
        .run(&mut *transaction)
        .await
        .map_err(migrate_error)?;
    transaction.commit().await.map_err(store_error)
}

/// Refuses a database that is not a store, before anything in it is changed: InfluxDB's own file
/// has the same name. An empty one is as good as none.
async fn look_inside(options: &SqliteOptions) -> Result<()> {
    let path = &options.path;
    let unusable = |why: &str| StoreError::Unusable(format!("{}: {why}", path.display()));
    let is_empty = std::fs::metadata(path).map_or(true, |file| file.len() == 0);
    let (mut tables, mut ours) = (0_i64, false);
    if !is_empty {
        // The last to close a file that was open for writing copies the log, however long it is.
        // But what a process left that was killed as it made the file has to be rolled back.
        let is_half_made = connection::beside(path, "-journal").exists();
        let connect = SqliteConnectOptions::new()
            .filename(path)
            .read_only(!is_half_made)
            .busy_timeout(connection::BUSY_TIMEOUT)
            .disable_statement_logging();
        let mut conn = connect.connect().await.map_err(store_error)?;
        let row = sqlx::query(
            "SELECT count(*), coalesce(max(name = '_sqlx_migrations'), 0)
             FROM sqlite_schema WHERE type = 'table'",
        );
        let row = row.fetch_one(&mut conn).await.map_err(store_error)?;
        tables = row.try_get(0).map_err(store_error)?;
        ours = row.try_get(1).map_err(store_error)?;
        conn.close().await.map_err(store_error)?;
    }
    if tables > 0 && !ours {
        return Err(unusable(
            "this is the database of another program (those of InfluxDB are not read): name \
             another file with --sqlite-path",
        ));
    }
    if options.must_exist && !ours {
        return Err(unusable("there is no store in this file"));
    }
    Ok(())
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
        other => StoreError::Refused(Box::new(SqliteFailure(other.to_string()))),
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn begin(&self) -> Result<Box<dyn Transaction>> {
        let turn = self.writer.begin(Frees::Anything).await?;
        Ok(Box::new(SqliteTransaction::Write(turn)))
    }

    async fn begin_read(&self) -> Result<Box<dyn Transaction>> {
        let transaction = self.readers.begin().await.map_err(store_error)?;
        Ok(Box::new(SqliteTransaction::Read(transaction)))
    }

    async fn ping(&self) -> Result<()> {
        let row = sqlx::query("SELECT version FROM store_state");
        row.fetch_one(&self.readers).await.map_err(store_error)?;
        Ok(())
    }

    async fn counts(&self) -> Result<Counts> {
        resources::counts(&self.readers).await
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
        self.copying.abort();
        self.writer.close().await;
        self.readers.close().await;
        // The last connection to close does it, too, on a thread that nobody waits for.
        if let Err(error) = self.checkpoints.empty_log(LAST_READERS).await {
            tracing::warn!(%error, "emptying the database's log failed");
        }
        self.checkpoints.close().await;
        *self.serving.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
