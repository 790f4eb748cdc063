//! What is refused of single fields.

use super::{checked, refused};

#[test]
fn single_fields_are_checked() {
    for (field, message) in [
        ("time", "at least 1 non-time field must be queried"),
        ("\"time\"", "at least 1 non-time field must be queried"),
        ("1", "field must contain at least one variable"),
        ("1 + 1", "field must contain at least one variable"),
        ("'x'", "field must contain at least one variable"),
        ("u, 'x'", "field must contain at least one variable"),
        ("abs(2.5), u", "field must contain at least one variable"),
        ("ln(0), u", "field must contain at least one variable"),
        ("abs(/v/)", "field must contain at least one variable"),
        (
            "u * ('x' + 1)",
            "cannot perform a binary expression on two literals",
        ),
        ("* + 1", "unable to use wildcard in a binary expression"),
        (
            "mean(*) + 1",
            "unsupported expression with wildcard: mean()",
        ),
        (
            "1 + mean(/x/)",
            "unsupported expression with regex field: mean()",
        ),
        ("count(*::tag)", "unable to use tag wildcard in count()"),
        (
            "mean()",
            "invalid number of arguments for mean, expected 1, got 0",
        ),
        (
            "mean(u, i)",
            "invalid number of arguments for mean, expected 1, got 2",
        ),
        ("mean(1)", "expected field argument in mean()"),
        ("mean(u + 1)", "expected field argument in mean()"),
        ("mean(mean(u))", "expected field argument in mean()"),
        ("mean(abs(u))", "expected field argument in mean()"),
        ("count(top(u, 2))", "expected field argument in count()"),
        (
            "percentile(u)",
            "invalid number of arguments for percentile, expected 2, got 1",
        ),
        (
            "percentile(u, i)",
            "expected float argument in percentile()",
        ),
        (
            "sample(u)",
            "invalid number of arguments for sample, expected 2, got 1",
        ),
        ("sample(u, 1.5)", "expected integer argument in sample()"),
        (
            "sample(u, 0)",
            "sample window must be greater than 1, got 0",
        ),
        (
            "abs(u, 2)",
            "invalid number of arguments for abs, expected 1, got 2",
        ),
        (
            "abs()",
            "invalid number of arguments for abs, expected 1, got 0",
        ),
        (
            "log(u)",
            "invalid number of arguments for log, expected 2, got 1",
        ),
        ("histogram(u, 3)", "undefined function histogram()"),
        ("now()", "undefined function now()"),
        (
            "distinct()",
            "distinct function requires at least one argument",
        ),
        ("distinct(*)", "expected field argument in distinct()"),
        ("distinct(1)", "expected field argument in distinct()"),
        (
            "count(distinct(u, i))",
            "distinct function can only have one argument",
        ),
        (
            "count(distinct(u + 1))",
            "expected field argument in distinct()",
        ),
    ] {
        refused(&format!("SELECT {field} FROM cpu"), message);
    }
}

#[test]
fn top_and_bottom_are_checked() {
    for (field, message) in [
        (
            "top(u)",
            "invalid number of arguments for top, expected at least 2, got 1",
        ),
        (
            "top()",
            "invalid number of arguments for top, expected at least 2, got 0",
        ),
        ("top(u, 0)", "limit (0) in top function must be at least 1"),
        (
            "top(u, 1.5)",
            "expected integer as last argument in top(), found 1.5",
        ),
        (
            "top(u, host)",
            "expected integer as last argument in top(), found host",
        ),
        (
            "top(*, 2)",
            "expected first argument to be a field in top(), found *",
        ),
        (
            "top(u, 'host', 2)",
            "only fields or tags are allowed in top(), found 'host'",
        ),
        (
            "top(u, 1), mean(u)",
            "selector function top() cannot be combined with other functions",
        ),
        (
            "top(u, 2), bottom(u, 2)",
            "selector function top() cannot be combined with other functions",
        ),
    ] {
        refused(&format!("SELECT {field} FROM cpu"), message);
    }
    refused(
        "SELECT bottom(u, 5) FROM cpu LIMIT 2",
        "limit (5) in bottom function can not be larger than the LIMIT (2) in the select statement",
    );
    refused(
        "SELECT difference(top(u, 1)) FROM cpu GROUP BY time(10s)",
        "selector function top() cannot be combined with other functions",
    );
}

