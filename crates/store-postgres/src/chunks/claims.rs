//! Claims: advisory locks, all held by one connection of the process that does nothing else.
//!
//! Losing that connection loses all of them at once, noticed or not; what is done under a claim
//! checks in its own transaction that it is still right.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use influxd_store::{Claim, Result};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection, Row};

use crate::connection::connect;
use crate::error::{store_error, unavailable};

/// What is claimed, and by which connection.
#[derive(Clone)]
pub(crate) struct Claims(Arc<Shared>);

struct Shared {
    options: PgConnectOptions,
    conn: tokio::sync::Mutex<ClaimConnection>,
    /// Held claims, with the number of the connection that holds them. A session can take a lock
    /// that it has already: this is what keeps tasks of one process apart.
    held: Mutex<HashMap<i64, u64>>,
}

struct ClaimConnection {
    conn: Option<PgConnection>,
    /// Counts connections.
    number: u64,
    closed: bool,
}

impl Claims {
    pub(crate) fn new(options: PgConnectOptions) -> Self {
        Self(Arc::new(Shared {
            options,
            conn: tokio::sync::Mutex::new(ClaimConnection {
                conn: None,
                number: 0,
                closed: false,
            }),
            held: Mutex::default(),
        }))
    }

    /// Claims `key`, unless somebody has it.
    pub(super) async fn claim(&self, key: i64) -> Result<Option<Box<dyn Claim>>> {
        let mut state = self.0.conn.lock().await;
        if state.closed {
            return Err(unavailable("the store is closed"));
        }
        if state.conn.is_none() {
            // The connection that held them is gone, and the locks with it.
            state.number += 1;
            self.held().clear();
        }
        if self.held().contains_key(&key) {
            return Ok(None);
        }
        // Taken out, and put back when it has answered: a dropped future loses the connection
        // rather than leave a lock behind that nobody knows of.
        let mut conn = match state.conn.take() {
            Some(conn) => conn,
            None => connect(&self.0.options).await?,
        };
        let row = sqlx::query("SELECT pg_try_advisory_lock($1)")
            .bind(key)
            .fetch_one(&mut conn)
            .await
            .map_err(store_error)?;
        let taken: bool = row.try_get(0).map_err(store_error)?;
        state.conn = Some(conn);
        if !taken {
            return Ok(None);
        }
        self.held().insert(key, state.number);
        Ok(Some(Box::new(Claimed {
            claims: self.clone(),
            key,
            number: state.number,
        })))
    }

    /// Gives a lock back, if the connection that took it is still there.
    async fn release(&self, key: i64, number: u64) {
        let mut state = self.0.conn.lock().await;
        if state.number != number {
            return;
        }
        if let Some(mut conn) = state.conn.take() {
            let unlock = sqlx::query("SELECT pg_advisory_unlock($1)").bind(key);
            // Else the connection goes, and the lock with it.
            if unlock.execute(&mut conn).await.is_ok() {
                state.conn = Some(conn);
            }
        }
    }

    /// Gives everything back.
    pub(crate) async fn close(&self) {
        let mut state = self.0.conn.lock().await;
        state.closed = true;
        if let Some(conn) = state.conn.take() {
            if let Err(error) = conn.close().await {
                tracing::debug!(%error, "closing the connection of claims failed");
            }
        }
    }

    fn held(&self) -> std::sync::MutexGuard<'_, HashMap<i64, u64>> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Claimed {
    claims: Claims,
    key: i64,
    number: u64,
}

impl Claim for Claimed {}

impl Drop for Claimed {
    fn drop(&mut self) {
        let (claims, key, number) = (self.claims.clone(), self.key, self.number);
        {
            let mut held = claims.held();
            if held.get(&key) != Some(&number) {
                return; // lost before, and maybe somebody else's now
            }
            held.remove(&key);
        }
        // Without a runtime the process is about to end, which gives everything back. Until the
        // lock is back this process may take it again: taken twice, it is given back twice.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { claims.release(key, number).await });
        }
    }
}
