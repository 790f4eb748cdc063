//! `PATCH /api/v2/buckets/{id}`

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use influxd_model::{Action, Bucket, BucketId, Permission, normalize_shard_duration};
use influxd_store::{StoreError, Unique};
use influxd_tokens::{RetentionError, check_retention};

use crate::body::{Body, unmarshal};
use crate::caller::Caller;
use crate::error::{ApiError, ErrorCode};
use crate::json::{DecodeError, Fields};
use crate::permit::require;
use crate::reply;
use crate::state::AppState;
use crate::text::refuse_nul;
use crate::v2::buckets::rules::{self, GivenRule};
use crate::v2::buckets::view::BucketView;

#[derive(Clone)]
struct Request {
    name: Option<String>,
    description: Option<String>,
    rules: Vec<GivenRule>,
}

fn decode(body: &Body) -> Result<Request, DecodeError> {
    let mut fields = Fields::read_change(&body.0, "bucketUpdate")?;
    Ok(Request {
        name: fields.string("name")?,
        description: fields.string("description")?,
        rules: rules::read(&mut fields)?,
    })
}

/// Changes a bucket: all of it, or nothing.
pub(crate) async fn update(
    caller: Caller,
    state: web::Data<AppState>,
    id: web::Path<String>,
    body: Body,
) -> Result<HttpResponse, ApiError> {
    let id: BucketId = id.parse()?;
    let request = decode(&body).map_err(unmarshal)?;
    let rule = rules::check(&request.rules)?;
    let (store, now) = (state.store.clone(), state.clock.now());
    let work = move || {
        let (store, caller, request) = (store.clone(), caller.clone(), request.clone());
        async move {
            let mut transaction = store.begin().await?;
            let found = transaction.buckets().find(id).await?;
            let mut bucket = found.ok_or(ApiError::not_found("bucket not found"))?;
            if request.name.is_some() {
                require(&caller, &Permission::on_bucket(Action::Read, &bucket))?;
            }
            require(&caller, &Permission::on_bucket(Action::Write, &bucket))?;
            if let Some(rule) = rule {
                change_retention(&mut bucket, rule)?;
            }
            if let Some(name) = request.name {
                rename(&mut bucket, name)?;
            }
            if let Some(description) = request.description {
                refuse_nul(&description)?;
                bucket.description = description;
            }
            bucket.updated_at = now;
            match transaction.buckets().update(&bucket).await {
                Err(StoreError::Conflict(Unique::BucketName)) => {
                    return Err(ApiError::conflict("bucket name is not unique"));
                }
                Err(StoreError::NotFound(_)) => {
                    return Err(ApiError::not_found("bucket not found"));
                }
                result => result?,
            }
            transaction.commit().await?;
            Ok(bucket)
        }
    };
    let bucket = state.change(work).await?;
    state.changed();
    tracing::info!(bucket.id = %id, "changed bucket {id}");
    Ok(reply::pretty(StatusCode::OK, &BucketView::of(&bucket)))
}

/// What is not given stays; a retention of 0 is for ever.
fn change_retention(bucket: &mut Bucket, rule: GivenRule) -> Result<(), ApiError> {
    let retention = rule.every.map_or(bucket.retention, rules::retention);
    let shard_duration = match rule.shard_duration {
        Some(asked) => normalize_shard_duration(asked, retention),
        None => bucket.shard_duration,
    };
    bucket.shard_duration = check_retention(retention, shard_duration).map_err(|error| {
        match error {
            RetentionError::TooShort => ApiError::new(ErrorCode::Internal, error.to_string()),
            RetentionError::BelowShard => ApiError::new(
                ErrorCode::Unprocessable,
                "shard-group duration must also be updated to be smaller than new retention duration",
            ),
        }
    })?;
    bucket.retention = retention;
    Ok(())
}

fn rename(bucket: &mut Bucket, name: String) -> Result<(), ApiError> {
    if name == bucket.name {
        return Ok(());
    }
    if bucket.is_system() {
        return Err(ApiError::invalid("system buckets cannot be renamed"));
    }
    rules::check_name(&name)?;
    bucket.name = name;
    Ok(())
}
