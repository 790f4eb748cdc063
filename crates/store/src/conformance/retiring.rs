//! What becomes of the points of deleted buckets (auth-and-resources 9.10).

use influxd_model::FieldType::Float;

use super::Subject;
use super::fixtures::{NOON, assert_refused, bucket, bucket_id, fresh, merged, tombstone, want};
use crate::{Dead, Forget, Replacement, StoreError, Unique};

/// With their tombstones, windows and types; those of other buckets live on.
pub async fn chunks_of_deleted_buckets_die_in_batches(subject: Subject) {
    subject.with_buckets(&[1, 2]).await;
    assert_eq!(subject.chunks.retire_deleted_buckets(10).await.unwrap(), 0);
    for bucket in [1, 2] {
        let group = (0..3).map(|part| fresh(bucket, part, b"m")).collect();
        subject.chunks.commit(group).await.unwrap();
        let wants = vec![want(NOON, "m", "a", Float)];
        subject
            .chunks
            .agree(bucket_id(bucket), wants)
            .await
            .unwrap();
        subject
            .chunks
            .bury(tombstone(bucket, 0, 1, Forget::Nothing))
            .await
            .unwrap();
        let new = Replacement {
            new: vec![merged(bucket, 1, 1, Vec::new())],
            ..Replacement::default()
        };
        subject.chunks.replace(new).await.unwrap().unwrap();
    }
    subject.without_bucket(1).await;
    let mut follower = subject.chunks.follower().await.unwrap();
    let low = follower.poll(0).await.unwrap().low;
    let mut batches = Vec::new();
    for _ in 0..4 {
        batches.push(
            subject
                .other_chunks
                .retire_deleted_buckets(2)
                .await
                .unwrap(),
        );
    }
    assert_eq!(batches, [2, 2, 0, 0]);
    let mut deaths = follower.poll(low).await.unwrap();
    deaths.fresh.retain(|r| r.died.is_some());
    deaths.chunks.retain(|r| r.died.is_some());
    assert_eq!((deaths.fresh.len(), deaths.chunks.len()), (3, 1));
    assert!(deaths.fresh.iter().all(|r| r.bucket == bucket_id(1)));
    let living = subject.living().await;
    assert_eq!((living.fresh.len(), living.chunks.len()), (3, 1));
    assert_eq!((living.windows.len(), living.fields.len()), (1, 1));
    assert_eq!(living.tombstones.len(), 1);
    assert!(living.fresh.iter().all(|r| r.bucket == bucket_id(2)));
    assert!(living.fields.iter().all(|r| r.bucket == bucket_id(2)));
}

/// Until then nobody can get at old points by a bucket of the same id.
pub async fn an_id_is_free_again_when_nothing_is_left(subject: Subject) {
    subject.with_buckets(&[1]).await;
    subject
        .chunks
        .commit(vec![fresh(1, 0, b"m")])
        .await
        .unwrap();
    subject.without_bucket(1).await;
    let taken = async || {
        let mut transaction = subject.store.begin().await.unwrap();
        assert_refused!(
            transaction.buckets().insert(&bucket(1, 1, "again")).await,
            StoreError::Conflict(Unique::Id)
        );
    };
    taken().await;
    subject.chunks.retire_deleted_buckets(100).await.unwrap();
    taken().await;
    subject
        .chunks
        .remove_dead(Dead::Fresh, i64::MAX, 100)
        .await
        .unwrap();
    // Transactions that began before the deletion have to end first, whatever they are.
    for attempt in 0.. {
        subject.chunks.retire_deleted_buckets(100).await.unwrap();
        let mut transaction = subject.store.begin().await.unwrap();
        let insert = transaction.buckets().insert(&bucket(1, 1, "again")).await;
        match insert {
            Ok(()) => {
                transaction.commit().await.unwrap();
                break;
            }
            Err(StoreError::Conflict(Unique::Id)) if attempt < 3_000 => {}
            Err(error) => panic!("{error:?}"),
        }
        drop(transaction);
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let committed = subject
        .chunks
        .commit(vec![fresh(1, 0, b"m")])
        .await
        .unwrap();
    assert_eq!(committed.chunks.len(), 1);
}
