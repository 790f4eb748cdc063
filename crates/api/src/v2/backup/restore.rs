//! `POST /api/v2/restore/kv` and `/api/v2/restore/sql`

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_ENCODING, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use influxd_model::{Status, missing_for_operator};
use influxd_store::{Snapshot, Store, StoreError, StoredToken, archive};
use influxd_tokens::{MigrateError, TokenDigest, hash_snapshot};
use secrecy::{ExposeSecret, SecretSlice};
use serde::Serialize;
use utoipa::ToSchema;

use crate::caller::Caller;
use crate::error::{ApiError, ErrorCode};
use crate::state::AppState;
use crate::v2::backup::require_operator;
use crate::{body, inflate, reply, text};

/// What became of a restore.
// No `Debug`: it may hold a token.
#[derive(Serialize, ToSchema)]
#[schema(as = RestoredKV)]
pub(crate) struct RestoredView {
    /// The first operator token of the backup, if the backup holds it in clear.
    token: String,
}

/// Puts an archive in the place of all resources and credentials: wholly, or not at all. Raw tokens
/// in it become digests on the way in while hashing is on.
pub(super) async fn kv(
    caller: Caller,
    state: web::Data<AppState>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, ApiError> {
    require_operator(&caller)?;
    let bytes = read(&state, &request, payload).await?;
    let (hashing, random) = (state.hashing.clone(), state.random.clone());
    let read = move || {
        let mut snapshot = archive::decode(bytes.expose_secret())
            .map_err(|error| ApiError::invalid(error.to_string()))?;
        let token = operator_token(&snapshot)?;
        let raw = hash_snapshot(&mut snapshot, &hashing, &*random).map_err(refuse)?;
        Ok((snapshot, token, raw))
    };
    let (snapshot, token, raw) = state.blocking(read).await?;
    let store = state.store.clone();
    let snapshot = Arc::new(snapshot);
    let work = move || put(store.clone(), snapshot.clone());
    state.change(work).await?;
    state.resolver.forget();
    state.changed();
    tracing::info!(hashed = raw, "restored all resources and credentials");
    let view = RestoredView { token };
    Ok(reply::compact(StatusCode::OK, &view))
}

async fn put(store: Arc<dyn Store>, snapshot: Arc<Snapshot>) -> Result<(), ApiError> {
    let mut transaction = store.begin().await?;
    match transaction.restore(&snapshot).await {
        Err(StoreError::Corrupt { what, detail }) => {
            let message = format!("this backup contradicts itself: {what}: {detail}");
            return Err(ApiError::new(ErrorCode::Unprocessable, message));
        }
        result => result?,
    }
    Ok(transaction.commit().await?)
}

/// The second part of a backup made by InfluxDB; ours is whole without it.
pub(super) async fn sql(
    caller: Caller,
    state: web::Data<AppState>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, ApiError> {
    require_operator(&caller)?;
    read(&state, &request, payload).await?;
    Ok(HttpResponse::Ok().finish())
}

/// The body, inflated if need be.
async fn read(
    state: &AppState,
    request: &HttpRequest,
    payload: web::Payload,
) -> Result<SecretSlice<u8>, ApiError> {
    // A backup of a million tokens has some 400 MB.
    let limit = state.config.max_backup_bytes;
    let encoding = request.headers().get(CONTENT_ENCODING);
    let bytes = if inflate::is_gzip(encoding.map(HeaderValue::as_bytes)) {
        match inflate::Inflating::begin(payload, limit).await {
            Ok(inflating) => inflating.finish().await,
            Err(error) => Err(error),
        }
    } else {
        body::read(payload, limit, body::length(request)).await
    };
    match bytes {
        Ok(bytes) => Ok(SecretSlice::from(Vec::from(bytes))),
        Err(ApiError::Client {
            code: ErrorCode::TooLarge,
            ..
        }) => Err(ApiError::new(
            ErrorCode::TooLarge,
            "the backup is too large",
        )),
        Err(error) => Err(error),
    }
}

/// The token that the client goes on with: of the first active authorization that holds all of an
/// operator's permissions, its value if that is in the backup. Without any, nobody could undo the
/// restore.
fn operator_token(snapshot: &Snapshot) -> Result<String, ApiError> {
    let operator = snapshot.authorizations.iter().find(|record| {
        let authorization = &record.authorization;
        authorization.v1_name.is_none()
            && authorization.status == Status::Active
            && is_usable(record.token.as_ref())
            && missing_for_operator(&authorization.permissions).is_none()
    });
    match operator.map(|record| &record.token) {
        Some(Some(StoredToken::Raw(raw))) => {
            Ok(text::lossy(raw.text().expose_secret()).into_owned())
        }
        Some(_) => Ok(String::new()),
        None => Err(ApiError::internal(
            "a backup cannot be restored",
            "it holds no active operator token",
        )),
    }
}

/// Whether somebody can authenticate with what is stored of a token.
fn is_usable(token: Option<&StoredToken>) -> bool {
    match token {
        Some(StoredToken::Raw(_)) => true,
        Some(StoredToken::Digest(phc)) => phc.parse::<TokenDigest>().is_ok(),
        None => false,
    }
}

fn refuse(error: MigrateError) -> ApiError {
    match error {
        MigrateError::Store(error) => error.into(),
        error => ApiError::new(ErrorCode::Unprocessable, error.to_string()),
    }
}
