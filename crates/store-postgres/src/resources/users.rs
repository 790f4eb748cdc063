//! Users and their passwords.

use async_trait::async_trait;
use influxd_model::{Status, User, UserId};
use influxd_store::columns::{name_key, refuse_nul};
use influxd_store::lists::Wanted;
use influxd_store::{Page, Result, StoreError, Unique, UserRepository};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

use super::lists::Lists;
use super::{column, exists, guarded, must_change, remove};
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

pub(super) fn user(row: &PgRow) -> Result<User> {
    Ok(User {
        id: UserId::from_column(column(row, "id")?)
            .ok_or_else(|| corrupt("user", "its id is zero"))?,
        name: column(row, "name")?,
        status: status(column(row, "active")?),
        oauth_id: column(row, "oauth_id")?,
    })
}

/// What may be left of a user who is gone (auth-and-resources 9.10).
const REMAINS: &str = "SELECT 1 FROM authorizations WHERE user_id = $1
    UNION ALL SELECT 1 FROM sessions WHERE user_id = $1 LIMIT 1";

/// Lets nobody delete a user, if there is one with this id, until this transaction has ended: what
/// is added for a user must be seen by whoever gives the id again.
pub(super) async fn keep(conn: &mut PgConnection, id: UserId) -> Result<()> {
    let sql = "SELECT 1 FROM users WHERE id = $1 FOR KEY SHARE";
    exists(conn, sql, id.to_column()).await?;
    Ok(())
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
        let row = sqlx::query("SELECT id, name, active, oauth_id FROM users WHERE id = $1")
            .bind(id.to_column())
            .fetch_optional(&mut *self.0)
            .await
            .map_err(store_error)?;
        row.as_ref().map(user).transpose()
    }

    #[tracing::instrument(name = "db.user.find_by_name", skip_all)]
    async fn find_by_name(&mut self, name: &str) -> Result<Option<User>> {
        let row = sqlx::query("SELECT id, name, active, oauth_id FROM users WHERE name_key = $1")
            .bind(name_key(name).to_vec())
            .fetch_optional(&mut *self.0)
            .await
            .map_err(store_error)?;
        row.as_ref().map(user).transpose()
    }

    #[tracing::instrument(name = "db.user.list", skip_all)]
    async fn list(&mut self, after: Option<UserId>, page: Page) -> Result<Vec<User>> {
        Lists(self.0).page(Wanted::users(after, page), user).await
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
        refuse_nul(&[&new.name, &new.oauth_id])?;
        let id = new.id.to_column();
        if exists(self.0, REMAINS, id).await? {
            return Err(StoreError::Conflict(Unique::Id));
        }
        let insert = sqlx::query(
            "INSERT INTO users (id, name, name_key, active, oauth_id)
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(id)
        .bind(&new.name)
        .bind(name_key(&new.name).to_vec())
        .bind(new.status == Status::Active)
        .bind(&new.oauth_id);
        guarded(self.0, insert).await?;
        Ok(())
    }

    #[tracing::instrument(name = "db.user.update", skip_all)]
    async fn update(&mut self, changed: &User) -> Result<()> {
        refuse_nul(&[&changed.name])?;
        let sql = "UPDATE users SET name = $1, name_key = $2, active = $3 WHERE id = $4";
        let update = sqlx::query(sql)
            .bind(&changed.name)
            .bind(name_key(&changed.name).to_vec())
            .bind(changed.status == Status::Active)
            .bind(changed.id.to_column());
        let done = guarded(self.0, update).await?;
        must_change(&done, "user")
    }

    #[tracing::instrument(name = "db.user.delete", skip_all)]
    async fn delete(&mut self, id: UserId) -> Result<()> {
        self.must_exist(id).await?;
        for sql in [
            "DELETE FROM passwords WHERE user_id = $1",
            "DELETE FROM memberships WHERE user_id = $1",
            "DELETE FROM users WHERE id = $1",
        ] {
            remove(self.0, sql, id.to_column()).await?;
        }
        Ok(())
    }

    #[tracing::instrument(name = "db.user.set_password", skip_all)]
    async fn set_password(&mut self, id: UserId, hash: &str) -> Result<()> {
        self.must_exist(id).await?;
        let set = sqlx::query(
            "INSERT INTO passwords (user_id, hash) VALUES ($1, $2)
             ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash",
        )
        .bind(id.to_column())
        .bind(hash);
        guarded(self.0, set).await?;
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
}
