//! Deletes, and the field types that go with them (storage study 8.7).

use influxd_model::FieldType::{Float, String};
use influxd_model::{MAX_TIME, MIN_TIME};

use super::Subject;
use super::fixtures::{HOUR, NOON, assert_refused, bucket_id, fresh, tombstone, want};
use crate::{Forget, NewFreshChunk, NewTombstone, StoreError, shard_window};

/// With every column as it was.
pub async fn a_delete_is_followed(subject: Subject) {
    subject.with_buckets(&[1]).await;
    let new = tombstone(1, i64::MIN, i64::MAX, Forget::Nothing);
    let version = subject.chunks.bury(new.clone()).await.unwrap();
    let of_all = NewTombstone {
        measurement: None,
        predicate: Vec::new(),
        ..new.clone()
    };
    let later = subject.other_chunks.bury(of_all).await.unwrap();
    assert!(later > version);
    let living = subject.living().await;
    assert_eq!(living.tombstones.len(), 2);
    let row = living
        .tombstones
        .iter()
        .find(|t| t.version == version)
        .unwrap();
    assert_eq!(row.died, None);
    assert_eq!(row.bucket, new.bucket);
    assert_eq!(row.measurement, new.measurement);
    assert_eq!((row.min_time, row.max_time), (new.min_time, new.max_time));
    assert_eq!(row.predicate, new.predicate);
    let row = living
        .tombstones
        .iter()
        .find(|t| t.version == later)
        .unwrap();
    assert_eq!(row.measurement, None);
    assert!(row.predicate.is_empty());
}

/// Nobody has to look anything up again.
pub async fn a_delete_without_types_leaves_the_epoch(subject: Subject) {
    subject.with_buckets(&[1]).await;
    let wants = vec![want(NOON, "m", "a", Float)];
    subject
        .chunks
        .agree(bucket_id(1), wants.clone())
        .await
        .unwrap();
    for forget in [
        Forget::Nothing,
        Forget::Measurements(vec![b"other".to_vec()]),
    ] {
        let new = tombstone(1, MIN_TIME, MAX_TIME, forget);
        subject.chunks.bury(new).await.unwrap();
    }
    let agreed = subject.chunks.agree(bucket_id(1), wants).await.unwrap();
    assert_eq!(agreed.epoch, 0);
    let committed = subject
        .chunks
        .commit(vec![fresh(1, 0, b"m")])
        .await
        .unwrap();
    assert_eq!(committed.chunks.len(), 1);
}

/// A writer that knows the old types finds another epoch, and may agree on new ones.
pub async fn a_dropped_measurement_loses_its_types_and_raises_the_epoch(subject: Subject) {
    subject.with_buckets(&[1, 2]).await;
    let wants = |field_type| {
        vec![
            want(NOON, "m", "a", field_type),
            want(NOON, "n", "a", field_type),
            want(NOON, "o", "a", field_type),
        ]
    };
    subject
        .chunks
        .agree(bucket_id(1), wants(Float))
        .await
        .unwrap();
    subject
        .chunks
        .agree(bucket_id(2), wants(Float))
        .await
        .unwrap();
    let forget = Forget::Measurements(vec![b"m".to_vec(), b"n".to_vec()]);
    let version = subject
        .chunks
        .bury(tombstone(1, MIN_TIME, MAX_TIME, forget))
        .await
        .unwrap();

    let stale = subject
        .other_chunks
        .commit(vec![fresh(1, 0, b"m")])
        .await
        .unwrap();
    assert!(stale.chunks.is_empty());
    let elsewhere = subject
        .chunks
        .commit(vec![fresh(2, 0, b"m")])
        .await
        .unwrap();
    assert_eq!(elsewhere.chunks.len(), 1);

    let agreed = subject
        .other_chunks
        .agree(bucket_id(1), wants(String))
        .await
        .unwrap();
    assert_eq!(agreed.epoch, version);
    for field in &agreed.fields {
        let expected = if field.measurement == b"o" {
            Float
        } else {
            String
        };
        assert_eq!(field.field_type, expected);
    }
    let informed = NewFreshChunk {
        epoch: version,
        ..fresh(1, 0, b"m")
    };
    let committed = subject.chunks.commit(vec![informed]).await.unwrap();
    assert_eq!(committed.chunks.len(), 1);
}

/// What is left of a window keeps its types.
pub async fn only_windows_covered_whole_lose_types(subject: Subject) {
    subject.with_buckets(&[1]).await;
    let (start, end) = shard_window(NOON, HOUR);
    let wants = |field_type| {
        [start - 1, start, end]
            .iter()
            .map(|t| want(*t, "m", "a", field_type))
            .collect::<Vec<_>>()
    };
    subject
        .chunks
        .agree(bucket_id(1), wants(Float))
        .await
        .unwrap();
    let forget = || Forget::Measurements(vec![b"m".to_vec()]);
    for (min_time, max_time) in [(start + 1, end - 1), (start, end - 2), (start - 1, end - 2)] {
        let new = tombstone(1, min_time, max_time, forget());
        subject.chunks.bury(new).await.unwrap();
    }
    let agreed = subject
        .chunks
        .agree(bucket_id(1), wants(String))
        .await
        .unwrap();
    assert_eq!(agreed.epoch, 0);
    let new = tombstone(1, start, end - 1, forget());
    subject.chunks.bury(new).await.unwrap();
    let agreed = subject
        .chunks
        .agree(bucket_id(1), wants(String))
        .await
        .unwrap();
    assert!(agreed.epoch > 0);
    for field in &agreed.fields {
        let expected = if field.window_start == start {
            String
        } else {
            Float
        };
        assert_eq!(field.field_type, expected);
    }
    assert_eq!(agreed.windows.len(), 3);
}

/// Retention drops windows with everything in them, to both ends of time.
pub async fn forgetting_everything_ends_windows(subject: Subject) {
    subject.with_buckets(&[1]).await;
    let wants = || {
        [MIN_TIME, NOON, NOON + HOUR, MAX_TIME]
            .iter()
            .map(|t| want(*t, "m", "a", Float))
            .collect::<Vec<_>>()
    };
    subject.chunks.agree(bucket_id(1), wants()).await.unwrap();
    let (_, end) = shard_window(NOON, HOUR);
    let new = tombstone(1, MIN_TIME, end - 1, Forget::Everything);
    let version = subject.chunks.bury(new).await.unwrap();
    let living = subject.living().await;
    let mut starts: Vec<i64> = living.windows.iter().map(|w| w.start).collect();
    starts.sort_unstable();
    assert_eq!(starts, [end, shard_window(MAX_TIME, HOUR).0]);
    assert_eq!(living.fields.len(), 2);
    assert_eq!(living.epochs[0].epoch, version);

    let new = tombstone(1, MIN_TIME, MAX_TIME, Forget::Everything);
    subject.chunks.bury(new).await.unwrap();
    let living = subject.living().await;
    assert!(living.windows.is_empty() && living.fields.is_empty());
    let agreed = subject.chunks.agree(bucket_id(1), wants()).await.unwrap();
    assert_eq!(agreed.windows.len(), 4);
}

/// Be it that it never was, or that it is deleted.
pub async fn burying_needs_the_bucket(subject: Subject) {
    subject.with_buckets(&[1]).await;
    subject.without_bucket(1).await;
    for id in [1, 2] {
        assert_refused!(
            subject
                .chunks
                .bury(tombstone(id, 0, 1, Forget::Nothing))
                .await,
            StoreError::NotFound(_)
        );
    }
    assert!(subject.living().await.tombstones.is_empty());
}
