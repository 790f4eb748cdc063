//! Lists that are counted: beside those who write, by several servers, and by reading few rows.
#![expect(
    clippy::unwrap_used,
    reason = "tests end by panicking, and so do their helpers"
)]

use std::sync::Arc;

use async_trait::async_trait;
use influxd_model::{BucketId, OrgId};
use influxd_store::lists::{self, Kind, List, Mark, Query, Ranked, Value, Wanted};
use influxd_store::{BucketFilter, Page, Store};
use influxd_store_postgres::scratch::ScratchCluster;
use influxd_store_postgres::{PostgresOptions, PostgresStore};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value as Json;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row};

/// The id of the one organization that has many buckets, as columns hold it and as it is.
const BIG: (i64, u64) = (7, 0x8000_0000_0000_0007);
/// How many. What reads them all is told by that.
const ROWS: i64 = 20_000;

/// Many of everything, that begins with `$1`: ids anywhere, names in no order.
const FILL: [&str; 4] = [
    "INSERT INTO organizations
     SELECT hashint8extended(n, 0), 'org ' || n, int8send(hashint8extended(n, 1)), '', 0, 0
     FROM generate_series($1::bigint, $1 + $2 - 1) AS n",
    "INSERT INTO users (id, name, name_key, active)
     SELECT hashint8extended(n, 0), 'user ' || n, int8send(hashint8extended(n, 1)), true
     FROM generate_series($1::bigint, $1 + $2 - 1) AS n",
    "INSERT INTO memberships (user_id, kind, thing_id, role)
     SELECT (SELECT min(id) FROM users), 1, hashint8extended(n, 0), 1
     FROM generate_series($1::bigint, $1 + $2 - 1) AS n",
    "INSERT INTO buckets (id, org_id, name, name_key, kind, description, policy, shard_duration,
                          created_at, updated_at)
     SELECT hashint8extended(n * 2 + own, 0), CASE own WHEN 1 THEN 7 ELSE hashint8extended(n, 0) END,
            CASE own WHEN 1 THEN to_hex(hashint8extended(n, 3)) ELSE 'same' END,
            CASE own WHEN 1 THEN int8send(hashint8extended(n, 4)) ELSE 'same' END,
            0, '', '', 3600000000000, 0, 0
     FROM generate_series($1::bigint, $1 + $2 - 1) AS n, generate_series(0, 1) AS own",
];

async fn open(url: &SecretString) -> Arc<PostgresStore> {
    let options = PostgresOptions::new(url.clone());
    PostgresStore::open(options).await.unwrap()
}

async fn connect(url: &SecretString) -> PgConnection {
    PgConnection::connect(url.expose_secret()).await.unwrap()
}

async fn fill(conn: &mut PgConnection, from: i64, count: i64) {
    for sql in FILL {
        let fill = sqlx::query(sql).bind(from).bind(count);
        fill.execute(&mut *conn).await.unwrap();
    }
}

async fn number(conn: &mut PgConnection, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(conn).await.unwrap()
}

async fn big(conn: &mut PgConnection) {
    let sql = "INSERT INTO organizations VALUES ($1, 'big', 'big', '', 0, 0)";
    let big = sqlx::query(sql).bind(BIG.0).execute(conn).await;
    big.unwrap();
}

/// All pages of an organization's buckets, by offsets, in both directions.
async fn walk(store: &dyn Store, descending: bool) -> Vec<BucketId> {
    let filter = BucketFilter::of(OrgId::new(BIG.1).unwrap());
    let mut transaction = store.begin_read().await.unwrap();
    let mut found = Vec::new();
    loop {
        let page = Page {
            limit: 500,
            offset: u32::try_from(found.len()).unwrap(),
            descending,
        };
        let buckets = transaction.buckets().list(&filter, page).await.unwrap();
        if buckets.is_empty() {
            return found;
        }
        found.extend(buckets.iter().map(|bucket| bucket.id));
    }
}

#[tokio::test]
async fn a_list_is_counted_beside_a_writer_and_by_two_servers() {
    let cluster = ScratchCluster::shared().unwrap();
    let url = cluster.create_database().await.unwrap();
    let (one, two) = (open(&url).await, open(&url).await);
    let mut conn = connect(&url).await;
    big(&mut conn).await;
    fill(&mut conn, 0, 2_000).await;
    let mut writer = connect(&url).await;
    let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ";
    writer.execute(begin).await.unwrap();
    // Its snapshot is older than the count, and its rows come after it.
    number(&mut writer, "SELECT count(*) FROM buckets").await;
    let (first, second) = tokio::join!(one.count_lists(), two.count_lists());
    first.unwrap();
    second.unwrap();
    assert_eq!(
        number(&mut conn, "SELECT count(*) FROM list_changes").await,
        0
    );
    let marks = "SELECT count(*) FROM list_marks WHERE list = 6 AND scope = '8000000000000007'";
    assert_eq!(number(&mut conn, marks).await, 2_000 / 64);
    fill(&mut writer, 10_000, 600).await;
    let gone = "DELETE FROM buckets WHERE org_id = 7 AND name < '4'";
    writer.execute(gone).await.unwrap();
    for round in 0..3 {
        match round {
            1 => drop(writer.execute("COMMIT").await.unwrap()),
            2 => two.count_lists().await.unwrap(),
            _ => {}
        }
        let sql = "SELECT id FROM buckets WHERE org_id = 7 ORDER BY name";
        let right: Vec<i64> = sqlx::query_scalar(sql).fetch_all(&mut conn).await.unwrap();
        let right: Vec<BucketId> = right
            .into_iter()
            .map(|id| BucketId::from_column(id).unwrap())
            .collect();
        assert!(walk(&*one, false).await == right, "round {round}");
        let mut back = walk(&*two, true).await;
        back.reverse();
        assert!(back == right, "round {round}, backwards");
    }
    one.close().await;
    two.close().await;
}

