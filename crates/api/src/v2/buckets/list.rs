//! `GET /api/v2/buckets`

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use influxd_model::{Bucket, BucketId, OrgId};
use influxd_store::{BucketFilter, BucketList, Page, Transaction};
use serde::Serialize;
use utoipa::ToSchema;

use crate::caller::Caller;
use crate::directory::{find_org, unknown_bucket};
use crate::error::ApiError;
use crate::permit::sees_bucket;
use crate::query_string::Query;
use crate::reply;
use crate::state::AppState;
use crate::v2::buckets::view::{self, BucketView};
use crate::v2::paging::{PageLinks, Paging};

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Buckets)]
pub(crate) struct BucketsView {
    links: PageLinks,
    buckets: Vec<BucketView>,
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
    let work = async move {
        let mut transaction = store.begin_read().await?;
        let mut found = find(&mut *transaction, asked, after, page).await?;
        found.retain(|bucket| sees_bucket(&caller, bucket));
        let ids: Vec<BucketId> = found.iter().map(|bucket| bucket.id).collect();
        let mut labels = view::labels(&mut *transaction, &caller, &ids).await?;
        let views = found
            .iter()
            .map(|bucket| BucketView::labelled(bucket, &mut labels));
        Ok(views.collect::<Vec<_>>())
    };
    let buckets = state.run(work).await?;
    let filters = [
        ("bucket", filter.name),
        ("id", filter.id.map(|id| id.to_string())),
        ("org", filter.org),
        ("orgID", filter.org_id.map(|id| id.to_string())),
    ];
    let links = paging.links("/api/v2/buckets", &filters, buckets.len());
    Ok(reply::pretty(
        StatusCode::OK,
        &BucketsView { links, buckets },
    ))
}

async fn find(
    transaction: &mut dyn Transaction,
    filter: Filter,
    after: Option<BucketId>,
    page: Page,
) -> Result<Vec<Bucket>, ApiError> {
    if let Some(id) = filter.id {
        let found = transaction.buckets().find(id).await?;
        return found
            .map(|b| vec![b])
            .ok_or(ApiError::not_found("bucket not found"));
    }
    let org = match (filter.org_id, &filter.org) {
        (Some(id), _) => Some(id),
        (None, Some(name)) => Some(find_org_by_name(transaction, name).await?),
        (None, None) => None,
    };
    let list = match (org, filter.name) {
        (Some(org), Some(name)) => {
            let found = transaction.buckets().find_by_name(org, &name).await?;
            return found.map(|b| vec![b]).ok_or_else(|| unknown_bucket(&name));
        }
        (Some(org), None) => BucketList::OfOrganization(org),
        (None, Some(name)) => BucketList::OfName(name),
        (None, None) => BucketList::All,
    };
    let filter = BucketFilter { list, after };
    Ok(transaction.buckets().list(&filter, page).await?)
}

async fn find_org_by_name(
    transaction: &mut dyn Transaction,
    name: &str,
) -> Result<OrgId, ApiError> {
    if name.parse::<OrgId>().is_err() {
        return find_org(transaction, name).await;
    }
    let found = transaction.organizations().find_by_name(name).await?;
    let missing = || ApiError::not_found(format!("organization name \"{name}\" not found"));
    found.map(|org| org.id).ok_or_else(missing)
}
