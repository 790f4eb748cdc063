//! Deletes (storage study 8.7).

use influxd_model::{MAX_TIME, MIN_TIME};
use influxd_store::{Forget, NewTombstone, Result, StoreError, Version};
use sqlx::SqliteConnection;

use super::{at, next_version};
use crate::SqliteStore;
use crate::error::store_error;
use crate::writer::Frees;

/// The windows of a bucket that a delete covers whole; their ends of time count as points have them.
const COVERED: &str = "SELECT window_start FROM shard_windows
     WHERE bucket_id = ?1 AND died IS NULL
       AND max(window_start, ?4) >= ?2 AND min(window_end - 1, ?5) <= ?3";

pub(super) async fn bury(store: &SqliteStore, tombstone: NewTombstone) -> Result<Version> {
    let mut turn = store.writer().begin(Frees::Anything).await?;
    let conn = turn.conn();
    let bucket = tombstone.bucket.to_column();
    sqlx::query("SELECT 1 FROM buckets WHERE id = ?")
        .bind(bucket)
        .fetch_optional(&mut *conn)
        .await
        .map_err(store_error)?
        .ok_or(StoreError::NotFound("bucket"))?;
    let (version, id) = next_version(conn, 1).await?;
    if forget(conn, &tombstone, version).await? > 0 {
        sqlx::query("UPDATE buckets SET epoch = ? WHERE id = ?")
            .bind(version)
            .bind(bucket)
            .execute(&mut *conn)
            .await
            .map_err(store_error)?;
    }
    sqlx::query(
        "INSERT INTO tombstones (id, version, bucket_id, min_time, max_time, measurement,
                                 predicate)
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(id)
    .bind(version)
    .bind(bucket)
    .bind(tombstone.min_time)
    .bind(tombstone.max_time)
    .bind(tombstone.measurement)
    .bind(tombstone.predicate)
    .execute(&mut *conn)
    .await
    .map_err(store_error)?;
    turn.commit().await?;
    Ok(version)
}

/// Ends what a delete ends besides points. Returns how many rows died.
async fn forget(
    conn: &mut SqliteConnection,
    tombstone: &NewTombstone,
    version: Version,
) -> Result<u64> {
    if tombstone.forget == Forget::Nothing {
        return Ok(0);
    }
    let covered = sqlx::query(COVERED)
        .bind(tombstone.bucket.to_column())
        .bind(tombstone.min_time)
        .bind(tombstone.max_time)
        .bind(MIN_TIME)
        .bind(MAX_TIME)
        .fetch_all(&mut *conn)
        .await
        .map_err(store_error)?;
    let mut died = 0;
    for row in &covered {
        let window: i64 = at(row, 0)?;
        let done = match &tombstone.forget {
            Forget::Nothing => 0,
            Forget::Measurements(measurements) => {
                let mut done = 0;
                for measurement in measurements {
                    let fields = sqlx::query(
                        "UPDATE fields SET died = ?
                         WHERE bucket_id = ? AND window_start = ? AND died IS NULL
                           AND measurement = ?",
                    )
                    .bind(version)
                    .bind(tombstone.bucket.to_column())
                    .bind(window)
                    .bind(measurement)
                    .execute(&mut *conn)
                    .await
                    .map_err(store_error)?;
                    done += fields.rows_affected();
                }
                done
            }
            Forget::Everything => {
                let mut done = 0;
                for sql in [
                    "UPDATE fields SET died = ?
                     WHERE bucket_id = ? AND window_start = ? AND died IS NULL",
                    "UPDATE shard_windows SET died = ?
                     WHERE bucket_id = ? AND window_start = ? AND died IS NULL",
                ] {
                    let rows = sqlx::query(sql)
                        .bind(version)
                        .bind(tombstone.bucket.to_column())
                        .bind(window)
                        .execute(&mut *conn)
                        .await
                        .map_err(store_error)?;
                    done += rows.rows_affected();
                }
                done
            }
        };
        died += done;
    }
    Ok(died)
}
