//! What is wrong with a `SELECT` before any data is read, and what the executor wants to know of it
//! (InfluxQL 10).
//!
//! [`check_select`] looks at the condition and the dimensions first, then at the fields in order,
//! then at how they combine, then at subqueries: that is the order in which InfluxDB finds errors.
//! What depends on the schema is left to the executor: wildcards are not expanded, so that
//! [`Kind::of`] and [`column_names`] are to be asked again about the expanded list.

mod calls;
mod fields;
mod names;
#[cfg(test)]
mod tests;

use chrono_tz::Tz;

pub use names::{column_names, expr_name};

use crate::ast::{Call, Expr, Field, Fill, Order, Select, Source};
use crate::condition::{ConditionError, TimeRange, check_calls, split_condition};
use crate::fold::Fold;
use crate::function::{self, Class};
use crate::regex::Regex;
use crate::time::{looks_like_time, parse_time};
use fields::FieldList;

/// The error of a statement that cannot be run, whatever the data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CompileError {
    /// Something is wrong with `WHERE`.
    #[error(transparent)]
    Condition(#[from] ConditionError),
    /// Something is wrong with `GROUP BY`.
    #[error("{0}")]
    Dimension(String),
    /// Something is wrong with a field, or with how fields combine.
    #[error("{0}")]
    Field(String),
    /// A subquery is ordered otherwise than the query.
    #[error("subqueries must be ordered in the same direction as the query itself")]
    Order,
}

/// A `SELECT` without faults, taken apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// What kind of query it is, wildcards not being expanded.
    pub kind: Kind,
    /// The instants that count: those of its own `WHERE` and of the queries around it. With an
    /// interval of its own, a missing upper bound is the present; a missing lower one stays missing.
    pub time_range: TimeRange,
    /// What is left of `WHERE` without the comparisons with time, folded.
    pub condition: Option<Expr>,
    /// The interval of `GROUP BY time()`, or that of the query around it.
    pub interval: Option<Interval>,
    /// Whether the interval is that of the query around it.
    pub inherited_interval: bool,
    /// The tags of `GROUP BY`.
    pub dimensions: Vec<TagDimension>,
    /// The fill; in a subquery with an interval, [`Fill::None`] stands for [`Fill::Null`].
    pub fill: Fill,
    /// The direction; in a subquery that of the query around it.
    pub order: Order,
    /// What the column of the time is called.
    pub time_column: String,
    /// The fields without `time`: folded, with the tag columns of `top` and `bottom`, and with
    /// `DISTINCT x` as a call.
    pub fields: Vec<Field>,
    /// All calls but those of math functions: outer ones before inner ones, in order.
    pub calls: Vec<Call>,
    /// Whether there are plain columns, wildcards or patterns among the fields.
    pub has_columns: bool,
    /// The subqueries among the sources, in order.
    pub subqueries: Vec<Self>,
}

/// Buckets of time: `k * every + offset` is the start of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// The width, in nanoseconds; more than zero.
    pub every: i64,
    /// How far starts are behind multiples of the width, in nanoseconds; zero or more, less than the width.
    pub offset: i64,
}

/// An item of `GROUP BY` that is not the time.
#[derive(Debug, Clone, PartialEq)]
pub enum TagDimension {
    /// This tag.
    Tag(String),
    /// All tags.
    All,
    /// All tags whose keys match.
    Regex(Regex),
}

/// What kind of query a field list makes. It decides on the times of rows (InfluxQL 6.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// No calls, except of math functions.
    Raw,
    /// Exactly one call, and it selects a point, whose columns may come along.
    Selector,
    /// `top` or `bottom`.
    TopBottom,
    /// `distinct`
    Distinct,
    /// Exactly one call, and it is a transformation of raw values or of another call.
    Transformation,
    /// `holt_winters`, as the only call.
    Forecast,
    /// Anything else: one aggregate, or several calls of any kind.
    Aggregate,
}

