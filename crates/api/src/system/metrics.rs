//! `/metrics`, and what is counted here (data-endpoints 9.3).

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use actix_web::http::header::{CONTENT_TYPE, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpResponse, web};
use influxd_model::OrgId;
use influxd_store::Counts;
use influxd_tokens::{PasswordFigures, Refusal};
use prometheus::core::Collector;
use prometheus::{
    Encoder, Gauge, GaugeVec, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge,
    Opts, Registry, TextEncoder,
};

use crate::error::{ApiError, Causes, ErrorCode};
use crate::state::AppState;
use crate::system::agents::Agents;

const TEXT: HeaderValue =
    HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8; escaping=values");

/// How long the store may take to count resources.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long they are not counted again: at least this, and so many times what it took.
const PAUSE: Duration = Duration::from_secs(1);
const PAUSES: u32 = 20;
/// Resources that this server has none of.
const NONE_OF: [&str; 5] = [
    "dashboards",
    "scrapers",
    "telegrafs",
    "remotes",
    "replications",
];

/// `GET /metrics`
pub(crate) async fn metrics(state: web::Data<AppState>) -> Result<HttpResponse, ApiError> {
    if state.config.endpoints.metrics_disabled {
        return Err(ApiError::new(ErrorCode::Forbidden, "metrics disabled"));
    }
    let metrics = &state.metrics;
    if state.watch.is_up() && metrics.resources.is_my_turn() {
        count(&state).await;
    }
    metrics.uptime.set(metrics.started.elapsed().as_secs_f64());
    metrics.passwords.set(&state.passwords.figures());
    let mut text = Vec::with_capacity(64 << 10);
    TextEncoder::new()
        .encode(&metrics.registry.gather(), &mut text)
        .map_err(|error| ApiError::internal("the metrics could not be written", error))?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, TEXT))
        .body(text))
}

/// Counts the resources. If the store takes long, or fails, the figures stay as they are.
async fn count(state: &AppState) {
    let store = state.store.clone();
    let began = Instant::now();
    let counts = state
        .on_runtime(async move { tokio::time::timeout(PATIENCE, store.counts()).await })
        .await;
    match counts {
        Ok(Ok(Ok(counts))) => state.metrics.resources.set(&counts),
        Ok(Ok(Err(error))) => {
            tracing::warn!(error = %Causes(&error), "resources were not counted");
        }
        Ok(Err(_)) => tracing::warn!("resources were not counted: the store takes too long"),
        Err(error) => tracing::error!(%error, "resources were not counted"),
    }
    state.metrics.resources.counted(began);
}

/// What was built, for `influxdb_info`.
pub(crate) struct Build<'a> {
    pub(crate) version: &'a str,
    pub(crate) commit: &'a str,
    pub(crate) date: &'a str,
}

/// What a request was and became, for the counters.
pub(crate) struct Handled<'a> {
    pub(crate) method: &'a Method,
    /// The route's pattern, so that ids make no labels; empty if there was no route.
    pub(crate) path: &'a str,
    pub(crate) status: StatusCode,
    pub(crate) agent: Option<&'a HeaderValue>,
    pub(crate) took: Duration,
}

/// What this crate counts.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    started: Instant,
    uptime: Gauge,
    requests: IntCounterVec,
    durations: HistogramVec,
    write_requests: IntCounterVec,
    write_bytes: IntCounterVec,
    refusals: IntCounterVec,
    queries: IntCounterVec,
    query_durations: HistogramVec,
    resources: Resources,
    passwords: PasswordMetrics,
    agents: Agents,
}

/// What becomes of passwords.
#[derive(Debug)]
struct PasswordMetrics {
    hashes: IntCounter,
    waiting: IntGauge,
    turned_away: IntCounter,
}

/// How many of each there are. Counters by name, because they are upstream.
#[derive(Debug)]
struct Resources {
    organizations: IntCounter,
    buckets: IntCounter,
    users: IntCounter,
    tokens: IntCounter,
    /// When they are to be counted again.
    due: Mutex<Instant>,
}

