//! The chunk store: one file per thing that can be done with it.

mod agree;
mod bury;
mod claims;
mod commit;
mod follow;
mod read;
mod remove;
mod replace;

use async_trait::async_trait;
use influxd_model::BucketId;
use influxd_store::{
    Agreed, ChunkStore, Claim, Committed, Dead, FieldWant, Followed, Follower, NewFreshChunk,
    NewTombstone, PieceKey, Replaced, Replacement, Result, Version,
};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, Sqlite, SqliteConnection};

pub(crate) use claims::Claims;

use crate::SqliteStore;
use crate::error::{corrupt, store_error};

/// How many statements go to the connection's thread in one message, and how many texts of that
/// kind the statement cache has to hold.
const BATCH: usize = 16;

/// A column of a row, by its place: rows of chunks are read by the hundred thousand.
fn at<'r, T>(row: &'r SqliteRow, index: usize) -> Result<T>
where
    T: sqlx::Decode<'r, Sqlite> + sqlx::Type<Sqlite>,
{
    row.try_get(index).map_err(store_error)
}

/// A bucket's id in a column of a row.
fn bucket_at(row: &SqliteRow, index: usize) -> Result<BucketId> {
    BucketId::from_column(at(row, index)?).ok_or_else(|| corrupt("row", "its bucket's id is zero"))
}

/// A list of ids as the JSON that `json_each` takes apart.
pub(crate) fn json_list(ids: impl IntoIterator<Item = i64>) -> String {
    let ids: Vec<String> = ids.into_iter().map(|id| id.to_string()).collect();
    format!("[{}]", ids.join(","))
}

/// Raises the version, inside a transaction, and sets aside `ids` ids: returns the version and
/// the first of them.
pub(crate) async fn next_version(
    conn: &mut SqliteConnection,
    ids: usize,
) -> Result<(Version, i64)> {
    let row = sqlx::query(
        "UPDATE store_state SET version = version + 1, last_id = last_id + ?1
         RETURNING version, last_id - ?1 + 1",
    )
    .bind(ids as i64)
    .fetch_all(conn)
    .await
    .map_err(store_error)?;
    let row = row
        .first()
        .ok_or_else(|| corrupt("state", "it is missing"))?;
    Ok((at(row, 0)?, at(row, 1)?))
}

#[async_trait]
impl ChunkStore for SqliteStore {
    fn commits_in_flight(&self) -> usize {
        1
    }

    async fn commit(&self, chunks: Vec<NewFreshChunk>) -> Result<Committed> {
        commit::commit(self, chunks).await
    }

    async fn agree(&self, bucket: BucketId, wants: Vec<FieldWant>) -> Result<Agreed> {
        agree::agree(self, bucket, &wants).await
    }

    async fn bury(&self, tombstone: NewTombstone) -> Result<Version> {
        bury::bury(self, tombstone).await
    }

    async fn follower(&self) -> Result<Box<dyn Follower>> {
        Ok(Box::new(SqliteFollower(Some(self.connect_reader().await?))))
    }

    async fn fresh_bodies(&self, ids: &[i64]) -> Result<Vec<(i64, Vec<u8>)>> {
        read::fresh_bodies(self, ids).await
    }

    async fn heads(&self, ids: &[i64]) -> Result<Vec<(i64, Vec<u8>)>> {
        read::heads(self, ids).await
    }

    async fn pieces(&self, keys: &[PieceKey]) -> Result<Vec<(PieceKey, Vec<u8>)>> {
        read::pieces(self, keys).await
    }

    async fn claim(&self, key: i64) -> Result<Option<Box<dyn Claim>>> {
        Ok(self.claims().claim(key))
    }

    async fn replace(&self, replacement: Replacement) -> Result<Option<Replaced>> {
        replace::replace(self, replacement).await
    }

    async fn retire_deleted_buckets(&self, limit: u32) -> Result<u64> {
        remove::retire_deleted_buckets(self, limit).await
    }

    async fn remove_dead(&self, what: Dead, up_to: Version, limit: u32) -> Result<u64> {
        remove::remove_dead(self, what, up_to, limit).await
    }

    async fn tidy(&self) -> Result<()> {
        self.give_space_back().await
    }

    async fn gauges(&self) -> Result<Vec<(&'static str, &'static str, f64)>> {
        self.measure().await
    }
}

/// Follows on a connection of its own, until the first error.
struct SqliteFollower(Option<SqliteConnection>);

#[async_trait]
impl Follower for SqliteFollower {
    async fn poll(&mut self, since: Version) -> Result<Followed> {
        let Some(conn) = self.0.as_mut() else {
            return Err(crate::error::unavailable("this follower has ended"));
        };
        let followed = follow::poll(conn, since).await;
        if followed.is_err() {
            self.0 = None;
        }
        followed
    }
}
