//! Calls as trees: reductions at the leaves, transformations above them (InfluxQL 9).

use influxd_influxql::ast::{Call, Expr, Fill, Number, VarRef};
use influxd_model::{FieldType, MAX_TIME, MIN_TIME, TimeRange};

use super::reduce::Reduction;
use super::transform::{Technical, Transform, Warmup};
use super::types::{Schema, Type};
use super::window::Interval;
use super::{Result, fail};

/// A call of the field list.
#[derive(Debug, Clone)]
pub(super) enum Node {
    /// The buckets of a reduction, filled.
    Leaf {
        /// Its place among the leaves.
        leaf: usize,
        /// How empty buckets are filled; [`Fill::None`] where there is nothing to fill.
        fill: Fill,
        /// The type of the values.
        cells: FieldType,
    },
    /// What a transformation makes of another node.
    Transform(Transform, Box<Node>),
}

/// A reduction of one column.
#[derive(Debug, Clone)]
pub(super) struct Leaf {
    pub(super) reduction: Reduction,
    /// The column, by its place among the columns of the plan.
    pub(super) column: usize,
    /// The columns whose cells are kept with a point, likewise.
    pub(super) aux: Vec<usize>,
    /// The points that count.
    pub(super) range: TimeRange,
    /// What is computed where the points lie, as EXPLAIN prints it.
    pub(super) expression: String,
}

impl Leaf {
    /// Whether its values go into the buckets of `GROUP BY time()`.
    pub(super) fn in_buckets(&self) -> bool {
        self.reduction != Reduction::Collect
    }
}

/// Turns calls into nodes.
pub(super) struct Builder<'a> {
    pub(super) schema: &'a Schema,
    pub(super) interval: Option<Interval>,
    pub(super) fill: Fill,
    pub(super) descending: bool,
    /// The columns that the plan reads, each once.
    pub(super) columns: Vec<VarRef>,
    pub(super) leaves: Vec<Leaf>,
    /// What the statement fails with if a column has data: functions of the wrong type.
    pub(super) faults: Vec<(usize, String)>,
}

