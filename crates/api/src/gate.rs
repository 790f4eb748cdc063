//! What every request passes: credentials on the way in; the layout of errors, the standing
//! headers and the counters on the way out.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    self, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    HeaderMap, HeaderName, HeaderValue, ORIGIN,
};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpResponse, web};
use futures_util::FutureExt;
use influxd_store::StoreError;
use influxd_tokens::{Cached, Credential, Refusal, Surface, choose};

use crate::address::ClientAddress;
use crate::caller::Caller;
use crate::compress;
use crate::error::{self, ApiError, ErrorCode, Family, INTERNAL_MESSAGE};
use crate::redact::{self, ShownMethod, ShownPath};
use crate::refused;
use crate::reply;
use crate::routes::{self, Area};
use crate::state::AppState;
use crate::system::metrics::Handled;
use crate::v1::write::WrittenBytes;

const BUILD: HeaderName = HeaderName::from_static("x-influxdb-build");
const VERSION: HeaderName = HeaderName::from_static("x-influxdb-version");
const OSS: HeaderValue = HeaderValue::from_static("OSS");
const METHODS: HeaderValue = HeaderValue::from_static("POST, GET, OPTIONS, PUT, DELETE, PATCH");
const HEADERS: HeaderValue = HeaderValue::from_static(
    "Accept, Content-Type, Content-Length, Accept-Encoding, Authorization, User-Agent",
);

