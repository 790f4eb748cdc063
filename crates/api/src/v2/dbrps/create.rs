//! `POST /api/v2/dbrps`

use std::borrow::Cow;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use influxd_model::{Action, BucketId, Dbrp, IdError, Permission};
use influxd_store::{StoreError, Unique};

use crate::body::Body;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::json::{DecodeError, Fields};
use crate::permit::{on_bucket_id, require};
use crate::reply;
use crate::state::AppState;
use crate::v2::dbrps::view::DbrpView;
use crate::v2::dbrps::{OrgChoice, check_name, taken};
use crate::v2::ids::{TRIES, exhausted};

#[derive(Clone)]
struct Request {
    database: String,
    policy: String,
    is_default: bool,
    org_id: Option<String>,
    org: Option<String>,
    bucket_id: String,
}

fn decode(body: &Body) -> Result<Request, DecodeError> {
    let mut fields = Fields::read(&body.0, "createDBRPRequest")?;
    Ok(Request {
        database: fields.string("database")?.unwrap_or_default(),
        policy: fields.string("retention_policy")?.unwrap_or_default(),
        is_default: fields.boolean("default")?.unwrap_or_default(),
        org_id: fields.string("orgID")?.filter(|text| !text.is_empty()),
        org: fields.string("org")?.filter(|text| !text.is_empty()),
        bucket_id: fields.string("bucketID")?.unwrap_or_default(),
    })
}

/// Maps a database and a policy to a bucket. The order of the checks is part of the contract
/// (auth-and-resources 9.6); a bucket of another organization does not exist.
pub(crate) async fn create(
    caller: Caller,
    state: web::Data<AppState>,
    body: Body,
) -> Result<HttpResponse, ApiError> {
    let request = decode(&body)
        .map_err(|error| ApiError::invalid(format!("invalid json structure: {error}")))?;
    let given = |text: &Option<String>| text.clone().map(Cow::Owned);
    let choice = OrgChoice::of(given(&request.org_id), given(&request.org))?;
    let shared = state.clone().into_inner();
    let stored = state
        .change(move || {
            insert(
                shared.clone(),
                caller.clone(),
                choice.clone(),
                request.clone(),
            )
        })
        .await?;
    state.changed();
    tracing::info!(
        dbrp.id = %stored.id, bucket.id = %stored.bucket, org.id = %stored.org,
        "created mapping {}", stored.id
    );
    Ok(reply::pretty(
        StatusCode::CREATED,
        &DbrpView::physical(&stored),
    ))
}

async fn insert(
    state: Arc<AppState>,
    caller: Caller,
    choice: OrgChoice,
    request: Request,
) -> Result<Dbrp, ApiError> {
    let mut transaction = state.store.begin().await?;
    let org = choice.resolve(&mut *transaction).await?;
    let bucket_id: BucketId = request.bucket_id.parse().map_err(|error: IdError| {
        ApiError::invalid(format!(
            "invalid bucket ID \"{}\": {error}",
            request.bucket_id
        ))
    })?;
    require(&caller, &on_bucket_id(Action::Write, org, bucket_id.into()))?;
    check_name("database", &request.database)?;
    check_name("retentionPolicy", &request.policy)?;
    let missing = || ApiError::not_found("bucket not found");
    let bucket = transaction
        .buckets()
        .find(bucket_id)
        .await?
        .filter(|bucket| bucket.org == org)
        .ok_or_else(missing)?;
    require(&caller, &Permission::on_bucket(Action::Read, &bucket))?;
    let mut new = Dbrp {
        id: state.ids.dbrp(),
        org,
        bucket: bucket_id,
        database: request.database,
        policy: request.policy,
        is_default: request.is_default,
    };
    for _ in 0..TRIES {
        let inserted = transaction.dbrps().insert(&new).await;
        match inserted {
            Err(StoreError::Conflict(Unique::Id)) => new.id = state.ids.dbrp(),
            Err(StoreError::Conflict(Unique::DbrpNames)) => return Err(taken()),
            Err(StoreError::NotFound(what)) => return Err(ApiError::gone(what)),
            result => {
                let stored = result?;
                transaction.commit().await?;
                return Ok(stored);
            }
        }
    }
    Err(exhausted())
}
