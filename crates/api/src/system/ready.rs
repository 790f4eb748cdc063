//! `/ready`

use std::fmt::Write;

use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpResponse, web};

use crate::error::JSON_UTF8;
use crate::state::AppState;
use crate::time::rfc3339;

/// Since when the server runs, and whether it serves already.
pub(crate) async fn ready(state: web::Data<AppState>) -> HttpResponse {
    let up = state.clock.now().saturating_sub(state.started).max(0);
    let (code, word) = if state.readiness.waiting_for().is_none() {
        (StatusCode::OK, "ready")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready")
    };
    let body = format!(
        "{{\n    \"status\": \"{word}\",\n    \"started\": \"{}\",\n    \"up\": \"{}\"\n}}\n",
        rfc3339(state.started),
        duration(up),
    );
    HttpResponse::build(code)
        .insert_header((CONTENT_TYPE, JSON_UTF8))
        .body(body)
}

/// A length of time (nanoseconds, not negative) as `1h2m3.5s`.
fn duration(nanoseconds: i64) -> String {
    let seconds = nanoseconds / 1_000_000_000;
    let fraction = nanoseconds % 1_000_000_000;
    let mut text = String::new();
    if seconds >= 3_600 {
        let _ = write!(text, "{}h", seconds / 3_600);
    }
    if seconds >= 60 {
        let _ = write!(text, "{}m", seconds / 60 % 60);
    }
    let _ = write!(text, "{}", seconds % 60);
    if fraction > 0 {
        let digits = format!("{fraction:09}");
        let _ = write!(text, ".{}", digits.trim_end_matches('0'));
    }
    text.push('s');
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn durations_read_as_in_the_contract() {
        for (nanoseconds, expected) in [
            (0, "0s"),
            (500_000_000, "0.5s"),
            (62_345_678_901, "1m2.345678901s"),
            (3_600_000_000_000, "1h0m0s"),
        ] {
            assert_eq!(super::duration(nanoseconds), expected);
        }
    }
}
