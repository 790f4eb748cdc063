//! Transactions over resources and credentials.

mod authorizations;
mod buckets;
mod dbrps;
mod organizations;
mod users;

use async_trait::async_trait;
use influxd_store::{
    AuthorizationRepository, BucketRepository, DbrpRepository, OrganizationRepository, Result,
    Transaction, UserRepository,
};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, Sqlite, SqliteConnection};

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

    fn buckets(&mut self) -> Box<dyn BucketRepository + '_> {
        Box::new(buckets::Buckets(self.conn()))
    }

    fn authorizations(&mut self) -> Box<dyn AuthorizationRepository + '_> {
        Box::new(authorizations::Authorizations(self.conn()))
    }

    fn dbrps(&mut self) -> Box<dyn DbrpRepository + '_> {
        Box::new(dbrps::Dbrps(self.conn()))
    }

    async fn commit(self: Box<Self>) -> Result<()> {
        match *self {
            Self::Write(turn) => turn.commit().await,
            Self::Read(transaction) => transaction.commit().await.map_err(store_error),
        }
    }
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
