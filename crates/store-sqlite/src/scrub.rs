//! Leaving nothing of removed secrets in the files.
//!
//! Freed pages are overwritten as they are freed (`secure_delete`); but a page that lost cells to
//! its neighbours keeps copies of them in its gaps while it lives. So the tables that held secrets
//! are copied into new ones, and all pages of the old ones freed. The points in the same file are
//! not touched. Then the log, which has all that was, is copied into the file and emptied.

use std::time::{Duration, Instant};

use influxd_store::{AwaitsScrub, Result, Scrubbed};
use sqlx::{AssertSqlSafe, Executor, Row, SqliteConnection};

use crate::SqliteStore;
use crate::error::store_error;
use crate::writer::Frees;

/// The tables that hold something secret, each with its row in `removals`.
const TABLES: [&str; 4] = ["authorizations", "passwords", "secrets", "sessions"];
/// How long writers are kept waiting at once while somebody reads from the log, at first and at
/// most. They have twice as long in between.
const HOLD: [Duration; 2] = [Duration::from_millis(20), Duration::from_secs(1)];

pub(crate) async fn scrub(store: &SqliteStore, force: bool) -> Result<Scrubbed> {
    if !force && !awaits(store).await?.any() {
        return Ok(Scrubbed::default());
    }
    let rewritten = rewrite(store, force).await?;
    if !empty_log(store).await? {
        let path = store.path().display();
        return Ok(Scrubbed {
            ran: true,
            only_waits: true,
            remains: vec![format!(
                "the write-ahead log {path}-wal, because somebody has been reading from it all \
                 the time: it is emptied by the next scrub, or when the last process that has the \
                 database open closes it"
            )],
        });
    }
    let mut turn = store.writer().begin(Frees::Anything).await?;
    for (table, count) in rewritten {
        sqlx::query("UPDATE removals SET scrubbed = max(scrubbed, ?) WHERE relation = ?")
            .bind(count)
            .bind(table)
            .execute(turn.conn())
            .await
            .map_err(store_error)?;
    }
    turn.commit().await?;
    Ok(Scrubbed {
        ran: true,
        ..Scrubbed::default()
    })
}

pub(crate) async fn awaits(store: &SqliteStore) -> Result<AwaitsScrub> {
    let pending = "SELECT EXISTS (SELECT 1 FROM removals
                                  WHERE removed > scrubbed AND relation = 'authorizations'),
                          EXISTS (SELECT 1 FROM removals
                                  WHERE removed > scrubbed AND relation <> 'authorizations')";
    let row = sqlx::query(pending).fetch_one(store.readers()).await;
    let row = row.map_err(store_error)?;
    Ok(AwaitsScrub {
        tokens: row.try_get(0).map_err(store_error)?,
        others: row.try_get(1).map_err(store_error)?,
    })
}

/// Empties the log, with all that is in it by now; `false` if somebody has kept it all the time.
async fn empty_log(store: &SqliteStore) -> Result<bool> {
    let deadline = Instant::now() + store.scrub_patience();
    let [mut hold, longest] = HOLD;
    loop {
        let turn = store.writer().turn(Frees::Anything).await?;
        if store.checkpoints().empty_log(hold).await? {
            return Ok(true);
        }
        drop(turn);
        if Instant::now() >= deadline {
            return Ok(false);
        }
        tokio::time::sleep(2 * hold).await;
        hold = longest.min(2 * hold);
    }
}

/// Rewrites the tables from which something was removed, or all, in one transaction. Returns of
/// each how many removals are in none of its pages any more.
async fn rewrite(store: &SqliteStore, force: bool) -> Result<Vec<(&'static str, i64)>> {
    let mut turn = store.writer().begin(Frees::Anything).await?;
    let conn = turn.conn();
    let mut done = Vec::with_capacity(TABLES.len());
    for table in TABLES {
        let row = sqlx::query("SELECT removed, rewritten FROM removals WHERE relation = ?")
            .bind(table)
            .fetch_one(&mut *conn)
            .await
            .map_err(store_error)?;
        let removed: i64 = row.try_get("removed").map_err(store_error)?;
        let rewritten: i64 = row.try_get("rewritten").map_err(store_error)?;
        if force || removed > rewritten {
            copy(conn, table).await?;
            sqlx::query("UPDATE removals SET rewritten = removed WHERE relation = ?")
                .bind(table)
                .execute(&mut *conn)
                .await
                .map_err(store_error)?;
        }
        done.push((table, removed));
    }
    turn.commit().await?;
    Ok(done)
}

/// Puts a copy in the place of a table, with its indexes and triggers.
async fn copy(conn: &mut SqliteConnection, table: &'static str) -> Result<()> {
    let rows = sqlx::query(
        "SELECT sql FROM sqlite_schema WHERE tbl_name = ? AND sql IS NOT NULL
         ORDER BY type <> 'table', rowid",
    )
    .bind(table)
    .fetch_all(&mut *conn)
    .await
    .map_err(store_error)?;
    let mut statements = vec![format!("ALTER TABLE {table} RENAME TO {table}_before")];
    for (index, row) in rows.iter().enumerate() {
        statements.push(row.try_get("sql").map_err(store_error)?);
        if index == 0 {
            // The names of indexes and triggers are free when the old table is gone.
            statements.push(format!("INSERT INTO {table} SELECT * FROM {table}_before"));
            statements.push(format!("DROP TABLE {table}_before"));
        }
    }
    for sql in statements {
        // Texts of our migrations, and the names of tables above.
        let done = conn.execute(AssertSqlSafe(sql)).await;
        done.map_err(store_error)?;
    }
    Ok(())
}
