//! `/api/v2/flags`: feature flags, as the server was started with (influxd-cli 4.12).

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::reply;
use crate::routes::operation::Verb::Get;
use crate::routes::operation::{Answer, Group, Operation, Style};
use crate::state::AppState;

pub(crate) const GROUP: Group = Group {
    root: "/api/v2/flags",
    style: Style::Pretty,
    operations: &[Operation::new(
        (Get, "/api/v2/flags"),
        || web::to(flags),
        ("GetFlags", "Shows the feature flags"),
        &[Answer::json::<FlagsView>(200)],
    )
    .for_any_method()],
};

/// The feature flags that clients know, and what they are if nothing is said.
pub const FEATURE_FLAGS: [(&str, bool); 12] = [
    ("appMetrics", false),
    ("cursorAtEOF", false),
    ("enforceOrgDashboardLimits", false),
    ("groupWindowAggregateTranspose", false),
    ("injectLatestSuccessTime", false),
    ("memoryOptimizedFill", false),
    ("memoryOptimizedSchemaMutation", false),
    ("newAutoRefresh", true),
    ("newLabels", false),
    ("queryTracing", false),
    ("refreshSingleCell", true),
    ("timeFilterFlags", false),
];

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Flags, value_type = Object)]
struct FlagsView(BTreeMap<&'static str, Value>);

/// Shows the flags to everybody who is known.
async fn flags(state: web::Data<AppState>) -> HttpResponse {
    let overrides = state.config.settings.get("feature-flags");
    let overrides = overrides.and_then(Value::as_object);
    let flags = FEATURE_FLAGS
        .iter()
        .map(|(name, default)| {
            let given = overrides.and_then(|all| {
                let mut all = all.iter();
                all.find(|(given, _)| given.eq_ignore_ascii_case(name))
            });
            let given = given.and_then(|(_, value)| value.as_str());
            (*name, given.map_or(Value::Bool(*default), read))
        })
        .collect();
    reply::pretty(StatusCode::OK, &FlagsView(flags))
}

/// A flag need not be true or false.
fn read(given: &str) -> Value {
    match given {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        other => Value::String(other.to_owned()),
    }
}
