//! Where a page that is far behind in a list begins, without counting all that is before it.
//!
//! Every so many rows of a list there is a mark with the number of rows that were before it when
//! the list was last counted. What has been added or removed since is in a log that triggers
//! write, in the transaction that adds or removes: nobody waits for anybody, and what one
//! transaction sees of rows, marks and log always agrees. So the rank of a row, which is the number
//! of rows before it, is what the mark before it says, and the changes before that mark, and a
//! count of the few rows in between. Now and then a list is counted again, and its log is empty.
//!
//! Both databases keep the same tables `lists`, `list_marks` and `list_changes`, and understand the
//! same SQL here. Keys are texts in them, in an order that is that of their bytes.

use std::fmt::Write;

use async_trait::async_trait;
use influxd_model::UserId;

use crate::columns::name_key;
use crate::{BucketFilter, BucketList, Page, Result, StoreError};

/// Fewer rows than this are skipped as quickly as a mark is found.
const NEAR: u32 = 1_000;
/// Rows from one mark to the next.
const STEP: i64 = 64;

/// A list of rows in the order of an index.
#[derive(Debug)]
pub struct List {
    /// Its number in `list_marks` and `list_changes`.
    pub number: i16,
    /// Its rows, of all scopes: a table, and a condition.
    pub rows: &'static str,
    /// What has a list of its own: a column before all others in the index, and what is in it.
    pub scope: Option<(&'static str, Kind)>,
    /// The column by which the rows of a scope are ordered.
    pub item: (&'static str, Kind),
    /// The column that decides between equal items.
    pub then: Option<&'static str>,
}

impl List {
    /// The first item behind a mark.
    fn item_of(&self, mark: &Mark) -> Result<Value> {
        Value::from_text(self.item.1, &mark.item).ok_or_else(|| damaged("a mark has no item"))
    }

    /// The columns by which the rows of a scope are ordered.
    fn order(&self) -> Vec<&'static str> {
        [Some(self.item.0), self.then]
            .into_iter()
            .flatten()
            .collect()
    }
}

fn damaged(detail: &str) -> StoreError {
    StoreError::Corrupt {
        what: "list",
        detail: detail.to_owned(),
    }
}

/// All organizations.
pub const ORGANIZATIONS: List = List {
    number: 1,
    rows: "organizations WHERE true",
    scope: None,
    item: ("id", Kind::Id),
    then: None,
};
/// The organizations of a user.
pub const ORGANIZATIONS_OF_USER: List = List {
    number: 2,
    rows: "memberships WHERE kind = 1",
    scope: Some(("user_id", Kind::Id)),
    item: ("thing_id", Kind::Id),
    then: None,
};
/// All users.
pub const USERS: List = List {
    number: 3,
    rows: "users WHERE true",
    ..ORGANIZATIONS
};
/// All buckets.
pub const BUCKETS: List = List {
    number: 4,
    rows: "buckets WHERE true",
    ..ORGANIZATIONS
};
/// The buckets of one name.
pub const BUCKETS_OF_NAME: List = List {
    number: 5,
    scope: Some(("name_key", Kind::Bytes)),
    ..BUCKETS
};
/// The buckets of an organization, by name; how names are indexed is up to the database.
pub const fn buckets_of_organization(name: &'static str, then: Option<&'static str>) -> List {
    List {
        number: 6,
        scope: Some(("org_id", Kind::Id)),
        item: (name, Kind::Text),
        then,
        ..BUCKETS
    }
}

/// All lists, with the one whose columns are up to the database.
pub fn all(of_organization: List) -> [List; 6] {
    [
        ORGANIZATIONS,
        ORGANIZATIONS_OF_USER,
        USERS,
        BUCKETS,
        BUCKETS_OF_NAME,
        of_organization,
    ]
}

/// What a column of a key holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An id.
    Id,
    /// A text.
    Text,
    /// Bytes.
    Bytes,
}

