//! From a `SELECT` to what has to be read and how it becomes rows.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono_tz::Tz;
use influxd_influxql::ast::{
    BinaryOp, Call, Expr, Field, Fill, Measurement, MeasurementName, Order, Select, Source, VarRef,
};
use influxd_influxql::condition::split_condition;
use influxd_model::{FieldType, TimeRange};

use super::call::{Builder, Leaf, Node};
use super::eval::Formula;
use super::filter::formula;
use super::group::SeriesLimit;
use super::input::{Data, Input};
use super::math::Math;
use super::names::column_names;
use super::sink::RowLimit;
use super::types::{Schema, Type};
use super::window::Interval;
use super::{Env, Result, StatementError, expand, fail};

/// What a query inherits from the one around it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub(super) range: TimeRange,
    pub(super) interval: Option<Interval>,
    /// Whether the rows come newest first; `None` for the outermost query, which decides.
    pub(super) descending: Option<bool>,
}

impl Frame {
    /// The frame of a query that stands alone.
    pub(super) const OUTERMOST: Self = Self {
        range: TimeRange::ALL,
        interval: None,
        descending: None,
    };
}

/// A source of a plan.
pub(super) enum Planned {
    /// A measurement that exists.
    Stored(Input),
    /// A query inside.
    Subquery(Box<Plan>),
}

/// A `SELECT`, resolved: names, types and calls are settled, no point was read.
pub(super) struct Plan {
    pub(super) sources: Vec<Planned>,
    /// What the time column is called.
    pub(super) time: String,
    /// What the other columns are called.
    pub(super) names: Vec<String>,
    /// Their types; `None` where a column is unknown.
    pub(super) types: Vec<Option<Type>>,
    /// How their cells come out of the slots of a row.
    pub(super) formulas: Vec<Formula>,
    /// The columns to be read.
    pub(super) columns: Vec<VarRef>,
    pub(super) kind: Kind,
    /// The tags by which rows are grouped.
    pub(super) dimensions: BTreeSet<String>,
    /// What is left of the condition without time.
    pub(super) condition: Option<Expr>,
    pub(super) range: TimeRange,
    /// Whether rows begin with the first bucket that has points.
    pub(super) open: bool,
    pub(super) interval: Option<Interval>,
    pub(super) fill: Fill,
    pub(super) descending: bool,
    pub(super) rows: RowLimit,
    pub(super) series: SeriesLimit,
    pub(super) zone: Option<Tz>,
    /// The error for each column that has data of a type that its function does not take.
    pub(super) faults: Vec<(usize, String)>,
}

/// How rows are made.
pub(super) enum Kind {
    /// Every point is a row; slots are the columns that are read.
    Raw,
    /// Slots are the calls, then the further cells of the only call's points.
    Calls {
        nodes: Vec<Node>,
        leaves: Vec<Leaf>,
        /// Whether points keep their own times: a lone selector.
        own_time: bool,
    },
}

impl Plan {
    /// Plans a query and those inside it.
    pub(super) fn new(env: &Env<'_>, select: &Select, frame: Frame) -> Result<Self> {
        let now = env.context.now;
        let descending = frame
            .descending
            .unwrap_or(select.order() == Order::Descending);
        let (bounds, condition) =
            split_condition(select.condition.as_ref(), now, select.timezone).map_err(text)?;
        let interval = match interval(select, now)? {
            Some(interval) => Some(interval),
            None => frame.interval,
        };
        let latest = if interval.is_some() {
            now
        } else {
            TimeRange::ALL.max
        };
        let mut range = TimeRange {
            min: bounds
                .min
                .unwrap_or(TimeRange::ALL.min)
                .max(TimeRange::ALL.min),
            max: bounds.max.unwrap_or(latest).min(TimeRange::ALL.max),
        };
        range = range.intersect(frame.range);
        let mut fill = select.fill;
        if frame.descending.is_some() && fill == Fill::Null {
            fill = Fill::None;
        }

        let inner = Frame {
            range,
            interval,
            descending: Some(descending),
        };
        let wild = has_wildcard(select);
        let mut sources = Vec::new();
        let mut schema = Schema::default();
        for source in &select.sources {
            match source {
                Source::Measurement(measurement) => {
                    for input in measurements(env, measurement, range, wild)? {
                        schema.merge(&input.schema);
                        sources.push(Planned::Stored(input));
                    }
                }
                Source::Subquery(subquery) => {
                    let plan = Self::new(env, subquery, inner)?;
                    schema.merge(&plan.schema());
                    sources.push(Planned::Subquery(Box::new(plan)));
                }
            }
        }

        let dimensions = expand::dimensions(select, &schema);
        let (fields, time) = expand::fields(select, &schema)?;
        let names = column_names(&fields);
        let mut plan = Self {
            sources,
            time,
            names,
            types: Vec::new(),
            formulas: Vec::new(),
            columns: Vec::new(),
            kind: Kind::Raw,
            dimensions,
            condition,
            range,
            open: range.min == TimeRange::ALL.min,
            interval,
            fill,
            descending,
            rows: RowLimit {
                limit: given(select.limit),
                offset: given(select.offset),
            },
            series: SeriesLimit {
                limit: given(select.slimit),
                offset: given(select.soffset),
            },
            zone: select.timezone,
            faults: Vec::new(),
        };
        plan.limit_buckets(env, &fields)?;
        plan.settle(&fields, &schema)?;
        Ok(plan)
    }

