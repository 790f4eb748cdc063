//! DELETE and DROP MEASUREMENT (InfluxQL 4.12).

use std::collections::HashSet;

use influxd_influxql::ast::{self, BinaryOp, Expr, MeasurementName};
use influxd_model::TimeRange;

use super::meta::{condition, is_named};
use super::{Env, Outcome, Result, VisibleMapping, fail};
use crate::predicate::{Absent, MAX_DEPTH, Predicate, Test};
use crate::source::{Delete, Snapshot};

/// `DELETE`
pub(super) fn delete(statement: &ast::Delete, env: &Env<'_>) -> Result<Outcome> {
    let context = env.context;
    let condition = condition(env, statement.condition.as_ref())?;
    let predicate = match &condition.rest {
        Some(rest) => predicate(rest, 0)?,
        None => Predicate::All,
    };
    let database = context.database.unwrap_or_default();
    let find = |policy: Option<&str>| match context.find(database, policy) {
        Some(mapping) => Ok(mapping),
        None => fail(format!(
            "no dbrp mappings found: db={database}, rp={}, please check to make sure db and rp exist",
            policy.unwrap_or_default()
        )),
    };
    let mut jobs: Vec<(&VisibleMapping, Option<&MeasurementName>)> = Vec::new();
    if statement.sources.is_empty() {
        jobs.push((find(None)?, None));
    }
    for source in &statement.sources {
        jobs.push((find(source.policy.as_deref())?, Some(&source.name)));
    }
    if jobs.iter().any(|(mapping, _)| !mapping.may_write) {
        return fail("insufficient permissions");
    }
    for (mapping, wanted) in jobs {
        let bucket = mapping.mapping.bucket;
        let snapshot = env.snapshot(bucket)?;
        let hit: Vec<Vec<u8>> = snapshot
            .measurements()
            .into_iter()
            .filter(|name| wanted.is_none_or(|wanted| is_named(name, wanted)))
            .collect();
        if hit.is_empty() || condition.range.is_empty() {
            continue;
        }
        if let Some(rest) = &condition.rest {
            refuse_fields(rest, &*snapshot, &hit, condition.range)?;
        }
        let (measurement, predicate) = match wanted {
            None => (None, predicate.clone()),
            Some(MeasurementName::Name(name)) => {
                (Some(name.clone().into_bytes()), predicate.clone())
            }
            Some(MeasurementName::Regex(regex)) => {
                let named = Predicate::Measurement(Test::Matches(regex.engine().clone()));
                (
                    None,
                    Predicate::And(Box::new(named), Box::new(predicate.clone())),
                )
            }
        };
        context.source.delete(
            bucket,
            Delete {
                measurement,
                range: condition.range,
                predicate,
            },
        )?;
    }
    Ok(Outcome::Silent)
}

/// `DROP MEASUREMENT`: from all retention policies of the database.
pub(super) fn drop_measurement(name: &str, env: &Env<'_>) -> Result<Outcome> {
    let context = env.context;
    let database = context.database.unwrap_or_default();
    let mut done = HashSet::new();
    let mappings: Vec<&VisibleMapping> = context
        .mappings
        .iter()
        .filter(|visible| visible.mapping.database == database)
        .filter(|visible| done.insert(visible.mapping.bucket))
        .collect();
    if mappings.iter().any(|mapping| !mapping.may_write) {
        return fail("insufficient permissions");
    }
    for mapping in mappings {
        let bucket = mapping.mapping.bucket;
        if env.snapshot(bucket)?.index(name.as_bytes()).is_none() {
            continue;
        }
        let delete = Delete {
            measurement: Some(name.as_bytes().to_vec()),
            range: TimeRange::ALL,
            predicate: Predicate::All,
        };
        context.source.delete(bucket, delete)?;
    }
    Ok(Outcome::Silent)
}

/// Fails if the condition compares what is a field of a measurement that is hit.
fn refuse_fields(
    condition: &Expr,
    snapshot: &dyn Snapshot,
    measurements: &[Vec<u8>],
    range: TimeRange,
) -> Result<()> {
    let mut names: Vec<&str> = Vec::new();
    condition.walk(&mut |node| {
        if let Expr::VarRef(column) = node {
            names.push(&column.name);
        }
    });
    for measurement in measurements {
        let fields = snapshot.fields(measurement, range);
        let compared = fields
            .iter()
            .any(|(field, _)| names.iter().any(|n| n.as_bytes() == field));
        if compared && !snapshot.living(measurement, range)?.is_empty() {
            return fail("shard 1: fields not supported in WHERE clause during deletion");
        }
    }
    Ok(())
}

/// The condition as what is kept with a tombstone.
fn predicate(expr: &Expr, depth: usize) -> Result<Predicate> {
    // A regular source adds one level.
    if depth + 2 > MAX_DEPTH {
        return fail("the condition is nested too deeply");
    }
    Ok(match expr {
        Expr::Paren(inner) => predicate(inner, depth)?,
        Expr::Boolean(true) => Predicate::All,
        Expr::Binary {
            op: BinaryOp::And,
            lhs,
            rhs,
        } => Predicate::And(
            Box::new(predicate(lhs, depth + 1)?),
            Box::new(predicate(rhs, depth + 1)?),
        ),
        Expr::Binary {
            op: BinaryOp::Or,
            lhs,
            rhs,
        } => Predicate::Or(
            Box::new(predicate(lhs, depth + 1)?),
            Box::new(predicate(rhs, depth + 1)?),
        ),
        Expr::Binary { op, lhs, rhs } if op.is_comparison() => {
            let (column, value) = match (lhs.unparen(), rhs.unparen()) {
                (Expr::VarRef(_), Expr::VarRef(_)) => {
                    return fail(format!("two tags cannot be compared in a deletion: {expr}"));
                }
                (Expr::VarRef(column), value) | (value, Expr::VarRef(column)) => (column, value),
                _ => return Ok(Predicate::None),
            };
            let positive = matches!(op, BinaryOp::Eq | BinaryOp::EqRegex);
            let test = match value {
                Expr::String(text) if positive => Test::Is(text.clone().into_bytes()),
                Expr::String(text) => Test::IsNot(text.clone().into_bytes()),
                Expr::Regex(regex) if positive => Test::Matches(regex.engine().clone()),
                Expr::Regex(regex) => Test::MatchesNot(regex.engine().clone()),
                _ => return Ok(Predicate::None),
            };
            if column.name == "_name" {
                Predicate::Measurement(test)
            } else {
                let key = column.name.clone().into_bytes();
                Predicate::Tag {
                    key,
                    test,
                    absent: Absent::Empty,
                }
            }
        }
        _ => Predicate::None,
    })
}
