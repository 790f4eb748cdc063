//! Agreeing shard windows and field types (storage study 8.3 and 8.5).

use std::collections::BTreeMap;

use influxd_model::{BucketId, FieldType};
use influxd_store::columns::field_key;
use influxd_store::shard_window;
use influxd_store::windows::{missing_windows, window_contains};
use influxd_store::{Agreed, FieldRow, FieldWant, Result, StoreError, Version, WindowRow};
use sqlx::{AssertSqlSafe, SqliteConnection};

use super::{BATCH, at, next_version};
use crate::SqliteStore;
use crate::error::{corrupt, store_error};
use crate::writer::Frees;

const FIND: &str = "
    SELECT window_start, key_hash, type, version FROM fields
    WHERE bucket_id = ? AND window_start = ? AND key_hash = ? AND died IS NULL;";
const INSERT: &str = "
    INSERT INTO fields (bucket_id, window_start, key_hash, measurement, name, type, version)
    VALUES (?, ?, ?, ?, ?, ?, ?);";

/// Nobody else can write meanwhile: what is not found here is nowhere.
pub(super) async fn agree(
    store: &SqliteStore,
    bucket: BucketId,
    wants: &[FieldWant],
) -> Result<Agreed> {
    let mut turn = store.writer().begin(Frees::Anything).await?;
    let conn = turn.conn();
    let row = sqlx::query("SELECT epoch, shard_duration FROM buckets WHERE id = ?")
        .bind(bucket.to_column())
        .fetch_optional(&mut *conn)
        .await
        .map_err(store_error)?
        .ok_or(StoreError::NotFound("bucket"))?;
    let (epoch, duration) = (at(&row, 0)?, at(&row, 1)?);
    let mut version = None;
    let windows = agree_windows(conn, bucket, wants, duration, &mut version).await?;
    let fields = agree_fields(conn, bucket, wants, &windows, &mut version).await?;
    turn.commit().await?;
    Ok(Agreed {
        epoch,
        windows,
        fields,
    })
}

/// The version of this transaction, drawn when first needed.
async fn version_of(conn: &mut SqliteConnection, version: &mut Option<Version>) -> Result<Version> {
    if let Some(version) = *version {
        return Ok(version);
    }
    let (next, _) = next_version(conn, 0).await?;
    Ok(*version.insert(next))
}

async fn agree_windows(
    conn: &mut SqliteConnection,
    bucket: BucketId,
    wants: &[FieldWant],
    duration: i64,
    version: &mut Option<Version>,
) -> Result<Vec<WindowRow>> {
    let times = || wants.iter().map(|want| want.time);
    let (Some(first), Some(last)) = (times().min(), times().max()) else {
        return Ok(Vec::new());
    };
    let rows = sqlx::query(
        "SELECT window_start, window_end, version FROM shard_windows
         WHERE bucket_id = ? AND died IS NULL AND window_start <= ? AND window_end >= ?",
    )
    .bind(bucket.to_column())
    .bind(shard_window(last, duration).1)
    .bind(shard_window(first, duration).0)
    .fetch_all(&mut *conn)
    .await
    .map_err(store_error)?;
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
    let living: Vec<(i64, i64)> = windows.iter().map(|w| (w.start, w.end)).collect();
    for (start, end) in missing_windows(&living, times(), duration) {
        let version = version_of(conn, version).await?;
        sqlx::query(
            "INSERT INTO shard_windows (bucket_id, window_start, window_end, version)
             VALUES (?, ?, ?, ?)",
        )
        .bind(bucket.to_column())
        .bind(start)
        .bind(end)
        .bind(version)
        .execute(&mut *conn)
        .await
        .map_err(store_error)?;
        windows.push(WindowRow {
            bucket,
            start,
            end,
            version,
            died: None,
        });
    }
    windows.retain(|w| times().any(|time| window_contains(w.start, w.end, time)));
    windows.sort_unstable_by_key(|w| w.start);
    Ok(windows)
}

async fn agree_fields(
    conn: &mut SqliteConnection,
    bucket: BucketId,
    wants: &[FieldWant],
    windows: &[WindowRow],
    version: &mut Option<Version>,
) -> Result<Vec<FieldRow>> {
    // Of several wishes for one field the first counts.
    let mut asked: BTreeMap<(i64, [u8; 16]), &FieldWant> = BTreeMap::new();
    for want in wants {
        let next = windows.partition_point(|w| w.start <= want.time);
        let window = next.checked_sub(1).map(|i| &windows[i]);
        let window = window.ok_or_else(|| corrupt("shard window", "one was not added"))?;
        let key = field_key(&want.measurement, &want.name);
        asked.entry((window.start, key)).or_insert(want);
    }
    let mut known: BTreeMap<(i64, [u8; 16]), (FieldType, Version)> = BTreeMap::new();
    let keys: Vec<_> = asked.keys().copied().collect();
    for batch in keys.chunks(BATCH) {
        let mut query = sqlx::query(AssertSqlSafe(FIND.repeat(batch.len())));
        for (window, key) in batch {
            query = query
                .bind(bucket.to_column())
                .bind(window)
                .bind(key.to_vec());
        }
        for row in query.fetch_all(&mut *conn).await.map_err(store_error)? {
            let key = at::<&[u8]>(&row, 1)?
                .try_into()
                .map_err(|_| corrupt("field", "its key has another length"))?;
            known.insert(
                (at(&row, 0)?, key),
                (field_type(at(&row, 2)?)?, at(&row, 3)?),
            );
        }
    }
    let missing: Vec<_> = asked
        .iter()
        .filter(|(k, _)| !known.contains_key(k))
        .collect();
    for batch in missing.chunks(BATCH) {
        let version = version_of(conn, version).await?;
        let mut query = sqlx::query(AssertSqlSafe(INSERT.repeat(batch.len())));
        for ((window, key), want) in batch {
            query = query
                .bind(bucket.to_column())
                .bind(window)
                .bind(key.to_vec())
                .bind(&want.measurement)
                .bind(&want.name)
                .bind(want.field_type as i64)
                .bind(version);
            known.insert((*window, *key), (want.field_type, version));
        }
        query.execute(&mut *conn).await.map_err(store_error)?;
    }
    Ok(asked
        .into_iter()
        .filter_map(|(at, want)| {
            let (field_type, version) = known.get(&at)?;
            Some(FieldRow {
                bucket,
                window_start: at.0,
                measurement: want.measurement.clone(),
                name: want.name.clone(),
                field_type: *field_type,
                version: *version,
                died: None,
            })
        })
        .collect())
}

/// The type with a stored number.
pub(super) fn field_type(number: i64) -> Result<FieldType> {
    u8::try_from(number)
        .ok()
        .and_then(FieldType::from_u8)
        .ok_or_else(|| corrupt("field", "it has no known type"))
}
