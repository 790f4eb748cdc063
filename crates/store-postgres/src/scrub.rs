//! Leaving nothing of removed secrets in the files of the tables.
//!
//! PostgreSQL keeps old versions of rows until vacuum, and their bytes until something is written
//! over them. `VACUUM FULL` writes a table anew, but takes along what some snapshot may still see:
//! so a scrub waits for the snapshots that are older than the removals. Nobody waits for it while
//! it waits; those who use a table wait for the moment in which it is written anew.

use std::time::{Duration, Instant};

use influxd_store::{AwaitsScrub, Result, Scrubbed};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row};

use crate::PostgresStore;
use crate::connection::connect;
use crate::error::{is_lock_timeout, store_error, unavailable};

/// The tables that hold something secret.
const TABLES: [&str; 4] = ["authorizations", "passwords", "secrets", "sessions"];
/// Who scrubs a database holds the advisory lock of this number.
const LOCK: i64 = 0x5c2b_b1e5_0a11_0001;
/// How long one waits for another try.
const PAUSE: Duration = Duration::from_millis(50);

/// Between statements that do one thing at a time: whoever else needs a table stands behind this
/// one while it waits for the table, so it does not wait for long.
const SETTINGS: &str = "SET lock_timeout = '200ms'; SET statement_timeout = 0";

/// What removed something, and the next transaction's number: all that these transactions have
/// done was done by numbers before it.
const REMOVALS: &str = "
    SELECT coalesce(array_agg(version), '{}') AS versions,
           coalesce(array_agg(DISTINCT relation::text), '{}') AS relations,
           pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS next
    FROM removals";

/// The oldest transaction whose effects are not yet the same for all snapshots that somebody may
/// use, and who is to blame. Ages are counted from the next transaction's number.
const HOLDERS: &str = "
    WITH holders AS (
        SELECT 'a transaction of ' || coalesce(nullif(application_name, ''), 'an unnamed program')
               || ' (process ' || pid || '; to end it: SELECT pg_terminate_backend(' || pid || '))'
               AS who,
               greatest(age(backend_xmin), age(backend_xid)) AS age
        FROM pg_stat_activity
        WHERE pid <> pg_backend_pid() AND (datid IS NULL OR datname = current_database())
        UNION ALL SELECT 'the replication slot ' || slot_name, age(xmin)
        FROM pg_replication_slots
        UNION ALL SELECT 'the prepared transaction ' || gid, age(transaction)
        FROM pg_prepared_xacts WHERE database = current_database()
    ), at AS (
        SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS next
    )
    SELECT holders.who FROM holders, at
    WHERE holders.age IS NOT NULL AND at.next - holders.age < $1
    ORDER BY holders.age DESC LIMIT 1";

/// Columns whose values must not be sampled.
const SECRET_COLUMNS: &str = "
    SELECT s.tablename::text, s.attname::text FROM pg_stats s
    WHERE s.schemaname = ANY (current_schemas(false))
      AND (s.tablename, s.attname) IN (
        ('authorizations', 'token_digest'), ('authorizations', 'raw_token'),
        ('authorizations', 'raw_key'), ('authorizations', 'escrow'),
        ('authorizations', 'v1_password'), ('passwords', 'hash'), ('secrets', 'value'),
        ('sessions', 'digest'))";

/// What is out of reach from here.
const ELSEWHERE: [&str; 2] = [
    "PostgreSQL's write-ahead log keeps what was written, whole pages too (full_page_writes), until \
     its segments are removed, and recycled ones until they are written over: as a superuser, ALTER \
     SYSTEM SET wal_recycle = off; SELECT pg_reload_conf(); CHECKPOINT; SELECT \
     pg_logical_emit_message(false, '', ''), pg_switch_wal() FROM generate_series(1, (SELECT \
     count(*) FROM pg_ls_waldir())); CHECKPOINT; ALTER SYSTEM RESET wal_recycle; SELECT \
     pg_reload_conf(); on a replica, the same without the SELECT that switches segments",
    "archived segments of the log (archive_command) and base backups (pg_basebackup) from before \
     this moment keep it: make a new base backup, then remove the older ones and their segments",
];

pub(crate) async fn scrub(store: &PostgresStore, force: bool) -> Result<Scrubbed> {
    if !force && !awaits(store).await?.any() {
        return Ok(Scrubbed::default());
    }
    let mut conn = connect(store.options()).await?;
    conn.execute(SETTINGS).await.map_err(store_error)?;
    let deadline = Instant::now() + store.scrub_patience();
    // Closing the connection gives the lock back, whatever happens.
    let scrubbed = one_at_a_time(&mut conn, force, deadline).await;
    if let Err(error) = conn.close().await {
        tracing::debug!(%error, "closing the connection of a scrub failed");
    }
    scrubbed
}

