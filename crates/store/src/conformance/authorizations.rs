//! API tokens, which are found by digest and outlive what they belong to.

use super::Subject;
use super::fixtures::{assert_refused, authorization, org_id};
use crate::{StoreError, Unique};

fn digests(all: &[&str]) -> Vec<String> {
    all.iter()
        .map(|d| format!("$influxdb2-sha256${d}"))
        .collect()
}

/// By any of several, of which the first that is found counts.
pub async fn authorizations_are_found_by_digest(subject: Subject) {
    let mut transaction = subject.store.begin().await.unwrap();
    let mut authorizations = transaction.authorizations();
    let mut unscoped = authorization(u64::MAX);
    unscoped.permissions.clear();
    for (new, digest) in [(authorization(1), "one="), (unscoped, "two=")] {
        let digest = digests(&[digest]).remove(0);
        authorizations.insert(&new, Some(&digest)).await.unwrap();
        let found = authorizations
            .find_by_digest(std::slice::from_ref(&digest))
            .await;
        assert_eq!(found.unwrap(), Some((new, digest)));
    }
    let found = authorizations
        .find_by_digest(&digests(&["none", "two=", "one="]))
        .await;
    assert_eq!(found.unwrap().unwrap().1, "$influxdb2-sha256$two=");
    assert_eq!(authorizations.find_by_digest(&[]).await.unwrap(), None);
    let found = authorizations.find_by_digest(&digests(&["ONE="])).await;
    assert_eq!(found.unwrap(), None);
}

/// So that a token means one authorization.
pub async fn digests_are_unique(subject: Subject) {
    let mut transaction = subject.store.begin().await.unwrap();
    let mut authorizations = transaction.authorizations();
    authorizations
        .insert(&authorization(1), Some("d"))
        .await
        .unwrap();
    assert_refused!(
        authorizations.insert(&authorization(2), Some("d")).await,
        StoreError::Conflict(Unique::Token)
    );
    assert_refused!(
        authorizations.insert(&authorization(1), Some("e")).await,
        StoreError::Conflict(Unique::Id)
    );
}

/// They are dead then, but somebody else decides that.
pub async fn authorizations_outlive_their_organization(subject: Subject) {
    subject.with_organizations(&[1]).await;
    let mut transaction = subject.store.begin().await.unwrap();
    transaction
        .authorizations()
        .insert(&authorization(1), Some("d"))
        .await
        .unwrap();
    transaction.organizations().delete(org_id(1)).await.unwrap();
    transaction.commit().await.unwrap();
    let mut transaction = subject.store.begin_read().await.unwrap();
    let found = transaction
        .authorizations()
        .find_by_digest(&["d".to_owned()])
        .await;
    assert!(found.unwrap().is_some());
}
