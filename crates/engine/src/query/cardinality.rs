//! SHOW ... CARDINALITY (InfluxQL 4.11).

use std::collections::{BTreeMap, BTreeSet};

use influxd_influxql::ast::{Cardinality, CardinalityKind, Expr};
use influxd_model::TimeRange;

use super::meta::{condition, find_all, head, is_wanted_key, targets};
use super::output::{Output, Value};
use super::{Env, Result, fail};
use crate::index::Series;

/// Executes a cardinality statement.
pub(super) fn execute(show: &Cardinality, env: &Env<'_>, out: &mut dyn Output) -> Result<()> {
    if show.is_plain() {
        match show.kind {
            CardinalityKind::Series => return fail("not implemented: SHOW SERIES CARDINALITY"),
            CardinalityKind::Measurement => {
                return fail("not implemented: SHOW MEASUREMENT CARDINALITY");
            }
            CardinalityKind::TagKey | CardinalityKind::TagValues | CardinalityKind::FieldKey => {}
        }
    }
    let mut condition = condition(env, show.condition.as_ref())?;
    condition.present_only = show.kind == CardinalityKind::TagValues;
    if condition.has_time {
        let statement = match show.kind {
            CardinalityKind::Series => "SHOW SERIES EXACT CARDINALITY",
            CardinalityKind::Measurement => "SHOW MEASUREMENT EXACT CARDINALITY",
            CardinalityKind::TagKey => "SHOW TAG KEY EXACT CARDINALITY",
            CardinalityKind::FieldKey => "SHOW FIELD KEY CARDINALITY",
            // Upstream accepts time here, and then counts nothing.
            CardinalityKind::TagValues => return Ok(()),
        };
        return fail(format!("{statement} doesn't support time in WHERE clause"));
    }
    let targets = targets(
        env,
        show.database.as_deref(),
        &show.sources,
        env.context.policy,
    )?;
    if show.kind == CardinalityKind::FieldKey && condition.rest.is_some() {
        return Ok(());
    }
    let found = find_all(env, &targets, &condition)?;
    // There is one row in a series: any offset leaves it out.
    if show.offset.is_some_and(|offset| offset > 0) {
        return Ok(());
    }
    if show.kind == CardinalityKind::Measurement {
        let mut groups: BTreeMap<Vec<Vec<u8>>, BTreeSet<&[u8]>> = BTreeMap::new();
        let all: Vec<Vec<u8>> = found
            .iter()
            .flat_map(|found| found.index.tag_keys().map(<[u8]>::to_vec))
            .collect();
        let dimensions = dimensions(show, all.into_iter());
        for measurement in &found {
            for series in measurement.each() {
                groups
                    .entry(values(series, &dimensions))
                    .or_default()
                    .insert(&measurement.name);
            }
        }
        for (tags, names) in groups {
            count(out, None, &dimensions, tags, names.len())?;
        }
        return Ok(());
    }
    for measurement in &found {
        env.check()?;
        let keys = measurement.index.tag_keys().map(<[u8]>::to_vec);
        let dimensions = dimensions(show, keys);
        let name = Some(measurement.name.as_slice());
        if show.kind == CardinalityKind::FieldKey {
            let fields: BTreeSet<Vec<u8>> = measurement
                .snapshot
                .fields(&measurement.name, TimeRange::ALL)
                .into_iter()
                .map(|(name, _)| name)
                .collect();
            let tags = vec![Vec::new(); dimensions.len()];
            count(out, name, &dimensions, tags, fields.len())?;
            continue;
        }
        let mut groups: BTreeMap<Vec<Vec<u8>>, BTreeSet<&[u8]>> = BTreeMap::new();
        for series in measurement.each() {
            let group = groups.entry(values(series, &dimensions)).or_default();
            match show.kind {
                CardinalityKind::TagKey => {
                    group.extend(series.tags.iter().map(|(key, _)| &**key));
                }
                CardinalityKind::TagValues => {
                    let wanted = series.tags.iter().filter(|(key, _)| {
                        show.with_key
                            .as_ref()
                            .is_none_or(|with| is_wanted_key(with, key))
                    });
                    group.extend(wanted.map(|(_, value)| &**value));
                }
                CardinalityKind::Series
                | CardinalityKind::Measurement
                | CardinalityKind::FieldKey => {
                    group.insert(&series.key);
                }
            }
        }
        for (tags, members) in groups {
            if !members.is_empty() {
                count(out, name, &dimensions, tags, members.len())?;
            }
        }
    }
    Ok(())
}

/// The tag keys that GROUP BY names.
fn dimensions(show: &Cardinality, keys: impl Iterator<Item = Vec<u8>>) -> Vec<Vec<u8>> {
    let mut dimensions = BTreeSet::new();
    let keys: Vec<Vec<u8>> = keys.collect();
    for dimension in &show.dimensions {
        match dimension.unparen() {
            Expr::VarRef(column) => {
                dimensions.insert(column.name.clone().into_bytes());
            }
            Expr::Wildcard(_) => dimensions.extend(keys.iter().cloned()),
            Expr::Regex(regex) => {
                dimensions.extend(keys.iter().filter(|key| regex.is_match(key)).cloned());
            }
            _ => {}
        }
    }
    dimensions.into_iter().collect()
}

fn values(series: &Series, dimensions: &[Vec<u8>]) -> Vec<Vec<u8>> {
    dimensions
        .iter()
        .map(|key| series.tag(key).unwrap_or_default().to_vec())
        .collect()
}

fn count(
    out: &mut dyn Output,
    name: Option<&[u8]>,
    dimensions: &[Vec<u8>],
    tags: Vec<Vec<u8>>,
    count: usize,
) -> Result<()> {
    let mut head = head(name, &["count"]);
    if !dimensions.is_empty() {
        head.tags = Some(dimensions.iter().cloned().zip(tags).collect());
    }
    out.begin_series(head)?;
    out.row(&[Value::Integer(count as i64)])?;
    Ok(())
}
