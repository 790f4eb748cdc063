//! Calls in the field list: their arguments, and what may stand inside them.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "every argument that does not fit is the same error"
)]

use super::fields::{FieldList, Result, between, exactly, refused};
use crate::ast::{Call, Expr, Field, format_duration};

impl FieldList<'_> {
    pub(super) fn call(&mut self, call: &Call) -> Result {
        match call.name.as_str() {
            "first" | "last" | "min" | "max" => {
                exactly(1, call)?;
                self.symbol(&call.name, &call.args[0])
            }
            "count" | "sum" | "mean" | "median" | "mode" | "stddev" | "spread" => {
                self.only_selectors = false;
                exactly(1, call)?;
                match &call.args[0] {
                    Expr::Call(inner) if call.name == "count" && inner.name == "distinct" => {
                        self.distinct(inner, true)
                    }
                    argument => self.symbol(&call.name, argument),
                }
            }
            "percentile" => {
                exactly(2, call)?;
                if !matches!(call.args[1], Expr::Integer(_) | Expr::Number(_)) {
                    return refused("expected float argument in percentile()");
                }
                self.symbol("percentile", &call.args[0])
            }
            "sample" => {
                exactly(2, call)?;
                match call.args[1] {
                    Expr::Integer(count) if count <= 0 => {
                        refused(format!("sample window must be greater than 1, got {count}"))
                    }
                    Expr::Integer(_) => self.symbol("sample", &call.args[0]),
                    _ => refused("expected integer argument in sample()"),
                }
            }
            "distinct" => self.distinct(call, false),
            "top" | "bottom" => self.top_bottom(call),
            "integral" => {
                between(1, 2, call)?;
                match call.args.get(1) {
                    Some(Expr::Duration(unit)) => positive(*unit)?,
                    Some(_) => return refused("second argument must be a duration"),
                    None => {}
                }
                self.only_selectors = false;
                self.symbol("integral", &call.args[0])
            }
            "derivative" | "non_negative_derivative" | "elapsed" => {
                between(1, 2, call)?;
                match call.args.get(1) {
                    Some(Expr::Duration(unit)) => positive(*unit)?,
                    Some(other) => {
                        let (name, kind) = (&call.name, other.kind_name());
                        return refused(format!(
                            "second argument to {name} must be a duration, got {kind}"
                        ));
                    }
                    None => {}
                }
                self.transformation(call)
            }
            "difference" | "non_negative_difference" | "cumulative_sum" => {
                exactly(1, call)?;
                self.transformation(call)
            }
            "moving_average" => {
                exactly(2, call)?;
                match &call.args[1] {
                    Expr::Integer(window) if *window <= 1 => {
                        return refused(format!(
                            "moving_average window must be greater than 1, got {window}"
                        ));
                    }
                    Expr::Integer(_) => {}
                    other => {
                        let kind = other.kind_name();
                        return refused(format!(
                            "second argument for moving_average must be an integer, got {kind}"
                        ));
                    }
                }
                self.transformation(call)
            }
            "exponential_moving_average"
            | "double_exponential_moving_average"
            | "triple_exponential_moving_average"
            | "relative_strength_index"
            | "triple_exponential_derivative" => {
                self.technical(call, 4, &["exponential", "simple"])
            }
            "kaufmans_efficiency_ratio" | "kaufmans_adaptive_moving_average" => {
                self.technical(call, 3, &[])
            }
            "chande_momentum_oscillator" => {
                self.technical(call, 4, &["none", "exponential", "simple"])
            }
            "holt_winters" | "holt_winters_with_fit" => self.forecast(call),
            name => refused(format!("undefined function {name}()")),
        }
    }

    fn distinct(&mut self, call: &Call, nested: bool) -> Result {
        match call.args.as_slice() {
            [] => return refused("distinct function requires at least one argument"),
            [Expr::VarRef(_)] => {}
            [_] => return refused("expected field argument in distinct()"),
            _ => return refused("distinct function can only have one argument"),
        }
        self.has_distinct |= !nested;
        self.only_selectors = false;
        Ok(())
    }

    fn top_bottom(&mut self, call: &Call) -> Result {
        let name = &call.name;
        if let Some(other) = &self.top_bottom {
            return refused(format!(
                "selector function {other}() cannot be combined with other functions"
            ));
        }
        let [first, tags @ .., count] = call.args.as_slice() else {
            let got = call.args.len();
            return refused(format!(
                "invalid number of arguments for {name}, expected at least 2, got {got}"
            ));
        };
        let Expr::Integer(count) = *count else {
            return refused(format!(
                "expected integer as last argument in {name}(), found {count}"
            ));
        };
        if count <= 0 {
            return refused(format!(
                "limit ({count}) in {name} function must be at least 1"
            ));
        }
        if let Some(limit) = self
            .select
            .limit
            .filter(|limit| count.unsigned_abs() > *limit)
        {
            return refused(format!(
                "limit ({count}) in {name} function can not be larger than the LIMIT ({limit}) in the select statement"
            ));
        }
        if !matches!(first, Expr::VarRef(_)) {
            return refused(format!(
                "expected first argument to be a field in {name}(), found {first}"
            ));
        }
        for tag in tags {
            if !matches!(tag, Expr::VarRef(_)) {
                return refused(format!(
                    "only fields or tags are allowed in {name}(), found {tag}"
                ));
            }
            // Each has a column, unless the result is written elsewhere: there they are tags.
            if self.select.into.is_none() {
                self.fields.push(Field {
                    expr: tag.clone(),
                    alias: None,
                });
                self.has_columns = true;
            }
        }
        self.top_bottom = Some(name.clone());
        Ok(())
    }

    /// A function of raw values, or of another call's values per interval.
    fn transformation(&mut self, call: &Call) -> Result {
        let name = &call.name;
        self.only_selectors = false;
        match &call.args[0] {
            Expr::Call(_) if !self.has_interval => {
                refused(format!("{name} aggregate requires a GROUP BY interval"))
            }
            Expr::Call(inner) => self.nested(inner),
            _ if self.has_interval && !self.inherited_interval => refused(format!(
                "aggregate function required inside the call to {name}"
            )),
            argument => self.symbol(name, argument),
        }
    }

    fn nested(&mut self, inner: &Call) -> Result {
        if inner.name == "distinct" {
            return self.distinct(inner, true);
        }
        self.expr(&Expr::Call(inner.clone()))
    }

    /// `name(f, period[, hold[, warmup]])` (InfluxQL 9.6).
    fn technical(&mut self, call: &Call, most: usize, warmups: &[&str]) -> Result {
        let name = &call.name;
        between(2, most, call)?;
        match call.args[1] {
            Expr::Integer(period) if period < 1 => {
                return refused(format!("{name} period must be greater than or equal to 1"));
            }
            Expr::Integer(_) => {}
            _ => return refused(format!("{name} period must be an integer")),
        }
        let least = i64::from(name == "triple_exponential_derivative");
        match call.args.get(2) {
            Some(Expr::Integer(hold)) if *hold < least && *hold != -1 => {
                return refused(format!(
                    "{name} hold period must be greater than or equal to {least}"
                ));
            }
            Some(Expr::Integer(_)) | None => {}
            Some(_) => return refused(format!("{name} hold period must be an integer")),
        }
        match call.args.get(3) {
            Some(Expr::String(warmup)) if !warmups.contains(&warmup.as_str()) => {
                let known: Vec<_> = warmups.iter().map(|warmup| format!("'{warmup}'")).collect();
                return refused(format!(
                    "{name} warmup type must be one of: {}",
                    known.join(" ")
                ));
            }
            Some(Expr::String(_)) | None => {}
            Some(_) => return refused(format!("{name} warmup type must be a string")),
        }
        self.transformation(call)
    }

    fn forecast(&mut self, call: &Call) -> Result {
        let name = &call.name;
        exactly(3, call)?;
        match call.args[1] {
            Expr::Integer(count) if count <= 0 => {
                return refused(format!(
                    "second arg to {name} must be greater than 0, got {count}"
                ));
            }
            Expr::Integer(_) => {}
            _ => return refused(format!("expected integer argument as second arg in {name}")),
        }
        match call.args[2] {
            Expr::Integer(season) if season < 0 => {
                return refused(format!(
                    "third arg to {name} cannot be negative, got {season}"
                ));
            }
            Expr::Integer(_) => {}
            _ => return refused(format!("expected integer argument as third arg in {name}")),
        }
        self.only_selectors = false;
        match &call.args[0] {
            Expr::Call(_) if !self.has_interval => {
                refused(format!("{name} aggregate requires a GROUP BY interval"))
            }
            Expr::Call(inner) => self.nested(inner),
            _ => refused(format!("must use aggregate function with {name}")),
        }
    }
}

fn positive(duration: i64) -> Result {
    if duration > 0 {
        return Ok(());
    }
    refused(format!(
        "duration argument must be positive, got {}",
        format_duration(duration)
    ))
}