/// What is bound to a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// An id as columns hold it, or a number.
    Number(i64),
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl Value {
    /// The text that stands for a key in marks and changes.
    fn to_text(&self) -> String {
        let hex = |mut text: String, byte: &u8| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        };
        match self {
            Self::Number(id) => (id ^ i64::MIN)
                .to_be_bytes()
                .iter()
                .fold(String::new(), hex),
            Self::Text(text) => text.clone(),
            Self::Bytes(bytes) => bytes.iter().fold(String::new(), hex),
        }
    }

    /// The key that a text stands for; `None` if it stands for none of this kind.
    fn from_text(kind: Kind, text: &str) -> Option<Self> {
        let bytes = || {
            let pairs = text.as_bytes().chunks(2);
            let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
            pairs.map(byte).collect::<Option<Vec<u8>>>()
        };
        Some(match kind {
            Kind::Id => Self::Number(i64::from_be_bytes(bytes()?.try_into().ok()?) ^ i64::MIN),
            Kind::Text => Self::Text(text.to_owned()),
            Kind::Bytes => Self::Bytes(bytes()?),
        })
    }
}

/// A query, made of constants but for what is bound to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// With `$1` and so on.
    pub sql: String,
    /// What they stand for.
    pub values: Vec<Value>,
}

impl Query {
    fn new(sql: impl Into<String>, values: impl Into<Vec<Value>>) -> Self {
        let (sql, values) = (sql.into(), values.into());
        Self { sql, values }
    }

    /// The next parameter.
    fn bind(&mut self, value: Value) -> String {
        self.values.push(value);
        format!("${}", self.values.len())
    }

    /// Adds a condition: how the first of some columns compare with as many values.
    fn and(&mut self, columns: &[&str], operator: &str, values: Vec<Value>) {
        let columns = columns.get(..values.len()).unwrap_or(columns).join(", ");
        let values: Vec<String> = values.into_iter().map(|value| self.bind(value)).collect();
        let values = values.join(", ");
        // Writing to a string cannot fail.
        let _ = write!(self.sql, " AND ({columns}) {operator} ({values})");
    }
}

/// A mark.
#[derive(Debug, Clone)]
pub struct Mark {
    /// The text of the first item behind it.
    pub item: String,
    /// How many rows of the scope are before that item.
    pub rank: i64,
}

/// What a database answers.
#[async_trait]
pub trait Ranked: Send {
    /// The mark that a query finds, if there is one: columns `item` and `rank`.
    async fn mark(&mut self, query: Query) -> Result<Option<Mark>>;
    /// The number that a query returns: it counts few rows, whatever statistics say.
    async fn count(&mut self, query: Query) -> Result<i64>;
}

/// What is asked of a list.
#[derive(Debug)]
pub struct Wanted {
    /// The list.
    pub list: &'static List,
    /// Columns of the result.
    pub columns: &'static str,
    /// What they are taken from, where it is not what the list counts: tables, and a condition.
    pub from: Option<&'static str>,
    /// Whose list; as much as the list has scopes.
    pub scope: Option<Value>,
    /// Only what is behind this in the page's direction: the columns of the list's order.
    pub after: Option<Vec<Value>>,
    /// Which page.
    pub page: Page,
}

impl Wanted {
    /// Organizations, of a user if one is given.
    pub fn organizations(of: Option<UserId>, page: Page) -> Self {
        let joined = "memberships JOIN organizations ON id = thing_id WHERE kind = 1";
        Self {
            list: of.map_or(&ORGANIZATIONS, |_| &ORGANIZATIONS_OF_USER),
            columns: "id, name, description, created_at, updated_at",
            from: of.map(|_| joined),
            scope: of.map(|user| Value::Number(user.to_column())),
            after: None,
            page,
        }
    }

    /// Users.
    pub fn users(after: Option<UserId>, page: Page) -> Self {
        Self {
            list: &USERS,
            columns: "id, name, active, oauth_id",
            from: None,
            scope: None,
            after: after.map(|id| vec![Value::Number(id.to_column())]),
            page,
        }
    }

