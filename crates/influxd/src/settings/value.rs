//! The kinds of values that settings have, how each is read from text or a file, and printed.

use std::collections::BTreeMap;

use super::document::Entry;
use super::duration;

/// What a setting's value may be (influxd-cli 2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Any text.
    Text,
    /// True or false.
    Bool,
    /// A whole number of 64 bits.
    Int,
    /// A whole number of 32 bits.
    Int32,
    /// A duration that a file may also give as a number of nanoseconds.
    Duration,
    /// A duration that always needs its unit.
    StrictDuration,
    /// A number of bytes that is not negative.
    Size,
    /// A number of bytes that may be negative (and is refused later where that has no meaning).
    SignedSize,
    /// A log level.
    Level,
    /// Names with texts.
    Map,
}

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LogLevel {
    /// Everything.
    Debug,
    /// What an operator wants to know.
    Info,
    /// What an operator should look at.
    Warn,
    /// What went wrong.
    Error,
    /// Nothing that this server logs is as severe as these levels of 2.x.
    Fatal(&'static str),
}

impl LogLevel {
    /// Its name in the configuration and in the log.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Fatal(name) => name,
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "debug" => Ok(Self::Debug),
            "info" | "" => Ok(Self::Info),
            "warn" => Ok(Self::Warn),
            "error" => Ok(Self::Error),
            "dpanic" => Ok(Self::Fatal("dpanic")),
            "panic" => Ok(Self::Fatal("panic")),
            "fatal" => Ok(Self::Fatal("fatal")),
            _ => Err("unknown log level; supported levels are debug, info, warn, error".to_owned()),
        }
    }
}

/// A value that fits its setting's [`Kind`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    /// Of [`Kind::Text`].
    Text(String),
    /// Of [`Kind::Bool`].
    Bool(bool),
    /// Of [`Kind::Int`], [`Kind::Int32`] and the two kinds of sizes.
    Number(i64),
    /// Of the two kinds of durations, in nanoseconds.
    Duration(i64),
    /// Of [`Kind::Level`].
    Level(LogLevel),
    /// Of [`Kind::Map`].
    Map(BTreeMap<String, String>),
}

/// The value that a flag's text means.
pub(crate) fn from_flag(kind: Kind, text: &str) -> Result<Value, String> {
    match kind {
        Kind::Text => Ok(Value::Text(text.to_owned())),
        Kind::Bool => match text {
            "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(Value::Bool(true)),
            "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(Value::Bool(false)),
            _ => Err(format!(
                "strconv.ParseBool: parsing {text:?}: invalid syntax"
            )),
        },
        Kind::Int => int(text).map(Value::Number),
        Kind::Int32 => {
            let number = int(text)?;
            if i32::try_from(number).is_err() {
                return Err(format!(
                    "strconv.ParseInt: parsing {text:?}: value out of range"
                ));
            }
            Ok(Value::Number(number))
        }
        Kind::Duration | Kind::StrictDuration => duration::parse(text).map(Value::Duration),
        Kind::Size => match size(text)? {
            ..0 => Err(format!("invalid size {text:?}: it is negative")),
            bytes => Ok(Value::Number(bytes)),
        },
        Kind::SignedSize => size(text).map(Value::Number),
        Kind::Level => LogLevel::parse(text).map(Value::Level),
        Kind::Map => text
            .split(',')
            .map(|pair| {
                let (key, value) = pair
                    .split_once('=')
                    .ok_or_else(|| format!("{pair} must be formatted as key=value"))?;
                Ok((key.to_owned(), value.to_owned()))
            })
            .collect::<Result<_, String>>()
            .map(Value::Map),
    }
}

/// The value that the text of an environment variable means. The text is not empty.
pub(crate) fn from_environment(kind: Kind, text: &str) -> Result<Value, String> {
    match kind {
        Kind::Map => {
            let pairs: BTreeMap<String, serde_json::Value> = serde_json::from_str(text)
                .map_err(|_| "it must be a JSON object, such as {\"a\":\"1\"}".to_owned())?;
            let pairs = pairs.into_iter().map(|(key, value)| match value {
                serde_json::Value::String(text) => (key, text),
                other => (key, other.to_string()),
            });
            Ok(Value::Map(pairs.collect()))
        }
        Kind::Duration if text.parse::<i64>().is_ok() => int(text).map(Value::Duration),
        _ => from_flag(kind, text),
    }
}

