//! Reading the bodies of requests, within limits.

use std::time::Duration;

use actix_web::error::PayloadError;
use actix_web::web::{Bytes, BytesMut, Payload};
use futures_util::StreamExt;

use crate::error::{ApiError, ErrorCode};
use crate::json::DecodeError;
use crate::routes;

/// How long the next piece of a body may be on its way.
const PATIENCE: Duration = Duration::from_secs(60);
/// The most that a body has on a route that needs no credentials.
const OPEN_BYTES: usize = 256 << 10;

/// The body of a request, if it has at most `limit` bytes. One that came in one piece is passed
/// on without a copy. `hint` is what the request says of its length.
pub(crate) async fn read(
    mut payload: Payload,
    limit: usize,
    hint: Option<usize>,
) -> Result<Bytes, ApiError> {
    if hint.is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let Some(first) = piece(&mut payload).await? else {
        return Ok(Bytes::new());
    };
    if first.len() > limit {
        return Err(too_large());
    }
    let Some(second) = piece(&mut payload).await? else {
        return Ok(first);
    };
    // A client's word for the length is good for memory that it can fill, not for more.
    let expected = hint.unwrap_or_default().min(1 << 20);
    let mut whole = BytesMut::with_capacity(expected.max(first.len() + second.len()));
    whole.extend_from_slice(&first);
    let mut next = Some(second);
    while let Some(chunk) = next {
        if whole.len() + chunk.len() > limit {
            return Err(too_large());
        }
        whole.extend_from_slice(&chunk);
        next = piece(&mut payload).await?;
    }
    Ok(whole.freeze())
}

/// The next piece of a body. A client that stops sending is not waited for as long as it likes.
pub(crate) async fn piece(payload: &mut Payload) -> Result<Option<Bytes>, ApiError> {
    match tokio::time::timeout(PATIENCE, payload.next()).await {
        Ok(next) => next.transpose().map_err(broken),
        Err(_) => Err(ApiError::invalid("unable to read data: i/o timeout")),
    }
}

/// What a body beyond the limit gets (data-endpoints 4.2).
pub(crate) fn too_large() -> ApiError {
    ApiError::new(
        ErrorCode::TooLarge,
        "unable to read data: points batch is too large",
    )
}

/// What a body that cannot be taken apart gets from most of the resource API (auth-and-resources
/// 1.8, J1).
#[expect(
    clippy::needless_pass_by_value,
    reason = "stands where errors are mapped"
)]
pub(crate) fn unmarshal(error: DecodeError) -> ApiError {
    ApiError::invalid(format!("failed to unmarshal json: {error}"))
}

/// The client stopped sending, or sent what is no body. Nobody may be there to read the answer.
fn broken(_: PayloadError) -> ApiError {
    ApiError::invalid("unable to read data: unexpected EOF")
}

/// What a request says of the length of its body.
pub(crate) fn length(request: &actix_web::HttpRequest) -> Option<usize> {
    let value = request
        .headers()
        .get(actix_web::http::header::CONTENT_LENGTH)?;
    value.to_str().ok()?.parse().ok()
}

/// The body of a request to the resource API: JSON of a moderate size.
#[derive(Debug)]
pub(crate) struct Body(pub(crate) Bytes);

impl actix_web::FromRequest for Body {
    type Error = ApiError;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(
        request: &actix_web::HttpRequest,
        payload: &mut actix_web::dev::Payload,
    ) -> Self::Future {
        let limit = request
            .app_data::<actix_web::web::Data<crate::state::AppState>>()
            .map_or(0, |state| state.config.max_body_bytes);
        let is_open = routes::is_open(request.method(), routes::path_of(request));
        let limit = if is_open {
            limit.min(OPEN_BYTES)
        } else {
            limit
        };
        let hint = length(request);
        let payload = Payload::from_request(request, payload);
        Box::pin(async move {
            let payload = payload
                .await
                .map_err(|_| ApiError::invalid("the request is malformed"))?;
            match read(payload, limit, hint).await {
                Ok(bytes) => Ok(Self(bytes)),
                Err(ApiError::Client {
                    code: ErrorCode::TooLarge,
                    ..
                }) => Err(ApiError::new(ErrorCode::TooLarge, "the body is too large")),
                Err(error) => Err(error),
            }
        })
    }
}
