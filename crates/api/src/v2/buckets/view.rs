//! A bucket on the wire (auth-and-resources 9.4).

use std::collections::HashMap;

use influxd_model::{Bucket, BucketId, BucketKind};
use influxd_store::{Result, Transaction};
use influxd_tokens::Caller;
use serde::Serialize;
use utoipa::ToSchema;

use crate::time::rfc3339;
use crate::v2::labels::sees_label;
use crate::v2::labels::view::LabelView;

/// Nanoseconds in a second.
pub(crate) const SECOND: i64 = 1_000_000_000;

/// A bucket: where points are kept.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Bucket)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BucketView {
    id: String,
    #[serde(rename = "orgID")]
    org_id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    name: String,
    #[serde(rename = "rp", skip_serializing_if = "String::is_empty")]
    policy: String,
    #[schema(value_type = Vec<RetentionRule>)]
    retention_rules: [RetentionRule; 1],
    created_at: String,
    updated_at: String,
    links: Links,
    labels: Vec<LabelView>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RetentionRule {
    #[serde(rename = "type")]
    kind: &'static str,
    every_seconds: i64,
    shard_group_duration_seconds: i64,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BucketLinks)]
struct Links {
    labels: String,
    members: String,
    org: String,
    owners: String,
    #[serde(rename = "self")]
    own: String,
    write: String,
}

/// Labels of buckets, by bucket.
pub(super) type Labels = HashMap<BucketId, Vec<LabelView>>;

/// Those of the labels of `buckets` that the caller may read.
pub(super) async fn labels(
    transaction: &mut dyn Transaction,
    caller: &Caller,
    buckets: &[BucketId],
) -> Result<Labels> {
    let mut labels = Labels::new();
    if buckets.is_empty() {
        return Ok(labels);
    }
    for (bucket, label) in transaction.labels().of_buckets(buckets).await? {
        if sees_label(caller, &label) {
            labels
                .entry(bucket)
                .or_default()
                .push(LabelView::of(&label));
        }
    }
    Ok(labels)
}

impl BucketView {
    /// With its labels, which are taken out of `labels`.
    pub(super) fn labelled(bucket: &Bucket, labels: &mut Labels) -> Self {
        Self {
            labels: labels.remove(&bucket.id).unwrap_or_default(),
            ..Self::of(bucket)
        }
    }

    /// Without labels: that is how it is shown where it was made or changed.
    pub(crate) fn of(bucket: &Bucket) -> Self {
        let (id, org) = (bucket.id, bucket.org);
        Self {
            id: id.to_string(),
            org_id: org.to_string(),
            kind: match bucket.kind {
                BucketKind::User => "user",
                BucketKind::System => "system",
            },
            description: bucket.description.clone(),
            name: bucket.name.clone(),
            policy: bucket.policy.clone(),
            retention_rules: [RetentionRule {
                kind: "expire",
                every_seconds: bucket.retention.unwrap_or_default() / SECOND,
                shard_group_duration_seconds: bucket.shard_duration / SECOND,
            }],
            created_at: rfc3339(bucket.created_at),
            updated_at: rfc3339(bucket.updated_at),
            links: Links {
                labels: format!("/api/v2/buckets/{id}/labels"),
                members: format!("/api/v2/buckets/{id}/members"),
                org: format!("/api/v2/orgs/{org}"),
                owners: format!("/api/v2/buckets/{id}/owners"),
                own: format!("/api/v2/buckets/{id}"),
                write: format!("/api/v2/write?org={org}&bucket={id}"),
            },
            labels: Vec::new(),
        }
    }
}
