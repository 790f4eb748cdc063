//! What the columns of a result are called (InfluxQL 5.4).

use std::collections::HashMap;

use influxd_influxql::ast::{Expr, Field};

/// The name of an item of the field list before conflicts are settled.
pub(super) fn field_name(field: &Field) -> String {
    match &field.alias {
        Some(alias) if !alias.is_empty() => alias.clone(),
        _ => expr_name(&field.expr),
    }
}

fn expr_name(expr: &Expr) -> String {
    match expr {
        Expr::VarRef(column) => column.name.clone(),
        Expr::Call(call) => call.name.clone(),
        Expr::Distinct(_) => "distinct".to_owned(),
        Expr::Paren(inner) => expr_name(inner),
        Expr::Binary { .. } => {
            let mut names = Vec::new();
            collect(expr, &mut names);
            names.join("_")
        }
        _ => String::new(),
    }
}

/// The columns and calls of an expression from left to right; what is inside a call does not count.
fn collect<'a>(expr: &'a Expr, names: &mut Vec<&'a str>) {
    match expr {
        Expr::VarRef(column) => names.push(&column.name),
        Expr::Call(call) => names.push(&call.name),
        Expr::Paren(inner) => collect(inner, names),
        Expr::Binary { lhs, rhs, .. } => {
            collect(lhs, names);
            collect(rhs, names);
        }
        _ => {}
    }
}

/// The names of the columns of a field list, without the time's: explicit aliases first, then the
/// others, with `_1`, `_2`, ... behind names that are taken. `top` and `bottom` have a column for
/// each tag argument behind their own.
pub(super) fn column_names(fields: &[Field]) -> Vec<String> {
    let mut wanted: Vec<(String, bool)> = Vec::with_capacity(fields.len());
    for field in fields {
        let explicit = field.alias.as_ref().is_some_and(|alias| !alias.is_empty());
        wanted.push((field_name(field), explicit));
        if let Expr::Call(call) = &field.expr
            && matches!(call.name.as_str(), "top" | "bottom")
        {
            for arg in call.args.iter().skip(1) {
                if let Expr::VarRef(column) = arg {
                    wanted.push((column.name.clone(), false));
                }
            }
        }
    }
    let mut taken: HashMap<String, usize> = HashMap::new();
    for (name, explicit) in &wanted {
        if *explicit {
            taken.insert(name.clone(), 1);
        }
    }
    wanted
        .into_iter()
        .map(|(name, explicit)| {
            if explicit {
                return name;
            }
            let mut resolved = name.clone();
            if let Some(count) = taken.get(&name).copied() {
                let mut count = count;
                loop {
                    resolved = format!("{name}_{count}");
                    count += 1;
                    if !taken.contains_key(&resolved) {
                        break;
                    }
                }
                taken.insert(name, count);
            }
            *taken.entry(resolved.clone()).or_insert(0) += 1;
            resolved
        })
        .collect()
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
