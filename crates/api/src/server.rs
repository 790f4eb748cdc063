//! Starting and stopping.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::http::KeepAlive;
use actix_web::http::header::HeaderValue;
use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};
use influxd_model::Clock;
use influxd_store::Store;
use influxd_tokens::{
    Accounts, Hashing, Ids, PasswordConfig, PasswordRules, Passwords, Randomness, Resolver,
    SessionConfig,
};
use prometheus::Registry;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::bind::bind;
use crate::directory::Directory;
use crate::gate::gate;
use crate::points::Engine;
use crate::routes;
use crate::state::AppState;
use crate::system::metrics::{Build, Metrics};
use crate::system::readiness::Readiness;
use crate::system::watch::Watch;
use crate::v1::query::turns::Turns;

/// How the server listens, and what it lets through.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// `host:port`; an empty host is every address of the machine, port 0 any free port.
    pub bind: String,
    /// The release that clients see, with a leading `v`.
    pub version: String,
    /// The commit that it was built of.
    pub commit: String,
    /// When it was built, RFC 3339; may be empty.
    pub build_date: String,
    /// How long a client may take to send the head of a request; zero: as long as it likes.
    pub read_header_timeout: Duration,
    /// How long a connection may be idle; zero: as long as it likes.
    pub idle_timeout: Duration,
    /// How long a stop waits for requests that were accepted.
    pub stop_timeout: Duration,
    /// The largest body of a write, bytes after decompression.
    pub max_write_bytes: usize,
    /// The largest backup that can be restored, bytes after decompression.
    pub max_backup_bytes: usize,
    /// The largest body of any other request, bytes.
    pub max_body_bytes: usize,
    /// How many passwords are hashed at once.
    pub password_hashes_at_once: usize,
    /// What a password must be like.
    pub password_rules: PasswordRules,
    /// How sessions live.
    pub sessions: SessionConfig,
    /// Whether a proxy in front says where requests come from, in `X-Forwarded-For`.
    pub trust_proxy_header: bool,
    /// What InfluxQL may use.
    pub influxql: InfluxqlConfig,
    /// Which endpoints are not as usual.
    pub endpoints: EndpointsConfig,
    /// Every setting by name, as operators are shown them: without secrets.
    pub settings: serde_json::Map<String, serde_json::Value>,
}

/// Which endpoints are not as usual.
#[derive(Debug, Clone, Copy, Default)]
pub struct EndpointsConfig {
    /// `/metrics` is forbidden.
    pub metrics_disabled: bool,
    /// Paths that nothing lives at say so without a word about a user interface.
    pub ui_disabled: bool,
    /// The instance can be set up more than once: for tests.
    pub set_up_again: bool,
}

/// What InfluxQL may use. Zero: no limit.
#[derive(Debug, Clone)]
pub struct InfluxqlConfig {
    /// How many requests to `/query` run at once; the others wait. At least one.
    pub queries_at_once: usize,
    /// Points that a SELECT may read.
    pub max_select_point: u64,
    /// Series that a SELECT may read.
    pub max_select_series: u64,
    /// GROUP BY time buckets that a SELECT may make.
    pub max_select_buckets: u64,
    /// Refuse statements that InfluxDB 2.x refuses, with its words.
    pub strict: bool,
}

impl Default for InfluxqlConfig {
    fn default() -> Self {
        Self {
            queries_at_once: 32,
            max_select_point: 0,
            max_select_series: 0,
            max_select_buckets: 0,
            strict: false,
        }
    }
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            bind: ":8086".to_owned(),
            version: "dev".to_owned(),
            commit: "none".to_owned(),
            build_date: String::new(),
            read_header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(180),
            stop_timeout: Duration::from_secs(2),
            max_write_bytes: 256 << 20,
            max_backup_bytes: 1 << 30,
            max_body_bytes: 16 << 20,
            password_hashes_at_once: hashes_at_once(),
            password_rules: PasswordRules::default(),
            sessions: SessionConfig::default(),
            trust_proxy_header: false,
            influxql: InfluxqlConfig::default(),
            endpoints: EndpointsConfig::default(),
            settings: serde_json::Map::new(),
        }
    }
}

/// Half of the processors, so that requests which need no hash have the other half to themselves.
fn hashes_at_once() -> usize {
    std::thread::available_parallelism().map_or(1, |all| all.get().div_ceil(2))
}

