//! YAML as 2.x reads it: of a key given twice the last one counts, and unquoted `on`, `yes`, `off`
//! and `no` are truth values (influxd-cli 2.3).

use std::collections::BTreeMap;

use yaml_rust2::Yaml;
use yaml_rust2::parser::{Event, MarkedEventReceiver, Parser, Tag};
use yaml_rust2::scanner::{Marker, TScalarStyle};

use super::document::Entry;

/// The one document of a text; nothing at all is [`Entry::Nil`].
pub(super) fn parse(text: &str) -> Result<Entry, String> {
    let mut reader = Reader::default();
    let mut parser = Parser::new_from_str(text);
    let read = parser.load(&mut reader, true);
    read.map_err(|e| e.to_string())?;
    match reader.wrong {
        Some(wrong) => Err(wrong),
        None => Ok(reader.document.unwrap_or(Entry::Nil)),
    }
}

/// Puts values together as the parser comes to their parts.
#[derive(Default)]
struct Reader {
    /// What has begun and not ended yet, outermost first.
    open: Vec<Open>,
    /// What aliases stand for, by the number of their anchor.
    anchors: BTreeMap<usize, Entry>,
    document: Option<Entry>,
    /// The first thing that was wrong.
    wrong: Option<String>,
}

enum Open {
    List(usize, Vec<Entry>),
    /// With the key whose value comes next.
    Table(usize, Vec<(String, Entry)>, Option<String>),
}

impl MarkedEventReceiver for Reader {
    fn on_event(&mut self, event: Event, mark: Marker) {
        if self.wrong.is_none()
            && let Err(wrong) = self.take(event)
        {
            let (line, column) = (mark.line(), mark.col() + 1);
            self.wrong = Some(format!("{wrong} at line {line} column {column}"));
        }
    }
}

impl Reader {
    fn take(&mut self, event: Event) -> Result<(), String> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                if let Some(Open::Table(_, _, key @ None)) = self.open.last_mut() {
                    *key = Some(text);
                    return Ok(());
                }
                let value = scalar(text, style, tag.as_ref())?;
                self.add(anchor, value)
            }
            Event::Alias(anchor) => {
                let value = self.anchors.get(&anchor).cloned();
                let value = value.ok_or("an alias stands for what is around it")?;
                if matches!(self.open.last(), Some(Open::Table(_, _, None))) {
                    return self.begin_key(&value);
                }
                self.add(0, value)
            }
            Event::SequenceStart(anchor, tag) => {
                self.begin(Open::List(anchor, Vec::new()), tag.as_ref(), "seq")
            }
            Event::MappingStart(anchor, tag) => {
                self.begin(Open::Table(anchor, Vec::new(), None), tag.as_ref(), "map")
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(Open::List(anchor, all)) => self.add(anchor, Entry::List(all)),
                Some(Open::Table(anchor, all, _)) => self.add(anchor, Entry::Table(all)),
                None => Ok(()),
            },
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart
            | Event::DocumentEnd => Ok(()),
        }
    }

    fn begin(&mut self, open: Open, tag: Option<&Tag>, natural: &str) -> Result<(), String> {
        if matches!(self.open.last(), Some(Open::Table(_, _, None))) {
            return Err("a key must be a text".to_owned());
        }
        if let Some(tag) = tag
            && core(tag) != Some(natural)
        {
            return Err(NOT_UNDERSTOOD.to_owned());
        }
        self.open.push(open);
        Ok(())
    }

    fn begin_key(&mut self, name: &Entry) -> Result<(), String> {
        let (Some(Open::Table(_, _, key)), Entry::Text(name)) = (self.open.last_mut(), name) else {
            return Err("a key must be a text".to_owned());
        };
        *key = Some(name.clone());
        Ok(())
    }

    /// A value is complete.
    fn add(&mut self, anchor: usize, value: Entry) -> Result<(), String> {
        if anchor > 0 {
            self.anchors.insert(anchor, value.clone());
        }
        match self.open.last_mut() {
            Some(Open::List(_, all)) => all.push(value),
            Some(Open::Table(_, all, key)) => all.extend(key.take().map(|key| (key, value))),
            None if self.document.is_some() => {
                return Err("there is more than one document".to_owned());
            }
            None => self.document = Some(value),
        }
        Ok(())
    }
}

/// The name of a tag that YAML itself defines.
fn core(tag: &Tag) -> Option<&str> {
    (tag.handle == "tag:yaml.org,2002:").then_some(&tag.suffix)
}

const NOT_UNDERSTOOD: &str = "this tag is not understood here";

