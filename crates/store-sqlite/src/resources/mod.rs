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
use sqlx::sqlite::{SqliteQueryResult, SqliteRow};
use sqlx::{Row, Sqlite, SqliteConnection, SqlitePool};

use crate::error::store_error;
use crate::writer::Turn;

/// A transaction.
pub(crate) enum SqliteTransaction {
    /// One that may write: it has the writing connection to itself.
    Write(Turn),
    /// One that only reads, on a connection that refuses anything else.
    Read(sqlx::Transaction<'static, Sqlite>),
}

impl SqliteTransaction {
    fn conn(&mut self) -> &mut SqliteConnection {
        match self {
            Self::Write(turn) => turn.conn(),
            Self::Read(transaction) => transaction,
        }
    }
}

#[async_trait]
impl Transaction for SqliteTransaction {
    fn organizations(&mut self) -> Box<dyn OrganizationRepository + '_> {
        Box::new(organizations::Organizations(self.conn()))
    }

    fn users(&mut self) -> Box<dyn UserRepository + '_> {
        Box::new(users::Users(self.conn()))
    }

    fn memberships(&mut self) -> Box<dyn MembershipRepository + '_> {
        Box::new(memberships::Memberships(self.conn()))
    }

    fn buckets(&mut self) -> Box<dyn BucketRepository + '_> {
        Box::new(buckets::Buckets(self.conn()))
    }

    fn authorizations(&mut self) -> Box<dyn AuthorizationRepository + '_> {
        Box::new(authorizations::Authorizations(self.conn()))
    }

    fn tokens(&mut self) -> Box<dyn TokenRepository + '_> {
        Box::new(tokens::Tokens(self.conn()))
    }

    fn sessions(&mut self) -> Box<dyn SessionRepository + '_> {
        Box::new(sessions::Sessions(self.conn()))
    }

    fn dbrps(&mut self) -> Box<dyn DbrpRepository + '_> {
        Box::new(dbrps::Dbrps(self.conn()))
    }

    fn labels(&mut self) -> Box<dyn LabelRepository + '_> {
        Box::new(labels::Labels(self.conn()))
    }

    fn secrets(&mut self) -> Box<dyn SecretRepository + '_> {
        Box::new(secrets::Secrets(self.conn()))
    }

    async fn snapshot(&mut self) -> Result<Snapshot> {
        snapshot::take(self.conn()).await
    }

    async fn lock_for_set_up(&mut self) -> Result<()> {
        // One transaction writes at a time.
        Ok(())
    }

    async fn restore(&mut self, snapshot: &Snapshot) -> Result<()> {
        snapshot::restore(self.conn(), snapshot).await
    }

    async fn commit(self: Box<Self>) -> Result<()> {
        match *self {
            Self::Write(turn) => turn.commit().await,
            Self::Read(transaction) => transaction.commit().await.map_err(store_error),
        }
    }
}

/// How much there is of everything.
pub(crate) async fn counts(pool: &SqlitePool) -> Result<Counts> {
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

/// A column of a row.
fn column<'r, T>(row: &'r SqliteRow, name: &'static str) -> Result<T>
where
    T: sqlx::Decode<'r, Sqlite> + sqlx::Type<Sqlite>,
{
    row.try_get(name).map_err(store_error)
}

/// Whether a query that asks for existence finds any row.
async fn exists(conn: &mut SqliteConnection, sql: &'static str, id: i64) -> Result<bool> {
    let row = sqlx::query(sql).bind(id).fetch_optional(conn).await;
    Ok(row.map_err(store_error)?.is_some())
}

/// What something is called, and a query that finds it by its id.
type Thing = (&'static str, &'static str);
const ORGANIZATION: Thing = ("organization", "SELECT 1 FROM organizations WHERE id = ?");
const USER: Thing = ("user", "SELECT 1 FROM users WHERE id = ?");
const BUCKET: Thing = ("bucket", "SELECT 1 FROM buckets WHERE id = ?");
const LABEL: Thing = ("label", "SELECT 1 FROM labels WHERE id = ?");

/// `NotFound` if there is no such thing with this id. SQLite does not say which reference fails.
async fn must_exist(conn: &mut SqliteConnection, thing: Thing, id: i64) -> Result<()> {
    let (name, sql) = thing;
    if exists(conn, sql, id).await? {
        Ok(())
    } else {
        Err(StoreError::NotFound(name))
    }
}

/// `NotFound` if a statement that changes one row has found none.
fn must_change(done: &SqliteQueryResult, what: &'static str) -> Result<()> {
    if done.rows_affected() == 0 {
        return Err(StoreError::NotFound(what));
    }
    Ok(())
}

/// Runs a statement that removes what has, or belongs to, an id; says how many rows went.
async fn remove(conn: &mut SqliteConnection, sql: &'static str, id: i64) -> Result<u64> {
    let done = sqlx::query(sql).bind(id).execute(conn).await;
    Ok(done.map_err(store_error)?.rows_affected())
}
