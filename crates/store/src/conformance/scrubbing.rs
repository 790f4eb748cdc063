//! Scrubbing: when there is something to scrub, and that nobody suffers from it. What is left in
//! the files, the tests of each store look for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use influxd_model::Authorization;
use secrecy::ExposeSecret;

use super::Subject;
use super::fixtures::{
    assert_refused, authorization, authorization_id, digest, forms, fresh, org_id, raw, session,
    user_id, v1_user,
};
use crate::AuthorizationKind::{ApiToken, V1User};
use crate::archive::encode;
use crate::{AwaitsScrub, StoreError, Transaction, Unique};

impl Subject {
    /// Does something in a transaction, then says whether there is something to scrub; scrubs it.
    async fn leaves_something(&self, change: impl AsyncFnOnce(&mut dyn Transaction)) -> bool {
        let mut transaction = self.store.begin().await.unwrap();
        change(&mut *transaction).await;
        transaction.commit().await.unwrap();
        let scrubbed = self.store.scrub(false).await.unwrap();
        let again = self.other_store.scrub(false).await.unwrap();
        assert!(!again.ran && again.remains.is_empty(), "{again:?}");
        scrubbed.ran
    }

    /// Organization 1, user 1, tokens 1 (raw) and 2, and 1.x users 3 and 4 with passwords.
    async fn with_credentials(&self) {
        self.with_organizations(&[1]).await;
        self.with_users(&[1]).await;
        let mut transaction = self.store.begin().await.unwrap();
        let mut authorizations = transaction.authorizations();
        for (id, token) in [(1, raw("one")), (2, digest("$x$two"))] {
            let new = authorization(id);
            authorizations.insert(&new, Some(&token)).await.unwrap();
        }
        for id in [3, 4] {
            let named = v1_user(id, &format!("v1 user {id}"));
            authorizations.insert(&named, None).await.unwrap();
            let set = authorizations.set_password(authorization_id(id), "$x$first");
            set.await.unwrap();
        }
        drop(authorizations);
        transaction.commit().await.unwrap();
    }
}

/// And costs one look.
pub async fn nothing_is_scrubbed_while_nothing_was_removed(subject: Subject) {
    let first = subject.store.scrub(false).await.unwrap();
    assert!(!first.ran, "{first:?}");
    subject.with_credentials().await;
    let left = subject
        .leaves_something(async |transaction| {
            let mut users = transaction.users();
            users.set_password(user_id(1), "$x$first").await.unwrap();
            drop(users);
            let mut sessions = transaction.sessions();
            sessions.insert(&session(1, 0, 50), "s").await.unwrap();
            sessions.extend("s", 100).await.unwrap();
            assert!(!sessions.delete("t", 0).await.unwrap());
            drop(sessions);
            let mut secrets = transaction.secrets();
            secrets.put(org_id(1), "key", b"first").await.unwrap();
            drop(secrets);
            let mut tokens = transaction.tokens();
            tokens
                .put_in_escrow(authorization_id(1), b"first")
                .await
                .unwrap();
            drop(tokens);
            let changed = Authorization {
                description: "a long one ".repeat(300),
                ..authorization(1)
            };
            let mut authorizations = transaction.authorizations();
            authorizations.update(&changed).await.unwrap();
        })
        .await;
    assert!(!left);
    // What is rolled back removes nothing.
    let mut transaction = subject.store.begin().await.unwrap();
    let mut authorizations = transaction.authorizations();
    authorizations
        .delete(ApiToken, authorization_id(1))
        .await
        .unwrap();
    drop(authorizations);
    drop(transaction);
    let scrubbed = subject.store.scrub(false).await.unwrap();
    assert!(!scrubbed.ran, "{scrubbed:?}");
    let forced = subject.store.scrub(true).await.unwrap();
    assert!(forced.ran, "{forced:?}");
}

/// What a start has to know before it lets requests through.
pub async fn what_was_replaced_awaits_a_scrub(subject: Subject) {
    let awaits = async || subject.other_store.awaits_scrub().await.unwrap();
    subject.with_credentials().await;
    subject.store.scrub(false).await.unwrap();
    assert!(!awaits().await.any());
    for is_token in [true, false] {
        let mut transaction = subject.store.begin().await.unwrap();
        if is_token {
            let mut tokens = transaction.tokens();
            let new = digest("$x$one");
            tokens.replace(authorization_id(1), &new).await.unwrap();
        } else {
            let mut users = transaction.users();
            users.set_password(user_id(1), "$x$first").await.unwrap();
            users.set_password(user_id(1), "$x$second").await.unwrap();
        }
        transaction.commit().await.unwrap();
        let expected = AwaitsScrub {
            tokens: is_token,
            others: !is_token,
        };
        assert_eq!(awaits().await, expected);
        subject.store.scrub(false).await.unwrap();
        assert!(!awaits().await.any());
    }
}

