//! Finding a mapping, physical or virtual.

use influxd_model::dbrp::{Mapping, blend};
use influxd_model::{AnyId, Bucket, BucketId, Dbrp, DbrpId, OrgId};
use influxd_store::{BucketFilter, DbrpFilter, Page, Transaction};

use crate::error::ApiError;
use crate::permit::{holds, reading, sees_mapping_of};

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

/// All mappings of an organization that the caller can see.
pub(super) async fn visible(
    transaction: &mut dyn Transaction,
    org: OrgId,
    caller: &influxd_tokens::Caller,
) -> Result<Vec<Mapping>, ApiError> {
    let physical = transaction
        .dbrps()
        .list(org, &DbrpFilter::default())
        .await?;
    let filter = BucketFilter {
        org: Some(org),
        ..BucketFilter::default()
    };
    let mut buckets = transaction.buckets().list(&filter, Page::ALL).await?;
    buckets.retain(|bucket| sees_mapping_of(caller, bucket));
    let mut seen: std::collections::HashSet<BucketId> = buckets.iter().map(|b| b.id).collect();
    for dbrp in &physical {
        // It may lead to a bucket of another organization.
        if !seen.contains(&dbrp.bucket)
            && let Some(bucket) = transaction.buckets().find(dbrp.bucket).await?
            && holds(caller, &reading(&bucket))
        {
            seen.insert(bucket.id);
        }
    }
    let all = blend(&physical, &buckets);
    Ok(influxd_model::dbrp::visible(all, |bucket| {
        seen.contains(&bucket)
    }))
}
