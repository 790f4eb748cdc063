//! Owners and members (auth-and-resources 9.2, 9.10).

use influxd_model::{MemberOf, Role};

use super::Subject;
use super::fixtures::{
    assert_refused, bucket, bucket_id, member, org_id, organization, owner, user, user_id,
};
use crate::{Page, StoreError, Unique};

const BUCKET: fn(u64) -> MemberOf = |n| MemberOf::Bucket(bucket_id(n));
const ORG: fn(u64) -> MemberOf = |n| MemberOf::Organization(org_id(n));

impl Subject {
    /// Adds users named `user 1`, `user 2` and so on.
    pub(super) async fn with_users(&self, ids: &[u64]) {
        let mut transaction = self.store.begin().await.unwrap();
        for id in ids {
            let new = user(*id, &format!("user {id}"));
            transaction.users().insert(&new).await.unwrap();
        }
        transaction.commit().await.unwrap();
    }
}

/// In the instance, organizations and buckets, whatever their ids.
pub async fn memberships_are_listed_by_user_and_by_thing(subject: Subject) {
    subject.with_buckets(&[1, u64::MAX]).await;
    subject.with_users(&[1 << 63, 7, 8]).await;
    let mut transaction = subject.store.begin().await.unwrap();
    let mut memberships = transaction.memberships();
    let of_seven = [
        owner(7, MemberOf::Instance),
        owner(7, ORG(1)),
        member(7, BUCKET(1)),
        owner(7, BUCKET(u64::MAX)),
    ];
    for new in of_seven.iter().rev() {
        memberships.insert(new).await.unwrap();
    }
    let others = [
        owner(1 << 63, ORG(1)),
        member(8, ORG(1)),
        member(8, BUCKET(1)),
    ];
    for new in others {
        memberships.insert(&new).await.unwrap();
    }
    let mut found = memberships.of_user(user_id(7)).await.unwrap();
    found.sort_by_key(|m| of_seven.iter().position(|one| one == m));
    assert_eq!(found, of_seven);
    assert_eq!(memberships.of_user(user_id(9)).await.unwrap(), []);

    let mut users = async |of, role| -> Vec<u64> {
        let found = memberships.users(of, role).await.unwrap();
        found.iter().map(|u| u.id.get()).collect()
    };
    assert_eq!(users(MemberOf::Instance, Role::Owner).await, [7]);
    assert_eq!(users(ORG(1), Role::Owner).await, [7, 1 << 63]);
    assert_eq!(users(ORG(1), Role::Member).await, [8]);
    assert_eq!(users(BUCKET(1), Role::Member).await, [7, 8]);
    assert_eq!(users(BUCKET(1), Role::Owner).await, [0; 0]);
    assert_eq!(users(BUCKET(77), Role::Owner).await, [0; 0]);
    let found = memberships.users(ORG(1), Role::Member).await.unwrap();
    assert_eq!(found, [user(8, "user 8")]);
}

/// A user is one thing to another, and a second time is a conflict that changes nothing.
pub async fn a_user_has_one_role_in_each_thing(subject: Subject) {
    subject.with_buckets(&[1]).await;
    subject.with_users(&[7]).await;
    let mut transaction = subject.store.begin().await.unwrap();
    let mut memberships = transaction.memberships();
    for of in [MemberOf::Instance, ORG(1), BUCKET(1)] {
        memberships.insert(&member(7, of)).await.unwrap();
        for again in [member(7, of), owner(7, of)] {
            assert_refused!(
                memberships.insert(&again).await,
                StoreError::Conflict(Unique::Membership)
            );
        }
        let found = memberships.users(of, Role::Owner).await.unwrap();
        assert_eq!(found, []);
    }
    // The same number may be the id of an organization and of a bucket.
    assert_eq!(memberships.of_user(user_id(7)).await.unwrap().len(), 3);
    assert!(memberships.delete(user_id(7), ORG(1)).await.unwrap());
    assert!(!memberships.delete(user_id(7), ORG(1)).await.unwrap());
    assert!(!memberships.delete(user_id(8), ORG(1)).await.unwrap());
    memberships.insert(&owner(7, ORG(1))).await.unwrap();
    assert_eq!(memberships.of_user(user_id(7)).await.unwrap().len(), 3);
}

