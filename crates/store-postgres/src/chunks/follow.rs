//! Following commits (storage study 8.6).
//!
//! Every transaction below the snapshot's xmin has ended, and its rows are in this or an earlier
//! answer; whatever comes later has an id of at least xmin. So polling from there misses nothing,
//! however long a transaction takes, and reads some rows more than once.

use async_trait::async_trait;
use influxd_model::BucketId;
use influxd_store::{
    ChunkRow, EpochRow, FieldRow, Followed, Follower, FreshRow, Result, TombstoneRow, Version,
    WindowRow,
};
use sqlx::postgres::{PgConnectOptions, PgRow};
use sqlx::{Executor, PgConnection};

use super::agree::field_type;
use super::{at, bucket_at};
use crate::connection::connect;
use crate::error::{corrupt, store_error, unavailable};

/// Rows of all kinds side by side, so that one statement, that is one snapshot, returns them all.
/// Columns: kind, id, version, died, bucket, two times, rows, bytes, measurement, other bytes,
/// and four more numbers.
const CHANGES: &str = "
SELECT 0, NULL::bigint, pg_snapshot_xmin(pg_current_snapshot())::text::bigint + version_offset, horizon, NULL::bigint, NULL::bigint, NULL::bigint,
       NULL::bigint, NULL::bigint, NULL::bytea, NULL::bytea, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint
  FROM store_state
UNION ALL SELECT 1, id, version, died, bucket_id, min_time, max_time, row_count, octet_length(body), measurement, NULL, part, NULL, NULL, NULL
  FROM fresh_chunks WHERE version >= $1
UNION ALL SELECT 1, id, version, died, bucket_id, min_time, max_time, row_count, octet_length(body), measurement, NULL, part, NULL, NULL, NULL
  FROM fresh_chunks WHERE died >= $1 AND version < $1
UNION ALL SELECT 2, id, version, died, bucket_id, min_time, max_time, row_count, bytes, measurement, NULL, oldest, newest, level, window_start
  FROM chunks WHERE version >= $1
UNION ALL SELECT 2, id, version, died, bucket_id, min_time, max_time, row_count, bytes, measurement, NULL, oldest, newest, level, window_start
  FROM chunks WHERE died >= $1 AND version < $1
UNION ALL SELECT 3, id, version, died, bucket_id, min_time, max_time, NULL, NULL, measurement, predicate, NULL, NULL, NULL, NULL
  FROM tombstones WHERE version >= $1
UNION ALL SELECT 3, id, version, died, bucket_id, min_time, max_time, NULL, NULL, measurement, predicate, NULL, NULL, NULL, NULL
  FROM tombstones WHERE died >= $1 AND version < $1
UNION ALL SELECT 4, NULL, version, died, bucket_id, window_start, window_end, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM shard_windows WHERE version >= $1
UNION ALL SELECT 4, NULL, version, died, bucket_id, window_start, window_end, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM shard_windows WHERE died >= $1 AND version < $1
UNION ALL SELECT 5, NULL, version, died, bucket_id, window_start, NULL, NULL, NULL, measurement, name, type, NULL, NULL, NULL
  FROM fields WHERE version >= $1
UNION ALL SELECT 5, NULL, version, died, bucket_id, window_start, NULL, NULL, NULL, measurement, name, type, NULL, NULL, NULL
  FROM fields WHERE died >= $1 AND version < $1
UNION ALL SELECT 6, NULL, epoch, NULL, id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM buckets WHERE epoch >= $1";

/// The same for a first poll: all that lives.
const LIVING: &str = "
SELECT 0, NULL::bigint, pg_snapshot_xmin(pg_current_snapshot())::text::bigint + version_offset, horizon, NULL::bigint, NULL::bigint, NULL::bigint,
       NULL::bigint, NULL::bigint, NULL::bytea, NULL::bytea, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint
  FROM store_state
UNION ALL SELECT 1, id, version, NULL, bucket_id, min_time, max_time, row_count, octet_length(body), measurement, NULL, part, NULL, NULL, NULL
  FROM fresh_chunks WHERE died IS NULL
UNION ALL SELECT 2, id, version, NULL, bucket_id, min_time, max_time, row_count, bytes, measurement, NULL, oldest, newest, level, window_start
  FROM chunks WHERE died IS NULL
UNION ALL SELECT 3, id, version, NULL, bucket_id, min_time, max_time, NULL, NULL, measurement, predicate, NULL, NULL, NULL, NULL
  FROM tombstones WHERE died IS NULL
