//! Letting the rows of deleted buckets die, and removing what is dead (storage study 8.7).

use influxd_store::{Dead, Result, Version};

use super::{at, version};
use crate::PostgresStore;
use crate::error::store_error;

/// What lives of buckets that are gone, for at most so many rows.
const KILL_CHUNKS: [&str; 2] = [
    "UPDATE fresh_chunks SET died = $1 WHERE id = ANY (ARRAY(
       SELECT c.id FROM fresh_chunks c WHERE c.died IS NULL
         AND NOT EXISTS (SELECT 1 FROM buckets b WHERE b.id = c.bucket_id)
       ORDER BY c.id LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED))",
    "UPDATE chunks SET died = $1 WHERE id = ANY (ARRAY(
       SELECT c.id FROM chunks c WHERE c.died IS NULL
         AND NOT EXISTS (SELECT 1 FROM buckets b WHERE b.id = c.bucket_id)
       ORDER BY c.id LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED))",
];
const KILL_MARKS: [&str; 3] = [
    "UPDATE tombstones c SET died = $1 WHERE c.died IS NULL
       AND NOT EXISTS (SELECT 1 FROM buckets b WHERE b.id = c.bucket_id)",
    "UPDATE shard_windows c SET died = $1 WHERE c.died IS NULL
       AND NOT EXISTS (SELECT 1 FROM buckets b WHERE b.id = c.bucket_id)",
    "UPDATE fields c SET died = $1 WHERE c.died IS NULL
       AND NOT EXISTS (SELECT 1 FROM buckets b WHERE b.id = c.bucket_id)",
];

/// A bucket is retired when nothing of it lives, and nobody can still be writing to it who had
/// seen it: all transactions that began before its deletion have ended.
const RETIRE: &str = "
    UPDATE deleted_buckets d SET retired = true FROM store_state s
    WHERE NOT d.retired
      AND d.version < pg_snapshot_xmin(pg_current_snapshot())::text::bigint + s.version_offset
      AND d.id = ANY($1)
      AND NOT EXISTS (SELECT 1 FROM chunks c WHERE c.bucket_id = d.id AND c.died IS NULL)
      AND NOT EXISTS (SELECT 1 FROM fresh_chunks c WHERE c.bucket_id = d.id AND c.died IS NULL)";

/// What is left of a retired bucket is dead, and found by the indexes over the dead.
const FORGET_RETIRED: &str = "
    DELETE FROM deleted_buckets d WHERE d.retired
    AND NOT EXISTS (SELECT 1 FROM fresh_chunks r WHERE r.bucket_id = d.id AND r.died IS NOT NULL)
    AND NOT EXISTS (SELECT 1 FROM chunks r WHERE r.bucket_id = d.id)
    AND NOT EXISTS (SELECT 1 FROM tombstones r WHERE r.bucket_id = d.id AND r.died IS NOT NULL)
    AND NOT EXISTS (SELECT 1 FROM shard_windows r WHERE r.bucket_id = d.id AND r.died IS NOT NULL)
    AND NOT EXISTS (SELECT 1 FROM fields r WHERE r.bucket_id = d.id AND r.died IS NOT NULL)";

pub(super) async fn retire_deleted_buckets(store: &PostgresStore, limit: u32) -> Result<u64> {
    // Buckets that may still have living rows: those seen now are gone for every later snapshot.
    let rows = sqlx::query(
        "SELECT d.id, d.retired, d.version < s.low FROM deleted_buckets d,
           (SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint + version_offset AS low
            FROM store_state) s",
    )
    .fetch_all(store.pool())
    .await
    .map_err(store_error)?;
    if rows.is_empty() {
        return Ok(0);
    }
    let (mut unretired, mut settled) = (false, Vec::new());
    for row in &rows {
        if !at::<bool>(row, 1)? {
            unretired = true;
            if at(row, 2)? {
                settled.push(at::<i64>(row, 0)?);
            }
        }
    }
    let mut transaction = store.pool().begin().await.map_err(store_error)?;
    let conn = &mut *transaction;
    let mut died = 0;
    if unretired {
        let version = version(conn).await?;
        for sql in KILL_CHUNKS {
            let rest = i64::from(limit) - died as i64;
            let done = sqlx::query(sql).bind(version).bind(rest);
            let done = done.execute(&mut *conn).await.map_err(store_error)?;
            died += done.rows_affected();
        }
        for sql in KILL_MARKS {
            let done = sqlx::query(sql).bind(version).execute(&mut *conn).await;
            done.map_err(store_error)?;
        }
        // In a later round than the one that killed; rows that a merge had locked, or put in
        // their place, are looked at once more.
        if died == 0 {
            let done = sqlx::query(RETIRE).bind(settled).execute(&mut *conn).await;
            done.map_err(store_error)?;
        }
    }
    let done = sqlx::query(FORGET_RETIRED).execute(&mut *conn).await;
    done.map_err(store_error)?;
    transaction.commit().await.map_err(store_error)?;
    Ok(died)
}

