//! `/api/v2/sources`: where queries can go. There is one: this server itself.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use influxd_model::{Action, AnyId, Permission};
use serde::Serialize;
use utoipa::ToSchema;

use super::{ApiResult, Kind, NewBody, SOURCE, create, id, not_implemented};
use crate::caller::Caller;
use crate::error::ApiError;
use crate::permit::require;
use crate::reply;
use crate::routes::operation::Verb::{Delete, Get, Patch, Post};
use crate::routes::operation::{Answer, Group, Operation, Style};
use crate::v2::paging::SelfLink;

/// The id that the source of this kind has on every server.
const OWN: &str = "020f755c3c082000";

pub(crate) const GROUP: Group = Group {
    root: "/api/v2/sources",
    style: Style::Compact,
    operations: &[
        Operation::new(
            (Get, "/api/v2/sources"),
            || web::to(list),
            ("GetSources", "Lists the sources: this server"),
            &[Answer::json::<SourcesView>(200)],
        ),
        Operation::new(
            (Post, "/api/v2/sources"),
            || web::to(|c, s, b| create(&SOURCE, c, s, b)),
            ("PostSources", "further sources are not implemented"),
            &[],
        )
        .takes::<NewBody>()
        .errors(&[404, 501]),
        Operation::new(
            (Get, "/api/v2/sources/{id}"),
            || web::to(get),
            ("GetSourcesID", "Shows a source"),
            &[Answer::json::<SourceView>(200)],
        ),
        Operation::new(
            (Patch, "/api/v2/sources/{id}"),
            || web::to(change),
            ("PatchSourcesID", "changing a source is not implemented"),
            &[],
        )
        .errors(&[501]),
        Operation::new(
            (Delete, "/api/v2/sources/{id}"),
            || web::to(change),
            ("DeleteSourcesID", "removing a source is not implemented"),
            &[],
        )
        .errors(&[501]),
        Operation::new(
            (Get, "/api/v2/sources/{id}/buckets"),
            || web::to(below),
            (
                "GetSourcesIDBuckets",
                "listing the buckets of a source is not implemented",
            ),
            &[],
        )
        .errors(&[501]),
        Operation::new(
            (Post, "/api/v2/sources/{id}/query"),
            || web::to(below),
            (
                "PostSourcesIDQuery",
                "queries by way of a source are not implemented",
            ),
            &[],
        )
        .errors(&[501]),
        Operation::new(
            (Get, "/api/v2/sources/{id}/health"),
            || web::to(below),
            (
                "GetSourcesIDHealth",
                "asking for the health of a source is not implemented",
            ),
            &[],
        )
        .errors(&[501]),
    ],
};

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Sources)]
struct SourcesView {
    links: SelfLink,
    sources: [SourceView; 1],
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Source)]
struct SourceView {
    id: &'static str,
    default: bool,
    name: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    url: &'static str,
    telegraf: &'static str,
    links: SourceLinks,
}

#[derive(Debug, Serialize, ToSchema)]
struct SourceLinks {
    buckets: String,
    health: String,
    query: String,
    #[serde(rename = "self")]
    own: String,
}

fn own() -> SourceView {
    let below = |what: &str| format!("/api/v2/sources/{OWN}{what}");
    SourceView {
        id: OWN,
        default: true,
        name: "autogen",
        kind: "self",
        url: "",
        telegraf: "",
        links: SourceLinks {
            buckets: below("/buckets"),
            health: below("/health"),
            query: below("/query"),
            own: below(""),
        },
    }
}

async fn list() -> ApiResult {
    let links = SelfLink {
        own: "/api/v2/sources".to_owned(),
    };
    let sources = [own()];
    Ok(reply::compact(
        StatusCode::OK,
        &SourcesView { links, sources },
    ))
}

/// The id in the path, if it is this server's.
fn find(request: &HttpRequest) -> Result<AnyId, ApiError> {
    const KIND: &Kind = &SOURCE;
    let id = id(KIND, request)?;
    if OWN.parse() == Ok(id) {
        return Ok(id);
    }
    Err(ApiError::not_found((KIND.missing)(id)))
}

async fn get(request: HttpRequest) -> ApiResult {
    find(&request)?;
    Ok(reply::compact(StatusCode::OK, &own()))
}

async fn change(caller: Caller, request: HttpRequest) -> ApiResult {
    let write = Permission {
        id: Some(find(&request)?),
        ..Permission::on_type(Action::Write, SOURCE.resource)
    };
    require(&caller, &write)?;
    Err(not_implemented("changes to sources"))
}

/// What lies below a source.
async fn below(request: HttpRequest) -> ApiResult {
    find(&request)?;
    Err(not_implemented("queries by way of a source"))
}
