//! `POST /api/v2/delete`

mod predicate;
mod request;
mod scan;

use actix_web::{HttpRequest, HttpResponse, web};
use influxd_engine::predicate::Predicate;
use influxd_engine::source::Delete;
use influxd_model::{Action, Bucket, BucketId, Permission};
use influxd_store::{Store, StoreError};
use utoipa::ToSchema;

use crate::body::Body;
use crate::caller::Caller;
use crate::directory::{find_org, unknown_bucket};
use crate::error::{ApiError, ErrorCode};
use crate::permit::holds;
use crate::query_string::Query;
use crate::reply;
use crate::routes::operation::Verb::Post;
use crate::routes::operation::{Answer, Group, Operation, Style};
use crate::state::AppState;
use crate::v2::target;

/// What is to be deleted.
#[derive(ToSchema)]
#[schema(as = DeletePredicateRequest)]
#[expect(dead_code, reason = "describes a body that is taken apart by hand")]
struct DeleteBody {
    /// RFC 3339.
    start: String,
    /// RFC 3339.
    stop: String,
    /// Comparisons of tags, joined by AND.
    predicate: Option<String>,
}

pub(crate) const GROUP: Group = Group {
    root: "/api/v2/delete",
    style: Style::Compact,
    operations: &[Operation::new(
        (Post, "/api/v2/delete"),
        || web::to(delete),
        ("PostDelete", "Deletes points"),
        &[Answer::empty(204)],
    )
    .query(&[
        ("org", "the organization, by name or id"),
        ("orgID", "the organization, by id"),
        ("bucket", "the bucket, by name or id"),
        ("bucketID", "the bucket, by id"),
    ])
    .takes::<DeleteBody>()
    .errors(&[404])],
};

/// How a request names its bucket.
enum BucketChoice {
    Id(BucketId),
    Name(String),
}

/// Deletes points in a range of time whose series satisfy a condition (data-endpoints 7). The
/// body is looked at before anything else.
async fn delete(
    caller: Caller,
    state: web::Data<AppState>,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, ApiError> {
    let asked = request::read(&body.0)?;
    let query = Query::new(request.query_string());
    let org = target::org(query)?.into_owned();
    let choice = bucket_choice(query)?;
    let store = state.store.clone();
    let bucket = state
        .run(async move { find(&*store, &org, choice).await })
        .await?;
    if !holds(&caller, &Permission::on_bucket(Action::Write, &bucket)) {
        let message = "insufficient permissions to delete";
        return Err(ApiError::new(ErrorCode::Forbidden, message));
    }
    if !asked.range.is_empty() && !matches!(asked.condition.predicate, Predicate::None) {
        let delete = Delete {
            measurement: asked.condition.measurement,
            range: asked.range,
            predicate: asked.condition.predicate,
        };
        let (engine, id) = (state.engine.clone(), bucket.id);
        let work = async move {
            match engine.delete(id, delete).await {
                Err(StoreError::NotFound(_)) => Err(ApiError::not_found("bucket not found")),
                result => Ok(result?),
            }
        };
        state.run(work).await?;
    }
    Ok(reply::no_content())
}

fn bucket_choice(query: Query<'_>) -> Result<Option<BucketChoice>, ApiError> {
    if let Some(id) = query.get("bucketID") {
        return Ok(Some(BucketChoice::Id(id.parse()?)));
    }
    Ok(query.get("bucket").map(|bucket| match bucket.parse() {
        Ok(id) => BucketChoice::Id(id),
        Err(_) => BucketChoice::Name(bucket.into_owned()),
    }))
}

/// The organization is looked at before whether a bucket is named at all. A bucket of another
/// organization does not exist.
async fn find(
    store: &dyn Store,
    org: &str,
    choice: Option<BucketChoice>,
) -> Result<Bucket, ApiError> {
    let mut transaction = store.begin_read().await?;
    let org = find_org(&mut *transaction, org).await?;
    match choice.ok_or(ApiError::invalid(
        "Please provide either bucketID or bucket",
    ))? {
        BucketChoice::Id(id) => {
            let found = transaction.buckets().find(id).await?;
            let found = found.filter(|bucket| bucket.org == org);
            found.ok_or(ApiError::not_found("bucket not found"))
        }
        BucketChoice::Name(name) => {
            let found = transaction.buckets().find_by_name(org, &name).await?;
            found.ok_or_else(|| unknown_bucket(&name))
        }
    }
}