UNION ALL SELECT 4, NULL, version, NULL, bucket_id, window_start, window_end, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM shard_windows WHERE died IS NULL
UNION ALL SELECT 5, NULL, version, NULL, bucket_id, window_start, NULL, NULL, NULL, measurement, name, type, NULL, NULL, NULL
  FROM fields WHERE died IS NULL
UNION ALL SELECT 6, NULL, epoch, NULL, id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM buckets";

/// A poll asks for the tail of an index, which a plan made for any parameter would not know; and
/// planning anew takes longer than polling. So: one plan, and it has to use the indexes.
const POLLING: &str = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off;
    SET enable_bitmapscan = off; SET jit = off";

/// A first poll reads all that lives.
const STARTING: &str = "SET plan_cache_mode = auto; SET enable_seqscan = on;
    SET enable_bitmapscan = on; SET jit = off";

/// Follows on a connection of its own, until the first error.
pub(super) struct PostgresFollower(Option<PgConnection>);

impl PostgresFollower {
    pub(super) async fn connect(options: &PgConnectOptions) -> Result<Self> {
        let conn = connect(options).await?;
        Ok(Self(Some(conn)))
    }
}

#[async_trait]
impl Follower for PostgresFollower {
    async fn poll(&mut self, since: Version) -> Result<Followed> {
        // Taken out, and put back when it has answered: an error or a dropped future ends it.
        let conn = self.0.take();
        let mut conn = conn.ok_or_else(|| unavailable("this follower has ended"))?;
        let followed = poll(&mut conn, since).await?;
        self.0 = Some(conn);
        Ok(followed)
    }
}

async fn poll(conn: &mut PgConnection, since: Version) -> Result<Followed> {
    let rows = if since > 0 {
        sqlx::query(CHANGES).bind(since).fetch_all(&mut *conn).await
    } else {
        conn.execute(STARTING).await.map_err(store_error)?;
        let rows = sqlx::query(LIVING)
            .persistent(false)
            .fetch_all(&mut *conn)
            .await;
        conn.execute(POLLING).await.map_err(store_error)?;
        rows
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

fn add(followed: &mut Followed, row: &PgRow) -> Result<()> {
    let kind: i32 = at(row, 0)?;
    if kind == 0 {
        followed.low = at(row, 2)?;
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
            part: at::<i64>(row, 11)? as i32,
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
            level: at::<i64>(row, 13)? as i16,
            bucket,
            measurement: at(row, 9)?,
            window_start: at(row, 14)?,
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
            field_type: field_type(at::<i64>(row, 11)? as i16)?,
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

#[cfg(all(test, feature = "scratch"))]
mod tests {
    use super::*;
    use crate::scratch::ScratchCluster;
    use crate::{PostgresOptions, PostgresStore};

    #[tokio::test]
    async fn a_poll_looks_at_nothing_but_the_tails_of_indexes() {
        let cluster = ScratchCluster::shared().unwrap();
        let url = cluster.create_database().await.unwrap();
        let store = PostgresStore::open(PostgresOptions::new(url))
            .await
            .unwrap();
        // Enough rows that a plan for any parameter would rather read all of them.
        sqlx::query(
            "INSERT INTO fresh_chunks (version, part, bucket_id, min_time, max_time, row_count,
                                       measurement, body)
             SELECT n, 0, 1, 0, 0, 0, '', '' FROM generate_series(1, 20000) n",
        )
        .execute(store.pool())
        .await
        .unwrap();
        sqlx::query("ANALYZE").execute(store.pool()).await.unwrap();
        let mut follower = PostgresFollower::connect(store.options()).await.unwrap();
        let low = follower.poll(0).await.unwrap().low;
        follower.poll(low).await.unwrap();
        let mut conn = follower.0.unwrap();
        let prepare = format!("PREPARE polling (bigint) AS {CHANGES}");
        conn.execute(sqlx::AssertSqlSafe(prepare)).await.unwrap();
        let plan = conn.fetch_all("EXPLAIN EXECUTE polling (7)").await.unwrap();
        let steps: Vec<String> = plan.iter().map(|row| at(row, 0).unwrap()).collect();
        let scans: Vec<_> = steps.iter().filter(|s| s.contains("Seq Scan")).collect();
        assert_eq!(scans.len(), 1, "{steps:#?}");
        assert!(scans[0].contains("store_state"));
        assert_eq!(
            steps.iter().filter(|s| s.contains("Index")).count() % 11,
            0,
            "{steps:#?}"
        );
    }
}