const REQUEST_LABELS: &[&str] = &[
    "handler",
    "method",
    "path",
    "status",
    "user_agent",
    "response_code",
];
/// Why a password was refused that is no credential of a request by itself.
const OTHER_REASONS: [&str; 2] = ["sign_in", "old_password"];
const DATA_LABELS: &[&str] = &["org_id", "status", "endpoint"];

impl Metrics {
    /// Registers everything; `id` is any number that tells this process from others.
    pub(crate) fn register(
        registry: Registry,
        build: &Build<'_>,
        id: u64,
    ) -> Result<Self, prometheus::Error> {
        let info = GaugeVec::new(
            Opts::new(
                "influxdb_info",
                "Information about the influxdb environment.",
            ),
            &["version", "commit", "build_date", "os", "arch", "cpus"],
        )?;
        let cpus = std::thread::available_parallelism()
            .map_or(1, usize::from)
            .to_string();
        let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
        info.with_label_values(&[build.version, build.commit, build.date, os, arch, &cpus])
            .set(1.0);
        add(&registry, info)?;
        let uptime = GaugeVec::new(
            Opts::new(
                "influxdb_uptime_seconds",
                "influxdb process uptime in seconds",
            ),
            &["id"],
        )?;
        let id = format!("{id:016x}");
        let uptime = add(&registry, uptime)?.with_label_values(&[id.as_str()]);
        let counters = |name: &str, help: &str, labels: &[&str]| {
            add(
                &registry,
                IntCounterVec::new(Opts::new(name, help), labels)?,
            )
        };
        let histograms = |name: &str, help: &str, labels: &[&str]| {
            add(
                &registry,
                HistogramVec::new(HistogramOpts::new(name, help), labels)?,
            )
        };
        let metrics = Self {
            requests: counters(
                "http_api_requests_total",
                "Number of http requests received",
                REQUEST_LABELS,
            )?,
            durations: histograms(
                "http_api_request_duration_seconds",
                "Time taken to respond to HTTP request",
                REQUEST_LABELS,
            )?,
            write_requests: counters(
                "http_write_request_count",
                "Total number of write requests",
                DATA_LABELS,
            )?,
            write_bytes: counters(
                "http_write_request_bytes",
                "Count of bytes received",
                DATA_LABELS,
            )?,
            refusals: counters(
                "http_refused_credentials_total",
                "Number of requests refused for their credentials",
                &["reason"],
            )?,
            queries: counters(
                "influxql_service_requests_total",
                "Count of InfluxQL requests by result",
                &["result"],
            )?,
            query_durations: histograms(
                "influxql_service_executing_duration_seconds",
                "Time that InfluxQL requests took to execute, by result",
                &["result"],
            )?,
            resources: Resources::register(&registry)?,
            passwords: PasswordMetrics::register(&registry)?,
            agents: Agents::default(),
            started: Instant::now(),
            uptime,
            registry,
        };
        for reason in Refusal::REASONS.iter().chain(&OTHER_REASONS) {
            metrics.refusals.with_label_values(&[reason]);
        }
        for result in [true, false] {
            metrics.queries.with_label_values(&[query_result(result)]);
        }
        Ok(metrics)
    }

    /// Counts a request. Only answers 2xx and 5xx are counted (data-endpoints 9.3).
    pub(crate) fn handled(&self, request: &Handled<'_>) {
        let class = match request.status.as_u16() / 100 {
            2 => "2XX",
            5 => "5XX",
            _ => return,
        };
        let agent = self.agents.family(request.agent.map(HeaderValue::as_bytes));
        let labels = [
            "platform",
            request.method.as_str(),
            request.path,
            class,
            &agent,
            request.status.as_str(),
        ];
        self.requests.with_label_values(&labels).inc();
        self.durations
            .with_label_values(&labels)
            .observe(request.took.as_secs_f64());
    }

