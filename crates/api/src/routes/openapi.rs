//! `/api/v2/openapi.json`: the description of every operation, made of the same list that routes.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, ObjectBuilder, OpenApi, OpenApiBuilder,
    PathItem, PathsBuilder, Ref, RefOr, Required, ResponseBuilder, Schema, Type,
};

use super::operation::Verb::Get;
use super::operation::{Answer, Content, Group, Operation, Style, Verb};
use super::{Area, is_open, operations};
use crate::error::JSON_UTF8;

pub(crate) const GROUP: Group = Group {
    root: "/api/v2/openapi.json",
    style: Style::Compact,
    operations: &[
        Operation::new(
            (Get, "/api/v2/openapi.json"),
            || web::to(openapi),
            ("GetOpenAPI", "Shows this description"),
            &[Answer::json::<DescriptionView>(200)],
        ),
        Operation::new(
            (Get, "/api/v2/swagger.json"),
            || web::to(openapi),
            ("GetSwagger", "Shows this description, at its older path"),
            &[Answer::json::<DescriptionView>(200)],
        ),
    ],
};

/// An `OpenAPI` description.
#[derive(ToSchema)]
#[schema(as = OpenAPI)]
#[expect(dead_code, reason = "stands for the document, in the document")]
struct DescriptionView {
    openapi: String,
    info: BTreeMap<String, String>,
}

/// What every error looks like.
#[derive(Serialize, ToSchema)]
#[schema(as = Error)]
struct ErrorView {
    /// A word for the kind of error.
    code: String,
    /// What is wrong, for people.
    message: String,
    /// The message once more, on `/write` and `/query`.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

static DOCUMENT: LazyLock<web::Bytes> = LazyLock::new(|| {
    let text = describe().to_json();
    web::Bytes::from(text.expect("a description is plain JSON"))
});

async fn openapi() -> HttpResponse {
    const AN_HOUR: HeaderValue = HeaderValue::from_static("public, max-age=3600");
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, JSON_UTF8))
        .insert_header((CACHE_CONTROL, AN_HOUR))
        .body(DOCUMENT.clone())
}

/// The name of the cookie, and the two header schemes that clients use most.
const SCHEMES: [&str; 3] = [
    "TokenAuthentication",
    "BasicAuthentication",
    "SessionCookie",
];

fn describe() -> OpenApi {
    let mut schemas = BTreeMap::new();
    add_schema::<ErrorView>(&mut schemas);
    let mut paths: BTreeMap<&str, PathItem> = BTreeMap::new();
    for operation in operations() {
        let item = paths.entry(operation.path).or_default();
        let described = PathItem::new(
            http_method(operation.verb),
            describe_operation(operation, &mut schemas),
        );
        item.merge_operations(described);
    }
    let mut all = PathsBuilder::new();
    for (path, item) in paths {
        all = all.path(path, item);
    }
    let mut components = ComponentsBuilder::new();
    for (name, schema) in schemas {
        components = components.schema(name, schema);
    }
    let token = ApiKey::Header(ApiKeyValue::with_description(
        "Authorization",
        "`Token TOKEN` or `Bearer TOKEN`",
    ));
    let cookie = ApiKey::Cookie(ApiKeyValue::new(influxd_tokens::SESSION_COOKIE));
    let [token_name, basic_name, cookie_name] = SCHEMES;
    components = components
        .security_scheme(token_name, SecurityScheme::ApiKey(token))
        .security_scheme(
            basic_name,
            SecurityScheme::Http(Http::new(HttpAuthScheme::Basic)),
        )
        .security_scheme(cookie_name, SecurityScheme::ApiKey(cookie));
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("influxd-rs")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some("The API of InfluxDB 2.x, and its 1.x endpoints")),
        )
        .paths(all)
        .components(Some(components.build()))
        .build()
}

const fn http_method(verb: Verb) -> HttpMethod {
    match verb {
        Verb::Delete => HttpMethod::Delete,
        Verb::Get => HttpMethod::Get,
        Verb::Patch => HttpMethod::Patch,
        Verb::Post => HttpMethod::Post,
        Verb::Put => HttpMethod::Put,
    }
}

type Schemas = BTreeMap<String, RefOr<Schema>>;

fn add_schema<T: ToSchema>(schemas: &mut Schemas) {
    let mut others = Vec::new();
    T::schemas(&mut others);
    schemas.extend(others);
    schemas.insert(T::name().into_owned(), T::schema());
}

