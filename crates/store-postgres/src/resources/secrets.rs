//! Secrets of organizations.

use async_trait::async_trait;
use influxd_model::OrgId;
use influxd_store::columns::{name_key, refuse_nul};
use influxd_store::{Result, SecretRecord, SecretRepository};
use sqlx::PgConnection;

use super::{column, guarded, snapshot};
use crate::error::store_error;

pub(super) struct Secrets<'c>(pub(super) &'c mut PgConnection);

#[async_trait]
impl SecretRepository for Secrets<'_> {
    #[tracing::instrument(name = "db.secret.keys", skip_all)]
    async fn keys(&mut self, org: OrgId) -> Result<Vec<String>> {
        let rows = sqlx::query("SELECT key FROM secrets WHERE org_id = $1 ORDER BY key")
            .bind(org.to_column())
            .fetch_all(&mut *self.0)
            .await
            .map_err(store_error)?;
        rows.iter().map(|row| column(row, "key")).collect()
    }

    #[tracing::instrument(name = "db.secret.put", skip_all)]
    async fn put(&mut self, org: OrgId, key: &str, value: &[u8]) -> Result<()> {
        refuse_nul(&[key])?;
        let put = sqlx::query(
            "INSERT INTO secrets (org_id, key, key_digest, value) VALUES ($1, $2, $3, $4)
             ON CONFLICT (org_id, key_digest) DO UPDATE SET value = excluded.value",
        )
        .bind(org.to_column())
        .bind(key)
        .bind(name_key(key).to_vec())
        .bind(value);
        guarded(self.0, put).await?;
        Ok(())
    }

    #[tracing::instrument(name = "db.secret.replace", skip_all)]
    async fn replace(&mut self, org: OrgId, key: &str, value: &[u8]) -> Result<bool> {
        let sql = "UPDATE secrets SET value = $1 WHERE org_id = $2 AND key_digest = $3";
        let done = sqlx::query(sql)
            .bind(value)
            .bind(org.to_column())
            .bind(name_key(key).to_vec())
            .execute(&mut *self.0)
            .await
            .map_err(store_error)?;
        Ok(done.rows_affected() > 0)
    }

    #[tracing::instrument(name = "db.secret.stored", skip_all)]
    async fn stored(
        &mut self,
        after: Option<(OrgId, &str)>,
        limit: u32,
    ) -> Result<Vec<SecretRecord>> {
        // No digest is empty.
        let (org, digest) = after.map_or((i64::MIN, Vec::new()), |(org, key)| {
            (org.to_column(), name_key(key).to_vec())
        });
        let rows = sqlx::query(
            "SELECT org_id, key, value FROM secrets WHERE (org_id, key_digest) > ($1, $2)
             ORDER BY org_id, key_digest LIMIT $3",
        )
        .bind(org)
        .bind(digest)
        .bind(i64::from(limit))
        .fetch_all(&mut *self.0)
        .await
        .map_err(store_error)?;
        rows.iter().map(snapshot::secret).collect()
    }

    #[tracing::instrument(name = "db.secret.delete", skip_all)]
    async fn delete(&mut self, org: OrgId, key: &str) -> Result<bool> {
        let done = sqlx::query("DELETE FROM secrets WHERE org_id = $1 AND key_digest = $2")
            .bind(org.to_column())
            .bind(name_key(key).to_vec())
            .execute(&mut *self.0)
            .await
            .map_err(store_error)?;
        Ok(done.rows_affected() > 0)
    }
}
