//! Printing of names, texts, durations, expressions and `SELECT`.

use std::fmt::{self, Display, Formatter, Write};

use super::{
    Call, Expr, Field, Fill, Measurement, MeasurementName, Number, Order, Select, Source, Target,
    VarRef, Wildcard,
};
use crate::keyword::Keyword;

/// A name as it has to be written: in double quotes where it needs them.
pub fn quote_ident(name: &str) -> String {
    if needs_quotes(name) {
        quoted(name)
    } else {
        name.to_owned()
    }
}

/// A text in single quotes, escaped.
pub fn quote_string(text: &str) -> String {
    escaped(text, '\'')
}

/// Several segments of a dotted name. All but the last are quoted, empty ones in the middle are not.
pub(crate) fn quote_segments(segments: &[String]) -> String {
    let last = segments.len().saturating_sub(1);
    let mut text = String::new();
    for (index, segment) in segments.iter().enumerate() {
        if index > 0 {
            text.push('.');
        }
        match segment.as_str() {
            "" if index > 0 && index < last => {}
            segment if index < last => text.push_str(&quoted(segment)),
            segment => text.push_str(&quote_ident(segment)),
        }
    }
    text
}

/// A duration in its largest whole unit, as in `90m` or `1500u`; `0s` for none.
pub fn format_duration(nanoseconds: i64) -> String {
    const UNITS: [(i64, &str); 7] = [
        (604_800_000_000_000, "w"),
        (86_400_000_000_000, "d"),
        (3_600_000_000_000, "h"),
        (60_000_000_000, "m"),
        (1_000_000_000, "s"),
        (1_000_000, "ms"),
        (1_000, "u"),
    ];
    if nanoseconds == 0 {
        return "0s".to_owned();
    }
    let whole = UNITS.into_iter().find(|(size, _)| nanoseconds % size == 0);
    let (size, unit) = whole.unwrap_or((1, "ns"));
    format!("{}{unit}", nanoseconds / size)
}

fn needs_quotes(name: &str) -> bool {
    let mut bytes = name.bytes();
    let starts_well = bytes
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == b'_');
    !starts_well
        || bytes.any(|byte| !byte.is_ascii_alphanumeric() && byte != b'_')
        || Keyword::find(name).is_some()
}

fn quoted(name: &str) -> String {
    escaped(name, '"')
}

fn escaped(text: &str, quote: char) -> String {
    let mut escaped = String::with_capacity(text.len() + 2);
    escaped.push(quote);
    for letter in text.chars() {
        match letter {
            '\n' => escaped.push_str("\\n"),
            '\\' => escaped.push_str("\\\\"),
            letter if letter == quote => {
                escaped.push('\\');
                escaped.push(letter);
            }
            letter => escaped.push(letter),
        }
    }
    escaped.push(quote);
    escaped
}

/// Writes the items with `separator` between them.
pub(super) fn joined<T: Display>(
    f: &mut Formatter<'_>,
    items: impl IntoIterator<Item = T>,
    separator: &str,
) -> fmt::Result {
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            f.write_str(separator)?;
        }
        write!(f, "{item}")?;
    }
    Ok(())
}

/// Writes ` WORD value` if there is a value.
pub(super) fn clause<T: Display>(
    f: &mut Formatter<'_>,
    word: &str,
    value: Option<T>,
) -> fmt::Result {
    match value {
        Some(value) => write!(f, " {word} {value}"),
        None => Ok(()),
    }
}

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Binary { op, lhs, rhs } => write!(f, "{lhs} {} {rhs}", op.symbol()),
            Self::Paren(inner) => write!(f, "({inner})"),
            Self::Call(call) => write!(f, "{call}"),
            Self::VarRef(column) => write!(f, "{column}"),
            Self::Wildcard(wildcard) => write!(f, "{wildcard}"),
            Self::Regex(regex) => write!(f, "{regex}"),
            Self::Distinct(name) => write!(f, "DISTINCT {}", quote_ident(name)),
            Self::Integer(value) => write!(f, "{value}"),
            Self::Unsigned(value) => write!(f, "{value}"),
            Self::Number(value) => write!(f, "{}", Number::Float(*value)),
            Self::String(text) => f.write_str(&quote_string(text)),
            Self::Duration(duration) => f.write_str(&format_duration(*duration)),
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Time(time) => write!(f, "'{}'", crate::time::format_rfc3339(*time)),
            Self::Nil => f.write_str("nil"),
            Self::List(names) => {
                f.write_char('(')?;
                joined(f, names.iter().map(|name| quote_ident(name)), ", ")?;
                f.write_char(')')
            }
        }
    }
}

