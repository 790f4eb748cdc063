//! Lists by pages, see [`influxd_store::lists`].

use async_trait::async_trait;
use influxd_store::Result;
use influxd_store::lists::{self, Kind, List, Mark, Query, Ranked, TO_COUNT, Value, Wanted};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Executor, PgConnection, Postgres, Row};

use super::column;
use crate::PostgresStore;
use crate::error::store_error;

/// The buckets of an organization, by name: an index holds only the beginning of a long one.
pub(super) const BUCKETS_OF_ORGANIZATION: List =
    lists::buckets_of_organization("left(name, 512)", Some("name"));

/// The key of a bucket's name in that list.
pub(super) fn key_of_name(name: String) -> Vec<Value> {
    let beginning = name.chars().take(512).collect();
    vec![Value::Text(beginning), Value::Text(name)]
}

/// Asks for pages on a connection.
pub(super) struct Lists<'c>(pub(super) &'c mut PgConnection);

impl Lists<'_> {
    /// A page of a list.
    pub(super) async fn page<T>(
        &mut self,
        wanted: Wanted,
        convert: impl Fn(&PgRow) -> Result<T> + Send,
    ) -> Result<Vec<T>> {
        // Statistics know nothing of marks: what they say is read and sorted would be all of a scope.
        if lists::is_far(wanted.page) {
            let settings = "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off;
                            SET LOCAL enable_sort = off";
            self.0.execute(settings).await.map_err(store_error)?;
        }
        // Planned for its values where there are scopes: a plan for any is one for a small one.
        let is_prepared = wanted.scope.is_none();
        let (query, is_reversed) = lists::page(self, wanted).await?;
        let rows = self.rows(query, is_prepared).await?;
        let mut page = rows.iter().map(convert).collect::<Result<Vec<T>>>()?;
        if is_reversed {
            page.reverse();
        }
        Ok(page)
    }

    async fn rows(&mut self, query: Query, is_prepared: bool) -> Result<Vec<PgRow>> {
        let Query { sql, values } = query;
        // Made of constants: what comes from outside is bound.
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for value in values {
            query = match value {
                Value::Number(number) => query.bind(number),
                Value::Text(text) => query.bind(text),
                Value::Bytes(bytes) => query.bind(bytes),
            };
        }
        let query = query.persistent(is_prepared);
        query.fetch_all(&mut *self.0).await.map_err(store_error)
    }
}

#[async_trait]
impl Ranked for Lists<'_> {
    async fn mark(&mut self, query: Query) -> Result<Option<Mark>> {
        let row = self.rows(query, true).await?.pop();
        row.as_ref().map(mark).transpose()
    }

    async fn count(&mut self, query: Query) -> Result<i64> {
        let row = self.rows(query, true).await?.pop();
        row.map_or(Ok(0), |row| row.try_get(0).map_err(store_error))
    }
}

fn mark(row: &PgRow) -> Result<Mark> {
    Ok(Mark {
        item: column(row, "item")?,
        rank: column(row, "rank")?,
    })
}

/// How the text of a [`Value`] is made of a column.
fn to_text(kind: Kind, column: &str) -> String {
    match kind {
        Kind::Id => format!("hex_id({column})"),
        Kind::Text => column.to_owned(),
        Kind::Bytes => format!("encode({column}, 'hex')"),
    }
}

/// Counts lists that were never counted, or whose log has become long.
#[tracing::instrument(name = "db.lists.count", skip_all)]
pub(crate) async fn count(store: &PostgresStore) -> Result<()> {
    if due(store.pool()).await?.is_empty() {
        return Ok(());
    }
    let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ";
    let mut transaction = store.pool().begin_with(begin).await.map_err(store_error)?;
    // Before the transaction has seen anything: so it sees what another server has counted. Who
    // reads marks, or adds to the log, is not held up.
    let lock = "LOCK TABLE lists, list_marks IN SHARE ROW EXCLUSIVE MODE";
    transaction.execute(lock).await.map_err(store_error)?;
    let due = due(&mut *transaction).await?;
    for list in lists::all(BUCKETS_OF_ORGANIZATION) {
        let List { number, rows, .. } = list;
        if !due.contains(&number) {
            continue;
        }
        for sql in [
            format!("DELETE FROM list_marks WHERE list = {number}"),
            format!(
                "INSERT INTO list_marks (list, scope, item, ahead) {}",
                lists::marks(&list, to_text)
            ),
            format!("DELETE FROM list_changes WHERE list = {number}"),
            format!(
                "UPDATE lists SET counted = (SELECT count(*) FROM {rows}) WHERE list = {number}"
            ),
        ] {
            // Made of constants.
            let done = transaction.execute(AssertSqlSafe(sql)).await;
            done.map_err(store_error)?;
        }
    }
    transaction.commit().await.map_err(store_error)?;
    // Who looks for a page would go on reading what was in the log: automatic vacuum comes later,
    // and by then only what somebody's older snapshot has kept is left for it.
    let vacuum = "VACUUM (SKIP_LOCKED) list_changes, list_marks";
    store.pool().execute(vacuum).await.map_err(store_error)?;
    Ok(())
}

async fn due(db: impl Executor<'_, Database = Postgres>) -> Result<Vec<i16>> {
    let due = sqlx::query_scalar(TO_COUNT).fetch_all(db).await;
    due.map_err(store_error)
}
