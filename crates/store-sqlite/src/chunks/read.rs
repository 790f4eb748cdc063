//! Bodies, heads and pieces by their ids: one statement for all that are asked for.

use influxd_store::{PieceKey, Result};

use super::{at, json_list};
use crate::SqliteStore;
use crate::error::store_error;

pub(super) async fn fresh_bodies(store: &SqliteStore, ids: &[i64]) -> Result<Vec<(i64, Vec<u8>)>> {
    by_id(
        store,
        "SELECT id, body FROM fresh_chunks WHERE id IN (SELECT value FROM json_each(?))",
        ids,
    )
    .await
}

pub(super) async fn heads(store: &SqliteStore, ids: &[i64]) -> Result<Vec<(i64, Vec<u8>)>> {
    by_id(
        store,
        "SELECT id, head FROM chunks WHERE id IN (SELECT value FROM json_each(?))",
        ids,
    )
    .await
}

async fn by_id(store: &SqliteStore, sql: &'static str, ids: &[i64]) -> Result<Vec<(i64, Vec<u8>)>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = sqlx::query(sql)
        .bind(json_list(ids.iter().copied()))
        .fetch_all(store.readers())
        .await
        .map_err(store_error)?;
    rows.iter()
        .map(|row| Ok((at(row, 0)?, at(row, 1)?)))
        .collect()
}

pub(super) async fn pieces(
    store: &SqliteStore,
    keys: &[PieceKey],
) -> Result<Vec<(PieceKey, Vec<u8>)>> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let list = keys
        .iter()
        .map(|k| format!("[{},{},{}]", k.chunk, k.column_no, k.piece_no));
    let list = format!("[{}]", list.collect::<Vec<_>>().join(","));
    let rows = sqlx::query(
        "SELECT p.chunk_id, p.column_no, p.piece_no, p.data
         FROM json_each(?) k CROSS JOIN chunk_pieces p
           ON p.chunk_id = k.value ->> 0 AND p.column_no = k.value ->> 1
          AND p.piece_no = k.value ->> 2",
    )
    .bind(list)
    .fetch_all(store.readers())
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
