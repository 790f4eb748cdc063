//! Physical DBRP mappings, and the rule that each database has one default.

use async_trait::async_trait;
use influxd_model::{BucketId, Dbrp, DbrpId, OrgId};
use influxd_store::columns::{name_key, refuse_nul};
use influxd_store::{DbrpFilter, DbrpRepository, Result, StoreError};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, QueryBuilder};

use super::{column, guarded, remove};
use crate::error::{corrupt, store_error};

pub(super) struct Dbrps<'c>(pub(super) &'c mut PgConnection);

pub(super) fn dbrp(row: &PgRow) -> Result<Dbrp> {
    let zero = || corrupt("mapping", "an id of it is zero");
    Ok(Dbrp {
        id: DbrpId::from_column(column(row, "id")?).ok_or_else(zero)?,
        org: OrgId::from_column(column(row, "org_id")?).ok_or_else(zero)?,
        bucket: BucketId::from_column(column(row, "bucket_id")?).ok_or_else(zero)?,
        database: column(row, "database")?,
        policy: column(row, "policy")?,
        is_default: column(row, "is_default")?,
    })
}

/// Lets nobody else change the mappings of an organization until this transaction has ended; who
/// tries meanwhile loses. Reading the mappings alone would not do that: one transaction could
/// remove the default while another adds a mapping beside it.
async fn lock(conn: &mut PgConnection, org: i64) -> Result<()> {
    let sql = "UPDATE organizations SET dbrp_changes = dbrp_changes + 1 WHERE id = $1";
    let done = sqlx::query(sql).bind(org).execute(conn).await;
    if done.map_err(store_error)?.rows_affected() == 0 {
        return Err(StoreError::NotFound("organization"));
    }
    Ok(())
}

/// Makes the first mapping of a database its default if none is.
async fn promote(conn: &mut PgConnection, org: i64, database_key: &[u8]) -> Result<()> {
    sqlx::query(
        "UPDATE dbrps SET is_default = true
         WHERE id = (SELECT min(id) FROM dbrps WHERE org_id = $1 AND database_key = $2)
           AND NOT EXISTS (SELECT 1 FROM dbrps
                           WHERE org_id = $1 AND database_key = $2 AND is_default)",
    )
    .bind(org)
    .bind(database_key.to_vec())
    .execute(conn)
    .await
    .map_err(store_error)?;
    Ok(())
}

/// Takes the default away from whichever mapping of a database has it.
async fn demote(conn: &mut PgConnection, org: i64, database_key: &[u8]) -> Result<()> {
    sqlx::query(
        "UPDATE dbrps SET is_default = false
         WHERE org_id = $1 AND database_key = $2 AND is_default",
    )
    .bind(org)
    .bind(database_key.to_vec())
    .execute(conn)
    .await
    .map_err(store_error)?;
    Ok(())
}

/// Removes the mappings to a bucket, in whatever organization.
pub(super) async fn delete_all_of_bucket(conn: &mut PgConnection, bucket: i64) -> Result<()> {
    let orgs = "SELECT DISTINCT org_id FROM dbrps WHERE bucket_id = $1 ORDER BY 1";
    let delete = "DELETE FROM dbrps WHERE bucket_id = $1 RETURNING org_id, database_key";
    delete_and_promote(conn, orgs, delete, bucket).await
}

/// Removes the mappings of an organization, to whatever buckets, and those to its buckets, in
/// whatever organization.
pub(super) async fn delete_all_of_organization(conn: &mut PgConnection, org: i64) -> Result<()> {
    remove(conn, "DELETE FROM dbrps WHERE org_id = $1", org).await?;
    let orgs = "SELECT DISTINCT org_id FROM dbrps
        WHERE bucket_id IN (SELECT id FROM buckets WHERE org_id = $1) ORDER BY 1";
    let delete = "DELETE FROM dbrps
        WHERE bucket_id IN (SELECT id FROM buckets WHERE org_id = $1)
        RETURNING org_id, database_key";
    delete_and_promote(conn, orgs, delete, org).await
}

/// Locks the organizations that `orgs` finds, and passes on the defaults that `delete` removes.
async fn delete_and_promote(
    conn: &mut PgConnection,
    orgs: &'static str,
    delete: &'static str,
    id: i64,
) -> Result<()> {
    let orgs = sqlx::query(orgs).bind(id).fetch_all(&mut *conn).await;
    for row in &orgs.map_err(store_error)? {
        lock(conn, column(row, "org_id")?).await?;
    }
    let gone = sqlx::query(delete).bind(id).fetch_all(&mut *conn).await;
    for row in &gone.map_err(store_error)? {
        promote(conn, column(row, "org_id")?, column(row, "database_key")?).await?;
    }
    Ok(())
}

impl Dbrps<'_> {
    async fn stored(&mut self, org: OrgId, id: DbrpId) -> Result<Dbrp> {
        let found = self.find(org, id).await?;
        found.ok_or(StoreError::NotFound("mapping"))
    }
}

