//! `/api/v2/buckets/{id}/labels`

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use influxd_model::{Action, Bucket, BucketId, Label, LabelId, Permission};
use influxd_store::{StoreError, Transaction, Unique};

use super::view::{LabelsView, SingleView};
use super::{missing, on_label, sees_label};
use crate::body::{Body, unmarshal};
use crate::caller::Caller;
use crate::error::ApiError;
use crate::json::{DecodeError, Fields};
use crate::permit::require;
use crate::reply;
use crate::state::AppState;
use crate::v2::parent;

/// Lists those of a bucket's labels that the caller may read.
pub(super) async fn list(
    caller: Caller,
    state: web::Data<AppState>,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let id: BucketId = parent::id(&id)?;
    let store = state.store.clone();
    let work = async move {
        let mut transaction = store.begin_read().await?;
        parent::bucket(&mut *transaction, &caller, id).await?;
        let found = transaction.labels().of_buckets(&[id]).await?;
        let labels = found.iter().map(|(_, label)| label);
        Ok(LabelsView::of(
            labels.filter(|label| sees_label(&caller, label)),
        ))
    };
    Ok(reply::pretty(StatusCode::OK, &state.run(work).await?))
}

fn decode(body: &Body) -> Result<Option<LabelId>, DecodeError> {
    Fields::read(&body.0, "labelMapping")?.id("labelID")
}

/// Puts a label on a bucket.
pub(super) async fn attach(
    caller: Caller,
    state: web::Data<AppState>,
    id: web::Path<String>,
    body: Body,
) -> Result<HttpResponse, ApiError> {
    let id: BucketId = parent::id(&id)?;
    let store = state.store.clone();
    let body = Arc::new(body);
    let work = move || {
        let (store, caller, body) = (store.clone(), caller.clone(), body.clone());
        async move {
            let mut transaction = store.begin().await?;
            let bucket = parent::bucket(&mut *transaction, &caller, id).await?;
            let label = decode(&body)
                .map_err(unmarshal)?
                .ok_or(ApiError::invalid("label id is required"))?;
            let label = find(&mut *transaction, &bucket, label).await?;
            require(&caller, &on_label(Action::Read, &label))?;
            require_both(&caller, &bucket, &label)?;
            match transaction.labels().attach(id, label.id).await {
                Err(StoreError::Conflict(Unique::LabelMapping)) => {
                    return Err(ApiError::conflict(
                        "Cannot add label, label already exists on resource",
                    ));
                }
                Err(StoreError::NotFound(what)) => return Err(ApiError::gone(what)),
                result => result?,
            }
            transaction.commit().await?;
            Ok(label)
        }
    };
    let label = state.change(work).await?;
    tracing::info!(bucket.id = %id, label.id = %label.id, "labelled bucket {id}");
    Ok(reply::pretty(StatusCode::CREATED, &SingleView::of(&label)))
}

/// Takes a label off a bucket; it need not be there.
pub(super) async fn detach(
    caller: Caller,
    state: web::Data<AppState>,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let (id, label) = path.into_inner();
    let id: BucketId = parent::id(&id)?;
    let store = state.store.clone();
    let work = move || {
        let (store, caller, label) = (store.clone(), caller.clone(), label.clone());
        async move {
            let mut transaction = store.begin().await?;
            let bucket = parent::bucket(&mut *transaction, &caller, id).await?;
            let label = find(&mut *transaction, &bucket, label.parse()?).await?;
            require_both(&caller, &bucket, &label)?;
            transaction.labels().detach(id, label.id).await?;
            transaction.commit().await?;
            Ok(label.id)
        }
    };
    let label = state.change(work).await?;
    tracing::info!(bucket.id = %id, label.id = %label, "took a label off bucket {id}");
    Ok(reply::no_content())
}

/// The label with this id. One of another organization does not exist for the bucket.
async fn find(
    transaction: &mut dyn Transaction,
    bucket: &Bucket,
    id: LabelId,
) -> Result<Label, ApiError> {
    let found = transaction.labels().find(id).await?;
    found
        .filter(|label| label.org == bucket.org)
        .ok_or_else(missing)
}

fn require_both(caller: &Caller, bucket: &Bucket, label: &Label) -> Result<(), ApiError> {
    require(caller, &on_label(Action::Write, label))?;
    require(caller, &Permission::on_bucket(Action::Write, bucket))
}
