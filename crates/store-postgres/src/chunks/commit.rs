//! Commits of level 0 chunks: one statement, one round trip (storage study 8.5).

use influxd_store::{Committed, NewFreshChunk, Result};

use super::at;
use crate::PostgresStore;
use crate::error::{corrupt, store_error};

/// Chunks of a bucket that is gone, or has another epoch, fall out of the join.
const COMMIT: &str = "
    WITH x AS MATERIALIZED (
        SELECT pg_current_xact_id()::text::bigint + version_offset AS v FROM store_state
    ), written AS (
        INSERT INTO fresh_chunks (version, part, bucket_id, measurement, min_time, max_time,
                                  row_count, body)
        SELECT x.v, u.part, u.bucket_id, u.measurement, u.min_time, u.max_time, u.row_count, u.body
        FROM x, unnest($1::int[], $2::bigint[], $3::bytea[], $4::bigint[], $5::bigint[],
                       $6::bigint[], $7::bytea[], $8::bigint[])
                u (part, bucket_id, measurement, min_time, max_time, row_count, body, epoch)
          JOIN buckets b ON b.id = u.bucket_id AND b.epoch = u.epoch
        RETURNING id, part
    )
    SELECT x.v, written.part, written.id FROM x LEFT JOIN written ON true";

pub(super) async fn commit(store: &PostgresStore, chunks: Vec<NewFreshChunk>) -> Result<Committed> {
    let count = chunks.len();
    let mut parts = Vec::with_capacity(count);
    let mut buckets = Vec::with_capacity(count);
    let mut measurements = Vec::with_capacity(count);
    let mut min_times = Vec::with_capacity(count);
    let mut max_times = Vec::with_capacity(count);
    let mut row_counts = Vec::with_capacity(count);
    let mut bodies = Vec::with_capacity(count);
    let mut epochs = Vec::with_capacity(count);
    for chunk in chunks {
        parts.push(chunk.part);
        buckets.push(chunk.bucket.to_column());
        measurements.push(chunk.measurement);
        min_times.push(chunk.min_time);
        max_times.push(chunk.max_time);
        row_counts.push(chunk.row_count);
        bodies.push(chunk.body);
        epochs.push(chunk.epoch);
    }
    let rows = sqlx::query(COMMIT)
        .bind(parts)
        .bind(buckets)
        .bind(measurements)
        .bind(min_times)
        .bind(max_times)
        .bind(row_counts)
        .bind(bodies)
        .bind(epochs)
        .fetch_all(store.pool())
        .await
        .map_err(store_error)?;
    let first = rows
        .first()
        .ok_or_else(|| corrupt("state", "it is missing"))?;
    let version = at(first, 0)?;
    let mut chunks = Vec::with_capacity(rows.len());
    for row in &rows {
        if let Some(part) = at::<Option<i32>>(row, 1)? {
            chunks.push((part, at(row, 2)?));
        }
    }
    Ok(Committed { version, chunks })
}
