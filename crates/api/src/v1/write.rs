//! `POST /write`

use actix_web::http::header::{ALLOW, CONTENT_ENCODING, HeaderValue};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, web};
use influxd_model::{Action, Bucket, OrgId, Permission, WriteGrant};

use crate::caller::Caller;
use crate::directory::Directory;
use crate::error::{ApiError, ErrorCode};
use crate::permit::{holds, reading, sees_bucket, v1_authorization};
use crate::points::{Engine, PartialWrite, Precision, WriteError, WriteRequest, escape_string};
use crate::query_string::Query;
use crate::state::AppState;
use crate::{body, inflate, reply};

/// Stores line protocol in the bucket that `db` and `rp` stand for (data-endpoints 4). The order
/// of the checks is part of the contract.
pub(crate) async fn write(
    caller: Caller,
    state: web::Data<AppState>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, ApiError> {
    let query = Query::new(request.query_string());
    let database = query.get("db").ok_or(ApiError::invalid("missing db"))?;
    let policy = query.get("rp").unwrap_or_default();
    let content = Incoming::begin(&state, &request, payload).await?;

    let (_, org) = v1_authorization(&caller)?;
    let targets = match state.directory.cached_targets(org, &database, &policy) {
        Some(targets) => targets,
        None => {
            let directory = state.directory.clone();
            let (database, policy) = (database.into_owned(), policy.into_owned());
            state
                .run(async move { directory.targets(org, &database, &policy).await })
                .await?
        }
    };
    let bucket = targets
        .iter()
        .find(|bucket| is_visible(&caller, bucket))
        .ok_or(ApiError::not_found("no dbrp mapping found"))?;
    let grant = WriteGrant::check(&caller.permissions, bucket).ok_or(ApiError::new(
        ErrorCode::Forbidden,
        "insufficient permissions for write",
    ))?;
    let units = precision(query.first("precision").as_deref());
    content
        .store(&state, &request, grant, bucket, units, gone)
        .await?;
    Ok(reply::no_content())
}

/// `OPTIONS /write`
pub(crate) async fn options(_caller: Caller) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((ALLOW, HeaderValue::from_static("OPTIONS, POST")))
        .finish()
}

/// Here the right to write includes the right to read, but not that to see a system bucket.
fn is_visible(caller: &Caller, bucket: &Bucket) -> bool {
    let writing = Permission::on_bucket(Action::Write, bucket);
    (holds(caller, &reading(bucket)) || holds(caller, &writing))
        && (!bucket.is_system() || sees_bucket(caller, bucket))
}

/// The unit of time stamps, and to how many nanoseconds the time of lines without one is cut
/// down. What it does with `u`, `m` and `h` is part of the contract (data-endpoints 4.1).
fn precision(word: Option<&str>) -> (Precision, i64) {
    match word {
        Some("us") => (Precision::Microsecond, 1_000),
        Some("u") => (Precision::Nanosecond, 1_000),
        Some("ms") => (Precision::Millisecond, 1_000_000),
        Some("s") => (Precision::Second, 1_000_000_000),
        Some("m") => (Precision::Nanosecond, 60_000_000_000),
        Some("h") => (Precision::Nanosecond, 3_600_000_000_000),
        _ => (Precision::Nanosecond, 1),
    }
}

/// How large the body of a write was after decompression; kept with the request for the counters.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WrittenBytes(pub(crate) usize);

/// The body of a write: looked at before the database is, read afterwards.
pub(crate) enum Incoming {
    Plain(web::Payload, Option<usize>),
    Gzip(inflate::Inflating),
}

impl Incoming {
    pub(crate) async fn begin(
        state: &AppState,
        request: &HttpRequest,
        payload: web::Payload,
    ) -> Result<Self, ApiError> {
        let encoding = request
            .headers()
            .get(CONTENT_ENCODING)
            .map(HeaderValue::as_bytes);
        if !inflate::is_gzip(encoding) {
            return Ok(Self::Plain(payload, body::length(request)));
        }
        let limit = state.config.max_write_bytes;
        inflate::Inflating::begin(payload, limit)
            .await
            .map(Self::Gzip)
    }

