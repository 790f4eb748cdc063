//! Statements: everything that can stand between two semicolons.

use std::fmt;

use super::{Dimension, Expr, Measurement, Order, Select};
use crate::regex::Regex;

/// A statement. Whether it is executed or refused is not decided here (InfluxQL 4.1, 4.2).
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names are the statements' own words")]
pub enum Statement {
    Select(Box<Select>),
    Explain(Explain),
    Delete(Delete),
    DropMeasurement {
        name: String,
    },
    DropSeries(DropSeries),
    ShowDatabases,
    ShowRetentionPolicies {
        database: Option<String>,
    },
    ShowMeasurements(ShowMeasurements),
    ShowSeries(ShowSeries),
    ShowTagKeys(ShowTagKeys),
    ShowTagValues(ShowTagValues),
    ShowFieldKeys(ShowFieldKeys),
    ShowCardinality(Cardinality),
    ShowContinuousQueries,
    ShowQueries,
    ShowShards,
    ShowShardGroups,
    ShowSubscriptions,
    ShowUsers,
    ShowGrants {
        user: String,
    },
    ShowStats {
        module: Option<String>,
    },
    ShowDiagnostics {
        module: Option<String>,
    },
    CreateDatabase(CreateDatabase),
    DropDatabase {
        name: String,
    },
    CreateRetentionPolicy(CreateRetentionPolicy),
    AlterRetentionPolicy(AlterRetentionPolicy),
    DropRetentionPolicy {
        name: String,
        database: String,
    },
    CreateUser(CreateUser),
    DropUser {
        name: String,
    },
    SetPassword(SetPassword),
    Grant(Grant),
    GrantAll {
        user: String,
    },
    Revoke(Revoke),
    RevokeAll {
        user: String,
    },
    KillQuery {
        id: u64,
        host: Option<String>,
    },
    DropShard {
        id: u64,
    },
    CreateSubscription(CreateSubscription),
    DropSubscription {
        name: String,
        database: String,
        policy: String,
    },
    CreateContinuousQuery(Box<CreateContinuousQuery>),
    DropContinuousQuery {
        name: String,
        database: String,
    },
}

/// `EXPLAIN [ANALYZE] [VERBOSE] SELECT ...`
#[derive(Debug, Clone, PartialEq)]
pub struct Explain {
    /// Whether the query is to be run.
    pub analyze: bool,
    /// Whether `VERBOSE` was given.
    pub verbose: bool,
    /// The query.
    pub select: Box<Select>,
}

/// `DELETE [FROM ...] [WHERE ...]`, at least one of them. Sources name no database.
#[derive(Debug, Clone, PartialEq)]
pub struct Delete {
    /// What to delete from; all measurements if empty.
    pub sources: Vec<Measurement>,
    /// Which points; all if absent.
    pub condition: Option<Expr>,
}

/// `DROP SERIES [FROM ...] [WHERE ...]`, at least one of them. Sources are bare names or patterns.
#[derive(Debug, Clone, PartialEq)]
pub struct DropSeries {
    /// What to drop from; all measurements if empty.
    pub sources: Vec<Measurement>,
    /// Which series; all if absent.
    pub condition: Option<Expr>,
}

/// `SHOW MEASUREMENTS`
#[derive(Debug, Clone, PartialEq)]
pub struct ShowMeasurements {
    /// `ON database`, a name or `*`.
    pub database: Option<Name>,
    /// `ON database.policy`, a name or `*`.
    pub policy: Option<Name>,
    /// `WITH MEASUREMENT = name` or `=~ /pattern/`.
    pub with: Option<Measurement>,
    /// `WHERE`
    pub condition: Option<Expr>,
    /// `ORDER BY time`, without effect.
    pub order: Option<Order>,
    /// `LIMIT`; zero counts as not given.
    pub limit: Option<u64>,
    /// `OFFSET`; zero counts as not given.
    pub offset: Option<u64>,
}

