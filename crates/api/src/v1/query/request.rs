//! What a request to `/query` asks for (data-endpoints 5.1).

use actix_web::http::Method;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpRequest, web};
use influxd_influxql::{ParamValue, Params};

use crate::body;
use crate::error::ApiError;
use crate::json::{Json, parse_first};
use crate::points::VisibleMapping;
use crate::query_string::Query;
use crate::text::lossy;
use crate::v1::query::form::{self, MediaType};
use crate::v1::query::layout::Epoch;

/// A chunk has so many rows where the client names no number.
const DEFAULT_CHUNK_SIZE: usize = 10_000;

/// What a request asks for.
#[derive(Debug)]
pub(super) struct QueryRequest {
    /// The statements; may be empty, and may hold passwords: not for the log.
    pub(super) text: String,
    pub(super) database: Option<String>,
    pub(super) policy: Option<String>,
    pub(super) epoch: Option<Epoch>,
    /// Rows per document, if the answer is to come in several.
    pub(super) chunk_size: Option<usize>,
    pub(super) params: Option<Params>,
}

impl QueryRequest {
    pub(super) async fn read(
        request: &HttpRequest,
        payload: web::Payload,
        limit: usize,
    ) -> Result<Self, ApiError> {
        let content_type = request
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|v| v.to_str().ok());
        let query = Query::new(request.query_string());
        let has_form = matches!(
            *request.method(),
            Method::POST | Method::PUT | Method::PATCH
        );
        let media = MediaType::parse(content_type);
        let mut payload = Some(payload);
        let mut fields = Vec::new();
        if let (true, Ok(media)) = (has_form, &media)
            && media.is_form()
            && let Some(payload) = payload.take()
        {
            let bytes = body::read(payload, limit, body::length(request)).await?;
            fields = form::fields(media, &bytes);
        }
        let get = |name: &str| {
            let field = fields
                .iter()
                .find(|(key, _)| key == name)
                .map(|(_, v)| v.clone());
            field.or_else(|| query.first(name).map(std::borrow::Cow::into_owned))
        };
        let given = |name: &str| get(name).filter(|value| !value.is_empty());

        let mut text = get("q").unwrap_or_default().trim().to_owned();
        if text.is_empty() {
            let media = media.map_err(ApiError::invalid)?;
            if media.is("application/vnd.influxql")
                && let Some(payload) = payload.take()
            {
                let bytes = body::read(payload, limit, body::length(request)).await?;
                lossy(&bytes).trim().clone_into(&mut text);
            }
        }
        let chunked = get("chunked").as_deref() == Some("true");
        let chunk_size = given("chunk_size")
            .and_then(|size| size.parse::<i64>().ok())
            .and_then(|size| usize::try_from(size).ok())
            .filter(|size| *size > 0)
            .unwrap_or(DEFAULT_CHUNK_SIZE);
        Ok(Self {
            text,
            database: given("db"),
            policy: given("rp"),
            epoch: given("epoch").map(|unit| Epoch::of(&unit)),
            chunk_size: chunked.then_some(chunk_size),
            params: match given("params") {
                Some(params) => read_params(&params)?,
                None => None,
            },
        })
    }

    /// Whether the database of the request, if it names one, is among `mappings`.
    pub(super) fn knows_database(&self, mappings: &[VisibleMapping]) -> bool {
        self.database.as_ref().is_none_or(|database| {
            mappings
                .iter()
                .any(|visible| visible.mapping.database == *database)
        })
    }
}

/// The bind parameters (data-endpoints 5.10).
fn read_params(text: &str) -> Result<Option<Params>, ApiError> {
    let refuse = |reason: String| {
        Err(ApiError::invalid(format!(
            "error parsing query parameters: {reason}"
        )))
    };
    let entries = match parse_first(text.as_bytes()) {
        Ok(Json::Object(entries)) => entries,
        Ok(Json::Null) => return Ok(None),
        Ok(other) => {
            return refuse(format!(
                "json: cannot unmarshal {} into Go value of type map[string]interface {{}}",
                other.kind()
            ));
        }
        Err(error) => return refuse(error.to_string()),
    };
    let entries = entries
        .into_iter()
        .map(|(name, value)| (name, param(value)));
    Params::from_json(entries)
        .map(Some)
        .map_err(|error| ApiError::invalid(error.to_string()))
}

fn param(value: Json) -> ParamValue {
    match value {
        Json::Null => ParamValue::Null,
        Json::Boolean(value) => ParamValue::Boolean(value),
        Json::Number(text) => ParamValue::Number(text),
        Json::String(text) => ParamValue::String(text),
        Json::Array(_) => ParamValue::Array,
        Json::Object(entries) => ParamValue::Object(
            entries
                .into_iter()
                .map(|(name, v)| (name, param(v)))
                .collect(),
        ),
    }
}