impl Kind {
    /// The kind of a field list. Calls that are written twice count once, inner calls not at all.
    pub fn of(fields: &[Field]) -> Self {
        let mut calls: Vec<&Call> = Vec::new();
        for field in fields {
            outer_calls(&field.expr, &mut calls);
        }
        let Some(first) = calls.first() else {
            return Self::Raw;
        };
        if calls.iter().any(|call| call != first) {
            return Self::Aggregate;
        }
        match function::class(&first.name) {
            Some(Class::Selector) => Self::Selector,
            Some(Class::TopBottom) => Self::TopBottom,
            Some(Class::Distinct) => Self::Distinct,
            Some(Class::Transformation) => Self::Transformation,
            Some(Class::Forecast) => Self::Forecast,
            Some(Class::Aggregate | Class::Math) | None => Self::Aggregate,
        }
    }
}

/// The calls that are not inside another, math functions apart.
fn outer_calls<'a>(expr: &'a Expr, calls: &mut Vec<&'a Call>) {
    match expr {
        Expr::Binary { lhs, rhs, .. } => {
            outer_calls(lhs, calls);
            outer_calls(rhs, calls);
        }
        Expr::Paren(inner) => outer_calls(inner, calls),
        Expr::Call(call) if function::math_arguments(&call.name).is_some() => {
            call.args.iter().for_each(|arg| outer_calls(arg, calls));
        }
        Expr::Call(call) => calls.push(call),
        Expr::VarRef(_)
        | Expr::Wildcard(_)
        | Expr::Regex(_)
        | Expr::Distinct(_)
        | Expr::Integer(_)
        | Expr::Unsigned(_)
        | Expr::Number(_)
        | Expr::String(_)
        | Expr::Duration(_)
        | Expr::Boolean(_)
        | Expr::Time(_)
        | Expr::Nil
        | Expr::List(_) => {}
    }
}

/// Checks a `SELECT` and takes it apart. `now` is in nanoseconds since the epoch.
pub fn check_select(select: &Select, now: i64) -> Result<Checked, CompileError> {
    let mut late = None;
    let prepared = prepare(select, now, &mut late)?;
    let checked = compile(select, now, prepared, &mut late)?;
    match late {
        Some(error) => Err(error),
        None => Ok(checked),
    }
}

/// What is known before the fields are looked at.
struct Prepared {
    time_range: TimeRange,
    condition: Option<Expr>,
    interval: Option<Interval>,
    inherited_interval: bool,
    dimensions: Vec<TagDimension>,
    fill: Fill,
    order: Order,
}

/// `late` takes an error that counts only when there is no other.
fn prepare(
    select: &Select,
    now: i64,
    late: &mut Option<CompileError>,
) -> Result<Prepared, CompileError> {
    let (mut time_range, condition) =
        split_condition(select.condition.as_ref(), now, select.timezone)?;
    if let Some(condition) = &condition {
        check_calls(condition)?;
    }
    let (interval, dimensions) = dimensions(select, now, late)?;
    if interval.is_some() && time_range.max.is_none() {
        time_range.max = Some(now);
    }
    Ok(Prepared {
        time_range,
        condition,
        interval,
        inherited_interval: false,
        dimensions,
        fill: select.fill,
        order: select.order(),
    })
}

fn compile(
    select: &Select,
    now: i64,
    prepared: Prepared,
    late: &mut Option<CompileError>,
) -> Result<Checked, CompileError> {
    let fields = FieldList::check(select, &prepared)?;
    let mut subqueries = Vec::new();
    for source in &select.sources {
        if let Source::Subquery(inner) = source {
            subqueries.push(subquery(inner, now, &prepared, late)?);
        }
    }
    Ok(Checked {
        kind: Kind::of(&fields.fields),
        time_range: prepared.time_range,
        condition: prepared.condition,
        interval: prepared.interval,
        inherited_interval: prepared.inherited_interval,
        dimensions: prepared.dimensions,
        fill: prepared.fill,
        order: prepared.order,
        time_column: fields.time_column.unwrap_or_else(|| "time".to_owned()),
        fields: fields.fields,
        calls: fields.calls,
        has_columns: fields.has_columns,
        subqueries,
    })
}

/// A subquery takes over from the query around it the direction, the range of time and, if it has
/// none, the interval.
fn subquery(
    select: &Select,
    now: i64,
    outer: &Prepared,
    late: &mut Option<CompileError>,
) -> Result<Checked, CompileError> {
    let mut inner = prepare(select, now, late)?;
    if select.order.is_some_and(|order| order != outer.order) {
        return Err(CompileError::Order);
    }
    inner.order = outer.order;
    inner.time_range = inner.time_range.intersect(outer.time_range);
    if inner.interval.is_some() && inner.fill == Fill::Null {
        inner.fill = Fill::None;
    }
    if inner.interval.is_none() && outer.interval.is_some() {
        inner.interval = outer.interval;
        inner.inherited_interval = true;
    }
    compile(select, now, inner, late)
}