/// A name, or `*` for all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    /// This one.
    Exact(String),
    /// `*`
    Any,
}

/// `SHOW SERIES`
#[derive(Debug, Clone, PartialEq)]
pub struct ShowSeries {
    /// `ON database`
    pub database: Option<String>,
    /// `FROM`; all measurements if empty.
    pub sources: Vec<Measurement>,
    /// `WHERE`
    pub condition: Option<Expr>,
    /// `ORDER BY time`, without effect.
    pub order: Option<Order>,
    /// `LIMIT`; zero counts as not given.
    pub limit: Option<u64>,
    /// `OFFSET`; zero counts as not given.
    pub offset: Option<u64>,
}

/// `SHOW TAG KEYS`
#[derive(Debug, Clone, PartialEq)]
pub struct ShowTagKeys {
    /// `ON database`
    pub database: Option<String>,
    /// `FROM`; all measurements if empty.
    pub sources: Vec<Measurement>,
    /// `WITH KEY`, without effect.
    pub with_key: Option<WithKey>,
    /// `WHERE`
    pub condition: Option<Expr>,
    /// `ORDER BY time`, without effect.
    pub order: Option<Order>,
    /// `LIMIT`; zero counts as not given.
    pub limit: Option<u64>,
    /// `OFFSET`; zero counts as not given.
    pub offset: Option<u64>,
    /// `SLIMIT`, without effect.
    pub slimit: Option<u64>,
    /// `SOFFSET`, without effect.
    pub soffset: Option<u64>,
}

/// `SHOW TAG VALUES`
#[derive(Debug, Clone, PartialEq)]
pub struct ShowTagValues {
    /// `ON database`
    pub database: Option<String>,
    /// `FROM`; all measurements if empty.
    pub sources: Vec<Measurement>,
    /// `WITH KEY`
    pub with_key: WithKey,
    /// `WHERE`
    pub condition: Option<Expr>,
    /// `ORDER BY time`, without effect.
    pub order: Option<Order>,
    /// `LIMIT`; zero counts as not given.
    pub limit: Option<u64>,
    /// `OFFSET`; zero counts as not given.
    pub offset: Option<u64>,
}

/// Which tag keys are meant.
#[derive(Debug, Clone, PartialEq)]
pub enum WithKey {
    /// `= key`
    Eq(String),
    /// `!= key`
    Neq(String),
    /// `=~ /pattern/`
    EqRegex(Regex),
    /// `!~ /pattern/`
    NeqRegex(Regex),
    /// `IN (a, b)`
    In(Vec<String>),
}

/// `SHOW FIELD KEYS`
#[derive(Debug, Clone, PartialEq)]
pub struct ShowFieldKeys {
    /// `ON database`
    pub database: Option<String>,
    /// `FROM`; all measurements if empty.
    pub sources: Vec<Measurement>,
    /// `ORDER BY time`, without effect.
    pub order: Option<Order>,
    /// `LIMIT`; zero counts as not given.
    pub limit: Option<u64>,
    /// `OFFSET`; zero counts as not given.
    pub offset: Option<u64>,
}

/// `SHOW ... [EXACT] CARDINALITY`
#[derive(Debug, Clone, PartialEq)]
pub struct Cardinality {
    /// What is counted.
    pub kind: CardinalityKind,
    /// Whether `EXACT` was given.
    pub exact: bool,
    /// `ON database`
    pub database: Option<String>,
    /// `FROM`; all measurements if empty.
    pub sources: Vec<Measurement>,
    /// `WITH KEY`; always there for tag values, never for the others.
    pub with_key: Option<WithKey>,
    /// `WHERE`
    pub condition: Option<Expr>,
    /// `GROUP BY`
    pub dimensions: Vec<Dimension>,
    /// `LIMIT`; zero counts as not given.
    pub limit: Option<u64>,
    /// `OFFSET`; zero counts as not given.
    pub offset: Option<u64>,
}

