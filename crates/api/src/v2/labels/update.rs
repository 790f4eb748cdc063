//! `PATCH /api/v2/labels/{id}`

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use influxd_model::{Action, LabelId};
use influxd_store::{StoreError, Unique};

use super::view::SingleView;
use super::{check_name, missing, on_label, taken};
use crate::body::Body;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::json::{DecodeError, Fields};
use crate::permit::require;
use crate::reply;
use crate::state::AppState;

#[derive(Clone)]
struct Request {
    /// An empty one changes nothing.
    name: Option<String>,
    properties: BTreeMap<String, String>,
}

fn decode(body: &Body) -> Result<Request, DecodeError> {
    let mut fields = Fields::read(&body.0, "LabelUpdate")?;
    Ok(Request {
        name: fields.string("name")?.filter(|name| !name.is_empty()),
        properties: fields.named_texts("properties")?.unwrap_or_default(),
    })
}

/// Renames a label, or changes its properties: one that is given without a value goes.
pub(super) async fn update(
    caller: Caller,
    state: web::Data<AppState>,
    id: web::Path<String>,
    body: Body,
) -> Result<HttpResponse, ApiError> {
    let id: LabelId = id.parse()?;
    let request = decode(&body).map_err(|error| ApiError::invalid(error.to_string()))?;
    let store = state.store.clone();
    let work = move || {
        let (store, caller, request) = (store.clone(), caller.clone(), request.clone());
        async move {
            let mut transaction = store.begin().await?;
            let mut label = transaction.labels().find(id).await?.ok_or_else(missing)?;
            require(&caller, &on_label(Action::Write, &label))?;
            if let Some(name) = request.name {
                name.trim().clone_into(&mut label.name);
                check_name(&label.name)?;
            }
            for (key, value) in request.properties {
                if value.is_empty() {
                    label.properties.remove(&key);
                } else {
                    label.properties.insert(key, value);
                }
            }
            match transaction.labels().update(&label).await {
                Err(StoreError::Conflict(Unique::LabelName)) => return Err(taken(&label.name)),
                Err(StoreError::NotFound(_)) => return Err(missing()),
                result => result?,
            }
            transaction.commit().await?;
            Ok(label)
        }
    };
    let label = state.change(work).await?;
    tracing::info!(label.id = %id, "changed label {id}");
    Ok(reply::pretty(StatusCode::OK, &SingleView::of(&label)))
}
