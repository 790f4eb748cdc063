//! Every setting: its name, kind, default and what becomes of it (influxd-cli 3).
//!
//! The names are those of InfluxDB 2.9, so that command lines, environments and files written for
//! it go on working; the last block is ours.

use super::value::Kind;

/// What this server does with a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relevance {
    /// It does what it says.
    Works,
    /// It will; until then a value other than the default gets a warning at start.
    Planned,
    /// It steers something that has no counterpart here. A value other than the default gets a
    /// warning at start.
    Ignored,
}

/// A setting of the server.
#[derive(Debug)]
pub(crate) struct Setting {
    /// The name of its flag and its key in files.
    pub(crate) name: &'static str,
    /// What its value may be.
    pub(crate) kind: Kind,
    /// Its default, as a flag's text.
    pub(crate) default: &'static str,
    /// What it does, for the help text.
    pub(crate) help: &'static str,
    /// What becomes of it.
    pub(crate) relevance: Relevance,
    /// Whether the help text leaves it out.
    pub(crate) hidden: bool,
    /// Whether its value may hold a secret, so that no message shows it.
    pub(crate) secret: bool,
}

impl Setting {
    /// The name of its environment variable.
    pub(crate) fn variable(&self) -> String {
        format!("INFLUXD_{}", self.name.to_uppercase().replace('-', "_"))
    }
}

const fn works(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    help: &'static str,
) -> Setting {
    Setting {
        name,
        kind,
        default,
        help,
        relevance: Relevance::Works,
        hidden: false,
        secret: false,
    }
}

const fn ignored(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    help: &'static str,
) -> Setting {
    Setting {
        relevance: Relevance::Ignored,
        ..works(name, kind, default, help)
    }
}

const fn planned(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    help: &'static str,
) -> Setting {
    Setting {
        relevance: Relevance::Planned,
        ..works(name, kind, default, help)
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "rows of the table are wrapped in it"
)]
const fn hidden(setting: Setting) -> Setting {
    Setting {
        hidden: true,
        ..setting
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "rows of the table are wrapped in it"
)]
const fn secret(setting: Setting) -> Setting {
    Setting {
        secret: true,
        ..setting
    }
}

/// The setting with this name.
pub(crate) fn find(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}

