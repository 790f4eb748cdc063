//! What a caller must hold (auth-and-resources 4.7).

use influxd_model::{Action, AnyId, AuthorizationId, Bucket, OrgId, Permission, ResourceType};
use influxd_tokens::Caller;

use crate::error::{ApiError, ErrorCode};

/// Refuses with 401 unless the caller holds `required`.
pub(crate) fn require(caller: &Caller, required: &Permission) -> Result<(), ApiError> {
    if holds(caller, required) {
        Ok(())
    } else {
        Err(ApiError::Denied(*required))
    }
}

/// Whether the caller holds `required`.
pub(crate) fn holds(caller: &Caller, required: &Permission) -> bool {
    caller.holds(required)
}

/// The authorization behind a request to a 1.x endpoint, and its organization. No session gets
/// there (auth-and-resources 8.6).
pub(crate) fn v1_authorization(caller: &Caller) -> Result<(AuthorizationId, OrgId), ApiError> {
    let missing = ApiError::new(ErrorCode::Unauthorized, "Unauthorized");
    caller.authorization().ok_or(missing)
}

/// Reading or changing one organization.
pub(crate) fn on_org(action: Action, org: OrgId) -> Permission {
    Permission {
        action,
        resource: ResourceType::Orgs,
        org: None,
        id: Some(org.into()),
    }
}

/// Making buckets in an organization.
pub(crate) const fn on_buckets_of(action: Action, org: OrgId) -> Permission {
    Permission {
        action,
        resource: ResourceType::Buckets,
        org: Some(org),
        id: None,
    }
}

/// What it takes to touch a bucket that may be another organization's, or not exist: the
/// permission as the request's own words have it.
pub(crate) const fn on_bucket_id(action: Action, org: OrgId, bucket: AnyId) -> Permission {
    Permission {
        action,
        resource: ResourceType::Buckets,
        org: Some(org),
        id: Some(bucket),
    }
}

/// Whether the caller may see a bucket.
pub(crate) fn sees_bucket(caller: &Caller, bucket: &Bucket) -> bool {
    holds(caller, &Permission::on_bucket(Action::Read, bucket))
}

/// What it takes to read the points of a bucket, and to see mappings that were made to it: that of
/// a system bucket is not the right to see it (auth-and-resources 4.7).
pub(crate) fn reading(bucket: &Bucket) -> Permission {
    on_bucket_id(Action::Read, bucket.org, bucket.id.into())
}

/// Whether the caller may see the mapping that a bucket has by its name: to see the bucket is not
/// enough where that takes another right than to read it.
pub(crate) fn sees_mapping_of(caller: &Caller, bucket: &Bucket) -> bool {
    sees_bucket(caller, bucket) && holds(caller, &reading(bucket))
}
