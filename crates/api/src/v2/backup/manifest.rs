//! The list of buckets in a backup (influx-client 4.4).

use std::collections::HashMap;

use influxd_model::OrgId;
use influxd_store::Snapshot;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BucketEntry<'a> {
    #[serde(rename = "organizationID")]
    organization_id: String,
    organization_name: &'a str,
    #[serde(rename = "bucketID")]
    bucket_id: String,
    bucket_name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    default_retention_policy: &'static str,
    retention_policies: [PolicyEntry; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PolicyEntry {
    name: &'static str,
    replica_n: u8,
    /// Nanoseconds; 0 is for ever.
    duration: i64,
    /// Nanoseconds.
    shard_group_duration: i64,
    /// Points are not part of a backup yet.
    shard_groups: [(); 0],
    subscriptions: [(); 0],
}

const POLICY: &str = "autogen";

/// The JSON document.
pub(super) fn of(snapshot: &Snapshot) -> Vec<u8> {
    let names: HashMap<OrgId, &str> = snapshot
        .organizations
        .iter()
        .map(|org| (org.id, org.name.as_str()))
        .collect();
    let entries: Vec<BucketEntry<'_>> = snapshot
        .buckets
        .iter()
        .map(|bucket| BucketEntry {
            organization_id: bucket.org.to_string(),
            organization_name: names.get(&bucket.org).copied().unwrap_or_default(),
            bucket_id: bucket.id.to_string(),
            bucket_name: &bucket.name,
            description: &bucket.description,
            default_retention_policy: POLICY,
            retention_policies: [PolicyEntry {
                name: POLICY,
                replica_n: 1,
                duration: bucket.retention.unwrap_or_default(),
                shard_group_duration: bucket.shard_duration,
                shard_groups: [],
                subscriptions: [],
            }],
        })
        .collect();
    serde_json::to_vec(&entries).expect("texts and numbers always serialize")
}
