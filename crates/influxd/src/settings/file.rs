//! The configuration file: where it is looked for, how it is read, and which one is refused.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::document::{self, Entry, Format};

/// A configuration file that was read.
#[derive(Debug)]
pub(crate) struct ConfigFile {
    /// Its path, as given.
    pub(crate) path: PathBuf,
    /// Its keys at top level, in lower case.
    pub(crate) entries: BTreeMap<String, Entry>,
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
        Err(e) => return Err(failed(unreadable(&path, &e))),
    };
    let text =
        String::from_utf8(bytes).map_err(|_| failed(format!("{} is not UTF-8", path.display())))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let parsed = document::parse(text, format);
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

/// Why a file that is there cannot be read, in the words of 2.x where it has some.
fn unreadable(path: &Path, error: &std::io::Error) -> String {
    let path = path.display();
    match error.kind() {
        std::io::ErrorKind::IsADirectory => format!("read {path}: is a directory"),
        std::io::ErrorKind::PermissionDenied => format!("open {path}: permission denied"),
        _ => format!("{path}: {error}"),
    }
}

fn find(config_path: &str) -> Option<(PathBuf, Format)> {
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

fn format_of(path: &Path) -> Option<Format> {
    match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "json" => Some(Format::Json),
        "toml" => Some(Format::Toml),
        "yaml" | "yml" => Some(Format::Yaml),
        _ => None,
    }
}

impl ConfigFile {
    /// The keys that only files of 1.x have, nested ones as `section.key`.
    fn keys_of_1x(&self) -> Vec<String> {
        let mut found = BTreeSet::new();
        for (key, value) in &self.entries {
            leaves(key.clone(), value, &mut found);
        }
        let is_of_1x = |key: &String| {
            let section = key.split_once('.').map(|(section, _)| section);
            key == "bind-address" || section.is_some_and(|it| SECTIONS_OF_1X.contains(&it))
        };
        found.into_iter().filter(is_of_1x).collect()
    }
}

/// The names of all values below a key, which is in lower case.
fn leaves(key: String, value: &Entry, found: &mut BTreeSet<String>) {
    match value {
        Entry::Table(inner) => {
            for (name, value) in inner {
                leaves(format!("{key}.{}", name.to_lowercase()), value, found);
            }
        }
        Entry::Nil
        | Entry::Bool(_)
        | Entry::Integer(_)
        | Entry::Float(_)
        | Entry::Text(_)
        | Entry::List(_) => {
            found.insert(key);
        }
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
            assert_eq!(value, &Entry::Text(":1".to_owned()), "{name}");
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
    fn a_file_that_cannot_be_read_is_refused_in_the_words_of_2x() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.yaml");
        std::fs::create_dir(&path).unwrap();
        let shown = path.to_str().unwrap();
        let expected = format!("failed to load config file: read {shown}: is a directory");
        assert_eq!(load(Some(shown)).unwrap_err(), expected);
        // Whoever runs the tests may be let in everywhere.
        let denied = std::io::ErrorKind::PermissionDenied.into();
        assert_eq!(
            unreadable(&path, &denied),
            format!("open {shown}: permission denied")
        );
    }

    #[test]
    fn a_directory_is_searched_in_order_and_one_file_read() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config.yml"), "a: 1\n").unwrap();
        std::fs::write(folder.path().join("config.toml"), "a = 2\n").unwrap();
        let file = load(folder.path().to_str()).unwrap().unwrap();
        assert_eq!(file.entries["a"], Entry::Integer(2));
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
        for (name, text, keys) in [
            (
                "c.json",
                r#"{"http.bind-address": ":1"}"#,
                "http.bind-address",
            ),
            ("c.yaml", "http.foo: 1\n", "http.foo"),
            (
                "c.toml",
                "\"http.bind-address\" = \":1\"\n",
                "http.bind-address",
            ),
            (
                "c.toml",
                "[HTTP]\nBind-Address = \":1\"\n",
                "http.bind-address",
            ),
            ("c.toml", "[http.tls]\ncert = \"x\"\n", "http.tls.cert"),
            (
                "c.yaml",
                "http: {b: {d: 1, c: 2}, a: 3}\n",
                "http.a,http.b.c,http.b.d",
            ),
            ("c.yaml", "Bind-Address: x\n", "bind-address"),
        ] {
            let error = read(name, text).unwrap_err();
            assert!(error.ends_with(&format!(": {keys}")), "{error}");
        }
        for text in [
            r#"{"http": {}}"#,
            r#"{"http": {"a": {}}}"#,
            r#"{"http": 1, "a.http.b": 1}"#,
        ] {
            assert!(read("c.json", text).unwrap().is_some(), "{text}");
        }
    }
}