/// What a cardinality statement counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CardinalityKind {
    /// `SHOW SERIES CARDINALITY`
    Series,
    /// `SHOW MEASUREMENT CARDINALITY`
    Measurement,
    /// `SHOW TAG KEY CARDINALITY`
    TagKey,
    /// `SHOW TAG VALUES CARDINALITY`
    TagValues,
    /// `SHOW FIELD KEY CARDINALITY`
    FieldKey,
}

/// `CREATE DATABASE`. Durations are in nanoseconds; zero stands for `INF`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateDatabase {
    /// The database.
    pub name: String,
    /// `WITH DURATION`
    pub duration: Option<i64>,
    /// `WITH REPLICATION`
    pub replication: Option<u32>,
    /// `WITH SHARD DURATION`
    pub shard_duration: Option<i64>,
    /// `WITH NAME`: what its retention policy is called.
    pub policy: Option<String>,
}

/// `CREATE RETENTION POLICY`. Durations are in nanoseconds; zero stands for `INF`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateRetentionPolicy {
    /// The policy.
    pub name: String,
    /// `ON database`
    pub database: String,
    /// `DURATION`
    pub duration: i64,
    /// `REPLICATION`
    pub replication: u32,
    /// `SHARD DURATION`
    pub shard_duration: Option<i64>,
    /// `DEFAULT`
    pub default: bool,
}

/// `ALTER RETENTION POLICY`. Durations are in nanoseconds; zero stands for `INF`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlterRetentionPolicy {
    /// The policy; `default` for the key word `DEFAULT`.
    pub name: String,
    /// `ON database`
    pub database: String,
    /// `DURATION`
    pub duration: Option<i64>,
    /// `REPLICATION`
    pub replication: Option<u32>,
    /// `SHARD DURATION`
    pub shard_duration: Option<i64>,
    /// `DEFAULT`
    pub default: bool,
}

/// `CREATE USER`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateUser {
    /// The user.
    pub name: String,
    /// The new password.
    pub password: Password,
    /// `WITH ALL PRIVILEGES`
    pub admin: bool,
}

/// `SET PASSWORD FOR user = 'password'`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetPassword {
    /// The user.
    pub user: String,
    /// The new password.
    pub password: Password,
}

/// A password out of a statement. Neither `Debug` nor `Display` shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// Wraps a password.
    pub const fn new(password: String) -> Self {
        Self(password)
    }

    /// The password itself, for whoever hashes it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[REDACTED]")
    }
}

impl fmt::Display for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[REDACTED]")
    }
}

/// `GRANT privilege ON database TO user`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// What the user may do.
    pub privilege: Privilege,
    /// Where.
    pub database: String,
    /// Who.
    pub user: String,
}

/// `REVOKE privilege ON database FROM user`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revoke {
    /// What the user may do no longer.
    pub privilege: Privilege,
    /// Where.
    pub database: String,
    /// Who.
    pub user: String,
}

/// What may be granted on a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Privilege {
    /// `READ`
    Read,
    /// `WRITE`
    Write,
    /// `ALL [PRIVILEGES]`
    All,
}

/// `CREATE SUBSCRIPTION`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateSubscription {
    /// The subscription.
    pub name: String,
    /// `ON database.policy`
    pub database: String,
    /// `ON database.policy`
    pub policy: String,
    /// `ALL` or `ANY`
    pub mode: Destinations,
    /// Addresses.
    pub destinations: Vec<String>,
}

/// Which destinations of a subscription get a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destinations {
    /// Each of them.
    All,
    /// One of them.
    Any,
}

/// `CREATE CONTINUOUS QUERY`. Durations are in nanoseconds.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateContinuousQuery {
    /// The query's name.
    pub name: String,
    /// `ON database`
    pub database: String,
    /// `RESAMPLE EVERY`
    pub every: Option<i64>,
    /// `RESAMPLE FOR`
    pub resample_for: Option<i64>,
    /// The query, with its `INTO`.
    pub select: Select,
}

