//! One event as one line: logfmt for machines, tab-separated for a terminal (influxd-cli 7.1).

use std::fmt::Write as _;

use serde_json::{Map, Value};
use tracing::Level;
use tracing::field::{Field, Visit};

/// What an event says, gathered from its fields.
#[derive(Debug, Default)]
pub(super) struct Line {
    message: String,
    fields: Vec<(&'static str, Value)>,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.put(field.name(), Value::from(format!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field.name(), Value::from(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field.name(), Value::from(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field.name(), Value::from(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field.name(), Value::from(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field.name(), Value::from(value));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let mut text = value.to_string();
        let mut cause = value.source();
        while let Some(error) = cause {
            // Writing to a String cannot fail.
            let _ = write!(text, ": {error}");
            cause = error.source();
        }
        self.put(field.name(), Value::from(text));
    }
}

impl Line {
    fn put(&mut self, name: &'static str, value: Value) {
        match (name, value) {
            ("message", Value::String(message)) => self.message = message,
            (name, value) => self.fields.push((name, value)),
        }
    }

    /// Adds what the spans around the event say.
    pub(super) fn extend(&mut self, outer: &Self) {
        self.fields.extend(outer.fields.iter().cloned());
    }

    /// The line for a machine.
    pub(super) fn logfmt(&self, time: &str, level: Level, log_id: &str) -> String {
        let mut line = format!("ts={time} lvl={} msg=", level_name(level));
        push_value(&mut line, &self.message);
        line.push_str(" log_id=");
        line.push_str(log_id);
        for (name, value) in &self.fields {
            line.push(' ');
            line.push_str(name);
            line.push('=');
            match value {
                Value::String(text) => push_value(&mut line, text),
                other => line.push_str(&other.to_string()),
            }
        }
        line.push('\n');
        line
    }

    /// The line for a person at a terminal.
    pub(super) fn tabbed(&self, time: &str, level: Level, log_id: &str) -> String {
        let mut fields: Map<String, Value> = [("log_id".to_owned(), Value::from(log_id))]
            .into_iter()
            .collect();
        for (name, value) in &self.fields {
            fields.insert((*name).to_owned(), value.clone());
        }
        let message = self.message.replace(['\n', '\t'], " ");
        let fields = Value::Object(fields);
        format!("{time}\t{}\t{message}\t{fields}\n", level_name(level))
    }
}

const fn level_name(level: Level) -> &'static str {
    match level {
        Level::TRACE | Level::DEBUG => "debug",
        Level::INFO => "info",
        Level::WARN => "warn",
        Level::ERROR => "error",
    }
}

/// A text as a logfmt value: quoted when it would not end where it ends.
fn push_value(line: &mut String, text: &str) {
    let plain = !text.is_empty()
        && text
            .chars()
            .all(|c| c > ' ' && c != '"' && c != '=' && c != '\u{7f}');
    if plain {
        line.push_str(text);
    } else {
        // JSON's escapes are logfmt's.
        line.push_str(&Value::from(text).to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> Line {
        Line {
            message: "Welcome to InfluxDB".to_owned(),
            fields: vec![
                ("version", Value::from("v2.9.1")),
                ("note", Value::from("a=\"b\"\nc")),
                ("port", Value::from(8086)),
                ("empty", Value::from("")),
            ],
        }
    }

    #[test]
    fn logfmt_quotes_what_needs_quotes() {
        assert_eq!(
            line().logfmt("T", Level::INFO, "0zABCDEF000"),
            "ts=T lvl=info msg=\"Welcome to InfluxDB\" log_id=0zABCDEF000 version=v2.9.1 \
             note=\"a=\\\"b\\\"\\nc\" port=8086 empty=\"\"\n"
        );
    }

    #[test]
    fn a_terminal_gets_tabs() {
        assert_eq!(
            line().tabbed("T", Level::WARN, "0zABCDEF000"),
            "T\twarn\tWelcome to InfluxDB\t{\"log_id\":\"0zABCDEF000\",\"version\":\"v2.9.1\",\
             \"note\":\"a=\\\"b\\\"\\nc\",\"port\":8086,\"empty\":\"\"}\n"
        );
    }
}
