//! What the settings mean for a server that is to start.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use influxd_api::{EndpointsConfig, FEATURE_FLAGS};
use influxd_tokens::{Escrow, Hashing, Keyring};
use secrecy::SecretSlice;
use serde_json::{Map, Value};

use super::{Settings, shown, table};

/// Where everything is kept.
#[derive(Clone)]
pub(crate) enum StoreChoice {
    /// An embedded database in this file.
    Sqlite(PathBuf),
    /// PostgreSQL, at a URL that may hold a password.
    Postgres(String),
    /// A throw-away embedded database.
    Memory,
}

impl std::fmt::Debug for StoreChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "Sqlite({})", path.display()),
            Self::Postgres(url) => write!(f, "Postgres({})", masked(url)),
            Self::Memory => f.write_str("Memory"),
        }
    }
}

/// A server's settings, checked.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(crate) struct ServerSettings {
    pub(crate) bind_address: String,
    pub(crate) store: StoreChoice,
    pub(crate) store_max_connections: u32,
    pub(crate) cache_bytes: u64,
    pub(crate) fresh_grace: Duration,
    pub(crate) chunk_grace: Duration,
    pub(crate) read_header_timeout: Option<Duration>,
    pub(crate) idle_timeout: Option<Duration>,
    pub(crate) pid_file: Option<PathBuf>,
    pub(crate) overwrite_pid_file: bool,
    /// 0: no limit.
    pub(crate) query_concurrency: usize,
    pub(crate) max_select_point: u64,
    pub(crate) max_select_series: u64,
    pub(crate) max_select_buckets: u64,
    pub(crate) influxql_strict: bool,
    pub(crate) use_hashed_tokens: bool,
    /// Files with keys for token digests, the one for new digests first.
    pub(crate) pepper_files: Vec<PathBuf>,
    /// To whom raw tokens are sealed before they become digests.
    pub(crate) escrow: Option<Escrow>,
    /// Minutes; 0: a session ends as it begins.
    pub(crate) session_length: u32,
    pub(crate) session_renew: bool,
    pub(crate) strong_passwords: bool,
    pub(crate) trust_proxy_header: bool,
    pub(crate) endpoints: EndpointsConfig,
    /// What the log should say at start.
    pub(crate) warnings: Vec<String>,
    /// Feature flags that this server knows and that were overridden.
    pub(crate) feature_overrides: Vec<String>,
    /// All settings, as operators are shown them.
    pub(crate) shown: Map<String, Value>,
}

impl ServerSettings {
    /// Raises the settings to what they mean; an error names the setting and what it may be.
    pub(crate) fn of(settings: &Settings) -> Result<Self> {
        check_queries(settings)?;
        let mut warnings = settings.warnings.clone();
        check_secret_store(settings)?;
        check_tls(settings, &mut warnings)?;
        positive_duration(settings, "storage-retention-check-interval")?;
        let (known, unknown): (Vec<_>, Vec<_>) = settings
            .map("feature-flags")
            .iter()
            .partition(|(name, _)| is_feature(name));
        for (name, _) in unknown {
            warnings.push(format!("unknown feature flag {name}"));
        }
        let store = store_choice(settings, &mut warnings)?;
        let text = |name: &str| Some(settings.text(name)).filter(|text| !text.is_empty());
        Ok(Self {
            bind_address: settings.text("http-bind-address").to_owned(),
            store,
            store_max_connections: at_least(settings, "store-max-connections", 4)?
                .try_into()
                .map_err(|_| anyhow!("store-max-connections is too large"))?,
            cache_bytes: at_least(settings, "cache-bytes", 0)?,
            fresh_grace: positive_duration(settings, "fresh-grace")?,
            chunk_grace: positive_duration(settings, "chunk-grace")?,
            read_header_timeout: timeout(settings, "http-read-header-timeout")?,
            idle_timeout: timeout(settings, "http-idle-timeout")?,
            pid_file: text("pid-file").map(PathBuf::from),
            overwrite_pid_file: settings.flag("overwrite-pid-file"),
            query_concurrency: at_least(settings, "query-concurrency", 0)? as usize,
            max_select_point: at_least(settings, "influxql-max-select-point", 0)?,
            max_select_series: at_least(settings, "influxql-max-select-series", 0)?,
            max_select_buckets: at_least(settings, "influxql-max-select-buckets", 0)?,
            influxql_strict: settings.flag("influxql-2x-strict"),
            use_hashed_tokens: settings.flag("use-hashed-tokens"),
            pepper_files: pepper_files(settings.text("token-pepper-file"))?,
            escrow: match text("token-escrow-recipient") {
                Some(recipient) => Some(
                    recipient
                        .parse()
                        .context("token-escrow-recipient is not understood")?,
                ),
                None => None,
            },
            session_length: at_least(settings, "session-length", 0)?
                .try_into()
                .map_err(|_| anyhow!("session-length is too large"))?,
            session_renew: !settings.flag("session-renew-disabled"),
            strong_passwords: settings.flag("strong-passwords"),
            trust_proxy_header: settings.flag("trust-proxy-header"),
            endpoints: EndpointsConfig {
                metrics_disabled: settings.flag("metrics-disabled"),
                ui_disabled: settings.flag("ui-disabled"),
                set_up_again: settings.flag("testing-always-allow-setup"),
            },
            warnings,
            feature_overrides: known.iter().map(|(n, v)| format!("{n}={v}")).collect(),
            shown: shown::to_json(settings),
        })
    }
}