    /// Counts a write: whose, where to, how it ended (a success on `/write` counts as 200), and
    /// the bytes of its body after decompression.
    pub(crate) fn write(&self, org: OrgId, endpoint: &str, status: StatusCode, bytes: usize) {
        let org = hex(org.get());
        let org = std::str::from_utf8(&org).unwrap_or_default();
        let status = if endpoint == "/write" && status == StatusCode::NO_CONTENT {
            StatusCode::OK
        } else {
            status
        };
        let labels = [org, status.as_str(), endpoint];
        self.write_requests.with_label_values(&labels).inc();
        self.write_bytes
            .with_label_values(&labels)
            .inc_by(bytes as u64);
    }

    /// Counts a credential that was refused, by reason.
    pub(crate) fn refused(&self, reason: &str) {
        self.refusals.with_label_values(&[reason]).inc();
    }

    /// Counts a request to `/query`: whether all its statements were executed.
    pub(crate) fn query(&self, success: bool, took: Duration) {
        let labels = [query_result(success)];
        self.queries.with_label_values(&labels).inc();
        self.query_durations
            .with_label_values(&labels)
            .observe(took.as_secs_f64());
    }
}

/// Gives a counter the value that something else has counted to. One at a time: two who add what
/// is missing would add it twice.
fn set(counter: &IntCounter, count: u64) {
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    if count < counter.get() {
        counter.reset();
    }
    counter.inc_by(count.saturating_sub(counter.get()));
}

impl PasswordMetrics {
    fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let counter = |name: &str, help: &str| add(registry, IntCounter::new(name, help)?);
        Ok(Self {
            hashes: counter(
                "password_hashes_total",
                "Number of password hashes computed, for new passwords and for verification",
            )?,
            waiting: add(
                registry,
                IntGauge::new(
                    "password_queue_length",
                    "Number of passwords that wait to be hashed",
                )?,
            )?,
            turned_away: counter(
                "password_turned_away_total",
                "Number of passwords not verified because too many were waiting",
            )?,
        })
    }

    fn set(&self, figures: &PasswordFigures) {
        set(&self.hashes, figures.hashes);
        set(&self.turned_away, figures.turned_away);
        self.waiting.set(figures.waiting as i64);
    }
}

impl Resources {
    fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let counter = |what: &str| {
            let name = format!("influxdb_{what}_total");
            let help = format!("Number of total {what} on the server");
            add(registry, IntCounter::new(name, help)?)
        };
        for none in NONE_OF {
            counter(none)?;
        }
        Ok(Self {
            organizations: counter("organizations")?,
            buckets: counter("buckets")?,
            users: counter("users")?,
            tokens: counter("tokens")?,
            due: Mutex::new(Instant::now()),
        })
    }

    /// Whether the caller is to count them: nobody else is told so until it is done.
    fn is_my_turn(&self) -> bool {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let is_due = now >= *due;
        if is_due {
            *due = now + PATIENCE + PAUSE;
        }
        is_due
    }

    /// Notes when counting began that is over: it may take a small part of the time, however often
    /// somebody asks.
    fn counted(&self, began: Instant) {
        let pause = (PAUSES * began.elapsed()).max(PAUSE);
        *self.due.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now() + pause;
    }

    fn set(&self, counts: &Counts) {
        for (counter, count) in [
            (&self.organizations, counts.organizations),
            (&self.buckets, counts.buckets),
            (&self.users, counts.users),
            (&self.tokens, counts.tokens),
        ] {
            set(counter, count);
        }
    }
}

/// A number as sixteen hex digits, without a `String`: this is on the way of every write.
fn hex(number: u64) -> [u8; 16] {
    std::array::from_fn(|place| {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        DIGITS[(number >> (60 - 4 * place)) as usize & 15]
    })
}

const fn query_result(success: bool) -> &'static str {
    if success { "success" } else { "not_executed" }
}

fn add<C: Collector + Clone + 'static>(
    registry: &Registry,
    collector: C,
) -> Result<C, prometheus::Error> {
    registry.register(Box::new(collector.clone()))?;
    Ok(collector)
}
