//! Lists that are counted: what is written meanwhile, and by reading few rows.
#![expect(
    clippy::unwrap_used,
    reason = "tests end by panicking, and so do their helpers"
)]

use async_trait::async_trait;
use influxd_store::Store;
use influxd_store::lists::{self, List, Mark, Query, Ranked, Value, Wanted};
use influxd_store::{BucketFilter, Page};
use influxd_store_sqlite::{SqliteOptions, SqliteStore};
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Connection, Executor, Row, SqliteConnection};

/// Organization 7, and two thousand of everything: ids anywhere, names in no order.
const FILL: &str = "
    CREATE TEMP TABLE numbers AS
        WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 2000)
        SELECT n, random() AS a, random() AS b, random() AS c FROM n;
    INSERT INTO organizations VALUES (7, 'big', CAST('big' AS BLOB), '', 0, 0);
    INSERT INTO organizations SELECT a, 'org ' || n, CAST('org ' || n AS BLOB), '', 0, 0 FROM numbers;
    INSERT INTO users (id, name, name_key, active)
        SELECT a, 'user ' || n, CAST('user ' || n AS BLOB), 1 FROM numbers;
    INSERT INTO memberships SELECT (SELECT min(id) FROM users), 1, a, 1 FROM numbers;
    INSERT INTO buckets (id, org_id, name, name_key, kind, description, policy, shard_duration,
                         created_at, updated_at)
        SELECT b, 7, hex(a), CAST(hex(a) AS BLOB), 0, '', '', 3600000000000, 0, 0 FROM numbers;
    INSERT INTO buckets (id, org_id, name, name_key, kind, description, policy, shard_duration,
                         created_at, updated_at)
        SELECT c, a, 'same', CAST('same' AS BLOB), 0, '', '', 3600000000000, 0, 0 FROM numbers";

async fn number(conn: &mut SqliteConnection, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(conn).await.unwrap()
}

/// Asks as the store does, and looks how the database finds the rows.
struct Watched {
    conn: SqliteConnection,
    /// Steps of its plans.
    steps: Vec<String>,
}

impl Watched {
    async fn rows(&mut self, Query { sql, values }: Query) -> Vec<SqliteRow> {
        let plan = self.ask(format!("EXPLAIN QUERY PLAN {sql}"), &values).await;
        let steps = plan.iter().map(|row| row.get::<String, _>("detail"));
        self.steps.extend(steps);
        self.ask(sql, &values).await
    }

    async fn ask(&mut self, sql: String, values: &[Value]) -> Vec<SqliteRow> {
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for value in values {
            query = match value {
                Value::Number(number) => query.bind(number),
                Value::Text(text) => query.bind(text.clone()),
                Value::Bytes(bytes) => query.bind(bytes.clone()),
            };
        }
        query.fetch_all(&mut self.conn).await.unwrap()
    }
}

#[async_trait]
impl Ranked for Watched {
    async fn mark(&mut self, query: Query) -> influxd_store::Result<Option<Mark>> {
        let rows = self.rows(query).await;
        Ok(rows.first().map(|row| Mark {
            item: row.get("item"),
            rank: row.get("rank"),
        }))
    }

    async fn count(&mut self, query: Query) -> influxd_store::Result<i64> {
        Ok(self.rows(query).await[0].get(0))
    }
}