impl Builder<'_> {
    /// The place of a column.
    pub(super) fn column(&mut self, column: &VarRef) -> usize {
        if let Some(at) = self.columns.iter().position(|known| known == column) {
            return at;
        }
        self.columns.push(column.clone());
        self.columns.len() - 1
    }

    /// The node of a call over a range; `aux` are the columns selected beside it.
    pub(super) fn node(&mut self, call: &Call, range: TimeRange, aux: &[usize]) -> Result<Node> {
        if let Some(transform) = self.transform(call)? {
            let range = if transform.reads_one_more() {
                self.widen(range)
            } else {
                range
            };
            let inner = match call.args.first() {
                Some(Expr::Call(inner)) => self.node(inner, range, &[])?,
                _ => self.leaf(call, Reduction::Collect, range, &[])?,
            };
            return Ok(Node::Transform(transform, Box::new(inner)));
        }
        let reduction = self.reduction(call)?;
        let mut aux = aux.to_vec();
        if let Reduction::Extremes { tags, .. } = &reduction {
            let named: Vec<usize> = call.args[1..=tags.len()]
                .iter()
                .filter_map(|arg| match arg {
                    Expr::VarRef(column) => Some(self.column(column)),
                    _ => None,
                })
                .collect();
            aux.splice(0..0, named);
        }
        self.leaf(call, reduction, range, &aux)
    }

    fn leaf(
        &mut self,
        call: &Call,
        reduction: Reduction,
        range: TimeRange,
        aux: &[usize],
    ) -> Result<Node> {
        let argument = match call.args.first() {
            Some(Expr::VarRef(column)) => column.clone(),
            Some(Expr::Call(inner)) if reduction == Reduction::CountDistinct => {
                match inner.args.first() {
                    Some(Expr::VarRef(column)) => column.clone(),
                    _ => return fail("expected field argument in distinct()"),
                }
            }
            _ => return fail(format!("expected field argument in {}()", call.name)),
        };
        let column = self.column(&argument);
        let argument_type = self.schema.type_of(&argument);
        if let Some(Type::Field(field_type)) = argument_type
            && let Some(fault) = unsupported(&call.name, field_type)
        {
            self.faults.push((column, fault));
        }
        let cells = match reduction {
            Reduction::Count | Reduction::CountDistinct => FieldType::Integer,
            Reduction::Mean | Reduction::Median | Reduction::Stddev => FieldType::Float,
            _ => argument_type.map_or(FieldType::Float, Type::cells),
        };
        let fill = if !reduction.fills() || self.interval.is_none() {
            Fill::None
        } else if matches!(reduction, Reduction::Count | Reduction::CountDistinct)
            && self.fill == Fill::Null
        {
            Fill::Number(Number::Integer(0))
        } else {
            self.fill
        };
        let expression = match reduction {
            Reduction::Count
            | Reduction::Sum
            | Reduction::Mean
            | Reduction::Min
            | Reduction::Max
            | Reduction::First
            | Reduction::Last => call.to_string(),
            _ => argument.to_string(),
        };
        let aux = aux.to_vec();
        self.leaves.push(Leaf {
            reduction,
            column,
            aux,
            range,
            expression,
        });
        Ok(Node::Leaf {
            leaf: self.leaves.len() - 1,
            fill,
            cells,
        })
    }

    /// The range with one bucket more on the side where the rows begin.
    fn widen(&self, range: TimeRange) -> TimeRange {
        let Some(interval) = self.interval else {
            return range;
        };
        if self.descending {
            TimeRange {
                max: range.max.saturating_add(interval.every).min(MAX_TIME),
                ..range
            }
        } else {
            TimeRange {
                min: range.min.saturating_sub(interval.every).max(MIN_TIME),
                ..range
            }
        }
    }

    fn reduction(&self, call: &Call) -> Result<Reduction> {
        let integer = |at: usize| match call.args.get(at) {
            Some(Expr::Integer(value)) => usize::try_from(*value).ok(),
            _ => None,
        };
        Ok(match call.name.as_str() {
            "count" => match call.args.first() {
                Some(Expr::Call(inner)) if inner.name == "distinct" => Reduction::CountDistinct,
                _ => Reduction::Count,
            },
            "distinct" => Reduction::Distinct,
            "sum" => Reduction::Sum,
            "mean" => Reduction::Mean,
            "median" => Reduction::Median,
            "mode" => Reduction::Mode,
            "stddev" => Reduction::Stddev,
            "spread" => Reduction::Spread,
            "min" => Reduction::Min,
            "max" => Reduction::Max,
            "first" => Reduction::First,
            "last" => Reduction::Last,
            "percentile" => match call.args.get(1) {
                Some(Expr::Integer(percent)) => Reduction::Percentile(*percent as f64),
                Some(Expr::Number(percent)) => Reduction::Percentile(*percent),
                _ => return fail("expected float argument in percentile()"),
            },
            "sample" => match integer(1) {
                Some(count) => Reduction::Sample(count),
                None => return fail("expected integer argument in sample()"),
            },
            "top" | "bottom" => {
                let Some(count) = integer(call.args.len().saturating_sub(1).max(1)) else {
                    return fail(format!(
                        "expected integer as last argument in {}()",
                        call.name
                    ));
                };
                Reduction::Extremes {
                    count,
                    tags: call.args[1..call.args.len() - 1]
                        .iter()
                        .map(|arg| match arg {
                            Expr::VarRef(column) => !self.schema.fields.contains_key(&column.name),
                            _ => false,
                        })
                        .collect(),
                    bottom: call.name == "bottom",
                }
            }
            name => return fail(format!("undefined function {name}()")),
        })
    }

    fn transform(&mut self, call: &Call) -> Result<Option<Transform>> {
        let unit = |default: i64| match call.args.get(1) {
            Some(Expr::Duration(unit)) => *unit,
            _ => default,
        };
        let integer = |at: usize| match call.args.get(at) {
            Some(Expr::Integer(value)) => Some(*value),
            _ => None,
        };
        let every = self.interval.map(|interval| interval.every);
        let transform = match call.name.as_str() {
            "derivative" | "non_negative_derivative" => Transform::Derivative {
                unit: unit(every.unwrap_or(1_000_000_000)),
                non_negative: call.name != "derivative",
            },
            "difference" => Transform::Difference {
                non_negative: false,
            },
            "non_negative_difference" => Transform::Difference { non_negative: true },
            "elapsed" => Transform::Elapsed { unit: unit(1) },
            "cumulative_sum" => Transform::CumulativeSum,
            "moving_average" => Transform::MovingAverage(window(integer(1))),
            "integral" => Transform::Integral {
                unit: unit(1_000_000_000),
            },
            "holt_winters" | "holt_winters_with_fit" => Transform::HoltWinters {
                predicted: window(integer(1)),
                season: window(integer(2)),
                fit: call.name == "holt_winters_with_fit",
            },
            name => {
                let Some(technical) = Technical::named(name) else {
                    return Ok(None);
                };
                let warmup = match call.args.get(3) {
                    Some(Expr::String(word)) => Warmup::named(word),
                    _ => None,
                };
                Transform::Technical {
                    technical,
                    period: window(integer(1)),
                    hold: integer(2).and_then(|hold| usize::try_from(hold).ok()),
                    warmup,
                }
            }
        };
        // Over a call it is the call's type that has to suit.
        if let Some(Expr::Call(inner)) = call.args.first()
            && let Some(Type::Field(field_type)) =
                self.schema.evaluate(&Expr::Call(inner.clone()))?
            && let Some(fault) = unsupported(&call.name, field_type)
            && let Some(Expr::VarRef(column)) = innermost(inner)
        {
            let column = self.column(&column.clone());
            self.faults.push((column, fault));
        }
        Ok(Some(transform))
    }
}

/// A count out of a query; the check has refused what is none.
fn window(value: Option<i64>) -> usize {
    value
        .and_then(|value| usize::try_from(value).ok())
        .unwrap_or(0)
}

fn innermost(call: &Call) -> Option<&Expr> {
    match call.args.first() {
        Some(Expr::Call(inner)) => innermost(inner),
        other => other,
    }
}

/// The error of a function that does not take a type (InfluxQL 9.8).
fn unsupported(function: &str, field_type: FieldType) -> Option<String> {
    let kind = match field_type {
        FieldType::String => "string",
        FieldType::Boolean => "boolean",
        FieldType::Float | FieldType::Integer | FieldType::Unsigned => return None,
    };
    let name = match function {
        "count" | "distinct" | "mode" | "first" | "last" | "sample" | "elapsed" => return None,
        "min" | "max" if field_type == FieldType::Boolean => return None,
        "non_negative_derivative" => "derivative".to_owned(),
        "non_negative_difference" => "difference".to_owned(),
        "holt_winters" | "holt_winters_with_fit" => "elapsed".to_owned(),
        other => other.replace('_', " "),
    };
    Some(format!(
        "unsupported {name} iterator type: *query.{kind}InterruptIterator"
    ))
}
