//! Bind parameters (InfluxQL 3): values that stand for one token of a query.

use std::collections::HashMap;

use crate::ast::format_duration;
use crate::keyword::Keyword;
use crate::lexer::Kind;

/// A value out of the JSON object `params`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParamValue {
    /// A text.
    String(String),
    /// A number, as it was written.
    Number(String),
    /// `true` or `false`.
    Boolean(bool),
    /// `null`
    Null,
    /// An array, which nothing can be made of.
    Array,
    /// An object: it names the kind of its only value.
    Object(Vec<(String, ParamValue)>),
}

/// The values of a query's bind parameters, by name.
#[derive(Debug, Clone, Default)]
pub struct Params(HashMap<String, Bound>);

/// Why the parameters cannot be read at all. Answered as HTTP 400 (data-endpoints 5.2).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("error parsing json value: strconv.{function}: parsing \"{text}\": {reason}")]
pub struct ParamsError {
    function: &'static str,
    text: String,
    reason: &'static str,
}

/// What takes the place of a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Bound {
    /// This token.
    Token(Kind, String),
    /// Nothing: the parameter is unfit, for this reason.
    Unfit(String),
}

impl Params {
    /// Reads parameters out of a JSON object. Of two with one name, the last counts. A number that
    /// is out of range is an error at once; other unfit values are errors where they are used.
    pub fn from_json(
        entries: impl IntoIterator<Item = (String, ParamValue)>,
    ) -> Result<Self, ParamsError> {
        let mut params = HashMap::new();
        for (name, value) in entries {
            check_numbers(&value)?;
            params.insert(name, bind(value));
        }
        Ok(Self(params))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Bound> {
        self.0.get(name)
    }
}

fn check_numbers(value: &ParamValue) -> Result<(), ParamsError> {
    match value {
        ParamValue::Number(text) if is_float(text) => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(()),
            _ => Err(number_error("ParseFloat", text, "value out of range")),
        },
        ParamValue::Number(text) => match text.parse::<i64>() {
            Ok(_) => Ok(()),
            Err(_) if text.contains(['e', 'E']) => {
                Err(number_error("ParseInt", text, "invalid syntax"))
            }
            Err(_) => Err(number_error("ParseInt", text, "value out of range")),
        },
        ParamValue::Object(entries) => entries
            .iter()
            .try_for_each(|(_, value)| check_numbers(value)),
        ParamValue::String(_) | ParamValue::Boolean(_) | ParamValue::Null | ParamValue::Array => {
            Ok(())
        }
    }
}

fn number_error(function: &'static str, text: &str, reason: &'static str) -> ParamsError {
    ParamsError {
        function,
        text: text.to_owned(),
        reason,
    }
}

/// A number is a float if there is a point in its text.
fn is_float(text: &str) -> bool {
    text.contains('.')
}

fn bind(value: ParamValue) -> Bound {
    match value {
        ParamValue::String(text) => Bound::Token(Kind::String, text),
        ParamValue::Number(text) if is_float(&text) => float(&text),
        ParamValue::Number(text) => integer(&text),
        ParamValue::Boolean(true) => Bound::Token(Kind::Word(Keyword::True), String::new()),
        ParamValue::Boolean(false) => Bound::Token(Kind::Word(Keyword::False), String::new()),
        ParamValue::Null => unfit("unable to bind parameter with type <nil>"),
        ParamValue::Array => unfit("unable to bind parameter with type []interface {}"),
        ParamValue::Object(mut entries) => {
            let last = entries.pop();
            match last {
                Some((kind, value)) if entries.iter().all(|(name, _)| *name == kind) => {
                    bind_as(&kind, value)
                }
                _ => unfit("bound object parameter value must have exactly one entry"),
            }
        }
    }
}

fn bind_as(kind: &str, value: ParamValue) -> Bound {
    match (kind, value) {
        ("ident" | "identifier", ParamValue::String(text)) => Bound::Token(Kind::Ident, text),
        ("ident" | "identifier", _) => unfit("identifier must be a string value"),
        ("regex", ParamValue::String(text)) => Bound::Token(Kind::Regex, text),
        ("regex", _) => unfit("regex literal must be a string value"),
        ("string", ParamValue::String(text)) => Bound::Token(Kind::String, text),
        ("string", _) => unfit("string literal must be a string value"),
        ("float" | "number", ParamValue::Number(text)) => float(&text),
        ("float" | "number", _) => unfit("number literal must be a float value"),
        ("int" | "integer", ParamValue::Number(text)) if !is_float(&text) => integer(&text),
        ("int" | "integer", _) => unfit("integer literal must be an integer value"),
        ("duration", ParamValue::String(text)) => Bound::Token(Kind::Duration, text),
        ("duration", ParamValue::Number(text)) if !is_float(&text) => {
            let nanoseconds = text.parse().unwrap_or_default();
            Bound::Token(Kind::Duration, format_duration(nanoseconds))
        }
        ("duration", _) => unfit("duration literal must be a string or integer value"),
        (kind, _) => Bound::Unfit(format!("unknown bind object type: {kind}")),
    }
}

/// The number without an exponent, which the language does not know.
fn float(text: &str) -> Bound {
    Bound::Token(
        Kind::Number,
        text.parse::<f64>().unwrap_or_default().to_string(),
    )
}

fn integer(text: &str) -> Bound {
    Bound::Token(
        Kind::Integer,
        text.parse::<i64>().unwrap_or_default().to_string(),
    )
}

fn unfit(reason: &str) -> Bound {
    Bound::Unfit(reason.to_owned())
}
