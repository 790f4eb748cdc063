//! What sub-resources hang on: an organization or a bucket that the caller can see
//! (auth-and-resources 1.1 and 1.7).

use influxd_model::{Action, Bucket, BucketId, IdError, OrgId, Organization};
use influxd_store::Transaction;
use influxd_tokens::Caller;

use crate::error::ApiError;
use crate::permit::{holds, on_org, sees_bucket};

/// The id of a parent, as the path has it.
pub(crate) fn id<T: std::str::FromStr<Err = IdError>>(text: &str) -> Result<T, ApiError> {
    text.parse()
        .map_err(|error| ApiError::invalid(format!("corrupt ID provided: {error}")))
}

/// The organization with this id; to who cannot read it, it does not exist.
pub(crate) async fn organization(
    transaction: &mut dyn Transaction,
    caller: &Caller,
    id: OrgId,
) -> Result<Organization, ApiError> {
    if !holds(caller, &on_org(Action::Read, id)) {
        return Err(unknown());
    }
    let found = transaction.organizations().find(id).await?;
    found.ok_or_else(unknown)
}

/// The bucket with this id; to who cannot read it, it does not exist.
pub(crate) async fn bucket(
    transaction: &mut dyn Transaction,
    caller: &Caller,
    id: BucketId,
) -> Result<Bucket, ApiError> {
    let found = transaction.buckets().find(id).await?;
    found
        .filter(|bucket| sees_bucket(caller, bucket))
        .ok_or_else(unknown)
}

/// What a parent that does not exist, or cannot be seen, comes to.
pub(crate) fn unknown() -> ApiError {
    ApiError::not_found("404 page not found")
}
