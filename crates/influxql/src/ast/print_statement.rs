//! Printing of statements.

use std::fmt::{self, Display, Formatter};

use super::print::{clause, format_duration, joined, quote_ident, quote_string};
use super::{
    AlterRetentionPolicy, Cardinality, CardinalityKind, CreateContinuousQuery, CreateDatabase,
    CreateRetentionPolicy, CreateSubscription, Delete, Destinations, DropSeries, Explain, Expr,
    Measurement, Name, Order, Privilege, ShowFieldKeys, ShowMeasurements, ShowSeries, ShowTagKeys,
    ShowTagValues, Statement, WithKey,
};

impl Display for Statement {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Select(select) => write!(f, "{select}"),
            Self::Explain(explain) => write!(f, "{explain}"),
            Self::Delete(delete) => write!(f, "{delete}"),
            Self::DropMeasurement { name } => write!(f, "DROP MEASUREMENT {}", quote_ident(name)),
            Self::DropSeries(drop) => write!(f, "{drop}"),
            Self::ShowRetentionPolicies { database } => {
                f.write_str(self.operation())?;
                on(f, database.as_deref())
            }
            Self::ShowMeasurements(show) => write!(f, "{show}"),
            Self::ShowSeries(show) => write!(f, "{show}"),
            Self::ShowTagKeys(show) => write!(f, "{show}"),
            Self::ShowTagValues(show) => write!(f, "{show}"),
            Self::ShowFieldKeys(show) => write!(f, "{show}"),
            Self::ShowCardinality(show) => write!(f, "{show}"),
            Self::ShowDatabases
            | Self::ShowContinuousQueries
            | Self::ShowQueries
            | Self::ShowShards
            | Self::ShowShardGroups
            | Self::ShowSubscriptions
            | Self::ShowUsers => f.write_str(self.operation()),
            Self::ShowGrants { user } => write!(f, "SHOW GRANTS FOR {}", quote_ident(user)),
            Self::ShowStats { module } | Self::ShowDiagnostics { module } => {
                f.write_str(self.operation())?;
                clause(f, "FOR", module.as_deref().map(quote_string))
            }
            Self::CreateDatabase(create) => write!(f, "{create}"),
            Self::DropDatabase { name } => write!(f, "DROP DATABASE {}", quote_ident(name)),
            Self::CreateRetentionPolicy(create) => write!(f, "{create}"),
            Self::AlterRetentionPolicy(alter) => write!(f, "{alter}"),
            Self::CreateUser(create) => {
                let name = quote_ident(&create.name);
                write!(f, "CREATE USER {name} WITH PASSWORD {}", create.password)?;
                f.write_str(if create.admin {
                    " WITH ALL PRIVILEGES"
                } else {
                    ""
                })
            }
            Self::DropUser { name } => write!(f, "DROP USER {}", quote_ident(name)),
            Self::SetPassword(set) => {
                write!(
                    f,
                    "SET PASSWORD FOR {} = {}",
                    quote_ident(&set.user),
                    set.password
                )
            }
            Self::Grant(grant) => {
                let (database, user) = (quote_ident(&grant.database), quote_ident(&grant.user));
                write!(f, "GRANT {} ON {database} TO {user}", grant.privilege)
            }
            Self::GrantAll { user } => write!(f, "GRANT ALL PRIVILEGES TO {}", quote_ident(user)),
            Self::Revoke(revoke) => {
                let (database, user) = (quote_ident(&revoke.database), quote_ident(&revoke.user));
                write!(f, "REVOKE {} ON {database} FROM {user}", revoke.privilege)
            }
            Self::RevokeAll { user } => {
                write!(f, "REVOKE ALL PRIVILEGES FROM {}", quote_ident(user))
            }
            Self::KillQuery { id, host } => {
                write!(f, "KILL QUERY {id}")?;
                on(f, host.as_deref())
            }
            Self::DropShard { id } => write!(f, "DROP SHARD {id}"),
            Self::CreateSubscription(create) => write!(f, "{create}"),
            Self::DropSubscription {
                name,
                database,
                policy,
            } => write!(
                f,
                "DROP SUBSCRIPTION {} ON {}.{}",
                quote_ident(name),
                quote_ident(database),
                quote_ident(policy)
            ),
            Self::CreateContinuousQuery(create) => write!(f, "{create}"),
            Self::DropRetentionPolicy { name, database }
            | Self::DropContinuousQuery { name, database } => {
                write!(f, "{} {}", self.operation(), quote_ident(name))?;
                on(f, Some(database))
            }
        }
    }
}

