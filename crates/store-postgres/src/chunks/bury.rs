//! Deletes (storage study 8.7).

use influxd_model::{MAX_TIME, MIN_TIME};
use influxd_store::{Forget, NewTombstone, Result, StoreError, Version};
use sqlx::PgConnection;

use super::version;
use crate::PostgresStore;
use crate::error::store_error;

/// The windows of a bucket that a delete covers whole; their ends of time count as points have them.
const FORGET_FIELDS: &str = "
    UPDATE fields f SET died = $1 FROM shard_windows w
    WHERE w.bucket_id = $2 AND w.died IS NULL
      AND greatest(w.window_start, $5) >= $3 AND least(w.window_end - 1, $6) <= $4
      AND f.bucket_id = w.bucket_id AND f.window_start = w.window_start AND f.died IS NULL
      AND ($7::bytea[] IS NULL OR f.measurement = ANY($7))";
const FORGET_WINDOWS: &str = "
    UPDATE shard_windows w SET died = $1
    WHERE w.bucket_id = $2 AND w.died IS NULL
      AND greatest(w.window_start, $5) >= $3 AND least(w.window_end - 1, $6) <= $4";

pub(super) async fn bury(store: &PostgresStore, tombstone: NewTombstone) -> Result<Version> {
    let mut transaction = store.pool().begin().await.map_err(store_error)?;
    let conn = &mut *transaction;
    let bucket = tombstone.bucket.to_column();
    // Nobody agrees on types meanwhile.
    sqlx::query("SELECT 1 FROM buckets WHERE id = $1 FOR NO KEY UPDATE")
        .bind(bucket)
        .fetch_optional(&mut *conn)
        .await
        .map_err(store_error)?
        .ok_or(StoreError::NotFound("bucket"))?;
    let version = version(conn).await?;
    if forget(conn, &tombstone, version).await? > 0 {
        sqlx::query("UPDATE buckets SET epoch = $1 WHERE id = $2")
            .bind(version)
            .bind(bucket)
            .execute(&mut *conn)
            .await
            .map_err(store_error)?;
    }
    sqlx::query(
        "INSERT INTO tombstones (version, bucket_id, min_time, max_time, measurement, predicate)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(version)
    .bind(bucket)
    .bind(tombstone.min_time)
    .bind(tombstone.max_time)
    .bind(tombstone.measurement)
    .bind(tombstone.predicate)
    .execute(&mut *conn)
    .await
    .map_err(store_error)?;
    transaction.commit().await.map_err(store_error)?;
    Ok(version)
}

/// Ends what a delete ends besides points. Returns how many rows died.
async fn forget(
    conn: &mut PgConnection,
    tombstone: &NewTombstone,
    version: Version,
) -> Result<u64> {
    let (measurements, windows_too) = match &tombstone.forget {
        Forget::Nothing => return Ok(0),
        Forget::Measurements(measurements) => (Some(measurements), false),
        Forget::Everything => (None, true),
    };
    let range = |sql| {
        sqlx::query(sql)
            .bind(version)
            .bind(tombstone.bucket.to_column())
            .bind(tombstone.min_time)
            .bind(tombstone.max_time)
            .bind(MIN_TIME)
            .bind(MAX_TIME)
    };
    let fields = range(FORGET_FIELDS)
        .bind(measurements)
        .execute(&mut *conn)
        .await;
    let mut died = fields.map_err(store_error)?.rows_affected();
    if windows_too {
        let windows = range(FORGET_WINDOWS).execute(conn).await;
        died += windows.map_err(store_error)?.rows_affected();
    }
    Ok(died)
}
