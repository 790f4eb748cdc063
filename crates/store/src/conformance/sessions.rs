//! Sessions (auth-and-resources 2.4, 9.10).

use super::Subject;
use super::fixtures::{session, user_id};

/// By the whole digest, letter for letter, and only until its end.
pub async fn sessions_are_found_until_they_expire(subject: Subject) {
    let mut transaction = subject.store.begin().await.unwrap();
    let mut sessions = transaction.sessions();
    let new = session(1 << 63, -5, i64::MAX);
    sessions.insert(&new, "$d$Ab=").await.unwrap();
    let short = session(1, 10, 20);
    sessions.insert(&short, "$d$short=").await.unwrap();
    assert_eq!(sessions.find("$d$Ab=", 19).await.unwrap(), Some(new));
    assert_eq!(sessions.find("$d$ab=", 19).await.unwrap(), None);
    assert_eq!(sessions.find("$d$Ab", 19).await.unwrap(), None);
    assert_eq!(sessions.find("$d$short=", 19).await.unwrap(), Some(short));
    assert_eq!(sessions.find("$d$short=", 20).await.unwrap(), None);
    drop(sessions);
    transaction.commit().await.unwrap();

    let mut transaction = subject.other_store.begin_read().await.unwrap();
    let found = transaction.sessions().find("$d$Ab=", 19).await;
    assert_eq!(found.unwrap(), Some(new));
}

/// Renewal never shortens, and makes nothing.
pub async fn a_session_s_end_moves_only_forward(subject: Subject) {
    let mut transaction = subject.store.begin().await.unwrap();
    let mut sessions = transaction.sessions();
    sessions.insert(&session(1, 0, 100), "one").await.unwrap();
    sessions.insert(&session(1, 0, 100), "two").await.unwrap();
    for (to, then) in [(150, 150), (120, 150), (150, 150), (151, 151)] {
        sessions.extend("one", to).await.unwrap();
        let found = sessions.find("one", 0).await.unwrap();
        assert_eq!(found, Some(session(1, 0, then)));
    }
    sessions.extend("none", 500).await.unwrap();
    assert_eq!(sessions.find("none", 0).await.unwrap(), None);
    let other = sessions.find("two", 0).await.unwrap();
    assert_eq!(other, Some(session(1, 0, 100)));
}

/// Who signs out twice, or too late, hears that there was nothing.
pub async fn sessions_can_be_ended_once(subject: Subject) {
    let mut transaction = subject.store.begin().await.unwrap();
    let mut sessions = transaction.sessions();
    sessions.insert(&session(1, 0, 100), "one").await.unwrap();
    sessions.insert(&session(1, 0, 100), "two").await.unwrap();
    assert!(sessions.delete("one", 99).await.unwrap());
    assert!(!sessions.delete("one", 99).await.unwrap());
    assert!(!sessions.delete("two", 100).await.unwrap());
    assert_eq!(sessions.find("one", 0).await.unwrap(), None);
}

/// All but one, if one is named.
pub async fn a_user_s_sessions_can_be_ended_together(subject: Subject) {
    let mut transaction = subject.store.begin().await.unwrap();
    let mut sessions = transaction.sessions();
    for digest in ["a", "b", "c"] {
        sessions.insert(&session(1, 0, 100), digest).await.unwrap();
    }
    sessions.insert(&session(2, 0, 100), "d").await.unwrap();
    let left = async |sessions: &mut dyn crate::SessionRepository| {
        let mut left = String::new();
        for digest in ["a", "b", "c", "d"] {
            if sessions.find(digest, 0).await.unwrap().is_some() {
                left.push_str(digest);
            }
        }
        left
    };
    sessions
        .delete_of_user(user_id(1), Some("b"))
        .await
        .unwrap();
    assert_eq!(left(&mut *sessions).await, "bd");
    sessions
        .delete_of_user(user_id(2), Some("b"))
        .await
        .unwrap();
    assert_eq!(left(&mut *sessions).await, "b");
    sessions.delete_of_user(user_id(1), None).await.unwrap();
    assert_eq!(left(&mut *sessions).await, "");
}

/// So that nothing has to sweep.
pub async fn a_new_session_removes_what_has_expired(subject: Subject) {
    let mut transaction = subject.store.begin().await.unwrap();
    let mut sessions = transaction.sessions();
    sessions.insert(&session(1, 0, 100), "old").await.unwrap();
    sessions.insert(&session(2, 0, 101), "young").await.unwrap();
    sessions.insert(&session(3, 100, 200), "new").await.unwrap();
    assert_eq!(sessions.find("old", 0).await.unwrap(), None);
    assert!(sessions.find("young", 0).await.unwrap().is_some());
    drop(sessions);
    transaction.commit().await.unwrap();
    assert_eq!(subject.store.counts().await.unwrap().sessions, 2);
}

/// A page that asks ten things at once renews ten times, and nobody is turned away for it; nor is
/// anybody who signs in while somebody else does.
pub async fn concurrent_sessions_do_not_hinder_each_other(subject: Subject) {
    for round in 0..5 {
        let mut transaction = subject.store.begin().await.unwrap();
        let mut sessions = transaction.sessions();
        let expired = session(1, round * 1000, round * 1000 + 1);
        for n in 0..20 {
            let digest = format!("expired {round} {n}");
            sessions.insert(&expired, &digest).await.unwrap();
        }
        let lasting = session(1, round * 1000, round * 1000 + 500);
        sessions.insert(&lasting, "lasting").await.unwrap();
        drop(sessions);
        transaction.commit().await.unwrap();

        let mut tasks = Vec::new();
        for n in 0..8_i64 {
            let store = if n % 2 == 0 {
                subject.store.clone()
            } else {
                subject.other_store.clone()
            };
            tasks.push(tokio::spawn(async move {
                let mut transaction = store.begin().await?;
                let mut sessions = transaction.sessions();
                // All have seen the same before any of them changes it.
                sessions.find("lasting", 0).await?;
                sessions.extend("lasting", round * 1000 + 600 + n).await?;
                let new = session(1, round * 1000 + 2, round * 1000 + 500);
                sessions.insert(&new, &format!("{round} {n}")).await?;
                drop(sessions);
                transaction.commit().await
            }));
        }
        for task in tasks {
            task.await.unwrap().unwrap();
        }
        let mut transaction = subject.store.begin().await.unwrap();
        let mut sessions = transaction.sessions();
        let found = sessions.find("lasting", 0).await.unwrap().unwrap();
        let end = found.expires_at - round * 1000;
        assert!((600..608).contains(&end), "{end}");
        for n in 0..8 {
            let found = sessions.find(&format!("{round} {n}"), 0).await.unwrap();
            assert!(found.is_some());
        }
        sessions.delete_of_user(user_id(1), None).await.unwrap();
        drop(sessions);
        transaction.commit().await.unwrap();
    }
}
