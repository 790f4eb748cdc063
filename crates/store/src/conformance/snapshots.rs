//! Everything but points and sessions at once, and back (auth-and-resources 6.8).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use influxd_model::{MemberOf, Organization, Status, User};
use secrecy::{ExposeSecret, SecretSlice};

use super::Subject;
use super::fixtures::{
    assert_refused, authorization, authorization_id, bucket, bucket_id, dbrp, digest, forms, fresh,
    label, label_id, member, org_id, organization, owner, raw, session, user, user_id, v1_user,
};
use crate::archive::{decode, encode};
use crate::{
    AuthorizationRecord, NewFreshChunk, SecretRecord, Snapshot, StoreError, TokenForm, UserRecord,
};

/// Something of everything, ids in order.
fn everything() -> Snapshot {
    let users = vec![
        UserRecord {
            user: User {
                oauth_id: "elsewhere".to_owned(),
                status: Status::Inactive,
                ..user(3, "ada")
            },
            password: Some("$argon2id$ada".to_owned()),
        },
        UserRecord {
            user: user(u64::MAX, " bob\u{e9}"),
            password: None,
        },
    ];
    let tokens = [
        (authorization(1), Some(raw("a raw token")), None, None),
        (
            authorization(2),
            Some(digest("$x$two")),
            Some(b"seal\0ed"),
            None,
        ),
        (v1_user(5, "named"), None, None, Some("$2a$10$named")),
        (v1_user(6, ""), None, None, None),
        (authorization(u64::MAX), None, None, None),
    ];
    let defaults = |id, database, policy, is_default| influxd_model::Dbrp {
        is_default,
        ..dbrp(id, 11, database, policy)
    };
    let secret = |org, key: &str, value: &[u8]| SecretRecord {
        org: org_id(org),
        key: key.to_owned(),
        value: SecretSlice::from(value.to_vec()),
    };
    Snapshot {
        organizations: vec![
            organization(1, "one"),
            organization(2, "two"),
            organization(u64::MAX, " last "),
        ],
        users,
        memberships: vec![
            owner(3, MemberOf::Instance),
            owner(3, MemberOf::Organization(org_id(1))),
            member(3, MemberOf::Bucket(bucket_id(11))),
            member(u64::MAX, MemberOf::Organization(org_id(1))),
        ],
        buckets: vec![
            bucket(11, 1, "a"),
            bucket(12, 1, "b"),
            influxd_model::Bucket {
                kind: influxd_model::BucketKind::System,
                retention: None,
                ..bucket(u64::MAX, 2, "a")
            },
        ],
        authorizations: tokens
            .into_iter()
            .map(
                |(authorization, token, escrow, password)| AuthorizationRecord {
                    authorization,
                    token,
                    escrow: escrow.map(|sealed: &[u8; 7]| sealed.to_vec()),
                    password: password.map(str::to_owned),
                },
            )
            .collect(),
        dbrps: vec![
            defaults(21, "db", "p", false),
            defaults(22, "db", "q", true),
            defaults(23, "other", "p", true),
        ],
        labels: vec![label(31, 1, "green"), label(32, 2, "green")],
        bucket_labels: vec![(bucket_id(11), label_id(31)), (bucket_id(12), label_id(31))],
        secrets: vec![
            secret(1, "key", b"value\0"),
            secret(1, "other", b""),
            secret(2, "key", &[255; 3_000]),
        ],
    }
}

/// Snapshots are compared as the bytes of their archives.
fn bytes(snapshot: &Snapshot) -> SecretSlice<u8> {
    encode(snapshot)
}

impl Subject {
    async fn snapshot(&self) -> Snapshot {
        let mut transaction = self.store.begin_read().await.unwrap();
        transaction.snapshot().await.unwrap()
    }

    /// Restores a snapshot; what was deleted a moment ago may take another try while transactions
    /// elsewhere in the same database server go on.
    async fn restore(&self, snapshot: &Snapshot) {
        for _ in 0..1_000 {
            let mut transaction = self.store.begin().await.unwrap();
            match transaction.restore(snapshot).await {
                Ok(()) => return transaction.commit().await.unwrap(),
                Err(StoreError::Unavailable(_)) => {
                    drop(transaction);
                    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                }
                Err(error) => panic!("{error}"),
            }
        }
        panic!("the snapshot cannot be restored");
    }

