//! `POST /api/v2/buckets`

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use influxd_model::{Action, Bucket, BucketKind, OrgId};
use influxd_store::{Store, StoreError, Unique};
use influxd_tokens::{Ids, check_retention};

use crate::body::{Body, unmarshal};
use crate::caller::Caller;
use crate::error::{ApiError, ErrorCode};
use crate::json::{DecodeError, Fields};
use crate::permit::{on_buckets_of, require};
use crate::reply;
use crate::state::AppState;
use crate::text::refuse_nul;
use crate::v2::buckets::rules::{self, GivenRule};
use crate::v2::buckets::view::BucketView;
use crate::v2::ids::{TRIES, exhausted};

struct Request {
    org: Option<OrgId>,
    name: String,
    description: String,
    policy: String,
    rules: Vec<GivenRule>,
}

fn decode(body: &Body) -> Result<Request, DecodeError> {
    let mut fields = Fields::read(&body.0, "postBucketRequest")?;
    Ok(Request {
        org: fields.id("orgID")?,
        name: fields.string("name")?.unwrap_or_default(),
        description: fields.string("description")?.unwrap_or_default(),
        policy: fields.string("rp")?.unwrap_or_default(),
        rules: rules::read(&mut fields)?,
    })
}

/// Makes a bucket. The order of the checks is part of the contract (auth-and-resources 9.4).
pub(crate) async fn create(
    caller: Caller,
    state: web::Data<AppState>,
    body: Body,
) -> Result<HttpResponse, ApiError> {
    let request = decode(&body).map_err(unmarshal)?;
    let org = request
        .org
        .ok_or(ApiError::invalid("organization id must be provided"))?;
    let rule = rules::check(&request.rules)?.unwrap_or_default();
    require(&caller, &on_buckets_of(Action::Write, org))?;
    rules::check_name(&request.name)?;
    refuse_nul(&request.description)?;
    refuse_nul(&request.policy)?;
    let retention = rules::retention(rule.every.unwrap_or_default());
    let shard_duration = check_retention(retention, rule.shard_duration.unwrap_or_default())
        .map_err(|error| error.to_string());
    let now = state.clock.now();
    let bucket = Bucket {
        id: state.ids.bucket(),
        org,
        name: request.name,
        kind: BucketKind::User,
        description: request.description,
        policy: request.policy,
        retention,
        shard_duration: 0,
        created_at: now,
        updated_at: now,
    };
    let (store, ids) = (state.store.clone(), state.ids.clone());
    let work = move || {
        let new = (bucket.clone(), shard_duration.clone());
        insert(store.clone(), ids.clone(), new)
    };
    let bucket = state.change(work).await?;
    state.changed();
    tracing::info!(bucket.id = %bucket.id, org.id = %org, "created bucket {}", bucket.id);
    Ok(reply::pretty(StatusCode::CREATED, &BucketView::of(&bucket)))
}

/// Adds a bucket, under another id if its own is taken. A shard duration that cannot be matters
/// only if there is nothing else to say.
async fn insert(
    store: Arc<dyn Store>,
    ids: Arc<Ids>,
    (mut bucket, shard_duration): (Bucket, Result<i64, String>),
) -> Result<Bucket, ApiError> {
    let missing = || ApiError::not_found("organization not found");
    let taken = |bucket: &Bucket| {
        ApiError::conflict(format!("bucket with name {} already exists", bucket.name))
    };
    let org = bucket.org;
    let mut transaction = store.begin().await?;
    if transaction.organizations().find(org).await?.is_none() {
        return Err(missing());
    }
    let named = transaction
        .buckets()
        .find_by_name(org, &bucket.name)
        .await?;
    if named.is_some() {
        return Err(taken(&bucket));
    }
    bucket.shard_duration =
        shard_duration.map_err(|error| ApiError::new(ErrorCode::Internal, error))?;
    for _ in 0..TRIES {
        let inserted = transaction.buckets().insert(&bucket).await;
        match inserted {
            Err(StoreError::Conflict(Unique::Id)) => bucket.id = ids.bucket(),
            Err(StoreError::Conflict(Unique::BucketName)) => return Err(taken(&bucket)),
            Err(StoreError::NotFound(_)) => return Err(missing()),
            result => {
                result?;
                transaction.commit().await?;
                return Ok(bucket);
            }
        }
    }
    Err(exhausted())
}
