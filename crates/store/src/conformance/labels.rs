//! Labels (auth-and-resources 9.7, 9.10).

use std::collections::BTreeMap;

use influxd_model::Label;

use super::Subject;
use super::fixtures::{assert_refused, bucket, bucket_id, label, label_id, org_id};
use crate::{LabelFilter, StoreError, Unique};

/// With every property as it was.
pub async fn labels_survive_being_stored(subject: Subject) {
    subject.with_organizations(&[1]).await;
    let mut transaction = subject.store.begin().await.unwrap();
    let mut labels = transaction.labels();
    let plain = Label {
        properties: BTreeMap::new(),
        ..label(u64::MAX, 1, "\u{6f22} \u{1d11e}")
    };
    for new in [label(1, 1, "Gr\u{fc}n"), plain] {
        labels.insert(&new).await.unwrap();
        assert_eq!(labels.find(new.id).await.unwrap(), Some(new));
    }
    assert_eq!(labels.find(label_id(7)).await.unwrap(), None);
    assert_refused!(
        labels.insert(&label(2, 2, "of nobody")).await,
        StoreError::NotFound("organization")
    );
}

/// In one organization, whatever the case of the letters of whatever script.
pub async fn label_names_are_unique_in_their_organization(subject: Subject) {
    subject.with_organizations(&[1, 2]).await;
    let mut transaction = subject.store.begin().await.unwrap();
    let mut labels = transaction.labels();
    labels.insert(&label(1, 1, "gr\u{fc}n")).await.unwrap();
    labels.insert(&label(2, 2, "GR\u{dc}N")).await.unwrap();
    labels.insert(&label(3, 1, "blue")).await.unwrap();
    assert_refused!(
        labels.insert(&label(4, 1, "GR\u{dc}N")).await,
        StoreError::Conflict(Unique::LabelName)
    );
    assert_refused!(
        labels.insert(&label(3, 1, "red")).await,
        StoreError::Conflict(Unique::Id)
    );
    assert_refused!(
        labels.update(&label(3, 1, "Gr\u{fc}N")).await,
        StoreError::Conflict(Unique::LabelName)
    );
    labels.update(&label(1, 1, "Gr\u{dc}n")).await.unwrap();
    let found = labels.find(label_id(1)).await.unwrap().unwrap();
    assert_eq!(found.name, "Gr\u{dc}n");
}

/// By organization, by name, by both; in the order of ids.
pub async fn label_lists_are_filtered(subject: Subject) {
    subject.with_organizations(&[1, 2]).await;
    let mut transaction = subject.store.begin().await.unwrap();
    let mut labels = transaction.labels();
    for (id, org, name) in [(u64::MAX, 1, "a"), (2, 1, "b"), (3, 2, "A")] {
        labels.insert(&label(id, org, name)).await.unwrap();
    }
    let mut list = async |org: u64, name: &str| -> Vec<u64> {
        let filter = LabelFilter {
            org: influxd_model::OrgId::new(org),
            name: (!name.is_empty()).then(|| name.to_owned()),
        };
        let found = labels.list(&filter).await.unwrap();
        found.iter().map(|l| l.id.get()).collect()
    };
    assert_eq!(list(0, "").await, [2, 3, u64::MAX]);
    assert_eq!(list(1, "").await, [2, u64::MAX]);
    assert_eq!(list(0, "A").await, [3, u64::MAX]);
    assert_eq!(list(1, "A").await, [u64::MAX]);
    assert_eq!(list(2, "b").await, [0; 0]);
    assert_eq!(list(0, " A").await, [0; 0]);
}

/// Name and properties; its organization stays.
pub async fn labels_can_be_changed(subject: Subject) {
    subject.with_organizations(&[1]).await;
    let mut transaction = subject.store.begin().await.unwrap();
    let mut labels = transaction.labels();
    labels.insert(&label(1, 1, "old")).await.unwrap();
    let changed = Label {
        properties: BTreeMap::from([("a".to_owned(), "b".to_owned())]),
        ..label(1, 1, "new")
    };
    labels.update(&changed).await.unwrap();
    assert_eq!(labels.find(changed.id).await.unwrap(), Some(changed));
    labels.insert(&label(2, 1, "old")).await.unwrap();
    assert_refused!(
        labels.update(&label(3, 1, "none")).await,
        StoreError::NotFound("label")
    );
    assert_refused!(
        labels.delete(label_id(3)).await,
        StoreError::NotFound("label")
    );
}