#[test]
fn transformations_are_checked() {
    for (field, message) in [
        (
            "derivative()",
            "invalid number of arguments for derivative, expected at least 1 but no more than 2, got 0",
        ),
        (
            "derivative(u, 1)",
            "second argument to derivative must be a duration, got *influxql.IntegerLiteral",
        ),
        (
            "derivative(u, -1s)",
            "duration argument must be positive, got -1s",
        ),
        (
            "derivative(mean(u))",
            "derivative aggregate requires a GROUP BY interval",
        ),
        (
            "difference(u, 1)",
            "invalid number of arguments for difference, expected 1, got 2",
        ),
        (
            "elapsed(u, 1)",
            "second argument to elapsed must be a duration, got *influxql.IntegerLiteral",
        ),
        (
            "moving_average(u)",
            "invalid number of arguments for moving_average, expected 2, got 1",
        ),
        (
            "moving_average(u, 1)",
            "moving_average window must be greater than 1, got 1",
        ),
        (
            "moving_average(u, 2.5)",
            "second argument for moving_average must be an integer, got *influxql.NumberLiteral",
        ),
        (
            "cumulative_sum(u, 1)",
            "invalid number of arguments for cumulative_sum, expected 1, got 2",
        ),
        ("integral(u, 1)", "second argument must be a duration"),
        (
            "integral(u, 0s)",
            "duration argument must be positive, got 0s",
        ),
        (
            "integral()",
            "invalid number of arguments for integral, expected at least 1 but no more than 2, got 0",
        ),
        (
            "exponential_moving_average(u)",
            "invalid number of arguments for exponential_moving_average, expected at least 2 but no more than 4, got 1",
        ),
        (
            "exponential_moving_average(u, 0)",
            "exponential_moving_average period must be greater than or equal to 1",
        ),
        (
            "exponential_moving_average(u, 2.5)",
            "exponential_moving_average period must be an integer",
        ),
        (
            "exponential_moving_average(u, 2, -2)",
            "exponential_moving_average hold period must be greater than or equal to 0",
        ),
        (
            "exponential_moving_average(u, 2, 'x')",
            "exponential_moving_average hold period must be an integer",
        ),
        (
            "exponential_moving_average(u, 2, 1, 'bad')",
            "exponential_moving_average warmup type must be one of: 'exponential' 'simple'",
        ),
        (
            "exponential_moving_average(u, 2, 1, 3)",
            "exponential_moving_average warmup type must be a string",
        ),
        (
            "triple_exponential_derivative(u, 2, 0)",
            "triple_exponential_derivative hold period must be greater than or equal to 1",
        ),
        (
            "kaufmans_efficiency_ratio(u, 2, -1, 'simple')",
            "invalid number of arguments for kaufmans_efficiency_ratio, expected at least 2 but no more than 3, got 4",
        ),
        (
            "chande_momentum_oscillator(u, 2, 1, 'bad')",
            "chande_momentum_oscillator warmup type must be one of: 'none' 'exponential' 'simple'",
        ),
        (
            "holt_winters(u, 4, 4)",
            "must use aggregate function with holt_winters",
        ),
        (
            "holt_winters(mean(u), 4)",
            "invalid number of arguments for holt_winters, expected 3, got 2",
        ),
        (
            "holt_winters(mean(u), 0, 4)",
            "second arg to holt_winters must be greater than 0, got 0",
        ),
        (
            "holt_winters(mean(u), 1.5, 4)",
            "expected integer argument as second arg in holt_winters",
        ),
        (
            "holt_winters(mean(u), 1, 1.5)",
            "expected integer argument as third arg in holt_winters",
        ),
        (
            "holt_winters(mean(u), 1, -1)",
            "third arg to holt_winters cannot be negative, got -1",
        ),
        (
            "holt_winters(mean(u), 4, 4)",
            "holt_winters aggregate requires a GROUP BY interval",
        ),
    ] {
        refused(&format!("SELECT {field} FROM cpu"), message);
    }
    refused(
        "SELECT relative_strength_index(u, 2) FROM cpu GROUP BY time(10s)",
        "aggregate function required inside the call to relative_strength_index",
    );
    let nested = "SELECT moving_average(difference(mean(u)), 2) FROM cpu GROUP BY time(10s)";
    assert_eq!(checked(nested).calls.len(), 3);
}
