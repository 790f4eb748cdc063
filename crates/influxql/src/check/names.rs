//! The names of columns (InfluxQL 5.4).

use std::collections::HashMap;

use crate::ast::{Expr, Field};

/// The column names of a field list, without that of the time. Explicit names come first; a
/// generated name that is taken gets a number. `top` and `bottom` have a column per tag argument
/// after their own, unless the result is written elsewhere: such columns have to be in the list.
pub fn column_names(fields: &[Field]) -> Vec<String> {
    let mut taken: HashMap<String, usize> = HashMap::new();
    for alias in fields.iter().filter_map(|field| field.alias.as_ref()) {
        taken.insert(alias.clone(), 1);
    }
    fields
        .iter()
        .map(|field| match &field.alias {
            Some(alias) => alias.clone(),
            None => free_name(expr_name(&field.expr), &mut taken),
        })
        .collect()
}

/// The name, with the first number that makes it a new one if it is taken.
fn free_name(name: String, taken: &mut HashMap<String, usize>) -> String {
    let Some(&count) = taken.get(&name) else {
        taken.insert(name.clone(), 1);
        return name;
    };
    let mut number = count;
    let mut numbered = format!("{name}_{number}");
    while taken.contains_key(&numbered) {
        number += 1;
        numbered = format!("{name}_{number}");
    }
    taken.insert(name, number + 1);
    taken.insert(numbered.clone(), 1);
    numbered
}

/// The name that an expression gives its column: that of the function or column, or all of them
/// joined, from left to right.
pub fn expr_name(expr: &Expr) -> String {
    let mut names = Vec::new();
    collect(expr, &mut names);
    names.join("_")
}

fn collect<'a>(expr: &'a Expr, names: &mut Vec<&'a str>) {
    match expr {
        Expr::Binary { lhs, rhs, .. } => {
            collect(lhs, names);
            collect(rhs, names);
        }
        Expr::Paren(inner) => collect(inner, names),
        Expr::Call(call) => names.push(&call.name),
        Expr::VarRef(column) => names.push(&column.name),
        Expr::Distinct(_) => names.push("distinct"),
        Expr::Wildcard(_)
        | Expr::Regex(_)
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
