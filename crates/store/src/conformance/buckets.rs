//! Buckets (auth-and-resources 9.4).

use influxd_model::{Bucket, BucketId, BucketKind, OrgId};

use super::Subject;
use super::fixtures::{HOUR, assert_refused, bucket, bucket_id, dbrp, org_id};
use crate::{BucketFilter, BucketList, DbrpFilter, Page, StoreError, Unique};

/// With every field as it was.
pub async fn buckets_survive_being_stored(subject: Subject) {
    subject.with_organizations(&[1]).await;
    let mut transaction = subject.store.begin().await.unwrap();
    let mut buckets = transaction.buckets();
    let system = Bucket {
        kind: BucketKind::System,
        retention: None,
        policy: String::new(),
        description: String::new(),
        shard_duration: i64::MAX,
        ..bucket(u64::MAX, 1, "_tasks")
    };
    for new in [bucket(1, 1, "db/r p"), bucket(2, 1, ""), system] {
        buckets.insert(&new).await.unwrap();
        assert_eq!(buckets.find(new.id).await.unwrap(), Some(new.clone()));
        let found = buckets.find_by_name(new.org, &new.name).await.unwrap();
        assert_eq!(found, Some(new.clone()));
        let elsewhere = buckets.find_by_name(org_id(2), &new.name).await.unwrap();
        assert_eq!(elsewhere, None);
    }
    assert_eq!(buckets.find(bucket_id(77)).await.unwrap(), None);
}

/// Another organization may have one of the same name.
pub async fn bucket_names_are_unique_in_their_organization(subject: Subject) {
    subject.with_organizations(&[1, 2]).await;
    let mut transaction = subject.store.begin().await.unwrap();
    let mut buckets = transaction.buckets();
    buckets.insert(&bucket(1, 1, "b")).await.unwrap();
    buckets.insert(&bucket(2, 2, "b")).await.unwrap();
    buckets.insert(&bucket(3, 1, "B")).await.unwrap();
    assert_refused!(
        buckets.insert(&bucket(4, 1, "b")).await,
        StoreError::Conflict(Unique::BucketName)
    );
    assert_refused!(
        buckets.insert(&bucket(1, 1, "new")).await,
        StoreError::Conflict(Unique::Id)
    );
    assert_refused!(
        buckets.update(&bucket(3, 1, "b")).await,
        StoreError::Conflict(Unique::BucketName)
    );
    assert_eq!(buckets.find(bucket_id(3)).await.unwrap().unwrap().name, "B");
}

/// By name in one organization, bytewise; by id otherwise.
pub async fn bucket_lists_are_filtered_ordered_and_paged(subject: Subject) {
    subject.with_organizations(&[1, 2]).await;
    let mut transaction = subject.store.begin().await.unwrap();
    let mut buckets = transaction.buckets();
    for (id, org, name) in [
        (u64::MAX, 1, "Zoo"),
        (2, 1, "a b"),
        (3, 1, "\u{e9}"),
        (4, 1, "ab"),
        (5, 2, "ab"),
    ] {
        buckets.insert(&bucket(id, org, name)).await.unwrap();
    }
    let mut list = async |org: u64, name: &str, after: u64, page: Page| -> Vec<u64> {
        let list = match (OrgId::new(org), name) {
            (Some(org), _) => BucketList::OfOrganization(org),
            (None, "") => BucketList::All,
            (None, name) => BucketList::OfName(name.to_owned()),
        };
        let after = BucketId::new(after);
        let filter = BucketFilter { list, after };
        let found = buckets.list(&filter, page).await.unwrap();
        found.iter().map(|b| b.id.get()).collect()
    };
    let down = Page {
        descending: true,
        ..Page::ALL
    };
    let second = Page {
        limit: 1,
        offset: 1,
        descending: false,
    };
    assert_eq!(list(1, "", 0, Page::ALL).await, [u64::MAX, 2, 4, 3]);
    assert_eq!(list(1, "", 0, down).await, [3, 4, 2, u64::MAX]);
    assert_eq!(list(1, "", 2, Page::ALL).await, [4, 3]);
    assert_eq!(list(1, "", 2, down).await, [u64::MAX]);
    // Behind another organization's bucket there is nothing: its name is nobody's business.
    assert_eq!(list(1, "", 5, Page::ALL).await, [0; 0]);
    assert_eq!(list(1, "", 5, down).await, [0; 0]);
    assert_eq!(list(1, "", 0, second).await, [2]);
    assert_eq!(list(3, "", 0, Page::ALL).await, [0; 0]);
    assert_eq!(list(0, "", 0, Page::ALL).await, [2, 3, 4, 5, u64::MAX]);
    assert_eq!(list(0, "ab", 0, Page::ALL).await, [4, 5]);
    assert_eq!(list(0, "ab", 4, Page::ALL).await, [5]);
    assert_eq!(list(0, "", 4, Page::ALL).await, [5, u64::MAX]);
    assert_eq!(list(0, "", 0, second).await, [3]);
}

/// But for id, organization, kind and the time they were made.
pub async fn buckets_can_be_changed(subject: Subject) {
    subject.with_buckets(&[1]).await;
    let mut transaction = subject.store.begin().await.unwrap();
    let mut buckets = transaction.buckets();
    let changed = Bucket {
        name: "renamed".to_owned(),
        description: "new".to_owned(),
        policy: "p".to_owned(),
        retention: None,
        shard_duration: 24 * HOUR,
        updated_at: 99,
        ..bucket(1, 1, "")
    };
    buckets.update(&changed).await.unwrap();
    assert_eq!(
        buckets.find(changed.id).await.unwrap(),
        Some(changed.clone())
    );
    let found = buckets.find_by_name(org_id(1), "bucket 1").await.unwrap();
    assert_eq!(found, None);
    assert_refused!(
        buckets.update(&bucket(2, 1, "gone")).await,
        StoreError::NotFound(_)
    );
}

/// No bucket of nobody.
pub async fn a_bucket_needs_its_organization(subject: Subject) {
    let mut transaction = subject.store.begin().await.unwrap();
    assert_refused!(
        transaction.buckets().insert(&bucket(1, 1, "b")).await,
        StoreError::NotFound(_)
    );
}

/// And passes defaults on.
pub async fn deleting_a_bucket_takes_its_mappings(subject: Subject) {
    subject.with_buckets(&[1, 2]).await;
    let mut transaction = subject.store.begin().await.unwrap();
    for new in [
        dbrp(11, 1, "db", "a"),
        dbrp(12, 2, "db", "b"),
        dbrp(13, 1, "other", "a"),
    ] {
        transaction.dbrps().insert(&new).await.unwrap();
    }
    transaction.buckets().delete(bucket_id(1)).await.unwrap();
    assert_refused!(
        transaction.buckets().delete(bucket_id(1)).await,
        StoreError::NotFound(_)
    );
    assert_eq!(
        transaction.buckets().find(bucket_id(1)).await.unwrap(),
        None
    );
    let left = transaction
        .dbrps()
        .list(org_id(1), &DbrpFilter::default())
        .await
        .unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].id.get(), 12);
    assert!(left[0].is_default);
    // The name is free at once, the id is not.
    let again = bucket(3, 1, "bucket 1");
    transaction.buckets().insert(&again).await.unwrap();
    transaction.commit().await.unwrap();
}
