//! Following commits (storage study 8.6). Here every version up to the counter is complete: the
//! transaction that raises it is the only one that writes.

use influxd_model::BucketId;
use influxd_store::{
    ChunkRow, EpochRow, FieldRow, Followed, FreshRow, Result, TombstoneRow, Version, WindowRow,
};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::agree::field_type;
use super::{at, bucket_at};
use crate::error::{corrupt, store_error};

/// Rows of all kinds side by side, so that one statement, that is one snapshot, returns them all.
/// Columns: kind, id, version, died, bucket, two times, rows, bytes, measurement, other bytes,
/// and three more numbers. The indexes are named because, without statistics, SQLite might look
/// for recent deaths among all old versions.
const CHANGES: &str = "
SELECT 0, NULL, version, horizon, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM store_state
UNION ALL SELECT 1, id, version, died, bucket_id, min_time, max_time, row_count, length(body), measurement, NULL, part, NULL, NULL
  FROM fresh_chunks INDEXED BY fresh_chunks_version WHERE version >= ?1
UNION ALL SELECT 1, id, version, died, bucket_id, min_time, max_time, row_count, length(body), measurement, NULL, part, NULL, NULL
  FROM fresh_chunks INDEXED BY fresh_chunks_died WHERE died >= ?1 AND version < ?1
UNION ALL SELECT 2, id, version, died, bucket_id, min_time, max_time, row_count, bytes, measurement, window_start, oldest, newest, level
  FROM chunks INDEXED BY chunks_version WHERE version >= ?1
UNION ALL SELECT 2, id, version, died, bucket_id, min_time, max_time, row_count, bytes, measurement, window_start, oldest, newest, level
  FROM chunks INDEXED BY chunks_died WHERE died >= ?1 AND version < ?1
UNION ALL SELECT 3, id, version, died, bucket_id, min_time, max_time, NULL, NULL, measurement, predicate, NULL, NULL, NULL
  FROM tombstones INDEXED BY tombstones_version WHERE version >= ?1
UNION ALL SELECT 3, id, version, died, bucket_id, min_time, max_time, NULL, NULL, measurement, predicate, NULL, NULL, NULL
  FROM tombstones INDEXED BY tombstones_died WHERE died >= ?1 AND version < ?1
UNION ALL SELECT 4, NULL, version, died, bucket_id, window_start, window_end, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM shard_windows INDEXED BY shard_windows_version WHERE version >= ?1
UNION ALL SELECT 4, NULL, version, died, bucket_id, window_start, window_end, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM shard_windows INDEXED BY shard_windows_died WHERE died >= ?1 AND version < ?1
UNION ALL SELECT 5, NULL, version, died, bucket_id, window_start, NULL, NULL, NULL, measurement, name, type, NULL, NULL
  FROM fields INDEXED BY fields_version WHERE version >= ?1
UNION ALL SELECT 5, NULL, version, died, bucket_id, window_start, NULL, NULL, NULL, measurement, name, type, NULL, NULL
  FROM fields INDEXED BY fields_died WHERE died >= ?1 AND version < ?1
UNION ALL SELECT 6, NULL, epoch, NULL, id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM buckets INDEXED BY buckets_epoch WHERE epoch >= ?1";

/// The same for a first poll: all that lives.
const LIVING: &str = "
SELECT 0, NULL, version, horizon, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM store_state
UNION ALL SELECT 1, id, version, NULL, bucket_id, min_time, max_time, row_count, length(body), measurement, NULL, part, NULL, NULL
  FROM fresh_chunks WHERE died IS NULL
UNION ALL SELECT 2, id, version, NULL, bucket_id, min_time, max_time, row_count, bytes, measurement, window_start, oldest, newest, level
  FROM chunks WHERE died IS NULL
UNION ALL SELECT 3, id, version, NULL, bucket_id, min_time, max_time, NULL, NULL, measurement, predicate, NULL, NULL, NULL
  FROM tombstones WHERE died IS NULL
UNION ALL SELECT 4, NULL, version, NULL, bucket_id, window_start, window_end, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM shard_windows WHERE died IS NULL
UNION ALL SELECT 5, NULL, version, NULL, bucket_id, window_start, NULL, NULL, NULL, measurement, name, type, NULL, NULL
  FROM fields WHERE died IS NULL
