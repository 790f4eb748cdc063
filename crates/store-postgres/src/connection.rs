//! What every connection is told first, and the check that versions go on growing.

use std::str::FromStr;
use std::time::Duration;

use influxd_store::{Result, StoreError};
use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Executor, PgConnection, Row};

use crate::error::{opening_error, store_error, unavailable};

/// What stands before the name of a server in the name of its connections.
pub(crate) const SERVER: &str = "influxd ";

/// How long making a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Durability is set and not assumed; and nobody can hold locks or snapshots for long: a server
/// that is stopped in the middle of something must not stop the others.
const SESSION: &str = "SET synchronous_commit = on;
    SET statement_timeout = '60s';
    SET idle_in_transaction_session_timeout = '30s';
    SET lock_timeout = '10s';
    SET default_transaction_isolation = 'read committed';
    SET client_min_messages = warning";

/// Transaction ids start again after a dump and restore, while the rows keep their versions. Then
/// the next version would not be above all others (storage study 8.6).
const BEHIND: &str = "
    WITH s AS MATERIALIZED (
        SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS next_id, version_offset
        FROM store_state
    ), used AS (
        SELECT greatest(
            (SELECT max(version) FROM fresh_chunks),
            (SELECT max(died) FROM fresh_chunks WHERE died IS NOT NULL),
            (SELECT max(version) FROM chunks),
            (SELECT max(died) FROM chunks WHERE died IS NOT NULL),
            (SELECT max(version) FROM tombstones),
            (SELECT max(died) FROM tombstones WHERE died IS NOT NULL),
            (SELECT max(version) FROM shard_windows),
            (SELECT max(died) FROM shard_windows WHERE died IS NOT NULL),
            (SELECT max(version) FROM fields),
            (SELECT max(died) FROM fields WHERE died IS NOT NULL),
            (SELECT max(epoch) FROM buckets),
            (SELECT max(version) FROM deleted_buckets),
            (SELECT horizon FROM store_state)) AS version
    )
    SELECT used.version - s.next_id + 1 AS offset_needed
    FROM s, used WHERE used.version >= s.next_id + s.version_offset";

/// The options in a URL; what is wrong with one is not said, for it may hold a password.
/// Connections say who they are: `server`, if it is one (see [`SERVER`]), behind the name that the
/// URL gives.
pub(crate) fn connect_options(
    url: &SecretString,
    server: Option<&str>,
) -> Result<PgConnectOptions> {
    let options = PgConnectOptions::from_str(url.expose_secret()).map_err(|_| {
        StoreError::Unusable(
            "the database's URL cannot be understood: it has to look like \
             postgres://user:password@host:5432/database"
                .to_owned(),
        )
    })?;
    let given = options.get_application_name().map(str::to_owned);
    let options = match (given, server) {
        (None, None) => options.application_name("influxd"),
        (Some(_), None) => options,
        (None, Some(who)) => options.application_name(&format!("{SERVER}{who}")),
        (Some(name), Some(who)) => {
            // PostgreSQL cuts names off after 63 bytes.
            let name: String = name.chars().take(15).collect();
            options.application_name(&format!("{name} {SERVER}{who}"))
        }
    };
    Ok(options.disable_statement_logging())
}

/// A connection without any setting, while the store is opened: there it matters whether the server
/// lets anybody in.
pub(crate) async fn connect_first(options: &PgConnectOptions) -> Result<PgConnection> {
    connected(options).await?.map_err(opening_error)
}

async fn connected(options: &PgConnectOptions) -> Result<sqlx::Result<PgConnection>> {
    let connecting = tokio::time::timeout(CONNECT_TIMEOUT, options.connect());
    let waited = connecting.await;
    waited.map_err(|_| unavailable("the database did not answer in time"))
}

/// A connection of its own, outside the pool, set up like those of the pool.
pub(crate) async fn connect(options: &PgConnectOptions) -> Result<PgConnection> {
    let mut conn = connected(options).await?.map_err(store_error)?;
    set_up(&mut conn).await.map_err(store_error)?;
    Ok(conn)
}

/// What every connection goes through before its first use.
pub(crate) async fn set_up(conn: &mut PgConnection) -> sqlx::Result<()> {
    conn.execute(SESSION).await?;
    if sqlx::query(BEHIND)
        .fetch_optional(&mut *conn)
        .await?
        .is_some()
    {
        catch_up(conn).await?;
    }
    Ok(())
}

/// Raises the offset, unless somebody else has meanwhile. Nobody who has read the old one can
/// still be in a transaction then: the lock waits for them.
async fn catch_up(conn: &mut PgConnection) -> sqlx::Result<()> {
    let mut transaction = sqlx::Connection::begin(conn).await?;
    transaction
        .execute("LOCK TABLE store_state IN ACCESS EXCLUSIVE MODE")
        .await?;
    let behind = sqlx::query(BEHIND)
        .fetch_optional(&mut *transaction)
        .await?;
    if let Some(row) = behind {
        let offset: i64 = row.try_get(0)?;
        sqlx::query("UPDATE store_state SET version_offset = $1")
            .bind(offset)
            .execute(&mut *transaction)
            .await?;
        tracing::warn!(
            store.version_offset = offset,
            "transaction ids have started again, as after a restored dump: counting on from where they were"
        );
    }
    transaction.commit().await
}
