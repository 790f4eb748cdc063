//! API tokens and 1.x users, which outlive what they belong to (auth-and-resources 5, 7, 9.10).

use influxd_model::{Authorization, Status};

use super::Subject;
use super::fixtures::{
    assert_refused, authorization, authorization_id, digest, forms, org_id, user_id, v1_user,
};
use crate::AuthorizationKind::{ApiToken, V1User};
use crate::{AuthorizationFilter, AuthorizationKind, StoreError, Unique};

/// By any of several digests, of which the first that is found counts.
pub async fn authorizations_are_found_by_digest(subject: Subject) {
    let mut transaction = subject.store.begin().await.unwrap();
    let mut authorizations = transaction.authorizations();
    let mut unscoped = authorization(u64::MAX);
    unscoped.permissions.clear();
    for (new, text) in [(authorization(1), "$x$one="), (unscoped, "$x$two=")] {
        let token = digest(text);
        authorizations.insert(&new, Some(&token)).await.unwrap();
        let found = authorizations.find_by_token(&forms("t", &[text])).await;
        assert_eq!(found.unwrap(), Some((new.clone(), token)));
        let found = authorizations.find(ApiToken, new.id).await.unwrap();
        assert_eq!(found, Some(new));
    }
    let several = forms("t", &["$x$none=", "$x$two=", "$x$one="]);
    let found = authorizations.find_by_token(&several).await;
    assert_eq!(found.unwrap().unwrap().1, digest("$x$two="));
    for none in [&[] as &[&str], &["$x$ONE="]] {
        let found = authorizations.find_by_token(&forms("t", none)).await;
        assert_eq!(found.unwrap(), None);
    }
}

/// So that a token means one authorization.
pub async fn digests_are_unique(subject: Subject) {
    let mut transaction = subject.store.begin().await.unwrap();
    let mut authorizations = transaction.authorizations();
    authorizations
        .insert(&authorization(1), Some(&digest("d")))
        .await
        .unwrap();
    assert_refused!(
        authorizations
            .insert(&authorization(2), Some(&digest("d")))
            .await,
        StoreError::Conflict(Unique::Token)
    );
    assert_refused!(
        authorizations
            .insert(&authorization(1), Some(&digest("e")))
            .await,
        StoreError::Conflict(Unique::Id)
    );
}

/// Byte for byte, and in the whole instance; they begin without a password.
pub async fn v1_users_are_found_by_name(subject: Subject) {
    let mut transaction = subject.store.begin().await.unwrap();
    let mut authorizations = transaction.authorizations();
    let long = "n".repeat(32_768);
    for (id, name) in [
        (1, "ada"),
        (2, "Ada "),
        (3, "a:b\u{e9}"),
        (4, &long),
        (5, ""),
    ] {
        let new = v1_user(id, name);
        authorizations.insert(&new, None).await.unwrap();
        let found = authorizations.find_v1_user(name).await.unwrap();
        assert_eq!(found, Some((new, None)));
    }
    assert_eq!(authorizations.find_v1_user("Ada").await.unwrap(), None);
    let elsewhere = Authorization {
        org: org_id(2),
        ..v1_user(6, "ada")
    };
    assert_refused!(
        authorizations.insert(&elsewhere, None).await,
        StoreError::Conflict(Unique::Token)
    );
    assert_refused!(
        authorizations.insert(&v1_user(1, "new"), None).await,
        StoreError::Conflict(Unique::Id)
    );
}

/// Set, replaced, and gone with their user.
pub async fn v1_users_have_passwords(subject: Subject) {
    let mut transaction = subject.store.begin().await.unwrap();
    let mut authorizations = transaction.authorizations();
    authorizations
        .insert(&v1_user(1, "ada"), None)
        .await
        .unwrap();
    authorizations
        .insert(&authorization(2), Some(&digest("d")))
        .await
        .unwrap();
    for hash in ["$argon2id$one", "$2a$10$imported"] {
        authorizations
            .set_password(authorization_id(1), hash)
            .await
            .unwrap();
        let found = authorizations.find_v1_user("ada").await.unwrap().unwrap();
        assert_eq!(found.1.as_deref(), Some(hash));
    }
    for id in [2, 3] {
        assert_refused!(
            authorizations.set_password(authorization_id(id), "h").await,
            StoreError::NotFound(_)
        );
    }
    authorizations
        .delete(V1User, authorization_id(1))
        .await
        .unwrap();
    authorizations
        .insert(&v1_user(1, "ada"), None)
        .await
        .unwrap();
    let found = authorizations.find_v1_user("ada").await.unwrap();
    assert_eq!(found, Some((v1_user(1, "ada"), None)));
}