/// No role of nobody, and none in nothing.
pub async fn a_membership_needs_both_its_ends(subject: Subject) {
    subject.with_buckets(&[1]).await;
    subject.with_users(&[7]).await;
    let mut transaction = subject.store.begin().await.unwrap();
    let mut memberships = transaction.memberships();
    for (new, missing) in [
        (owner(8, MemberOf::Instance), "user"),
        (owner(8, ORG(1)), "user"),
        (owner(7, ORG(2)), "organization"),
        (owner(7, BUCKET(2)), "bucket"),
    ] {
        let refused = memberships.insert(&new).await;
        assert!(
            matches!(&refused, Err(StoreError::NotFound(what)) if *what == missing),
            "{refused:?}"
        );
    }
    memberships.insert(&owner(7, ORG(1))).await.unwrap();
}

/// Of one of both roles, by id, in pages.
pub async fn organizations_are_listed_by_user(subject: Subject) {
    subject.with_organizations(&[u64::MAX, 2, 3, 4]).await;
    subject.with_users(&[7, 8]).await;
    let mut transaction = subject.store.begin().await.unwrap();
    transaction
        .buckets()
        .insert(&bucket(9, 4, "b"))
        .await
        .unwrap();
    let mut memberships = transaction.memberships();
    for new in [
        member(7, ORG(u64::MAX)),
        owner(7, ORG(3)),
        owner(7, ORG(2)),
        owner(8, ORG(4)),
        // Neither the instance nor a bucket makes one a member of an organization.
        owner(7, MemberOf::Instance),
        owner(7, BUCKET(9)),
    ] {
        memberships.insert(&new).await.unwrap();
    }
    drop(memberships);
    let mut organizations = transaction.organizations();
    let mut list = async |user, page| -> Vec<u64> {
        let found = organizations.list(Some(user_id(user)), page).await.unwrap();
        found.iter().map(|o| o.id.get()).collect()
    };
    assert_eq!(list(7, Page::ALL).await, [2, 3, u64::MAX]);
    assert_eq!(list(8, Page::ALL).await, [4]);
    assert_eq!(list(9, Page::ALL).await, [0; 0]);
    let second = Page {
        limit: 1,
        offset: 1,
        descending: false,
    };
    assert_eq!(list(7, second).await, [3]);
    let last = Page {
        limit: 2,
        offset: 0,
        descending: true,
    };
    assert_eq!(list(7, last).await, [u64::MAX, 3]);
    let found = organizations.list(Some(user_id(8)), Page::ALL).await;
    assert_eq!(found.unwrap(), [organization(4, "org 4")]);
}

/// Those of its buckets, too.
pub async fn deleting_a_thing_takes_its_memberships(subject: Subject) {
    subject.with_buckets(&[1, 2]).await;
    subject.with_users(&[7]).await;
    let mut transaction = subject.store.begin().await.unwrap();
    let mut memberships = transaction.memberships();
    for of in [MemberOf::Instance, ORG(1), BUCKET(1), BUCKET(2)] {
        memberships.insert(&owner(7, of)).await.unwrap();
    }
    drop(memberships);
    transaction.buckets().delete(bucket_id(2)).await.unwrap();
    let left = transaction.memberships().of_user(user_id(7)).await;
    assert_eq!(left.unwrap().len(), 3);
    transaction.organizations().delete(org_id(1)).await.unwrap();
    let left = transaction.memberships().of_user(user_id(7)).await;
    assert_eq!(left.unwrap(), [owner(7, MemberOf::Instance)]);
    transaction.users().delete(user_id(7)).await.unwrap();
    let mut memberships = transaction.memberships();
    let left = memberships.users(MemberOf::Instance, Role::Owner).await;
    assert_eq!(left.unwrap(), []);
    assert_eq!(memberships.of_user(user_id(7)).await.unwrap(), []);
    drop(memberships);
    transaction.commit().await.unwrap();
}
