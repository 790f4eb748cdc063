//! Answers, and what tests demand of them.

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::Value;

/// What a server answered.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: String,
}

impl Answer {
    pub(crate) async fn of(response: reqwest::Response) -> Self {
        let status = response.status();
        let headers = response.headers().clone();
        let body = response.bytes().await.unwrap_or_default();
        let body = String::from_utf8_lossy(&body).into_owned();
        Self {
            status,
            headers,
            body,
        }
    }

    /// A write that is durable.
    #[track_caller]
    pub fn is_accepted(&self) {
        assert_eq!(self.status, StatusCode::NO_CONTENT, "{}", self.body);
    }

    /// An error with this status whose message contains `text`.
    #[track_caller]
    pub fn is_refused(&self, status: u16, text: &str) {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        assert!(
            self.body.contains(text),
            "{:?} is not in {}",
            text,
            self.body
        );
    }

    /// 503 that says when to come again: nothing was wrong with the request.
    #[track_caller]
    pub fn asks_to_come_again(&self) {
        assert_eq!(
            self.status,
            StatusCode::SERVICE_UNAVAILABLE,
            "{}",
            self.body
        );
        let after = self
            .headers
            .get("retry-after")
            .expect("a Retry-After header");
        let seconds: u64 = after
            .to_str()
            .unwrap_or_default()
            .parse()
            .expect("a number of seconds");
        assert!(seconds <= 60, "{seconds}");
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e} in {:?}", self.body))
    }

    /// The series of the only statement of a query that went well.
    #[track_caller]
    pub fn series(&self) -> Vec<Value> {
        assert_eq!(self.status, StatusCode::OK, "{}", self.body);
        let json = self.json();
        let result = &json["results"][0];
        assert!(result.get("error").is_none(), "{}", self.body);
        result["series"].as_array().cloned().unwrap_or_default()
    }

    /// The rows of all series of the only statement of a query that went well.
    #[track_caller]
    pub fn rows(&self) -> Vec<Vec<Value>> {
        let rows = self.series().into_iter().flat_map(|series| {
            let rows = series["values"].as_array().cloned().unwrap_or_default();
            rows.into_iter()
                .map(|row| row.as_array().cloned().expect("a row is a list"))
        });
        rows.collect()
    }

    /// The columns behind the time of the only row.
    #[track_caller]
    pub fn only_row(&self) -> Vec<Value> {
        let rows = self.rows();
        assert_eq!(rows.len(), 1, "{}", self.body);
        rows[0][1..].to_vec()
    }
}

/// A JSON number as a float.
#[track_caller]
pub fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| panic!("{value} is no number"))
}
