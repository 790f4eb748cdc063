//! `influxd run`: the server's life, from its settings to a clean stop (influxd-cli 6).

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use influxd_api::{InfluxqlConfig, Readiness, Running, ServerConfig, Services};
use influxd_engine::{Engine, EngineOptions};
use influxd_model::Clock;
use influxd_store::Store;
use influxd_tokens::{OsRandomness, PasswordRules, SessionConfig};
use prometheus::Registry;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;

use super::pid_file::PidFile;
use super::stores::{self, Stores};
use super::token_care::TokenCare;
use crate::settings::{ServerSettings, Settings};
use crate::telemetry::Stream;
use crate::{build, telemetry};

/// How long a stop waits for requests that were accepted.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// How often lists are counted that have changed: until then a page far behind takes longer.
const COUNT_LISTS: Duration = Duration::from_secs(5);

/// Starts the server and returns when it has stopped.
pub(super) fn run(settings: &Settings, clock: Arc<dyn Clock>) -> Result<()> {
    telemetry::start(settings.log_level(), Arc::clone(&clock), Stream::Stdout);
    tracing::info!(
        version = build::VERSION,
        commit = build::COMMIT,
        build_date = build::date(&*clock),
        log_level = settings.log_level().name(),
        "Welcome to InfluxDB"
    );
    let ended = configured(settings, clock);
    if let Err(error) = &ended {
        tracing::error!(error = format!("{error:#}"), "The server failed");
    }
    ended
}

