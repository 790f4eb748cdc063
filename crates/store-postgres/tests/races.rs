//! Two transactions in a fixed order of steps: what a law can only try by chance.
#![expect(
    clippy::unwrap_used,
    reason = "tests end by panicking, and so do their helpers"
)]

use std::sync::Arc;
use std::time::Duration;

use influxd_model::{
    Authorization, AuthorizationId, MemberOf, Membership, OrgId, Organization, Role, Session,
    Status, User, UserId,
};
use influxd_store::{Result, Store, StoreError, StoredToken};
use influxd_store_postgres::scratch::ScratchCluster;
use influxd_store_postgres::{PostgresOptions, PostgresStore};
use tokio::task::JoinHandle;

fn org() -> OrgId {
    OrgId::new(1).unwrap()
}

fn user() -> UserId {
    UserId::new(7).unwrap()
}

fn ada() -> User {
    User {
        id: user(),
        name: "ada".to_owned(),
        status: Status::Active,
        oauth_id: String::new(),
    }
}

fn member() -> Membership {
    Membership {
        user: user(),
        of: MemberOf::Organization(org()),
        role: Role::Member,
    }
}

/// A store with organization 1 and user 7.
async fn store() -> Arc<PostgresStore> {
    let cluster = ScratchCluster::shared().unwrap();
    let url = cluster.create_database().await.unwrap();
    let store = PostgresStore::open(PostgresOptions::new(url))
        .await
        .unwrap();
    let mut transaction = store.begin().await.unwrap();
    let organization = Organization {
        id: org(),
        name: "acme".to_owned(),
        description: String::new(),
        created_at: 0,
        updated_at: 0,
    };
    let mut organizations = transaction.organizations();
    organizations.insert(&organization).await.unwrap();
    drop(organizations);
    transaction.users().insert(&ada()).await.unwrap();
    transaction.commit().await.unwrap();
    store
}

/// Lets something go on until it has to wait for a lock, as far as can be known.
async fn until_it_waits(task: &JoinHandle<Result<()>>) {
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!task.is_finished());
}

#[tokio::test]
async fn deleting_an_organization_beside_a_new_member_loses() {
    let store = store().await;
    let mut add = store.begin().await.unwrap();
    add.memberships().insert(&member()).await.unwrap();
    let other = Arc::clone(&store);
    let delete = tokio::spawn(async move {
        let mut transaction = other.begin().await?;
        transaction.organizations().delete(org()).await?;
        transaction.commit().await
    });
    until_it_waits(&delete).await;
    add.commit().await.unwrap();
    let delete = delete.await.unwrap();
    assert!(
        matches!(delete, Err(StoreError::Unavailable(_))),
        "{delete:?}"
    );
    let mut transaction = store.begin().await.unwrap();
    transaction.organizations().delete(org()).await.unwrap();
    let left = transaction.memberships().of_user(user()).await.unwrap();
    assert_eq!(left, []);
    transaction.commit().await.unwrap();
}

#[tokio::test]
async fn a_new_member_of_what_is_being_deleted_loses() {
    let store = store().await;
    let mut delete = store.begin().await.unwrap();
    delete.organizations().delete(org()).await.unwrap();
    let other = Arc::clone(&store);
    let add = tokio::spawn(async move {
        let mut transaction = other.begin().await?;
        assert!(transaction.organizations().find(org()).await?.is_some());
        transaction.memberships().insert(&member()).await?;
        transaction.commit().await
    });
    until_it_waits(&add).await;
    delete.commit().await.unwrap();
    let add = add.await.unwrap();
    assert!(
        matches!(
            add,
            Err(StoreError::Unavailable(_) | StoreError::NotFound("organization"))
        ),
        "{add:?}"
    );
}

#[tokio::test]
async fn who_gives_an_id_again_waits_for_what_is_being_added_for_it() {
    let store = store().await;
    let token = Authorization {
        id: AuthorizationId::new(5).unwrap(),
        v1_name: None,
        org: org(),
        user: user(),
        status: Status::Active,
        description: String::new(),
        permissions: Vec::new(),
        created_at: 0,
        updated_at: 0,
    };
    let session = Session {
        user: user(),
        created_at: 0,
        expires_at: 100,
    };
    for round in 0..2 {
        let mut add = store.begin().await.unwrap();
        if round == 0 {
            let mut authorizations = add.authorizations();
            let stored = StoredToken::Digest("d".to_owned());
            authorizations.insert(&token, Some(&stored)).await.unwrap();
        } else {
            add.sessions().insert(&session, "s").await.unwrap();
        }
        let other = Arc::clone(&store);
        let again = tokio::spawn(async move {
            let mut transaction = other.begin().await?;
            transaction.users().delete(user()).await?;
            transaction.commit().await?;
            let mut transaction = other.begin().await?;
            transaction.users().insert(&ada()).await?;
            transaction.commit().await
        });
        until_it_waits(&again).await;
        add.commit().await.unwrap();
        let again = again.await.unwrap();
        assert!(matches!(again, Err(StoreError::Conflict(_))), "{again:?}");
        let mut clean = store.begin().await.unwrap();
        if round == 0 {
            let kind = influxd_store::AuthorizationKind::ApiToken;
            clean.authorizations().delete(kind, token.id).await.unwrap();
            clean.users().insert(&ada()).await.unwrap();
        }
        clean.commit().await.unwrap();
    }
}

#[tokio::test]
async fn renewing_and_sweeping_sessions_beside_somebody_else_succeeds() {
    let store = store().await;
    let session = |expires_at| Session {
        user: user(),
        created_at: 50,
        expires_at,
    };
    let mut transaction = store.begin().await.unwrap();
    let mut sessions = transaction.sessions();
    sessions.insert(&session(100), "one").await.unwrap();
    sessions.insert(&session(51), "old").await.unwrap();
    drop(sessions);
    transaction.commit().await.unwrap();

    let mut slow = store.begin().await.unwrap();
    assert!(slow.sessions().find("one", 0).await.unwrap().is_some());
    let mut quick = store.begin().await.unwrap();
    quick.sessions().extend("one", 200).await.unwrap();
    let later = Session {
        created_at: 60,
        ..session(100)
    };
    quick.sessions().insert(&later, "two").await.unwrap();
    quick.commit().await.unwrap();
    // `old` is gone and `one` has changed since this transaction began.
    slow.sessions().extend("one", 201).await.unwrap();
    slow.sessions().insert(&later, "three").await.unwrap();
    slow.commit().await.unwrap();

    let mut transaction = store.begin_read().await.unwrap();
    let mut sessions = transaction.sessions();
    let one = sessions.find("one", 0).await.unwrap().unwrap();
    assert!(one.expires_at >= 200);
    assert!(sessions.find("three", 0).await.unwrap().is_some());
    assert_eq!(sessions.find("old", 0).await.unwrap(), None);
}
