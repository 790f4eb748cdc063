//! Lists of what there is none of, each in its shape (auth-and-resources 9.9).

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use influxd_model::{Action, AnyId, OrgId, UserId};
use serde::Serialize;
use utoipa::ToSchema;

use super::{ANNOTATION, ApiResult, Kind, NOTEBOOK};
use crate::caller::Caller;
use crate::error::ApiError;
use crate::permit::{on_org, require};
use crate::query_string::Query;
use crate::reply;
use crate::state::AppState;
use crate::v2::paging::{PageLinks, Paging, SelfLink, link};
use crate::v2::target;

/// A list without anything in it.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(value_type = Vec<Object>)]
pub(super) struct Nothing([(); 0]);

/// Of `/api/v2private/annotations`: by stream.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = Annotations)]
#[expect(
    clippy::zero_sized_map_values,
    reason = "its values are empty lists, which are shown all the same"
)]
pub(super) struct AnnotationsView(BTreeMap<String, Nothing>);

macro_rules! views {
    ($($(#[$doc:meta])* $name:ident as $schema:ident { $($field:ident: $type:ty),* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Serialize, ToSchema)]
        #[schema(as = $schema)]
        #[serde(rename_all = "camelCase")]
        pub(super) struct $name { $($field: $type),* }
    )*};
}

views! {
    /// Of `/api/v2/variables`.
    VariablesView as Variables { variables: Nothing, links: PageLinks }
    /// Of `/api/v2/checks`.
    ChecksView as Checks { checks: Nothing, links: PageLinks }
    /// Of `/api/v2/notificationRules`.
    RulesView as NotificationRules { notification_rules: Nothing, links: PageLinks }
    /// Of `/api/v2/notificationEndpoints`.
    EndpointsView as NotificationEndpoints { notification_endpoints: Nothing, links: PageLinks }
    /// Of `/api/v2/dashboards`.
    DashboardsView as Dashboards { links: PageLinks, dashboards: Nothing }
    /// Of `/api/v2/tasks`.
    TasksView as Tasks { links: SelfLink, tasks: Nothing }
    /// Of `/api/v2/telegrafs`.
    TelegrafsView as Telegrafs { configurations: Nothing }
    /// Of `/api/v2/telegraf/plugins`.
    PluginsView as TelegrafPlugins { plugins: Nothing }
    /// Of `/api/v2/scrapers`.
    ScrapersView as ScraperTargetResponses { links: SelfLink, configurations: Nothing }
    /// Of `/api/v2/stacks`.
    StacksView as Stacks { stacks: Nothing }
    /// Of `/api/v2/remotes`.
    RemotesView as RemoteConnections { remotes: Nothing }
    /// Of `/api/v2/replications`.
    ReplicationsView as Replications { replications: Nothing }
    /// Of `/api/v2/documents/{ns}`.
    DocumentsView as Documents { documents: Nothing }
    /// Of `/api/v2private/notebooks`.
    NotebooksView as Notebooks { flows: Nothing }
}

/// The organization with this name.
pub(super) async fn find_org(state: &AppState, name: String) -> Result<OrgId, ApiError> {
    let store = state.store.clone();
    let work = async move {
        let mut transaction = store.begin_read().await?;
        let found = transaction.organizations().find_by_name(&name).await?;
        let missing = || ApiError::not_found(format!("organization name \"{name}\" not found"));
        found.map(|org| org.id).ok_or_else(missing)
    };
    state.run(work).await
}

/// The organization that a list is limited to, if it is: `orgID` before `org`, which must exist.
async fn given_org(state: &AppState, query: Query<'_>) -> Result<Option<OrgId>, ApiError> {
    if let Some(id) = query.get("orgID") {
        return Ok(Some(id.parse()?));
    }
    match query.get("org") {
        Some(name) => Ok(Some(find_org(state, name.into_owned()).await?)),
        None => Ok(None),
    }
}

/// The organization that the query must name by its id.
pub(super) fn required_org(query: Query<'_>) -> Result<OrgId, ApiError> {
    let id = query.get("orgID").unwrap_or_default();
    id.parse()
        .map_err(|_| ApiError::invalid("invalid or missing org ID"))
}

async fn page(path: &str, state: &AppState, request: &HttpRequest) -> Result<PageLinks, ApiError> {
    let query = Query::new(request.query_string());
    let paging = Paging::read(query)?;
    given_org(state, query).await?;
    let given = |name| query.get(name).map(std::borrow::Cow::into_owned);
    let filters = [("org", given("org")), ("orgID", given("orgID"))];
    Ok(paging.links(path, &filters, 0))
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "ends handlers, which may fail before"
)]
fn compact(view: &impl Serialize) -> ApiResult {
    Ok(reply::compact(StatusCode::OK, view))
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "ends handlers, which may fail before"
)]
fn pretty(view: &impl Serialize) -> ApiResult {
    Ok(reply::pretty(StatusCode::OK, view))
}

pub(super) async fn variables(state: web::Data<AppState>, request: HttpRequest) -> ApiResult {
    let links = page("/api/v2/variables", &state, &request).await?;
    let variables = Nothing::default();
    compact(&VariablesView { variables, links })
}

pub(super) async fn checks(state: web::Data<AppState>, request: HttpRequest) -> ApiResult {
    let links = page("/api/v2/checks", &state, &request).await?;
    let checks = Nothing::default();
    compact(&ChecksView { checks, links })
}

