//! `/query`: InfluxQL, with any method.
//!
//! A request is read (`request.rs`), its statements are executed one after the other on a thread
//! where blocking is allowed (`run.rs`), and their rows are laid out as they come (`json.rs`,
//! `csv.rs`, `msgpack.rs`) into a buffer that starts to stream once it is large (`sink.rs`).

mod csv;
mod form;
mod json;
mod layout;
mod msgpack;
mod number;
mod request;
mod run;
mod sink;
#[cfg(test)]
mod tests;
pub(crate) mod turns;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::http::StatusCode;
use actix_web::http::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue,
};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::Stream;
use tokio::sync::{mpsc, oneshot};

use crate::caller::Caller;
use crate::compress;
use crate::error::ApiError;
use crate::state::AppState;
use crate::v1::query::layout::Format;
use crate::v1::query::request::QueryRequest;
use crate::v1::query::run::Job;

/// The first thing that is known of an answer.
#[derive(Debug)]
pub(crate) enum First {
    /// The request is answered with an error of HTTP.
    Refused(ApiError),
    /// All of it.
    Whole(Bytes),
    /// More than fits in memory, or should wait: what follows comes through the channel.
    Stream(mpsc::Receiver<Result<Bytes, Cut>>),
}

/// The answer broke off after a part of it was sent.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the answer broke off")]
pub(crate) struct Cut;

/// Tells the executor to stop when the client is gone: dropped with whatever waits for rows.
#[derive(Debug)]
struct StopGuard(Arc<AtomicBool>);

impl Drop for StopGuard {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Executes InfluxQL (data-endpoints 5).
pub(crate) async fn query(
    caller: Caller,
    state: web::Data<AppState>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, ApiError> {
    let format = Format::of(request.headers().get(ACCEPT).map(HeaderValue::as_bytes));
    let encodings = request
        .headers()
        .get_all(ACCEPT_ENCODING)
        .map(HeaderValue::as_bytes);
    let gzip = compress::is_wanted(encodings);
    let asked = QueryRequest::read(&request, payload, state.config.max_body_bytes).await?;

    let mappings = match state.directory.cached_mappings(&caller) {
        Some(mappings) if asked.knows_database(&mappings) => mappings,
        _ => {
            let (directory, caller) = (state.directory.clone(), caller.0.clone());
            state
                .run(async move { directory.mappings(&caller).await })
                .await?
        }
    };
    let permit = state.queries.wait().await?;
    let stop = Arc::new(AtomicBool::new(false));
    let guard = StopGuard(Arc::clone(&stop));
    let (answer, first) = oneshot::channel();
    let job = Job {
        state: state.clone().into_inner(),
        asked,
        format,
        gzip,
        mappings,
        stop,
    };
    state.runtime.spawn_blocking(move || {
        let _permit = permit;
        job.run(answer);
    });

    let content_type = (
        CONTENT_TYPE,
        HeaderValue::from_static(format.content_type()),
    );
    let mut response = HttpResponse::build(StatusCode::OK);
    response.insert_header(content_type);
    match first.await {
        Ok(First::Refused(error)) => Err(error),
        Ok(First::Whole(bytes)) => Ok(response.body(bytes)),
        Ok(First::Stream(chunks)) => {
            if gzip {
                response.insert_header((CONTENT_ENCODING, HeaderValue::from_static("gzip")));
            }
            Ok(response.streaming(stream(chunks, guard)))
        }
        Err(error) => Err(ApiError::internal("a query ended without an answer", error)),
    }
}

fn stream(
    chunks: mpsc::Receiver<Result<Bytes, Cut>>,
    guard: StopGuard,
) -> impl Stream<Item = Result<Bytes, Cut>> {
    futures_util::stream::unfold((chunks, guard), |(mut chunks, guard)| async move {
        chunks.recv().await.map(|chunk| (chunk, (chunks, guard)))
    })
}

impl actix_web::ResponseError for Cut {}
