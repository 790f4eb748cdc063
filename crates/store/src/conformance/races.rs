//! What two transactions at the same moment may lead to: one of them loses, or both win, and
//! nothing hangs on what is gone (auth-and-resources 9.10).

use std::sync::Arc;
use std::time::Duration;

use influxd_model::MemberOf;

use super::Subject;
use super::fixtures::{
    authorization, bucket, bucket_id, digest, forms, label, label_id, member, org_id, organization,
    session, user, user_id,
};
use crate::{BucketFilter, LabelFilter, Page, Result, Store, StoreError};

const ROUNDS: u64 = 12;

/// Runs two changes at the same moment, on two servers if the database has two.
async fn race<A, B>(
    subject: &Subject,
    one: impl FnOnce(Arc<dyn Store>) -> A,
    two: impl FnOnce(Arc<dyn Store>) -> B,
) where
    A: Future<Output = Result<()>> + Send + 'static,
    B: Future<Output = Result<()>> + Send + 'static,
{
    let one = tokio::spawn(one(subject.store.clone()));
    let two = tokio::spawn(two(subject.other_store.clone()));
    for result in [one.await.unwrap(), two.await.unwrap()] {
        match result {
            Ok(())
            | Err(StoreError::NotFound(_) | StoreError::Conflict(_) | StoreError::Unavailable(_)) =>
                {}
            Err(error) => panic!("a lost race is no {error:?}"),
        }
    }
}

/// Members, labels, secrets and buckets.
pub async fn nothing_is_added_to_an_organization_that_goes(subject: Subject) {
    subject.with_users(&[7]).await;
    for round in 0..ROUNDS {
        let org = 100 + round;
        subject.with_organizations(&[org]).await;
        let delete = async move |store: Arc<dyn Store>| {
            let mut transaction = store.begin().await?;
            transaction.organizations().delete(org_id(org)).await?;
            transaction.commit().await
        };
        let add = async move |store: Arc<dyn Store>| {
            let mut transaction = store.begin().await?;
            match round % 4 {
                0 => {
                    let new = member(7, MemberOf::Organization(org_id(org)));
                    transaction.memberships().insert(&new).await?;
                }
                1 => transaction.labels().insert(&label(org, org, "l")).await?,
                2 => transaction.secrets().put(org_id(org), "k", b"v").await?,
                _ => transaction.buckets().insert(&bucket(org, org, "b")).await?,
            }
            transaction.commit().await
        };
        race(&subject, delete, add).await;
        let mut transaction = subject.store.begin_read().await.unwrap();
        let lives = transaction.organizations().find(org_id(org)).await.unwrap();
        if lives.is_none() {
            let left = transaction.memberships().of_user(user_id(7)).await.unwrap();
            assert!(!left.contains(&member(7, MemberOf::Organization(org_id(org)))));
            let left = transaction.labels().find(label_id(org)).await.unwrap();
            assert_eq!(left, None);
            let left = transaction.secrets().keys(org_id(org)).await.unwrap();
            assert_eq!(left, [""; 0]);
            let left = transaction.buckets().find(bucket_id(org)).await.unwrap();
            assert_eq!(left, None);
        }
    }
}

/// Members and labels.
pub async fn nothing_is_added_to_a_bucket_that_goes(subject: Subject) {
    subject.with_organizations(&[1]).await;
    subject.with_users(&[7]).await;
    for round in 0..ROUNDS {
        let id = 100 + round;
        let mut transaction = subject.store.begin().await.unwrap();
        let new = bucket(id, 1, &format!("b{id}"));
        transaction.buckets().insert(&new).await.unwrap();
        let new = label(id, 1, &format!("l{id}"));
        transaction.labels().insert(&new).await.unwrap();
        transaction.commit().await.unwrap();
        let delete = async move |store: Arc<dyn Store>| {
            let mut transaction = store.begin().await?;
            if round % 3 == 0 {
                transaction.labels().delete(label_id(id)).await?;
            } else {
                transaction.buckets().delete(bucket_id(id)).await?;
            }
            transaction.commit().await
        };
        let add = async move |store: Arc<dyn Store>| {
            let mut transaction = store.begin().await?;
            if round % 2 == 0 {
                let mut labels = transaction.labels();
                labels.attach(bucket_id(id), label_id(id)).await?;
            } else {
                let new = member(7, MemberOf::Bucket(bucket_id(id)));
                transaction.memberships().insert(&new).await?;
            }
            transaction.commit().await
        };
        race(&subject, delete, add).await;
        let mut transaction = subject.store.begin_read().await.unwrap();
        if transaction
            .buckets()
            .find(bucket_id(id))
            .await
            .unwrap()
            .is_none()
        {
            let left = transaction.memberships().of_user(user_id(7)).await.unwrap();
            assert!(!left.contains(&member(7, MemberOf::Bucket(bucket_id(id)))));
            let left = transaction.labels().of_buckets(&[bucket_id(id)]).await;
            assert_eq!(left.unwrap(), []);
        }
        if transaction
            .labels()
            .find(label_id(id))
            .await
            .unwrap()
            .is_none()
        {
            let left = transaction.labels().of_buckets(&[bucket_id(id)]).await;
            assert_eq!(left.unwrap(), []);
        }
    }
    let mut transaction = subject.store.begin().await.unwrap();
    transaction.organizations().delete(org_id(1)).await.unwrap();
    let left = transaction.labels().list(&LabelFilter::default()).await;
    assert_eq!(left.unwrap(), []);
    let mut buckets = transaction.buckets();
    let left = buckets.list(&BucketFilter::default(), Page::ALL).await;
    assert_eq!(left.unwrap(), []);
    drop(buckets);
    transaction.commit().await.unwrap();
}