/// Whatever is asked of one kind leaves the other alone.
pub async fn tokens_and_v1_users_are_never_mistaken(subject: Subject) {
    let mut transaction = subject.store.begin().await.unwrap();
    let mut authorizations = transaction.authorizations();
    let (token, named) = (authorization(1), v1_user(2, "d"));
    authorizations
        .insert(&token, Some(&digest("d")))
        .await
        .unwrap();
    authorizations.insert(&named, None).await.unwrap();
    for wrong in [
        authorizations
            .insert(&v1_user(3, "e"), Some(&digest("e")))
            .await,
        authorizations.insert(&authorization(3), None).await,
    ] {
        assert_refused!(wrong, StoreError::Refused(_));
    }
    let found = authorizations.find_by_token(&forms("t", &["d"])).await;
    assert_eq!(found.unwrap().unwrap().0, token);
    let found = authorizations.find_v1_user("d").await.unwrap();
    assert_eq!(found.unwrap().0, named);
    for (kind, other, one) in [(ApiToken, V1User, &token), (V1User, ApiToken, &named)] {
        let found = authorizations.find(kind, one.id).await.unwrap();
        assert_eq!(found.as_ref(), Some(one));
        assert_eq!(authorizations.find(other, one.id).await.unwrap(), None);
        assert_refused!(
            authorizations.delete(other, one.id).await,
            StoreError::NotFound(_)
        );
        let filter = AuthorizationFilter {
            kind,
            org: None,
            user: None,
            living: false,
        };
        let listed = authorizations.list(&filter).await.unwrap();
        assert_eq!(listed, std::slice::from_ref(one));
    }
    for wrong in [v1_user(1, "d"), authorization(2)] {
        assert_refused!(authorizations.update(&wrong).await, StoreError::NotFound(_));
    }
}

/// Status, description and time; what it may do and whose it is stay.
pub async fn authorizations_can_be_changed(subject: Subject) {
    let mut transaction = subject.store.begin().await.unwrap();
    let mut authorizations = transaction.authorizations();
    authorizations
        .insert(&authorization(1), Some(&digest("d")))
        .await
        .unwrap();
    authorizations
        .insert(&v1_user(2, "ada"), None)
        .await
        .unwrap();
    authorizations
        .set_password(authorization_id(2), "hash")
        .await
        .unwrap();
    for (kind, before) in [(ApiToken, authorization(1)), (V1User, v1_user(2, "ada"))] {
        let after = Authorization {
            status: Status::Active,
            description: "new".to_owned(),
            updated_at: 99,
            ..before
        };
        let given = Authorization {
            org: org_id(9),
            user: user_id(9),
            permissions: Vec::new(),
            created_at: 77,
            ..after.clone()
        };
        authorizations.update(&given).await.unwrap();
        let found = authorizations.find(kind, after.id).await.unwrap();
        assert_eq!(found, Some(after));
    }
    let found = authorizations.find_by_token(&forms("t", &["d"])).await;
    assert!(found.unwrap().is_some());
    let found = authorizations.find_v1_user("ada").await.unwrap().unwrap();
    assert_eq!(found.1.as_deref(), Some("hash"));
    assert_refused!(
        authorizations.update(&authorization(3)).await,
        StoreError::NotFound(_)
    );
}

/// The digest is free again, and means nothing.
pub async fn deleted_authorizations_are_gone(subject: Subject) {
    let mut transaction = subject.store.begin().await.unwrap();
    let mut authorizations = transaction.authorizations();
    for kind in [ApiToken, V1User] {
        assert_refused!(
            authorizations.delete(kind, authorization_id(1)).await,
            StoreError::NotFound(_)
        );
    }
    authorizations
        .insert(&authorization(1), Some(&digest("d")))
        .await
        .unwrap();
    authorizations
        .delete(ApiToken, authorization_id(1))
        .await
        .unwrap();
    let found = authorizations.find_by_token(&forms("t", &["d"])).await;
    assert_eq!(found.unwrap(), None);
    let found = authorizations.find(ApiToken, authorization_id(1)).await;
    assert_eq!(found.unwrap(), None);
    authorizations
        .insert(&authorization(2), Some(&digest("d")))
        .await
        .unwrap();
}

