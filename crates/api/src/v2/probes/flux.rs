//! `/api/v2/query`: Flux. What is wrong with a request is said (data-endpoints 8.1); what is right
//! with it does not help, for nothing here executes Flux.

use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpRequest, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::ApiResult;
use super::lists::Nothing;
use crate::body::Body;
use crate::directory::find_org;
use crate::error::{ApiError, ErrorCode};
use crate::json::Fields;
use crate::query_string::Query;
use crate::reply;
use crate::routes::operation::Verb::{Get, Post};
use crate::routes::operation::{Answer, Group, Operation, Style};
use crate::state::AppState;
use crate::v2::target;

/// A script, and how its results should be laid out.
#[derive(ToSchema)]
#[schema(as = Query)]
#[expect(dead_code, reason = "describes a body that is taken apart by hand")]
struct QueryBody {
    query: String,
    #[schema(rename = "type")]
    kind: Option<String>,
}

pub(crate) const GROUP: Group = Group {
    root: "/api/v2/query",
    style: Style::Compact,
    operations: &[
        Operation::new(
            (Post, "/api/v2/query"),
            || web::to(query),
            (
                "PostQuery",
                "Flux is not implemented: use InfluxQL at /query",
            ),
            &[],
        )
        .query(&[
            ("org", "the organization, by name or by id"),
            ("orgID", "the organization, by id"),
        ])
        .takes::<QueryBody>()
        .errors(&[501]),
        Operation::new(
            (Post, "/api/v2/query/ast"),
            || web::to(not_here),
            ("PostQueryAst", "Flux is not implemented"),
            &[],
        )
        .errors(&[501]),
        Operation::new(
            (Post, "/api/v2/query/analyze"),
            || web::to(not_here),
            ("PostQueryAnalyze", "Flux is not implemented"),
            &[],
        )
        .errors(&[501]),
        Operation::new(
            (Get, "/api/v2/query/suggestions"),
            || web::to(suggestions),
            (
                "GetQuerySuggestions",
                "Lists the functions of Flux: there are none",
            ),
            &[Answer::json::<SuggestionsView>(200)],
        ),
        Operation::new(
            (Get, "/api/v2/query/suggestions/{name}"),
            || web::to(suggestion),
            (
                "GetQuerySuggestionsName",
                "there is no such function of Flux",
            ),
            &[],
        ),
    ],
};

#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = FluxSuggestions)]
struct SuggestionsView {
    funcs: Nothing,
}

async fn query(state: web::Data<AppState>, request: HttpRequest, body: Body) -> ApiResult {
    let script = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(is_script);
    let checked = if script {
        check_script(&body)
    } else {
        check_request(&body)
    };
    checked
        .map_err(|reason| ApiError::invalid(format!("failed to decode request body: {reason}")))?;
    check_org(&state, &request).await?;
    not_here().await
}

fn is_script(content_type: &str) -> bool {
    let media = content_type.split(';').next().unwrap_or_default().trim();
    media.eq_ignore_ascii_case("application/vnd.flux")
}

const NO_QUERY: &str = "request body requires either query or AST";

fn check_script(body: &Body) -> Result<(), String> {
    if body.0.is_empty() {
        return Err(NO_QUERY.to_owned());
    }
    Ok(())
}

