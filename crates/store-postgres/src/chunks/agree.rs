//! Agreeing shard windows and field types (storage study 8.3 and 8.5).

use std::collections::BTreeMap;

use influxd_model::{BucketId, FieldType};
use influxd_store::columns::field_key;
use influxd_store::windows::{missing_windows, window_contains};
use influxd_store::{
    Agreed, FieldRow, FieldWant, Result, StoreError, Version, WindowRow, shard_window,
};
use sqlx::PgConnection;

use super::at;
use crate::PostgresStore;
use crate::error::{corrupt, store_error};

/// A field in a window: the window's start, and the key of measurement and name.
type FieldAt = (i64, [u8; 16]);

const INSERT_WINDOWS: &str = "
    INSERT INTO shard_windows (bucket_id, window_start, window_end, version)
    SELECT $1, u.s, u.e, x.v
    FROM (SELECT pg_current_xact_id()::text::bigint + version_offset AS v FROM store_state) x,
         unnest($2::bigint[], $3::bigint[]) u (s, e)
    RETURNING window_start, window_end, version";

/// In the order of keys, as everybody does it: else two servers could wait for each other.
const INSERT_FIELDS: &str = "
    INSERT INTO fields (bucket_id, window_start, key_hash, measurement, name, type, version)
    SELECT $1, u.w, u.k, u.m, u.n, u.t, x.v
    FROM (SELECT pg_current_xact_id()::text::bigint + version_offset AS v FROM store_state) x,
         unnest($2::bigint[], $3::bytea[], $4::bytea[], $5::bytea[], $6::smallint[])
             WITH ORDINALITY u (w, k, m, n, t, place)
    ORDER BY u.place
    ON CONFLICT (bucket_id, window_start, key_hash) WHERE died IS NULL DO NOTHING";

const FIND_FIELDS: &str = "
    SELECT f.window_start, f.key_hash, f.type, f.version
    FROM unnest($2::bigint[], $3::bytea[]) u (w, k)
    JOIN fields f ON f.bucket_id = $1 AND f.window_start = u.w AND f.key_hash = u.k
                 AND f.died IS NULL";

pub(super) async fn agree(
    store: &PostgresStore,
    bucket: BucketId,
    wants: &[FieldWant],
) -> Result<Agreed> {
    let mut transaction = store.pool().begin().await.map_err(store_error)?;
    let conn = &mut *transaction;
    // One after the other: windows must not overlap, and no delete comes in between.
    let row =
        sqlx::query("SELECT epoch, shard_duration FROM buckets WHERE id = $1 FOR NO KEY UPDATE")
            .bind(bucket.to_column())
            .fetch_optional(&mut *conn)
            .await
            .map_err(store_error)?
            .ok_or(StoreError::NotFound("bucket"))?;
    let (epoch, duration) = (at(&row, 0)?, at(&row, 1)?);
    let windows = agree_windows(conn, bucket, wants, duration).await?;
    let fields = agree_fields(conn, bucket, wants, &windows).await?;
    transaction.commit().await.map_err(store_error)?;
    Ok(Agreed {
        epoch,
        windows,
        fields,
    })
}

async fn agree_windows(
    conn: &mut PgConnection,
    bucket: BucketId,
    wants: &[FieldWant],
    duration: i64,
) -> Result<Vec<WindowRow>> {
    let times = || wants.iter().map(|want| want.time);
    let (Some(first), Some(last)) = (times().min(), times().max()) else {
        return Ok(Vec::new());
    };
    let mut rows = sqlx::query(
        "SELECT window_start, window_end, version FROM shard_windows
         WHERE bucket_id = $1 AND died IS NULL AND window_start <= $2 AND window_end >= $3",
    )
    .bind(bucket.to_column())
    .bind(shard_window(last, duration).1)
    .bind(shard_window(first, duration).0)
    .fetch_all(&mut *conn)
    .await
    .map_err(store_error)?;
    let mut living = Vec::with_capacity(rows.len());
    for row in &rows {
        living.push((at(row, 0)?, at(row, 1)?));
    }
    let missing = missing_windows(&living, times(), duration);
    if !missing.is_empty() {
        let (starts, ends): (Vec<i64>, Vec<i64>) = missing.into_iter().unzip();
        let added = sqlx::query(INSERT_WINDOWS)
            .bind(bucket.to_column())
            .bind(starts)
            .bind(ends)
            .fetch_all(conn)
            .await
            .map_err(store_error)?;
        rows.extend(added);
    }
    let mut windows = Vec::with_capacity(rows.len());
    for row in &rows {
        windows.push(WindowRow {
            bucket,
            start: at(row, 0)?,
            end: at(row, 1)?,
            version: at(row, 2)?,
            died: None,
        });
    }
    windows.retain(|w| times().any(|time| window_contains(w.start, w.end, time)));
    windows.sort_unstable_by_key(|w| w.start);
    Ok(windows)
}

