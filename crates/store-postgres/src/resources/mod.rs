//! Transactions over resources and credentials.

mod authorizations;
mod buckets;
mod dbrps;
mod labels;
pub(crate) mod lists;
mod memberships;
mod organizations;
mod secrets;
mod sessions;
mod snapshot;
mod tokens;
mod users;

use async_trait::async_trait;
use influxd_store::{
    AuthorizationRepository, BucketRepository, Counts, DbrpRepository, LabelRepository,
    MembershipRepository, OrganizationRepository, Result, SecretRepository, SessionRepository,
    Snapshot, StoreError, TokenRepository, Transaction, UserRepository,
};
use sqlx::postgres::{PgArguments, PgQueryResult, PgRow};
use sqlx::query::Query;
use sqlx::{Executor, PgConnection, PgPool, Postgres, Row};

use crate::error::{is_constraint, lost_race, store_error};

/// A transaction; dropped, it rolls back before its connection is used again.
pub(crate) struct PostgresTransaction(pub(crate) sqlx::Transaction<'static, Postgres>);

#[async_trait]
impl Transaction for PostgresTransaction {
    fn organizations(&mut self) -> Box<dyn OrganizationRepository + '_> {
        Box::new(organizations::Organizations(&mut self.0))
    }

    fn users(&mut self) -> Box<dyn UserRepository + '_> {
        Box::new(users::Users(&mut self.0))
    }

    fn memberships(&mut self) -> Box<dyn MembershipRepository + '_> {
        Box::new(memberships::Memberships(&mut self.0))
    }

    fn buckets(&mut self) -> Box<dyn BucketRepository + '_> {
        Box::new(buckets::Buckets(&mut self.0))
    }

    fn authorizations(&mut self) -> Box<dyn AuthorizationRepository + '_> {
        Box::new(authorizations::Authorizations(&mut self.0))
    }

    fn tokens(&mut self) -> Box<dyn TokenRepository + '_> {
        Box::new(tokens::Tokens(&mut self.0))
    }

    fn sessions(&mut self) -> Box<dyn SessionRepository + '_> {
        Box::new(sessions::Sessions(&mut self.0))
    }

    fn dbrps(&mut self) -> Box<dyn DbrpRepository + '_> {
        Box::new(dbrps::Dbrps(&mut self.0))
    }

    fn labels(&mut self) -> Box<dyn LabelRepository + '_> {
        Box::new(labels::Labels(&mut self.0))
    }

    fn secrets(&mut self) -> Box<dyn SecretRepository + '_> {
        Box::new(secrets::Secrets(&mut self.0))
    }

    async fn snapshot(&mut self) -> Result<Snapshot> {
        snapshot::take(&mut self.0).await
    }

    async fn lock_for_set_up(&mut self) -> Result<()> {
        // Before the transaction has seen anything: so it sees what others did until then.
        let lock = "LOCK TABLE organizations, users IN SHARE ROW EXCLUSIVE MODE";
        self.0.execute(lock).await.map_err(store_error)?;
        Ok(())
    }

    async fn restore(&mut self, snapshot: &Snapshot) -> Result<()> {
        snapshot::restore(&mut self.0, snapshot).await
    }

    async fn commit(self: Box<Self>) -> Result<()> {
        self.0.commit().await.map_err(store_error)
    }
}

/// How much there is of everything.
pub(crate) async fn counts(pool: &PgPool) -> Result<Counts> {
    let row = sqlx::query(
        "SELECT (SELECT count(*) FROM organizations) AS organizations,
                (SELECT count(*) FROM users) AS users,
                (SELECT count(*) FROM buckets) AS buckets,
                (SELECT count(*) FROM authorizations) AS authorizations,
                (SELECT count(*) FROM authorizations WHERE v1_name_key IS NOT NULL) AS v1_users,
                (SELECT count(*) FROM sessions) AS sessions",
    )
    .fetch_one(pool)
    .await
    .map_err(store_error)?;
    let count = |name| Ok::<_, StoreError>(column::<i64>(&row, name)?.unsigned_abs());
    let v1_users = count("v1_users")?;
    Ok(Counts {
        organizations: count("organizations")?,
        users: count("users")?,
        buckets: count("buckets")?,
        tokens: count("authorizations")? - v1_users,
        v1_users,
        sessions: count("sessions")?,
    })
}

/// Runs a statement that may run into a constraint; the transaction goes on after that.
async fn guarded(
    conn: &mut PgConnection,
    query: Query<'_, Postgres, PgArguments>,
) -> Result<PgQueryResult> {
    conn.execute("SAVEPOINT guarded")
        .await
        .map_err(store_error)?;
    match query.execute(&mut *conn).await {
        Ok(done) => {
            let release = conn.execute("RELEASE SAVEPOINT guarded").await;
            release.map_err(store_error)?;
            Ok(done)
        }
        Err(error) => {
            if is_constraint(&error) {
                let sql = "ROLLBACK TO SAVEPOINT guarded; RELEASE SAVEPOINT guarded";
                conn.execute(sql).await.map_err(store_error)?;
            }
            Err(store_error(error))
        }
    }
}

/// `NotFound` if a statement that changes one row has found none.
fn must_change(done: &PgQueryResult, what: &'static str) -> Result<()> {
    if done.rows_affected() == 0 {
        return Err(StoreError::NotFound(what));
    }
    Ok(())
}

/// Runs a statement that removes what has, or belongs to, an id; says how many rows went.
async fn remove(conn: &mut PgConnection, sql: &'static str, id: i64) -> Result<u64> {
    let done = sqlx::query(sql).bind(id).execute(conn).await;
    Ok(done.map_err(removal_error)?.rows_affected())
}

/// The error of a statement that removes what everything known to refer to was removed from: a
/// constraint means that another transaction has added something, or removed the same, since.
fn removal_error(error: sqlx::Error) -> StoreError {
    if is_constraint(&error) {
        lost_race("it changed what was to be removed")
    } else {
        store_error(error)
    }
}

/// A column of a row.
fn column<'r, T>(row: &'r PgRow, name: &'static str) -> Result<T>
where
    T: sqlx::Decode<'r, Postgres> + sqlx::Type<Postgres>,
{
    row.try_get(name).map_err(store_error)
}

/// Whether a query that asks for existence finds any row.
async fn exists(conn: &mut PgConnection, sql: &'static str, id: i64) -> Result<bool> {
    let row = sqlx::query(sql).bind(id).fetch_optional(conn).await;
    Ok(row.map_err(store_error)?.is_some())
}
