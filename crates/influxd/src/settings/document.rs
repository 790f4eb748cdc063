//! What a configuration file says, whatever its format (influxd-cli 2.3).

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::yaml;

/// The formats of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Toml,
    Yaml,
}

/// A value in a file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Entry {
    /// Counts as not set.
    Nil,
    Bool(bool),
    Integer(i128),
    Float(f64),
    Text(String),
    List(Vec<Entry>),
    /// Names as written, in the order of the document; one may be there twice.
    Table(Vec<(String, Entry)>),
}

/// As a text, or for a message.
impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nil => f.write_str("null"),
            Self::Bool(value) => value.fmt(f),
            Self::Integer(number) => number.fmt(f),
            Self::Float(number) => number.fmt(f),
            Self::Text(text) => f.write_str(text),
            Self::List(all) => f.debug_list().entries(all.iter().map(Shown)).finish(),
            Self::Table(all) => {
                let shown = all.iter().map(|(name, value)| (name, Shown(value)));
                f.debug_map().entries(shown).finish()
            }
        }
    }
}

struct Shown<'a>(&'a Entry);

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The entries of a file at top level, their keys in lower case. Of a key that is there twice the
/// last one counts, but in TOML it is an error. Errors say where, and never what is written there:
/// it may be a password.
pub(super) fn parse(text: &str, format: Format) -> Result<BTreeMap<String, Entry>, String> {
    let document = match format {
        Format::Json if text.trim().is_empty() => return Err("EOF".to_owned()),
        Format::Json => serde_json::from_str(text).map_err(|e| e.to_string())?,
        Format::Toml => toml::from_str(text).map_err(|e| said_of_toml(text, &e))?,
        Format::Yaml => yaml::parse(text)?,
    };
    let written = match document {
        Entry::Table(written) => written,
        Entry::Nil => Vec::new(),
        other => {
            let kind = other.kind();
            return Err(format!("it must be a map of keys to values, not {kind}"));
        }
    };
    let mut entries = BTreeMap::new();
    for (key, value) in written {
        match entries.entry(key.to_lowercase()) {
            Slot::Occupied(_) if format == Format::Toml => {
                return Err("duplicate key, in two cases".to_owned());
            }
            Slot::Occupied(mut slot) => drop(slot.insert(value)),
            Slot::Vacant(slot) => drop(slot.insert(value)),
        }
    }
    Ok(entries)
}

/// An error of TOML without the line that it is about.
fn said_of_toml(text: &str, error: &toml::de::Error) -> String {
    let message = error.message();
    let before = error.span().and_then(|span| text.get(..span.start));
    before.map_or_else(
        || message.to_owned(),
        |before| {
            let line = 1 + before.matches('\n').count();
            let column = 1 + before.chars().rev().take_while(|c| *c != '\n').count();
            format!("{message} at line {line} column {column}")
        },
    )
}

impl Entry {
    /// What it is, without what it says.
    fn kind(&self) -> &'static str {
        match self {
            Self::Nil => "null",
            Self::Bool(_) => "a truth value",
            Self::Integer(_) | Self::Float(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Table(_) => "a map",
        }
    }
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Whatever)
    }
}

struct Whatever;

/// What stands for a time in what the reader of TOML says.
const TOML_TIME: &str = "$__toml_private_datetime";