    /// The columns that a query around this one sees (InfluxQL 11).
    pub(super) fn schema(&self) -> Schema {
        let mut schema = Schema::default();
        for (name, column_type) in self.names.iter().zip(&self.types) {
            if let Some(column_type) = column_type {
                schema.add_field(name.clone(), *column_type);
            }
        }
        schema.tags.clone_from(&self.dimensions);
        schema
    }

    /// Applies `max-select-buckets` (InfluxQL 4.14).
    fn limit_buckets(&mut self, env: &Env<'_>, fields: &[Field]) -> Result<()> {
        let most = env.context.limits.max_select_buckets;
        let Some(interval) = self.interval.filter(|_| most > 0) else {
            return Ok(());
        };
        if !fields.iter().any(|field| field.expr.has_call()) {
            return Ok(());
        }
        if self.range.min == TimeRange::ALL.min {
            let most = i64::try_from(most - 1).unwrap_or(i64::MAX);
            let last = interval.window(self.range.max).0;
            let first = last.saturating_sub(interval.every.saturating_mul(most));
            self.range.min = self.range.min.max(first);
            self.open = true;
            return Ok(());
        }
        let count = interval.count(self.range);
        if u64::try_from(count).is_ok_and(|count| count > most) {
            return fail(format!(
                "max-select-buckets limit exceeded: ({count}/{most})"
            ));
        }
        Ok(())
    }

    /// Settles types, formulas and calls.
    fn settle(&mut self, fields: &[Field], schema: &Schema) -> Result<()> {
        let mut calls: Vec<&Call> = Vec::new();
        for field in fields {
            find_calls(&field.expr, &mut calls);
        }
        let mut builder = Builder {
            schema,
            interval: self.interval,
            fill: self.fill,
            descending: self.descending,
            columns: Vec::new(),
            leaves: Vec::new(),
            faults: Vec::new(),
        };
        let own_time = calls.len() == 1;
        let mut known: Vec<&Call> = Vec::new();
        for call in calls {
            if !known.contains(&call) {
                known.push(call);
            }
        }
        // The columns beside a lone selector are kept with its points, behind the tag arguments
        // of top and bottom.
        let mut aux: Vec<VarRef> = match known.first() {
            Some(call) if matches!(call.name.as_str(), "top" | "bottom") => tag_arguments(call),
            _ => Vec::new(),
        };
        let tags = aux.len();
        for field in fields {
            self.types.push(schema.evaluate(&field.expr)?);
            let formula = formula(&field.expr, &mut |leaf| {
                Ok(match leaf {
                    Expr::Call(call) => known.iter().position(|other| *other == call).unwrap_or(0),
                    Expr::VarRef(column) if known.is_empty() => builder.column(column),
                    Expr::VarRef(column) => {
                        aux.push(column.clone());
                        known.len() + aux.len() - 1
                    }
                    _ => 0,
                })
            })?;
            self.formulas.push(formula);
            if let Expr::Call(call) = &field.expr
                && matches!(call.name.as_str(), "top" | "bottom")
            {
                for (at, column) in tag_arguments(call).iter().enumerate() {
                    self.types.push(schema.type_of(column));
                    self.formulas.push(Formula::Slot(known.len() + at));
                }
            }
        }
        if !known.is_empty() {
            let aux: Vec<usize> = aux[tags..]
                .iter()
                .map(|column| builder.column(column))
                .collect();
            let mut nodes = Vec::new();
            for call in known {
                nodes.push(builder.node(call, self.range, &aux)?);
            }
            let selects = |node: &Node| match node {
                Node::Leaf { leaf, .. } => builder.leaves[*leaf].reduction.is_selector(),
                Node::Transform(..) => false,
            };
            let own_time = own_time && nodes.iter().all(selects);
            self.kind = Kind::Calls {
                nodes,
                leaves: builder.leaves,
                own_time,
            };
        }
        self.columns = builder.columns;
        self.faults = builder.faults;
        Ok(())
    }

    /// The types of the cells of a row.
    pub(super) fn cells(&self) -> Vec<FieldType> {
        self.types
            .iter()
            .map(|ty| ty.map_or(FieldType::Float, Type::cells))
            .collect()
    }
}

/// A limit, unless it is zero.
fn given(limit: Option<u64>) -> Option<u64> {
    limit.filter(|limit| *limit > 0)
}

pub(super) fn text(error: impl std::fmt::Display) -> StatementError {
    StatementError::Text(error.to_string())
}

