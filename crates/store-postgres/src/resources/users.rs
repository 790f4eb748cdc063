//! Users, their passwords and what they own.

use async_trait::async_trait;
use influxd_model::{Status, User, UserId};
use influxd_store::columns::name_key;
use influxd_store::{Ownership, Result, StoreError, UserRepository};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

use super::{column, exists, guarded};
use crate::error::{corrupt, store_error};

pub(super) struct Users<'c>(pub(super) &'c mut PgConnection);

/// The status behind a column `active`.
pub(super) fn status(active: bool) -> Status {
    if active {
        Status::Active
    } else {
        Status::Inactive
    }
}

fn user(row: &PgRow) -> Result<User> {
    Ok(User {
        id: UserId::from_column(column(row, "id")?)
            .ok_or_else(|| corrupt("user", "its id is zero"))?,
        name: column(row, "name")?,
        status: status(column(row, "active")?),
    })
}

impl Users<'_> {
    async fn must_exist(&mut self, id: UserId) -> Result<()> {
        if exists(self.0, "SELECT 1 FROM users WHERE id = $1", id.to_column()).await? {
            Ok(())
        } else {
            Err(StoreError::NotFound("user"))
        }
    }
}

#[async_trait]
impl UserRepository for Users<'_> {
    #[tracing::instrument(name = "db.user.find", skip_all)]
    async fn find(&mut self, id: UserId) -> Result<Option<User>> {
        let row = sqlx::query("SELECT id, name, active FROM users WHERE id = $1")
            .bind(id.to_column())
            .fetch_optional(&mut *self.0)
            .await
            .map_err(store_error)?;
        row.as_ref().map(user).transpose()
    }

    #[tracing::instrument(name = "db.user.find_by_name", skip_all)]
    async fn find_by_name(&mut self, name: &str) -> Result<Option<User>> {
        let row = sqlx::query("SELECT id, name, active FROM users WHERE name_key = $1")
            .bind(name_key(name).to_vec())
            .fetch_optional(&mut *self.0)
            .await
            .map_err(store_error)?;
        row.as_ref().map(user).transpose()
    }

    #[tracing::instrument(name = "db.user.is_empty", skip_all)]
    async fn is_empty(&mut self) -> Result<bool> {
        let row = sqlx::query("SELECT NOT EXISTS (SELECT 1 FROM users) AS empty")
            .fetch_one(&mut *self.0)
            .await
            .map_err(store_error)?;
        row.try_get("empty").map_err(store_error)
    }

    #[tracing::instrument(name = "db.user.insert", skip_all)]
    async fn insert(&mut self, new: &User) -> Result<()> {
        let sql = "INSERT INTO users (id, name, name_key, active) VALUES ($1, $2, $3, $4)";
        let insert = sqlx::query(sql)
            .bind(new.id.to_column())
            .bind(&new.name)
            .bind(name_key(&new.name).to_vec())
            .bind(new.status == Status::Active);
        guarded(self.0, insert).await?;
        Ok(())
    }

    #[tracing::instrument(name = "db.user.set_password", skip_all)]
    async fn set_password(&mut self, id: UserId, hash: &str) -> Result<()> {
        self.must_exist(id).await?;
        sqlx::query(
            "INSERT INTO passwords (user_id, hash) VALUES ($1, $2)
             ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash",
        )
        .bind(id.to_column())
        .bind(hash)
        .execute(&mut *self.0)
        .await
        .map_err(store_error)?;
        Ok(())
    }

    #[tracing::instrument(name = "db.user.password", skip_all)]
    async fn password(&mut self, id: UserId) -> Result<Option<String>> {
        let row = sqlx::query("SELECT hash FROM passwords WHERE user_id = $1")
            .bind(id.to_column())
            .fetch_optional(&mut *self.0)
            .await
            .map_err(store_error)?;
        row.as_ref().map(|row| column(row, "hash")).transpose()
    }

    #[tracing::instrument(name = "db.user.own", skip_all)]
    async fn own(&mut self, id: UserId, what: Ownership) -> Result<()> {
        self.must_exist(id).await?;
        let (kind, resource) = match what {
            Ownership::Instance => (0_i16, 0),
            Ownership::Organization(org) => (1, org.to_column()),
        };
        sqlx::query(
            "INSERT INTO owners (user_id, kind, resource_id) VALUES ($1, $2, $3)
             ON CONFLICT DO NOTHING",
        )
        .bind(id.to_column())
        .bind(kind)
        .bind(resource)
        .execute(&mut *self.0)
        .await
        .map_err(store_error)?;
        Ok(())
    }
}
