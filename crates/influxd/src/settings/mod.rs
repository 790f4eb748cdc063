//! Settings: read as given from flags, environment and file, then raised once to what they mean.
//!
//! Order of precedence: flag, environment, file, default (influxd-cli 2). A wrong value is refused
//! wherever it stands, with its source, its key and, unless it may be a secret, the value.

mod document;
mod duration;
mod file;
mod server;
mod shown;
pub(crate) mod table;
pub(crate) mod value;
mod yaml;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Result, bail};

pub(crate) use file::{ConfigFile, load};
pub(crate) use server::{ServerSettings, StoreChoice, masked};
pub(crate) use table::{Relevance, SETTINGS, Setting};
pub(crate) use value::{Kind, LogLevel, Value, to_yaml};

/// The environment of the process, what of it is Unicode, always with a home directory if there is
/// one.
pub(crate) type Environment = BTreeMap<String, String>;

/// The environment in these variables, for an account with this home directory. Refuses a variable
/// that says something to this server in bytes that are no text: left out, it would be as if
/// another value had been meant.
pub(crate) fn environment(
    variables: impl IntoIterator<Item = (OsString, OsString)>,
    home: Option<PathBuf>,
) -> Result<Environment, String> {
    let mut environment = Environment::new();
    for (name, value) in variables {
        let Ok(name) = name.into_string() else {
            continue;
        };
        match value.into_string() {
            Ok(value) => drop(environment.insert(name, value)),
            Err(value) if name.starts_with("INFLUXD_") || name == "HOME" => {
                let is_secret = |setting: &Setting| setting.secret && setting.variable() == name;
                let value = if SETTINGS.iter().any(is_secret) {
                    "***".into()
                } else {
                    value.to_string_lossy()
                };
                return Err(format!(
                    "environment variable {name} has the invalid value {value:?}: it is not UTF-8"
                ));
            }
            Err(_) => {}
        }
    }
    let given = environment.get("HOME").is_some_and(|home| !home.is_empty());
    if let (false, Some(Ok(home))) = (given, home.map(|home| home.into_os_string().into_string())) {
        environment.insert("HOME".to_owned(), home);
    }
    Ok(environment)
}

/// The value of every setting, as given.
#[derive(Debug)]
pub(crate) struct Settings {
    values: BTreeMap<&'static str, Value>,
    /// What should be said about how they were given, once there is a log.
    pub(crate) warnings: Vec<String>,
    /// The path of the file that was read.
    pub(crate) file: Option<String>,
}

/// Flags as given: the texts of each, in order.
pub(crate) type Flags = BTreeMap<&'static str, Vec<String>>;

impl Settings {
    /// Merges the sources.
    pub(crate) fn read(
        flags: &Flags,
        environment: &Environment,
        file: Option<&ConfigFile>,
    ) -> Result<Self> {
        let mut values = BTreeMap::new();
        for setting in SETTINGS {
            let value = match from_flag(setting, flags)? {
                Some(value) => Some(value),
                None => from_environment(setting, environment)?,
            };
            let value = match (value, file) {
                (Some(value), _) => value,
                (None, Some(file)) => {
                    from_file(setting, file)?.unwrap_or_else(|| default(setting, environment))
                }
                (None, None) => default(setting, environment),
            };
            values.insert(setting.name, value);
        }
        let mut warnings = unknown_variables(environment);
        warnings.extend(file.iter().flat_map(|file| unknown_keys(file)));
        warnings.extend(without_effect(&values, environment));
        Ok(Self {
            values,
            warnings,
            file: file.map(|file| file.path.display().to_string()),
        })
    }

