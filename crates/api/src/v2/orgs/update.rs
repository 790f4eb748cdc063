//! `PATCH /api/v2/orgs/{id}`

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use influxd_model::{Action, OrgId};
use influxd_store::{StoreError, Unique};

use crate::body::{Body, unmarshal};
use crate::caller::Caller;
use crate::error::ApiError;
use crate::json::{DecodeError, Fields};
use crate::permit::{on_org, require};
use crate::reply;
use crate::state::AppState;
use crate::text::refuse_nul;
use crate::v2::orgs::view::OrgView;
use crate::v2::orgs::{check_name, taken};

#[derive(Clone)]
struct Request {
    name: Option<String>,
    description: Option<String>,
}

fn decode(body: &Body) -> Result<Request, DecodeError> {
    let mut fields = Fields::read_change(&body.0, "updateOrgRequest")?;
    Ok(Request {
        name: fields.string("name")?,
        description: fields.string("description")?,
    })
}

/// Renames or describes an organization. Whether the caller may comes before whether it exists.
pub(crate) async fn update(
    caller: Caller,
    state: web::Data<AppState>,
    id: web::Path<String>,
    body: Body,
) -> Result<HttpResponse, ApiError> {
    let id: OrgId = id.parse()?;
    let request = decode(&body).map_err(unmarshal)?;
    require(&caller, &on_org(Action::Write, id))?;
    let (store, now) = (state.store.clone(), state.clock.now());
    let work = move || {
        let (store, request) = (store.clone(), request.clone());
        async move {
            let missing = || ApiError::not_found("organization not found");
            let mut transaction = store.begin().await?;
            let found = transaction.organizations().find(id).await?;
            let mut organization = found.ok_or_else(missing)?;
            if let Some(name) = request.name {
                check_name(&name)?;
                organization.name = name;
            }
            if let Some(description) = request.description {
                refuse_nul(&description)?;
                organization.description = description;
            }
            organization.updated_at = now;
            match transaction.organizations().update(&organization).await {
                Err(StoreError::Conflict(Unique::OrganizationName)) => {
                    return Err(taken(&organization.name));
                }
                Err(StoreError::NotFound(_)) => return Err(missing()),
                result => result?,
            }
            transaction.commit().await?;
            Ok(organization)
        }
    };
    let organization = state.change(work).await?;
    state.changed();
    tracing::info!(org.id = %id, "changed organization {id}");
    Ok(reply::pretty(StatusCode::OK, &OrgView::of(&organization)))
}
