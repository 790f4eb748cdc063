//! `/api/v2`: where everything is.

use actix_web::HttpResponse;
use actix_web::http::header::CONTENT_TYPE;

use crate::error::JSON_UTF8;

/// The names and paths of the entry points (auth-and-resources 1.11).
const ENTRY_POINTS: &str = concat!(
    r#"{"authorizations":"/api/v2/authorizations","backup":"/api/v2/backup","#,
    r#""buckets":"/api/v2/buckets","checks":"/api/v2/checks","#,
    r#""dashboards":"/api/v2/dashboards","delete":"/api/v2/delete","#,
    r#""external":{"statusFeed":"https://www.influxdata.com/feed/json"},"#,
    r#""flags":"/api/v2/flags","labels":"/api/v2/labels","me":"/api/v2/me","#,
    r#""notificationEndpoints":"/api/v2/notificationEndpoints","#,
    r#""notificationRules":"/api/v2/notificationRules","orgs":"/api/v2/orgs","#,
    r#""plugins":"/api/v2/telegraf/plugins","#,
    r#""query":{"analyze":"/api/v2/query/analyze","ast":"/api/v2/query/ast","#,
    r#""self":"/api/v2/query","suggestions":"/api/v2/query/suggestions"},"#,
    r#""restore":"/api/v2/restore","scrapers":"/api/v2/scrapers","setup":"/api/v2/setup","#,
    r#""signin":"/api/v2/signin","signout":"/api/v2/signout","sources":"/api/v2/sources","#,
    r#""swagger":"/api/v2/swagger.json","#,
    r#""system":{"debug":"/debug/pprof","health":"/health","metrics":"/metrics"},"#,
    r#""tasks":"/api/v2/tasks","telegrafs":"/api/v2/telegrafs","users":"/api/v2/users","#,
    r#""variables":"/api/v2/variables","write":"/api/v2/write"}"#,
    "\n",
);

/// The entry points, for every method.
pub(crate) async fn index() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, JSON_UTF8))
        .body(ENTRY_POINTS)
}