fn scalar(text: String, style: TScalarStyle, tag: Option<&Tag>) -> Result<Entry, String> {
    let Some(tag) = tag else {
        return Ok(match style {
            TScalarStyle::Plain => plain(&text),
            TScalarStyle::SingleQuoted
            | TScalarStyle::DoubleQuoted
            | TScalarStyle::Literal
            | TScalarStyle::Folded => Entry::Text(text),
        });
    };
    let value = match core(tag) {
        Some("str") => return Ok(Entry::Text(text)),
        Some("bool" | "int" | "float" | "null") => plain(&text),
        // Not a text, whatever it looks like.
        None if tag.handle.is_empty() && tag.suffix == "!" => return Ok(Entry::Text(text)),
        _ => return Err(NOT_UNDERSTOOD.to_owned()),
    };
    match (core(tag), value) {
        (Some("bool"), value @ Entry::Bool(_))
        | (Some("int"), value @ Entry::Integer(_))
        | (Some("float"), value @ Entry::Float(_))
        | (Some("null"), value @ Entry::Nil) => Ok(value),
        #[expect(
            clippy::cast_precision_loss,
            reason = "it is said to be no whole number"
        )]
        (Some("float"), Entry::Integer(number)) => Ok(Entry::Float(number as f64)),
        (kind, _) => Err(format!("this is no {}", kind.unwrap_or_default())),
    }
}

/// What an unquoted text means.
fn plain(text: &str) -> Entry {
    match text {
        "Null" | "NULL" => return Entry::Nil,
        "on" | "On" | "ON" | "yes" | "Yes" | "YES" | "y" | "Y" => return Entry::Bool(true),
        "off" | "Off" | "OFF" | "no" | "No" | "NO" | "n" | "N" => return Entry::Bool(false),
        _ => {}
    }
    if let Ok(number) = text.parse() {
        return Entry::Integer(number);
    }
    let as_text = || Entry::Text(text.to_owned());
    match Yaml::from_str(text) {
        Yaml::Null => Entry::Nil,
        Yaml::Boolean(value) => Entry::Bool(value),
        Yaml::Integer(number) => Entry::Integer(number.into()),
        real @ Yaml::Real(_) => real.as_f64().map_or_else(as_text, Entry::Float),
        Yaml::String(_) | Yaml::Array(_) | Yaml::Hash(_) | Yaml::Alias(_) | Yaml::BadValue => {
            as_text()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the value of the only key is.
    #[track_caller]
    fn value(text: &str) -> Entry {
        match parse(text) {
            Ok(Entry::Table(mut all)) => {
                let (key, value) = all.pop().unwrap();
                assert_eq!((key.as_str(), all.len()), ("key", 0), "{text:?}");
                value
            }
            other => panic!("{text:?}: {other:?}"),
        }
    }

    #[test]
    fn unquoted_on_yes_off_and_no_are_truth_values_wherever_they_stand() {
        for (text, truth) in [
            ("key: on\n", true),
            ("key: yes # so\n", true),
            ("key: Off", false),
            ("  key: off\n", false),
            ("\"key\": off\n", false),
            ("'key': no\n", false),
            ("{key: off}\n", false),
            ("{\"key\":off}\n", false),
            ("? key\n: off\n", false),
            ("key: &x off\n", false),
            ("key: !!bool off\n", false),
            ("key: !!bool \"off\"\n", false),
            ("---\nkey:\n  NO\n", false),
            ("key: true\n", true),
        ] {
            assert_eq!(value(text), Entry::Bool(truth), "{text:?}");
        }
        for text in [
            "key: \"off\"\n",
            "key: 'off'\n",
            "key: !!str off\n",
            "key: |-\n  off\n",
        ] {
            assert_eq!(value(text), Entry::Text("off".to_owned()), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_map_is_not_taken_for_one() {
        for text in ["key:off\n", "key :off\n", "off\n"] {
            assert!(!matches!(parse(text), Ok(Entry::Table(_))), "{text:?}");
        }
        for text in [
            "key: !!bool maybe\n",
            "key: !!int off\n",
            "key: !mine off\n",
            "[a]: b\n",
            "? {a: b}\n: c\n",
            "a: 1\n---\nb: 2\n",
            "key: *nowhere\n",
            "key: &x [*x]\n",
            "a: [1\n",
            "a:\n\tb: 1\n",
        ] {
            assert!(parse(text).is_err(), "{text:?}: {:?}", parse(text));
        }
    }

    #[test]
    fn other_scalars_are_what_they_look_like() {
        for (text, expected) in [
            ("key:", Entry::Nil),
            ("key: ~", Entry::Nil),
            ("key: NULL", Entry::Nil),
            ("key: 12", Entry::Integer(12)),
            ("key: 0x10", Entry::Integer(16)),
            (
                "key: 99999999999999999999",
                Entry::Integer(99_999_999_999_999_999_999),
            ),
            ("key: 1.5", Entry::Float(1.5)),
            ("key: !!float 1", Entry::Float(1.0)),
            ("key: :8086", Entry::Text(":8086".to_owned())),
            ("key: 10s", Entry::Text("10s".to_owned())),
            ("key: \"12\"", Entry::Text("12".to_owned())),
        ] {
            assert_eq!(value(text), expected, "{text:?}");
        }
        let Ok(Entry::Table(all)) = parse("a: &x 1\nb: *x\n") else {
            panic!("a map");
        };
        assert_eq!(all[1], ("b".to_owned(), Entry::Integer(1)));
    }
}
