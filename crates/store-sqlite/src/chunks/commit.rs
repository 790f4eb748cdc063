//! Commits of level 0 chunks (storage study 8.5).

use std::sync::LazyLock;

use influxd_store::{Committed, NewFreshChunk, Result};
use sqlx::AssertSqlSafe;

use super::{BATCH, at};
use crate::SqliteStore;
use crate::error::{corrupt, store_error};
use crate::writer::Frees;

const BEGIN: &str = "BEGIN IMMEDIATE;
    UPDATE store_state SET version = version + 1, last_id = last_id + ?
    RETURNING version, NULL, last_id;";
const INSERT: &str = "
    INSERT INTO fresh_chunks (id, version, part, bucket_id, min_time, max_time, row_count,
                              measurement, body)
    SELECT s.last_id - ?, s.version, ?, b.id, ?, ?, ?, ?, ?
    FROM store_state s, buckets b WHERE b.id = ? AND b.epoch = ?
    RETURNING version, part, id;";
const COMMIT: &str = "COMMIT";

/// The texts for whole commits of up to [`BATCH`] chunks, by their number.
static WHOLE: LazyLock<Vec<String>> = LazyLock::new(|| {
    (0..=BATCH)
        .map(|n| format!("{BEGIN}{}{COMMIT}", INSERT.repeat(n)))
        .collect()
});

/// The statements of a group are sent in as few messages as possible: most groups in one.
pub(super) async fn commit(store: &SqliteStore, chunks: Vec<NewFreshChunk>) -> Result<Committed> {
    let all = chunks.len();
    let bytes: usize = chunks.iter().map(|c| c.body.len() + 256).sum();
    let mut committed = Committed {
        version: 0,
        chunks: Vec::with_capacity(all),
    };
    let mut turn = store.writer().turn(Frees::Anything).await?;
    let mut sent = 0;
    let mut rest = chunks.into_iter();
    loop {
        let batch = rest.len().min(BATCH);
        let (first, last) = (sent == 0, batch == rest.len());
        let sql: &str = if first && last {
            &WHOLE[batch]
        } else {
            let begin = if first { BEGIN } else { "" };
            let commit = if last { COMMIT } else { "" };
            &format!("{begin}{}{commit}", INSERT.repeat(batch))
        };
        let mut query = sqlx::query(AssertSqlSafe(sql));
        if first {
            query = query.bind(all as i64);
        }
        for chunk in rest.by_ref().take(batch) {
            sent += 1;
            query = query
                .bind((all - sent) as i64)
                .bind(chunk.part)
                .bind(chunk.min_time)
                .bind(chunk.max_time)
                .bind(chunk.row_count)
                .bind(chunk.measurement)
                .bind(chunk.body)
                .bind(chunk.bucket.to_column())
                .bind(chunk.epoch);
        }
        let rows = query.fetch_all(turn.in_transaction()).await;
        for row in rows.map_err(store_error)? {
            committed.version = at(&row, 0)?;
            if let Some(part) = at::<Option<i32>>(&row, 1)? {
                committed.chunks.push((part, at(&row, 2)?));
            }
        }
        if last {
            break;
        }
    }
    turn.committed();
    drop(turn);
    store.wrote(bytes as u64);
    if committed.version == 0 {
        return Err(corrupt("state", "it is missing"));
    }
    Ok(committed)
}
