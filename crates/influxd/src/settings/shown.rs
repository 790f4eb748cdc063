//! Settings as operators are shown them by `/api/v2/config` (influxd-cli 8.2): no secret is.

use serde_json::{Map, Value as Json};

use super::{Kind, Settings, Value, duration, masked, table};

/// Every setting by name.
pub(super) fn to_json(settings: &Settings) -> Map<String, Json> {
    settings
        .iter()
        .map(|(name, value)| (name.to_owned(), shown(name, value)))
        .collect()
}

fn shown(name: &str, value: &Value) -> Json {
    let setting = table::find(name);
    let is_secret = setting.is_some_and(|setting| setting.secret);
    match value {
        Value::Text(url) if name == "store-url" && !url.is_empty() => masked(url).into(),
        Value::Text(text) if is_secret && !text.is_empty() => "***".into(),
        Value::Text(text) => text.as_str().into(),
        Value::Bool(value) => (*value).into(),
        Value::Duration(nanoseconds)
            if setting.is_some_and(|setting| setting.kind == Kind::StrictDuration) =>
        {
            duration::format(*nanoseconds).into()
        }
        Value::Number(number) | Value::Duration(number) => (*number).into(),
        Value::Level(level) => level.name().into(),
        Value::Map(pairs) if pairs.is_empty() => Json::Null,
        Value::Map(pairs) => pairs
            .iter()
            .map(|(key, value)| (key.clone(), Json::from(value.as_str())))
            .collect::<Map<_, _>>()
            .into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Environment, Flags, SETTINGS};
    use super::*;

    fn settings(flags: &[(&'static str, &str)]) -> Map<String, Json> {
        let flags: Flags = flags
            .iter()
            .map(|(name, value)| (*name, vec![(*value).to_owned()]))
            .collect();
        to_json(&Settings::read(&flags, &Environment::new(), None).unwrap())
    }

    #[test]
    fn every_setting_is_shown_in_the_form_of_its_kind() {
        let all = settings(&[("http-read-timeout", "90s"), ("use-hashed-tokens", "false")]);
        assert_eq!(all.len(), SETTINGS.len());
        for (name, expected) in [
            ("http-bind-address", json!(":8086")),
            ("http-read-timeout", json!(90_000_000_000_i64)),
            ("use-hashed-tokens", json!(false)),
            ("storage-cache-snapshot-write-cold-duration", json!("10m0s")),
            ("session-length", json!(60)),
            ("log-level", json!("info")),
            ("feature-flags", json!(null)),
            ("vault-token", json!("")),
        ] {
            assert_eq!(all[name], expected, "{name}");
        }
        let flags = settings(&[("feature-flags", "a=1,b=x")]);
        assert_eq!(flags["feature-flags"], json!({"a": "1", "b": "x"}));
    }

    #[test]
    fn secrets_are_not_shown() {
        let all = settings(&[
            ("vault-token", "hush"),
            ("store-url", "postgres://me:hush@db/points"),
        ]);
        assert_eq!(all["vault-token"], json!("***"));
        assert_eq!(all["store-url"], json!("postgres://me:***@db/points"));
        assert!(!Json::from(all).to_string().contains("hush"));
    }
}
