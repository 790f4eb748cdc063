//! Organizations.

use async_trait::async_trait;
use influxd_model::{OrgId, Organization};
use influxd_store::columns::organization_key;
use influxd_store::{OrganizationRepository, Page, Result, StoreError};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

use super::{buckets, column, dbrps, guarded, lost_race};
use crate::error::{corrupt, store_error};

pub(super) struct Organizations<'c>(pub(super) &'c mut PgConnection);

fn organization(row: &PgRow) -> Result<Organization> {
    Ok(Organization {
        id: OrgId::from_column(column(row, "id")?)
            .ok_or_else(|| corrupt("organization", "its id is zero"))?,
        name: column(row, "name")?,
        description: column(row, "description")?,
        created_at: column(row, "created_at")?,
        updated_at: column(row, "updated_at")?,
    })
}

const COLUMNS: &str = "id, name, description, created_at, updated_at";

#[async_trait]
impl OrganizationRepository for Organizations<'_> {
    #[tracing::instrument(name = "db.organization.find", skip_all)]
    async fn find(&mut self, id: OrgId) -> Result<Option<Organization>> {
        let row = sqlx::query(
            "SELECT id, name, description, created_at, updated_at FROM organizations
             WHERE id = $1",
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
             WHERE name_key = $1",
        )
        .bind(organization_key(name).to_vec())
        .fetch_optional(&mut *self.0)
        .await
        .map_err(store_error)?;
        row.as_ref().map(organization).transpose()
    }

    #[tracing::instrument(name = "db.organization.list", skip_all)]
    async fn list(&mut self, page: Page) -> Result<Vec<Organization>> {
        let order = if page.descending { "DESC" } else { "ASC" };
        let mut query = sqlx::QueryBuilder::new("SELECT ");
        query.push(COLUMNS);
        query.push(" FROM organizations ORDER BY id ").push(order);
        query.push(" LIMIT ").push_bind(i64::from(page.limit));
        query.push(" OFFSET ").push_bind(i64::from(page.offset));
        let rows = query.build().fetch_all(&mut *self.0).await;
        rows.map_err(store_error)?
            .iter()
            .map(organization)
            .collect()
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
        let insert = sqlx::query(
            "INSERT INTO organizations (id, name, name_key, description, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(new.id.to_column())
        .bind(&new.name)
        .bind(organization_key(&new.name).to_vec())
        .bind(&new.description)
        .bind(new.created_at)
        .bind(new.updated_at);
        guarded(self.0, insert).await?;
        Ok(())
    }

    #[tracing::instrument(name = "db.organization.delete", skip_all)]
    async fn delete(&mut self, id: OrgId) -> Result<()> {
        if self.find(id).await?.is_none() {
            return Err(StoreError::NotFound("organization"));
        }
        let buckets = sqlx::query("SELECT id FROM buckets WHERE org_id = $1 ORDER BY id")
            .bind(id.to_column())
            .fetch_all(&mut *self.0)
            .await
            .map_err(store_error)?;
        for row in &buckets {
            buckets::delete(self.0, column(row, "id")?).await?;
        }
        dbrps::delete_all_of_organization(self.0, id).await?;
        for sql in [
            "DELETE FROM owners WHERE kind = 1 AND resource_id = $1",
            "DELETE FROM organizations WHERE id = $1",
        ] {
            let done = sqlx::query(sql).bind(id.to_column()).execute(&mut *self.0);
            done.await.map_err(lost_race)?;
        }
        Ok(())
    }
}