    /// All of them, by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.values.iter().map(|(name, value)| (*name, value))
    }

    /// The value of a setting, by the name that the table has for it.
    fn get(&self, name: &str) -> &Value {
        self.values
            .get(name)
            .expect("every setting of the table has a value")
    }

    pub(crate) fn text(&self, name: &str) -> &str {
        match self.get(name) {
            Value::Text(text) => text,
            other => unreachable!("{name} is {other:?} instead of a text"),
        }
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        matches!(self.get(name), Value::Bool(true))
    }

    pub(crate) fn number(&self, name: &str) -> i64 {
        match self.get(name) {
            Value::Number(number) | Value::Duration(number) => *number,
            other => unreachable!("{name} is {other:?} instead of a number"),
        }
    }

    pub(crate) fn log_level(&self) -> LogLevel {
        match self.get("log-level") {
            Value::Level(level) => *level,
            other => unreachable!("log-level is {other:?}"),
        }
    }

    pub(crate) fn map(&self, name: &str) -> &BTreeMap<String, String> {
        match self.get(name) {
            Value::Map(map) => map,
            other => unreachable!("{name} is {other:?} instead of a map"),
        }
    }
}

/// The default of a setting. Those of the paths are below the home directory, or the working
/// directory if there is none.
fn default(setting: &Setting, environment: &Environment) -> Value {
    let below_home = |name: &str| {
        let home = environment.get("HOME").filter(|home| !home.is_empty());
        let home = home.map_or(".", String::as_str).trim_end_matches('/');
        Value::Text(format!("{home}/.influxdbv2/{name}"))
    };
    match setting.name {
        "bolt-path" => below_home("influxd.bolt"),
        "engine-path" => below_home("engine"),
        "feature-flags" => Value::Map(BTreeMap::new()),
        _ => value::from_flag(setting.kind, setting.default)
            .expect("the defaults of the table are good values"),
    }
}

fn from_flag(setting: &Setting, flags: &Flags) -> Result<Option<Value>> {
    let Some(texts) = flags.get(setting.name) else {
        return Ok(None);
    };
    let mut merged: Option<Value> = None;
    for text in texts {
        let value = value::from_flag(setting.kind, text).map_err(|reason| {
            let (shown, reason) = shown(setting, text, reason);
            anyhow::anyhow!(
                "invalid argument {shown:?} for \"--{}\" flag: {reason}",
                setting.name
            )
        })?;
        merged = Some(match (merged, value) {
            (Some(Value::Map(mut all)), Value::Map(more)) => {
                all.extend(more);
                Value::Map(all)
            }
            (_, last) => last,
        });
    }
    Ok(merged)
}

fn from_environment(setting: &Setting, environment: &Environment) -> Result<Option<Value>> {
    let variable = setting.variable();
    match environment.get(&variable) {
        Some(text) if !text.is_empty() => match value::from_environment(setting.kind, text) {
            Ok(value) => Ok(Some(value)),
            Err(reason) => {
                let (shown, reason) = shown(setting, text, reason);
                bail!("environment variable {variable} has the invalid value {shown:?}: {reason}")
            }
        },
        _ => Ok(None),
    }
}

fn from_file(setting: &Setting, file: &ConfigFile) -> Result<Option<Value>> {
    let Some(entry) = file.entries.get(setting.name) else {
        return Ok(None);
    };
    value::from_file(setting.kind, entry).map_err(|reason| {
        let (shown, reason) = shown(setting, &entry.to_string(), reason);
        anyhow::anyhow!(
            "config file {}: key {:?} has the invalid value {shown:?}: {reason}",
            file.path.display(),
            setting.name
        )
    })
}

/// What a message may show of a value and of the reason why it is wrong.
fn shown(setting: &Setting, text: &str, reason: String) -> (String, String) {
    if setting.secret {
        ("***".to_owned(), "it is malformed".to_owned())
    } else {
        (text.to_owned(), reason)
    }
}