impl Display for Explain {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("EXPLAIN ")?;
        f.write_str(if self.analyze { "ANALYZE " } else { "" })?;
        f.write_str(if self.verbose { "VERBOSE " } else { "" })?;
        write!(f, "{}", self.select)
    }
}

impl Display for Delete {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("DELETE")?;
        from(f, &self.sources)?;
        clause(f, "WHERE", self.condition.as_ref())
    }
}

impl Display for DropSeries {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("DROP SERIES")?;
        from(f, &self.sources)?;
        clause(f, "WHERE", self.condition.as_ref())
    }
}

impl Display for ShowMeasurements {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("SHOW MEASUREMENTS")?;
        clause(f, "ON", self.database.as_ref())?;
        if let Some(policy) = &self.policy {
            write!(f, ".{policy}")?;
        }
        if let Some(with) = &self.with {
            let operator = match with.name {
                super::MeasurementName::Name(_) => "=",
                super::MeasurementName::Regex(_) => "=~",
            };
            write!(f, " WITH MEASUREMENT {operator} {with}")?;
        }
        rest(
            f,
            self.condition.as_ref(),
            self.order,
            self.limit,
            self.offset,
        )
    }
}

impl Display for Name {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(name) => f.write_str(&quote_ident(name)),
            Self::Any => f.write_str("*"),
        }
    }
}

impl Display for ShowSeries {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("SHOW SERIES")?;
        on(f, self.database.as_deref())?;
        from(f, &self.sources)?;
        rest(
            f,
            self.condition.as_ref(),
            self.order,
            self.limit,
            self.offset,
        )
    }
}

impl Display for ShowTagKeys {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("SHOW TAG KEYS")?;
        on(f, self.database.as_deref())?;
        from(f, &self.sources)?;
        clause(f, "WITH KEY", self.with_key.as_ref())?;
        rest(
            f,
            self.condition.as_ref(),
            self.order,
            self.limit,
            self.offset,
        )?;
        clause(f, "SLIMIT", self.slimit)?;
        clause(f, "SOFFSET", self.soffset)
    }
}

impl Display for ShowTagValues {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("SHOW TAG VALUES")?;
        on(f, self.database.as_deref())?;
        from(f, &self.sources)?;
        clause(f, "WITH KEY", Some(&self.with_key))?;
        rest(
            f,
            self.condition.as_ref(),
            self.order,
            self.limit,
            self.offset,
        )
    }
}

impl Display for WithKey {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Eq(key) => write!(f, "= {}", quote_ident(key)),
            Self::Neq(key) => write!(f, "!= {}", quote_ident(key)),
            Self::EqRegex(regex) => write!(f, "=~ {regex}"),
            Self::NeqRegex(regex) => write!(f, "!~ {regex}"),
            Self::In(keys) => {
                f.write_str("IN (")?;
                joined(f, keys.iter().map(|key| quote_ident(key)), ", ")?;
                f.write_str(")")
            }
        }
    }
}

impl Display for ShowFieldKeys {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("SHOW FIELD KEYS")?;
        on(f, self.database.as_deref())?;
        from(f, &self.sources)?;
        rest(f, None, self.order, self.limit, self.offset)
    }
}

impl Display for Cardinality {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let exact = if self.exact { " EXACT" } else { "" };
        let what = match self.kind {
            CardinalityKind::Series => "SERIES",
            CardinalityKind::Measurement => "MEASUREMENT",
            CardinalityKind::TagKey => "TAG KEY",
            CardinalityKind::TagValues => "TAG VALUES",
            CardinalityKind::FieldKey => "FIELD KEY",
        };
        write!(f, "SHOW {what}{exact} CARDINALITY")?;
        on(f, self.database.as_deref())?;
        from(f, &self.sources)?;
        clause(f, "WITH KEY", self.with_key.as_ref())?;
        clause(f, "WHERE", self.condition.as_ref())?;
        if !self.dimensions.is_empty() {
            f.write_str(" GROUP BY ")?;
            joined(f, &self.dimensions, ", ")?;
        }
        clause(f, "LIMIT", self.limit)?;
        clause(f, "OFFSET", self.offset)
    }
}

