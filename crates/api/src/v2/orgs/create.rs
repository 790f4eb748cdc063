//! `POST /api/v2/orgs`

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use influxd_model::{Action, MemberOf, Membership, Organization, Permission, ResourceType, Role};
use influxd_store::{StoreError, Unique};
use influxd_tokens::{MAX_NAME, system_buckets};

use crate::body::Body;
use crate::caller::Caller;
use crate::error::{ApiError, ErrorCode};
use crate::json::{DecodeError, Fields};
use crate::permit::require;
use crate::reply;
use crate::state::AppState;
use crate::v2::orgs::view::OrgView;

/// Makes an organization with its two system buckets; the caller's user becomes its owner.
pub(crate) async fn create(
    caller: Caller,
    state: web::Data<AppState>,
    body: Body,
) -> Result<HttpResponse, ApiError> {
    let (name, description) = decode(&body)
        .map_err(|error| ApiError::invalid(format!("failed to unmarshal json: {error}")))?;
    require(
        &caller,
        &Permission::on_type(Action::Write, ResourceType::Orgs),
    )?;
    if name.trim().is_empty() {
        return Err(ApiError::invalid("org name is empty"));
    }
    if name.len() > MAX_NAME {
        return Err(ApiError::new(ErrorCode::TooLarge, "key too large"));
    }
    let now = state.clock.now();
    let organization = Organization {
        id: state.ids.org(),
        name,
        description,
        created_at: now,
        updated_at: now,
    };
    let view = OrgView::of(&organization);
    let buckets = system_buckets(&state.ids, organization.id, now);
    let (id, owner, store) = (organization.id, caller.user.id, state.store.clone());
    let work = async move {
        let mut transaction = store.begin().await?;
        match transaction.organizations().insert(&organization).await {
            Err(StoreError::Conflict(Unique::OrganizationName)) => {
                return Err(ApiError::conflict(format!(
                    "organization with name {} already exists",
                    organization.name
                )));
            }
            result => result?,
        }
        for bucket in &buckets {
            transaction.buckets().insert(bucket).await?;
        }
        let owner = Membership {
            user: owner,
            of: MemberOf::Organization(organization.id),
            role: Role::Owner,
        };
        transaction.memberships().insert(&owner).await?;
        Ok(transaction.commit().await?)
    };
    state.run(work).await?;
    state.changed();
    tracing::info!(org.id = %id, "created organization {id}");
    Ok(reply::pretty(StatusCode::CREATED, &view))
}

fn decode(body: &Body) -> Result<(String, String), DecodeError> {
    let mut fields = Fields::read(&body.0, "postOrgRequest")?;
    Ok((
        fields.string("name")?.unwrap_or_default(),
        fields.string("description")?.unwrap_or_default(),
    ))
}
