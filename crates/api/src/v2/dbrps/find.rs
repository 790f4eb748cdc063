//! Finding a mapping, physical or virtual.

use influxd_model::{AnyId, Bucket, BucketId, Dbrp, DbrpId, OrgId};
use influxd_store::Transaction;

use crate::error::ApiError;

/// What an id means in an organization.
pub(super) enum Found {
    /// A mapping that was made, and its bucket.
    Physical(Dbrp, Bucket),
    /// The bucket whose name implies the mapping.
    Virtual(Bucket),
}

/// The mapping with this id: a physical one, else the virtual one of the bucket with this id.
pub(super) async fn find(
    transaction: &mut dyn Transaction,
    org: OrgId,
    id: AnyId,
) -> Result<Option<Found>, ApiError> {
    let (Some(dbrp), Some(bucket)) = (DbrpId::new(id.get()), BucketId::new(id.get())) else {
        return Ok(None);
    };
    let dbrp = transaction.dbrps().find(org, dbrp).await?;
    if let Some(dbrp) = dbrp {
        let bucket = transaction.buckets().find(dbrp.bucket).await?;
        return Ok(bucket.map(|bucket| Found::Physical(dbrp, bucket)));
    }
    let bucket = transaction.buckets().find(bucket).await?;
    Ok(bucket
        .filter(|bucket| bucket.org == org)
        .map(Found::Virtual))
}