/// All settings. `bolt-path` and `engine-path` have defaults that depend on the home directory;
/// an empty one stands for it here.
#[rustfmt::skip]
pub(crate) static SETTINGS: &[Setting] = &[
    works("log-level", Kind::Level, "info", "least severe level to log: debug, info, warn or error"),
    ignored("flux-log-enabled", Kind::Bool, "false", "log Flux queries in detail"),
    ignored("tracing-type", Kind::Text, "", "kind of tracing: log or jaeger"),
    works("bolt-path", Kind::Text, "", "its directory is the data directory; no such file is kept"),
    works("sqlite-path", Kind::Text, "", "file of the embedded store (default influxd.sqlite beside bolt-path)"),
    ignored("engine-path", Kind::Text, "", "directory of time series files; the store holds them here"),
    ignored("assets-path", Kind::Text, "", "directory of user interface files"),
    works("store", Kind::Text, "disk", "disk, or memory for a throw-away store"),
    ignored("e2e-testing", Kind::Bool, "false", "end-to-end test mode"),
    works("testing-always-allow-setup", Kind::Bool, "false", "allow set-up more than once"),
    works("secret-store", Kind::Text, "bolt", "where secrets are kept: bolt (in the store)"),
    works("reporting-disabled", Kind::Bool, "false", "accepted; this server never reports to anybody"),
    works("pid-file", Kind::Text, "", "write the process id to this file"),
    works("overwrite-pid-file", Kind::Bool, "false", "replace a pid file that exists"),
    works("session-length", Kind::Int, "60", "life of a new session, minutes"),
    works("session-renew-disabled", Kind::Bool, "false", "do not extend sessions on use"),
    works("no-tasks", Kind::Bool, "false", "do not schedule tasks"),
    works("feature-flags", Kind::Map, "", "overrides of feature flags: a=1,b=2"),
    ignored("instance-id", Kind::Text, "", "id that replications add to their data"),
    works("pprof-disabled", Kind::Bool, "false", "accepted; this server has no profiling endpoint"),
    works("metrics-disabled", Kind::Bool, "false", "refuse GET /metrics"),
    works("ui-disabled", Kind::Bool, "false", "say 404 at the paths of a user interface; there is none yet"),
    works("hardening-enabled", Kind::Bool, "false", "accepted; nothing here calls out to other hosts"),
    works("template-file-urls-disabled", Kind::Bool, "false", "accepted; there are no templates"),
    works("strong-passwords", Kind::Bool, "false", "ask for several kinds of characters in passwords"),
    works("use-hashed-tokens", Kind::Bool, "true", "enable storing hashed API tokens on disk (enabled by default; pass --use-hashed-tokens=false to disable for < 2.8 compatibility)"),
    hidden(ignored("nats-port", Kind::Int, "0", "deprecated and unused")),
    hidden(ignored("nats-max-payload-bytes", Kind::Int, "0", "deprecated and unused")),

    works("http-bind-address", Kind::Text, ":8086", "address to listen on, host:port; port 0 picks a free one"),
    works("http-read-header-timeout", Kind::Duration, "10s", "time to read the headers of a request, 0 for no limit"),
    planned("http-read-timeout", Kind::Duration, "0s", "time to read a whole request, 0 for no limit"),
    planned("http-write-timeout", Kind::Duration, "0s", "time to process and answer a request, 0 for no limit"),
    works("http-idle-timeout", Kind::Duration, "3m0s", "time that a connection may idle, 0 for no limit"),
    works("tls-cert", Kind::Text, "", "PEM file of the certificate chain"),
    works("tls-key", Kind::Text, "", "PEM file of the private key"),
    works("tls-min-version", Kind::Text, "1.2", "least TLS version to accept"),
    works("tls-strict-ciphers", Kind::Bool, "false", "accept a restricted set of ciphers only"),

    works("query-concurrency", Kind::Int32, "1024", "queries running at once, 0 for no limit"),
    planned("query-queue-size", Kind::Int32, "1024", "queries waiting before more are refused"),
    ignored("query-initial-memory-bytes", Kind::SignedSize, "0", "first grant of memory per query"),
    planned("query-memory-bytes", Kind::SignedSize, "0", "most memory that one query may take, 0 for the default bound"),
    ignored("query-max-memory-bytes", Kind::SignedSize, "0", "most memory that all queries together may take"),
    works("influxql-max-select-point", Kind::Int, "0", "most points of a SELECT, 0 for no limit"),
    works("influxql-max-select-series", Kind::Int, "0", "most series of a SELECT, 0 for no limit"),
    works("influxql-max-select-buckets", Kind::Int, "0", "most GROUP BY time() buckets of a SELECT, 0 for no limit"),
    works("influxql-2x-strict", Kind::Bool, "false", "refuse the InfluxQL statements that InfluxDB 2.x refuses"),

    ignored("storage-write-timeout", Kind::Duration, "10s", "time limit of a write inside the engine"),
    ignored("storage-wal-fsync-delay", Kind::StrictDuration, "0s", "wait before a sync; writes are durable when answered"),
    ignored("storage-wal-max-concurrent-writes", Kind::Int, "0", "parallel writes to the log"),
    ignored("storage-wal-max-write-delay", Kind::Duration, "10m0s", "wait for a place in the log"),
    ignored("storage-wal-flush-on-shutdown", Kind::Bool, "false", "empty the log at stop"),
    ignored("storage-validate-keys", Kind::Bool, "false", "refuse series keys that are not valid Unicode"),
    ignored("storage-no-validate-field-size", Kind::Bool, "false", "accept field values of any size"),
    ignored("storage-cache-max-memory-size", Kind::Size, "1073741824", "size of a shard's cache; see cache-bytes"),
    ignored("storage-cache-snapshot-memory-size", Kind::Size, "26214400", "cache size that triggers a file"),
    ignored("storage-cache-snapshot-write-cold-duration", Kind::StrictDuration, "10m0s", "idle time that triggers a file"),
    ignored("storage-compact-full-write-cold-duration", Kind::StrictDuration, "4h0m0s", "idle time before a full compaction"),
    ignored("storage-compact-throughput-burst", Kind::Size, "50331648", "bytes per second of compactions"),
    ignored("storage-max-concurrent-compactions", Kind::Int, "0", "compactions at once"),
    ignored("storage-max-index-log-file-size", Kind::Size, "1048576", "size of an index log file"),
    ignored("storage-series-id-set-cache-size", Kind::Int, "0", "entries of the index cache"),
    ignored("storage-series-file-max-concurrent-snapshot-compactions", Kind::Int, "0", "series file compactions at once"),
    ignored("storage-tsm-use-madv-willneed", Kind::Bool, "false", "hint to the kernel's paging"),
    planned("storage-retention-check-interval", Kind::StrictDuration, "30m0s", "how often expired points are removed"),
    ignored("storage-shard-precreator-check-interval", Kind::StrictDuration, "10m0s", "how often shards are made ahead"),
    ignored("storage-shard-precreator-advance-period", Kind::StrictDuration, "30m0s", "how far ahead shards are made"),

    ignored("vault-addr", Kind::Text, "", "address of a vault server"),
    ignored("vault-client-timeout", Kind::Duration, "0s", "time limit of calls to vault"),
    ignored("vault-max-retries", Kind::Int, "0", "retries of calls to vault"),
    ignored("vault-cacert", Kind::Text, "", "PEM file of vault's certificate authority"),
    ignored("vault-capath", Kind::Text, "", "directory of such files"),
    ignored("vault-client-cert", Kind::Text, "", "certificate for vault"),
    ignored("vault-client-key", Kind::Text, "", "private key for vault"),
    ignored("vault-skip-verify", Kind::Bool, "false", "do not verify vault's certificate"),
    ignored("vault-tls-server-name", Kind::Text, "", "name to expect in vault's certificate"),
    secret(ignored("vault-token", Kind::Text, "", "token for vault")),

    secret(works("store-url", Kind::Text, "", "where everything is kept: sqlite://PATH or postgres://USER@HOST/DATABASE")),
    works("token-pepper-file", Kind::Text, "", "files with keys for token digests, separated by commas, the one for new digests first"),
    works("token-escrow-recipient", Kind::Text, "", "age recipient to whom raw tokens are sealed before they become digests"),
    works("trust-proxy-header", Kind::Bool, "false", "take a client's address from the last entry of X-Forwarded-For"),
    works("store-max-connections", Kind::Int, "10", "connections to PostgreSQL"),
    works("cache-bytes", Kind::Size, "256MiB", "memory for decoded points"),
    works("fresh-grace", Kind::StrictDuration, "2m0s", "how long compacted level 0 chunks stay readable for slow servers"),
    works("chunk-grace", Kind::StrictDuration, "10m0s", "how long merged chunks of higher levels stay readable"),
];
