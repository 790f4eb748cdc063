//! What there is: paths, who needs no credentials, and how bodies are laid out.

mod openapi;
pub(crate) mod operation;

use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, Route};

use self::operation::{Answer, Content, Group, Operation, Style, Verb};
use crate::caller::Caller;
use crate::error::{ApiError, ErrorCode, Family};
use crate::state::AppState;
use crate::v2::parent;
use crate::{reply, system, v1, v2};

/// What kind of path a request is for (auth-and-resources 1.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Area {
    /// `/write` and `/query`.
    V1,
    /// `/api/v2...`, `/private/...`, `/legacy/...` and `/v1...`.
    Api,
    /// Status endpoints, and paths that nothing lives at.
    Open,
}

/// The path that decides about a request: the one that routes are found by, where a letter that is
/// percent-encoded is a letter. Whoever looked at the text of the request instead would let in what
/// the route then answers.
pub(crate) fn path_of(request: &HttpRequest) -> &str {
    request.match_info().as_str()
}

impl Area {
    pub(crate) fn of(path: &str) -> Self {
        match path {
            "/write" | "/query" => Self::V1,
            _ if path.starts_with("/api/v2")
                || path.starts_with("/private/")
                || path.starts_with("/legacy/")
                || path.starts_with("/v1") =>
            {
                Self::Api
            }
            _ => Self::Open,
        }
    }
}

/// The API routes that need no credentials: exact method and path (auth-and-resources 2.1). With
/// [`Area::Open`] this is the whole list.
const OPEN_ROUTES: &[(Method, &str)] = &[
    (Method::GET, "/api/v2"),
    (Method::GET, "/api/v2/setup"),
    (Method::POST, "/api/v2/setup"),
    (Method::GET, "/api/v2/signin"),
    (Method::POST, "/api/v2/signin"),
    (Method::POST, "/api/v2/signout"),
    (Method::GET, "/api/v2/openapi.json"),
    (Method::GET, "/api/v2/swagger.json"),
];

/// Whether an API route needs no credentials.
pub(crate) fn is_open(method: &Method, path: &str) -> bool {
    OPEN_ROUTES.iter().any(|(m, p)| *p == path && m == method)
}

/// Everything below `/api/v2` and the paths that are treated alike, the busiest first.
///
/// A group whose root lies below another one's comes before it.
const GROUPS: &[&Group] = &[
    &v2::write::GROUP,
    &v2::delete::GROUP,
    &v2::setup::GROUP,
    &v2::signin::GROUP,
    &v2::signin::SIGN_OUT_GROUP,
    &v2::me::GROUP,
    &v2::users::GROUP,
    &v2::authorizations::GROUP,
    &v2::authorizations::V1_GROUP,
    &v2::authorizations::V1_GROUP_AS_PUBLISHED,
    &v2::members::OF_ORGS,
    &v2::members::OWNERS_OF_ORGS,
    &v2::secrets::GROUP,
    &v2::orgs::GROUP,
    &v2::members::OF_BUCKETS,
    &v2::members::OWNERS_OF_BUCKETS,
    &v2::labels::OF_BUCKETS,
    &v2::buckets::GROUP,
    &v2::labels::GROUP,
    &v2::dbrps::GROUP,
    &v2::config::GROUP,
    &v2::flags::GROUP,
    &v2::resources::GROUP,
    &v2::probes::FLUX,
    &v2::probes::TASKS,
    &v2::probes::MEMBERS_OF_DASHBOARDS,
    &v2::probes::OWNERS_OF_DASHBOARDS,
    &v2::probes::LABELS_OF_DASHBOARDS,
    &v2::probes::DASHBOARDS,
    &v2::probes::VARIABLES,
    &v2::probes::CHECKS,
    &v2::probes::RULES,
    &v2::probes::ENDPOINTS,
    &v2::probes::TELEGRAFS,
    &v2::probes::TELEGRAF_PLUGINS,
    &v2::probes::SCRAPERS,
    &v2::probes::SOURCES,
    &v2::probes::DOCUMENTS,
    &v2::probes::STACKS,
    &v2::probes::TEMPLATES,
    &v2::probes::REMOTES,
    &v2::probes::REPLICATIONS,
    &v2::probes::NOTEBOOKS,
    &v2::probes::ANNOTATIONS,
    &v2::probes::STREAMS,
    &v2::backup::BACKUP,
    &v2::backup::RESTORE,
    &openapi::GROUP,
];