impl ServerSettings {
    /// How tokens are stored, with the keys read from their files.
    pub(crate) fn hashing(&self) -> Result<Hashing> {
        let mut keys = Vec::with_capacity(self.pepper_files.len());
        for path in &self.pepper_files {
            let key = std::fs::read(path)
                .with_context(|| format!("token-pepper-file: cannot read {}", path.display()))?;
            let key = SecretSlice::from(key);
            // What is wrong with one is said of its file.
            Keyring::new([key.clone()])
                .with_context(|| format!("token-pepper-file: {}", path.display()))?;
            keys.push(key);
        }
        let keyring = Keyring::new(keys).context("token-pepper-file")?;
        Ok(Hashing::new(
            self.use_hashed_tokens,
            keyring,
            self.escrow.clone(),
        ))
    }
}

/// The paths in a list of files with keys. One that is left empty may stand for a key that was
/// meant, and without it tokens would be stored under another, or none.
fn pepper_files(list: &str) -> Result<Vec<PathBuf>> {
    if list.is_empty() {
        return Ok(Vec::new());
    }
    let paths = list.split(',').map(str::trim).map(|path| {
        if path.is_empty() {
            bail!("token-pepper-file names an empty path: {list:?}");
        }
        Ok(PathBuf::from(path))
    });
    paths.collect()
}

/// Whether there is such a feature flag. Files have their names in small letters.
fn is_feature(name: &str) -> bool {
    FEATURE_FLAGS
        .iter()
        .any(|(known, _)| known.eq_ignore_ascii_case(name))
}

/// Where the embedded store is when nothing else is said: `sqlite-path`, else beside `bolt-path`.
fn sqlite_path(settings: &Settings) -> PathBuf {
    let path = settings.text("sqlite-path");
    if path.is_empty() {
        let bolt = Path::new(settings.text("bolt-path"));
        bolt.with_file_name("influxd.sqlite")
    } else {
        PathBuf::from(path)
    }
}

fn store_choice(settings: &Settings, warnings: &mut Vec<String>) -> Result<StoreChoice> {
    let url = settings.text("store-url");
    match settings.text("store") {
        "disk" => {}
        "bolt" => {
            warnings.push("Using --store=bolt is deprecated. Use --store=disk instead.".to_owned())
        }
        "memory" => {
            if !url.is_empty() {
                warnings.push("--store=memory wins over store-url".to_owned());
            }
            warnings.push("--store=memory keeps nothing beyond the end of this process".to_owned());
            return Ok(StoreChoice::Memory);
        }
        other => bail!("unknown store type {other}; expected disk or memory"),
    }
    match url.split_once("://") {
        None if url.is_empty() => Ok(StoreChoice::Sqlite(sqlite_path(settings))),
        Some(("sqlite", path)) if !path.is_empty() => Ok(StoreChoice::Sqlite(PathBuf::from(path))),
        Some(("postgres" | "postgresql", _)) if url::Url::parse(url).is_ok() => {
            Ok(StoreChoice::Postgres(url.to_owned()))
        }
        _ => bail!(
            "store-url is not understood; it must be sqlite://PATH or postgres://USER@HOST/DATABASE"
        ),
    }
}