/// The value that an entry of a configuration file means; `None`: it counts as not set.
pub(crate) fn from_file(kind: Kind, entry: &Entry) -> Result<Option<Value>, String> {
    match (kind, entry) {
        (_, Entry::Nil) => Ok(None),
        (Kind::Bool, Entry::Integer(number)) => Ok(Some(Value::Bool(*number != 0))),
        (Kind::Bool, Entry::Bool(value)) => Ok(Some(Value::Bool(*value))),
        (Kind::Duration, Entry::Integer(number)) => i64::try_from(*number)
            .map(|number| Some(Value::Duration(number)))
            .map_err(|_| "the number is out of range".to_owned()),
        (Kind::Map, Entry::Table(pairs)) => {
            let pairs = pairs
                .iter()
                .map(|(key, value)| (key.to_ascii_lowercase(), value.to_string()));
            Ok(Some(Value::Map(pairs.collect())))
        }
        (Kind::Map, _) => Err("it must be a map of names to values".to_owned()),
        (_, Entry::Table(_) | Entry::List(_)) => Err("it must be a single value".to_owned()),
        _ => from_flag(kind, &entry.to_string()).map(Some),
    }
}

/// How a value reads in `print-config`: a YAML document without its end of line.
pub(crate) fn to_yaml(value: &Value, indent: &str) -> String {
    match value {
        Value::Text(text) => yaml_text(text),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Duration(nanoseconds) => duration::format(*nanoseconds),
        Value::Level(level) => level.name().to_owned(),
        Value::Map(pairs) if pairs.is_empty() => "{}".to_owned(),
        Value::Map(pairs) => pairs
            .iter()
            .map(|(key, value)| format!("{indent}{}: {}", yaml_text(key), yaml_text(value)))
            .collect::<Vec<_>>()
            .join("\n"),
    }
}

/// A text as YAML: plain where that reads back as the same text.
fn yaml_text(text: &str) -> String {
    let plain = !text.is_empty()
        && text.trim() == text
        && !text.starts_with([
            '-', '?', '[', ']', '{', '}', ',', '#', '&', '*', '!', '|', '>', '\'', '"', '%', '@',
            '`',
        ])
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with(':')
        && !text.contains(|c: char| c.is_control())
        && !looks_like_another_type(text);
    if plain { text.to_owned() } else { quoted(text) }
}