/// The entry point and the 1.x endpoints, which have manners of their own.
const BESIDE: &[Operation] = &[
    Operation::new(
        (Verb::Get, "/api/v2"),
        || web::to(v2::index::index),
        ("GetRoutes", "Shows where everything is"),
        &[Answer::object(200)],
    ),
    Operation::new(
        (Verb::Post, "/write"),
        || web::to(v1::write::write),
        ("PostV1Write", "Stores points"),
        &[Answer::empty(204)],
    )
    .query(&[
        ("db", "the database"),
        (
            "rp",
            "the retention policy; the database's default if not given",
        ),
        ("precision", "the unit of time stamps: ns, us, ms or s"),
        ("u", "a user name"),
        ("p", "a password, or a token"),
    ])
    .takes_content(Content::text("text/plain"))
    .errors(&[404, 413, 422]),
    Operation::new(
        (Verb::Get, "/query"),
        || web::to(v1::query::query),
        ("GetV1Query", "Executes InfluxQL"),
        &[Answer::object(200)],
    )
    .query(V1_QUERY)
    .errors(&[400, 404]),
    Operation::new(
        (Verb::Post, "/query"),
        || web::to(v1::query::query),
        ("PostV1Query", "Executes InfluxQL"),
        &[Answer::object(200)],
    )
    .query(V1_QUERY)
    .takes_content(Content::text("application/x-www-form-urlencoded"))
    .errors(&[404]),
];

const V1_QUERY: &[(&str, &str)] = &[
    ("q", "the statements"),
    ("db", "the database"),
    (
        "rp",
        "the retention policy; the database's default if not given",
    ),
    ("epoch", "show times as numbers of this unit"),
    ("chunked", "answer in parts, if true"),
    ("chunk_size", "how many rows a part has at most"),
    (
        "params",
        "values for the placeholders of the statements, JSON",
    ),
    ("u", "a user name"),
    ("p", "a password, or a token"),
];

/// What watches the server; every method is answered alike.
const SYSTEM: &[Operation] = &[
    Operation::new(
        (Verb::Get, "/ping"),
        || web::to(system::ping::ping),
        ("GetPing", "Says that the server is up"),
        &[Answer::empty(204)],
    ),
    Operation::new(
        (Verb::Get, "/health"),
        || web::to(system::health::health),
        ("GetHealth", "Says whether the server is well"),
        &[Answer::object(200), Answer::object(503)],
    ),
    Operation::new(
        (Verb::Get, "/ready"),
        || web::to(system::ready::ready),
        ("GetReady", "Says since when the server is up"),
        &[Answer::object(200)],
    ),
    Operation::new(
        (Verb::Get, "/metrics"),
        || web::to(system::metrics::metrics),
        (
            "GetMetrics",
            "Shows what was counted, in the form of Prometheus",
        ),
        &[Answer::text(200, "text/plain")],
    )
    .errors(&[403]),
];

/// Every operation that there is, for the description.
fn operations() -> impl Iterator<Item = &'static Operation> {
    let below = GROUPS.iter().flat_map(|group| group.operations);
    BESIDE.iter().chain(below).chain(SYSTEM)
}

/// How the bodies at a path are laid out.
pub(crate) fn family(path: &str) -> Family {
    match Area::of(path) {
        Area::V1 => Family::V1,
        _ => GROUPS
            .iter()
            .find(|group| is_below(path, group.root))
            .map_or(Family::Compact, |group| group.style.family()),
    }
}

/// Whether `path` is `root`, or begins with it and a slash. A part of `root` in braces stands for
/// any part.
fn is_below(path: &str, root: &str) -> bool {
    let mut parts = path.split('/');
    root.split('/').all(|wanted| {
        parts
            .next()
            .is_some_and(|part| wanted.starts_with('{') || part == wanted)
    })
}