impl Display for Call {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.name)?;
        joined(f, &self.args, ", ")?;
        f.write_char(')')
    }
}

impl Display for VarRef {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&quote_ident(&self.name))?;
        match self.hint {
            Some(hint) => write!(f, "::{}", hint.as_str()),
            None => Ok(()),
        }
    }
}

impl Display for Wildcard {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::All => "*",
            Self::Fields => "*::field",
            Self::Tags => "*::tag",
        })
    }
}

impl Display for Number {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(value) => write!(f, "{value}"),
            Self::Float(value) => write!(f, "{value}"),
        }
    }
}

impl Display for Field {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.expr)?;
        clause(f, "AS", self.alias.as_deref().map(quote_ident))
    }
}

impl Display for Target {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        qualified(f, self.database.as_deref(), self.policy.as_deref())?;
        match &self.measurement {
            Some(name) => f.write_str(&quote_ident(name)),
            None => f.write_str(":MEASUREMENT"),
        }
    }
}

impl Display for Source {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Measurement(measurement) => write!(f, "{measurement}"),
            Self::Subquery(select) => write!(f, "({select})"),
        }
    }
}

impl Display for Measurement {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        qualified(f, self.database.as_deref(), self.policy.as_deref())?;
        match &self.name {
            MeasurementName::Name(name) => f.write_str(&quote_ident(name)),
            MeasurementName::Regex(regex) => write!(f, "{regex}"),
        }
    }
}

/// Writes `database.policy.`, as far as it goes.
fn qualified(f: &mut Formatter<'_>, database: Option<&str>, policy: Option<&str>) -> fmt::Result {
    if let Some(database) = database {
        write!(f, "{}.", quote_ident(database))?;
    }
    if let Some(policy) = policy {
        f.write_str(&quote_ident(policy))?;
    }
    if database.is_some() || policy.is_some() {
        f.write_char('.')?;
    }
    Ok(())
}

impl Display for Fill {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("fill(null)"),
            Self::None => f.write_str("fill(none)"),
            Self::Previous => f.write_str("fill(previous)"),
            Self::Linear => f.write_str("fill(linear)"),
            Self::Number(number) => write!(f, "fill({number})"),
        }
    }
}

impl Display for Order {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ascending => "time ASC",
            Self::Descending => "time DESC",
        })
    }
}

impl Display for Select {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("SELECT ")?;
        joined(f, &self.fields, ", ")?;
        clause(f, "INTO", self.into.as_ref())?;
        f.write_str(" FROM ")?;
        joined(f, &self.sources, ", ")?;
        clause(f, "WHERE", self.condition.as_ref())?;
        if !self.dimensions.is_empty() {
            f.write_str(" GROUP BY ")?;
            joined(f, &self.dimensions, ", ")?;
        }
        if self.fill != Fill::Null {
            write!(f, " {}", self.fill)?;
        }
        clause(f, "ORDER BY", self.order)?;
        clause(f, "LIMIT", self.limit)?;
        clause(f, "OFFSET", self.offset)?;
        clause(f, "SLIMIT", self.slimit)?;
        clause(f, "SOFFSET", self.soffset)?;
        match self.timezone {
            Some(zone) => write!(f, " TZ('{zone}')"),
            None => Ok(()),
        }
    }
}