    async fn assert_holds(&self, expected: &Snapshot) {
        let found = self.snapshot().await;
        assert!(
            bytes(&found).expose_secret() == bytes(expected).expose_secret(),
            "{found:#?}\nis not\n{expected:#?}"
        );
    }
}

/// Into an empty store, out of it again, and through an archive.
pub async fn a_snapshot_has_everything(subject: Subject) {
    subject.assert_holds(&Snapshot::default()).await;
    subject.restore(&everything()).await;
    subject.assert_holds(&everything()).await;
    let archive = bytes(&subject.snapshot().await);
    subject.restore(&Snapshot::default()).await;
    subject.assert_holds(&Snapshot::default()).await;
    let mut transaction = subject.store.begin_read().await.unwrap();
    assert!(transaction.organizations().is_empty().await.unwrap());
    drop(transaction);
    subject
        .restore(&decode(archive.expose_secret()).unwrap())
        .await;
    subject.assert_holds(&everything()).await;
    let mut transaction = subject.store.begin().await.unwrap();
    let counted = transaction.tokens().forms().await.unwrap();
    let expected = [
        (TokenForm::Raw, 1),
        (TokenForm::Digest("$x$".to_owned()), 1),
        (TokenForm::Missing, 1),
    ];
    assert_eq!(counted, expected);
    // What it was before is what is found, and what is found is in use.
    let mut authorizations = transaction.authorizations();
    let found = authorizations
        .find_by_token(&forms("a raw token", &[]))
        .await;
    assert_eq!(found.unwrap().unwrap().0, authorization(1));
    let found = authorizations.find_v1_user("named").await.unwrap().unwrap();
    assert_eq!(found.1.as_deref(), Some("$2a$10$named"));
    let delete = authorizations.delete(crate::AuthorizationKind::V1User, authorization_id(5));
    delete.await.unwrap();
    drop(authorizations);
    transaction.buckets().delete(bucket_id(11)).await.unwrap();
    transaction.organizations().delete(org_id(2)).await.unwrap();
    transaction.commit().await.unwrap();
}

/// Names that changed places, what was added, what is gone.
pub async fn a_restored_snapshot_is_all_that_is_left(subject: Subject) {
    subject.restore(&everything()).await;
    let mut transaction = subject.store.begin().await.unwrap();
    let mut organizations = transaction.organizations();
    for (id, name) in [(1, "x"), (2, "one"), (1, "two")] {
        let renamed = Organization {
            description: "changed".to_owned(),
            ..organization(id, name)
        };
        organizations.update(&renamed).await.unwrap();
    }
    let new = organization(9, "nine");
    organizations.insert(&new).await.unwrap();
    drop(organizations);
    let mut buckets = transaction.buckets();
    for (id, name) in [(11, "x"), (12, "a"), (11, "b")] {
        buckets.update(&bucket(id, 1, name)).await.unwrap();
    }
    buckets.insert(&bucket(19, 9, "nine")).await.unwrap();
    buckets.insert(&bucket(18, 1, "c")).await.unwrap();
    drop(buckets);
    let mut users = transaction.users();
    users.delete(user_id(3)).await.unwrap();
    users.insert(&user(8, "ada")).await.unwrap();
    drop(users);
    let mut authorizations = transaction.authorizations();
    let token = digest("$x$new");
    let new = authorization(9);
    authorizations.insert(&new, Some(&token)).await.unwrap();
    drop(authorizations);
    let mut tokens = transaction.tokens();
    let replaced = digest("$x$one");
    tokens
        .replace(authorization_id(1), &replaced)
        .await
        .unwrap();
    drop(tokens);
    let mut secrets = transaction.secrets();
    secrets.put(org_id(1), "key", b"changed").await.unwrap();
    secrets.put(org_id(1), "new", b"new").await.unwrap();
    drop(secrets);
    transaction.labels().delete(label_id(31)).await.unwrap();
    transaction
        .dbrps()
        .insert(&dbrp(29, 12, "db", "z"))
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    subject.restore(&everything()).await;
    subject.assert_holds(&everything()).await;
    let mut transaction = subject.store.begin_read().await.unwrap();
    let mut authorizations = transaction.authorizations();
    let gone = forms("none", &["$x$new", "$x$one"]);
    assert_eq!(authorizations.find_by_token(&gone).await.unwrap(), None);
}