/// Whatever it was, and by whatever way it went.
pub async fn every_removal_is_scrubbed(subject: Subject) {
    subject.with_credentials().await;
    subject.leaves_something(async |_| {}).await;
    macro_rules! removes {
        ($part:ident . $method:ident ( $($argument:expr),* )) => {
            let left = subject.leaves_something(async |transaction| {
                transaction.$part().$method($($argument),*).await.unwrap();
            });
            assert!(left.await, "{}.{}", stringify!($part), stringify!($method));
        };
    }
    macro_rules! adds {
        ($part:ident . $method:ident ( $($argument:expr),* )) => {
            let left = subject.leaves_something(async |transaction| {
                transaction.$part().$method($($argument),*).await.unwrap();
            });
            assert!(!left.await, "{}.{}", stringify!($part), stringify!($method));
        };
    }
    removes!(tokens.replace(authorization_id(1), &digest("$x$one")));
    removes!(tokens.replace(authorization_id(1), &digest("$y$one")));
    removes!(tokens.replace_all(&[(authorization_id(1), raw("one"))]));
    removes!(tokens.replace(authorization_id(1), &raw("again")));
    adds!(tokens.put_in_escrow(authorization_id(1), b"first"));
    removes!(tokens.put_in_escrow(authorization_id(1), b"second"));
    removes!(authorizations.delete(ApiToken, authorization_id(1)));
    removes!(authorizations.set_password(authorization_id(3), "$x$second"));
    removes!(authorizations.delete(V1User, authorization_id(3)));
    adds!(users.set_password(user_id(1), "$x$first"));
    removes!(users.set_password(user_id(1), "$x$second"));
    removes!(users.delete(user_id(1)));
    adds!(secrets.put(org_id(1), "key", b"first"));
    removes!(secrets.put(org_id(1), "key", b"second"));
    removes!(secrets.replace(org_id(1), "key", b"another"));
    removes!(secrets.delete(org_id(1), "key"));
    adds!(secrets.put(org_id(1), "key", b"third"));
    removes!(organizations.delete(org_id(1)));
    adds!(sessions.insert(&session(1, 0, 100), "a"));
    removes!(sessions.delete("a", 0));
    adds!(sessions.insert(&session(1, 0, 100), "b"));
    removes!(sessions.delete_of_user(user_id(1), None));
    adds!(sessions.insert(&session(1, 0, 100), "c"));
    removes!(sessions.insert(&session(1, 200, 300), "d"));
}

/// Rows, rules, and that the next removal is noticed again.
pub async fn a_scrub_changes_nothing_else(subject: Subject) {
    subject.with_credentials().await;
    let mut transaction = subject.store.begin().await.unwrap();
    let mut users = transaction.users();
    users.set_password(user_id(1), "$x$first").await.unwrap();
    drop(users);
    let mut sessions = transaction.sessions();
    sessions.insert(&session(1, 0, 50), "s").await.unwrap();
    drop(sessions);
    let mut secrets = transaction.secrets();
    secrets.put(org_id(1), "key", &[7; 9_000]).await.unwrap();
    drop(secrets);
    transaction.commit().await.unwrap();
    let mut transaction = subject.store.begin_read().await.unwrap();
    let before = encode(&transaction.snapshot().await.unwrap());
    drop(transaction);
    for _ in 0..3 {
        assert!(subject.store.scrub(true).await.unwrap().ran);
        let mut transaction = subject.store.begin().await.unwrap();
        let after = encode(&transaction.snapshot().await.unwrap());
        assert!(before.expose_secret() == after.expose_secret());
        let mut authorizations = transaction.authorizations();
        for (id, token) in [
            (1, digest("$x$new")),
            (9, raw("one")),
            (9, digest("$x$two")),
        ] {
            let new = authorization(id);
            assert_refused!(
                authorizations.insert(&new, Some(&token)).await,
                StoreError::Conflict(Unique::Id | Unique::Token)
            );
        }
        assert_refused!(
            authorizations.insert(&v1_user(9, "v1 user 3"), None).await,
            StoreError::Conflict(Unique::Token)
        );
        let found = authorizations.find_by_token(&forms("one", &[])).await;
        assert_eq!(found.unwrap().unwrap().1, raw("one"));
        drop(authorizations);
        let mut users = transaction.users();
        assert_refused!(
            users.set_password(user_id(7), "$x$").await,
            StoreError::NotFound(_)
        );
        drop(users);
        let mut secrets = transaction.secrets();
        assert_refused!(
            secrets.put(org_id(7), "key", b"").await,
            StoreError::NotFound(_)
        );
        drop(secrets);
        let found = transaction.sessions().find("s", 1).await.unwrap();
        assert_eq!(found, Some(session(1, 0, 50)));
        drop(transaction);
    }
    for change in 0..3 {
        let left = subject.leaves_something(async |transaction| match change {
            0 => {
                let mut users = transaction.users();
                users.set_password(user_id(1), "$x$second").await.unwrap();
            }
            1 => assert!(transaction.sessions().delete("s", 1).await.unwrap()),
            _ => assert!(
                transaction
                    .secrets()
                    .delete(org_id(1), "key")
                    .await
                    .unwrap()
            ),
        });
        assert!(left.await, "{change}");
    }
}

