//! The configuration file: where it is looked for, how it is read, and which one is refused.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use config::{FileFormat, Source, ValueKind};

/// A configuration file that was read.
#[derive(Debug)]
pub(crate) struct ConfigFile {
    /// Its path, as given.
    pub(crate) path: PathBuf,
    /// Its keys at top level, in lower case.
    pub(crate) entries: BTreeMap<String, ValueKind>,
}

/// The sections that only files of InfluxDB 1.x have (influxd-cli 2.4).
const SECTIONS_OF_1X: [&str; 15] = [
    "collectd",
    "continuous_queries",
    "coordinator",
    "data",
    "graphite",
    "http",
    "logging",
    "meta",
    "monitor",
    "opentsdb",
    "retention",
    "shard-precreation",
    "subscriber",
    "tls",
    "udp",
];

/// Finds the file that `INFLUXD_CONFIG_PATH` means and reads it. No file is no error; the error
/// is the whole text for standard error.
pub(crate) fn load(config_path: Option<&str>) -> Result<Option<ConfigFile>, String> {
    let Some((path, format)) = find(config_path.unwrap_or("")) else {
        return Ok(None);
    };
    let failed = |why: String| format!("failed to load config file: {why}");
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(failed(format!("{}: {e}", path.display()))),
    };
    let text =
        String::from_utf8(bytes).map_err(|_| failed(format!("{} is not UTF-8", path.display())))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let parsed = match format {
        FileFormat::Json if text.trim().is_empty() => Err("EOF".to_owned()),
        FileFormat::Yaml => parse(&with_old_truth_values(text), format),
        _ => parse(text, format),
    };
    let entries = parsed.map_err(|e| failed(format!("{}: {e}", path.display())))?;
    let file = ConfigFile { path, entries };
    match file.keys_of_1x() {
        keys if keys.is_empty() => Ok(Some(file)),
        keys => Err(format!(
            "error: found flags from an InfluxDB 1.x configuration in config file at {} - see \
             https://docs.influxdata.com/influxdb/latest/reference/config-options/ for flags \
             supported on this version of InfluxDB: {}",
            file.path.display(),
            keys.join(","),
        )),
    }
}

fn find(config_path: &str) -> Option<(PathBuf, FileFormat)> {
    let given = Path::new(config_path);
    if let Some(format) = format_of(given) {
        return Some((given.to_owned(), format));
    }
    ["json", "toml", "yaml", "yml"].iter().find_map(|ending| {
        let path = given.join(format!("config.{ending}"));
        let format = format_of(&path)?;
        path.exists().then_some((path, format))
    })
}

fn format_of(path: &Path) -> Option<FileFormat> {
    match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "json" => Some(FileFormat::Json),
        "toml" => Some(FileFormat::Toml),
        "yaml" | "yml" => Some(FileFormat::Yaml),
        _ => None,
    }
}

fn parse(text: &str, format: FileFormat) -> Result<BTreeMap<String, ValueKind>, String> {
    let entries = config::File::from_str(text, format)
        .collect()
        .map_err(|e| e.to_string())?;
    Ok(entries
        .into_iter()
        .map(|(key, value)| (key.to_lowercase(), value.kind))
        .collect())
}

/// In YAML as 2.x reads it, unquoted `on`, `yes`, `off` and `no` are truth values. The document is
/// a flat map, so a look at each line is enough.
fn with_old_truth_values(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let replaced = line.split_once(':').and_then(|(key, rest)| {
            let value = rest.split(" #").next().unwrap_or(rest).trim();
            let truth = match value {
                "on" | "On" | "ON" | "yes" | "Yes" | "YES" | "y" | "Y" => "true",
                "off" | "Off" | "OFF" | "no" | "No" | "NO" | "n" | "N" => "false",
                _ => return None,
            };
            let top_level = !key.is_empty() && !key.starts_with([' ', '#', '"', '\'', '-']);
            top_level.then(|| format!("{key}: {truth}\n"))
        });
        out.push_str(replaced.as_deref().unwrap_or(line));
    }
    out
}

impl ConfigFile {
    /// The keys that only files of 1.x have, nested ones as `section.key`.
    fn keys_of_1x(&self) -> Vec<String> {
        let mut found = Vec::new();
        for (key, value) in &self.entries {
            if key == "bind-address" {
                found.push(key.clone());
            }
            if let ValueKind::Table(inner) = value
                && SECTIONS_OF_1X.contains(&key.as_str())
            {
                found.extend(inner.keys().map(|name| format!("{key}.{name}")));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, text: &str) -> Result<Option<ConfigFile>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        load(path.to_str())
    }

    #[track_caller]
    fn broken(name: &str, text: &str) {
        let error = read(name, text).unwrap_err();
        assert!(error.starts_with("failed to load config file: "), "{error}");
    }

    #[test]
    fn three_formats_say_the_same() {
        for (name, text) in [
            ("c.yaml", "HTTP-Bind-Address: \":1\"\n"),
            ("c.yml", "\u{feff}http-bind-address: \":1\"\n"),
            ("c.toml", "http-bind-address = \":1\"\n"),
            ("c.json", "{\"http-bind-address\": \":1\"}"),
        ] {
            let file = read(name, text).unwrap().unwrap();
            let value = &file.entries["http-bind-address"];
            assert_eq!(value, &ValueKind::String(":1".to_owned()), "{name}");
        }
    }

    #[test]
    fn what_does_not_parse_is_refused() {
        broken("c.yaml", "a: [1\n");
        broken("c.toml", "a = = 1\n");
        broken("c.toml", "a = 1\na = 2\n");
        broken("c.json", "{\"a\": ");
        broken("c.json", "");
        broken("c.json", "[1,2]");
        broken("c.yaml", "- a\n");
        broken("c.yaml", "hello\n");
        broken("c.yaml", "a:\n\tb: 1\n");
    }

    #[test]
    fn unquoted_yes_and_no_are_truth_values_in_yaml() {
        let file = read("c.yaml", "a: on\nb: \"on\"\nc: no # never\n")
            .unwrap()
            .unwrap();
        assert_eq!(file.entries["a"], ValueKind::Boolean(true));
        assert_eq!(file.entries["b"], ValueKind::String("on".to_owned()));
        assert_eq!(file.entries["c"], ValueKind::Boolean(false));
    }

    #[test]
    fn a_directory_is_searched_in_order_and_one_file_read() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config.yml"), "a: 1\n").unwrap();
        std::fs::write(folder.path().join("config.toml"), "a = 2\n").unwrap();
        let file = load(folder.path().to_str()).unwrap().unwrap();
        assert_eq!(file.entries["a"], ValueKind::I64(2));
        assert!(load(Some("/no/such/place")).unwrap().is_none());
        assert!(load(Some("/no/such/place.conf")).unwrap().is_none());
        assert!(load(Some("/no/such/file.yaml")).unwrap().is_none());
    }

    #[test]
    fn a_file_of_1x_is_refused_with_all_its_keys() {
        let text = "bind-address = \"x\"\n[http]\nbind-address=\":1\"\n[data]\ndir=\"x\"\n";
        let error = read("c.toml", text).unwrap_err();
        assert!(
            error.starts_with("error: found flags from an InfluxDB 1.x configuration"),
            "{error}"
        );
        assert!(
            error.ends_with(": bind-address,data.dir,http.bind-address"),
            "{error}"
        );
        assert!(read("c.json", "{\"http\": {}}").unwrap().is_some());
    }
}