/// Asks as the store does, and looks how many rows the database reads for it.
struct Watched {
    conn: PgConnection,
    read: f64,
    plans: Vec<String>,
}

impl Watched {
    async fn rows(&mut self, Query { sql, values }: Query) -> Vec<PgRow> {
        let explain = format!("EXPLAIN (ANALYZE, FORMAT JSON) {sql}");
        let plan = self.ask(explain, &values).await;
        let plan: String = plan[0].try_get_unchecked(0).unwrap();
        let plan: Json = serde_json::from_str(&plan).unwrap();
        self.read += read(&plan[0]["Plan"]);
        self.plans.push(plan.to_string());
        self.ask(sql, &values).await
    }

    async fn ask(&mut self, sql: String, values: &[Value]) -> Vec<PgRow> {
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for value in values {
            query = match value {
                Value::Number(number) => query.bind(number),
                Value::Text(text) => query.bind(text),
                Value::Bytes(bytes) => query.bind(bytes),
            };
        }
        query.fetch_all(&mut self.conn).await.unwrap()
    }
}

/// Rows that a plan's nodes have returned or left out.
fn read(plan: &Json) -> f64 {
    let own = [
        "Actual Rows",
        "Rows Removed by Filter",
        "Rows Removed by Index Recheck",
    ];
    let own: f64 = own.iter().filter_map(|key| plan[key].as_f64()).sum();
    let loops = plan["Actual Loops"].as_f64().unwrap_or(1.0);
    let below = plan["Plans"].as_array().into_iter().flatten();
    own * loops + below.map(read).sum::<f64>()
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
async fn a_page_far_behind_is_found_by_reading_few_rows() {
    let cluster = ScratchCluster::shared().unwrap();
    let url = cluster.create_database().await.unwrap();
    let store = open(&url).await;
    let mut conn = connect(&url).await;
    big(&mut conn).await;
    fill(&mut conn, 0, ROWS).await;
    store.count_lists().await.unwrap();
    // Not enough to be counted again.
    fill(&mut conn, 1_000_000, 40).await;
    conn.execute("ANALYZE").await.unwrap();
    let user = number(&mut conn, "SELECT min(user_id) FROM memberships").await;
    let after = "SELECT id FROM buckets WHERE org_id <> 7 ORDER BY id OFFSET 3000 LIMIT 1";
    let after = number(&mut conn, after).await;
    let id = || vec![Value::Number(after)];
    let name = || vec![Value::Text("8".to_owned()), Value::Text("8".to_owned())];
    static OF_ORGANIZATION: List = lists::buckets_of_organization("left(name, 512)", Some("name"));
    let own = |key| Some(Value::Number(key));
    let same = || Some(Value::Bytes(b"same".to_vec()));
    let all: [(&'static List, Option<Value>, Vec<Value>); 6] = [
        (&lists::ORGANIZATIONS, None, id()),
        (&lists::ORGANIZATIONS_OF_USER, own(user), id()),
        (&lists::USERS, None, id()),
        (&lists::BUCKETS, None, id()),
        (&lists::BUCKETS_OF_NAME, same(), id()),
        (&OF_ORGANIZATION, own(BIG.0), name()),
    ];
    // As the store has it for pages far behind.
    let settings = "SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off";
    conn.execute(settings).await.unwrap();
    let mut watched = Watched {
        conn,
        read: 0.0,
        plans: Vec::new(),
    };
    for (list, scope, key) in all {
        assert_eq!(
            list.scope.is_some_and(|(_, kind)| kind == Kind::Bytes),
            list.number == 5
        );
        for descending in [false, true] {
            for after in [None, Some(key.clone())] {
                for offset in [1_500, 9_000, 19_000] {
                    let page = Page {
                        limit: 20,
                        offset,
                        descending,
                    };
                    let wanted = Wanted {
                        list,
                        columns: list.item.0,
                        from: None,
                        scope: scope.clone(),
                        after: after.clone(),
                        page,
                    };
                    watched.read = 0.0;
                    watched.plans.clear();
                    let (query, _) = lists::page(&mut watched, wanted).await.unwrap();
                    watched.rows(query).await;
                    let read = watched.read;
                    assert!(
                        read < 1_000.0,
                        "{read} rows: {page:?}, {after:?}, {list:?}: {:?}",
                        watched.plans
                    );
                }
            }
        }
    }
    store.close().await;
}