    /// Buckets. How an organization's are ordered is up to the database, and so is the key of the
    /// name that the one has behind which the page is looked for.
    pub fn buckets(
        filter: &BucketFilter,
        of_organization: &'static List,
        behind: Option<Vec<Value>>,
        page: Page,
    ) -> Self {
        let by_id = filter.after.map(|id| vec![Value::Number(id.to_column())]);
        let (list, scope, after) = match &filter.list {
            BucketList::All => (&BUCKETS, None, by_id),
            BucketList::OfName(name) => {
                let scope = Value::Bytes(name_key(name).to_vec());
                (&BUCKETS_OF_NAME, Some(scope), by_id)
            }
            BucketList::OfOrganization(org) => {
                let scope = Value::Number(org.to_column());
                (of_organization, Some(scope), behind)
            }
        };
        Self {
            list,
            columns: "id, org_id, name, kind, description, policy, retention, shard_duration,
                      created_at, updated_at",
            from: None,
            scope,
            after,
            page,
        }
    }
}

/// Whether a page is looked for by marks.
pub fn is_far(page: Page) -> bool {
    page.offset >= NEAR
}

/// The query for a page of a list, and whether its rows come in the order that is not wanted.
pub async fn page(db: &mut dyn Ranked, wanted: Wanted) -> Result<(Query, bool)> {
    let Wanted { list, page, .. } = &wanted;
    let is_far = is_far(*page);
    let place = if is_far {
        let mut list = Ranks {
            db,
            wanted: &wanted,
        };
        list.place().await?
    } else {
        Place {
            from: None,
            skip: page.offset.into(),
            take: page.limit.into(),
        }
    };
    let rows = wanted.from.unwrap_or(list.rows);
    let mut query = Query::new(format!("SELECT {} FROM {rows}", wanted.columns), []);
    let order = list.order();
    if let (Some((column, _)), Some(scope)) = (list.scope, &wanted.scope) {
        query.and(&[column], "=", vec![scope.clone()]);
    }
    if let Some(from) = place.from {
        query.and(&order, ">=", vec![from]);
    }
    // A place that was counted is behind it already.
    if let (Some(after), false) = (&wanted.after, is_far) {
        let behind = if page.descending { "<" } else { ">" };
        query.and(&order, behind, after.clone());
    }
    // Places are counted from the beginning.
    let direction = if page.descending && !is_far {
        " DESC"
    } else {
        " ASC"
    };
    let order = order.join(&format!("{direction}, "));
    let take = query.bind(Value::Number(place.take));
    let skip = query.bind(Value::Number(place.skip));
    // Writing to a string cannot fail.
    let _ = write!(
        query.sql,
        " ORDER BY {order}{direction} LIMIT {take} OFFSET {skip}"
    );
    Ok((query, page.descending && is_far))
}

/// Where a page is in the list of a scope.
struct Place {
    /// No item of it is before this one; `None`: the list's first.
    from: Option<Value>,
    /// How many rows are between the two,
    skip: i64,
    /// and how many rows the page has at most.
    take: i64,
}

/// A place between two rows of a list.
#[derive(Clone, Copy)]
enum Bound<'v> {
    /// Before the rows from this one on.
    Before(&'v [Value]),
    /// Behind this row.
    After(&'v [Value]),
    /// Behind all.
    End,
}

/// Counts in the list of a scope.
struct Ranks<'a> {
    db: &'a mut dyn Ranked,
    wanted: &'a Wanted,
}