/// As if it had never begun.
pub async fn a_dropped_restore_changes_nothing(subject: Subject) {
    subject.restore(&everything()).await;
    let mut transaction = subject.store.begin().await.unwrap();
    transaction.restore(&Snapshot::default()).await.unwrap();
    drop(transaction);
    subject.assert_holds(&everything()).await;
}

/// Sessions are in no snapshot: they belong to whoever has the user's id, if anybody has.
pub async fn sessions_outlive_a_restore(subject: Subject) {
    subject.with_users(&[3, 4]).await;
    let mut transaction = subject.store.begin().await.unwrap();
    let mut sessions = transaction.sessions();
    sessions.insert(&session(3, 0, 100), "three").await.unwrap();
    sessions.insert(&session(4, 0, 100), "four").await.unwrap();
    drop(sessions);
    transaction.commit().await.unwrap();
    subject.restore(&everything()).await;
    let mut transaction = subject.store.begin_read().await.unwrap();
    let mut sessions = transaction.sessions();
    for (digest, user) in [("three", 3), ("four", 4)] {
        let found = sessions.find(digest, 1).await.unwrap();
        assert_eq!(found, Some(session(user, 0, 100)));
    }
}

/// Those of the buckets that are in both; those of the others die like a deleted bucket's.
pub async fn points_stay_with_their_buckets(subject: Subject) {
    subject.with_organizations(&[1]).await;
    let mut transaction = subject.store.begin().await.unwrap();
    for id in [11, 18] {
        let new = bucket(id, 1, &format!("bucket {id}"));
        transaction.buckets().insert(&new).await.unwrap();
    }
    transaction.commit().await.unwrap();
    let group = vec![fresh(11, 0, b"kept"), fresh(18, 1, b"gone")];
    let committed = subject.chunks.commit(group).await.unwrap();
    assert_eq!(committed.chunks.len(), 2);
    subject.restore(&everything()).await;
    let living = subject.living().await;
    let kept: Vec<_> = living
        .fresh
        .iter()
        .filter(|r| r.bucket == bucket_id(11))
        .collect();
    assert_eq!(kept.len(), 1);
    // Nobody writes to what is gone, and its id is not given again while it lasts.
    let late = subject.chunks.commit(vec![fresh(18, 0, b"late")]).await;
    assert_eq!(late.unwrap().chunks, []);
    let mut transaction = subject.store.begin().await.unwrap();
    assert_refused!(
        transaction.buckets().insert(&bucket(18, 1, "again")).await,
        StoreError::Conflict(_)
    );
    drop(transaction);
    let died = subject.chunks.retire_deleted_buckets(100).await.unwrap();
    assert_eq!(died, 1);
    let living = subject.living().await;
    assert!(living.fresh.iter().all(|r| r.bucket == bucket_id(11)));
    assert_eq!(living.fresh.len(), 1);
    // Writing to the one that was there goes on with what was known of it.
    let more = subject.chunks.commit(vec![fresh(11, 0, b"more")]).await;
    assert_eq!(more.unwrap().chunks.len(), 1);
}

/// It begins empty, and nobody writes to it with what they remember.
pub async fn a_bucket_that_comes_back_brings_no_points(subject: Subject) {
    subject.restore(&everything()).await;
    let before = subject.living().await;
    let epoch = |living: &crate::Followed| {
        let row = living.epochs.iter().find(|row| row.bucket == bucket_id(11));
        row.unwrap().epoch
    };
    let old = NewFreshChunk {
        epoch: epoch(&before),
        ..fresh(11, 0, b"old")
    };
    let committed = subject.chunks.commit(vec![old.clone()]).await.unwrap();
    assert_eq!(committed.chunks.len(), 1);
    let wants = vec![super::fixtures::want(
        0,
        "old",
        "field",
        influxd_model::FieldType::Float,
    )];
    subject.chunks.agree(bucket_id(11), wants).await.unwrap();
    let mut follower = subject.chunks.follower().await.unwrap();
    let low = follower.poll(0).await.unwrap().low;
    subject.without_bucket(11).await;
    subject.restore(&everything()).await;
    let living = subject.living().await;
    assert!(living.fresh.is_empty());
    assert!(living.windows.is_empty() && living.fields.is_empty());
    let followed = super::fixtures::poll_past(&mut *follower, low, epoch(&living)).await;
    assert!(followed.fresh.iter().any(|row| row.died.is_some()));
    let refused = subject.chunks.commit(vec![old]).await.unwrap();
    assert_eq!(refused.chunks, []);
    let new = NewFreshChunk {
        epoch: epoch(&living),
        ..fresh(11, 0, b"new")
    };
    let accepted = subject.chunks.commit(vec![new]).await.unwrap();
    assert_eq!(accepted.chunks.len(), 1);
    // It is no deleted bucket any more.
    subject.chunks.retire_deleted_buckets(100).await.unwrap();
    assert_eq!(subject.living().await.fresh.len(), 1);
}