    /// Reads the body and hands it to the engine; returns when it is durable. Lines without a
    /// time get the present one, cut down to a multiple of `unit` nanoseconds. `gone` says in the
    /// route's words that the bucket was deleted meanwhile.
    pub(crate) async fn store(
        self,
        state: &web::Data<AppState>,
        request: &HttpRequest,
        grant: WriteGrant,
        bucket: &Bucket,
        (precision, unit): (Precision, i64),
        gone: impl FnOnce() -> ApiError,
    ) -> Result<(), ApiError> {
        let body = match self {
            Self::Plain(payload, hint) => {
                body::read(payload, state.config.max_write_bytes, hint).await?
            }
            Self::Gzip(inflating) => inflating.finish().await?,
        };
        request.extensions_mut().insert(WrittenBytes(body.len()));
        let now = state.clock.now();
        let write = WriteRequest {
            grant,
            retention: bucket.retention,
            body,
            precision,
            default_time: now - now.rem_euclid(unit),
            now,
        };
        let (engine, directory) = (state.engine.clone(), state.directory.clone());
        let org = bucket.org;
        let written = state
            .run(async move {
                let result = engine.write(write).await;
                if let Err(WriteError::Partial(partial)) = &result
                    && let Err(error) = note(&engine, &directory, org, partial, now).await
                {
                    tracing::warn!(%error, "a partial write could not be noted in _monitoring");
                }
                Ok(result)
            })
            .await?;
        written.map_err(|error| explain(error, gone))
    }
}

/// Records a partial write in the bucket `_monitoring` of its organization (data-endpoints 4.4).
async fn note(
    engine: &Engine,
    directory: &Directory,
    org: OrgId,
    partial: &PartialWrite,
    now: i64,
) -> Result<(), ApiError> {
    let bucket = directory.bucket(&org.to_string(), "_monitoring").await?;
    let Some(grant) = WriteGrant::of_server(&bucket) else {
        return Err(gone());
    };
    let mut line = b"write_errors error=\"".to_vec();
    escape_string(partial.to_string().as_bytes(), &mut line);
    line.push(b'"');
    let write = WriteRequest {
        grant,
        retention: bucket.retention,
        body: line.into(),
        precision: Precision::Nanosecond,
        default_time: now,
        now,
    };
    let written = engine.write(write).await;
    written.map_err(|error| explain(error, gone))
}

/// What a 1.x client is told of a bucket that was deleted (data-endpoints 4.3).
fn gone() -> ApiError {
    ApiError::not_found("bucket not found")
}

/// What a client is told of a write that failed (data-endpoints 4.3).
fn explain(error: WriteError, gone: impl FnOnce() -> ApiError) -> ApiError {
    match error {
        WriteError::Parse(errors) => ApiError::invalid(errors.to_string()),
        WriteError::Partial(partial) => ApiError::new(
            ErrorCode::Unprocessable,
            format!("failure writing points to database: {partial}"),
        ),
        WriteError::QueueFull => ApiError::Busy("too many writes are waiting, try again later"),
        WriteError::BucketGone => gone(),
        WriteError::Store(error) => ApiError::Store(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_precisions_are_nanoseconds_and_some_cut_the_default_only() {
        for (word, expected, unit) in [
            (None, Precision::Nanosecond, 1_i64),
            (Some("ns"), Precision::Nanosecond, 1),
            (Some("n"), Precision::Nanosecond, 1),
            (Some("x"), Precision::Nanosecond, 1),
            (Some(""), Precision::Nanosecond, 1),
            (Some("us"), Precision::Microsecond, 1_000),
            (Some("u"), Precision::Nanosecond, 1_000),
            (Some("ms"), Precision::Millisecond, 1_000_000),
            (Some("s"), Precision::Second, 1_000_000_000),
            (Some("m"), Precision::Nanosecond, 60_000_000_000),
            (Some("h"), Precision::Nanosecond, 3_600_000_000_000),
        ] {
            let (precision, cut) = super::precision(word);
            assert_eq!(
                format!("{precision:?} {cut}"),
                format!("{expected:?} {unit}"),
                "{word:?}"
            );
        }
    }
}
