//! `GET /api/v2/orgs`

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use influxd_model::{Action, OrgId, Organization, Permission, ResourceType, UserId};
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
use crate::v2::paging::{Paging, SelfLink};

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Organizations)]
pub(crate) struct OrgsView {
    links: SelfLink,
    orgs: Vec<OrgView>,
}

/// What a request filters by: the first that is given counts.
struct Filter {
    id: Option<OrgId>,
    name: Option<String>,
    /// Those that this user owns or is a member of.
    of: Option<UserId>,
}

/// Lists the organizations that the caller may read: without a filter all of them, or those of
/// the caller's user if the caller may not read whatever organization there is. One that is named
/// must exist. Malformed ids count as absent (auth-and-resources 9.1).
pub(crate) async fn list(
    caller: Caller,
    state: web::Data<AppState>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let query = Query::new(request.query_string());
    let page = Page {
        descending: false,
        ..Paging::read(query)?.page()
    };
    let all = Permission::on_type(Action::Read, ResourceType::Orgs);
    let own = (!holds(&caller, &all)).then_some(caller.user.id);
    let filter = Filter {
        id: query.get("orgID").and_then(|id| id.parse().ok()),
        name: query.get("org").map(std::borrow::Cow::into_owned),
        of: query.get("userID").and_then(|id| id.parse().ok()).or(own),
    };
    let store = state.store.clone();
    let found = state
        .run(async move { find(&*store, filter, page).await })
        .await?;
    let orgs = found
        .iter()
        .filter(|org| holds(&caller, &on_org(Action::Read, org.id)))
        .map(OrgView::of)
        .collect();
    let links = SelfLink {
        own: "/api/v2/orgs".to_owned(),
    };
    Ok(reply::pretty(StatusCode::OK, &OrgsView { links, orgs }))
}

async fn find(
    store: &dyn Store,
    filter: Filter,
    page: Page,
) -> Result<Vec<Organization>, ApiError> {
    let mut transaction = store.begin_read().await?;
    let mut organizations = transaction.organizations();
    if let Some(id) = filter.id {
        let found = organizations.find(id).await?;
        return found
            .map(|org| vec![org])
            .ok_or(ApiError::not_found("organization not found"));
    }
    if let Some(name) = filter.name {
        let found = organizations.find_by_name(&name).await?;
        let missing = || ApiError::not_found(format!("organization name \"{name}\" not found"));
        return found.map(|org| vec![org]).ok_or_else(missing);
    }
    Ok(organizations.list(filter.of, page).await?)
}
