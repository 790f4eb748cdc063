//! What the columns of a result are called (InfluxQL 5.4), where the field list is the executor's.

use influxd_influxql::ast::{Expr, Field};
use influxd_influxql::check;

/// The name of an item of the field list before conflicts are settled.
pub(super) fn field_name(field: &Field) -> String {
    alias(field).unwrap_or_else(|| check::expr_name(&field.expr))
}

fn alias(field: &Field) -> Option<String> {
    field.alias.clone().filter(|alias| !alias.is_empty())
}

/// The names of the columns of a field list, without the time's. `top` and `bottom` have a column
/// for each tag argument behind their own.
pub(super) fn column_names(fields: &[Field]) -> Vec<String> {
    let mut columns = Vec::with_capacity(fields.len());
    for field in fields {
        columns.push(Field {
            expr: field.expr.clone(),
            alias: alias(field),
        });
        if let Expr::Call(call) = &field.expr
            && matches!(call.name.as_str(), "top" | "bottom")
        {
            for arg in call.args.iter().skip(1) {
                if matches!(arg, Expr::VarRef(_)) {
                    columns.push(Field {
                        expr: arg.clone(),
                        alias: None,
                    });
                }
            }
        }
    }
    check::column_names(&columns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use influxd_influxql::ast::{BinaryOp, Call};

    fn call(name: &str) -> Expr {
        Expr::Call(Call {
            name: name.to_owned(),
            args: vec![Expr::var("u")],
        })
    }

    fn named(items: Vec<(Expr, Option<&str>)>) -> Vec<String> {
        let fields: Vec<Field> = items
            .into_iter()
            .map(|(expr, alias)| Field {
                expr,
                alias: alias.map(str::to_owned),
            })
            .collect();
        column_names(&fields)
    }

    #[test]
    fn an_expression_is_named_after_its_columns_and_calls() {
        let sum = Expr::binary(
            BinaryOp::Add,
            Expr::binary(BinaryOp::Mul, Expr::Integer(2), Expr::var("u")),
            call("max"),
        );
        assert_eq!(named(vec![(sum, None)]), ["u_max"]);
    }

    #[test]
    fn a_taken_name_gets_a_number_and_an_alias_goes_first() {
        assert_eq!(
            named(vec![
                (call("mean"), None),
                (call("mean"), None),
                (call("mean"), Some("mean"))
            ]),
            ["mean_1", "mean_2", "mean"]
        );
        assert_eq!(
            named(vec![
                (Expr::var("u"), Some("x")),
                (Expr::var("i"), Some("x"))
            ]),
            ["x", "x"]
        );
        assert_eq!(
            named(vec![(Expr::var("u"), Some("")), (Expr::var("u"), None)]),
            ["u", "u_1"]
        );
    }
}
