//! EXPLAIN (InfluxQL 4.13).

use std::collections::BTreeSet;

use influxd_influxql::ast::Explain;
use influxd_model::TimeRange;

use super::filter::Filter;
use super::input::{Data, Input};
use super::meta::head;
use super::output::{Output, Value};
use super::plan::{Kind, Plan, Planned};
use super::resolve::Fields;
use super::scan::Scan;
use super::select::prepare;
use super::sink::Sink;
use super::{Env, Result};

/// Executes EXPLAIN and EXPLAIN ANALYZE.
pub(super) fn execute(explain: &Explain, env: &Env<'_>, out: &mut dyn Output) -> Result<()> {
    let plan = prepare(&explain.select, env)?;
    let (column, lines) = if explain.analyze {
        let mut count = Count::default();
        plan.run(env, &BTreeSet::new(), &mut count)?;
        let lines = vec![
            ".".to_owned(),
            "└── select".to_owned(),
            format!("    ├── series: {}", count.series),
            format!("    └── rows: {}", count.rows),
        ];
        ("EXPLAIN ANALYZE", lines)
    } else {
        let mut lines = Vec::new();
        describe(&plan, env, &mut lines)?;
        if lines.is_empty() {
            lines.push(String::new());
        }
        ("QUERY PLAN", lines)
    };
    out.begin_series(head(None, &[column]))?;
    for line in lines {
        out.row(&[Value::String(line.as_bytes())])?;
    }
    Ok(())
}

/// Counts rows and forgets them.
#[derive(Default)]
struct Count {
    series: u64,
    rows: u64,
}

impl Sink for Count {
    fn begin(&mut self, _: &[u8], _: &[Vec<u8>]) -> Result<()> {
        self.series += 1;
        Ok(())
    }

    fn row(&mut self, _: i64, _: &[Value<'_>]) -> Result<()> {
        self.rows += 1;
        Ok(())
    }
}

/// What is read for each call of a plan, or for its rows.
fn describe(plan: &Plan, env: &Env<'_>, lines: &mut Vec<String>) -> Result<()> {
    for source in &plan.sources {
        match source {
            Planned::Subquery(inner) => describe(inner, env, lines)?,
            Planned::Stored(input) => match &plan.kind {
                Kind::Raw => {
                    let all: Vec<usize> = (0..plan.columns.len()).collect();
                    reading(plan, env, input, "<nil>", &all, plan.range, lines)?;
                }
                Kind::Calls { leaves, .. } => {
                    for leaf in leaves {
                        let text = &leaf.expression;
                        reading(plan, env, input, text, &leaf.aux, leaf.range, lines)?;
                    }
                }
            },
        }
    }
    Ok(())
}

/// One reading of a measurement.
fn reading(
    plan: &Plan,
    env: &Env<'_>,
    input: &Input,
    expression: &str,
    aux: &[usize],
    range: TimeRange,
    lines: &mut Vec<String>,
) -> Result<()> {
    env.check()?;
    let Data::Stored { snapshot, .. } = &input.data else {
        return Ok(());
    };
    let mut fields = Fields::default();
    let filter = match &plan.condition {
        Some(condition) => Filter::compile(condition, input, &mut fields)?,
        None => Filter::Const(true),
    };
    let scan = Scan::new(input, &plan.columns, filter, fields);
    if !scan.has_rows(input) {
        return Ok(());
    }
    let series = input
        .living(range)?
        .into_iter()
        .filter(|series| scan.filter.certain(*series) != Some(false))
        .count();
    if series == 0 {
        return Ok(());
    }
    if !lines.is_empty() {
        lines.push(String::new());
    }
    lines.push(format!("EXPRESSION: {expression}"));
    if !aux.is_empty() {
        let names: Vec<String> = aux.iter().map(|at| plan.columns[*at].to_string()).collect();
        lines.push(format!("AUXILIARY FIELDS: {}", names.join(", ")));
    }
    lines.push(format!(
        "NUMBER OF SHARDS: {}",
        snapshot.window_count(&input.name, range)
    ));
    lines.push(format!("NUMBER OF SERIES: {series}"));
    // Chunks are no files of ours, and what is cached is the store's business.
    for count in [
        "CACHED VALUES",
        "NUMBER OF FILES",
        "NUMBER OF BLOCKS",
        "SIZE OF BLOCKS",
    ] {
        lines.push(format!("{count}: 0"));
    }
    Ok(())
}