impl Display for CreateDatabase {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "CREATE DATABASE {}", quote_ident(&self.name))?;
        let parts = (
            self.duration,
            self.replication,
            self.shard_duration,
            &self.policy,
        );
        if parts != (None, None, None, &None) {
            f.write_str(" WITH")?;
        }
        clause(f, "DURATION", self.duration.map(or_infinite))?;
        clause(f, "REPLICATION", self.replication)?;
        clause(f, "SHARD DURATION", self.shard_duration.map(or_infinite))?;
        clause(f, "NAME", self.policy.as_deref().map(quote_ident))
    }
}

impl Display for CreateRetentionPolicy {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (name, database) = (quote_ident(&self.name), quote_ident(&self.database));
        write!(f, "CREATE RETENTION POLICY {name} ON {database}")?;
        clause(f, "DURATION", Some(or_infinite(self.duration)))?;
        clause(f, "REPLICATION", Some(self.replication))?;
        clause(f, "SHARD DURATION", self.shard_duration.map(or_infinite))?;
        f.write_str(if self.default { " DEFAULT" } else { "" })
    }
}

impl Display for AlterRetentionPolicy {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (name, database) = (quote_ident(&self.name), quote_ident(&self.database));
        write!(f, "ALTER RETENTION POLICY {name} ON {database}")?;
        clause(f, "DURATION", self.duration.map(or_infinite))?;
        clause(f, "REPLICATION", self.replication)?;
        clause(f, "SHARD DURATION", self.shard_duration.map(or_infinite))?;
        f.write_str(if self.default { " DEFAULT" } else { "" })
    }
}

impl Display for Privilege {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "READ",
            Self::Write => "WRITE",
            Self::All => "ALL PRIVILEGES",
        })
    }
}

impl Display for CreateSubscription {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mode = match self.mode {
            Destinations::All => "ALL",
            Destinations::Any => "ANY",
        };
        write!(
            f,
            "CREATE SUBSCRIPTION {} ON {}.{} DESTINATIONS {mode} ",
            quote_ident(&self.name),
            quote_ident(&self.database),
            quote_ident(&self.policy)
        )?;
        joined(
            f,
            self.destinations
                .iter()
                .map(|address| quote_string(address)),
            ", ",
        )
    }
}

impl Display for CreateContinuousQuery {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (name, database) = (quote_ident(&self.name), quote_ident(&self.database));
        write!(f, "CREATE CONTINUOUS QUERY {name} ON {database}")?;
        if self.every.is_some() || self.resample_for.is_some() {
            f.write_str(" RESAMPLE")?;
        }
        clause(f, "EVERY", self.every.map(format_duration))?;
        clause(f, "FOR", self.resample_for.map(format_duration))?;
        write!(f, " BEGIN {} END", self.select)
    }
}

fn on(f: &mut Formatter<'_>, database: Option<&str>) -> fmt::Result {
    clause(f, "ON", database.map(quote_ident))
}

fn from(f: &mut Formatter<'_>, sources: &[Measurement]) -> fmt::Result {
    if sources.is_empty() {
        return Ok(());
    }
    f.write_str(" FROM ")?;
    joined(f, sources, ", ")
}

fn rest(
    f: &mut Formatter<'_>,
    condition: Option<&Expr>,
    order: Option<Order>,
    limit: Option<u64>,
    offset: Option<u64>,
) -> fmt::Result {
    clause(f, "WHERE", condition)?;
    clause(f, "ORDER BY", order)?;
    clause(f, "LIMIT", limit)?;
    clause(f, "OFFSET", offset)
}

/// A retention: no duration at all stands for an endless one.
fn or_infinite(duration: i64) -> String {
    if duration == 0 {
        "INF".to_owned()
    } else {
        format_duration(duration)
    }
}