/// Variables that look like ours and are none.
fn unknown_variables(environment: &Environment) -> Vec<String> {
    // These belong to the container image and to print-config.
    const OTHERS: [&str; 4] = [
        "INFLUXD_CONFIG_PATH",
        "INFLUXD_INIT_PORT",
        "INFLUXD_INIT_PING_ATTEMPTS",
        "INFLUXD_KEY_NAME",
    ];
    environment
        .keys()
        .filter(|name| name.starts_with("INFLUXD_") && !OTHERS.contains(&name.as_str()))
        .filter_map(|name| {
            let key = name["INFLUXD_".len()..].to_lowercase().replace('_', "-");
            let known = table::find(&key).is_some_and(|setting| setting.variable() == **name);
            (!known).then(|| {
                let nearest = nearest(&key).variable();
                format!("unknown environment variable {name}; did you mean {nearest}?")
            })
        })
        .collect()
}

/// Keys of the file that no setting has.
fn unknown_keys(file: &ConfigFile) -> Vec<String> {
    file.entries
        .keys()
        .filter(|key| table::find(key).is_none() && *key != "key-name")
        .map(|key| {
            format!(
                "unknown key {key:?} in config file; did you mean {:?}?",
                nearest(key).name
            )
        })
        .collect()
}

/// Settings without an effect here that were given another value than their default.
fn without_effect(
    values: &BTreeMap<&'static str, Value>,
    environment: &Environment,
) -> Vec<String> {
    SETTINGS
        .iter()
        .filter(|setting| setting.relevance != Relevance::Works)
        // Every set-up of 2.x names an engine path; there is nothing to warn of.
        .filter(|setting| setting.name != "engine-path")
        .filter(|setting| values[setting.name] != default(setting, environment))
        .map(|setting| match (setting.name, setting.relevance) {
            (name @ ("nats-port" | "nats-max-payload-bytes"), _) => {
                format!("{name} argument is deprecated and unused")
            }
            (name, Relevance::Planned) => format!("{name} has no effect yet"),
            (name, _) => format!("{name} has no effect on this server"),
        })
        .collect()
}

fn nearest(key: &str) -> &'static Setting {
    SETTINGS
        .iter()
        .min_by_key(|setting| distance(key, setting.name))
        .expect("the table is not empty")
}

