//! `/metrics`, and what is counted here (data-endpoints 9.3).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use actix_web::body::BoxBody;
use actix_web::dev::ServiceResponse;
use actix_web::http::Method;
use actix_web::http::header::{CONTENT_TYPE, HeaderValue};
use actix_web::{HttpResponse, web};
use influxd_tokens::Refusal;
use prometheus::{
    CounterVec, Encoder, Gauge, GaugeVec, HistogramOpts, HistogramVec, IntCounterVec, Opts,
    Registry, TextEncoder,
};

use crate::state::AppState;

const TEXT: HeaderValue =
    HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8; escaping=values");

/// `GET /metrics`
pub(crate) async fn metrics(state: web::Data<AppState>) -> HttpResponse {
    state.metrics.uptime.set(state.metrics.started.elapsed().as_secs_f64());
    let mut text = Vec::with_capacity(64 << 10);
    let families = state.metrics.registry.gather();
    if let Err(error) = TextEncoder::new().encode(&families, &mut text) {
        tracing::error!(%error, "the metrics could not be written");
        return HttpResponse::InternalServerError().finish();
    }
    HttpResponse::Ok().insert_header((CONTENT_TYPE, TEXT)).body(text)
}

/// What was built, for `influxdb_info`.
pub(crate) struct Build<'a> {
    pub(crate) version: &'a str,
    pub(crate) commit: &'a str,
    pub(crate) date: &'a str,
}

/// What this crate counts.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    started: Instant,
    uptime: Gauge,
    requests: IntCounterVec,
    durations: HistogramVec,
    refusals: IntCounterVec,
    agents: Agents,
    seen: Mutex<u64>,
}
