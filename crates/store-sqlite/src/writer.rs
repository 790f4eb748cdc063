//! The one connection that writes, and transactions on it.
//!
//! Transactions are begun and ended by SQL of ours, not by sqlx's `Transaction`: so a commit of
//! points is one message to the connection's thread instead of four. Whoever ends without a
//! commit, by an error or because its future was dropped half-way, leaves a rollback behind that
//! runs before anybody else gets the connection.

use std::sync::Arc;
use std::time::Duration;

use influxd_store::Result;
use sqlx::{Connection, Executor, SqliteConnection};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::PAGE_SIZE;
use crate::error::{store_error, unavailable};
use crate::maintenance::Checkpoints;

/// How long one waits for those before it. Maintenance holds the connection for a second or so.
const TURN: Duration = Duration::from_secs(10);

/// What a commit puts into the log at least, roughly: some pages. Whoever writes more says so.
const SMALL: u64 = 4 * PAGE_SIZE.unsigned_abs();

/// The connection and what is known about it.
#[derive(Debug)]
pub(crate) struct WriteConnection {
    /// `None` once closed.
    conn: Option<SqliteConnection>,
    /// It may be inside a transaction whose owner is gone.
    dirty: bool,
    /// Whether freed pages are overwritten.
    scrubs: bool,
    /// Hears of every commit: the log has grown.
    checkpoints: Arc<Checkpoints>,
}

impl WriteConnection {
    /// Ends what a transaction's owner has left behind.
    async fn roll_back(&mut self) -> Result<()> {
        if let Some(conn) = &mut self.conn {
            // An error rolled back already, or the commit went through after its owner had left:
            // then there is no transaction to roll back, and that is all this error can mean.
            if let Err(error) = conn.execute("ROLLBACK").await {
                if !matches!(&error, sqlx::Error::Database(_)) {
                    return Err(store_error(error));
                }
            }
        }
        self.dirty = false;
        Ok(())
    }
}

/// What a transaction may free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Frees {
    /// Anything: freed pages are overwritten, for they may have held secrets.
    Anything,
    /// Chunks only: overwriting would write every byte of them once more.
    ChunksOnly,
}

/// Takes turns on the one connection that writes.
#[derive(Debug, Clone)]
pub(crate) struct Writer(Arc<Mutex<WriteConnection>>);

impl Writer {
    pub(crate) fn new(conn: SqliteConnection, checkpoints: Arc<Checkpoints>) -> Self {
        Self(Arc::new(Mutex::new(WriteConnection {
            conn: Some(conn),
            dirty: false,
            scrubs: true,
            checkpoints,
        })))
    }

    /// The connection, outside any transaction, when it is free.
    pub(crate) async fn turn(&self, frees: Frees) -> Result<Turn> {
        let lock = Arc::clone(&self.0).lock_owned();
        let guard = tokio::time::timeout(TURN, lock)
            .await
            .map_err(|_| unavailable("too many wait to write"))?;
        if guard.conn.is_none() {
            return Err(unavailable("the store is closed"));
        }
        let mut turn = Turn { guard: Some(guard) };
        if turn.state().dirty {
            turn.state().roll_back().await?;
        }
        let scrubs = frees == Frees::Anything;
        if turn.state().scrubs != scrubs {
            let pragma = if scrubs {
                "PRAGMA secure_delete = ON"
            } else {
                "PRAGMA secure_delete = OFF"
            };
            // Whatever becomes of the statement, nothing is taken for scrubbed that is not.
            turn.state().scrubs = false;
            turn.conn().execute(pragma).await.map_err(store_error)?;
            turn.state().scrubs = scrubs;
        }
        Ok(turn)
    }

    /// The connection inside a transaction that may write.
    pub(crate) async fn begin(&self, frees: Frees) -> Result<Turn> {
        let mut turn = self.turn(frees).await?;
        let conn = turn.in_transaction();
        let begin = sqlx::query("BEGIN IMMEDIATE").execute(conn).await;
        begin.map_err(store_error)?;
        Ok(turn)
    }

    /// Closes the connection after what runs on it.
    pub(crate) async fn close(&self) {
        let conn = self.0.lock().await.conn.take();
        if let Some(conn) = conn {
            if let Err(error) = conn.close().await {
                tracing::warn!(%error, "closing the database failed");
            }
        }
    }
}

/// The writing connection, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Turn {
    /// Taken by `drop` alone.
    guard: Option<OwnedMutexGuard<WriteConnection>>,
}

impl Turn {
    fn state(&mut self) -> &mut WriteConnection {
        self.guard.as_mut().expect("only drop takes the guard")
    }

    /// The connection.
    pub(crate) fn conn(&mut self) -> &mut SqliteConnection {
        let conn = self.state().conn.as_mut();
        conn.expect("a turn begins with an open connection, and closing waits for its end")
    }

    /// The connection, about to run SQL that begins a transaction.
    pub(crate) fn in_transaction(&mut self) -> &mut SqliteConnection {
        self.state().dirty = true;
        self.conn()
    }

    /// Says that the SQL just run ended the transaction by a commit.
    pub(crate) fn committed(&mut self) {
        let state = self.state();
        state.dirty = false;
        state.checkpoints.wrote(SMALL);
    }

    /// Commits.
    pub(crate) async fn commit(mut self) -> Result<()> {
        let commit = sqlx::query("COMMIT").execute(self.conn()).await;
        commit.map_err(store_error)?;
        self.committed();
        Ok(())
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let Some(guard) = self.guard.take() else {
            return;
        };
        if !guard.dirty {
            return;
        }
        // Without a runtime the next turn rolls back. The task owns the guard, not a turn: when
        // the runtime drops it unrun, this must not begin again.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let mut guard = guard;
                // If it fails, the next turn tries again.
                let _ = guard.roll_back().await;
            });
        }
    }
}
