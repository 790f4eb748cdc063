//! Users and their passwords (auth-and-resources 9.5).

use influxd_model::{Status, User, UserId};

use super::Subject;
use super::fixtures::{
    assert_refused, authorization, authorization_id, digest, forms, session, user, user_id, v1_user,
};
use crate::{AuthorizationKind, Page, StoreError, Unique};

/// Byte for byte, without trimming.
pub async fn users_are_found_by_id_and_exact_name(subject: Subject) {
    let mut transaction = subject.store.begin().await.unwrap();
    let mut users = transaction.users();
    assert!(users.is_empty().await.unwrap());
    let ada = User {
        status: Status::Inactive,
        ..user(1 << 63, "ada ")
    };
    users.insert(&ada).await.unwrap();
    assert!(!users.is_empty().await.unwrap());
    assert_eq!(users.find(ada.id).await.unwrap(), Some(ada.clone()));
    assert_eq!(users.find_by_name("ada ").await.unwrap(), Some(ada));
    assert_eq!(users.find_by_name("ada").await.unwrap(), None);
    assert_eq!(users.find(user_id(1)).await.unwrap(), None);
}

/// In the instance.
pub async fn user_names_are_unique(subject: Subject) {
    let mut transaction = subject.store.begin().await.unwrap();
    let mut users = transaction.users();
    users.insert(&user(1, "ada")).await.unwrap();
    assert_refused!(
        users.insert(&user(2, "ada")).await,
        StoreError::Conflict(Unique::UserName)
    );
    assert_refused!(
        users.insert(&user(1, "bob")).await,
        StoreError::Conflict(Unique::Id)
    );
    users.insert(&user(2, " ada")).await.unwrap();
}

/// One per user; who is not there has none and gets none.
pub async fn passwords_can_be_set_and_replaced(subject: Subject) {
    let mut transaction = subject.store.begin().await.unwrap();
    let mut users = transaction.users();
    users.insert(&user(1, "ada")).await.unwrap();
    assert_eq!(users.password(user_id(1)).await.unwrap(), None);
    for hash in ["$argon2id$first", "$argon2id$second"] {
        users.set_password(user_id(1), hash).await.unwrap();
        let stored = users.password(user_id(1)).await.unwrap();
        assert_eq!(stored.as_deref(), Some(hash));
    }
    assert_refused!(
        users.set_password(user_id(2), "hash").await,
        StoreError::NotFound(_)
    );
    assert_eq!(users.password(user_id(2)).await.unwrap(), None);
}

/// Behind a user, in either direction; by id.
pub async fn user_lists_are_in_unsigned_order_and_paged(subject: Subject) {
    let ids = [1, (1 << 63) - 1, 1 << 63, u64::MAX];
    subject.with_users(&[ids[2], ids[0], ids[3], ids[1]]).await;
    let mut transaction = subject.store.begin_read().await.unwrap();
    let mut users = transaction.users();
    let mut list = async |after: u64, limit, offset, descending| -> Vec<u64> {
        let page = Page {
            limit,
            offset,
            descending,
        };
        let found = users.list(UserId::new(after), page).await.unwrap();
        found.iter().map(|u| u.id.get()).collect()
    };
    assert_eq!(list(0, u32::MAX, 0, false).await, ids);
    assert_eq!(list(0, 2, 1, false).await, ids[1..3]);
    assert_eq!(list(0, 2, 0, true).await, [ids[3], ids[2]]);
    assert_eq!(list(ids[1], 9, 0, false).await, ids[2..]);
    // Behind an id that nobody has.
    assert_eq!(list(7, 2, 1, false).await, ids[2..]);
    assert_eq!(list(ids[2], 9, 0, true).await, [ids[1], ids[0]]);
    assert_eq!(list(0, 9, 9, false).await, [0; 0]);
}

/// Name and status; what another system calls it stays.
pub async fn users_can_be_changed(subject: Subject) {
    let mut transaction = subject.store.begin().await.unwrap();
    let mut users = transaction.users();
    let ada = User {
        oauth_id: "\u{e9} 7".to_owned(),
        ..user(1, "ada")
    };
    users.insert(&ada).await.unwrap();
    users.insert(&user(2, "bob")).await.unwrap();
    users.set_password(ada.id, "hash").await.unwrap();
    let changed = User {
        name: "Ada".to_owned(),
        status: Status::Inactive,
        ..ada.clone()
    };
    users.update(&changed).await.unwrap();
    assert_eq!(users.find_by_name("ada").await.unwrap(), None);
    assert_eq!(users.find_by_name("Ada").await.unwrap(), Some(changed));
    let password = users.password(ada.id).await.unwrap();
    assert_eq!(password.as_deref(), Some("hash"));
    assert_refused!(
        users.update(&user(2, "Ada")).await,
        StoreError::Conflict(Unique::UserName)
    );
    assert_refused!(
        users.update(&user(3, "eve")).await,
        StoreError::NotFound("user")
    );
}

/// With its password; its name is free at once.
pub async fn deleted_users_are_gone(subject: Subject) {
    let mut transaction = subject.store.begin().await.unwrap();
    let mut users = transaction.users();
    users.insert(&user(1, "ada")).await.unwrap();
    users.set_password(user_id(1), "hash").await.unwrap();
    users.delete(user_id(1)).await.unwrap();
    assert_eq!(users.find(user_id(1)).await.unwrap(), None);
    assert_eq!(users.password(user_id(1)).await.unwrap(), None);
    assert_refused!(users.delete(user_id(1)).await, StoreError::NotFound("user"));
    users.insert(&user(1, "ada")).await.unwrap();
    assert_eq!(users.password(user_id(1)).await.unwrap(), None);
    drop(users);
    transaction.commit().await.unwrap();
}

/// They are dead; but whoever got the id would bring them back to life.
pub async fn an_id_is_not_given_again_while_anything_of_its_user_is_left(subject: Subject) {
    subject.with_users(&[1]).await;
    let mut transaction = subject.store.begin().await.unwrap();
    let mut authorizations = transaction.authorizations();
    authorizations
        .insert(&authorization(5), Some(&digest("d")))
        .await
        .unwrap();
    authorizations
        .insert(&v1_user(6, "v1"), None)
        .await
        .unwrap();
    drop(authorizations);
    let new = session(1, 0, 100);
    transaction.sessions().insert(&new, "s").await.unwrap();
    transaction.users().delete(user_id(1)).await.unwrap();
    transaction.commit().await.unwrap();

    let mut transaction = subject.store.begin().await.unwrap();
    let found = transaction
        .authorizations()
        .find_by_token(&forms("t", &["d"]))
        .await;
    assert!(found.unwrap().is_some());
    let found = transaction.sessions().find("s", 0).await.unwrap();
    assert_eq!(found, Some(new));
    for (kind, id) in [
        (AuthorizationKind::ApiToken, 5),
        (AuthorizationKind::V1User, 6),
    ] {
        assert_refused!(
            transaction.users().insert(&user(1, "eve")).await,
            StoreError::Conflict(Unique::Id)
        );
        let id = authorization_id(id);
        transaction.authorizations().delete(kind, id).await.unwrap();
    }
    assert_refused!(
        transaction.users().insert(&user(1, "eve")).await,
        StoreError::Conflict(Unique::Id)
    );
    let later = session(2, 100, 200);
    transaction.sessions().insert(&later, "t").await.unwrap();
    transaction.users().insert(&user(1, "eve")).await.unwrap();
    transaction.commit().await.unwrap();
}