/// A store's URL without its password, for people.
pub(crate) fn masked(url: &str) -> String {
    let Ok(mut parsed) = url::Url::parse(url) else {
        return "***".to_owned();
    };
    if parsed.password().is_some() && parsed.set_password(Some("***")).is_err() {
        return "***".to_owned();
    }
    let pairs: Vec<(String, String)> = parsed
        .query_pairs()
        .map(|(name, value)| {
            let secret = name.to_ascii_lowercase().contains("password");
            let value = if secret { "***".into() } else { value };
            (name.into_owned(), value.into_owned())
        })
        .collect();
    if !pairs.is_empty() {
        parsed.query_pairs_mut().clear().extend_pairs(pairs);
    }
    parsed.to_string()
}

fn check_secret_store(settings: &Settings) -> Result<()> {
    match settings.text("secret-store") {
        "bolt" => Ok(()),
        "vault" => {
            bail!("secret-store vault is not supported; use bolt, which keeps secrets in the store")
        }
        other => bail!("unknown secret service {other:?}, expected \"bolt\" or \"vault\""),
    }
}

fn check_tls(settings: &Settings, warnings: &mut Vec<String>) -> Result<()> {
    match (settings.text("tls-cert"), settings.text("tls-key")) {
        ("", "") => Ok(()),
        // Serving plain HTTP to somebody who asked for TLS would give their tokens away.
        (cert, key) if !cert.is_empty() && !key.is_empty() => {
            bail!("tls-cert and tls-key: TLS is not supported yet; put a proxy in front")
        }
        _ => {
            warnings
                .push("TLS requires specifying both cert and key, falling back to HTTP".to_owned());
            Ok(())
        }
    }
}

/// The checks of 2.9's query controller (influxd-cli 3.3), in its words.
fn check_queries(settings: &Settings) -> Result<()> {
    let number = |name| settings.number(name);
    let (concurrency, queue) = (number("query-concurrency"), number("query-queue-size"));
    let (initial, each) = (
        number("query-initial-memory-bytes"),
        number("query-memory-bytes"),
    );
    let all = number("query-max-memory-bytes");
    let wrong = if concurrency < 0 {
        "ConcurrencyQuota must not be negative".to_owned()
    } else if concurrency > 0 && queue <= 0 {
        "QueueSize must be positive when ConcurrencyQuota is limited".to_owned()
    } else if each < 0 {
        "MemoryBytesQuotaPerQuery must be positive".to_owned()
    } else if initial < 0 {
        "InitialMemoryBytesQuotaPerQuery must be positive".to_owned()
    } else if all < 0 {
        "MaxMemoryBytes must be positive".to_owned()
    } else if concurrency == 0 && all != 0 {
        "cannot limit max memory when ConcurrencyQuota is unlimited".to_owned()
    } else {
        let first = if initial == 0 { each } else { initial };
        match concurrency.checked_mul(first) {
            Some(least) if all == 0 || all >= least => return Ok(()),
            least => format!(
                "MaxMemoryBytes must be greater than or equal to the ConcurrencyQuota * \
                 InitialMemoryBytesQuotaPerQuery: {all} < {} ({concurrency} * {first})",
                least.map_or_else(|| "more".to_owned(), |least| least.to_string())
            ),
        }
    };
    bail!("invalid controller config: {wrong}")
}

fn at_least(settings: &Settings, name: &str, least: u64) -> Result<u64> {
    debug_assert!(table::find(name).is_some());
    u64::try_from(settings.number(name))
        .ok()
        .filter(|number| *number >= least)
        .ok_or_else(|| anyhow!("{name} must be at least {least}"))
}

fn positive_duration(settings: &Settings, name: &str) -> Result<Duration> {
    let nanoseconds =
        at_least(settings, name, 1).map_err(|_| anyhow!("{name} must be longer than 0s"))?;
    Ok(Duration::from_nanos(nanoseconds))
}

/// A time-out, where 0 stands for none.
fn timeout(settings: &Settings, name: &str) -> Result<Option<Duration>> {
    let nanoseconds =
        at_least(settings, name, 0).map_err(|_| anyhow!("{name} must not be negative"))?;
    Ok((nanoseconds > 0).then(|| Duration::from_nanos(nanoseconds)))
}