/// A token, or a session, of one who is deleted, and an id given again, at the same moment: who
/// has the id in the end has nothing of the one before.
pub async fn a_new_user_inherits_nothing(subject: Subject) {
    for round in 0..ROUNDS {
        let id = 100 + round;
        subject.with_users(&[id]).await;
        let replace = async move |store: Arc<dyn Store>| {
            let mut transaction = store.begin().await?;
            transaction.users().delete(user_id(id)).await?;
            transaction.commit().await?;
            let mut transaction = store.begin().await?;
            let new = user(id, &format!("again {id}"));
            transaction.users().insert(&new).await?;
            transaction.commit().await
        };
        let add = async move |store: Arc<dyn Store>| {
            let mut transaction = store.begin().await?;
            let owner = transaction.users().find(user_id(id)).await?;
            // As a server does: it looks first.
            if owner.is_some_and(|owner| owner.name == format!("user {id}")) {
                if round % 2 == 0 {
                    let mut new = authorization(id);
                    new.user = user_id(id);
                    let token = digest(&format!("digest {id}"));
                    let mut authorizations = transaction.authorizations();
                    authorizations.insert(&new, Some(&token)).await?;
                } else {
                    let new = session(id, 0, 100);
                    let digest = format!("session {id}");
                    transaction.sessions().insert(&new, &digest).await?;
                }
            }
            transaction.commit().await
        };
        race(&subject, replace, add).await;
        let mut transaction = subject.store.begin_read().await.unwrap();
        let lives = transaction.users().find(user_id(id)).await.unwrap();
        if lives.is_some_and(|user| user.name == format!("again {id}")) {
            let token = forms("t", &[&format!("digest {id}")]);
            let left = transaction.authorizations().find_by_token(&token).await;
            assert_eq!(left.unwrap(), None);
            let digest = format!("session {id}");
            let left = transaction.sessions().find(&digest, 0).await.unwrap();
            assert_eq!(left, None);
        }
    }
}

/// The name of one organization is wanted by two.
pub async fn of_two_equal_names_one_wins(subject: Subject) {
    for round in 0..ROUNDS {
        let add = |id| {
            async move |store: Arc<dyn Store>| {
                let mut transaction = store.begin().await?;
                let new = organization(id, &format!("name {round}"));
                transaction.organizations().insert(&new).await?;
                transaction.commit().await
            }
        };
        race(&subject, add(100 + round), add(200 + round)).await;
    }
    let found = subject.store.counts().await.unwrap().organizations;
    assert_eq!(found, ROUNDS);
}

/// The one that comes second finds what the first has made.
pub async fn of_two_set_ups_one_finds_an_empty_instance(subject: Subject) {
    for round in 1..=ROUNDS {
        let new = user(round, &format!("user {round}"));
        let mut first = subject.store.begin().await.unwrap();
        first.lock_for_set_up().await.unwrap();
        let other = subject.other_store.clone();
        let second = tokio::spawn(async move {
            let mut transaction = other.begin().await?;
            transaction.lock_for_set_up().await?;
            transaction.users().find(user_id(round)).await
        });
        // It may or may not wait by now.
        tokio::time::sleep(Duration::from_millis(round)).await;
        let is_known = first.users().find(user_id(round)).await.unwrap();
        assert_eq!(is_known, None);
        first.users().insert(&new).await.unwrap();
        first.commit().await.unwrap();
        assert_eq!(second.await.unwrap().unwrap(), Some(new));
    }
}