/// The column references among the tag arguments of `top` and `bottom`.
fn tag_arguments(call: &Call) -> Vec<VarRef> {
    let end = call.args.len().saturating_sub(1);
    call.args
        .get(1..end)
        .unwrap_or_default()
        .iter()
        .filter_map(|arg| match arg {
            Expr::VarRef(column) => Some(column.clone()),
            _ => None,
        })
        .collect()
}

/// The outermost calls that are no mathematical functions.
fn find_calls<'a>(expr: &'a Expr, calls: &mut Vec<&'a Call>) {
    match expr {
        Expr::Call(call) if Math::named(&call.name).is_some() => {
            call.args.iter().for_each(|arg| find_calls(arg, calls));
        }
        Expr::Call(call) => calls.push(call),
        Expr::Paren(inner) => find_calls(inner, calls),
        Expr::Binary { lhs, rhs, .. } => {
            find_calls(lhs, calls);
            find_calls(rhs, calls);
        }
        _ => {}
    }
}

/// Whether the tag keys of the sources matter.
fn has_wildcard(select: &Select) -> bool {
    let mut found = false;
    let fields = select.fields.iter().map(|field| &field.expr);
    for expr in fields.chain(&select.dimensions) {
        expr.walk(&mut |node| found |= matches!(node, Expr::Wildcard(_) | Expr::Regex(_)));
    }
    found
}

/// `time()` among the dimensions (InfluxQL 7.2).
fn interval(select: &Select, now: i64) -> Result<Option<Interval>> {
    for dimension in &select.dimensions {
        let Expr::Call(call) = dimension.unparen() else {
            continue;
        };
        let Some(Expr::Duration(every)) = call.args.first().map(Expr::unparen) else {
            return fail("time dimension must have duration argument");
        };
        if *every <= 0 {
            return Ok(None);
        }
        let offset = match call.args.get(1).map(Expr::unparen) {
            None => 0,
            Some(Expr::Duration(offset)) => *offset,
            Some(Expr::Call(_)) => now,
            Some(instant) => {
                let equals = Expr::binary(BinaryOp::Eq, Expr::var("time"), instant.clone());
                let (range, _) =
                    split_condition(Some(&equals), now, select.timezone).map_err(text)?;
                range.min.unwrap_or(0)
            }
        };
        return Ok(Some(Interval {
            every: *every,
            offset: offset % every,
            zone: select.timezone,
        }));
    }
    Ok(None)
}

/// The measurements that a source names and that exist.
fn measurements(
    env: &Env<'_>,
    measurement: &Measurement,
    range: TimeRange,
    wild: bool,
) -> Result<Vec<Input>> {
    if let MeasurementName::Name(name) = &measurement.name {
        refuse_system_source(name)?;
    }
    let database = env.context.database(measurement.database.as_deref())?;
    let policy = measurement.policy.as_deref().or(env.context.policy);
    let bucket = env.context.bucket(database, policy)?;
    let snapshot = env.snapshot(bucket)?;
    let names: Vec<Vec<u8>> = match &measurement.name {
        MeasurementName::Name(name) if name.is_empty() => return fail("invalid measurement"),
        MeasurementName::Name(name) => vec![name.clone().into_bytes()],
        MeasurementName::Regex(regex) => snapshot
            .measurements()
            .into_iter()
            .filter(|name| regex.is_match(name))
            .collect(),
    };
    let mut inputs = Vec::new();
    for name in names {
        let Some(index) = snapshot.index(&name) else {
            continue;
        };
        let mut schema = Schema::default();
        for (field, field_type) in snapshot.fields(&name, range) {
            let field = String::from_utf8_lossy(&field).into_owned();
            schema.add_field(field, Type::Field(field_type));
        }
        let utf8 = |key: &[u8]| String::from_utf8_lossy(key).into_owned();
        if wild && range != TimeRange::ALL {
            for id in snapshot.living(&name, range)? {
                for (key, _) in index.series(id).tags.iter() {
                    if !schema.tags.contains(&*String::from_utf8_lossy(key)) {
                        schema.tags.insert(utf8(key));
                    }
                }
            }
        } else {
            schema.tags = index.tag_keys().map(utf8).collect();
        }
        let data = Data::Stored {
            snapshot: Arc::clone(&snapshot),
            index,
        };
        inputs.push(Input { name, data, schema });
    }
    Ok(inputs)
}

/// Refuses names that mean metadata (InfluxQL 4.3).
fn refuse_system_source(name: &str) -> Result<()> {
    let instead = match name {
        "_fieldKeys" => "SHOW FIELD KEYS",
        "_measurements" => "SHOW MEASUREMENTS",
        "_series" => "SHOW SERIES",
        "_tagKeys" => "SHOW TAG KEYS",
        "_tags" => "SHOW TAG VALUES",
        "_name" | "_tagKey" => "the appropriate meta command",
        _ => return Ok(()),
    };
    fail(format!(
        "unable to use system source '{name}': use {instead} instead"
    ))
}
