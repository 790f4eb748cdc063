//! `/api/v2/config`: the settings that the server runs with (influxd-cli 8.2).

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::caller::Caller;
use crate::error::{ApiError, ErrorCode};
use crate::reply;
use crate::routes::operation::Verb::Get;
use crate::routes::operation::{Answer, Group, Operation, Style};
use crate::state::AppState;

pub(crate) const GROUP: Group = Group {
    root: "/api/v2/config",
    style: Style::Pretty,
    operations: &[Operation::new(
        (Get, "/api/v2/config"),
        || web::to(config),
        ("GetConfig", "Shows the settings that the server runs with"),
        &[Answer::json::<ConfigView<'_>>(200)],
    )],
};

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Config)]
struct ConfigView<'a> {
    #[schema(value_type = Object)]
    config: &'a Map<String, Value>,
}

/// Shows every setting, to operators alone.
async fn config(caller: Caller, state: web::Data<AppState>) -> Result<HttpResponse, ApiError> {
    if caller.missing_for_operator().is_some() {
        return Err(ApiError::new(
            ErrorCode::Unauthorized,
            "access to /api/v2/config requires operator permissions",
        ));
    }
    let config = &state.config.settings;
    Ok(reply::pretty(StatusCode::OK, &ConfigView { config }))
}