impl Statement {
    /// The statement's words, as in `not implemented: CREATE DATABASE` (InfluxQL 4.1). `KILL QUERY`
    /// goes by `SHOW QUERIES`, and a `SELECT` with `INTO` by `SELECT INTO`.
    pub const fn operation(&self) -> &'static str {
        match self {
            Self::Select(select) if select.into.is_some() => "SELECT INTO",
            Self::Select(_) => "SELECT",
            Self::Explain(_) => "EXPLAIN",
            Self::Delete(_) => "DELETE",
            Self::DropMeasurement { .. } => "DROP MEASUREMENT",
            Self::DropSeries(_) => "DROP SERIES",
            Self::ShowDatabases => "SHOW DATABASES",
            Self::ShowRetentionPolicies { .. } => "SHOW RETENTION POLICIES",
            Self::ShowMeasurements(_) => "SHOW MEASUREMENTS",
            Self::ShowSeries(_) => "SHOW SERIES",
            Self::ShowTagKeys(_) => "SHOW TAG KEYS",
            Self::ShowTagValues(_) => "SHOW TAG VALUES",
            Self::ShowFieldKeys(_) => "SHOW FIELD KEYS",
            Self::ShowCardinality(show) => match show.kind {
                CardinalityKind::Series => "SHOW SERIES CARDINALITY",
                CardinalityKind::Measurement => "SHOW MEASUREMENT CARDINALITY",
                CardinalityKind::TagKey => "SHOW TAG KEY CARDINALITY",
                CardinalityKind::TagValues => "SHOW TAG VALUES CARDINALITY",
                CardinalityKind::FieldKey => "SHOW FIELD KEY CARDINALITY",
            },
            Self::ShowContinuousQueries => "SHOW CONTINUOUS QUERIES",
            Self::ShowQueries | Self::KillQuery { .. } => "SHOW QUERIES",
            Self::ShowShards => "SHOW SHARDS",
            Self::ShowShardGroups => "SHOW SHARD GROUPS",
            Self::ShowSubscriptions => "SHOW SUBSCRIPTIONS",
            Self::ShowUsers => "SHOW USERS",
            Self::ShowGrants { .. } => "SHOW GRANTS",
            Self::ShowStats { .. } => "SHOW STATS",
            Self::ShowDiagnostics { .. } => "SHOW DIAGNOSTICS",
            Self::CreateDatabase(_) => "CREATE DATABASE",
            Self::DropDatabase { .. } => "DROP DATABASE",
            Self::CreateRetentionPolicy(_) => "CREATE RETENTION POLICY",
            Self::AlterRetentionPolicy(_) => "ALTER RETENTION POLICY",
            Self::DropRetentionPolicy { .. } => "DROP RETENTION POLICY",
            Self::CreateUser(_) => "CREATE USER",
            Self::DropUser { .. } => "DROP USER",
            Self::SetPassword(_) => "SET PASSWORD",
            Self::Grant(_) => "GRANT",
            Self::GrantAll { .. } => "GRANT ALL",
            Self::Revoke(_) => "REVOKE",
            Self::RevokeAll { .. } => "REVOKE ALL",
            Self::DropShard { .. } => "DROP SHARD",
            Self::CreateSubscription(_) => "CREATE SUBSCRIPTION",
            Self::DropSubscription { .. } => "DROP SUBSCRIPTION",
            Self::CreateContinuousQuery(_) => "CREATE CONTINUOUS QUERY",
            Self::DropContinuousQuery { .. } => "DROP CONTINUOUS QUERY",
        }
    }
}

impl Cardinality {
    /// Whether nothing but a database was given: the form that InfluxDB 2.9 refuses for series and
    /// measurements (InfluxQL 4.1).
    pub fn is_plain(&self) -> bool {
        !self.exact
            && self.sources.is_empty()
            && self.condition.is_none()
            && self.dimensions.is_empty()
            && self.limit.is_none()
            && self.offset.is_none()
    }
}
