//! `GET /api/v2/backup/kv` and `/api/v2/backup/metadata`

use actix_web::http::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue,
};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use flate2::Compression;
use influxd_store::{Snapshot, StoredToken, archive};
use secrecy::{ExposeSecret, SecretSlice};

use super::manifest;
use crate::caller::Caller;
use crate::compress;
use crate::error::ApiError;
use crate::state::AppState;
use crate::v2::backup::require_operator;

const OCTETS: HeaderValue = HeaderValue::from_static("application/octet-stream");

/// One moment of all resources and credentials, as an archive.
pub(super) async fn kv(
    caller: Caller,
    state: web::Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    require_operator(&caller)?;
    let snapshot = snapshot(&state).await?;
    let limit = state.config.max_backup_bytes;
    let archive = state.blocking(move || Ok(encode(&snapshot, limit))).await?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, OCTETS))
        .body(wiped(archive)))
}

fn encode(snapshot: &Snapshot, limit: usize) -> SecretSlice<u8> {
    let archive = archive::encode(snapshot);
    let size = archive.expose_secret().len();
    if size > limit {
        tracing::warn!(
            size,
            limit,
            "this backup is larger than what a restore takes"
        );
    }
    archive
}

/// The same, and the manifest of the buckets of that moment, as two parts (influx-client 4.2).
pub(super) async fn metadata(
    caller: Caller,
    state: web::Data<AppState>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    require_operator(&caller)?;
    let compression = compression(request.headers())?;
    let snapshot = snapshot(&state).await?;
    let limit = state.config.max_backup_bytes;
    let (boundary, body) = state
        .blocking(move || {
            let (boundary, body) = parts(&snapshot, limit);
            let body = match compression {
                None => body,
                Some(level) => {
                    let compressed = compress::gzip(body.expose_secret(), level);
                    SecretSlice::from(compressed.map_err(|error| {
                        ApiError::internal("a backup could not be compressed", error)
                    })?)
                }
            };
            Ok((boundary, body))
        })
        .await?;
    let mut response = HttpResponse::Ok();
    response.insert_header((
        CONTENT_TYPE,
        format!("multipart/mixed; boundary={boundary}"),
    ));
    if compression.is_some() {
        response.insert_header((CONTENT_ENCODING, HeaderValue::from_static("gzip")));
    }
    Ok(response.body(wiped(body)))
}

/// The two parts as one body, and what stands between them.
fn parts(snapshot: &Snapshot, limit: usize) -> (String, SecretSlice<u8>) {
    let archive = encode(snapshot, limit);
    let manifest = manifest::of(snapshot);
    let boundary = boundary(archive.expose_secret(), &manifest);
    let kv = format!(
        "--{boundary}\r\nContent-Disposition: attachment; name=\"kv\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    );
    let buckets = format!(
        "\r\n--{boundary}\r\nContent-Disposition: attachment; name=\"buckets\"\r\n\
         Content-Type: application/json; charset=utf-8\r\n\r\n"
    );
    let end = format!("\r\n--{boundary}--\r\n");
    let parts = [
        kv.as_bytes(),
        archive.expose_secret(),
        buckets.as_bytes(),
        &manifest,
        end.as_bytes(),
    ];
    let body = SecretSlice::from(parts.concat());
    (boundary, body)
}

/// Bytes that are wiped when the last of them was sent.
fn wiped(bytes: SecretSlice<u8>) -> Bytes {
    struct Held(SecretSlice<u8>);
    impl AsRef<[u8]> for Held {
        fn as_ref(&self) -> &[u8] {
            self.0.expose_secret()
        }
    }
    Bytes::from_owner(Held(bytes))
}

/// Reads everything in one transaction. Whoever gets it should know what they hold.
async fn snapshot(state: &AppState) -> Result<Snapshot, ApiError> {
    let store = state.store.clone();
    let snapshot = state
        .run(async move { Ok(store.begin_read().await?.snapshot().await?) })
        .await?;
    let is_raw = |token: &Option<StoredToken>| matches!(token, Some(StoredToken::Raw(_)));
    let raw = snapshot
        .authorizations
        .iter()
        .filter(|record| is_raw(&record.token))
        .count();
    if raw > 0 {
        tracing::warn!(
            count = raw,
            "made a backup that holds API tokens in clear, because hashing is off"
        );
    } else {
        tracing::info!("made a backup of all resources and credentials");
    }
    Ok(snapshot)
}

/// How to compress the answer, if at all; a level that does not exist is refused.
fn compression(headers: &HeaderMap) -> Result<Option<Compression>, ApiError> {
    let wanted = compress::is_wanted(headers.get_all(ACCEPT_ENCODING).map(HeaderValue::as_bytes));
    let level = match headers
        .get("Gzip-Compression-Level")
        .map(HeaderValue::as_bytes)
    {
        None | Some(b"" | b"default") => Some(Compression::default()),
        Some(b"full") => Some(Compression::best()),
        Some(b"speedy") => Some(Compression::fast()),
        Some(b"none") => None,
        Some(other) => {
            return Err(ApiError::invalid(format!(
                "unknown compression level: {:?}, valid values: [default, full, speedy, none]",
                String::from_utf8_lossy(other)
            )));
        }
    };
    Ok(level.filter(|_| wanted))
}

/// A line that is in neither part.
fn boundary(archive: &[u8], manifest: &[u8]) -> String {
    // Both parts are texts of few lines, and a delimiter stands at the beginning of one.
    let is_in = |part: &[u8], line: &str| {
        part.split(|b| *b == b'\n')
            .any(|l| l.starts_with(b"--") && l[2..].starts_with(line.as_bytes()))
    };
    (0..=u64::MAX)
        .map(|n| format!("influxd-rs-part-{n:016x}"))
        .find(|line| !is_in(archive, line) && !is_in(manifest, line))
        .expect("no part holds every number")
}
