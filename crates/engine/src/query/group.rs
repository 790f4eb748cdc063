//! Which series make up which series of the result (InfluxQL 6.1).

use std::collections::BTreeSet;

use hashbrown::HashMap;
use influxd_model::TimeRange;

use super::input::Input;
use super::scan::Scan;
use super::{Env, Result, fail};

/// A series of the result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    /// The measurement.
    pub(super) name: Vec<u8>,
    /// The values of the dimensions in their order; empty where a series has none.
    pub(super) tags: Vec<Vec<u8>>,
    /// The series of each input that belong to it, in the order of their keys.
    pub(super) members: Vec<Member>,
}

/// The series of one input in a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    /// The input's place in the plan.
    pub(super) input: usize,
    /// Numbers of series in that input.
    pub(super) series: Vec<u32>,
}

/// How many of the groups of each measurement are wanted (InfluxQL 6.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct SeriesLimit {
    pub(super) limit: Option<u64>,
    pub(super) offset: Option<u64>,
}

/// Sorts the series of the inputs into groups, by name and tag values.
pub(super) fn groups(
    env: &Env<'_>,
    inputs: &[(Input, Scan)],
    dimensions: &BTreeSet<String>,
    range: TimeRange,
    limit: SeriesLimit,
) -> Result<Vec<Group>> {
    let mut groups: Vec<Group> = Vec::new();
    let mut known: HashMap<(Vec<u8>, Vec<Vec<u8>>), usize> = HashMap::new();
    let mut count: u64 = 0;
    if range.is_empty() {
        return Ok(groups);
    }
    for (number, (input, scan)) in inputs.iter().enumerate() {
        env.check()?;
        if !scan.has_rows(input) {
            continue;
        }
        for series in input.living(range)? {
            if scan.filter.certain(series) == Some(false) {
                continue;
            }
            if !input.is_derived() {
                count += 1;
            }
            let tags: Vec<Vec<u8>> = dimensions
                .iter()
                .map(|key| {
                    input
                        .tag(series, key.as_bytes())
                        .unwrap_or_default()
                        .to_vec()
                })
                .collect();
            let key = (input.name.clone(), tags);
            let at = *known.entry(key).or_insert_with_key(|(name, tags)| {
                groups.push(Group {
                    name: name.clone(),
                    tags: tags.clone(),
                    members: Vec::new(),
                });
                groups.len() - 1
            });
            let members = &mut groups[at].members;
            match members.last_mut() {
                Some(member) if member.input == number => member.series.push(series),
                _ => members.push(Member {
                    input: number,
                    series: vec![series],
                }),
            }
        }
    }
    let most = env.context.limits.max_select_series;
    if most > 0 && count > most {
        return fail(format!(
            "max-select-series limit exceeded: ({count}/{most})"
        ));
    }
    groups.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| a.tags.cmp(&b.tags)));
    Ok(choose(groups, limit))
}

/// Applies SLIMIT and SOFFSET to the groups of each measurement.
fn choose(groups: Vec<Group>, limit: SeriesLimit) -> Vec<Group> {
    if limit == SeriesLimit::default() {
        return groups;
    }
    let skip = limit.offset.unwrap_or(0);
    let take = limit.limit.unwrap_or(u64::MAX);
    let mut place = 0;
    let mut name: Option<Vec<u8>> = None;
    groups
        .into_iter()
        .filter(|group| {
            if name.as_ref() != Some(&group.name) {
                name = Some(group.name.clone());
                place = 0;
            }
            place += 1;
            place > skip && place - skip <= take
        })
        .collect()
}