/// A reader sees what it saw; and the scrub is over when it has waited for the reader.
pub async fn a_scrub_waits_for_those_who_still_see_what_was_removed(subject: Subject) {
    subject.with_credentials().await;
    let mut reader = subject.store.begin_read().await.unwrap();
    let found = reader
        .authorizations()
        .find_by_token(&forms("one", &[]))
        .await;
    assert!(found.unwrap().is_some());
    let mut transaction = subject.store.begin().await.unwrap();
    let mut tokens = transaction.tokens();
    let hashed = digest("$x$one");
    tokens.replace(authorization_id(1), &hashed).await.unwrap();
    drop(tokens);
    transaction.commit().await.unwrap();
    let store = Arc::clone(&subject.store);
    let scrub = tokio::spawn(async move { store.scrub(false).await });
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_millis(30)).await;
        let found = reader
            .authorizations()
            .find_by_token(&forms("one", &[]))
            .await;
        assert_eq!(found.unwrap().unwrap().1, raw("one"));
    }
    drop(reader);
    assert!(scrub.await.unwrap().unwrap().ran);
    let again = subject.store.scrub(false).await.unwrap();
    assert!(!again.ran, "{again:?}");
}

/// Look-ups, commits of points, and changes.
pub async fn a_scrub_hinders_nobody(subject: Subject) {
    subject.with_buckets(&[5]).await;
    let mut transaction = subject.store.begin().await.unwrap();
    let mut authorizations = transaction.authorizations();
    for id in 1..=100 {
        let token = digest(&format!("$x${id}"));
        let new = authorization(id);
        authorizations.insert(&new, Some(&token)).await.unwrap();
    }
    drop(authorizations);
    transaction.commit().await.unwrap();
    let over = Arc::new(AtomicBool::new(false));
    let mut tasks = Vec::new();
    for _ in 0..2 {
        let (store, over) = (Arc::clone(&subject.other_store), Arc::clone(&over));
        tasks.push(tokio::spawn(async move {
            let mut done = 0_u64;
            while !over.load(Ordering::Relaxed) {
                let id = done % 100 + 1;
                let mut transaction = store.begin_read().await.unwrap();
                let mut authorizations = transaction.authorizations();
                let token = forms("t", &[&format!("$x${id}")]);
                let found = authorizations.find_by_token(&token).await.unwrap();
                assert_eq!(found.unwrap().0.id, authorization_id(id));
                done += 1;
            }
            done
        }));
    }
    let (chunks, ended) = (Arc::clone(&subject.other_chunks), Arc::clone(&over));
    tasks.push(tokio::spawn(async move {
        let mut done = 0;
        while !ended.load(Ordering::Relaxed) {
            let committed = chunks.commit(vec![fresh(5, 0, b"m")]).await.unwrap();
            assert_eq!(committed.chunks.len(), 1);
            done += 1;
        }
        done
    }));
    let (store, ended) = (Arc::clone(&subject.other_store), Arc::clone(&over));
    tasks.push(tokio::spawn(async move {
        let mut done = 0;
        while !ended.load(Ordering::Relaxed) {
            let mut transaction = store.begin().await.unwrap();
            let mut authorizations = transaction.authorizations();
            let token = raw(&format!("token {done}"));
            let new = authorization(1_000 + done);
            authorizations.insert(&new, Some(&token)).await.unwrap();
            drop(authorizations);
            transaction.commit().await.unwrap();
            let mut transaction = store.begin().await.unwrap();
            let mut authorizations = transaction.authorizations();
            authorizations.delete(ApiToken, new.id).await.unwrap();
            drop(authorizations);
            transaction.commit().await.unwrap();
            done += 1;
        }
        done
    }));
    for round in 0..4 {
        // Two servers at once.
        let (one, two) = tokio::join!(
            subject.store.scrub(round % 2 == 0),
            subject.other_store.scrub(true)
        );
        assert!(two.unwrap().ran);
        one.unwrap();
    }
    over.store(true, Ordering::Relaxed);
    for task in tasks {
        assert!(task.await.unwrap() > 0);
    }
    subject.store.scrub(false).await.unwrap();
    let last = subject.store.scrub(false).await.unwrap();
    assert!(!last.ran, "{last:?}");
}
