//! `GET /api/v2/orgs`

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use influxd_model::{Action, OrgId, Organization};
use influxd_store::{Page, Store};
use serde::Serialize;
use utoipa::ToSchema;

use crate::caller::Caller;
use crate::error::ApiError;
use crate::permit::{holds, on_org};
use crate::query_string::Query;
use crate::reply;
use crate::state::AppState;
use crate::v2::orgs::view::OrgView;
use crate::v2::paging::Paging;

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Organizations)]
pub(crate) struct OrgsView {
    links: Links,
    orgs: Vec<OrgView>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrganizationsLinks)]
struct Links {
    #[serde(rename = "self")]
    own: &'static str,
}

/// Lists the organizations that the caller may read. One that is named must exist. A malformed
/// `orgID` counts as absent.
pub(crate) async fn list(
    caller: Caller,
    state: web::Data<AppState>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let query = Query::new(request.query_string());
    let page = Paging::read(query)?.page();
    let id = query.get("orgID").and_then(|id| id.parse::<OrgId>().ok());
    let name = query.get("org").map(std::borrow::Cow::into_owned);
    let store = state.store.clone();
    let found = state
        .run(async move { find(&*store, id, name, page).await })
        .await?;
    let orgs = found
        .iter()
        .filter(|org| holds(&caller, &on_org(Action::Read, org.id)))
        .map(OrgView::of)
        .collect();
    let links = Links {
        own: "/api/v2/orgs",
    };
    Ok(reply::pretty(StatusCode::OK, &OrgsView { links, orgs }))
}

async fn find(
    store: &dyn Store,
    id: Option<OrgId>,
    name: Option<String>,
    page: Page,
) -> Result<Vec<Organization>, ApiError> {
    let mut transaction = store.begin_read().await?;
    let mut organizations = transaction.organizations();
    if let Some(id) = id {
        let found = organizations.find(id).await?;
        return found
            .map(|org| vec![org])
            .ok_or(ApiError::not_found("organization not found"));
    }
    if let Some(name) = name {
        let found = organizations.find_by_name(&name).await?;
        let missing = || ApiError::not_found(format!("organization name \"{name}\" not found"));
        return found.map(|org| vec![org]).ok_or_else(missing);
    }
    Ok(organizations.list(None, page).await?)
}