fn looks_like_another_type(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    text.parse::<f64>().is_ok()
        || int(text).is_ok()
        || matches!(
            lower.as_str(),
            "true" | "false" | "yes" | "no" | "on" | "off" | "y" | "n" | "null" | "~"
        )
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn int(text: &str) -> Result<i64, String> {
    let failed = |why| format!("strconv.ParseInt: parsing {text:?}: {why}");
    let (negative, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let (digits, radix) = match digits.strip_prefix("0x").or(digits.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None => (digits, 10),
    };
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return Err(failed("invalid syntax"));
    }
    i128::from_str_radix(digits, radix)
        .ok()
        .map(|number| if negative { -number } else { number })
        .and_then(|number| i64::try_from(number).ok())
        .ok_or_else(|| failed("value out of range"))
}

fn size(text: &str) -> Result<i64, String> {
    let failed = |why: String| format!("invalid size {text:?}: {why}");
    let trimmed = text.trim();
    let end = trimmed
        .find(|c: char| !c.is_ascii_digit() && !"+-.".contains(c))
        .unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(end);
    let unit = unit.trim();
    let factor: i64 = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" => 1_000,
        "m" | "mb" => 1_000_000,
        "g" | "gb" => 1_000_000_000,
        "ki" | "kib" => 1 << 10,
        "mi" | "mib" => 1 << 20,
        "gi" | "gib" => 1 << 30,
        _ => return Err(failed(format!("unhandled size name: {unit}"))),
    };
    if let Ok(whole) = number.parse::<i64>() {
        return whole
            .checked_mul(factor)
            .ok_or_else(|| failed("it is too large".to_owned()));
    }
    let number: f64 = number
        .parse()
        .map_err(|_| failed("it is not a number of bytes".to_owned()))?;
    let bytes = number * factor as f64;
    if bytes.abs() >= i64::MAX as f64 {
        return Err(failed("it is too large".to_owned()));
    }
    Ok(bytes as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn flag(kind: Kind, text: &str, shown: &str) {
        let value = from_flag(kind, text).unwrap();
        assert_eq!(to_yaml(&value, ""), shown);
    }

    #[track_caller]
    fn refused(kind: Kind, text: &str, reason: &str) {
        assert_eq!(from_flag(kind, text).unwrap_err(), reason);
    }

    #[test]
    fn flags_read_as_in_2x() {
        flag(Kind::Bool, "T", "true");
        flag(Kind::Int, "0x10", "16");
        flag(Kind::Size, "1.5 MiB", "1572864");
        flag(Kind::Size, "10k", "10000");
        flag(Kind::SignedSize, "-1", "-1");
        flag(Kind::Level, "WARN", "warn");
        flag(Kind::Level, "", "info");
        flag(Kind::Map, "a=1,b=x", "a: \"1\"\nb: x");
        flag(Kind::Text, "1.2", "\"1.2\"");
        flag(Kind::Text, "", "\"\"");
        flag(Kind::Text, ":8086", ":8086");
        flag(Kind::Text, "a\nb: c", "\"a\\nb: c\"");
    }

    #[test]
    fn wrong_flags_are_refused_in_the_words_of_2x() {
        refused(
            Kind::Bool,
            "yes",
            "strconv.ParseBool: parsing \"yes\": invalid syntax",
        );
        refused(
            Kind::Int,
            "1.5",
            "strconv.ParseInt: parsing \"1.5\": invalid syntax",
        );
        refused(
            Kind::Int32,
            "99999999999",
            "strconv.ParseInt: parsing \"99999999999\": value out of range",
        );
        refused(
            Kind::Size,
            "1zz",
            "invalid size \"1zz\": unhandled size name: zz",
        );
        refused(Kind::Map, "a", "a must be formatted as key=value");
        assert!(from_flag(Kind::Size, "-5").is_err());
        assert!(from_flag(Kind::Size, "x").is_err());
    }

    #[test]
    fn an_environment_gives_durations_in_nanoseconds_and_maps_in_json() {
        assert_eq!(
            from_environment(Kind::Duration, "10"),
            Ok(Value::Duration(10))
        );
        assert!(from_environment(Kind::StrictDuration, "10").is_err());
        let map = from_environment(Kind::Map, "{\"a\":\"1\"}").unwrap();
        assert_eq!(to_yaml(&map, ""), "a: \"1\"");
        assert!(from_environment(Kind::Map, "a=1").is_err());
    }

    #[test]
    fn a_file_gives_texts_numbers_and_truth_values() {
        let text = |text: &str| Entry::Text(text.to_owned());
        assert_eq!(
            from_file(Kind::Bool, &Entry::Integer(2)),
            Ok(Some(Value::Bool(true)))
        );
        assert_eq!(from_file(Kind::Bool, &Entry::Nil), Ok(None));
        assert!(from_file(Kind::Bool, &text("")).is_err());
        assert!(from_file(Kind::Bool, &text("yes")).is_err());
        assert_eq!(
            from_file(Kind::Int, &text("12")),
            Ok(Some(Value::Number(12)))
        );
        assert!(from_file(Kind::Int, &Entry::Float(12.7)).is_err());
        assert_eq!(
            from_file(Kind::Text, &Entry::Float(1.2)),
            Ok(Some(Value::Text("1.2".to_owned())))
        );
    }
}
