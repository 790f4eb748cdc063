//! Giving space back that automatic vacuum keeps.
//!
//! It never truncates the table of level 0 chunks: under load that would take a lock again and
//! again for pages that the next commit needs. After a big ingest the pages are still there, so
//! they are given back when nobody is busy.

use influxd_store::Result;
use sqlx::{Connection, Executor};

use super::at;
use crate::PostgresStore;
use crate::connection::connect;
use crate::error::store_error;

/// Less than this is kept for the next ingest, in bytes.
const SPARE: i64 = 4 << 20;

/// The table with what it has out of line, and what of it is in use: bodies are not read for that.
const SIZES: &str = "
    SELECT pg_table_size('fresh_chunks'),
           (SELECT coalesce(sum(octet_length(body) + octet_length(measurement) + 100), 0)
            FROM fresh_chunks)::bigint";

pub(super) async fn tidy(store: &PostgresStore) -> Result<()> {
    let row = sqlx::query(SIZES).fetch_one(store.pool()).await;
    let row = row.map_err(store_error)?;
    let (all, used): (i64, i64) = (at(&row, 0)?, at(&row, 1)?);
    if all <= SPARE.max(used.saturating_mul(4)) {
        return Ok(());
    }
    let mut conn = connect(store.options()).await?;
    conn.execute("SET statement_timeout = '10min'; SET client_min_messages = error")
        .await
        .map_err(store_error)?;
    // It waits for nobody: where somebody else vacuums already it does nothing, and it gives up
    // truncating as soon as a writer wants the table. Without cleaning indexes, which it leaves
    // out for a few rows, the pages of those rows would count as used.
    conn.execute("VACUUM (TRUNCATE, INDEX_CLEANUP ON, SKIP_LOCKED) fresh_chunks")
        .await
        .map_err(store_error)?;
    conn.close().await.map_err(store_error)
}