pub(super) async fn rules(state: web::Data<AppState>, request: HttpRequest) -> ApiResult {
    let links = page("/api/v2/notificationRules", &state, &request).await?;
    let notification_rules = Nothing::default();
    compact(&RulesView {
        notification_rules,
        links,
    })
}

pub(super) async fn endpoints(state: web::Data<AppState>, request: HttpRequest) -> ApiResult {
    let links = page("/api/v2/notificationEndpoints", &state, &request).await?;
    let notification_endpoints = Nothing::default();
    compact(&EndpointsView {
        notification_endpoints,
        links,
    })
}

pub(super) async fn dashboards(state: web::Data<AppState>, request: HttpRequest) -> ApiResult {
    let links = page("/api/v2/dashboards", &state, &request).await?;
    let dashboards = Nothing::default();
    pretty(&DashboardsView { links, dashboards })
}

/// How many tasks a page has, if nothing is said, and at most.
const TASKS: u32 = 100;
const MOST_TASKS: u32 = 500;

/// Whatever is wrong with such a request, it is 400.
pub(super) async fn tasks(state: web::Data<AppState>, request: HttpRequest) -> ApiResult {
    let query = Query::new(request.query_string());
    let own = tasks_link(&state, query)
        .await
        .map_err(|error| match error {
            ApiError::Client { message, .. } => {
                ApiError::invalid(format!("failed to decode request: {message}"))
            }
            other => other,
        })?;
    let tasks = Nothing::default();
    let links = SelfLink { own };
    compact(&TasksView { links, tasks })
}

async fn tasks_link(state: &AppState, query: Query<'_>) -> Result<String, ApiError> {
    let limit = match query.get("limit") {
        None => TASKS,
        Some(text) => text
            .parse()
            .ok()
            .filter(|limit| (1..=MOST_TASKS).contains(limit))
            .ok_or(ApiError::invalid("limit must be between 1 and 500"))?,
    };
    let after: Option<AnyId> = query.get("after").map(|id| id.parse()).transpose()?;
    let org = given_org(state, query).await?;
    let user: Option<UserId> = query.get("user").map(|id| id.parse()).transpose()?;
    let parameters = [
        ("after", after.map(|id| id.to_string())),
        ("limit", Some(limit.to_string())),
        ("orgID", org.map(|id| id.to_string())),
        ("user", user.map(|id| id.to_string())),
    ];
    Ok(link("/api/v2/tasks", &parameters))
}

pub(super) async fn telegrafs(state: web::Data<AppState>, request: HttpRequest) -> ApiResult {
    given_org(&state, Query::new(request.query_string())).await?;
    let configurations = Nothing::default();
    compact(&TelegrafsView { configurations })
}

pub(super) async fn plugins() -> ApiResult {
    let plugins = Nothing::default();
    compact(&PluginsView { plugins })
}

pub(super) async fn scrapers(state: web::Data<AppState>, request: HttpRequest) -> ApiResult {
    given_org(&state, Query::new(request.query_string())).await?;
    let own = "/api/v2/scrapers".to_owned();
    compact(&ScrapersView {
        links: SelfLink { own },
        configurations: Nothing::default(),
    })
}

/// Takes the right to read the organization, which must be given by its id.
pub(super) async fn stacks(caller: Caller, request: HttpRequest) -> ApiResult {
    let given = Query::new(request.query_string())
        .get("orgID")
        .unwrap_or_default();
    let org = given.parse().map_err(|error| {
        ApiError::invalid(format!("organization id[\"{given}\"] is invalid: {error}"))
    })?;
    require(&caller, &on_org(Action::Read, org))?;
    let stacks = Nothing::default();
    pretty(&StacksView { stacks })
}

pub(super) async fn remotes(state: web::Data<AppState>, request: HttpRequest) -> ApiResult {
    given_org(&state, Query::new(request.query_string())).await?;
    let remotes = Nothing::default();
    pretty(&RemotesView { remotes })
}

pub(super) async fn replications(state: web::Data<AppState>, request: HttpRequest) -> ApiResult {
    given_org(&state, Query::new(request.query_string())).await?;
    let replications = Nothing::default();
    pretty(&ReplicationsView { replications })
}

/// Takes the right to read documents of the organization, which must be named.
pub(super) async fn documents(
    caller: Caller,
    state: web::Data<AppState>,
    request: HttpRequest,
) -> ApiResult {
    let query = Query::new(request.query_string());
    target::org(query)?;
    if let Some(org) = given_org(&state, query).await? {
        require(&caller, &super::DOCUMENT.permission(Action::Read, org))?;
    }
    let documents = Nothing::default();
    compact(&DocumentsView { documents })
}

fn require_read(
    kind: &'static Kind,
    caller: &Caller,
    request: &HttpRequest,
) -> Result<(), ApiError> {
    let org = required_org(Query::new(request.query_string()))?;
    require(caller, &kind.permission(Action::Read, org))
}

pub(super) async fn notebooks(caller: Caller, request: HttpRequest) -> ApiResult {
    require_read(&NOTEBOOK, &caller, &request)?;
    let flows = Nothing::default();
    pretty(&NotebooksView { flows })
}

pub(super) async fn annotations(caller: Caller, request: HttpRequest) -> ApiResult {
    require_read(&ANNOTATION, &caller, &request)?;
    pretty(&AnnotationsView::default())
}

pub(super) async fn streams(caller: Caller, request: HttpRequest) -> ApiResult {
    require_read(&ANNOTATION, &caller, &request)?;
    pretty(&Nothing::default())
}