fn check_request(body: &Body) -> Result<(), String> {
    let broken = |error| {
        format!(
            "failed parsing request body as JSON; if sending a raw Flux script, set \
             'Content-Type: application/vnd.flux' in your request headers: {error}"
        )
    };
    let mut fields = Fields::read(&body.0, "QueryRequest").map_err(broken)?;
    let has_ast = fields.has("ast");
    let query = fields.string("query").map_err(broken)?.unwrap_or_default();
    let kind = fields.string("type").map_err(broken)?.unwrap_or_default();
    let mut dialect = fields.object("dialect", "QueryDialect").map_err(broken)?;
    let prefix = dialect.string("commentPrefix").map_err(broken)?;
    let delimiter = dialect.string("delimiter").map_err(broken)?;
    let annotations = dialect.texts("annotations").map_err(broken)?;
    let times = dialect.string("dateTimeFormat").map_err(broken)?;
    dialect.boolean("header").map_err(broken)?;
    if query.is_empty() && !has_ast {
        return Err(NO_QUERY.to_owned());
    }
    if !matches!(kind.as_str(), "" | "flux") {
        return Err(format!("unknown query type: {kind}"));
    }
    if prefix.is_some_and(|prefix| prefix.chars().count() > 1) {
        return Err("invalid dialect comment prefix: must be length 0 or 1".to_owned());
    }
    if let Some(delimiter) = delimiter.filter(|delimiter| !delimiter.is_empty()) {
        if delimiter.chars().count() != 1 {
            return Err("invalid dialect delimeter: must be length 1".to_owned());
        }
        if delimiter == "\u{fffd}" {
            return Err("invalid dialect delimeter character".to_owned());
        }
    }
    for annotation in annotations.unwrap_or_default() {
        if !matches!(annotation.as_str(), "group" | "datatype" | "default") {
            return Err(format!("unknown dialect annotation type: {annotation}"));
        }
    }
    match times.as_deref() {
        None | Some("" | "RFC3339" | "RFC3339Nano") => Ok(()),
        Some(other) => Err(format!("unknown dialect date time format: {other}")),
    }
}

/// An organization must be named, and exist. Whatever is wrong with it is 400 here.
async fn check_org(state: &AppState, request: &HttpRequest) -> Result<(), ApiError> {
    let found = async {
        let org = target::org(Query::new(request.query_string()))?.into_owned();
        let store = state.store.clone();
        let work = async move { find_org(&mut *store.begin_read().await?, &org).await };
        state.run(work).await
    };
    match found.await {
        Err(ApiError::Client { message, .. }) => Err(ApiError::invalid(format!(
            "failed to decode request body: {message}"
        ))),
        result => result.map(|_| ()),
    }
}

async fn not_here() -> ApiResult {
    Err(ApiError::new(
        ErrorCode::NotImplemented,
        "Flux is not implemented by this server; use InfluxQL at /query",
    ))
}

async fn suggestions() -> ApiResult {
    Ok(reply::compact(StatusCode::OK, &SuggestionsView::default()))
}

async fn suggestion() -> ApiResult {
    Err(ApiError::not_found("no such function"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &'static str, expected: &str) {
        let checked = check_request(&Body(web::Bytes::from_static(body.as_bytes())));
        assert_eq!(checked.err().unwrap_or_default(), expected, "{body}");
    }

    #[test]
    fn requests_are_checked_as_the_contract_says() {
        check(r#"{"query":"buckets()"}"#, "");
        check(r#"{"ast":{"type":"Package"},"type":"flux"}"#, "");
        check("{}", "request body requires either query or AST");
        check(
            r#"{"query":"x","type":"influxql"}"#,
            "unknown query type: influxql",
        );
        check(
            "",
            "failed parsing request body as JSON; if sending a raw Flux script, set \
             'Content-Type: application/vnd.flux' in your request headers: EOF",
        );
        check(
            r#"{"query":"x","dialect":{"commentPrefix":"//"}}"#,
            "invalid dialect comment prefix: must be length 0 or 1",
        );
        check(
            r#"{"query":"x","dialect":{"delimiter":",,"}}"#,
            "invalid dialect delimeter: must be length 1",
        );
        check(
            r#"{"query":"x","dialect":{"annotations":["group","x"]}}"#,
            "unknown dialect annotation type: x",
        );
        check(
            r#"{"query":"x","dialect":{"dateTimeFormat":"unix"}}"#,
            "unknown dialect date time format: unix",
        );
    }

    #[test]
    fn scripts_have_a_media_type_of_their_own() {
        assert!(is_script("application/vnd.flux; charset=utf-8"));
        assert!(!is_script("application/json"));
    }
}