fn describe_operation(
    operation: &Operation,
    schemas: &mut Schemas,
) -> utoipa::openapi::path::Operation {
    let mut built = OperationBuilder::new()
        .operation_id(Some(operation.id))
        .summary(Some(operation.summary))
        .tag(operation.path.split('/').nth(3).unwrap_or("1.x"));
    let text = || ObjectBuilder::new().schema_type(Type::String);
    for part in operation.path.split('/') {
        if let Some(name) = part.strip_prefix('{') {
            built = built.parameter(
                ParameterBuilder::new()
                    .name(name.trim_end_matches('}'))
                    .parameter_in(ParameterIn::Path)
                    .required(Required::True)
                    .schema(Some(text())),
            );
        }
    }
    for (name, meaning) in operation.query {
        built = built.parameter(
            ParameterBuilder::new()
                .name(*name)
                .parameter_in(ParameterIn::Query)
                .required(Required::False)
                .description(Some(*meaning))
                .schema(Some(text())),
        );
    }
    if let Some(body) = operation.body {
        built = built.request_body(Some(
            RequestBodyBuilder::new()
                .content(body.media, content(body, schemas))
                .required(Some(Required::True))
                .build(),
        ));
    }
    for answer in operation.answers {
        let mut response = ResponseBuilder::new().description(reason(answer.status));
        if let Some(body) = answer.content {
            response = response.content(body.media, content(body, schemas));
        }
        built = built.response(answer.status.to_string(), response);
    }
    let open =
        Area::of(operation.path) == Area::Open || is_open(&operation.verb.method(), operation.path);
    for status in errors(operation, open) {
        let schema = Ref::from_schema_name("Error");
        let body = ContentBuilder::new().schema(Some(schema)).build();
        let response = ResponseBuilder::new()
            .description(reason(status))
            .content("application/json", body);
        built = built.response(status.to_string(), response);
    }
    if !open {
        let requirements = SCHEMES.map(|name| SecurityRequirement::new(name, [""; 0]));
        built = built.securities(Some(requirements));
    }
    built.build()
}

/// The statuses of an operation's errors: its own, and those that all operations like it have.
fn errors(operation: &Operation, open: bool) -> Vec<u16> {
    let mut statuses = operation.errors.to_vec();
    // What watches the server answers whatever the database does.
    if Area::of(operation.path) != Area::Open {
        statuses.push(503);
    }
    if !open {
        statuses.extend([401, 403]);
    }
    if operation.body.is_some() {
        statuses.extend([400, 413]);
    }
    if operation.path.contains('{') {
        statuses.extend([400, 404]);
    }
    // Some answer a failure with more than an error.
    statuses.retain(|status| operation.answers.iter().all(|a| a.status != *status));
    statuses.sort_unstable();
    statuses.dedup();
    statuses
}

fn reason(status: u16) -> &'static str {
    actix_web::http::StatusCode::from_u16(status)
        .ok()
        .and_then(|status| status.canonical_reason())
        .unwrap_or_default()
}

fn content(body: Content, schemas: &mut Schemas) -> utoipa::openapi::Content {
    let schema = match body.schema {
        Some(of) => {
            let mut others = Vec::new();
            (of.others)(&mut others);
            schemas.extend(others);
            let name = (of.name)();
            schemas.insert(name.clone(), (of.schema)());
            RefOr::Ref(Ref::from_schema_name(name))
        }
        // Any document, or any text.
        None if body.media == "application/json" => {
            ObjectBuilder::new().schema_type(Type::Object).into()
        }
        None => ObjectBuilder::new().schema_type(Type::String).into(),
    };
    ContentBuilder::new().schema(Some(schema)).build()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn document() -> Value {
        serde_json::from_slice(&DOCUMENT).unwrap()
    }

    /// All texts that are called descriptions or summaries.
    fn texts<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(members) => {
                for (key, value) in members {
                    if matches!(key.as_str(), "description" | "summary") {
                        found.extend(value.as_str());
                    }
                    texts(value, found);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
            _ => {}
        }
    }

    #[test]
    fn texts_are_for_clients() {
        let document = document();
        let mut found = Vec::new();
        texts(&document, &mut found);
        assert!(found.len() > 200);
        for text in found {
            for word in ["Debug", "auth-and-resources", "data-endpoints", "wire", "["] {
                assert!(!text.contains(word), "{text}");
            }
        }
    }

    #[test]
    fn what_watches_the_server_is_described_as_it_answers() {
        let document = document();
        let answer = |path: &str, status: &str| {
            let answers = &document["paths"][path]["get"]["responses"];
            let schema = &answers[status]["content"]["application/json"]["schema"];
            schema["$ref"].as_str().map(str::to_owned)
        };
        let error = Some("#/components/schemas/Error".to_owned());
        assert_eq!(answer("/health", "503"), answer("/health", "200"));
        assert_ne!(answer("/health", "503"), error);
        assert_eq!(answer("/ready", "503"), None);
        assert_eq!(answer("/metrics", "403"), error);
        assert_eq!(answer("/api/v2/orgs", "503"), error);
    }
}
