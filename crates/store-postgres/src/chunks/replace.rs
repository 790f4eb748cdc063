//! Old chunks for new ones (storage study 8.7).

use influxd_store::{NewChunk, NewPiece, Replaced, Replacement, Result};
use sqlx::PgConnection;

use super::{at, version};
use crate::PostgresStore;
use crate::error::store_error;

/// Bytes of pieces that go into one statement, roughly.
const BATCH: usize = 4 << 20;

/// Locked in the order of ids, so that two servers with the same plan do not wait for each other.
const KILL: [&str; 3] = [
    "UPDATE fresh_chunks c SET died = $1
     FROM (SELECT id FROM fresh_chunks WHERE id = ANY($2) AND died IS NULL
           ORDER BY id FOR NO KEY UPDATE) o
     WHERE c.id = o.id",
    "UPDATE chunks c SET died = $1
     FROM (SELECT id FROM chunks WHERE id = ANY($2) AND died IS NULL
           ORDER BY id FOR NO KEY UPDATE) o
     WHERE c.id = o.id",
    "UPDATE tombstones c SET died = $1
     FROM (SELECT id FROM tombstones WHERE id = ANY($2) AND died IS NULL
           ORDER BY id FOR NO KEY UPDATE) o
     WHERE c.id = o.id",
];

pub(super) async fn replace(
    store: &PostgresStore,
    replacement: Replacement,
) -> Result<Option<Replaced>> {
    let mut transaction = store.pool().begin().await.map_err(store_error)?;
    let conn = &mut *transaction;
    let version = version(conn).await?;
    let old = [
        replacement.fresh,
        replacement.chunks,
        replacement.tombstones,
    ];
    for (sql, mut ids) in KILL.into_iter().zip(old) {
        if ids.is_empty() {
            continue;
        }
        ids.sort_unstable();
        ids.dedup();
        let wanted = ids.len() as u64;
        let done = sqlx::query(sql).bind(version).bind(ids).execute(&mut *conn);
        if done.await.map_err(store_error)?.rows_affected() != wanted {
            transaction.rollback().await.map_err(store_error)?;
            return Ok(None);
        }
    }
    let mut ids = Vec::with_capacity(replacement.new.len());
    for chunk in replacement.new {
        ids.push(insert(conn, version, chunk).await?);
    }
    transaction.commit().await.map_err(store_error)?;
    Ok(Some(Replaced { version, ids }))
}

/// Inserts a chunk; returns its id.
async fn insert(conn: &mut PgConnection, version: i64, chunk: NewChunk) -> Result<i64> {
    let bytes = chunk.head.len() + chunk.pieces.iter().map(|p| p.data.len()).sum::<usize>();
    let row = sqlx::query(
        "INSERT INTO chunks (version, oldest, newest, level, bucket_id, window_start,
                             min_time, max_time, row_count, bytes, measurement, head)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         RETURNING id",
    )
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
    .fetch_one(&mut *conn)
    .await
    .map_err(store_error)?;
    let id = at(&row, 0)?;
    let (mut batch, mut size) = (Vec::new(), 0);
    for piece in chunk.pieces {
        size += piece.data.len();
        batch.push(piece);
        if size >= BATCH {
            insert_pieces(conn, id, std::mem::take(&mut batch)).await?;
            size = 0;
        }
    }
    insert_pieces(conn, id, batch).await?;
    Ok(id)
}

async fn insert_pieces(conn: &mut PgConnection, chunk: i64, pieces: Vec<NewPiece>) -> Result<()> {
    if pieces.is_empty() {
        return Ok(());
    }
    let columns: Vec<i32> = pieces.iter().map(|p| p.column_no).collect();
    let numbers: Vec<i32> = pieces.iter().map(|p| p.piece_no).collect();
    let data: Vec<Vec<u8>> = pieces.into_iter().map(|p| p.data).collect();
    sqlx::query(
        "INSERT INTO chunk_pieces (chunk_id, column_no, piece_no, data)
         SELECT $1, u.c, u.p, u.d FROM unnest($2::int[], $3::int[], $4::bytea[]) u (c, p, d)",
    )
    .bind(chunk)
    .bind(columns)
    .bind(numbers)
    .bind(data)
    .execute(conn)
    .await
    .map_err(store_error)?;
    Ok(())
}
