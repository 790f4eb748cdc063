//! What the metadata statements have in common: measurements, and the series a condition takes.

use std::sync::Arc;

use influxd_influxql::ast::{Expr, Measurement, MeasurementName, WithKey};
use influxd_influxql::condition::split_condition;
use influxd_model::{BucketId, TimeRange};

use super::filter::Filter;
use super::input::{Data, Input};
use super::output::{Output, SeriesHead, Value};
use super::plan::text;
use super::resolve::Fields;
use super::types::Schema;
use super::{Env, Result};
use crate::index::{MeasurementIndex, Series, SeriesId};
use crate::source::Snapshot;

/// A condition without its time comparisons, and the range they make.
pub(super) struct Condition {
    pub(super) range: TimeRange,
    /// Whether time was compared at all.
    pub(super) has_time: bool,
    pub(super) rest: Option<Expr>,
    /// Whether a missing tag makes a comparison false, instead of counting as an empty one.
    pub(super) present_only: bool,
}

/// Splits the condition of a metadata statement.
pub(super) fn condition(env: &Env<'_>, condition: Option<&Expr>) -> Result<Condition> {
    let (bounds, rest) = split_condition(condition, env.context.now, None).map_err(text)?;
    Ok(Condition {
        range: TimeRange {
            min: bounds
                .min
                .unwrap_or(TimeRange::ALL.min)
                .max(TimeRange::ALL.min),
            max: bounds
                .max
                .unwrap_or(TimeRange::ALL.max)
                .min(TimeRange::ALL.max),
        },
        has_time: bounds.min.is_some() || bounds.max.is_some(),
        rest,
        present_only: false,
    })
}

/// A measurement and those of its series that are wanted.
pub(super) struct Found {
    pub(super) name: Vec<u8>,
    pub(super) snapshot: Arc<dyn Snapshot>,
    pub(super) index: Arc<MeasurementIndex>,
    /// In the order of their keys.
    pub(super) series: Vec<SeriesId>,
}

impl Found {
    /// What is known of its series.
    pub(super) fn each(&self) -> impl Iterator<Item = &Series> {
        self.series.iter().map(|id| self.index.series(*id))
    }
}

/// The measurements of a bucket that `wanted` names, with the series that live in the range and
/// that the condition takes; those without any are left out. Sorted by name.
pub(super) fn find(
    env: &Env<'_>,
    bucket: BucketId,
    wanted: Option<&MeasurementName>,
    condition: &Condition,
) -> Result<Vec<Found>> {
    let mut found = Vec::new();
    if condition.range.is_empty() {
        return Ok(found);
    }
    let snapshot = env.snapshot(bucket)?;
    for name in snapshot.measurements() {
        env.check()?;
        if !wanted.is_none_or(|wanted| is_named(&name, wanted)) {
            continue;
        }
        let Some(index) = snapshot.index(&name) else {
            continue;
        };
        let input = Input {
            name,
            data: Data::Stored {
                snapshot: Arc::clone(&snapshot),
                index: Arc::clone(&index),
            },
            schema: Schema::default(),
        };
        let filter = match &condition.rest {
            Some(rest) if condition.present_only => Filter::of_present_tags(rest, &input)?,
            Some(rest) => Filter::compile(rest, &input, &mut Fields::default())?,
            None => Filter::Const(true),
        };
        let series: Vec<SeriesId> = input
            .living(condition.range)?
            .into_iter()
            .filter(|series| filter.takes_series(&input, *series))
            .map(SeriesId)
            .collect();
        if !series.is_empty() {
            found.push(Found {
                name: input.name,
                snapshot: Arc::clone(&snapshot),
                index,
                series,
            });
        }
    }
    Ok(found)
}

/// Whether a measurement is the one meant, or among those.
pub(super) fn is_named(name: &[u8], wanted: &MeasurementName) -> bool {
    match wanted {
        MeasurementName::Name(wanted) => wanted.as_bytes() == name,
        MeasurementName::Regex(regex) => regex.is_match(name),
    }
}

/// The buckets and names that a statement's sources mean. Without sources: the statement's
/// database, and all names. `policy` is that of the request; the sources' own ones go before it.
pub(super) fn targets<'s>(
    env: &Env<'_>,
    database: Option<&str>,
    sources: &'s [Measurement],
    policy: Option<&str>,
) -> Result<Vec<(BucketId, Option<&'s MeasurementName>)>> {
    let context = env.context;
    if sources.is_empty() {
        let database = context.database(database)?;
        return Ok(vec![(context.bucket(database, policy)?, None)]);
    }
    sources
        .iter()
        .map(|source| {
            let database = context.database(source.database.as_deref().or(database))?;
            let policy = source.policy.as_deref().or(policy);
            Ok((context.bucket(database, policy)?, Some(&source.name)))
        })
        .collect()
}

/// Finds what all targets mean, each measurement of a bucket once, sorted by name.
pub(super) fn find_all(
    env: &Env<'_>,
    targets: &[(BucketId, Option<&MeasurementName>)],
    condition: &Condition,
) -> Result<Vec<Found>> {
    let mut all: Vec<(BucketId, Found)> = Vec::new();
    for (bucket, wanted) in targets {
        for found in find(env, *bucket, *wanted, condition)? {
            if !all
                .iter()
                .any(|(other, known)| other == bucket && known.name == found.name)
            {
                all.push((*bucket, found));
            }
        }
    }
    all.sort_by(|a, b| a.1.name.cmp(&b.1.name));
    Ok(all.into_iter().map(|(_, found)| found).collect())
}

/// Whether a `WITH KEY` clause means a tag key.
pub(super) fn is_wanted_key(with_key: &WithKey, key: &[u8]) -> bool {
    match with_key {
        WithKey::Eq(wanted) => wanted.as_bytes() == key,
        WithKey::Neq(unwanted) => unwanted.as_bytes() != key,
        WithKey::EqRegex(regex) => regex.is_match(key),
        WithKey::NeqRegex(regex) => !regex.is_match(key),
        WithKey::In(wanted) => wanted.iter().any(|wanted| wanted.as_bytes() == key),
    }
}

/// LIMIT and OFFSET of a list; zero counts as not given.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub(super) limit: Option<u64>,
    pub(super) offset: Option<u64>,
}

impl Window {
    /// The rows within.
    pub(super) fn of<T>(self, rows: impl IntoIterator<Item = T>) -> impl Iterator<Item = T> {
        let skip = usize::try_from(self.offset.unwrap_or(0)).unwrap_or(usize::MAX);
        let take = match self.limit.filter(|limit| *limit > 0) {
            Some(limit) => usize::try_from(limit).unwrap_or(usize::MAX),
            None => usize::MAX,
        };
        rows.into_iter().skip(skip).take(take)
    }
}

/// The head of a series without tags.
pub(super) fn head(name: Option<&[u8]>, columns: &[&str]) -> SeriesHead {
    SeriesHead {
        name: name.map(<[u8]>::to_vec),
        columns: columns.iter().map(|&column| column.to_owned()).collect(),
        ..SeriesHead::default()
    }
}

/// Writes a series of texts, unless it has no rows.
pub(super) fn list<const N: usize>(
    out: &mut dyn Output,
    head: SeriesHead,
    rows: impl Iterator<Item = [Vec<u8>; N]>,
) -> Result<()> {
    let mut head = Some(head);
    for row in rows {
        if let Some(head) = head.take() {
            out.begin_series(head)?;
        }
        let cells: [Value<'_>; N] = std::array::from_fn(|at| Value::String(&row[at]));
        out.row(&cells)?;
    }
    Ok(())
}
