//! Lists by pages, see [`influxd_store::lists`].

use async_trait::async_trait;
use influxd_store::Result;
use influxd_store::lists::{self, Kind, List, Mark, Query, Ranked, TO_COUNT, Value, Wanted};
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, QueryBuilder, Row, SqliteConnection};

use super::column;
use crate::SqliteStore;
use crate::error::store_error;
use crate::writer::Frees;

/// The buckets of an organization, by name.
pub(super) const BUCKETS_OF_ORGANIZATION: List = lists::buckets_of_organization("name", None);

/// The key of a bucket's name in that list.
pub(super) fn key_of_name(name: String) -> Vec<Value> {
    vec![Value::Text(name)]
}

/// How many marks one statement inserts.
const BATCH: usize = 500;

/// Asks for pages on a connection.
pub(super) struct Lists<'c>(pub(super) &'c mut SqliteConnection);

impl Lists<'_> {
    /// A page of a list.
    pub(super) async fn page<T>(
        &mut self,
        wanted: Wanted,
        convert: impl Fn(&SqliteRow) -> Result<T> + Send,
    ) -> Result<Vec<T>> {
        let (query, is_reversed) = lists::page(self, wanted).await?;
        let rows = self.rows(query).await?;
        let mut page = rows.iter().map(convert).collect::<Result<Vec<T>>>()?;
        if is_reversed {
            page.reverse();
        }
        Ok(page)
    }

    async fn rows(&mut self, query: Query) -> Result<Vec<SqliteRow>> {
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
        query.fetch_all(&mut *self.0).await.map_err(store_error)
    }
}

#[async_trait]
impl Ranked for Lists<'_> {
    async fn mark(&mut self, query: Query) -> Result<Option<Mark>> {
        let row = self.rows(query).await?.pop();
        row.as_ref().map(mark).transpose()
    }

    async fn count(&mut self, query: Query) -> Result<i64> {
        let row = self.rows(query).await?.pop();
        row.map_or(Ok(0), |row| row.try_get(0).map_err(store_error))
    }
}

fn mark(row: &SqliteRow) -> Result<Mark> {
    Ok(Mark {
        item: column(row, "item")?,
        rank: column(row, "rank")?,
    })
}

/// How the text of a [`Value`] is made of a column.
fn to_text(kind: Kind, column: &str) -> String {
    match kind {
        Kind::Id => format!("printf('%016x', ({column} | (1 << 63)) - ({column} & (1 << 63)))"),
        Kind::Text => column.to_owned(),
        Kind::Bytes => format!("lower(hex({column}))"),
    }
}

/// Counts lists that were never counted, or whose log has become long.
#[tracing::instrument(name = "db.lists.count", skip_all)]
pub(crate) async fn count(store: &SqliteStore) -> Result<()> {
    let _alone = store.counting().lock().await;
    let due: Vec<i16> = sqlx::query_scalar(TO_COUNT)
        .fetch_all(store.readers())
        .await
        .map_err(store_error)?;
    for list in lists::all(BUCKETS_OF_ORGANIZATION) {
        if due.contains(&list.number) {
            put(store, &list, take(store, &list).await?).await?;
        }
    }
    Ok(())
}

/// A list as it was at some moment.
struct Counted {
    marks: Vec<(String, String, i64)>,
    rows: i64,
    /// The last row of the log then: nobody else removes any, so what comes later is behind it.
    log: i64,
}

/// Counts a list, while others write.
async fn take(store: &SqliteStore, list: &List) -> Result<Counted> {
    let List { number, rows, .. } = list;
    let mut snapshot = store.readers().begin().await.map_err(store_error)?;
    let conn = &mut *snapshot;
    // Made of constants, all three.
    let marks = AssertSqlSafe(format!(
        "SELECT scope, item, ahead FROM ({})",
        lists::marks(list, to_text)
    ));
    let marks = sqlx::query_as(marks).fetch_all(&mut *conn).await;
    let count = AssertSqlSafe(format!("SELECT count(*) FROM {rows}"));
    let rows = sqlx::query_scalar(count).fetch_one(&mut *conn).await;
    let log = "SELECT coalesce(max(id), 0) FROM list_changes";
    let log = sqlx::query_scalar(log).fetch_one(&mut *conn).await;
    let counted = Counted {
        marks: marks.map_err(store_error)?,
        rows: rows.map_err(store_error)?,
        log: log.map_err(store_error)?,
    };
    tracing::debug!(list = number, rows = counted.rows, "counted a list");
    Ok(counted)
}

/// Puts what was counted in the place of the marks, and removes what it has seen of the log.
async fn put(store: &SqliteStore, list: &List, counted: Counted) -> Result<()> {
    let mut turn = store.writer().begin(Frees::Anything).await?;
    let conn = turn.conn();
    let removed = sqlx::query("DELETE FROM list_marks WHERE list = ?")
        .bind(list.number)
        .execute(&mut *conn)
        .await;
    removed.map_err(store_error)?;
    for batch in counted.marks.chunks(BATCH) {
        let mut insert = QueryBuilder::new("INSERT INTO list_marks (list, scope, item, ahead) ");
        insert.push_values(batch, |mut row, (scope, item, ahead)| {
            row.push_bind(list.number)
                .push_bind(scope)
                .push_bind(item)
                .push_bind(*ahead);
        });
        let done = insert.build().persistent(false).execute(&mut *conn).await;
        done.map_err(store_error)?;
    }
    let removed = sqlx::query("DELETE FROM list_changes WHERE list = ? AND id <= ?")
        .bind(list.number)
        .bind(counted.log)
        .execute(&mut *conn)
        .await;
    removed.map_err(store_error)?;
    let update = sqlx::query("UPDATE lists SET counted = ? WHERE list = ?")
        .bind(counted.rows)
        .bind(list.number)
        .execute(&mut *conn)
        .await;
    update.map_err(store_error)?;
    turn.commit().await
}
