//! SHOW statements that list metadata (InfluxQL 4.4 to 4.10).

use std::collections::BTreeSet;

use influxd_influxql::ast::{
    BinaryOp, Expr, Name, ShowFieldKeys, ShowMeasurements, ShowSeries, ShowTagKeys, ShowTagValues,
};
use influxd_line_protocol::SeriesKey;
use influxd_model::TimeRange;

use super::meta::{
    Condition, Found, Window, condition, find_all, head, is_named, is_wanted_key, list, targets,
};
use super::output::{Output, Value};
use super::{Env, Result, fail};
use crate::index::Tags;
use crate::source::Snapshot;

/// `SHOW DATABASES`
pub(super) fn databases(env: &Env<'_>, out: &mut dyn Output) -> Result<()> {
    let mut seen = BTreeSet::new();
    out.begin_series(head(Some(b"databases"), &["name"]))?;
    for visible in env.context.mappings {
        let name = &visible.mapping.database;
        if seen.insert(name) {
            out.row(&[Value::String(name.as_bytes())])?;
        }
    }
    Ok(())
}

/// `SHOW RETENTION POLICIES`: durations are fixed texts, whatever the bucket keeps.
pub(super) fn retention_policies(
    database: Option<&str>,
    env: &Env<'_>,
    out: &mut dyn Output,
) -> Result<()> {
    let database = env.context.database(database)?;
    let columns = [
        "name",
        "duration",
        "shardGroupDuration",
        "replicaN",
        "default",
    ];
    out.begin_series(head(None, &columns))?;
    for visible in env.context.mappings {
        let mapping = &visible.mapping;
        if mapping.database == database {
            out.row(&[
                Value::String(mapping.policy.as_bytes()),
                Value::String(b"0s"),
                Value::String(b"168h0m0s"),
                Value::Integer(1),
                Value::Boolean(mapping.is_default),
            ])?;
        }
    }
    Ok(())
}

/// `SHOW MEASUREMENTS`
pub(super) fn measurements(
    show: &ShowMeasurements,
    env: &Env<'_>,
    out: &mut dyn Output,
) -> Result<()> {
    let context = env.context;
    let condition = condition(env, show.condition.as_ref())?;
    let unsupported = |form: &str| {
        fail(format!(
            "query 'SHOW MEASUREMENTS ON {form}' not supported. use 'ON *.*' or specify a database"
        ))
    };
    let database = match (&show.database, &show.policy) {
        (Some(Name::Any), None) => return unsupported("*"),
        (Some(Name::Any), Some(Name::Exact(_))) => return unsupported("*.rp"),
        (Some(Name::Any), Some(Name::Any)) => None,
        (Some(Name::Exact(name)), _) => Some(context.database(Some(name))?),
        (None, _) => Some(context.database(None)?),
    };
    if condition.has_time {
        return fail("SHOW MEASUREMENTS doesn't support time in WHERE clause");
    }
    let window = Window {
        limit: show.limit,
        offset: show.offset,
    };
    let Some(policy) = &show.policy else {
        let mapping = context.find(database.unwrap_or_default(), None);
        let Some(mapping) = mapping else {
            return Ok(());
        };
        let snapshot = env.snapshot(mapping.mapping.bucket)?;
        let names = names(show, &*snapshot, &condition)?;
        let rows = window.of(names).map(|name| [name]);
        return list(out, head(Some(b"measurements"), &["name"]), rows);
    };
    let mut mappings: Vec<_> = context
        .mappings
        .iter()
        .map(|visible| &visible.mapping)
        .filter(|mapping| database.is_none_or(|database| mapping.database == database))
        .filter(|mapping| match policy {
            Name::Any => true,
            Name::Exact(policy) => mapping.policy == *policy,
        })
        .collect();
    mappings.sort_by(|a, b| (&a.database, &a.policy).cmp(&(&b.database, &b.policy)));
    let mut rows = Vec::new();
    for mapping in mappings {
        let snapshot = env.snapshot(mapping.bucket)?;
        for name in names(show, &*snapshot, &condition)? {
            let database = mapping.database.clone().into_bytes();
            rows.push([name, database, mapping.policy.clone().into_bytes()]);
        }
    }
    let columns = ["name", "database", "retention policy"];
    list(out, head(Some(b"measurements"), &columns), window.of(rows))
}

