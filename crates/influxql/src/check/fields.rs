//! The field list: what may stand in it, and what may stand together.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "every argument that does not fit is the same error"
)]

use chrono_tz::Tz;

use super::{CompileError, Prepared};
use crate::ast::{Call, Expr, Field, Fill, Select};
use crate::fold::Fold;
use crate::function;

pub(super) type Result<T = ()> = std::result::Result<T, CompileError>;

/// What is found while the field list is read.
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are independent findings, not a state"
)]
pub(super) struct FieldList<'a> {
    pub(super) select: &'a Select,
    /// Whether there is an interval at all.
    pub(super) has_interval: bool,
    /// Whether it is that of the query around.
    pub(super) inherited_interval: bool,
    pub(super) fields: Vec<Field>,
    pub(super) calls: Vec<Call>,
    pub(super) time_column: Option<String>,
    pub(super) has_columns: bool,
    pub(super) has_distinct: bool,
    pub(super) only_selectors: bool,
    pub(super) top_bottom: Option<String>,
    /// Whether the field being read may still hold a wildcard: not beside an operator.
    pub(super) wildcard_allowed: bool,
}

impl<'a> FieldList<'a> {
    pub(super) fn check(select: &'a Select, prepared: &Prepared) -> Result<Self> {
        let mut fields = Self {
            select,
            has_interval: prepared.interval.is_some(),
            inherited_interval: prepared.inherited_interval,
            fields: Vec::new(),
            calls: Vec::new(),
            time_column: None,
            has_columns: false,
            has_distinct: false,
            only_selectors: true,
            top_bottom: None,
            wildcard_allowed: true,
        };
        let fold = Fold {
            now: None,
            zone: Tz::UTC,
            math: true,
        };
        for field in &select.fields {
            match &field.expr {
                Expr::VarRef(column) if column.name == "time" => {
                    if let Some(alias) = &field.alias {
                        fields.time_column = Some(alias.clone());
                    }
                }
                expr => {
                    let expr = distinct_as_call(fold.lenient(expr));
                    fields.wildcard_allowed = true;
                    fields.fields.push(Field {
                        expr: expr.clone(),
                        alias: field.alias.clone(),
                    });
                    fields.expr(&expr)?;
                }
            }
        }
        fields.combination(prepared.fill)?;
        Ok(fields)
    }

    pub(super) fn expr(&mut self, expr: &Expr) -> Result {
        match expr {
            Expr::Wildcard(_) if !self.wildcard_allowed => {
                refused("unable to use wildcard in a binary expression")
            }
            Expr::VarRef(_) | Expr::Wildcard(_) => {
                self.has_columns = true;
                Ok(())
            }
            Expr::Regex(_) if self.wildcard_allowed => {
                self.has_columns = true;
                Ok(())
            }
            Expr::Regex(_) => refused("unable to use regex in a binary expression"),
            Expr::Call(call) if function::math_arguments(&call.name).is_some() => self.math(call),
            Expr::Call(call) => {
                self.calls.push(call.clone());
                self.call(call)
            }
            Expr::Binary { lhs, rhs, .. } => {
                self.wildcard_allowed = false;
                match (lhs.is_literal(), rhs.is_literal()) {
                    (true, true) => refused("cannot perform a binary expression on two literals"),
                    (true, false) => self.expr(rhs),
                    (false, true) => self.expr(lhs),
                    (false, false) => {
                        self.expr(lhs)?;
                        self.expr(rhs)
                    }
                }
            }
            Expr::Paren(inner) => self.expr(inner),
            Expr::Distinct(_)
            | Expr::Integer(_)
            | Expr::Unsigned(_)
            | Expr::Number(_)
            | Expr::String(_)
            | Expr::Duration(_)
            | Expr::Boolean(_)
            | Expr::Time(_)
            | Expr::Nil
            | Expr::List(_) => refused("field must contain at least one variable"),
        }
    }