async fn one_at_a_time(
    conn: &mut PgConnection,
    force: bool,
    deadline: Instant,
) -> Result<Scrubbed> {
    // Asked for again and again: who waits for a lock has a snapshot, which the other waits for.
    loop {
        let row = sqlx::query("SELECT pg_try_advisory_lock($1)")
            .bind(LOCK)
            .fetch_one(&mut *conn)
            .await
            .map_err(store_error)?;
        if row.try_get(0).map_err(store_error)? {
            break;
        }
        if !wait(deadline).await {
            return Err(unavailable(
                "another server has been scrubbing all the time",
            ));
        }
    }
    let row = sqlx::query(REMOVALS).fetch_one(&mut *conn).await;
    let row = row.map_err(store_error)?;
    let versions: Vec<i64> = row.try_get("versions").map_err(store_error)?;
    let relations: Vec<String> = row.try_get("relations").map_err(store_error)?;
    let next: i64 = row.try_get("next").map_err(store_error)?;
    if versions.is_empty() && !force {
        return Ok(Scrubbed::default()); // another server was quicker
    }
    let mut remains: Vec<String> = ELSEWHERE.map(str::to_owned).into();
    let holder = loop {
        let row = sqlx::query(HOLDERS).bind(next).fetch_optional(&mut *conn);
        let holder = match row.await.map_err(store_error)? {
            Some(row) => row.try_get::<String, _>(0).map_err(store_error)?,
            None => break None,
        };
        if !wait(deadline).await {
            break Some(holder);
        }
    };
    let mut complete = holder.is_none();
    if let Some(holder) = holder {
        remains.push(format!(
            "old versions of rows are kept for {holder}: they go with the next scrub after its end"
        ));
        if !force {
            // To write the tables anew would take them along, and everybody's time.
            return Ok(Scrubbed {
                ran: true,
                remains,
                only_waits: true,
            });
        }
    }
    for table in TABLES {
        if !force && !relations.iter().any(|relation| relation == table) {
            continue;
        }
        if let Some(left) = write_anew(conn, table, deadline).await? {
            complete = false;
            remains.push(left);
        }
    }
    remains.extend(remove_statistics(conn).await?);
    if complete {
        sqlx::query("DELETE FROM removals WHERE version = ANY ($1) AND relation = ANY ($2)")
            .bind(versions)
            .bind(relations)
            .execute(&mut *conn)
            .await
            .map_err(store_error)?;
    }
    Ok(Scrubbed {
        ran: true,
        remains,
        // Whatever is left now was tried, at the cost of writing tables anew.
        only_waits: false,
    })
}

pub(crate) async fn awaits(store: &PostgresStore) -> Result<AwaitsScrub> {
    let pending = "SELECT EXISTS (SELECT FROM removals WHERE relation = 'authorizations'),
                          EXISTS (SELECT FROM removals WHERE relation <> 'authorizations')";
    let row = sqlx::query(pending).fetch_one(store.pool()).await;
    let row = row.map_err(store_error)?;
    Ok(AwaitsScrub {
        tokens: row.try_get(0).map_err(store_error)?,
        others: row.try_get(1).map_err(store_error)?,
    })
}

/// Waits a moment; `false` at the deadline.
async fn wait(deadline: Instant) -> bool {
    tokio::time::sleep(PAUSE).await;
    Instant::now() < deadline
}

/// Writes a table anew; what is left if it could not be done.
async fn write_anew(
    conn: &mut PgConnection,
    table: &'static str,
    deadline: Instant,
) -> Result<Option<String>> {
    let before = file_of(conn, table).await?;
    loop {
        let vacuum = format!("VACUUM FULL {table}");
        match conn.execute(AssertSqlSafe(vacuum)).await {
            Ok(_) => break,
            Err(error) if is_lock_timeout(&error) => {
                if !wait(deadline).await {
                    return Ok(Some(format!(
                        "the table {table} has been in use all the time: it is written anew by \
                         the next scrub, or by VACUUM FULL {table}"
                    )));
                }
            }
            Err(error) => return Err(store_error(error)),
        }
    }
    // Who may not do it gets a warning, and no error.
    if file_of(conn, table).await? == before {
        return Ok(Some(format!(
            "the table {table} belongs to another role: as that one, VACUUM FULL {table}"
        )));
    }
    Ok(None)
}

/// The number of the file that holds a table.
async fn file_of(conn: &mut PgConnection, table: &'static str) -> Result<i64> {
    let query = "SELECT pg_relation_filenode($1::regclass)::bigint";
    let row = sqlx::query(query).bind(table).fetch_one(conn).await;
    row.and_then(|row| row.try_get(0)).map_err(store_error)
}

/// Removes samples of secrets, which there are only if somebody asked for statistics of columns
/// that have none. Returns what is left of them.
async fn remove_statistics(conn: &mut PgConnection) -> Result<Vec<String>> {
    let rows = sqlx::query(SECRET_COLUMNS).fetch_all(&mut *conn).await;
    let rows = rows.map_err(store_error)?;
    let mut left = Vec::new();
    for row in &rows {
        let table: String = row.try_get(0).map_err(store_error)?;
        let column: String = row.try_get(1).map_err(store_error)?;
        // Names of ours.
        let stop = format!("ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS 0");
        let remove = format!(
            "DELETE FROM pg_statistic WHERE starelid = '{table}'::regclass AND staattnum =
               (SELECT attnum FROM pg_attribute
                WHERE attrelid = '{table}'::regclass AND attname = '{column}')"
        );
        conn.execute(AssertSqlSafe(stop.as_str()))
            .await
            .map_err(store_error)?;
        if conn.execute(AssertSqlSafe(remove)).await.is_err() {
            left.push(format!(
                "the statistics hold samples of {table}.{column}, which only a superuser may \
                 remove: DELETE FROM pg_statistic WHERE starelid = '{table}'::regclass; VACUUM \
                 FULL pg_statistic; ANALYZE {table}"
            ));
        }
    }
    if rows.len() > left.len() {
        conn.execute("VACUUM FULL pg_statistic")
            .await
            .map_err(store_error)?;
    }
    Ok(left)
}
