//! Transactions: all or nothing, and never in the way of the next one.

use std::future::Future;
use std::task::{Context, Waker};

use super::Subject;
use super::fixtures::{
    assert_refused, authorization, bucket, digest, org_id, organization, session, user, v1_user,
};
use crate::{Counts, StoreError, Unique};

/// Commits are there for other transactions, on this server and on others.
pub async fn what_is_committed_is_there(subject: Subject) {
    let mut transaction = subject.store.begin().await.unwrap();
    let new = organization(1, "acme");
    transaction.organizations().insert(&new).await.unwrap();
    transaction.users().insert(&user(2, "ada")).await.unwrap();
    transaction.commit().await.unwrap();

    for store in [&subject.store, &subject.other_store] {
        let mut transaction = store.begin_read().await.unwrap();
        let found = transaction.organizations().find(org_id(1)).await.unwrap();
        assert_eq!(found, Some(new.clone()));
        assert!(!transaction.users().is_empty().await.unwrap());
    }
    subject.store.ping().await.unwrap();
}

/// Dropping is rolling back, and the next transaction finds nothing of it.
pub async fn a_dropped_transaction_leaves_nothing(subject: Subject) {
    let mut transaction = subject.store.begin().await.unwrap();
    let new = organization(1, "acme");
    transaction.organizations().insert(&new).await.unwrap();
    drop(transaction);

    let mut transaction = subject.store.begin().await.unwrap();
    assert!(transaction.organizations().is_empty().await.unwrap());
    transaction.organizations().insert(&new).await.unwrap();
    transaction.commit().await.unwrap();
}

/// Futures are dropped at whatever point they wait: when a client goes away.
pub async fn a_future_dropped_half_way_leaves_the_store_usable(subject: Subject) {
    subject.with_buckets(&[5]).await;
    for polls in 1..12 {
        let mut commit = subject
            .chunks
            .commit(vec![super::fixtures::fresh(5, 0, b"m")]);
        poll_some(commit.as_mut(), polls).await;
        drop(commit);
        let mut change = Box::pin(async {
            let mut transaction = subject.store.begin().await.unwrap();
            let new = organization(100 + polls, &format!("half {polls}"));
            transaction.organizations().insert(&new).await.unwrap();
            std::future::pending::<()>().await;
        });
        poll_some(change.as_mut(), polls).await;
        drop(change);
        let mut ending = Box::pin(async {
            let mut transaction = subject.store.begin().await.unwrap();
            let new = organization(200 + polls, &format!("ending {polls}"));
            transaction.organizations().insert(&new).await.unwrap();
            transaction.commit().await.unwrap();
        });
        poll_some(ending.as_mut(), polls).await;
        drop(ending);
    }
    let mut transaction = subject.store.begin().await.unwrap();
    let half = transaction.organizations().find_by_name("half 3").await;
    assert_eq!(half.unwrap(), None);
    transaction
        .organizations()
        .insert(&organization(9, "whole"))
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    let committed = subject
        .chunks
        .commit(vec![super::fixtures::fresh(5, 0, b"m")])
        .await;
    assert_eq!(committed.unwrap().chunks.len(), 1);
}

/// Polls a future a few times, with time in between for whatever it waits for.
async fn poll_some<F: Future + ?Sized>(mut future: std::pin::Pin<&mut F>, times: u64) {
    for _ in 0..times {
        let poll = future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        if poll.is_ready() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
}

/// Who generates ids tries another one in the same transaction.
pub async fn a_conflict_does_not_end_the_transaction(subject: Subject) {
    subject.with_buckets(&[5]).await;
    let mut transaction = subject.store.begin().await.unwrap();
    assert_refused!(
        transaction
            .organizations()
            .insert(&organization(1, "other"))
            .await,
        StoreError::Conflict(Unique::Id)
    );
    assert_refused!(
        transaction
            .buckets()
            .insert(&bucket(6, 1, "bucket 5"))
            .await,
        StoreError::Conflict(Unique::BucketName)
    );
    assert_refused!(
        transaction.buckets().insert(&bucket(6, 77, "orphan")).await,
        StoreError::NotFound(_)
    );
    assert_refused!(
        transaction.buckets().insert(&bucket(5, 1, "twin")).await,
        StoreError::Conflict(Unique::Id)
    );
    transaction
        .organizations()
        .insert(&organization(2, "other"))
        .await
        .unwrap();
    transaction.commit().await.unwrap();

    let mut transaction = subject.store.begin().await.unwrap();
    assert!(
        transaction
            .organizations()
            .find(org_id(2))
            .await
            .unwrap()
            .is_some()
    );
}

/// For `/metrics`.
pub async fn everything_is_counted(subject: Subject) {
    assert_eq!(subject.store.counts().await.unwrap(), Counts::default());
    subject.with_buckets(&[5, 6]).await;
    subject.with_organizations(&[2, 3]).await;
    subject.with_users(&[1, 2, 3, 4]).await;
    let mut transaction = subject.store.begin().await.unwrap();
    let mut authorizations = transaction.authorizations();
    for id in 1..=5 {
        let token = digest(&format!("digest {id}"));
        let new = authorization(id);
        authorizations.insert(&new, Some(&token)).await.unwrap();
    }
    let new = v1_user(6, "ada");
    authorizations.insert(&new, None).await.unwrap();
    drop(authorizations);
    let new = session(1, 0, 0);
    transaction.sessions().insert(&new, "s").await.unwrap();
    let before = subject.other_store.counts().await.unwrap();
    assert_eq!(before.tokens, 0);
    transaction.commit().await.unwrap();
    assert_eq!(
        subject.other_store.counts().await.unwrap(),
        Counts {
            organizations: 3,
            users: 4,
            buckets: 2,
            tokens: 5,
            v1_users: 1,
            sessions: 1,
        }
    );
}

/// A list and a look-up in one reading transaction fit together.
pub async fn reading_transactions_see_one_snapshot_and_change_nothing(subject: Subject) {
    subject.with_organizations(&[1]).await;
    let mut reading = subject.store.begin_read().await.unwrap();
    assert!(
        reading
            .organizations()
            .find(org_id(1))
            .await
            .unwrap()
            .is_some()
    );
    subject.with_organizations(&[2]).await;
    assert!(
        reading
            .organizations()
            .find(org_id(2))
            .await
            .unwrap()
            .is_none()
    );
    let write = reading
        .organizations()
        .insert(&organization(3, "three"))
        .await;
    assert!(write.is_err());
    drop(reading);

    let mut reading = subject.store.begin_read().await.unwrap();
    assert!(
        reading
            .organizations()
            .find(org_id(2))
            .await
            .unwrap()
            .is_some()
    );
    assert!(
        reading
            .organizations()
            .find(org_id(3))
            .await
            .unwrap()
            .is_none()
    );
    reading.commit().await.unwrap();
}

/// After closing there is an error, not a hang and not a panic.
pub async fn a_closed_store_is_unavailable(subject: Subject) {
    subject.store.close().await;
    assert_refused!(subject.store.begin().await, StoreError::Unavailable(_));
    assert_refused!(subject.store.begin_read().await, StoreError::Unavailable(_));
    assert_refused!(subject.store.ping().await, StoreError::Unavailable(_));
    assert_refused!(subject.store.counts().await, StoreError::Unavailable(_));
    assert_refused!(
        subject.chunks.commit(Vec::new()).await,
        StoreError::Unavailable(_)
    );
    subject.store.close().await;
}