#[tokio::test]
async fn a_page_far_behind_is_found_by_indexes_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("influxd.sqlite");
    let store = SqliteStore::open(SqliteOptions::new(&path)).await.unwrap();
    let url = format!("sqlite://{}", path.display());
    let mut conn = SqliteConnection::connect(&url).await.unwrap();
    conn.execute(FILL).await.unwrap();
    assert_eq!(
        number(&mut conn, "SELECT count(*) FROM list_changes").await,
        18_001
    );
    store.count_lists().await.unwrap();
    assert_eq!(
        number(&mut conn, "SELECT count(*) FROM list_changes").await,
        0
    );
    let marks = "SELECT count(*) FROM list_marks WHERE list = 6 AND scope = '8000000000000007'";
    assert_eq!(number(&mut conn, marks).await, 2_000 / 64);
    let counted = "SELECT counted FROM lists WHERE list = 4";
    assert_eq!(number(&mut conn, counted).await, 4_000);

    let user = number(&mut conn, "SELECT min(user_id) FROM memberships").await;
    static OF_ORGANIZATION: List = lists::buckets_of_organization("name", None);
    // A tenth of the way, and a tenth from the end.
    let id = [i64::MIN, i64::MAX].map(|id| vec![Value::Number(id / 10 * 8)]);
    let same = Value::Bytes(b"same".to_vec());
    // What of an index has to be compared, in the end.
    let all: [(&'static List, Option<Value>, [Vec<Value>; 2], &str); 6] = [
        (&lists::ORGANIZATIONS, None, id.clone(), "(rowid>"),
        (
            &lists::ORGANIZATIONS_OF_USER,
            Some(Value::Number(user)),
            id.clone(),
            "thing_id>",
        ),
        (&lists::USERS, None, id.clone(), "(rowid>"),
        (&lists::BUCKETS, None, id.clone(), "(rowid>"),
        (
            &lists::BUCKETS_OF_NAME,
            Some(same),
            id,
            "(name_key=? AND id>",
        ),
        (
            &OF_ORGANIZATION,
            Some(Value::Number(7)),
            ["2D33", "38"].map(|name| vec![Value::Text(name.to_owned())]),
            "(org_id=? AND name>",
        ),
    ];
    let mut watched = Watched {
        conn,
        steps: Vec::new(),
    };
    for (list, scope, key, compared) in all {
        for descending in [false, true] {
            for after in [None, Some(key[usize::from(descending)].clone())] {
                watched.steps.clear();
                let wanted = Wanted {
                    list,
                    columns: list.item.0,
                    from: None,
                    scope: scope.clone(),
                    after,
                    page: Page {
                        limit: 20,
                        offset: 1_500,
                        descending,
                    },
                };
                let (query, _) = lists::page(&mut watched, wanted).await.unwrap();
                watched.rows(query).await;
                let steps = &watched.steps;
                let table = list.rows.split(' ').next().unwrap();
                let of_table: Vec<&String> = steps
                    .iter()
                    .filter(|s| s.contains(&format!(" {table} ")))
                    .collect();
                assert!(!of_table.is_empty(), "{steps:?}");
                for step in of_table {
                    assert!(
                        step.starts_with("SEARCH ") && step.contains(compared),
                        "{list:?}: {steps:?}"
                    );
                }
                assert!(
                    !steps.iter().any(|step| step.contains("TEMP B-TREE")),
                    "{list:?}: {steps:?}"
                );
            }
        }
    }
    store.close().await;
}

#[tokio::test]
async fn what_comes_while_a_list_is_counted_is_not_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("influxd.sqlite");
    let store = SqliteStore::open(SqliteOptions::new(&path)).await.unwrap();
    let url = format!("sqlite://{}", path.display());
    let mut conn = SqliteConnection::connect(&url).await.unwrap();
    conn.execute("PRAGMA busy_timeout = 10000").await.unwrap();
    conn.execute(FILL).await.unwrap();
    let changing = async {
        for n in 0..300 {
            let sql = "UPDATE buckets SET name = ? || name WHERE id = (
                           SELECT id FROM buckets WHERE org_id = 7 ORDER BY name LIMIT 1 OFFSET ?)";
            let prefix = ["f", "8", "0"][n as usize % 3];
            let update = sqlx::query(sql).bind(prefix).bind(n * 5);
            update.execute(&mut conn).await.unwrap();
        }
    };
    let counting = async {
        for _ in 0..5 {
            store.count_lists().await.unwrap();
            // Due again at once.
            let mut other = SqliteConnection::connect(&url).await.unwrap();
            other.execute("PRAGMA busy_timeout = 10000").await.unwrap();
            other
                .execute("UPDATE lists SET counted = -1")
                .await
                .unwrap();
        }
    };
    tokio::join!(changing, counting);
    let sql = "SELECT id FROM buckets WHERE org_id = 7 ORDER BY name";
    let right: Vec<i64> = sqlx::query_scalar(sql).fetch_all(&mut conn).await.unwrap();
    let filter = BucketFilter::of(influxd_model::OrgId::from_column(7).unwrap());
    let mut transaction = store.begin_read().await.unwrap();
    for offset in (1_000..2_100).step_by(50) {
        let page = Page {
            limit: 50,
            offset,
            descending: false,
        };
        let found = transaction.buckets().list(&filter, page).await.unwrap();
        let found: Vec<i64> = found.iter().map(|bucket| bucket.id.to_column()).collect();
        let right: Vec<i64> = right
            .iter()
            .skip(offset as usize)
            .take(50)
            .copied()
            .collect();
        assert_eq!(found, right, "from {offset}");
    }
    drop(transaction);
    store.close().await;
}
