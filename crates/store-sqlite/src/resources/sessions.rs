//! Sessions, by the digest of their key.

use async_trait::async_trait;
use influxd_model::{Session, UserId};
use influxd_store::{Result, SessionRepository};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::column;
use crate::error::{corrupt, store_error};

pub(super) struct Sessions<'c>(pub(super) &'c mut SqliteConnection);

fn session(row: &SqliteRow) -> Result<Session> {
    Ok(Session {
        user: UserId::from_column(column(row, "user_id")?)
            .ok_or_else(|| corrupt("session", "its user's id is zero"))?,
        created_at: column(row, "created_at")?,
        expires_at: column(row, "expires_at")?,
    })
}

#[async_trait]
impl SessionRepository for Sessions<'_> {
    #[tracing::instrument(name = "db.session.find", skip_all)]
    async fn find(&mut self, digest: &str, now: i64) -> Result<Option<Session>> {
        let row = sqlx::query(
            "SELECT user_id, created_at, expires_at FROM sessions
             WHERE digest = ? AND expires_at > ?",
        )
        .bind(digest)
        .bind(now)
        .fetch_optional(&mut *self.0)
        .await
        .map_err(store_error)?;
        row.as_ref().map(session).transpose()
    }

    #[tracing::instrument(name = "db.session.insert", skip_all)]
    async fn insert(&mut self, new: &Session, digest: &str) -> Result<()> {
        sqlx::query("DELETE FROM sessions WHERE expires_at <= ?")
            .bind(new.created_at)
            .execute(&mut *self.0)
            .await
            .map_err(store_error)?;
        let insert = sqlx::query(
            "INSERT INTO sessions (digest, user_id, created_at, expires_at)
             VALUES (?, ?, ?, ?)",
        )
        .bind(digest)
        .bind(new.user.to_column())
        .bind(new.created_at)
        .bind(new.expires_at);
        insert.execute(&mut *self.0).await.map_err(store_error)?;
        Ok(())
    }

    #[tracing::instrument(name = "db.session.extend", skip_all)]
    async fn extend(&mut self, digest: &str, expires_at: i64) -> Result<()> {
        sqlx::query("UPDATE sessions SET expires_at = ?2 WHERE digest = ?1 AND expires_at < ?2")
            .bind(digest)
            .bind(expires_at)
            .execute(&mut *self.0)
            .await
            .map_err(store_error)?;
        Ok(())
    }

    #[tracing::instrument(name = "db.session.delete", skip_all)]
    async fn delete(&mut self, digest: &str, now: i64) -> Result<bool> {
        let done = sqlx::query("DELETE FROM sessions WHERE digest = ? AND expires_at > ?")
            .bind(digest)
            .bind(now)
            .execute(&mut *self.0)
            .await
            .map_err(store_error)?;
        Ok(done.rows_affected() > 0)
    }

    #[tracing::instrument(name = "db.session.delete_of_user", skip_all)]
    async fn delete_of_user(&mut self, user: UserId, except: Option<&str>) -> Result<()> {
        sqlx::query("DELETE FROM sessions WHERE user_id = ? AND digest IS NOT ?")
            .bind(user.to_column())
            .bind(except)
            .execute(&mut *self.0)
            .await
            .map_err(store_error)?;
        Ok(())
    }
}