/// How many bytes have to be put in, taken out or replaced to make one text of the other.
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in to.bytes().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::environment as environment_of;
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        let pairs = pairs.iter().copied().chain([("HOME", "/home/me")]);
        pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    fn flags(pairs: &[(&'static str, &str)]) -> Flags {
        let mut flags = Flags::new();
        for (name, value) in pairs {
            flags.entry(name).or_default().push((*value).to_owned());
        }
        flags
    }

    fn file(entries: &[(&str, &str)]) -> ConfigFile {
        ConfigFile {
            path: "c.yaml".into(),
            entries: entries
                .iter()
                .map(|(key, value)| {
                    let value = document::Entry::Text((*value).to_owned());
                    ((*key).to_owned(), value)
                })
                .collect(),
        }
    }

    #[test]
    fn a_flag_beats_the_environment_which_beats_the_file() {
        let key = "http-bind-address";
        let file = file(&[(key, ":1")]);
        let env = environment(&[("INFLUXD_HTTP_BIND_ADDRESS", ":2")]);
        let empty = environment(&[("INFLUXD_HTTP_BIND_ADDRESS", "")]);
        let flag = flags(&[(key, ":8086")]);
        let none = Flags::new();
        let read = |flags, env, file| {
            let settings = Settings::read(flags, env, file).unwrap();
            settings.text(key).to_owned()
        };
        assert_eq!(read(&flag, &env, Some(&file)), ":8086");
        assert_eq!(read(&none, &env, Some(&file)), ":2");
        assert_eq!(read(&none, &empty, Some(&file)), ":1");
        assert_eq!(read(&none, &empty, None), ":8086");
    }

    #[test]
    fn a_wrong_value_is_refused_with_its_source() {
        let env = environment(&[("INFLUXD_USE_HASHED_TOKENS", "yes")]);
        let error = Settings::read(&Flags::new(), &env, None).unwrap_err();
        assert_eq!(
            error.to_string(),
            "environment variable INFLUXD_USE_HASHED_TOKENS has the invalid value \"yes\": \
             strconv.ParseBool: parsing \"yes\": invalid syntax"
        );
        let file = file(&[("session-length", "abc")]);
        let error = Settings::read(&Flags::new(), &environment(&[]), Some(&file)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "config file c.yaml: key \"session-length\" has the invalid value \"abc\": \
             strconv.ParseInt: parsing \"abc\": invalid syntax"
        );
        let flag = flags(&[("session-length", "x")]);
        let error = Settings::read(&flag, &environment(&[]), None).unwrap_err();
        assert_eq!(
            error.to_string(),
            "invalid argument \"x\" for \"--session-length\" flag: \
             strconv.ParseInt: parsing \"x\": invalid syntax"
        );
    }

    #[test]
    fn the_last_of_equal_flags_wins_and_maps_add_up() {
        let flag = flags(&[
            ("session-length", "5"),
            ("session-length", "6"),
            ("feature-flags", "a=1,b=2"),
            ("feature-flags", "c=3"),
        ]);
        let settings = Settings::read(&flag, &environment(&[]), None).unwrap();
        assert_eq!(settings.number("session-length"), 6);
        assert_eq!(settings.map("feature-flags").len(), 3);
    }

    #[test]
    fn unknown_names_and_settings_without_effect_get_a_warning() {
        let env = environment(&[
            ("INFLUXD_HTTP_BIND_ADDRES", ":1"),
            ("INFLUXD_VAULT_TOKEN", "s3cret"),
            ("INFLUXD_CONFIG_PATH", "/nowhere"),
        ]);
        let file = file(&[("sesion-length", "1")]);
        let settings = Settings::read(&Flags::new(), &env, Some(&file)).unwrap();
        assert_eq!(
            settings.warnings,
            [
                "unknown environment variable INFLUXD_HTTP_BIND_ADDRES; did you mean \
                 INFLUXD_HTTP_BIND_ADDRESS?",
                "unknown key \"sesion-length\" in config file; did you mean \"session-length\"?",
                "vault-token has no effect on this server",
            ]
        );
    }

    #[test]
    fn an_environment_that_is_no_text_is_refused() {
        use std::os::unix::ffi::OsStringExt;
        let read = |name: &str| {
            let value = OsString::from_vec(b"/d\xff".to_vec());
            environment_of([(name.into(), value)], None)
        };
        assert_eq!(
            read("INFLUXD_SQLITE_PATH").unwrap_err(),
            "environment variable INFLUXD_SQLITE_PATH has the invalid value \"/d\u{fffd}\": \
             it is not UTF-8"
        );
        let error = read("INFLUXD_STORE_URL").unwrap_err();
        assert!(error.contains("\"***\""), "{error}");
        assert_eq!(read("OTHER"), Ok(Environment::new()));
    }

    #[test]
    fn without_a_home_in_the_environment_it_is_the_account_s() {
        let account = Some(PathBuf::from("/home/account"));
        for (variable, expected) in [
            (None, "/home/account"),
            (Some(""), "/home/account"),
            (Some("/home/me"), "/home/me"),
        ] {
            let variables = variable.map(|home| ("HOME".into(), home.into()));
            let environment = environment_of(variables, account.clone()).unwrap();
            assert_eq!(environment["HOME"], expected);
        }
        assert_eq!(environment_of(None, None), Ok(Environment::new()));
    }

    #[test]
    fn paths_default_to_the_home_directory() {
        let settings = Settings::read(&Flags::new(), &environment(&[]), None).unwrap();
        assert_eq!(
            settings.text("bolt-path"),
            "/home/me/.influxdbv2/influxd.bolt"
        );
        assert!(settings.warnings.is_empty());
    }
}