/// Removes a batch, raises the horizon to the newest death in it, and counts.
macro_rules! remove {
    ($delete:literal) => {
        concat!(
            "WITH gone AS (",
            $delete,
            " RETURNING died), raised AS (
                UPDATE store_state SET horizon = greatest(horizon, (SELECT max(died) FROM gone))
                WHERE EXISTS (SELECT 1 FROM gone))
              SELECT count(*) FROM gone"
        )
    };
}

const REMOVE_FRESH: &[&str] = &[remove!(
    "DELETE FROM fresh_chunks WHERE id = ANY (ARRAY(
       SELECT id FROM fresh_chunks WHERE died <= $1 ORDER BY died LIMIT $2
       FOR UPDATE SKIP LOCKED))"
)];
/// A chunk's row goes after its last piece: until then its death can be followed.
const REMOVE_CHUNKS: &[&str] = &[
    "WITH gone AS (DELETE FROM chunk_pieces WHERE ctid = ANY (ARRAY(
       SELECT p.ctid
       FROM (SELECT id FROM chunks WHERE died <= $1 ORDER BY died LIMIT 1000) c
       CROSS JOIN LATERAL (SELECT ctid FROM chunk_pieces WHERE chunk_id = c.id OFFSET 0) p
       LIMIT $2)) RETURNING 1)
     SELECT count(*) FROM gone",
    remove!(
        "DELETE FROM chunks WHERE id = ANY (ARRAY(
           SELECT c.id FROM chunks c WHERE c.died <= $1
             AND NOT EXISTS (SELECT 1 FROM chunk_pieces p WHERE p.chunk_id = c.id)
           ORDER BY c.died LIMIT $2 FOR UPDATE SKIP LOCKED))"
    ),
];
const REMOVE_MARKS: &[&str] = &[
    remove!(
        "DELETE FROM tombstones WHERE ctid = ANY (ARRAY(
           SELECT ctid FROM tombstones WHERE died <= $1 ORDER BY died LIMIT $2
           FOR UPDATE SKIP LOCKED))"
    ),
    remove!(
        "DELETE FROM shard_windows WHERE ctid = ANY (ARRAY(
           SELECT ctid FROM shard_windows WHERE died <= $1 ORDER BY died LIMIT $2
           FOR UPDATE SKIP LOCKED))"
    ),
    remove!(
        "DELETE FROM fields WHERE ctid = ANY (ARRAY(
           SELECT ctid FROM fields WHERE died <= $1 ORDER BY died LIMIT $2
           FOR UPDATE SKIP LOCKED))"
    ),
];

pub(super) async fn remove_dead(
    store: &PostgresStore,
    what: Dead,
    up_to: Version,
    limit: u32,
) -> Result<u64> {
    let statements = match what {
        Dead::Fresh => REMOVE_FRESH,
        Dead::Chunks => REMOVE_CHUNKS,
        Dead::Marks => REMOVE_MARKS,
    };
    let mut removed = 0;
    let mut transaction = store.pool().begin().await.map_err(store_error)?;
    for sql in statements {
        let rest = i64::from(limit) - removed;
        if rest <= 0 {
            break;
        }
        let row = sqlx::query(*sql).bind(up_to).bind(rest);
        let row = row
            .fetch_one(&mut *transaction)
            .await
            .map_err(store_error)?;
        removed += at::<i64>(&row, 0)?;
    }
    transaction.commit().await.map_err(store_error)?;
    Ok(removed as u64)
}