/// Whoever adds something at the same time adds it before, and it goes, or afterwards.
pub async fn nothing_that_was_there_outlives_a_restore(subject: Subject) {
    let added = Arc::new(AtomicU64::new(0));
    let over = Arc::new(AtomicBool::new(false));
    let store = Arc::clone(&subject.other_store);
    let (adding, ended) = (Arc::clone(&added), Arc::clone(&over));
    let task = tokio::spawn(async move {
        while !ended.load(Ordering::Relaxed) {
            let id = adding.load(Ordering::Relaxed) + 1;
            let mut transaction = store.begin().await.unwrap();
            let mut authorizations = transaction.authorizations();
            let (new, token) = (authorization(1_000 + id), digest(&format!("$x$new {id}")));
            authorizations.insert(&new, Some(&token)).await.unwrap();
            drop(authorizations);
            transaction.commit().await.unwrap();
            adding.store(id, Ordering::Relaxed);
        }
    });
    for _ in 0..5 {
        let before = added.load(Ordering::Relaxed);
        while added.load(Ordering::Relaxed) < before + 3 {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        let before = added.load(Ordering::Relaxed);
        subject.restore(&everything()).await;
        let mut found = subject.snapshot().await;
        let known = everything().authorizations.len();
        for record in found.authorizations.split_off(known - 1) {
            let id = record.authorization.id.get();
            assert!(id > 1_000 + before, "{id} was there before {before}");
        }
    }
    over.store(true, Ordering::Relaxed);
    task.await.unwrap();
}

/// And nothing has changed.
pub async fn a_snapshot_that_contradicts_itself_is_refused(subject: Subject) {
    subject.restore(&everything()).await;
    let broken: [fn(&mut Snapshot); 22] = [
        |it| it.organizations.push(organization(1, "again")),
        |it| it.organizations.push(organization(9, " one\t")),
        |it| it.organizations[0].description.push('\0'),
        |it| it.organizations.truncate(1),
        |it| "ada".clone_into(&mut it.users[1].user.name),
        |it| it.users[1].user.id = user_id(3),
        |it| it.users.truncate(1),
        |it| it.buckets[1].id = bucket_id(11),
        |it| "a".clone_into(&mut it.buckets[1].name),
        |it| it.buckets.truncate(1),
        |it| it.memberships.push(member(3, MemberOf::Instance)),
        |it| {
            it.memberships
                .push(member(3, MemberOf::Organization(org_id(9))))
        },
        |it| {
            it.memberships
                .push(member(3, MemberOf::Bucket(bucket_id(9))))
        },
        |it| it.authorizations[4].token = Some(digest("$x$two")),
        |it| it.authorizations[4].token = Some(raw("a raw token")),
        |it| it.authorizations[2].token = Some(digest("$x$v1")),
        |it| it.authorizations[1].password = Some("$x$".to_owned()),
        |it| it.authorizations[3].authorization.v1_name = Some("named".to_owned()),
        |it| it.dbrps[0].is_default = true,
        |it| it.dbrps[2].is_default = false,
        |it| it.labels.push(label(39, 1, " GREEN")),
        |it| "key".clone_into(&mut it.secrets[1].key),
    ];
    for (number, breaking) in broken.iter().enumerate() {
        let mut snapshot = everything();
        breaking(&mut snapshot);
        let mut transaction = subject.store.begin().await.unwrap();
        let restore = transaction.restore(&snapshot).await;
        assert!(
            matches!(&restore, Err(StoreError::Corrupt { .. })),
            "{number}: {restore:?}"
        );
        drop(transaction);
    }
    subject.assert_holds(&everything()).await;
}