/// `GROUP BY`: an interval, and tags.
fn dimensions(
    select: &Select,
    now: i64,
    late: &mut Option<CompileError>,
) -> Result<(Option<Interval>, Vec<TagDimension>), CompileError> {
    let refused = |message: &str| Err(CompileError::Dimension(message.to_owned()));
    let fold = Fold {
        now: None,
        zone: Tz::UTC,
        math: false,
    };
    let mut every = 0;
    let mut interval = None;
    let mut tags = Vec::new();
    for dimension in &select.dimensions {
        match fold.lenient(dimension) {
            Expr::VarRef(column) if column.name.eq_ignore_ascii_case("time") => {
                return refused("time() is a function and expects at least one argument");
            }
            Expr::VarRef(column) => tags.push(TagDimension::Tag(column.name)),
            Expr::Wildcard(_) => tags.push(TagDimension::All),
            Expr::Regex(regex) => tags.push(TagDimension::Regex(regex)),
            Expr::Call(call) if call.name != "time" => {
                return refused("only time() calls allowed in dimensions");
            }
            Expr::Call(call) => {
                let (width, offset) = match call.args.as_slice() {
                    [width] => (width, None),
                    [width, offset] => (width, Some(offset)),
                    _ => return refused("time dimension expected 1 or 2 arguments"),
                };
                let Expr::Duration(width) = width else {
                    return refused("time dimension must have duration argument");
                };
                if every != 0 {
                    return refused("multiple time dimensions not allowed");
                }
                every = *width;
                let offset = match offset {
                    Some(offset) => self::offset(offset, every, now, select.timezone, late)?,
                    None => 0,
                };
                // Zero and negative widths make no buckets.
                interval = (every > 0).then_some(Interval { every, offset });
            }
            Expr::Binary { .. }
            | Expr::Paren(_)
            | Expr::Distinct(_)
            | Expr::Integer(_)
            | Expr::Unsigned(_)
            | Expr::Number(_)
            | Expr::String(_)
            | Expr::Duration(_)
            | Expr::Boolean(_)
            | Expr::Time(_)
            | Expr::Nil
            | Expr::List(_) => return refused("only time and tag dimensions allowed"),
        }
    }
    Ok((interval, tags))
}

/// The second argument of `time()`, modulo the first.
#[expect(clippy::wildcard_enum_match_arm, reason = "anything else is refused")]
fn offset(
    offset: &Expr,
    every: i64,
    now: i64,
    zone: Option<Tz>,
    late: &mut Option<CompileError>,
) -> Result<i64, CompileError> {
    let refused = |message: &str| Err(CompileError::Dimension(message.to_owned()));
    match offset {
        Expr::Duration(offset) => Ok(if every > 0 {
            offset.rem_euclid(every)
        } else {
            0
        }),
        Expr::Call(call) if call.name != "now" => {
            refused("time dimension offset function must be now()")
        }
        Expr::Call(call) if !call.args.is_empty() => {
            refused("time dimension offset now() function requires no arguments")
        }
        Expr::Call(_) => Ok(since_year_one(now, every)),
        Expr::String(text) if looks_like_time(text) => {
            if parse_time(text, zone.unwrap_or(Tz::UTC)).is_none() {
                return Err(ConditionError::Timestamp.into());
            }
            // Accepted here, but refused when the query is run.
            let message = format!(
                "invalid time dimension offset: {}",
                Expr::String(text.clone())
            );
            late.get_or_insert(CompileError::Dimension(message));
            Ok(0)
        }
        _ => refused("time dimension offset must be duration or now()"),
    }
}

/// How far an instant is into its interval, intervals being counted from the first of January of
/// the year 1: for weeks that is not the same as from the epoch.
fn since_year_one(now: i64, every: i64) -> i64 {
    const EPOCH: i128 = 719_162 * 86_400_000_000_000;
    if every <= 0 {
        return 0;
    }
    let into = (i128::from(now) + EPOCH).rem_euclid(i128::from(every));
    i64::try_from(into).expect("a remainder is less than its divisor")
}