UNION ALL SELECT 6, NULL, epoch, NULL, id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM buckets";

pub(super) async fn poll(conn: &mut SqliteConnection, since: Version) -> Result<Followed> {
    if since > 0 {
        // Nearly always nothing has happened.
        let state = sqlx::query("SELECT version, horizon FROM store_state")
            .fetch_one(&mut *conn)
            .await
            .map_err(store_error)?;
        if at::<Version>(&state, 0)? + 1 == since {
            return Ok(Followed {
                low: since,
                horizon: at(&state, 1)?,
                ..Followed::default()
            });
        }
    }
    let rows = if since > 0 {
        sqlx::query(CHANGES).bind(since).fetch_all(conn).await
    } else {
        sqlx::query(LIVING).fetch_all(conn).await
    };
    let mut followed = Followed::default();
    for row in rows.map_err(store_error)? {
        add(&mut followed, &row)?;
    }
    if followed.low == 0 {
        return Err(corrupt("state", "it is missing"));
    }
    Ok(followed)
}

fn add(followed: &mut Followed, row: &SqliteRow) -> Result<()> {
    let kind: i64 = at(row, 0)?;
    if kind == 0 {
        followed.low = at::<Version>(row, 2)? + 1;
        followed.horizon = at(row, 3)?;
        return Ok(());
    }
    let version: Version = at(row, 2)?;
    let died: Option<Version> = at(row, 3)?;
    let bucket: BucketId = bucket_at(row, 4)?;
    match kind {
        1 => followed.fresh.push(FreshRow {
            id: at(row, 1)?,
            version,
            part: at(row, 11)?,
            died,
            bucket,
            measurement: at(row, 9)?,
            min_time: at(row, 5)?,
            max_time: at(row, 6)?,
            row_count: at(row, 7)?,
            body_bytes: at(row, 8)?,
        }),
        2 => followed.chunks.push(ChunkRow {
            id: at(row, 1)?,
            version,
            oldest: at(row, 11)?,
            newest: at(row, 12)?,
            died,
            level: at(row, 13)?,
            bucket,
            measurement: at(row, 9)?,
            window_start: at(row, 10)?,
            min_time: at(row, 5)?,
            max_time: at(row, 6)?,
            row_count: at(row, 7)?,
            bytes: at(row, 8)?,
        }),
        3 => followed.tombstones.push(TombstoneRow {
            id: at(row, 1)?,
            version,
            died,
            bucket,
            measurement: at(row, 9)?,
            min_time: at(row, 5)?,
            max_time: at(row, 6)?,
            predicate: at(row, 10)?,
        }),
        4 => followed.windows.push(WindowRow {
            bucket,
            start: at(row, 5)?,
            end: at(row, 6)?,
            version,
            died,
        }),
        5 => followed.fields.push(FieldRow {
            bucket,
            window_start: at(row, 5)?,
            measurement: at(row, 9)?,
            name: at(row, 10)?,
            field_type: field_type(at(row, 11)?)?,
            version,
            died,
        }),
        6 => followed.epochs.push(EpochRow {
            bucket,
            epoch: version,
        }),
        _ => return Err(corrupt("row", "it is of no known kind")),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SqliteOptions, SqliteStore};

    #[tokio::test]
    async fn a_poll_looks_at_nothing_but_the_tails_of_indexes() {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteOptions::new(folder.path().join("influxd.sqlite"));
        let store = SqliteStore::open(options).await.unwrap();
        let mut conn = store.connect_reader().await.unwrap();
        let sql = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {CHANGES}"));
        let plan = sqlx::query(sql)
            .bind(7_i64)
            .fetch_all(&mut conn)
            .await
            .unwrap();
        let steps: Vec<String> = plan.iter().map(|row| at(row, 3).unwrap()).collect();
        let scans: Vec<_> = steps.iter().filter(|s| s.starts_with("SCAN")).collect();
        assert_eq!(scans, ["SCAN store_state"], "{steps:#?}");
        assert_eq!(steps.iter().filter(|s| s.starts_with("SEARCH")).count(), 11);
    }
}