/// Each once, found for many buckets at once.
pub async fn buckets_bear_labels(subject: Subject) {
    subject.with_buckets(&[5, u64::MAX, 6]).await;
    let mut transaction = subject.store.begin().await.unwrap();
    let mut labels = transaction.labels();
    let (one, two) = (label(u64::MAX, 1, "one"), label(2, 1, "two"));
    labels.insert(&one).await.unwrap();
    labels.insert(&two).await.unwrap();
    for (bucket, label) in [(u64::MAX, &one), (5, &one), (5, &two)] {
        labels.attach(bucket_id(bucket), label.id).await.unwrap();
    }
    assert_refused!(
        labels.attach(bucket_id(5), two.id).await,
        StoreError::Conflict(Unique::LabelMapping)
    );
    assert_refused!(
        labels.attach(bucket_id(7), two.id).await,
        StoreError::NotFound("bucket")
    );
    assert_refused!(
        labels.attach(bucket_id(5), label_id(7)).await,
        StoreError::NotFound("label")
    );
    let all = [6, 5, u64::MAX, 77].map(bucket_id);
    let found = labels.of_buckets(&all).await.unwrap();
    let five = bucket_id(5);
    assert_eq!(
        found,
        [
            (five, two.clone()),
            (five, one.clone()),
            (bucket_id(u64::MAX), one.clone())
        ]
    );
    assert_eq!(labels.of_buckets(&[]).await.unwrap(), []);
    assert!(labels.detach(five, two.id).await.unwrap());
    assert!(!labels.detach(five, two.id).await.unwrap());
    let found = labels.of_buckets(&[five]).await.unwrap();
    assert_eq!(found, [(five, one)]);
}

/// With a label goes every place it has, with a bucket its labels' place on it.
pub async fn deleting_either_end_takes_label_mappings(subject: Subject) {
    subject.with_buckets(&[5, 6]).await;
    let mut transaction = subject.store.begin().await.unwrap();
    let mut labels = transaction.labels();
    for id in [1, 2] {
        let new = label(id, 1, &format!("label {id}"));
        labels.insert(&new).await.unwrap();
        for bucket in [5, 6] {
            labels.attach(bucket_id(bucket), new.id).await.unwrap();
        }
    }
    labels.delete(label_id(1)).await.unwrap();
    assert_eq!(labels.find(label_id(1)).await.unwrap(), None);
    drop(labels);
    transaction.buckets().delete(bucket_id(5)).await.unwrap();
    let mut labels = transaction.labels();
    let all = [5, 6].map(bucket_id);
    let left = labels.of_buckets(&all).await.unwrap();
    assert_eq!(left, [(bucket_id(6), label(2, 1, "label 2"))]);
    drop(labels);
    transaction.commit().await.unwrap();
}

/// Also from buckets of others, should it be there.
pub async fn deleting_an_organization_takes_its_labels(subject: Subject) {
    subject.with_buckets(&[5]).await;
    subject.with_organizations(&[2]).await;
    let mut transaction = subject.store.begin().await.unwrap();
    let foreign = bucket(6, 2, "of another");
    transaction.buckets().insert(&foreign).await.unwrap();
    let mut labels = transaction.labels();
    for (id, org) in [(1, 1), (2, 2)] {
        let new = label(id, org, "a");
        labels.insert(&new).await.unwrap();
        for bucket in [5, 6] {
            labels.attach(bucket_id(bucket), new.id).await.unwrap();
        }
    }
    drop(labels);
    transaction.organizations().delete(org_id(1)).await.unwrap();
    let mut labels = transaction.labels();
    let left = labels.list(&LabelFilter::default()).await.unwrap();
    assert_eq!(left, [label(2, 2, "a")]);
    let all = [5, 6].map(bucket_id);
    let left = labels.of_buckets(&all).await.unwrap();
    assert_eq!(left, [(foreign.id, label(2, 2, "a"))]);
    drop(labels);
    transaction.commit().await.unwrap();
}