/// Mounts everything.
pub(crate) fn configure(app: &mut ServiceConfig) {
    app.service(
        web::resource("/write")
            .name("/write")
            .route(web::post().to(v1::write::write))
            .route(web::method(Method::OPTIONS).to(v1::write::options))
            .default_service(web::to(only_post)),
    )
    .service(
        web::resource("/query")
            .name("/query")
            .route(web::to(v1::query::query)),
    );
    for group in GROUPS {
        mount(app, group);
    }
    app.service(
        web::resource(["/api/v2", "/api/v2/"])
            .name("/api/v2")
            .route(web::to(v2::index::index)),
    );
    for operation in SYSTEM {
        let path = operation.path;
        let mut paths = vec![path.to_owned()];
        if path != "/ping" {
            // Whatever follows (influxd-cli 4.7).
            paths.push(format!("{path}/{{tail:.*}}"));
        }
        app.service(web::resource(paths).name(path).route((operation.route)()));
    }
    app.service(
        web::resource(["/debug/pprof", "/debug/pprof/{profile:.*}"])
            .name("/debug/pprof")
            .route(web::to(no_profiles)),
    );
    app.default_service(web::to(nothing_here));
}

fn mount(app: &mut ServiceConfig, group: &'static Group) {
    let mut rest = group.operations;
    while let Some(first) = rest.first() {
        let path = first.path;
        let count = rest.iter().take_while(|o| o.path == path).count();
        let (here, behind) = rest.split_at(count);
        rest = behind;
        match group.style {
            Style::Pretty => {
                let path = if first.is_id {
                    as_id(path)
                } else {
                    path.to_owned()
                };
                let slash = format!("{path}/");
                let mut resource = resource(vec![path, slash], here);
                for operation in of_ids(group, first) {
                    if here.iter().all(|o| o.verb != operation.verb) {
                        let route = (operation.route)();
                        resource = resource.route(route.method(operation.verb.method()));
                    }
                }
                app.service(resource.default_service(wrong(group.root, not_allowed)));
            }
            Style::Embedded => {
                let resource = resource(vec![path.to_owned(), format!("{path}/")], here);
                app.service(resource.default_service(wrong(group.root, nothing_allowed)));
            }
            Style::Compact => {
                let allowed = allow(here);
                let not_allowed = move || {
                    let error = ApiError::new(ErrorCode::MethodNotAllowed, allowed.clone());
                    async { Err::<HttpResponse, _>(error) }
                };
                let resource = resource(vec![path.to_owned()], here);
                app.service(resource.default_service(web::to(not_allowed)));
                app.service(web::resource(format!("{path}/")).route(web::to(redirect)));
            }
        }
    }
    let below = web::resource(format!("{}/{{tail:.*}}", group.root));
    app.service(match group.style {
        Style::Pretty => below.route(wrong(group.root, page_not_found)),
        Style::Compact | Style::Embedded => below.route(wrong(group.root, path_not_found)),
    });
}

/// A path whose last part is an id with just this value.
fn as_id(path: &str) -> String {
    match path.rsplit_once('/') {
        Some((before, last)) => format!("{before}/{{id:{last}}}"),
        None => path.to_owned(),
    }
}

/// The operations of ids, where the path of `operation` ends in what may be one.
fn of_ids(group: &Group, operation: &Operation) -> impl Iterator<Item = &'static Operation> {
    let before = operation.path.rsplit_once('/').map(|(before, _)| before);
    let path = before
        .filter(|_| operation.is_id)
        .map(|before| format!("{before}/{{id}}"));
    let all: &'static [Operation] = group.operations;
    all.iter().filter(move |o| path.as_deref() == Some(o.path))
}

/// The answer to a wrong method or an unknown path below `root`.
fn wrong(root: &'static str, answer: fn() -> ApiResult) -> Route {
    if root.contains("{id}") {
        web::to(move |caller, state, request| async move {
            require_parent(root, caller, state, request).await?;
            answer()
        })
    } else {
        web::to(move || async move { answer() })
    }
}

/// Refuses what hangs on a parent that is not there, or not to be seen by the caller
/// (auth-and-resources 1.7): that is asked before method and path are looked at.
async fn require_parent(
    root: &'static str,
    caller: Caller,
    state: web::Data<AppState>,
    request: HttpRequest,
) -> Result<(), ApiError> {
    if root.starts_with("/api/v2/dashboards/") {
        return Err(v2::probes::no_dashboard(&request));
    }
    let id = request.match_info().query("id").to_owned();
    let store = state.store.clone();
    let work = async move {
        if root.starts_with("/api/v2/orgs/") {
            let id = parent::id(&id)?;
            let mut transaction = store.begin_read().await?;
            parent::organization(&mut *transaction, &caller, id).await?;
        } else {
            let id = parent::id(&id)?;
            let mut transaction = store.begin_read().await?;
            parent::bucket(&mut *transaction, &caller, id).await?;
        }
        Ok(())
    };
    state.run(work).await
}