impl<'de> Visitor<'de> for Whatever {
    type Value = Entry;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Entry, E> {
        Ok(Entry::Nil)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Entry, E> {
        Ok(Entry::Bool(value))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Entry, E> {
        Ok(Entry::Integer(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Entry, E> {
        Ok(Entry::Integer(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Entry, E> {
        Ok(Entry::Float(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Entry, E> {
        Ok(Entry::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Entry, E> {
        Ok(Entry::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Entry, A::Error> {
        let mut all = Vec::new();
        while let Some(item) = items.next_element()? {
            all.push(item);
        }
        Ok(Entry::List(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut pairs: A) -> Result<Entry, A::Error> {
        let mut all = Vec::new();
        while let Some(name) = pairs.next_key::<String>()? {
            if name == TOML_TIME {
                return pairs.next_value();
            }
            all.push((name, pairs.next_value()?));
        }
        Ok(Entry::Table(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn says(format: Format, text: &str, expected: &[(&str, Entry)]) {
        let expected: Vec<_> = expected
            .iter()
            .map(|(key, value)| ((*key).to_owned(), value.clone()))
            .collect();
        assert_eq!(parse(text, format), Ok(expected.into_iter().collect()));
    }

    #[test]
    fn of_a_key_that_is_there_twice_the_last_one_counts_but_in_toml() {
        let last = [("a-b", Entry::Bool(false))];
        says(Format::Yaml, "a-b: true\na-b: false\n", &last);
        says(Format::Yaml, "A-B: true\na-b: false\n", &last);
        says(Format::Yaml, "a-b: true\nA-B: false\n", &last);
        says(Format::Json, r#"{"a-b": true, "a-b": false}"#, &last);
        says(Format::Json, r#"{"a-b": true, "A-b": false}"#, &last);
        says(Format::Json, r#"{"A-b": true, "a-b": false}"#, &last);
        for text in ["a = 1\na = 2\n", "a = 1\nA = 2\n", "[a]\n[A]\n"] {
            let error = parse(text, Format::Toml).unwrap_err();
            assert!(error.contains("duplicate key"), "{error}");
        }
    }

    #[test]
    fn errors_say_where_and_not_what_is_written_there() {
        for (format, text) in [
            (Format::Toml, "store = \"hush\" x\n"),
            (Format::Toml, "store = hush\n"),
            (Format::Toml, "# \u{e4}\nstore = \"hush\n"),
            (Format::Toml, "hush = 1\nhush = 2\n"),
            (Format::Toml, "Hush = 1\nhush = 2\n"),
            (Format::Toml, "[hush]\na = 1\n[hush]\n"),
            (Format::Toml, "hush = 1\nhush.a = 2\n"),
            (Format::Json, "\"hush\""),
            (Format::Json, "[\"hush\"]"),
            (Format::Json, "{\"store\": hush}"),
            (Format::Json, "{\"store\": \"hush}"),
            (Format::Yaml, "hush\n"),
            (Format::Yaml, "- hush\n"),
            (Format::Yaml, "store: !hush a\n"),
            (Format::Yaml, "store: !!hush a\n"),
            (Format::Yaml, "store: !!int hush\n"),
            (Format::Yaml, "store: *hush\n"),
            (Format::Yaml, "store: %hush\n"),
            (Format::Yaml, "store: a: hush\n"),
            (Format::Yaml, "store: \"hush\n"),
            (Format::Yaml, "store: {hush\n"),
            (Format::Yaml, "%hush 1\nstore: 1\n"),
            (Format::Yaml, "store: \"\\hush\"\n"),
        ] {
            let error = parse(text, format).unwrap_err();
            assert!(!error.to_lowercase().contains("hush"), "{text:?}: {error}");
        }
        let text = "# \u{e4}\nstore = \"a\" b\n";
        let error = parse(text, Format::Toml).unwrap_err();
        assert!(error.ends_with(" at line 2 column 13"), "{error}");
        let error = parse("[\"a\"]", Format::Json).unwrap_err();
        assert_eq!(error, "it must be a map of keys to values, not a list");
        let error = parse("a: 1\nstore: !a b\n", Format::Yaml).unwrap_err();
        assert_eq!(error, "this tag is not understood here at line 2 column 11");
    }

    #[test]
    fn every_format_has_every_kind_of_value() {
        let expected = [
            ("bool", Entry::Bool(true)),
            ("float", Entry::Float(1.5)),
            ("int", Entry::Integer(-7)),
            ("list", Entry::List(vec![Entry::Integer(1)])),
            (
                "map",
                Entry::Table(vec![("A".to_owned(), Entry::Text("b".to_owned()))]),
            ),
            ("text", Entry::Text("1".to_owned())),
        ];
        let json = r#"{"bool": true, "float": 1.5, "int": -7, "list": [1], "map": {"A": "b"},
            "text": "1"}"#;
        says(Format::Json, json, &expected);
        says(Format::Yaml, json, &expected);
        let toml = "bool = true\nfloat = 1.5\nint = -7\nlist = [1]\nmap.A = 'b'\ntext = '1'\n";
        says(Format::Toml, toml, &expected);
        let time = Entry::Text("2026-01-01T00:00:00Z".to_owned());
        says(Format::Toml, "t = 2026-01-01T00:00:00Z\n", &[("t", time)]);
        says(Format::Json, r#"{"a": null}"#, &[("a", Entry::Nil)]);
        for (format, text) in [
            (Format::Yaml, ""),
            (Format::Yaml, "# nothing\n"),
            (Format::Toml, ""),
            (Format::Json, "{}"),
        ] {
            says(format, text, &[]);
        }
    }
}