#[async_trait]
impl DbrpRepository for Dbrps<'_> {
    #[tracing::instrument(name = "db.dbrp.find", skip_all)]
    async fn find(&mut self, org: OrgId, id: DbrpId) -> Result<Option<Dbrp>> {
        let row = sqlx::query(
            "SELECT id, org_id, bucket_id, database, policy, is_default FROM dbrps
             WHERE id = $1 AND org_id = $2",
        )
        .bind(id.to_column())
        .bind(org.to_column())
        .fetch_optional(&mut *self.0)
        .await
        .map_err(store_error)?;
        row.as_ref().map(dbrp).transpose()
    }

    #[tracing::instrument(name = "db.dbrp.list", skip_all)]
    async fn list(&mut self, org: OrgId, filter: &DbrpFilter) -> Result<Vec<Dbrp>> {
        let mut query = QueryBuilder::new(
            "SELECT id, org_id, bucket_id, database, policy, is_default FROM dbrps
             WHERE org_id = ",
        );
        query.push_bind(org.to_column());
        if let Some(id) = filter.id {
            query.push(" AND id = ").push_bind(id.to_column());
        }
        if let Some(bucket) = filter.bucket {
            query
                .push(" AND bucket_id = ")
                .push_bind(bucket.to_column());
        }
        if let Some(database) = &filter.database {
            query.push(" AND database_key = ");
            query.push_bind(name_key(database).to_vec());
        }
        if let Some(policy) = &filter.policy {
            query.push(" AND policy_key = ");
            query.push_bind(name_key(policy).to_vec());
        }
        if let Some(is_default) = filter.is_default {
            query.push(" AND is_default = ").push_bind(is_default);
        }
        query.push(" ORDER BY id");
        let rows = query.build().fetch_all(&mut *self.0).await;
        rows.map_err(store_error)?.iter().map(dbrp).collect()
    }

    #[tracing::instrument(name = "db.dbrp.insert", skip_all)]
    async fn insert(&mut self, new: &Dbrp) -> Result<Dbrp> {
        refuse_nul(&[&new.database, &new.policy])?;
        let (org, bucket) = (new.org.to_column(), new.bucket.to_column());
        lock(self.0, org).await?;
        let database_key = name_key(&new.database);
        // Not a default at first: the insert may find the names taken, and must change nothing then.
        let insert = sqlx::query(
            "INSERT INTO dbrps (id, org_id, bucket_id, database, database_key, policy,
                                policy_key, is_default)
             VALUES ($1, $2, $3, $4, $5, $6, $7, false)",
        )
        .bind(new.id.to_column())
        .bind(org)
        .bind(bucket)
        .bind(&new.database)
        .bind(database_key.to_vec())
        .bind(&new.policy)
        .bind(name_key(&new.policy).to_vec());
        guarded(self.0, insert).await?;
        if new.is_default {
            demote(self.0, org, &database_key).await?;
            make_default(self.0, new.id).await?;
        } else {
            promote(self.0, org, &database_key).await?;
        }
        self.stored(new.org, new.id).await
    }

    #[tracing::instrument(name = "db.dbrp.update", skip_all)]
    async fn update(&mut self, changed: &Dbrp) -> Result<Dbrp> {
        refuse_nul(&[&changed.policy])?;
        lock(self.0, changed.org.to_column()).await?;
        let before = self.stored(changed.org, changed.id).await?;
        let (org, database_key) = (before.org.to_column(), name_key(&before.database));
        let update = sqlx::query("UPDATE dbrps SET policy = $1, policy_key = $2 WHERE id = $3")
            .bind(&changed.policy)
            .bind(name_key(&changed.policy).to_vec())
            .bind(changed.id.to_column());
        guarded(self.0, update).await?;
        if changed.is_default && !before.is_default {
            demote(self.0, org, &database_key).await?;
            make_default(self.0, changed.id).await?;
        } else if before.is_default && !changed.is_default {
            pass_default_on(self.0, org, &database_key, changed.id).await?;
        }
        self.stored(changed.org, changed.id).await
    }

    #[tracing::instrument(name = "db.dbrp.delete", skip_all)]
    async fn delete(&mut self, org: OrgId, id: DbrpId) -> Result<()> {
        lock(self.0, org.to_column()).await?;
        let before = self.stored(org, id).await?;
        sqlx::query("DELETE FROM dbrps WHERE id = $1")
            .bind(id.to_column())
            .execute(&mut *self.0)
            .await
            .map_err(store_error)?;
        promote(self.0, org.to_column(), &name_key(&before.database)).await
    }
}

/// Makes a mapping the default of its database, which has none at the moment.
async fn make_default(conn: &mut PgConnection, id: DbrpId) -> Result<()> {
    sqlx::query("UPDATE dbrps SET is_default = true WHERE id = $1")
        .bind(id.to_column())
        .execute(conn)
        .await
        .map_err(store_error)?;
    Ok(())
}

/// Gives the default from one mapping to the first other one of its database, if there is any.
async fn pass_default_on(
    conn: &mut PgConnection,
    org: i64,
    database_key: &[u8],
    from: DbrpId,
) -> Result<()> {
    let next = sqlx::query(
        "SELECT id FROM dbrps WHERE org_id = $1 AND database_key = $2 AND id <> $3
         ORDER BY id LIMIT 1",
    )
    .bind(org)
    .bind(database_key.to_vec())
    .bind(from.to_column())
    .fetch_optional(&mut *conn)
    .await
    .map_err(store_error)?;
    let Some(next) = next else {
        return Ok(());
    };
    demote(conn, org, database_key).await?;
    sqlx::query("UPDATE dbrps SET is_default = true WHERE id = $1")
        .bind(column::<i64>(&next, "id")?)
        .execute(conn)
        .await
        .map_err(store_error)?;
    Ok(())
}
