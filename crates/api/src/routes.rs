//! What there is: paths, who needs no credentials, and how bodies are laid out.

use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use crate::error::{ApiError, ErrorCode, Family};
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
];

/// Whether an API route needs no credentials.
pub(crate) fn is_open(method: &Method, path: &str) -> bool {
    OPEN_ROUTES.iter().any(|(m, p)| *p == path && m == method)
}

/// Resources whose errors are indented; with what follows a slash.
const PRETTY: &[&str] = &[
    "/api/v2/setup",
    "/api/v2/orgs",
    "/api/v2/buckets",
    "/api/v2/dbrps",
];

/// How the bodies at a path are laid out.
pub(crate) fn family(path: &str) -> Family {
    let below = |root: &str| {
        path.strip_prefix(root)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    match Area::of(path) {
        Area::V1 => Family::V1,
        _ if PRETTY.iter().any(|root| below(root)) => Family::Pretty,
        _ => Family::Compact,
    }
}

/// Mounts everything.
pub(crate) fn configure(app: &mut ServiceConfig) {
    app.service(
        web::resource("/api/v2/write")
            .name("/api/v2/write")
            .route(web::post().to(v2::write::write))
            .default_service(web::to(only_post)),
    )
    .service(
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
    )
    .service(
        web::resource("/api/v2/delete")
            .name("/api/v2/delete")
            .route(web::post().to(v2::delete::delete))
            .default_service(web::to(only_post)),
    );
    pretty(app, "/api/v2/setup", |r| {
        r.route(web::get().to(v2::setup::allowed))
            .route(web::post().to(v2::setup::set_up))
    });
    pretty(app, "/api/v2/orgs", |r| {
        r.route(web::get().to(v2::orgs::list::list))
            .route(web::post().to(v2::orgs::create::create))
    });
    pretty(app, "/api/v2/orgs/{id}", |r| {
        r.route(web::get().to(v2::orgs::get::get))
            .route(web::delete().to(v2::orgs::delete::delete))
    });
    pretty(app, "/api/v2/buckets", |r| {
        r.route(web::get().to(v2::buckets::list::list))
            .route(web::post().to(v2::buckets::create::create))
    });
    pretty(app, "/api/v2/buckets/{id}", |r| {
        r.route(web::get().to(v2::buckets::get::get))
            .route(web::patch().to(v2::buckets::update::update))
            .route(web::delete().to(v2::buckets::delete::delete))
    });
    pretty(app, "/api/v2/dbrps", |r| {
        r.route(web::get().to(v2::dbrps::list::list))
            .route(web::post().to(v2::dbrps::create::create))
    });
    pretty(app, "/api/v2/dbrps/{id}", |r| {
        r.route(web::get().to(v2::dbrps::get::get))
            .route(web::patch().to(v2::dbrps::update::update))
            .route(web::delete().to(v2::dbrps::delete::delete))
    });
    for below in [
        "/api/v2/setup/{tail:.*}",
        "/api/v2/orgs/{tail:.*}",
        "/api/v2/buckets/{tail:.*}",
        "/api/v2/dbrps/{tail:.*}",
    ] {
        let page_not_found = || async { reply::page_not_found() };
        app.service(web::resource(below).route(web::to(page_not_found)));
    }
    app.service(
        web::resource(["/api/v2", "/api/v2/"])
            .name("/api/v2")
            .route(web::to(v2::index::index)),
    )
    .service(
        web::resource("/ping")
            .name("/ping")
            .route(web::to(system::ping::ping)),
    )
    .service(
        web::resource(["/health", "/health/"])
            .name("/health")
            .route(web::to(system::health::health)),
    )
    .service(
        web::resource(["/ready", "/ready/"])
            .name("/ready")
            .route(web::to(system::ready::ready)),
    )
    .service(
        web::resource(["/metrics", "/metrics/"])
            .name("/metrics")
            .route(web::to(system::metrics::metrics)),
    )
    .default_service(web::to(nothing_here));
}

/// A resource of the indented family: one trailing slash is ignored, and a wrong method is
/// answered without a word.
fn pretty(
    app: &mut ServiceConfig,
    path: &'static str,
    routes: impl FnOnce(actix_web::Resource) -> actix_web::Resource,
) {
    let name = path.replace("{id}", ":id");
    let resource = web::resource([path.to_owned(), format!("{path}/")]).name(&name);
    let not_allowed = || async { reply::method_not_allowed() };
    app.service(routes(resource).default_service(web::to(not_allowed)));
}

async fn only_post() -> Result<HttpResponse, ApiError> {
    Err(ApiError::new(
        ErrorCode::MethodNotAllowed,
        "allow: OPTIONS, POST",
    ))
}

/// Paths of the compact family: with a slash behind them they redirect.
const COMPACT: &[&str] = &["/api/v2/write", "/api/v2/delete"];

async fn nothing_here(request: HttpRequest) -> HttpResponse {
    let path = request.path();
    if Area::of(path) != Area::Api {
        return reply::plain(
            actix_web::http::StatusCode::NOT_FOUND,
            "no assets included in binary\n",
        );
    }
    for known in COMPACT {
        match path.strip_prefix(known) {
            Some("/") => return redirect(&request, known),
            Some(rest) if rest.starts_with('/') => {
                let message = "path not found";
                return crate::error::error_response(ErrorCode::NotFound, message, Family::Compact);
            }
            _ => {}
        }
    }
    crate::error::error_response(ErrorCode::NotFound, "path not found", Family::Pretty)
}

fn redirect(request: &HttpRequest, path: &str) -> HttpResponse {
    use actix_web::http::header::{CONTENT_TYPE, LOCATION};
    let mut location = path.to_owned();
    if !request.query_string().is_empty() {
        location.push('?');
        location.push_str(request.query_string());
    }
    if *request.method() == Method::GET {
        let body = format!("<a href=\"{path}\">Moved Permanently</a>.\n\n");
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
