//! Letting the rows of deleted buckets die, and removing what is dead (storage study 8.7).

use influxd_store::{Dead, Result, Version};
use sqlx::SqliteConnection;

use super::{at, next_version};
use crate::SqliteStore;
use crate::error::store_error;
use crate::writer::{Frees, Turn};

/// What is left of deleted buckets can only be dead once they are retired; then it is found by
/// the indexes over the dead.
const FORGET_RETIRED: &str = "DELETE FROM deleted_buckets AS d WHERE retired = 1
    AND NOT EXISTS (SELECT 1 FROM fresh_chunks r WHERE r.bucket_id = d.id AND r.died IS NOT NULL)
    AND NOT EXISTS (SELECT 1 FROM chunks r WHERE r.bucket_id = d.id)
    AND NOT EXISTS (SELECT 1 FROM tombstones r WHERE r.bucket_id = d.id AND r.died IS NOT NULL)
    AND NOT EXISTS (SELECT 1 FROM shard_windows r WHERE r.bucket_id = d.id AND r.died IS NOT NULL)
    AND NOT EXISTS (SELECT 1 FROM fields r WHERE r.bucket_id = d.id AND r.died IS NOT NULL)";

pub(super) async fn retire_deleted_buckets(store: &SqliteStore, limit: u32) -> Result<u64> {
    let row = sqlx::query("SELECT count(*), coalesce(sum(retired = 0), 0) FROM deleted_buckets")
        .fetch_one(store.readers())
        .await
        .map_err(store_error)?;
    let (all, unretired): (i64, i64) = (at(&row, 0)?, at(&row, 1)?);
    if all == 0 {
        return Ok(0);
    }
    let mut turn = store.writer().begin(Frees::Anything).await?;
    let conn = turn.conn();
    let mut died = 0;
    if unretired > 0 {
        let (version, _) = next_version(conn, 0).await?;
        for sql in [
            "UPDATE fresh_chunks SET died = ? WHERE id IN
               (SELECT id FROM fresh_chunks
                WHERE died IS NULL AND bucket_id NOT IN (SELECT id FROM buckets) LIMIT ?)",
            "UPDATE chunks SET died = ? WHERE id IN
               (SELECT id FROM chunks
                WHERE died IS NULL AND bucket_id NOT IN (SELECT id FROM buckets) LIMIT ?)",
        ] {
            let rest = i64::from(limit) - died as i64;
            let done = sqlx::query(sql).bind(version).bind(rest);
            let done = done.execute(&mut *conn).await.map_err(store_error)?;
            died += done.rows_affected();
        }
        for sql in [
            "UPDATE tombstones SET died = ?
             WHERE died IS NULL AND bucket_id NOT IN (SELECT id FROM buckets)",
            "UPDATE shard_windows SET died = ?
             WHERE died IS NULL AND bucket_id NOT IN (SELECT id FROM buckets)",
            "UPDATE fields SET died = ?
             WHERE died IS NULL AND bucket_id NOT IN (SELECT id FROM buckets)",
        ] {
            let done = sqlx::query(sql).bind(version).execute(&mut *conn).await;
            done.map_err(store_error)?;
        }
        if died < u64::from(limit) {
            let done = sqlx::query("UPDATE deleted_buckets SET retired = 1");
            done.execute(&mut *conn).await.map_err(store_error)?;
        }
    }
    let done = sqlx::query(FORGET_RETIRED).execute(&mut *conn).await;
    done.map_err(store_error)?;
    turn.commit().await?;
    Ok(died)
}

pub(super) async fn remove_dead(
    store: &SqliteStore,
    what: Dead,
    up_to: Version,
    limit: u32,
) -> Result<u64> {
    let frees = match what {
        Dead::Fresh | Dead::Chunks => Frees::ChunksOnly,
        Dead::Marks => Frees::Anything,
    };
    let mut turn = store.writer().begin(frees).await?;
    let mut batch = Batch {
        up_to,
        left: i64::from(limit),
        newest_death: None,
        removed: 0,
    };
    let conn = turn.conn();
    match what {
        Dead::Fresh => {
            let sql = "DELETE FROM fresh_chunks WHERE id IN
                (SELECT id FROM fresh_chunks WHERE died <= ? ORDER BY died LIMIT ?)
                RETURNING died";
            batch.run(conn, sql).await?;
        }
        Dead::Chunks => {
            // A chunk's row goes after its last piece: until then its death can be followed.
            let sql = "DELETE FROM chunk_pieces WHERE rowid IN
                (SELECT p.rowid FROM chunks c CROSS JOIN chunk_pieces p ON p.chunk_id = c.id
                 WHERE c.died <= ? LIMIT ?)
                RETURNING NULL";
            batch.run(conn, sql).await?;
            let sql = "DELETE FROM chunks WHERE id IN
                (SELECT id FROM chunks c WHERE died <= ?
                   AND NOT EXISTS (SELECT 1 FROM chunk_pieces p WHERE p.chunk_id = c.id)
                 ORDER BY died LIMIT ?)
                RETURNING died";
            batch.run(conn, sql).await?;
        }
        Dead::Marks => {
            for sql in [
                "DELETE FROM tombstones WHERE rowid IN
                   (SELECT rowid FROM tombstones WHERE died <= ? ORDER BY died LIMIT ?)
                 RETURNING died",
                "DELETE FROM shard_windows WHERE rowid IN
                   (SELECT rowid FROM shard_windows WHERE died <= ? ORDER BY died LIMIT ?)
                 RETURNING died",
                "DELETE FROM fields WHERE rowid IN
                   (SELECT rowid FROM fields WHERE died <= ? ORDER BY died LIMIT ?)
                 RETURNING died",
            ] {
                batch.run(conn, sql).await?;
            }
        }
    }
    batch.finish(store, turn).await
}

/// Deletes of one transaction, which share a limit and a horizon.
struct Batch {
    up_to: Version,
    left: i64,
    newest_death: Option<Version>,
    removed: u64,
}

impl Batch {
    async fn run(&mut self, conn: &mut SqliteConnection, sql: &'static str) -> Result<()> {
        if self.left == 0 {
            return Ok(());
        }
        let rows = sqlx::query(sql)
            .bind(self.up_to)
            .bind(self.left)
            .fetch_all(conn)
            .await
            .map_err(store_error)?;
        for row in &rows {
            self.newest_death = self.newest_death.max(at(row, 0)?);
        }
        self.left -= rows.len() as i64;
        self.removed += rows.len() as u64;
        Ok(())
    }

    async fn finish(self, store: &SqliteStore, mut turn: Turn) -> Result<u64> {
        if let Some(death) = self.newest_death {
            sqlx::query("UPDATE store_state SET horizon = max(horizon, ?)")
                .bind(death)
                .execute(turn.conn())
                .await
                .map_err(store_error)?;
        }
        turn.commit().await?;
        store.wrote(self.removed * 4096);
        Ok(self.removed)
    }
}