#[cfg(test)]
mod tests {
    use super::super::Flags;
    use super::*;

    fn read(flags: &[(&'static str, &str)]) -> Result<ServerSettings> {
        let mut all = Flags::new();
        for (name, value) in flags {
            all.entry(name).or_default().push((*value).to_owned());
        }
        let environment = [("HOME".to_owned(), "/home/me".to_owned())].into();
        ServerSettings::of(&Settings::read(&all, &environment, None)?)
    }

    #[track_caller]
    fn refused(flags: &[(&'static str, &str)], text: &str) {
        let error = read(flags).unwrap_err().to_string();
        assert!(error.contains(text), "{error}");
    }

    #[track_caller]
    fn store(flags: &[(&'static str, &str)], shown: &str) {
        assert_eq!(format!("{:?}", read(flags).unwrap().store), shown);
    }

    #[test]
    fn the_store_is_chosen_by_url_then_by_path() {
        store(&[], "Sqlite(/home/me/.influxdbv2/influxd.sqlite)");
        store(&[("bolt-path", "/d/x.bolt")], "Sqlite(/d/influxd.sqlite)");
        store(&[("sqlite-path", "/s")], "Sqlite(/s)");
        store(&[("store-url", "sqlite:///s/t")], "Sqlite(/s/t)");
        store(
            &[("store-url", "postgres://me:hush@db:5432/points")],
            "Postgres(postgres://me:***@db:5432/points)",
        );
        store(
            &[("store", "memory"), ("store-url", "sqlite:///s")],
            "Memory",
        );
    }

    #[test]
    fn a_password_in_a_store_url_is_never_shown() {
        for url in [
            "postgres://me:hush@db/points",
            "postgres://db/points?user=me&password=hush",
            "postgres://me:hush@[bad/points",
            "mysql://me:hush@db/points",
        ] {
            assert!(!masked(url).contains("hush"), "{url}");
            let shown = match read(&[("store-url", url)]) {
                Ok(settings) => format!("{settings:?}"),
                Err(error) => format!("{error:?}"),
            };
            assert!(!shown.contains("hush"), "{shown}");
        }
    }

    #[test]
    fn a_list_of_keys_names_each_of_them() {
        let files = read(&[("token-pepper-file", "a, b")]).unwrap().pepper_files;
        assert_eq!(files, [PathBuf::from("a"), PathBuf::from("b")]);
        assert!(read(&[]).unwrap().pepper_files.is_empty());
        for list in [",", " ", "a,", "a,,b", ",a"] {
            refused(&[("token-pepper-file", list)], "names an empty path");
        }
    }

    #[test]
    fn settings_that_cannot_be_are_refused() {
        refused(
            &[("session-length", "-1")],
            "session-length must be at least 0",
        );
        refused(
            &[("store", "foo")],
            "unknown store type foo; expected disk or memory",
        );
        refused(
            &[("secret-store", "foo")],
            "unknown secret service \"foo\", expected \"bolt\" or \"vault\"",
        );
        refused(&[("secret-store", "vault")], "not supported");
        refused(
            &[("query-concurrency", "-1")],
            "invalid controller config: ConcurrencyQuota must not be negative",
        );
        refused(&[("query-queue-size", "0")], "QueueSize must be positive");
        refused(
            &[
                ("query-concurrency", "0"),
                ("query-max-memory-bytes", "100"),
            ],
            "cannot limit max memory",
        );
        refused(
            &[
                ("query-concurrency", "4"),
                ("query-initial-memory-bytes", "100"),
                ("query-max-memory-bytes", "200"),
            ],
            "200 < 400 (4 * 100)",
        );
        refused(
            &[("storage-retention-check-interval", "0s")],
            "storage-retention-check-interval must be longer than 0s",
        );
        refused(
            &[("tls-cert", "a"), ("tls-key", "b")],
            "TLS is not supported",
        );
    }

    #[test]
    fn zero_stands_for_no_time_out() {
        let settings = read(&[("http-idle-timeout", "0s")]).unwrap();
        assert_eq!(settings.idle_timeout, None);
        assert_eq!(settings.read_header_timeout, Some(Duration::from_secs(10)));
    }
}
