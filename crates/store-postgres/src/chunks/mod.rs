//! The chunk store: one file per thing that can be done with it.

mod agree;
mod bury;
mod claims;
mod commit;
mod follow;
mod read;
mod remove;
mod replace;
mod tidy;

use async_trait::async_trait;
use influxd_model::BucketId;
use influxd_store::{
    Agreed, ChunkStore, Claim, Committed, Dead, FieldWant, Follower, NewFreshChunk, NewTombstone,
    PieceKey, Replaced, Replacement, Result, Version,
};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Postgres, Row};

pub(crate) use claims::Claims;

use crate::PostgresStore;
use crate::error::{corrupt, store_error};

/// A column of a row, by its place: rows of chunks are read by the hundred thousand.
fn at<'r, T>(row: &'r PgRow, index: usize) -> Result<T>
where
    T: sqlx::Decode<'r, Postgres> + sqlx::Type<Postgres>,
{
    row.try_get(index).map_err(store_error)
}

/// A bucket's id in a column of a row.
fn bucket_at(row: &PgRow, index: usize) -> Result<BucketId> {
    BucketId::from_column(at(row, index)?).ok_or_else(|| corrupt("row", "its bucket's id is zero"))
}

/// The version of the transaction that a connection is in.
pub(crate) async fn version(conn: &mut PgConnection) -> Result<Version> {
    let row =
        sqlx::query("SELECT pg_current_xact_id()::text::bigint + version_offset FROM store_state")
            .fetch_one(conn)
            .await
            .map_err(store_error)?;
    at(&row, 0)
}

#[async_trait]
impl ChunkStore for PostgresStore {
    fn commits_in_flight(&self) -> usize {
        2
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
        let follower = follow::PostgresFollower::connect(self.options()).await?;
        Ok(Box::new(follower))
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
        self.claims().claim(key).await
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
        tidy::tidy(self).await
    }

    async fn gauges(&self) -> Result<Vec<(&'static str, &'static str, f64)>> {
        read::gauges(self).await
    }
}
