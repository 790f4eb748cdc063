//! Compressing answers (data-endpoints 1.4).

use std::io::Write;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::http::header::{CONTENT_ENCODING, HeaderMap, HeaderValue, VARY};
use flate2::Compression;
use flate2::write::GzEncoder;

/// Smaller bodies are sent as they are.
const THRESHOLD: u64 = 1_400;

/// Whether a client wants gzip: `Accept-Encoding` lists it, and not with the weight 0.
pub(crate) fn is_wanted<'a>(headers: impl Iterator<Item = &'a [u8]>) -> bool {
    for header in headers {
        let text = String::from_utf8_lossy(header);
        for item in text.split(',') {
            let (coding, parameters) = item.split_once(';').unwrap_or((item, ""));
            if coding.trim().eq_ignore_ascii_case("gzip") {
                let weight = parameters.trim().strip_prefix("q=").unwrap_or("1");
                return weight.parse::<f32>().is_ok_and(|weight| weight > 0.0);
            }
        }
    }
    false
}

/// Compresses an answer that is large enough and not compressed yet. Streams see to themselves.
pub(crate) fn compress(
    mut response: ServiceResponse<BoxBody>,
    is_wanted: bool,
) -> ServiceResponse<BoxBody> {
    let size = response.response().body().size();
    if size != BodySize::None {
        response
            .headers_mut()
            .insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    }
    let BodySize::Sized(THRESHOLD..) = size else {
        return response;
    };
    if !is_wanted || response.headers().contains_key(CONTENT_ENCODING) {
        return response;
    }
    response.map_body(|head, body| match body.try_into_bytes() {
        Ok(bytes) => match gzip(&bytes, Compression::fast()) {
            Ok(compressed) => {
                mark(&mut head.headers);
                BoxBody::new(compressed)
            }
            Err(_) => BoxBody::new(bytes),
        },
        Err(body) => body,
    })
}

fn mark(headers: &mut HeaderMap) {
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
}

/// The bytes, compressed.
pub(crate) fn gzip(bytes: &[u8], level: Compression) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), level);
    encoder.write_all(bytes)?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_used_when_it_is_listed() {
        for (header, expected) in [
            ("gzip", true),
            ("deflate, gzip;q=0.5", true),
            ("GZIP", true),
            ("gzip;q=0", false),
            ("gzip; q=0.0", false),
            ("deflate", false),
            ("", false),
        ] {
            assert_eq!(
                is_wanted(std::iter::once(header.as_bytes())),
                expected,
                "{header}"
            );
        }
    }
}