impl Ranks<'_> {
    /// Finds the page, in the order of the list.
    async fn place(&mut self) -> Result<Place> {
        let Wanted { after, page, .. } = self.wanted;
        let (offset, limit) = (i64::from(page.offset), i64::from(page.limit));
        let (start, end) = match (page.descending, after) {
            (false, None) => (offset, offset + limit),
            (false, Some(after)) => {
                let start = self.rank(Bound::After(after)).await? + offset;
                (start, start + limit)
            }
            (true, after) => {
                let bound = after.as_deref().map_or(Bound::End, Bound::Before);
                let end = self.rank(bound).await? - offset;
                ((end - limit).max(0), end)
            }
        };
        let mark = self.mark(AT_RANK, Some(Value::Number(start))).await?;
        let rank = mark.as_ref().map_or(0, |mark| mark.rank);
        if rank > start {
            return Err(damaged("a mark is not where it says"));
        }
        let from = mark.map(|mark| self.wanted.list.item_of(&mark));
        Ok(Place {
            from: from.transpose()?,
            skip: start - rank,
            take: (end - start).max(0),
        })
    }

    /// How many rows are before a place.
    async fn rank(&mut self, bound: Bound<'_>) -> Result<i64> {
        let list = self.wanted.list;
        let mark = match bound {
            Bound::End => self.mark(LAST, None).await?,
            Bound::Before(key) | Bound::After(key) => {
                let item = key.first().map(Value::to_text).unwrap_or_default();
                self.mark(AT_ITEM, Some(Value::Text(item))).await?
            }
        };
        let rank = mark.as_ref().map_or(0, |mark| mark.rank);
        let mut query = Query::new(format!("SELECT count(*) FROM {}", list.rows), []);
        if let (Some((column, _)), Some(scope)) = (list.scope, &self.wanted.scope) {
            query.and(&[column], "=", vec![scope.clone()]);
        }
        if let Some(mark) = mark {
            query.and(&list.order(), ">=", vec![list.item_of(&mark)?]);
        }
        match bound {
            Bound::Before(key) => query.and(&list.order(), "<", key.to_vec()),
            Bound::After(key) => query.and(&list.order(), "<=", key.to_vec()),
            Bound::End => {}
        }
        Ok(rank + self.db.count(query).await?)
    }

    async fn mark(&mut self, which: &str, value: Option<Value>) -> Result<Option<Mark>> {
        let Wanted { list, scope, .. } = self.wanted;
        let scope = scope.as_ref().map(Value::to_text).unwrap_or_default();
        let mut values = vec![Value::Number(list.number.into()), Value::Text(scope)];
        values.extend(value);
        let sql = format!(
            "SELECT m.item,
                    m.ahead + (SELECT coalesce(sum(change), 0) FROM list_changes AS c
                               WHERE c.list = $1 AND c.scope = $2 AND c.item < m.item) AS rank
             FROM (SELECT item, ahead FROM list_marks
                   WHERE list = $1 AND scope = $2 {which} LIMIT 1) AS m"
        );
        self.db.mark(Query::new(sql, values)).await
    }
}

/// The last mark of a scope.
const LAST: &str = "ORDER BY item DESC";

/// The last mark that is not behind an item.
const AT_ITEM: &str = "AND item <= $3 ORDER BY item DESC";

/// A mark that is not behind a rank: the last of which that is certain, however much of what has
/// been added since is before it.
const AT_RANK: &str = "
    AND ahead <= $3 - (SELECT count(*) FROM list_changes
                       WHERE list = $1 AND scope = $2 AND change > 0)
    ORDER BY ahead DESC, item DESC";

/// The lists that were never counted, and those whose log has become long: for what is in it a page
/// is looked for in a sixty-fourth of the list more, at most.
pub const TO_COUNT: &str = "
    SELECT list FROM lists AS l
    WHERE (SELECT count(*) FROM list_changes AS c WHERE c.list = l.list)
          > CASE WHEN counted > 16384 THEN counted / 64 WHEN counted >= 0 THEN 256 ELSE -1 END
    ORDER BY list";

/// The query for the marks of a list as it is now; `to_text` is how the database makes the text of a
/// column of a key.
pub fn marks(list: &List, to_text: fn(Kind, &str) -> String) -> String {
    let List {
        number,
        rows,
        scope,
        item: (item, item_kind),
        then: _,
    } = list;
    let item_text = to_text(*item_kind, "item");
    let (scope, scope_text, partition) = match scope {
        None => ("''", "scope".to_owned(), String::new()),
        Some((scope, kind)) => (
            *scope,
            to_text(*kind, "scope"),
            format!("PARTITION BY {scope}"),
        ),
    };
    format!(
        "SELECT DISTINCT {number} AS list, {scope_text} AS scope, {item_text} AS item, ahead
         FROM (SELECT {scope} AS scope, {item} AS item, rank() OVER w - 1 AS ahead,
                      row_number() OVER w - 1 AS place
               FROM {rows} WINDOW w AS ({partition} ORDER BY {item})) AS counted
         WHERE place > 0 AND place % {STEP} = 0"
    )
}