    fn math(&mut self, call: &Call) -> Result {
        let expected = function::math_arguments(&call.name).unwrap_or_default();
        exactly(expected, call)?;
        call.args
            .iter()
            .filter(|arg| !arg.is_literal())
            .try_for_each(|arg| self.expr(arg))
    }

    /// The argument that names what a function works on.
    pub(super) fn symbol(&mut self, function: &str, argument: &Expr) -> Result {
        match argument {
            Expr::VarRef(_) => return Ok(()),
            Expr::Wildcard(_) if !self.wildcard_allowed => {
                return refused(format!(
                    "unsupported expression with wildcard: {function}()"
                ));
            }
            Expr::Regex(_) if !self.wildcard_allowed => {
                return refused(format!(
                    "unsupported expression with regex field: {function}()"
                ));
            }
            Expr::Wildcard(crate::ast::Wildcard::Tags) => {
                return refused(format!("unable to use tag wildcard in {function}()"));
            }
            Expr::Wildcard(_) | Expr::Regex(_) => {}
            _ => return refused(format!("expected field argument in {function}()")),
        }
        self.only_selectors = false;
        Ok(())
    }

    /// What may stand together.
    fn combination(&self, fill: Fill) -> Result {
        if self.fields.is_empty() {
            return refused("at least 1 non-time field must be queried");
        }
        match &self.top_bottom {
            Some(function) if self.calls.len() > 1 => {
                return refused(format!(
                    "selector function {function}() cannot be combined with other functions"
                ));
            }
            _ => {}
        }
        if self.calls.is_empty() {
            match fill {
                Fill::None => return refused("fill(none) must be used with a function"),
                Fill::Linear => return refused("fill(linear) must be used with a function"),
                Fill::Null | Fill::Previous | Fill::Number(_) => {}
            }
            if self.has_interval && !self.inherited_interval {
                return refused("GROUP BY requires at least one aggregate function");
            }
        }
        if self.has_distinct && (self.calls.len() != 1 || self.has_columns) {
            return refused(
                "aggregate function distinct() cannot be combined with other functions or fields",
            );
        }
        if self.has_columns && !self.only_selectors {
            return refused("mixing aggregate and non-aggregate queries is not supported");
        }
        if self.has_columns && self.calls.len() > 1 {
            return refused(
                "mixing multiple selector functions with tags or fields is not supported",
            );
        }
        Ok(())
    }
}

/// `DISTINCT x` as `distinct(x)`, wherever it stands.
fn distinct_as_call(expr: Expr) -> Expr {
    match expr {
        Expr::Distinct(name) => Expr::Call(Call {
            name: "distinct".to_owned(),
            args: vec![Expr::var(name)],
        }),
        Expr::Binary { op, lhs, rhs } => {
            Expr::binary(op, distinct_as_call(*lhs), distinct_as_call(*rhs))
        }
        Expr::Paren(inner) => Expr::Paren(Box::new(distinct_as_call(*inner))),
        Expr::Call(Call { name, args }) => Expr::Call(Call {
            name,
            args: args.into_iter().map(distinct_as_call).collect(),
        }),
        other => other,
    }
}

pub(super) fn refused<T>(message: impl Into<String>) -> Result<T> {
    Err(CompileError::Field(message.into()))
}

/// Refuses any other count of arguments.
pub(super) fn exactly(expected: usize, call: &Call) -> Result {
    let (name, got) = (&call.name, call.args.len());
    if got == expected {
        return Ok(());
    }
    refused(format!(
        "invalid number of arguments for {name}, expected {expected}, got {got}"
    ))
}

/// Refuses a count of arguments outside these bounds.
pub(super) fn between(least: usize, most: usize, call: &Call) -> Result {
    let (name, got) = (&call.name, call.args.len());
    if (least..=most).contains(&got) {
        return Ok(());
    }
    refused(format!(
        "invalid number of arguments for {name}, expected at least {least} but no more than {most}, got {got}"
    ))
}