/// What the server works with.
#[derive(Debug, Clone)]
pub struct Services {
    /// Resources and credentials.
    pub store: Arc<dyn Store>,
    /// Points.
    pub engine: Arc<Engine>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// For tokens and ids.
    pub random: Arc<dyn Randomness>,
    /// How tokens are stored.
    pub hashing: Arc<Hashing>,
    /// Whether requests are let through yet.
    pub readiness: Arc<Readiness>,
    /// Where metrics are registered, and what `/metrics` shows.
    pub registry: Registry,
}

/// A server that listens.
#[derive(Debug)]
pub struct Running {
    addr: SocketAddr,
    handle: ServerHandle,
    serving: JoinHandle<io::Result<()>>,
    watch: Arc<Watch>,
}

impl Running {
    /// Where it listens, with the real port.
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Takes no more requests, and waits for those that were accepted, at most as long as
    /// [`ServerConfig::stop_timeout`].
    pub async fn stop(self) -> io::Result<()> {
        self.handle.stop(true).await;
        let result = self.serving.await;
        self.watch.stop();
        result.map_err(io::Error::other)?
    }

    /// Returns when the server has ended by itself, which only a failure can cause.
    pub async fn ended(&mut self) -> io::Result<()> {
        (&mut self.serving).await.map_err(io::Error::other)?
    }
}

/// Binds and serves, on the present runtime and on threads of its own. An address that cannot be
/// bound is an error, whose text says all that there is to say.
pub async fn start(config: ServerConfig, services: Services) -> io::Result<Running> {
    let listener = bind(&config.bind)?;
    let addr = listener.local_addr()?;
    let (head, idle, stop) = (
        config.read_header_timeout,
        config.idle_timeout,
        config.stop_timeout,
    );
    let state = web::Data::from(Arc::new(build(config, services)?));
    let watch = Arc::clone(&state.watch);
    watch.start(&state.runtime, Arc::clone(&state.store));

    let server = HttpServer::new(move || {
        App::new()
            .app_data(state.clone())
            .wrap(from_fn(gate))
            .configure(routes::configure)
    })
    .client_request_timeout(head)
    .keep_alive(if idle.is_zero() {
        KeepAlive::Os
    } else {
        KeepAlive::Timeout(idle)
    })
    // A client that closes its side is gone: what it asked for is stopped.
    .h1_allow_half_closed(false)
    .shutdown_timeout(stop.as_secs().max(1))
    .disable_signals()
    .listen(listener)?
    .run();
    let handle = server.handle();
    let serving = tokio::spawn(server);
    Ok(Running {
        addr,
        handle,
        serving,
        watch,
    })
}

fn build(config: ServerConfig, services: Services) -> io::Result<AppState> {
    let Services {
        store,
        engine,
        clock,
        random,
        hashing,
        readiness,
        registry,
    } = services;
    let version = HeaderValue::from_str(&config.version)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    let watch = Arc::new(Watch::new());
    let started = clock.now();
    let build = Build {
        version: &config.version,
        commit: &config.commit,
        date: &config.build_date,
    };
    let metrics = Metrics::register(registry, &build, random.number()).map_err(io::Error::other)?;
    let passwords = Arc::new(Passwords::new(
        Arc::clone(&random),
        PasswordConfig {
            at_once: config.password_hashes_at_once,
            rules: config.password_rules,
        },
    )?);
    let resolver = Arc::new(Resolver::new(
        Arc::clone(&store),
        Arc::clone(&clock),
        Arc::clone(&hashing),
        Arc::clone(&passwords),
        config.sessions,
    ));
    let accounts = Arc::new(Accounts::new(
        Arc::clone(&store),
        Arc::clone(&clock),
        Arc::clone(&random),
        Arc::clone(&passwords),
        Arc::clone(&resolver),
        config.sessions,
    ));
    Ok(AppState {
        version,
        ids: Arc::new(Ids::new(Arc::clone(&random), Arc::clone(&clock))),
        hashing,
        readiness,
        passwords,
        resolver,
        accounts,
        directory: Arc::new(Directory::new(Arc::clone(&store), Arc::clone(&clock))),
        metrics: Arc::new(metrics),
        watch,
        queries: Turns::new(config.influxql.queries_at_once),
        started,
        runtime: Handle::current(),
        store,
        engine,
        clock,
        random,
        config,
    })
}