/// The middleware around everything.
pub(crate) async fn gate(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let state = request
        .app_data::<web::Data<AppState>>()
        .map(|data| Arc::clone(data))
        .expect("the state is mounted beside the gate");
    let started = Instant::now();
    let family = routes::family(routes::path_of(request.request()));
    let area = Area::of(routes::path_of(request.request()));
    let origin = (area == Area::Api)
        .then(|| request.headers().get(ORIGIN).cloned())
        .flatten()
        .filter(|origin| !origin.is_empty());
    let method = request.method().clone();
    let agent = request.headers().get(header::USER_AGENT).cloned();
    let gzip = area == Area::V1 && {
        let encodings = request.headers().get_all(header::ACCEPT_ENCODING);
        compress::is_wanted(encodings.map(HeaderValue::as_bytes))
    };

    let mut response = match before(&state, &request, area, origin.as_ref()).await {
        Before::Answer(response) => request.into_response(response),
        Before::Pass(caller) => {
            if let Some(caller) = caller {
                request.extensions_mut().insert(Caller(caller));
            }
            match AssertUnwindSafe(next.call(request)).catch_unwind().await {
                Ok(result) => lay_out(result?.map_into_boxed_body(), family),
                Err(_) => {
                    tracing::error!(http.method = %method, "a handler panicked");
                    state.metrics.handled(&Handled {
                        method: &method,
                        path: "",
                        status: StatusCode::INTERNAL_SERVER_ERROR,
                        agent: agent.as_ref(),
                        took: started.elapsed(),
                    });
                    return Err(Panicked {
                        family,
                        version: state.version.clone(),
                    }
                    .into());
                }
            }
        }
    };
    if area == Area::V1 {
        response = compress::compress(response, gzip);
    }
    add_headers(response.headers_mut(), &state.version);
    if let Some(origin) = origin {
        response
            .headers_mut()
            .insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
    count(&state, &response, &method, agent.as_ref(), started);
    Ok(response)
}

fn count(
    state: &AppState,
    response: &ServiceResponse<BoxBody>,
    method: &Method,
    agent: Option<&HeaderValue>,
    started: Instant,
) {
    let request = response.request();
    let (path, status) = (request.match_name().unwrap_or_default(), response.status());
    let took = started.elapsed();
    tracing::debug!(
        service = "http",
        method = %ShownMethod(method),
        path = %ShownPath(request),
        status_code = status.as_u16(),
        took = ?took,
        "Request"
    );
    state.metrics.handled(&Handled {
        method,
        path,
        status,
        agent,
        took,
    });
    if matches!(path, "/write" | "/api/v2/write")
        && let Some(caller) = request.extensions().get::<Caller>()
        && let Some((_, org)) = caller.authorization()
    {
        let bytes = request
            .extensions()
            .get::<WrittenBytes>()
            .map_or(0, |bytes| bytes.0);
        state.metrics.write(org, path, status, bytes);
    }
}

fn add_headers(headers: &mut HeaderMap, version: &HeaderValue) {
    headers.insert(BUILD, OSS);
    headers.insert(VERSION, version.clone());
}

enum Before {
    /// The request ends here.
    Answer(HttpResponse),
    /// It goes on to its handler; without a caller if the route is open.
    Pass(Option<Arc<influxd_tokens::Caller>>),
}

async fn before(
    state: &Arc<AppState>,
    request: &ServiceRequest,
    area: Area,
    origin: Option<&HeaderValue>,
) -> Before {
    let (method, path) = (request.method(), routes::path_of(request.request()));
    if !redact::is_known(method) {
        return Before::Answer(reply::method_not_allowed());
    }
    if !tells_of_start(path) && state.readiness.waiting_for().is_some() {
        let busy = ApiError::Busy("the server is starting, try again later");
        return Before::Answer(error::answer(&busy, routes::family(path)));
    }
    let surface = match area {
        Area::Open => return Before::Pass(None),
        Area::Api if *method == Method::OPTIONS => return Before::Answer(preflight(origin)),
        Area::Api if routes::is_open(method, path) => return Before::Pass(None),
        Area::Api if is_password_change(method, path) => Surface::PasswordChange,
        Area::Api => Surface::Api,
        Area::V1 => Surface::V1,
    };
    match identify(state, request, surface).await {
        Ok(caller) => Before::Pass(Some(caller)),
        Err(refusal) => Before::Answer(refused::answer(state, request.request(), refusal, surface)),
    }
}

/// What answers while the server starts: how far it is.
fn tells_of_start(path: &str) -> bool {
    matches!(path, "/health" | "/ready" | "/metrics")
}

/// Where `Basic` carries the old password: `PUT .../password`.
fn is_password_change(method: &Method, path: &str) -> bool {
    let path = path.strip_suffix('/').unwrap_or(path);
    *method == Method::PUT && path.ends_with("/password")
}

/// The answer to `OPTIONS` on an API path (auth-and-resources 1.10).
fn preflight(origin: Option<&HeaderValue>) -> HttpResponse {
    if origin.is_none() {
        return reply::method_not_allowed();
    }
    HttpResponse::NoContent()
        .insert_header((ACCESS_CONTROL_ALLOW_METHODS, METHODS))
        .insert_header((ACCESS_CONTROL_ALLOW_HEADERS, HEADERS))
        .finish()
}

async fn identify(
    state: &Arc<AppState>,
    request: &ServiceRequest,
    surface: Surface,
) -> Result<Arc<influxd_tokens::Caller>, Refusal> {
    let headers = request.headers();
    let authorization = headers
        .get(header::AUTHORIZATION)
        .map(HeaderValue::as_bytes);
    let cookies = headers.get_all(header::COOKIE).map(HeaderValue::as_bytes);
    let credential: Credential = choose(surface, request.query_string(), authorization, cookies)
        .ok_or(Refusal::NoCredential)?;
    let resolver = Arc::clone(&state.resolver);
    let from = ClientAddress::of(request.request()).0;
    match state.resolver.cached(&credential) {
        Cached::Fresh(caller) => return Ok(caller),
        Cached::Ageing(caller) => {
            state.runtime.spawn(async move {
                // Should that fail, the next request finds it out for itself.
                if let Err(error) = resolver.resolve(credential, from).await {
                    tracing::debug!(%error, "a caller could not be resolved again");
                }
            });
            return Ok(caller);
        }
        Cached::Absent => {}
    }
    state
        .on_runtime(async move { resolver.resolve(credential, from).await })
        .await
        .unwrap_or_else(|error| Err(Refusal::Store(StoreError::Unavailable(Box::new(error)))))
}

/// Lays an error out as its route wants it.
fn lay_out(response: ServiceResponse<BoxBody>, family: Family) -> ServiceResponse<BoxBody> {
    let Some(error) = response.response().error() else {
        return response;
    };
    let answer = match error.as_error::<ApiError>() {
        Some(error) => {
            let mut answer = error::answer(error, family);
            if let (ErrorCode::MethodNotAllowed, Some(list)) =
                (error.code(), error.message().strip_prefix("allow: "))
                && !list.is_empty()
                && let Ok(list) = HeaderValue::from_str(list)
            {
                answer.headers_mut().insert(header::ALLOW, list);
            }
            answer
        }
        // The framework's own: paths and bodies that it cannot read.
        None if response.status().is_client_error() => {
            error::error_response(ErrorCode::Invalid, "the request is malformed", family)
        }
        None => error::error_response(ErrorCode::Internal, INTERNAL_MESSAGE, family),
    };
    response.into_response(answer)
}

/// A handler panicked. There is no response to amend, so this brings all its headers.
#[derive(Debug, thiserror::Error)]
#[error("a handler panicked")]
struct Panicked {
    family: Family,
    version: HeaderValue,
}

impl actix_web::ResponseError for Panicked {
    fn error_response(&self) -> HttpResponse {
        let mut response =
            error::error_response(ErrorCode::Internal, INTERNAL_MESSAGE, self.family);
        add_headers(response.headers_mut(), &self.version);
        response
    }
}
