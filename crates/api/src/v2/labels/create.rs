//! `POST /api/v2/labels`

use std::collections::BTreeMap;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use influxd_model::{Action, Label, OrgId};
use influxd_store::{Store, StoreError, Unique};
use influxd_tokens::Ids;

use super::view::SingleView;
use super::{check_name, on_labels, require_name, taken};
use crate::body::{Body, unmarshal};
use crate::caller::Caller;
use crate::error::ApiError;
use crate::json::{DecodeError, Fields};
use crate::permit::require;
use crate::reply;
use crate::state::AppState;
use crate::v2::ids::{TRIES, exhausted};

struct Request {
    org: Option<OrgId>,
    name: String,
    properties: BTreeMap<String, String>,
}

fn decode(body: &Body) -> Result<Request, DecodeError> {
    let mut fields = Fields::read(&body.0, "postLabelRequest")?;
    Ok(Request {
        org: fields.id("orgID")?,
        name: fields.string("name")?.unwrap_or_default().trim().to_owned(),
        properties: fields.named_texts("properties")?.unwrap_or_default(),
    })
}

/// Makes a label.
pub(super) async fn create(
    caller: Caller,
    state: web::Data<AppState>,
    body: Body,
) -> Result<HttpResponse, ApiError> {
    let request = decode(&body).map_err(unmarshal)?;
    require_name(&request.name)?;
    let org = request.org.ok_or(ApiError::invalid("orgID is required"))?;
    require(&caller, &on_labels(Action::Write, org, None))?;
    check_name(&request.name)?;
    let label = Label {
        id: state.ids.label(),
        org,
        name: request.name,
        properties: request.properties,
    };
    let (store, ids) = (state.store.clone(), state.ids.clone());
    let work = move || insert(store.clone(), ids.clone(), label.clone());
    let label = state.change(work).await?;
    tracing::info!(label.id = %label.id, org.id = %org, "created label {}", label.id);
    Ok(reply::pretty(StatusCode::CREATED, &SingleView::of(&label)))
}

/// Adds a label, under another id if its own is taken.
async fn insert(store: Arc<dyn Store>, ids: Arc<Ids>, mut label: Label) -> Result<Label, ApiError> {
    let mut transaction = store.begin().await?;
    for _ in 0..TRIES {
        let inserted = transaction.labels().insert(&label).await;
        match inserted {
            Err(StoreError::Conflict(Unique::Id)) => label.id = ids.label(),
            Err(StoreError::Conflict(Unique::LabelName)) => return Err(taken(&label.name)),
            Err(StoreError::NotFound(_)) => {
                return Err(ApiError::not_found("organization not found"));
            }
            result => {
                result?;
                transaction.commit().await?;
                return Ok(label);
            }
        }
    }
    Err(exhausted())
}
