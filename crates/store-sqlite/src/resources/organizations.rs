//! Organizations.

use async_trait::async_trait;
use influxd_model::{OrgId, Organization, UserId};
use influxd_store::columns::{organization_key, refuse_nul};
use influxd_store::lists::Wanted;
use influxd_store::{OrganizationRepository, Page, Result};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::lists::Lists;
use super::{ORGANIZATION, buckets, column, dbrps, must_change, must_exist, remove};
use crate::error::{corrupt, store_error};

pub(super) struct Organizations<'c>(pub(super) &'c mut SqliteConnection);

pub(super) fn organization(row: &SqliteRow) -> Result<Organization> {
    Ok(Organization {
        id: OrgId::from_column(column(row, "id")?)
            .ok_or_else(|| corrupt("organization", "its id is zero"))?,
        name: column(row, "name")?,
        description: column(row, "description")?,
        created_at: column(row, "created_at")?,
        updated_at: column(row, "updated_at")?,
    })
}

#[async_trait]
impl OrganizationRepository for Organizations<'_> {
    #[tracing::instrument(name = "db.organization.find", skip_all)]
    async fn find(&mut self, id: OrgId) -> Result<Option<Organization>> {
        let row = sqlx::query(
            "SELECT id, name, description, created_at, updated_at FROM organizations
             WHERE id = ?",
        )
        .bind(id.to_column())
        .fetch_optional(&mut *self.0)
        .await
        .map_err(store_error)?;
        row.as_ref().map(organization).transpose()
    }

    #[tracing::instrument(name = "db.organization.find_by_name", skip_all)]
    async fn find_by_name(&mut self, name: &str) -> Result<Option<Organization>> {
        let row = sqlx::query(
            "SELECT id, name, description, created_at, updated_at FROM organizations
             WHERE name_key = ?",
        )
        .bind(organization_key(name).to_vec())
        .fetch_optional(&mut *self.0)
        .await
        .map_err(store_error)?;
        row.as_ref().map(organization).transpose()
    }

    #[tracing::instrument(name = "db.organization.list", skip_all)]
    async fn list(&mut self, of: Option<UserId>, page: Page) -> Result<Vec<Organization>> {
        Lists(self.0)
            .page(Wanted::organizations(of, page), organization)
            .await
    }

    #[tracing::instrument(name = "db.organization.is_empty", skip_all)]
    async fn is_empty(&mut self) -> Result<bool> {
        let row = sqlx::query("SELECT NOT EXISTS (SELECT 1 FROM organizations) AS empty")
            .fetch_one(&mut *self.0)
            .await
            .map_err(store_error)?;
        row.try_get("empty").map_err(store_error)
    }

    #[tracing::instrument(name = "db.organization.insert", skip_all)]
    async fn insert(&mut self, new: &Organization) -> Result<()> {
        refuse_nul(&[&new.name, &new.description])?;
        sqlx::query(
            "INSERT INTO organizations (id, name, name_key, description, created_at, updated_at)
             VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(new.id.to_column())
        .bind(&new.name)
        .bind(organization_key(&new.name).to_vec())
        .bind(&new.description)
        .bind(new.created_at)
        .bind(new.updated_at)
        .execute(&mut *self.0)
        .await
        .map_err(store_error)?;
        Ok(())
    }

    #[tracing::instrument(name = "db.organization.update", skip_all)]
    async fn update(&mut self, changed: &Organization) -> Result<()> {
        refuse_nul(&[&changed.name, &changed.description])?;
        let done = sqlx::query(
            "UPDATE organizations SET name = ?, name_key = ?, description = ?, updated_at = ?
             WHERE id = ?",
        )
        .bind(&changed.name)
        .bind(organization_key(&changed.name).to_vec())
        .bind(&changed.description)
        .bind(changed.updated_at)
        .bind(changed.id.to_column())
        .execute(&mut *self.0)
        .await
        .map_err(store_error)?;
        must_change(&done, "organization")
    }

    #[tracing::instrument(name = "db.organization.delete", skip_all)]
    async fn delete(&mut self, id: OrgId) -> Result<()> {
        let id = id.to_column();
        must_exist(self.0, ORGANIZATION, id).await?;
        dbrps::delete_all_of_organization(self.0, id).await?;
        buckets::delete_all_of_organization(self.0, id).await?;
        for sql in [
            "DELETE FROM bucket_labels
             WHERE label_id IN (SELECT id FROM labels WHERE org_id = ?)",
            "DELETE FROM labels WHERE org_id = ?",
            "DELETE FROM secrets WHERE org_id = ?",
            "DELETE FROM memberships WHERE kind = 1 AND thing_id = ?",
            "DELETE FROM organizations WHERE id = ?",
        ] {
            remove(self.0, sql, id).await?;
        }
        Ok(())
    }
}
