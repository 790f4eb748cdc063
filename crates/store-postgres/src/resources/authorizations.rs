//! API tokens: what they may do, found by digest.

use async_trait::async_trait;
use influxd_model::{Authorization, AuthorizationId, OrgId, Status, UserId};
use influxd_store::columns::{permissions_from_text, permissions_to_text};
use influxd_store::{AuthorizationRepository, Result};
use sqlx::PgConnection;
use sqlx::postgres::PgRow;

use super::{column, guarded, users};
use crate::error::{corrupt, store_error};

pub(super) struct Authorizations<'c>(pub(super) &'c mut PgConnection);

fn authorization(row: &PgRow) -> Result<Authorization> {
    let zero = || corrupt("authorization", "an id of it is zero");
    Ok(Authorization {
        id: AuthorizationId::from_column(column(row, "id")?).ok_or_else(zero)?,
        org: OrgId::from_column(column(row, "org_id")?).ok_or_else(zero)?,
        user: UserId::from_column(column(row, "user_id")?).ok_or_else(zero)?,
        status: users::status(column(row, "active")?),
        description: column(row, "description")?,
        permissions: permissions_from_text(column(row, "permissions")?)?,
        created_at: column(row, "created_at")?,
        updated_at: column(row, "updated_at")?,
    })
}

#[async_trait]
impl AuthorizationRepository for Authorizations<'_> {
    #[tracing::instrument(name = "db.authorization.find_by_digest", skip_all)]
    async fn find_by_digest(
        &mut self,
        digests: &[String],
    ) -> Result<Option<(Authorization, String)>> {
        let row = sqlx::query(
            "SELECT id, org_id, user_id, active, description, permissions,
                    created_at, updated_at, token_digest
             FROM authorizations WHERE token_digest = ANY($1)
             ORDER BY array_position($1, token_digest) LIMIT 1",
        )
        .bind(digests)
        .fetch_optional(&mut *self.0)
        .await
        .map_err(store_error)?;
        match row {
            Some(row) => Ok(Some((authorization(&row)?, column(&row, "token_digest")?))),
            None => Ok(None),
        }
    }

    #[tracing::instrument(name = "db.authorization.insert", skip_all)]
    async fn insert(&mut self, new: &Authorization, digest: &str) -> Result<()> {
        let insert = sqlx::query(
            "INSERT INTO authorizations (id, org_id, user_id, active, description, permissions,
                                         created_at, updated_at, token_digest)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(new.id.to_column())
        .bind(new.org.to_column())
        .bind(new.user.to_column())
        .bind(new.status == Status::Active)
        .bind(&new.description)
        .bind(permissions_to_text(&new.permissions))
        .bind(new.created_at)
        .bind(new.updated_at)
        .bind(digest);
        guarded(self.0, insert).await?;
        Ok(())
    }
}
