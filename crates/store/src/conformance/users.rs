//! Users and their passwords (auth-and-resources 9.5).

use influxd_model::{Status, User};

use super::Subject;
use super::fixtures::{assert_refused, user, user_id};
use crate::{StoreError, Unique};

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
