//! API tokens: what they may do, found by digest.

use async_trait::async_trait;
use influxd_model::{Authorization, AuthorizationId, OrgId, Status, UserId};
use influxd_store::columns::{permissions_from_text, permissions_to_text};
use influxd_store::{AuthorizationRepository, Result};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::{column, users};
use crate::error::{corrupt, store_error};

pub(super) struct Authorizations<'c>(pub(super) &'c mut SqliteConnection);

fn authorization(row: &SqliteRow) -> Result<Authorization> {
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
        for digest in digests {
            let row = sqlx::query(
                "SELECT id, org_id, user_id, active, description, permissions,
                        created_at, updated_at
                 FROM authorizations WHERE token_digest = ?",
            )
            .bind(digest)
            .fetch_optional(&mut *self.0)
            .await
            .map_err(store_error)?;
            if let Some(row) = row {
                return Ok(Some((authorization(&row)?, digest.clone())));
            }
        }
        Ok(None)
    }

    #[tracing::instrument(name = "db.authorization.insert", skip_all)]
    async fn insert(&mut self, new: &Authorization, digest: &str) -> Result<()> {
        sqlx::query(
            "INSERT INTO authorizations (id, org_id, user_id, active, description, permissions,
                                         created_at, updated_at, token_digest)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(new.id.to_column())
        .bind(new.org.to_column())
        .bind(new.user.to_column())
        .bind(new.status == Status::Active)
        .bind(&new.description)
        .bind(permissions_to_text(&new.permissions))
        .bind(new.created_at)
        .bind(new.updated_at)
        .bind(digest)
        .execute(&mut *self.0)
        .await
        .map_err(store_error)?;
        Ok(())
    }
}
