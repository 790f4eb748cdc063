//! `POST /api/v2/orgs`

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use influxd_model::{
    Action, Bucket, MemberOf, Membership, Organization, Permission, ResourceType, Role, UserId,
};
use influxd_store::{Store, StoreError, Transaction, Unique};
use influxd_tokens::{Ids, system_buckets};

use crate::body::{Body, unmarshal};
use crate::caller::Caller;
use crate::error::ApiError;
use crate::json::{DecodeError, Fields};
use crate::permit::require;
use crate::reply;
use crate::state::AppState;
use crate::text::refuse_nul;
use crate::v2::ids::{TRIES, exhausted};
use crate::v2::orgs::view::OrgView;
use crate::v2::orgs::{check_name, taken};

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
    refuse_nul(&description)?;
    let now = state.clock.now();
    let organization = Organization {
        id: state.ids.org(),
        name,
        description,
        created_at: now,
        updated_at: now,
    };
    let (owner, store, ids) = (caller.user.id, state.store.clone(), state.ids.clone());
    let work = move || make(store.clone(), ids.clone(), organization.clone(), owner);
    let organization = state.change(work).await?;
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

async fn make(
    store: Arc<dyn Store>,
    ids: Arc<Ids>,
    mut organization: Organization,
    owner: UserId,
) -> Result<Organization, ApiError> {
    let mut transaction = store.begin().await?;
    insert(&mut *transaction, &ids, &mut organization).await?;
    for bucket in system_buckets(&ids, organization.id, organization.created_at) {
        insert_bucket(&mut *transaction, &ids, bucket).await?;
    }
    let owner = Membership {
        user: owner,
        of: MemberOf::Organization(organization.id),
        role: Role::Owner,
    };
    transaction.memberships().insert(&owner).await?;
    transaction.commit().await?;
    Ok(organization)
}

/// Adds an organization, under another id if its own is taken.
async fn insert(
    transaction: &mut dyn Transaction,
    ids: &Ids,
    organization: &mut Organization,
) -> Result<(), ApiError> {
    for _ in 0..TRIES {
        match transaction.organizations().insert(organization).await {
            Err(StoreError::Conflict(Unique::Id)) => organization.id = ids.org(),
            Err(StoreError::Conflict(Unique::OrganizationName)) => {
                return Err(taken(&organization.name));
            }
            result => return Ok(result?),
        }
    }
    Err(exhausted())
}

/// Adds a bucket, under another id if its own is taken.
async fn insert_bucket(
    transaction: &mut dyn Transaction,
    ids: &Ids,
    mut bucket: Bucket,
) -> Result<(), ApiError> {
    for _ in 0..TRIES {
        match transaction.buckets().insert(&bucket).await {
            Err(StoreError::Conflict(Unique::Id)) => bucket.id = ids.bucket(),
            result => return Ok(result?),
        }
    }
    Err(exhausted())
}

fn decode(body: &Body) -> Result<(String, String), DecodeError> {
    let mut fields = Fields::read(&body.0, "postOrgRequest")?;
    Ok((
        fields.string("name")?.unwrap_or_default(),
        fields.string("description")?.unwrap_or_default(),
    ))
}
