//! Sessions, by the digest of their key.

use async_trait::async_trait;
use influxd_model::{Session, UserId};
use influxd_store::{Result, SessionRepository};
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{Executor, PgConnection, Postgres};

use super::{column, guarded, users};
use crate::error::{corrupt, is_lost_race, store_error};

pub(super) struct Sessions<'c>(pub(super) &'c mut PgConnection);

fn session(row: &PgRow) -> Result<Session> {
    Ok(Session {
        user: UserId::from_column(column(row, "user_id")?)
            .ok_or_else(|| corrupt("session", "its user's id is zero"))?,
        created_at: column(row, "created_at")?,
        expires_at: column(row, "expires_at")?,
    })
}

/// Runs a statement whose work another transaction may have done at the same moment. Then it is
/// done, and no reason to turn a request away.
async fn unless_done(
    conn: &mut PgConnection,
    query: Query<'_, Postgres, PgArguments>,
) -> Result<()> {
    conn.execute("SAVEPOINT unless_done")
        .await
        .map_err(store_error)?;
    let end = match query.execute(&mut *conn).await {
        Ok(_) => "RELEASE SAVEPOINT unless_done",
        Err(error) if is_lost_race(&error) => {
            "ROLLBACK TO SAVEPOINT unless_done; RELEASE SAVEPOINT unless_done"
        }
        Err(error) => return Err(store_error(error)),
    };
    conn.execute(end).await.map_err(store_error)?;
    Ok(())
}

#[async_trait]
impl SessionRepository for Sessions<'_> {
    #[tracing::instrument(name = "db.session.find", skip_all)]
    async fn find(&mut self, digest: &str, now: i64) -> Result<Option<Session>> {
        let row = sqlx::query(
            "SELECT user_id, created_at, expires_at FROM sessions
             WHERE digest = $1 AND expires_at > $2",
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
        users::keep(self.0, new.user).await?;
        let expired = sqlx::query(
            "DELETE FROM sessions WHERE digest = ANY (ARRAY(
               SELECT digest FROM sessions WHERE expires_at <= $1 FOR UPDATE SKIP LOCKED))",
        )
        .bind(new.created_at);
        unless_done(self.0, expired).await?;
        let insert = sqlx::query(
            "INSERT INTO sessions (digest, user_id, created_at, expires_at)
             VALUES ($1, $2, $3, $4)",
        )
        .bind(digest)
        .bind(new.user.to_column())
        .bind(new.created_at)
        .bind(new.expires_at);
        guarded(self.0, insert).await?;
        Ok(())
    }

    #[tracing::instrument(name = "db.session.extend", skip_all)]
    async fn extend(&mut self, digest: &str, expires_at: i64) -> Result<()> {
        // Who moves the end at the same moment moves it to nearly the same time.
        let extend = sqlx::query(
            "UPDATE sessions SET expires_at = $2 WHERE digest = $1 AND expires_at < $2",
        )
        .bind(digest)
        .bind(expires_at);
        unless_done(self.0, extend).await
    }

    #[tracing::instrument(name = "db.session.delete", skip_all)]
    async fn delete(&mut self, digest: &str, now: i64) -> Result<bool> {
        let done = sqlx::query("DELETE FROM sessions WHERE digest = $1 AND expires_at > $2")
            .bind(digest)
            .bind(now)
            .execute(&mut *self.0)
            .await
            .map_err(store_error)?;
        Ok(done.rows_affected() > 0)
    }

    #[tracing::instrument(name = "db.session.delete_of_user", skip_all)]
    async fn delete_of_user(&mut self, user: UserId, except: Option<&str>) -> Result<()> {
        sqlx::query("DELETE FROM sessions WHERE user_id = $1 AND digest IS DISTINCT FROM $2")
            .bind(user.to_column())
            .bind(except)
            .execute(&mut *self.0)
            .await
            .map_err(store_error)?;
        Ok(())
    }
}
