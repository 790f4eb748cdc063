//! Bodies, heads and pieces by their ids: one statement for all that are asked for. And gauges.

use influxd_store::{PieceKey, Result};

use super::at;
use crate::PostgresStore;
use crate::error::store_error;

pub(super) async fn fresh_bodies(
    store: &PostgresStore,
    ids: &[i64],
) -> Result<Vec<(i64, Vec<u8>)>> {
    by_id(
        store,
        "SELECT id, body FROM fresh_chunks WHERE id = ANY($1)",
        ids,
    )
    .await
}

pub(super) async fn heads(store: &PostgresStore, ids: &[i64]) -> Result<Vec<(i64, Vec<u8>)>> {
    by_id(store, "SELECT id, head FROM chunks WHERE id = ANY($1)", ids).await
}

async fn by_id(
    store: &PostgresStore,
    sql: &'static str,
    ids: &[i64],
) -> Result<Vec<(i64, Vec<u8>)>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = sqlx::query(sql).bind(ids).fetch_all(store.pool()).await;
    let rows = rows.map_err(store_error)?;
    rows.iter()
        .map(|row| Ok((at(row, 0)?, at(row, 1)?)))
        .collect()
}

pub(super) async fn pieces(
    store: &PostgresStore,
    keys: &[PieceKey],
) -> Result<Vec<(PieceKey, Vec<u8>)>> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let rows = sqlx::query(
        "SELECT p.chunk_id, p.column_no, p.piece_no, p.data
         FROM unnest($1::bigint[], $2::int[], $3::int[]) k (chunk_id, column_no, piece_no)
         JOIN chunk_pieces p USING (chunk_id, column_no, piece_no)",
    )
    .bind(keys.iter().map(|k| k.chunk).collect::<Vec<i64>>())
    .bind(keys.iter().map(|k| k.column_no).collect::<Vec<i32>>())
    .bind(keys.iter().map(|k| k.piece_no).collect::<Vec<i32>>())
    .fetch_all(store.pool())
    .await
    .map_err(store_error)?;
    rows.iter()
        .map(|row| {
            let key = PieceKey {
                chunk: at(row, 0)?,
                column_no: at(row, 1)?,
                piece_no: at(row, 2)?,
            };
            Ok((key, at(row, 3)?))
        })
        .collect()
}

pub(super) async fn gauges(
    store: &PostgresStore,
) -> Result<Vec<(&'static str, &'static str, f64)>> {
    let row = sqlx::query(
        "SELECT pg_database_size(current_database())::float8,
                (pg_snapshot_xmax(pg_current_snapshot())::text::bigint
                 - pg_snapshot_xmin(pg_current_snapshot())::text::bigint)::float8,
                (SELECT count(*) FROM fresh_chunks WHERE died IS NOT NULL)::float8
                + (SELECT count(*) FROM chunks WHERE died IS NOT NULL)::float8,
                coalesce((SELECT extract(epoch FROM now() - min(xact_start))
                          FROM pg_stat_activity
                          WHERE backend_xmin IS NOT NULL AND pid <> pg_backend_pid()), 0)::float8",
    )
    .fetch_one(store.pool())
    .await
    .map_err(store_error)?;
    Ok(vec![
        (
            "store_database_bytes",
            "Size of the database, without its write-ahead log.",
            at(&row, 0)?,
        ),
        (
            "store_xmin_lag",
            "How many transaction ids the oldest running transaction lags behind.",
            at(&row, 1)?,
        ),
        (
            "store_dead_chunks",
            "Chunks that were replaced or deleted, and wait to be removed.",
            at(&row, 2)?,
        ),
        (
            "store_oldest_snapshot_seconds",
            "Age of the oldest snapshot, which keeps vacuum from freeing space.",
            at(&row, 3)?,
        ),
        (
            "store_connections",
            "Connections in the pool.",
            f64::from(store.pool().size()),
        ),
        (
            "store_idle_connections",
            "Connections in the pool that nobody uses at present.",
            store.pool().num_idle() as f64,
        ),
    ])
}