/// The resource of the operations of one path, which all have it.
fn resource(paths: Vec<String>, operations: &'static [Operation]) -> actix_web::Resource {
    let name: String = operations[0]
        .path
        .chars()
        .filter(|c| *c != '}')
        .map(|c| if c == '{' { ':' } else { c })
        .collect();
    let mut resource = web::resource(paths).name(&name);
    for operation in operations {
        let route = (operation.route)();
        resource = resource.route(if operation.any_method {
            route
        } else {
            route.method(operation.verb.method())
        });
    }
    resource
}

/// What a wrong method is told: those that there are, by name, and `OPTIONS`.
fn allow(operations: &[Operation]) -> String {
    let mut names: Vec<String> = operations
        .iter()
        .map(|operation| operation.verb.method().to_string())
        .collect();
    names.push("OPTIONS".to_owned());
    names.sort_unstable();
    format!("allow: {}", names.join(", "))
}

async fn only_post() -> Result<HttpResponse, ApiError> {
    Err(ApiError::new(
        ErrorCode::MethodNotAllowed,
        "allow: OPTIONS, POST",
    ))
}

/// The list of methods is empty, whatever there is (auth-and-resources 1.7).
fn nothing_allowed() -> ApiResult {
    Err(ApiError::new(ErrorCode::MethodNotAllowed, "allow: "))
}

fn path_not_found() -> ApiResult {
    Err(ApiError::not_found("path not found"))
}

#[expect(clippy::unnecessary_wraps, reason = "others of its kind are errors")]
fn not_allowed() -> ApiResult {
    Ok(reply::method_not_allowed())
}

#[expect(clippy::unnecessary_wraps, reason = "others of its kind are errors")]
fn page_not_found() -> ApiResult {
    Ok(reply::page_not_found())
}

type ApiResult = Result<HttpResponse, ApiError>;

/// This server makes no profiles, and says so in the words of one that does not show them
/// (data-endpoints 9.4).
async fn no_profiles() -> ApiResult {
    Err(ApiError::new(ErrorCode::Forbidden, "profiling disabled"))
}

async fn nothing_here(state: web::Data<AppState>, request: HttpRequest) -> HttpResponse {
    if Area::of(path_of(&request)) != Area::Api {
        if state.config.endpoints.ui_disabled {
            return reply::page_not_found();
        }
        return reply::plain(
            actix_web::http::StatusCode::NOT_FOUND,
            "no assets included in binary\n",
        );
    }
    crate::error::error_response(ErrorCode::NotFound, "path not found", Family::Pretty)
}

/// To the same path without the slash at its end.
async fn redirect(request: HttpRequest) -> HttpResponse {
    use actix_web::http::header::{CONTENT_TYPE, LOCATION};
    let path = request.path().trim_end_matches('/');
    let mut location = path.to_owned();
    if !request.query_string().is_empty() {
        location.push('?');
        location.push_str(request.query_string());
    }
    if *request.method() == Method::GET {
        let mut body = b"<a href=".to_vec();
        crate::json::push_string(path, &mut body);
        body.extend_from_slice(b">Moved Permanently</a>.\n\n");
        return HttpResponse::MovedPermanently()
            .insert_header((LOCATION, location))
            .insert_header((CONTENT_TYPE, "text/html; charset=utf-8"))
            .body(body);
    }
    HttpResponse::PermanentRedirect()
        .insert_header((LOCATION, location))
        .finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_api_path_is_open_by_default() {
        for path in [
            "/api/v2/orgs",
            "/api/v2orgs",
            "/api/v2/setup/",
            "/private/x",
            "/v1",
            "/legacy/x",
        ] {
            assert_eq!(Area::of(path), Area::Api, "{path}");
            assert!(!is_open(&Method::GET, path), "{path}");
        }
        assert!(is_open(&Method::POST, "/api/v2/setup"));
        assert!(!is_open(&Method::PATCH, "/api/v2/setup"));
        for path in ["/write/", "/query/", "/ping", "/health", "/", "/legacy"] {
            assert_eq!(Area::of(path), Area::Open, "{path}");
        }
    }

    #[test]
    fn families_follow_the_resource() {
        assert_eq!(family("/api/v2/orgs/x"), Family::Pretty);
        assert_eq!(family("/api/v2/orgsx"), Family::Compact);
        assert_eq!(family("/api/v2/write"), Family::Compact);
        assert_eq!(family("/write"), Family::V1);
    }
}
