//! JSON as the server's clients know it: what is accepted, the words of the errors, and how
//! answers are escaped.

mod decode;
mod encode;
mod parse;

pub(crate) use decode::{DecodeError, Fields, read_texts};
pub(crate) use encode::{compact, pretty, push_replaced, push_string, push_string_bytes};
pub(crate) use parse::{JsonError, parse_first};

/// A JSON value. Numbers keep their text; objects keep their order and repeated keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean(bool),
    /// A number, as written.
    Number(String),
    /// A text; ill-formed UTF-8 and lone surrogates have become U+FFFD.
    String(String),
    /// `[...]`
    Array(Vec<Json>),
    /// `{...}`
    Object(Vec<(String, Json)>),
}

impl Json {
    /// What error texts call a value of this kind.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "bool",
            Self::Number(_) => "number",
            Self::String(_) => "string",
            Self::Array(_) => "array",
            Self::Object(_) => "object",
        }
    }
}