/// By organization and user, living ones only if that is asked; in the order of ids.
pub async fn authorization_lists_are_filtered(subject: Subject) {
    subject.with_organizations(&[1, 2]).await;
    subject.with_users(&[7, 8]).await;
    let mut transaction = subject.store.begin().await.unwrap();
    let mut authorizations = transaction.authorizations();
    // Organization 3 and user 9 do not exist.
    for (id, org, user) in [
        (u64::MAX, 1, 7),
        (2, 1, 8),
        (3, 2, 7),
        (4, 3, 7),
        (5, 1, 9),
        (6, 3, 9),
    ] {
        let token = Authorization {
            org: org_id(org),
            user: user_id(user),
            ..authorization(id)
        };
        let stored = digest(&format!("digest {id}"));
        authorizations.insert(&token, Some(&stored)).await.unwrap();
        let named = Authorization {
            id: authorization_id(id - 1000 * u64::from(id == u64::MAX) + 10),
            v1_name: Some(format!("name {id}")),
            ..token
        };
        authorizations.insert(&named, None).await.unwrap();
    }
    let mut list = async |kind: AuthorizationKind, org, user, living| -> Vec<u64> {
        let filter = AuthorizationFilter {
            kind,
            org: influxd_model::OrgId::new(org),
            user: influxd_model::UserId::new(user),
            living,
        };
        let found = authorizations.list(&filter).await.unwrap();
        found.iter().map(|a| a.id.get()).collect()
    };
    assert_eq!(list(ApiToken, 0, 0, false).await, [2, 3, 4, 5, 6, u64::MAX]);
    assert_eq!(list(ApiToken, 0, 0, true).await, [2, 3, u64::MAX]);
    assert_eq!(list(ApiToken, 1, 0, false).await, [2, 5, u64::MAX]);
    assert_eq!(list(ApiToken, 1, 0, true).await, [2, u64::MAX]);
    assert_eq!(list(ApiToken, 0, 7, false).await, [3, 4, u64::MAX]);
    assert_eq!(list(ApiToken, 0, 7, true).await, [3, u64::MAX]);
    assert_eq!(list(ApiToken, 1, 7, true).await, [u64::MAX]);
    assert_eq!(list(ApiToken, 3, 9, false).await, [6]);
    assert_eq!(list(ApiToken, 3, 9, true).await, [0; 0]);
    assert_eq!(list(V1User, 2, 0, true).await, [13]);
    assert_eq!(list(V1User, 0, 8, false).await, [12]);
    assert_eq!(list(V1User, 0, 0, true).await, [12, 13, u64::MAX - 990]);
}

/// Both kinds: they are dead then, but somebody else decides that. They can still be deleted.
pub async fn authorizations_outlive_their_organization(subject: Subject) {
    subject.with_organizations(&[1]).await;
    let mut transaction = subject.store.begin().await.unwrap();
    let mut authorizations = transaction.authorizations();
    authorizations
        .insert(&authorization(1), Some(&digest("d")))
        .await
        .unwrap();
    authorizations
        .insert(&v1_user(2, "ada"), None)
        .await
        .unwrap();
    drop(authorizations);
    transaction.organizations().delete(org_id(1)).await.unwrap();
    transaction.commit().await.unwrap();
    let mut transaction = subject.store.begin().await.unwrap();
    let mut authorizations = transaction.authorizations();
    let found = authorizations.find_by_token(&forms("t", &["d"])).await;
    assert!(found.unwrap().is_some());
    let found = authorizations.find_v1_user("ada").await.unwrap();
    assert!(found.is_some());
    for (kind, id) in [(ApiToken, 1), (V1User, 2)] {
        let id = authorization_id(id);
        assert!(authorizations.find(kind, id).await.unwrap().is_some());
        authorizations.delete(kind, id).await.unwrap();
    }
    drop(authorizations);
    transaction.commit().await.unwrap();
}
