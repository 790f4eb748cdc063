//! Wildcards and regular expressions in field lists and dimensions (InfluxQL 5.3, 7.1).

use std::collections::BTreeSet;

use influxd_influxql::ast::{Call, Expr, Field, Select, VarRef, Wildcard};
use influxd_influxql::regex::Regex;
use influxd_model::FieldType;

use super::StatementError;
use super::names::field_name;
use super::types::{Schema, Type};

/// Which tags a `GROUP BY` clause names.
pub(super) fn dimensions(select: &Select, schema: &Schema) -> BTreeSet<String> {
    let mut dimensions = BTreeSet::new();
    for dimension in &select.dimensions {
        match dimension.unparen() {
            Expr::VarRef(column) => {
                dimensions.insert(column.name.clone());
            }
            Expr::Wildcard(_) => dimensions.extend(schema.tags.iter().cloned()),
            Expr::Regex(regex) => {
                dimensions.extend(
                    schema
                        .tags
                        .iter()
                        .filter(|tag| regex.is_match(tag))
                        .cloned(),
                );
            }
            _ => {}
        }
    }
    dimensions
}

/// The columns that a wildcard in the field list stands for, sorted by name.
fn columns(select: &Select, schema: &Schema) -> Vec<(String, Type)> {
    let mut columns: Vec<(String, Type)> = schema
        .fields
        .iter()
        .map(|(name, ty)| (name.clone(), *ty))
        .collect();
    let wild = select
        .dimensions
        .iter()
        .any(|dimension| matches!(dimension, Expr::Wildcard(_) | Expr::Regex(_)));
    if !columns.is_empty() && !wild {
        let grouped = dimensions(select, schema);
        let tags = schema.tags.difference(&grouped);
        columns.extend(tags.map(|name| (name.clone(), Type::Tag)));
        columns.sort();
    }
    columns
}

fn column(name: &str, column_type: Type) -> Expr {
    let mut schema = Schema::default();
    let mut column = Expr::VarRef(VarRef::new(name));
    if column_type == Type::Tag {
        schema.tags.insert(name.to_owned());
    } else {
        schema.fields.insert(name.to_owned(), column_type);
    }
    schema.annotate(&mut column);
    column
}

/// The field list with one item for each column, and the name of the time column.
pub(super) fn fields(
    select: &Select,
    schema: &Schema,
) -> Result<(Vec<Field>, String), StatementError> {
    let columns = columns(select, schema);
    let mut fields = Vec::with_capacity(select.fields.len());
    let mut time = "time".to_owned();
    for field in &select.fields {
        match &field.expr {
            Expr::VarRef(column) if column.name == "time" => {
                alias(field).unwrap_or("time").clone_into(&mut time);
            }
            Expr::Wildcard(kind) => {
                let wanted = columns.iter().filter(|(_, ty)| match kind {
                    Wildcard::All => true,
                    Wildcard::Fields => *ty != Type::Tag,
                    Wildcard::Tags => *ty == Type::Tag,
                });
                fields.extend(wanted.map(|(name, ty)| bare(column(name, *ty))));
            }
            Expr::Regex(regex) => {
                let wanted = columns.iter().filter(|(name, _)| regex.is_match(name));
                fields.extend(wanted.map(|(name, ty)| bare(column(name, *ty))));
            }
            Expr::Call(call) => expand_call(field, call, &columns, &mut fields)?,
            Expr::Binary { .. } => {
                let mut fault = None;
                field.expr.walk(&mut |node| match node {
                    Expr::Wildcard(_) => fault = Some("wildcard"),
                    Expr::Regex(_) => fault = fault.or(Some("regex field")),
                    _ => {}
                });
                if let Some(fault) = fault {
                    let text = format!("unsupported expression with {fault}: {}", field.expr);
                    return Err(StatementError::Text(text));
                }
                fields.push(field.clone());
            }
            _ => fields.push(field.clone()),
        }
    }
    for field in &mut fields {
        schema.annotate(&mut field.expr);
    }
    Ok((fields, time))
}

fn alias(field: &Field) -> Option<&str> {
    field.alias.as_deref().filter(|alias| !alias.is_empty())
}

const fn bare(expr: Expr) -> Field {
    Field { expr, alias: None }
}

/// What a wildcard or regex inside a call stands for; nested calls are searched through their
/// first arguments.
fn expand_call(
    field: &Field,
    call: &Call,
    columns: &[(String, Type)],
    fields: &mut Vec<Field>,
) -> Result<(), StatementError> {
    let mut inner = call;
    while let Some(Expr::Call(next)) = inner.args.first() {
        inner = next;
    }
    let regex: Option<&Regex> = match inner.args.first() {
        Some(Expr::Wildcard(Wildcard::Tags)) => {
            let text = format!("unable to use tag wildcard in {}()", inner.name);
            return Err(StatementError::Text(text));
        }
        Some(Expr::Wildcard(_)) => None,
        Some(Expr::Regex(regex)) => Some(regex),
        _ => {
            fields.push(field.clone());
            return Ok(());
        }
    };
    let name = field_name(field);
    for (column_name, column_type) in columns {
        let Type::Field(field_type) = column_type else {
            continue;
        };
        if !suits(&inner.name, *field_type)
            || regex.is_some_and(|regex| !regex.is_match(column_name))
        {
            continue;
        }
        let mut expr = Expr::Call(call.clone());
        *first_argument(&mut expr) = column(column_name, *column_type);
        fields.push(Field {
            expr,
            alias: Some(format!("{name}_{column_name}")),
        });
    }
    Ok(())
}

/// The first argument of the innermost call.
fn first_argument(expr: &mut Expr) -> &mut Expr {
    let is_call = matches!(expr, Expr::Call(call) if !call.args.is_empty());
    if !is_call {
        return expr;
    }
    let Expr::Call(call) = expr else {
        unreachable!("checked above")
    };
    first_argument(&mut call.args[0])
}

/// Whether a wildcard in a call takes fields of this type.
fn suits(function: &str, field_type: FieldType) -> bool {
    match function {
        "count" | "first" | "last" | "distinct" | "elapsed" | "mode" | "sample" => true,
        "min" | "max" => field_type != FieldType::String,
        "holt_winters" | "holt_winters_with_fit" => {
            matches!(field_type, FieldType::Float | FieldType::Integer)
        }
        _ => field_type.is_numeric(),
    }
}
