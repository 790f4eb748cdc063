//! Buckets.

use async_trait::async_trait;
use influxd_model::{Bucket, BucketId, BucketKind, OrgId};
use influxd_store::columns::{name_key, refuse_nul};
use influxd_store::lists::Wanted;
use influxd_store::{BucketFilter, BucketList, BucketRepository, Page, Result, StoreError, Unique};
use sqlx::PgConnection;
use sqlx::postgres::PgRow;

use super::lists::{self, BUCKETS_OF_ORGANIZATION, Lists};
use super::{column, dbrps, exists, guarded, must_change, remove};
use crate::error::{corrupt, store_error};

pub(super) struct Buckets<'c>(pub(super) &'c mut PgConnection);

pub(super) fn bucket(row: &PgRow) -> Result<Bucket> {
    let zero = || corrupt("bucket", "an id of it is zero");
    Ok(Bucket {
        id: BucketId::from_column(column(row, "id")?).ok_or_else(zero)?,
        org: OrgId::from_column(column(row, "org_id")?).ok_or_else(zero)?,
        name: column(row, "name")?,
        kind: match column::<i16>(row, "kind")? {
            0 => BucketKind::User,
            1 => BucketKind::System,
            _ => return Err(corrupt("bucket", "it is of no known kind")),
        },
        description: column(row, "description")?,
        policy: column(row, "policy")?,
        retention: column(row, "retention")?,
        shard_duration: column(row, "shard_duration")?,
        created_at: column(row, "created_at")?,
        updated_at: column(row, "updated_at")?,
    })
}

/// Removes a bucket with what goes with it; its points are removed later.
async fn delete(conn: &mut PgConnection, id: i64) -> Result<()> {
    dbrps::delete_all_of_bucket(conn, id).await?;
    for sql in [
        "DELETE FROM memberships WHERE kind = 2 AND thing_id = $1",
        "DELETE FROM bucket_labels WHERE bucket_id = $1",
        "INSERT INTO deleted_buckets (id, version)
         SELECT id, (SELECT pg_current_xact_id()::text::bigint + version_offset FROM store_state)
         FROM buckets WHERE id = $1",
    ] {
        remove(conn, sql, id).await?;
    }
    if remove(conn, "DELETE FROM buckets WHERE id = $1", id).await? == 0 {
        return Err(StoreError::NotFound("bucket"));
    }
    Ok(())
}

/// Removes the buckets of an organization as [`delete`] does, once their mappings are gone.
pub(super) async fn delete_all_of_organization(conn: &mut PgConnection, org: i64) -> Result<()> {
    for sql in [
        "DELETE FROM memberships
         WHERE kind = 2 AND thing_id IN (SELECT id FROM buckets WHERE org_id = $1)",
        "DELETE FROM bucket_labels
         WHERE bucket_id IN (SELECT id FROM buckets WHERE org_id = $1)",
        "INSERT INTO deleted_buckets (id, version)
         SELECT id, (SELECT pg_current_xact_id()::text::bigint + version_offset FROM store_state)
         FROM buckets WHERE org_id = $1",
        "DELETE FROM buckets WHERE org_id = $1",
    ] {
        remove(conn, sql, org).await?;
    }
    Ok(())
}

impl Buckets<'_> {
    /// The name of a bucket, if it is in this organization.
    async fn name_in(&mut self, org: OrgId, id: BucketId) -> Result<Option<String>> {
        sqlx::query_scalar("SELECT name FROM buckets WHERE id = $1 AND org_id = $2")
            .bind(id.to_column())
            .bind(org.to_column())
            .fetch_optional(&mut *self.0)
            .await
            .map_err(store_error)
    }
}

#[async_trait]
impl BucketRepository for Buckets<'_> {
    #[tracing::instrument(name = "db.bucket.find", skip_all)]
    async fn find(&mut self, id: BucketId) -> Result<Option<Bucket>> {
        let row = sqlx::query(
            "SELECT id, org_id, name, kind, description, policy, retention, shard_duration,
                    created_at, updated_at
             FROM buckets WHERE id = $1",
        )
        .bind(id.to_column())
        .fetch_optional(&mut *self.0)
        .await
        .map_err(store_error)?;
        row.as_ref().map(bucket).transpose()
    }

    #[tracing::instrument(name = "db.bucket.find_by_name", skip_all)]
    async fn find_by_name(&mut self, org: OrgId, name: &str) -> Result<Option<Bucket>> {
        let row = sqlx::query(
            "SELECT id, org_id, name, kind, description, policy, retention, shard_duration,
                    created_at, updated_at
             FROM buckets WHERE org_id = $1 AND name_key = $2",
        )
        .bind(org.to_column())
        .bind(name_key(name).to_vec())
        .fetch_optional(&mut *self.0)
        .await
        .map_err(store_error)?;
        row.as_ref().map(bucket).transpose()
    }

    #[tracing::instrument(name = "db.bucket.list", skip_all)]
    async fn list(&mut self, filter: &BucketFilter, page: Page) -> Result<Vec<Bucket>> {
        let behind = match (&filter.list, filter.after) {
            (BucketList::OfOrganization(org), Some(id)) => match self.name_in(*org, id).await? {
                None => return Ok(Vec::new()),
                Some(name) => Some(lists::key_of_name(name)),
            },
            _ => None,
        };
        let wanted = Wanted::buckets(filter, &BUCKETS_OF_ORGANIZATION, behind, page);
        Lists(self.0).page(wanted, bucket).await
    }

    #[tracing::instrument(name = "db.bucket.insert", skip_all)]
    async fn insert(&mut self, new: &Bucket) -> Result<()> {
        refuse_nul(&[&new.name, &new.description, &new.policy])?;
        let id = new.id.to_column();
        if exists(self.0, "SELECT 1 FROM deleted_buckets WHERE id = $1", id).await? {
            return Err(StoreError::Conflict(Unique::Id));
        }
        let insert = sqlx::query(
            "INSERT INTO buckets (id, org_id, name, name_key, kind, description, policy,
                                  retention, shard_duration, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(id)
        .bind(new.org.to_column())
        .bind(&new.name)
        .bind(name_key(&new.name).to_vec())
        .bind(i16::from(new.kind == BucketKind::System))
        .bind(&new.description)
        .bind(&new.policy)
        .bind(new.retention)
        .bind(new.shard_duration)
        .bind(new.created_at)
        .bind(new.updated_at);
        guarded(self.0, insert).await?;
        Ok(())
    }

    #[tracing::instrument(name = "db.bucket.update", skip_all)]
    async fn update(&mut self, bucket: &Bucket) -> Result<()> {
        refuse_nul(&[&bucket.name, &bucket.description, &bucket.policy])?;
        let update = sqlx::query(
            "UPDATE buckets SET name = $1, name_key = $2, description = $3, policy = $4,
                                retention = $5, shard_duration = $6, updated_at = $7
             WHERE id = $8",
        )
        .bind(&bucket.name)
        .bind(name_key(&bucket.name).to_vec())
        .bind(&bucket.description)
        .bind(&bucket.policy)
        .bind(bucket.retention)
        .bind(bucket.shard_duration)
        .bind(bucket.updated_at)
        .bind(bucket.id.to_column());
        let done = guarded(self.0, update).await?;
        must_change(&done, "bucket")
    }

    #[tracing::instrument(name = "db.bucket.delete", skip_all)]
    async fn delete(&mut self, id: BucketId) -> Result<()> {
        delete(self.0, id.to_column()).await
    }
}
