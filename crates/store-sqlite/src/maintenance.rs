//! Checkpoints, giving space back, and gauges (storage study 10.3).
//!
//! Copying the log into the file is not left to the writer's commits. A task of its own does it
//! beside them; only when the log has grown long under load that never pauses, the writer stops
//! for it once, because a log can only start over when all of it is copied.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use influxd_store::Result;
use sqlx::{Connection, Row, SqliteConnection};
use tokio::sync::{Mutex, Notify};

use crate::connection::{BUSY_TIMEOUT, beside};
use crate::error::{store_error, unavailable};
use crate::writer::{Frees, Writer};
use crate::{PAGE_SIZE, SqliteStore};

/// The log is copied after so many bytes, or after [`LINGER`].
const ENOUGH: u64 = 1 << 20;
/// How long a small tail of the log may wait to be copied.
const LINGER: Duration = Duration::from_secs(1);
/// The shortest pause between two copies.
const PAUSE: Duration = Duration::from_millis(20);
/// Above this the writer stops until the log can start over, in pages.
const LONG: i64 = (256 << 20) / PAGE_SIZE;
/// Free pages up to this number are kept for what comes next.
const SPARE: i64 = 1024;
/// Pages given back in one transaction.
const STEP: i64 = 4096;

/// Copies the log into the file.
#[derive(Debug)]
pub(crate) struct Checkpoints {
    /// A connection of its own; `None` once closed.
    conn: Mutex<Option<SqliteConnection>>,
    /// Bytes written since the last copy, roughly.
    written: AtomicU64,
    wake: Notify,
}

impl Checkpoints {
    pub(crate) fn new(conn: SqliteConnection) -> Arc<Self> {
        Arc::new(Self {
            conn: Mutex::new(Some(conn)),
            written: AtomicU64::new(0),
            wake: Notify::new(),
        })
    }

    /// Notes that so many bytes, roughly, went into the log.
    pub(crate) fn wrote(&self, bytes: u64) {
        self.written.fetch_add(bytes.max(1), Ordering::Relaxed);
        self.wake.notify_one();
    }

    /// Copies until the task is aborted.
    pub(crate) async fn run(self: Arc<Self>, writer: Writer) {
        loop {
            self.wake.notified().await;
            tokio::time::sleep(PAUSE).await;
            let deadline = tokio::time::Instant::now() + LINGER;
            while self.written.load(Ordering::Relaxed) < ENOUGH {
                if tokio::time::timeout_at(deadline, self.wake.notified())
                    .await
                    .is_err()
                {
                    break;
                }
            }
            if self.written.swap(0, Ordering::Relaxed) == 0 {
                continue;
            }
            match self.copy(&writer).await {
                Ok(()) => {}
                Err(error) => {
                    let cause = std::error::Error::source(&error).map(ToString::to_string);
                    tracing::warn!(%error, cause, "copying the database's log failed");
                }
            }
        }
    }

    async fn copy(&self, writer: &Writer) -> Result<()> {
        if self.checkpoint("PRAGMA wal_checkpoint(PASSIVE)").await? < LONG {
            return Ok(());
        }
        let mut turn = writer.turn(Frees::Anything).await?;
        let restart = sqlx::query("PRAGMA wal_checkpoint(RESTART)");
        restart.fetch_all(turn.conn()).await.map_err(store_error)?;
        Ok(())
    }

    /// Runs a checkpoint; returns the length of the log in pages.
    async fn checkpoint(&self, sql: &'static str) -> Result<i64> {
        let mut conn = self.conn.lock().await;
        let Some(conn) = conn.as_mut() else {
            return Err(unavailable("the store is closed"));
        };
        let row = sqlx::query(sql)
            .fetch_one(conn)
            .await
            .map_err(store_error)?;
        row.try_get(1).map_err(store_error)
    }

