//! `POST /api/v2/orgs`

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use influxd_model::{Action, MemberOf, Membership, Organization, Permission, ResourceType, Role};
use influxd_store::{StoreError, Unique};
use influxd_tokens::system_buckets;

use crate::body::{Body, unmarshal};
use crate::caller::Caller;
use crate::error::ApiError;
use crate::json::{DecodeError, Fields};
use crate::permit::require;
use crate::reply;
use crate::state::AppState;
use crate::text::refuse_nul;
use crate::v2::orgs::view::OrgView;
use crate::v2::orgs::{check_name, taken};
use crate::v2::tries::Tries;

/// Makes an organization with its two system buckets; the caller's user becomes its owner.
pub(crate) async fn create(
    caller: Caller,
    state: web::Data<AppState>,
    body: Body,
) -> Result<HttpResponse, ApiError> {
    let (name, description) = decode(&body).map_err(unmarshal)?;
    require(
        &caller,
        &Permission::on_type(Action::Write, ResourceType::Orgs),
    )?;
    check_name(&name)?;
    refuse_nul(&[&description])?;
    let now = state.clock.now();
    let mut organization = Organization {
        id: state.ids.org(),
        name,
        description,
        created_at: now,
        updated_at: now,
    };
    let (owner, store, ids) = (caller.user.id, state.store.clone(), state.ids.clone());
    let work = async move {
        let mut transaction = store.begin().await?;
        let mut tries = Tries::default();
        loop {
            match transaction.organizations().insert(&organization).await {
                Err(StoreError::Conflict(Unique::Id)) => {
                    tries.failed()?;
                    organization.id = ids.org();
                }
                Err(StoreError::Conflict(Unique::OrganizationName)) => {
                    return Err(taken(&organization.name));
                }
                result => break result?,
            }
        }
        for mut bucket in system_buckets(&ids, organization.id, now) {
            while let Err(error) = transaction.buckets().insert(&bucket).await {
                let StoreError::Conflict(Unique::Id) = error else {
                    return Err(error.into());
                };
                tries.failed()?;
                bucket.id = ids.bucket();
            }
        }
        let owner = Membership {
            user: owner,
            of: MemberOf::Organization(organization.id),
            role: Role::Owner,
        };
        transaction.memberships().insert(&owner).await?;
        transaction.commit().await?;
        Ok(organization)
    };
    let organization = state.run(work).await?;
    state.changed();
    // The owner's sessions may do more now.
    state.resolver.forget();
    let id = organization.id;
    tracing::info!(org.id = %id, "created organization {id}");
    Ok(reply::pretty(
        StatusCode::CREATED,
        &OrgView::of(&organization),
    ))
}

fn decode(body: &Body) -> Result<(String, String), DecodeError> {
    let mut fields = Fields::read(&body.0, "postOrgRequest")?;
    Ok((
        fields.string("name")?.unwrap_or_default(),
        fields.string("description")?.unwrap_or_default(),
    ))
}