/// The measurements of a bucket that a statement asks for.
fn names(
    show: &ShowMeasurements,
    snapshot: &dyn Snapshot,
    condition: &Condition,
) -> Result<Vec<Vec<u8>>> {
    let mut names = Vec::new();
    for name in snapshot.measurements() {
        let wanted = show
            .with
            .as_ref()
            .is_none_or(|with| is_named(&name, &with.name));
        let taken = match &condition.rest {
            Some(rest) => wanted && takes_measurement(rest, &name, snapshot)?,
            None => wanted,
        };
        if taken {
            names.push(name);
        }
    }
    Ok(names)
}

/// Whether a condition takes a measurement: a positive comparison does if any of its tag values
/// suits, a negative one if none does.
fn takes_measurement(expr: &Expr, name: &[u8], snapshot: &dyn Snapshot) -> Result<bool> {
    match expr {
        Expr::Paren(inner) => takes_measurement(inner, name, snapshot),
        Expr::Boolean(value) => Ok(*value),
        Expr::Binary {
            op: BinaryOp::And,
            lhs,
            rhs,
        } => Ok(takes_measurement(lhs, name, snapshot)? && takes_measurement(rhs, name, snapshot)?),
        Expr::Binary {
            op: BinaryOp::Or,
            lhs,
            rhs,
        } => Ok(takes_measurement(lhs, name, snapshot)? || takes_measurement(rhs, name, snapshot)?),
        Expr::Binary { op, lhs, rhs } => {
            let (Expr::VarRef(column), value) = (lhs.unparen(), rhs.unparen()) else {
                return fail(format!("invalid condition expression: {expr}"));
            };
            let suits: &dyn Fn(&[u8]) -> bool = match (op, value) {
                (BinaryOp::Eq | BinaryOp::Neq, Expr::String(text)) => {
                    &move |tag: &[u8]| tag == text.as_bytes()
                }
                (BinaryOp::EqRegex | BinaryOp::NeqRegex, Expr::Regex(regex)) => {
                    &move |tag: &[u8]| regex.is_match(tag)
                }
                _ => return Ok(false),
            };
            let any = if column.name == "_name" {
                suits(name)
            } else {
                let key = column.name.as_bytes();
                // One that lacks the tag suits neither way.
                if !has_value(snapshot, name, key, &|_| true)? {
                    return Ok(false);
                }
                has_value(snapshot, name, key, suits)?
            };
            Ok(any == matches!(op, BinaryOp::Eq | BinaryOp::EqRegex))
        }
        _ => Ok(false),
    }
}