    /// Copies all of the log into the file and empties it, unless somebody reads from it for longer
    /// than `wait`. Whoever calls has to keep writers out; says whether it came to that.
    pub(crate) async fn empty_log(&self, wait: Duration) -> Result<bool> {
        let mut conn = self.conn.lock().await;
        let Some(conn) = conn.as_mut() else {
            return Err(unavailable("the store is closed"));
        };
        let wait = wait.as_millis();
        // No bind parameters in a pragma; this is a number of ours.
        let sql = format!(
            "PRAGMA busy_timeout = {wait}; PRAGMA wal_checkpoint(TRUNCATE);
             PRAGMA busy_timeout = {}",
            BUSY_TIMEOUT.as_millis()
        );
        let rows = sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
            .fetch_all(conn)
            .await;
        // The answer of the checkpoint is the only one with three columns: whether it was blocked,
        // and the lengths of the log and of what was copied.
        let rows = rows.map_err(store_error)?;
        let answer = rows.iter().find(|row| row.len() == 3);
        let answer = answer.ok_or_else(|| unavailable("a checkpoint did not answer"))?;
        Ok(answer.try_get::<i64, _>(0).map_err(store_error)? == 0)
    }

    pub(crate) async fn close(&self) {
        let conn = self.conn.lock().await.take();
        if let Some(conn) = conn {
            if let Err(error) = conn.close().await {
                tracing::warn!(%error, "closing the database failed");
            }
        }
    }
}

impl SqliteStore {
    /// Gives pages back that nothing uses, but for a reserve, and empties the log.
    pub(crate) async fn give_space_back(&self) -> Result<()> {
        loop {
            let free = self.pragma("PRAGMA freelist_count").await?;
            let all = self.pragma("PRAGMA page_count").await?;
            let spare = SPARE.max((all - free) / 8);
            if free <= spare {
                break;
            }
            let mut turn = self.writer().turn(Frees::Anything).await?;
            let pages = STEP.min(free - spare);
            // No bind parameters in a pragma; this is a number of ours.
            let sql = sqlx::AssertSqlSafe(format!("PRAGMA incremental_vacuum({pages})"));
            let vacuum = sqlx::raw_sql(sql).execute(turn.conn()).await;
            vacuum.map_err(store_error)?;
            drop(turn);
            if self.pragma("PRAGMA freelist_count").await? >= free {
                break;
            }
        }
        // While nobody writes. A reader only makes it come to less than all.
        let _turn = self.writer().turn(Frees::Anything).await?;
        let checkpoint = self
            .checkpoints()
            .checkpoint("PRAGMA wal_checkpoint(TRUNCATE)");
        checkpoint.await?;
        Ok(())
    }

    async fn pragma(&self, sql: &'static str) -> Result<i64> {
        let row = sqlx::query(sql).fetch_one(self.readers()).await;
        row.map_err(store_error)?.try_get(0).map_err(store_error)
    }

    /// Sizes, for `/metrics`.
    pub(crate) async fn measure(&self) -> Result<Vec<(&'static str, &'static str, f64)>> {
        let pages = self.pragma("PRAGMA page_count").await?;
        let free = self.pragma("PRAGMA freelist_count").await?;
        let dead = self
            .pragma(
                "SELECT (SELECT count(*) FROM fresh_chunks WHERE died IS NOT NULL)
                      + (SELECT count(*) FROM chunks WHERE died IS NOT NULL)",
            )
            .await?;
        Ok(vec![
            (
                "store_database_bytes",
                "Size of the database, without its write-ahead log.",
                (pages * PAGE_SIZE) as f64,
            ),
            (
                "store_free_bytes",
                "Bytes of the database that nothing uses at present.",
                (free * PAGE_SIZE) as f64,
            ),
            (
                "store_wal_bytes",
                "Size of the database's write-ahead log.",
                file_size(&beside(self.path(), "-wal")) as f64,
            ),
            (
                "store_dead_chunks",
                "Chunks that were replaced or deleted, and wait to be removed.",
                dead as f64,
            ),
        ])
    }
}

fn file_size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |m| m.len())
}
