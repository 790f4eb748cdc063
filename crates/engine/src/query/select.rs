//! Running a planned `SELECT`.

use std::collections::BTreeSet;

use influxd_influxql::ast::Select;
use influxd_influxql::check::check_select;

use super::aggregate::Job;
use super::filter::Filter;
use super::group::{Group, groups};
use super::input::{Data, Input};
use super::output::Output;
use super::plan::{Frame, Kind, Plan, Planned, text};
use super::raw::Raw;
use super::resolve::Fields;
use super::scan::{Scan, Slot};
use super::sink::{Emitter, Sink, ToOutput, ToSeries};
use super::stream::{RawFill, Stream};
use super::{Env, Result, fail};

/// Executes a `SELECT` statement.
pub(super) fn execute(select: &Select, env: &Env<'_>, out: &mut dyn Output) -> Result<()> {
    let plan = prepare(select, env)?;
    if let Some(into) = &select.into {
        let context = env.context;
        let database = context.database(into.database.as_deref())?;
        context.bucket(database, into.policy.as_deref())?;
        return fail("not implemented: SELECT INTO");
    }
    let mut columns = vec![plan.time.clone()];
    columns.extend(plan.names.iter().cloned());
    let mut sink = ToOutput {
        out,
        columns,
        dimensions: plan.dimensions.iter().cloned().collect(),
        zone: plan.zone,
    };
    plan.run(env, &BTreeSet::new(), &mut sink)
}

/// Checks a `SELECT` statement and plans it.
pub(super) fn prepare(select: &Select, env: &Env<'_>) -> Result<Plan> {
    check_select(select, env.context.now).map_err(text)?;
    Plan::new(env, select, Frame::OUTERMOST)
}

impl Plan {
    /// Writes the rows of the query. `pushed` are dimensions of the query around this one.
    pub(super) fn run(
        mut self,
        env: &Env<'_>,
        pushed: &BTreeSet<String>,
        sink: &mut dyn Sink,
    ) -> Result<()> {
        if self.formulas.is_empty() || self.range.is_empty() {
            return Ok(());
        }
        let dimensions: BTreeSet<String> = self.dimensions.union(pushed).cloned().collect();
        let inputs = self.inputs(env, &dimensions)?;
        let mut groups = groups(env, &inputs, &dimensions, self.range_read(), self.series)?;
        self.refuse_types(&inputs, &groups)?;
        if self.descending {
            groups.reverse();
        }
        match &self.kind {
            Kind::Raw => Raw {
                env,
                inputs: &inputs,
                range: self.range,
                descending: self.descending,
                limit: self.rows,
                fill: RawFill::new(self.fill),
                formulas: &self.formulas,
                columns: self.columns.len(),
            }
            .run(&groups, sink),
            Kind::Calls {
                nodes,
                leaves,
                own_time,
            } => {
                let job = Job {
                    env,
                    inputs: &inputs,
                    leaves,
                    interval: self.interval,
                };
                let states = job.run(&groups)?;
                let stream = Stream {
                    env,
                    nodes,
                    leaves,
                    interval: self.interval,
                    descending: self.descending,
                    range: self.range,
                    open: self.open,
                    own_time: *own_time,
                    fill: self.fill,
                };
                for (group, buckets) in groups.iter().zip(states) {
                    env.check()?;
                    let mut emitter =
                        Emitter::new(sink, &self.formulas, self.rows, &group.name, &group.tags);
                    stream.run(buckets, &mut emitter)?;
                }
                Ok(())
            }
        }
    }

    /// The range that has to be read: transformations look one bucket further.
    fn range_read(&self) -> influxd_model::TimeRange {
        let mut range = self.range;
        if let Kind::Calls { leaves, .. } = &self.kind {
            for leaf in leaves {
                range.min = range.min.min(leaf.range.min);
                range.max = range.max.max(leaf.range.max);
            }
        }
        range
    }

    /// The sources with what to read from each; queries inside are run for it.
    fn inputs(
        &mut self,
        env: &Env<'_>,
        dimensions: &BTreeSet<String>,
    ) -> Result<Vec<(Input, Scan)>> {
        let mut inputs = Vec::new();
        for source in std::mem::take(&mut self.sources) {
            match source {
                Planned::Stored(input) => inputs.push(input),
                Planned::Subquery(plan) => {
                    let schema = plan.schema();
                    let columns = plan.names.clone().into();
                    let descending = plan.descending;
                    let mut rows = ToSeries {
                        env,
                        types: plan.cells(),
                        dimensions: plan.dimensions.union(dimensions).cloned().collect(),
                        inputs: Vec::new(),
                    };
                    plan.run(env, dimensions, &mut rows)?;
                    for (name, series) in rows.finish(descending) {
                        let data = Data::Derived {
                            columns: std::sync::Arc::clone(&columns),
                            series,
                        };
                        inputs.push(Input {
                            name,
                            data,
                            schema: schema.clone(),
                        });
                    }
                }
            }
        }
        inputs
            .into_iter()
            .map(|input| {
                let mut fields = Fields::default();
                let filter = match &self.condition {
                    Some(condition) => Filter::compile(condition, &input, &mut fields)?,
                    None => Filter::Const(true),
                };
                let scan = Scan::new(&input, &self.columns, filter, fields);
                Ok((input, scan))
            })
            .collect()
    }

    /// Fails if a function would get values of a type that it does not take.
    fn refuse_types(&self, inputs: &[(Input, Scan)], groups: &[Group]) -> Result<()> {
        for (column, fault) in &self.faults {
            let hit = groups
                .iter()
                .flat_map(|group| &group.members)
                .any(|member| matches!(inputs[member.input].1.slots[*column], Slot::Column(_)));
            if hit {
                return fail(fault.clone());
            }
        }
        Ok(())
    }
}
