//! Old chunks for new ones (storage study 8.7).

use influxd_store::{NewChunk, Replaced, Replacement, Result};
use sqlx::{AssertSqlSafe, SqliteConnection};

use super::{BATCH, json_list, next_version};
use crate::SqliteStore;
use crate::error::store_error;
use crate::writer::Frees;

const INSERT_PIECE: &str = "
    INSERT INTO chunk_pieces (chunk_id, column_no, piece_no, data) VALUES (?, ?, ?, ?);";

pub(super) async fn replace(
    store: &SqliteStore,
    replacement: Replacement,
) -> Result<Option<Replaced>> {
    let mut turn = store.writer().begin(Frees::Anything).await?;
    let conn = turn.conn();
    let (version, first_id) = next_version(conn, replacement.new.len()).await?;
    for (sql, mut ids) in [
        (
            "UPDATE fresh_chunks SET died = ?
             WHERE died IS NULL AND id IN (SELECT value FROM json_each(?))",
            replacement.fresh,
        ),
        (
            "UPDATE chunks SET died = ?
             WHERE died IS NULL AND id IN (SELECT value FROM json_each(?))",
            replacement.chunks,
        ),
        (
            "UPDATE tombstones SET died = ?
             WHERE died IS NULL AND id IN (SELECT value FROM json_each(?))",
            replacement.tombstones,
        ),
    ] {
        ids.sort_unstable();
        ids.dedup();
        let wanted = ids.len() as u64;
        let done = sqlx::query(sql).bind(version).bind(json_list(ids));
        let done = done.execute(&mut *conn).await.map_err(store_error)?;
        if done.rows_affected() != wanted {
            return Ok(None); // and dropping the turn rolls back
        }
    }
    let mut ids = Vec::with_capacity(replacement.new.len());
    let mut bytes = 0;
    for (id, chunk) in (first_id..).zip(replacement.new) {
        bytes += insert(conn, id, version, chunk).await?;
        ids.push(id);
    }
    turn.commit().await?;
    store.wrote(bytes as u64);
    Ok(Some(Replaced { version, ids }))
}

/// Inserts a chunk; returns its size in bytes.
async fn insert(
    conn: &mut SqliteConnection,
    id: i64,
    version: i64,
    chunk: NewChunk,
) -> Result<usize> {
    let bytes = chunk.head.len() + chunk.pieces.iter().map(|p| p.data.len()).sum::<usize>();
    sqlx::query(
        "INSERT INTO chunks (id, version, oldest, newest, level, bucket_id, window_start,
                             min_time, max_time, row_count, bytes, measurement, head)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(id)
    .bind(version)
    .bind(chunk.oldest)
    .bind(chunk.newest)
    .bind(chunk.level)
    .bind(chunk.bucket.to_column())
    .bind(chunk.window_start)
    .bind(chunk.min_time)
    .bind(chunk.max_time)
    .bind(chunk.row_count)
    .bind(bytes as i64)
    .bind(chunk.measurement)
    .bind(chunk.head)
    .execute(&mut *conn)
    .await
    .map_err(store_error)?;
    let mut pieces = chunk.pieces.into_iter();
    while pieces.len() > 0 {
        let batch = pieces.len().min(BATCH);
        let mut query = sqlx::query(AssertSqlSafe(INSERT_PIECE.repeat(batch)));
        for piece in pieces.by_ref().take(batch) {
            query = query
                .bind(id)
                .bind(piece.column_no)
                .bind(piece.piece_no)
                .bind(piece.data);
        }
        query.execute(&mut *conn).await.map_err(store_error)?;
    }
    Ok(bytes)
}