fn configured(settings: &Settings, clock: Arc<dyn Clock>) -> Result<()> {
    if let Some(path) = &settings.file {
        tracing::debug!(path, "loaded config file");
    }
    let server = ServerSettings::of(settings)?;
    for warning in &server.warnings {
        tracing::warn!("{warning}");
    }
    if !server.feature_overrides.is_empty() {
        let overrides = server.feature_overrides.join(",");
        tracing::info!(overrides, "Running with feature flag overrides");
    }
    raise_file_limit();
    let pid_file = match &server.pid_file {
        Some(path) => Some(PidFile::write(path, server.overwrite_pid_file)?),
        None => None,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("influxd")
        .build()
        .context("cannot start threads")?;
    let ended = runtime.block_on(serve(&server, clock));
    // What still runs is a query whose client was told nothing; it must not hold up the stop.
    runtime.shutdown_timeout(Duration::from_millis(100));
    if pid_file.is_some() {
        stopping("pidfile");
    }
    drop(pid_file);
    ended
}

async fn serve(server: &ServerSettings, clock: Arc<dyn Clock>) -> Result<()> {
    // From here on a signal is a wish to stop, whatever the server is at.
    let mut signals = Signals::new().context("cannot listen for signals")?;
    let stores = tokio::select! {
        opened = stores::open(server) => opened?,
        () = signals.stop() => return Ok(()),
    };
    let registry = Registry::new();
    let engine = Engine::open(
        Arc::clone(&stores.points),
        engine_options(server),
        &registry,
    )?;
    let hashing = Arc::new(server.hashing()?);
    let readiness = Arc::new(Readiness::default());
    let care = TokenCare::check(&stores, &hashing, &readiness, &registry).await?;
    let services = Services {
        hashing: Arc::clone(&hashing),
        readiness: Arc::clone(&readiness),
        store: Arc::clone(&stores.resources),
        engine: Arc::clone(&engine),
        clock: Arc::clone(&clock),
        random: Arc::new(OsRandomness),
        registry,
    };
    let served = match listen(server, services, &*clock).await {
        Ok(running) => {
            let mut tokens = tokio::spawn(care.run());
            let lists = tokio::spawn(count_lists(Arc::clone(&stores.resources)));
            let served = until_stopped(running, &mut tokens, &mut signals).await;
            tokens.abort();
            lists.abort();
            served
        }
        Err(error) => Err(error),
    };
    close(&engine, &stores).await;
    served
}

async fn listen(server: &ServerSettings, services: Services, clock: &dyn Clock) -> Result<Running> {
    let addr = &server.bind_address;
    match influxd_api::start(server_config(server, clock), services).await {
        Ok(running) => {
            tracing::info!(
                service = "tcp-listener",
                transport = "http",
                addr,
                port = running.addr().port(),
                "Listening"
            );
            Ok(running)
        }
        Err(error) => {
            let error = anyhow!(error);
            tracing::error!(
                addr,
                error = %error,
                service = "tcp-listener",
                "Failed to set up TCP listener"
            );
            Err(error)
        }
    }
}

/// Serves until a signal asks for a stop, then finishes what was accepted.
async fn until_stopped(
    mut running: Running,
    tokens: &mut JoinHandle<Result<Infallible>>,
    signals: &mut Signals,
) -> Result<()> {
    tokio::select! {
        ended = failed(tokens) => {
            let Err(error) = ended;
            running.stop().await.context("failed to shut down server")?;
            Err(error)
        }
        () = signals.stop() => {
            stopping("HTTP server");
            tracing::info!(service = "tcp-listener", "Stopping");
            running.stop().await.context("failed to shut down server")
        }
        ended = running.ended() => {
            stopping("HTTP server");
            ended.context("the HTTP server ended")?;
            Err(anyhow!("the HTTP server ended"))
        }
    }
}

/// What became of a task that should go on for ever.
async fn failed(task: &mut JoinHandle<Result<Infallible>>) -> Result<Infallible> {
    task.await.context("the care of tokens ended")?
}

/// Has the store count lists that have changed, for ever. An error is said once.
async fn count_lists(store: Arc<dyn Store>) {
    let mut said = None;
    loop {
        tokio::time::sleep(COUNT_LISTS).await;
        let failed = store.count_lists().await.err();
        let failed = failed.map(|error| format!("{:#}", anyhow!(error)));
        if let Some(error) = failed.as_ref().filter(|_| failed != said) {
            tracing::warn!(
                error,
                "Counting lists failed: pages far behind may take longer"
            );
        }
        said = failed;
    }
}

/// Commits what the engine has accepted, then lets go of the store.
async fn close(engine: &Engine, stores: &Stores) {
    stopping("engine");
    engine.close().await;
    stopping(stores.kind);
    stores.resources.close().await;
}

fn stopping(subsystem: &str) {
    tracing::info!(subsystem, "Stopping subsystem");
}

fn engine_options(server: &ServerSettings) -> EngineOptions {
    let mut options = EngineOptions {
        cache_bytes: server.cache_bytes,
        ..EngineOptions::default()
    };
    options.compactor.fresh_grace = server.fresh_grace;
    options.compactor.chunk_grace = server.chunk_grace;
    // Short graces are asked for to see the dead go.
    let sweep = options.compactor.sweep_interval;
    options.compactor.sweep_interval = sweep.min(server.fresh_grace).min(server.chunk_grace);
    options
}

fn server_config(server: &ServerSettings, clock: &dyn Clock) -> ServerConfig {
    let at_once = InfluxqlConfig::default().queries_at_once;
    ServerConfig {
        bind: server.bind_address.clone(),
        version: build::VERSION.to_owned(),
        commit: build::COMMIT.to_owned(),
        build_date: build::date(clock),
        read_header_timeout: server.read_header_timeout.unwrap_or_default(),
        idle_timeout: server.idle_timeout.unwrap_or_default(),
        stop_timeout: STOP_TIMEOUT,
        password_rules: PasswordRules {
            strong: server.strong_passwords,
        },
        sessions: SessionConfig {
            minutes: server.session_length,
            renew: server.session_renew,
        },
        trust_proxy_header: server.trust_proxy_header,
        endpoints: server.endpoints,
        influxql: InfluxqlConfig {
            queries_at_once: match server.query_concurrency {
                0 => at_once,
                asked => asked.min(at_once),
            },
            strict: server.influxql_strict,
            max_select_point: server.max_select_point,
            max_select_series: server.max_select_series,
            max_select_buckets: server.max_select_buckets,
        },
        settings: server.shown.clone(),
        ..ServerConfig::default()
    }
}

/// Connections are files. The limit that a shell gives is for shells, so it is raised as far as
/// this process may.
fn raise_file_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::debug!(error = %error, "The limit of open files stays as it is");
    }
}

/// The signals that ask for a stop.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Returns when one has come.
    async fn stop(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