async fn agree_fields(
    conn: &mut PgConnection,
    bucket: BucketId,
    wants: &[FieldWant],
    windows: &[WindowRow],
) -> Result<Vec<FieldRow>> {
    // Of several wishes for one field the first counts.
    let mut asked: BTreeMap<FieldAt, &FieldWant> = BTreeMap::new();
    for want in wants {
        let next = windows.partition_point(|w| w.start <= want.time);
        let window = next.checked_sub(1).map(|i| &windows[i]);
        let window = window.ok_or_else(|| corrupt("shard window", "one was not added"))?;
        let key = field_key(&want.measurement, &want.name);
        asked.entry((window.start, key)).or_insert(want);
    }
    let all: Vec<FieldAt> = asked.keys().copied().collect();
    let mut known = find_fields(conn, bucket, &all).await?;
    let missing: Vec<_> = asked
        .iter()
        .filter(|(at, _)| !known.contains_key(*at))
        .collect();
    if !missing.is_empty() {
        sqlx::query(INSERT_FIELDS)
            .bind(bucket.to_column())
            .bind(missing.iter().map(|(at, _)| at.0).collect::<Vec<i64>>())
            .bind(
                missing
                    .iter()
                    .map(|(at, _)| at.1.to_vec())
                    .collect::<Vec<_>>(),
            )
            .bind(
                missing
                    .iter()
                    .map(|(_, w)| &w.measurement[..])
                    .collect::<Vec<_>>(),
            )
            .bind(missing.iter().map(|(_, w)| &w.name[..]).collect::<Vec<_>>())
            .bind(
                missing
                    .iter()
                    .map(|(_, w)| w.field_type as i16)
                    .collect::<Vec<_>>(),
            )
            .execute(&mut *conn)
            .await
            .map_err(store_error)?;
        // What stands there now counts, whoever put it there. A statement of its own, because
        // the snapshot of the one before may not show the row that it ran into.
        let missing: Vec<FieldAt> = missing.iter().map(|(at, _)| **at).collect();
        known.extend(find_fields(conn, bucket, &missing).await?);
    }
    asked
        .into_iter()
        .map(|(at, want)| {
            let found = known.get(&at);
            let (field_type, version) =
                found.ok_or_else(|| corrupt("field", "one was not added"))?;
            Ok(FieldRow {
                bucket,
                window_start: at.0,
                measurement: want.measurement.clone(),
                name: want.name.clone(),
                field_type: *field_type,
                version: *version,
                died: None,
            })
        })
        .collect()
}

async fn find_fields(
    conn: &mut PgConnection,
    bucket: BucketId,
    fields: &[FieldAt],
) -> Result<BTreeMap<FieldAt, (FieldType, Version)>> {
    let rows = sqlx::query(FIND_FIELDS)
        .bind(bucket.to_column())
        .bind(fields.iter().map(|at| at.0).collect::<Vec<i64>>())
        .bind(fields.iter().map(|at| at.1.to_vec()).collect::<Vec<_>>())
        .fetch_all(conn)
        .await
        .map_err(store_error)?;
    let mut known = BTreeMap::new();
    for row in &rows {
        let key = at::<&[u8]>(row, 1)?
            .try_into()
            .map_err(|_| corrupt("field", "its key has another length"))?;
        known.insert((at(row, 0)?, key), (field_type(at(row, 2)?)?, at(row, 3)?));
    }
    Ok(known)
}

/// The type with a stored number.
pub(super) fn field_type(number: i16) -> Result<FieldType> {
    u8::try_from(number)
        .ok()
        .and_then(FieldType::from_u8)
        .ok_or_else(|| corrupt("field", "it has no known type"))
}
