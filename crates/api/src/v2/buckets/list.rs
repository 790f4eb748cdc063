//! `GET /api/v2/buckets`

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use influxd_model::{Bucket, BucketId, OrgId};
use influxd_store::{BucketFilter, Page, Store};
use serde::Serialize;
use utoipa::ToSchema;

use crate::caller::Caller;
use crate::directory::find_org;
use crate::error::ApiError;
use crate::permit::sees_bucket;
use crate::query_string::{Query, push_encoded};
use crate::reply;
use crate::state::AppState;
use crate::v2::buckets::view::BucketView;
use crate::v2::paging::Paging;

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Buckets)]
pub(crate) struct BucketsView {
    links: Links,
    buckets: Vec<BucketView>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BucketsLinks)]
struct Links {
    #[serde(skip_serializing_if = "Option::is_none")]
    prev: Option<String>,
    #[serde(rename = "self")]
    own: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// What a request filters by, as given.
#[derive(Debug, Clone, Default)]
struct Filter {
    id: Option<BucketId>,
    org_id: Option<OrgId>,
    org: Option<String>,
    name: Option<String>,
}

/// Lists the buckets that the caller may read. Pages are cut before what the caller may not read
/// is left out, so that a page may be short, or empty.
pub(crate) async fn list(
    caller: Caller,
    state: web::Data<AppState>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let query = Query::new(request.query_string());
    let paging = Paging::read(query)?;
    let text = |name| query.get(name).map(std::borrow::Cow::into_owned);
    let filter = Filter {
        id: query.get("id").map(|id| id.parse()).transpose()?,
        org_id: query.get("orgID").map(|id| id.parse()).transpose()?,
        org: text("org"),
        name: text("name"),
    };
    let (store, asked, page) = (state.store.clone(), filter.clone(), paging.page());
    let after = paging.after.and_then(|id| BucketId::new(id.get()));
    let mut found = state
        .run(async move { find(&*store, asked, after, page).await })
        .await?;
    found.retain(|bucket| sees_bucket(&caller, bucket));
    let links = links(&filter, &paging, found.len());
    let buckets = found.iter().map(BucketView::of).collect();
    Ok(reply::pretty(
        StatusCode::OK,
        &BucketsView { links, buckets },
    ))
}

async fn find(
    store: &dyn Store,
    filter: Filter,
    after: Option<BucketId>,
    page: Page,
) -> Result<Vec<Bucket>, ApiError> {
    let mut transaction = store.begin_read().await?;
    if let Some(id) = filter.id {
        let found = transaction.buckets().find(id).await?;
        return found
            .map(|b| vec![b])
            .ok_or(ApiError::not_found("bucket not found"));
    }
    let org = match (filter.org_id, &filter.org) {
        (Some(id), _) => Some(id),
        (None, Some(name)) => Some(find_org_by_name(&mut *transaction, name).await?),
        (None, None) => None,
    };
    if let (Some(org), Some(name)) = (org, &filter.name) {
        let found = transaction.buckets().find_by_name(org, name).await?;
        let missing = || ApiError::not_found(format!("bucket \"{name}\" not found"));
        return found.map(|b| vec![b]).ok_or_else(missing);
    }
    let filter = BucketFilter {
        org,
        name: filter.name,
        after,
    };
    Ok(transaction.buckets().list(&filter, page).await?)
}

async fn find_org_by_name(
    transaction: &mut dyn influxd_store::Transaction,
    name: &str,
) -> Result<OrgId, ApiError> {
    if name.parse::<OrgId>().is_err() {
        return find_org(transaction, name).await;
    }
    let found = transaction.organizations().find_by_name(name).await?;
    let missing = || ApiError::not_found(format!("organization name \"{name}\" not found"));
    found.map(|org| org.id).ok_or_else(missing)
}

fn links(filter: &Filter, paging: &Paging, found: usize) -> Links {
    let limit = i64::from(paging.limit);
    let at = |offset| link(filter, paging, offset);
    Links {
        prev: (paging.offset > 0).then(|| at((paging.offset - limit).max(0))),
        own: at(paging.offset),
        next: (found as i64 >= limit).then(|| at(paging.offset.saturating_add(limit))),
    }
}

/// The path of the list with its parameters, sorted by name.
fn link(filter: &Filter, paging: &Paging, offset: i64) -> String {
    let parameters = [
        ("after", paging.after.map(|id| id.to_string())),
        ("bucket", filter.name.clone()),
        ("descending", Some(paging.descending.to_string())),
        ("id", filter.id.map(|id| id.to_string())),
        ("limit", Some(paging.limit.to_string())),
        ("offset", Some(offset.to_string())),
        ("org", filter.org.clone()),
        ("orgID", filter.org_id.map(|id| id.to_string())),
        ("sortBy", paging.sort_by.clone()),
    ];
    let mut link = "/api/v2/buckets".to_owned();
    let mut separator = '?';
    for (name, value) in parameters {
        if let Some(value) = value {
            link.push(separator);
            link.push_str(name);
            link.push('=');
            push_encoded(&value, &mut link);
            separator = '&';
        }
    }
    link
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_carry_what_was_asked_sorted_by_name() {
        let query = Query::new("limit=2&offset=3&sortBy=x&descending=1");
        let paging = Paging::read(query).unwrap();
        let filter = Filter {
            org: Some("my org".to_owned()),
            name: Some("b".to_owned()),
            ..Filter::default()
        };
        let links = links(&filter, &paging, 2);
        let link = |offset| {
            format!(
                "/api/v2/buckets?bucket=b&descending=true&limit=2&offset={offset}&org=my+org&sortBy=x"
            )
        };
        assert_eq!(links.prev, Some(link(1)));
        assert_eq!(links.own, link(3));
        assert_eq!(links.next, Some(link(5)));
        let query = Query::new("offset=-1");
        let links = super::links(&Filter::default(), &Paging::read(query).unwrap(), 3);
        assert_eq!(
            links.own,
            "/api/v2/buckets?descending=false&limit=20&offset=-1"
        );
        assert_eq!((links.prev, links.next), (None, None));
    }
}
