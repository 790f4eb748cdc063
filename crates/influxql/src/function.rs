//! Functions by name: what kind they are, and the mathematical ones on literals.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "what is no number has no function value"
)]

use crate::ast::Expr;

/// What a function does with its values (InfluxQL 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Many values make one: `mean`, `count`, `integral` and so on.
    Aggregate,
    /// One value is chosen, and its row with it: `first`, `max`, `percentile`, `sample` and so on.
    Selector,
    /// `top` and `bottom`: several rows are chosen.
    TopBottom,
    /// `distinct`
    Distinct,
    /// Each value makes another, by what came before: `derivative`, the moving averages and so on.
    Transformation,
    /// `holt_winters` and `holt_winters_with_fit`
    Forecast,
    /// A function of one row's values: `abs`, `pow` and so on.
    Math,
}

/// What kind of function it is; none if there is no such function. `now` is none in this sense.
pub fn class(name: &str) -> Option<Class> {
    Some(match name {
        "count" | "sum" | "mean" | "median" | "mode" | "stddev" | "spread" | "integral" => {
            Class::Aggregate
        }
        "first" | "last" | "min" | "max" | "percentile" | "sample" => Class::Selector,
        "top" | "bottom" => Class::TopBottom,
        "distinct" => Class::Distinct,
        "derivative"
        | "non_negative_derivative"
        | "difference"
        | "non_negative_difference"
        | "elapsed"
        | "cumulative_sum"
        | "moving_average"
        | "exponential_moving_average"
        | "double_exponential_moving_average"
        | "triple_exponential_moving_average"
        | "relative_strength_index"
        | "triple_exponential_derivative"
        | "kaufmans_efficiency_ratio"
        | "kaufmans_adaptive_moving_average"
        | "chande_momentum_oscillator" => Class::Transformation,
        "holt_winters" | "holt_winters_with_fit" => Class::Forecast,
        name if math_arguments(name).is_some() => Class::Math,
        _ => return None,
    })
}

/// How many arguments a math function takes (InfluxQL 5.7); none if it is no math function.
pub fn math_arguments(name: &str) -> Option<usize> {
    match name {
        "abs" | "sin" | "cos" | "tan" | "asin" | "acos" | "atan" | "exp" | "ln" | "log2"
        | "log10" | "sqrt" | "floor" | "ceil" | "round" => Some(1),
        "atan2" | "pow" | "log" => Some(2),
        _ => None,
    }
}

/// A math function of literals: nothing if it is none, or the count of arguments is wrong.
pub(crate) fn compute(name: &str, args: &[Expr]) -> Option<Expr> {
    if math_arguments(name)? != args.len() {
        return None;
    }
    if let ("abs" | "floor" | "ceil" | "round", [whole @ (Expr::Integer(_) | Expr::Unsigned(_))]) =
        (name, args)
    {
        return Some(match whole {
            Expr::Integer(value) if name == "abs" => Expr::Integer(value.wrapping_abs()),
            whole => whole.clone(),
        });
    }
    let numbers: Option<Vec<f64>> = args.iter().map(number).collect();
    Some(match numbers.as_deref() {
        Some([value]) => Expr::Number(one(name, *value)),
        Some([first, second]) => Expr::Number(two(name, *first, *second)),
        _ => Expr::Nil,
    })
}

fn number(literal: &Expr) -> Option<f64> {
    match literal {
        Expr::Integer(value) => Some(*value as f64),
        Expr::Unsigned(value) => Some(*value as f64),
        Expr::Number(value) => Some(*value),
        _ => None,
    }
}

fn one(name: &str, value: f64) -> f64 {
    match name {
        "abs" => value.abs(),
        "sin" => value.sin(),
        "cos" => value.cos(),
        "tan" => value.tan(),
        "asin" => value.asin(),
        "acos" => value.acos(),
        "atan" => value.atan(),
        "exp" => value.exp(),
        "ln" => value.ln(),
        "log2" => value.log2(),
        "log10" => value.log10(),
        "sqrt" => value.sqrt(),
        "floor" => value.floor(),
        "ceil" => value.ceil(),
        _ => value.round(),
    }
}

fn two(name: &str, first: f64, second: f64) -> f64 {
    match name {
        "atan2" => first.atan2(second),
        "pow" => first.powf(second),
        _ => first.ln() / second.ln(),
    }
}
