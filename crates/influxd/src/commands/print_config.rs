//! `influxd print-config`: the configuration as YAML (influxd-cli 8.1).

use anyhow::{Result, anyhow};

use crate::settings::{Settings, Value, masked, to_yaml};

/// The value of one key as a YAML document, or all of them.
pub(super) fn text(settings: &Settings, key_name: &str) -> Result<String> {
    if key_name.is_empty() {
        let mut lines: Vec<String> = settings
            .iter()
            .map(|(name, value)| match value {
                Value::Map(pairs) if !pairs.is_empty() => {
                    format!("{name}:\n{}\n", to_yaml(value, "    "))
                }
                _ => format!("{name}: {}\n", to_yaml(&shown(name, value), "")),
            })
            .collect();
        lines.push("key-name: \"\"\n".to_owned());
        lines.sort();
        return Ok(lines.concat());
    }
    let (name, value) = settings
        .iter()
        .find(|(name, _)| *name == key_name)
        .ok_or_else(|| anyhow!("failed to print config: key {key_name:?} not found in config"))?;
    Ok(to_yaml(&shown(name, value), "") + "\n")
}

/// What may be shown of a value: a store's URL loses its password.
fn shown(name: &str, value: &Value) -> Value {
    match value {
        Value::Text(url) if name == "store-url" && !url.is_empty() => Value::Text(masked(url)),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Environment, Flags};

    fn settings(name: &'static str, value: &str) -> Settings {
        let flags: Flags = [(name, vec![value.to_owned()])].into();
        Settings::read(&flags, &Environment::new(), None).unwrap()
    }

    #[test]
    fn everything_is_sorted_and_ends_with_the_vault() {
        let text = text(&settings("feature-flags", "a=1"), "").unwrap();
        assert!(text.starts_with("assets-path: \"\"\nbolt-path: "), "{text}");
        assert!(
            text.contains("feature-flags:\n    a: \"1\"\nflux-log"),
            "{text}"
        );
        assert!(text.contains("\nhttp-bind-address: :8086\n"), "{text}");
        assert!(text.contains("\nkey-name: \"\"\n"), "{text}");
        assert!(text.ends_with("\nvault-token: \"\"\n"), "{text}");
    }

    #[test]
    fn a_key_is_shown_alone() {
        let settings = settings("http-read-timeout", "90s");
        assert_eq!(text(&settings, "http-read-timeout").unwrap(), "1m30s\n");
        assert_eq!(text(&settings, "tls-min-version").unwrap(), "\"1.2\"\n");
        assert_eq!(
            text(&settings, "nosuch").unwrap_err().to_string(),
            "failed to print config: key \"nosuch\" not found in config"
        );
    }

    #[test]
    fn the_password_of_the_store_is_not_shown() {
        let settings = settings("store-url", "postgres://me:hush@db/points");
        for key in ["", "store-url"] {
            let text = text(&settings, key).unwrap();
            assert!(
                !text.contains("hush") && text.contains("me:***@db"),
                "{text}"
            );
        }
    }
}