fn has_value(
    snapshot: &dyn Snapshot,
    name: &[u8],
    key: &[u8],
    suits: &dyn Fn(&[u8]) -> bool,
) -> Result<bool> {
    let Some(index) = snapshot.index(name) else {
        return Ok(false);
    };
    let Some(values) = index.tag_values(key) else {
        return Ok(false);
    };
    let mut living = None;
    for (_, ids) in values.iter().filter(|(value, _)| suits(value)) {
        let living = match &living {
            Some(living) => living,
            None => living.insert(snapshot.living(name, TimeRange::ALL)?),
        };
        if ids.iter().any(|id| living.binary_search(id).is_ok()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// `SHOW SERIES`
pub(super) fn series(show: &ShowSeries, env: &Env<'_>, out: &mut dyn Output) -> Result<()> {
    let condition = condition(env, show.condition.as_ref())?;
    let targets = targets(
        env,
        show.database.as_deref(),
        &show.sources,
        env.context.policy,
    )?;
    let found = find_all(env, &targets, &condition)?;
    // In the order of names and tags as they are, not as their keys are written.
    let mut keys: BTreeSet<(&[u8], Tags)> = BTreeSet::new();
    for measurement in &found {
        env.hold(measurement.series.len())?;
        let name = &*measurement.name;
        keys.extend(measurement.each().map(|series| (name, series.tags.clone())));
    }
    let keys = keys.iter().map(|(name, tags)| line_key(name, tags));
    let window = Window {
        limit: show.limit,
        offset: show.offset,
    };
    list(out, head(None, &["key"]), window.of(keys).map(|key| [key]))
}

/// The key of a series as line protocol has it.
fn line_key(measurement: &[u8], tags: &Tags) -> Vec<u8> {
    let tags = tags
        .iter()
        .map(|(key, value)| (key.to_vec(), value.to_vec()))
        .collect();
    match SeriesKey::new(measurement.to_vec(), tags) {
        Ok(key) => key.to_line_bytes(),
        Err(_) => measurement.to_vec(),
    }
}

/// `SHOW TAG KEYS`: of the default policy, whatever the request says.
pub(super) fn tag_keys(show: &ShowTagKeys, env: &Env<'_>, out: &mut dyn Output) -> Result<()> {
    let condition = condition(env, show.condition.as_ref())?;
    let window = Window {
        limit: show.limit,
        offset: show.offset,
    };
    for found in tagged(env, show.database.as_deref(), &show.sources, &condition)? {
        let keys: BTreeSet<Vec<u8>> = found
            .each()
            .flat_map(|series| series.tags.iter().map(|(key, _)| key.to_vec()))
            .collect();
        let rows = window.of(keys).map(|key| [key]);
        list(out, head(Some(&found.name), &["tagKey"]), rows)?;
    }
    Ok(())
}

/// What a statement about tags looks at: the default policy of a database.
fn tagged(
    env: &Env<'_>,
    database: Option<&str>,
    sources: &[influxd_influxql::ast::Measurement],
    condition: &Condition,
) -> Result<Vec<Found>> {
    let context = env.context;
    let database = context.database(database)?;
    let Some(mapping) = context.find(database, None) else {
        return fail(format!("default retention policy not set for: {database}"));
    };
    let bucket = mapping.mapping.bucket;
    let targets: Vec<_> = if sources.is_empty() {
        vec![(bucket, None)]
    } else {
        sources
            .iter()
            .map(|source| (bucket, Some(&source.name)))
            .collect()
    };
    find_all(env, &targets, condition)
}

/// `SHOW TAG VALUES`
pub(super) fn tag_values(show: &ShowTagValues, env: &Env<'_>, out: &mut dyn Output) -> Result<()> {
    let condition = condition(env, show.condition.as_ref())?;
    if let Some(rest) = &condition.rest {
        refuse_non_tags(rest)?;
    }
    let window = Window {
        limit: show.limit,
        offset: show.offset,
    };
    for found in tagged(env, show.database.as_deref(), &show.sources, &condition)? {
        let mut values: BTreeSet<(Vec<u8>, Vec<u8>)> = BTreeSet::new();
        for series in found.each() {
            for (key, value) in series.tags.iter() {
                if is_wanted_key(&show.with_key, key) {
                    values.insert((key.to_vec(), value.to_vec()));
                }
            }
        }
        let rows = window.of(values).map(|(key, value)| [key, value]);
        list(out, head(Some(&found.name), &["key", "value"]), rows)?;
    }
    Ok(())
}

/// Refuses comparisons that no tag can be in (InfluxQL 4.9).
fn refuse_non_tags(expr: &Expr) -> Result<()> {
    match expr {
        Expr::Paren(inner) => refuse_non_tags(inner),
        Expr::Binary {
            op: BinaryOp::And | BinaryOp::Or,
            lhs,
            rhs,
        } => {
            refuse_non_tags(lhs)?;
            refuse_non_tags(rhs)
        }
        Expr::Binary { op, lhs, rhs } => {
            let column = |side: &Expr| matches!(side.unparen(), Expr::VarRef(_));
            if column(lhs) && column(rhs) {
                return fail(format!(
                    "bad WHERE clause for metaquery; one term must be a string literal tag value \
                     within single quotes: {expr}"
                ));
            }
            let suits = matches!(
                op,
                BinaryOp::Eq | BinaryOp::Neq | BinaryOp::EqRegex | BinaryOp::NeqRegex
            );
            if suits {
                Ok(())
            } else {
                fail(format!("expression too complex for metaquery: {expr}"))
            }
        }
        _ => Ok(()),
    }
}

/// `SHOW FIELD KEYS`
pub(super) fn field_keys(show: &ShowFieldKeys, env: &Env<'_>, out: &mut dyn Output) -> Result<()> {
    let condition = condition(env, None)?;
    let targets = targets(
        env,
        show.database.as_deref(),
        &show.sources,
        env.context.policy,
    )?;
    let window = Window {
        limit: show.limit,
        offset: show.offset,
    };
    for found in find_all(env, &targets, &condition)? {
        let mut rows: Vec<[Vec<u8>; 2]> = found
            .snapshot
            .fields(&found.name, TimeRange::ALL)
            .into_iter()
            .map(|(name, field_type)| [name, field_type.name().as_bytes().to_vec()])
            .collect();
        rows.sort();
        list(
            out,
            head(Some(&found.name), &["fieldKey", "fieldType"]),
            window.of(rows),
        )?;
    }
    Ok(())
}
