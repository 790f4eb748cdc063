//! `/api/v2/resources`: what permissions can be about (auth-and-resources 4.1).

use actix_web::http::header::{CONTENT_TYPE, HeaderValue};
use actix_web::{HttpResponse, web};
use influxd_model::ResourceType;
use serde::Serialize;
use utoipa::ToSchema;

use crate::json;
use crate::routes::operation::Verb::Get;
use crate::routes::operation::{Answer, Group, Operation, Style};

pub(crate) const GROUP: Group = Group {
    root: "/api/v2/resources",
    style: Style::Pretty,
    operations: &[Operation::new(
        (Get, "/api/v2/resources"),
        || web::to(resources),
        (
            "GetResources",
            "Lists the types of resources that permissions can be about",
        ),
        &[Answer::json::<TypesView>(200)],
    )
    .for_any_method()],
};

/// The one answer without a character set (auth-and-resources 1.3).
const JSON: HeaderValue = HeaderValue::from_static("application/json");

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ResourceTypes)]
struct TypesView(Vec<&'static str>);

/// The types, in canonical order.
async fn resources() -> HttpResponse {
    let names = ResourceType::ALL.iter().map(|kind| kind.name());
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, JSON))
        .body(json::compact(&TypesView(names.collect())))
}
