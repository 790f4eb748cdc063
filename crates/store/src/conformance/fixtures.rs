//! Things to store, and the steps that many laws share.

use std::collections::BTreeMap;

use influxd_model::{
    Authorization, AuthorizationId, Bucket, BucketId, BucketKind, Dbrp, DbrpId, FieldType, Label,
    LabelId, MemberOf, Membership, OrgId, Organization, Permission, Role, Session, Status, User,
    UserId,
};

use secrecy::SecretSlice;
use sha2::{Digest, Sha256};

use super::Subject;
use crate::{
    FieldWant, Followed, Follower, Forget, NewChunk, NewFreshChunk, NewPiece, NewTombstone,
    RawToken, StoredToken, TokenForms, Version,
};

/// An hour in nanoseconds.
pub(super) const HOUR: i64 = 3_600_000_000_000;
/// A time in the middle of a window, whatever its duration up to a week.
pub(super) const NOON: i64 = 1_600_000_000_000_000_000;

pub(super) fn org_id(n: u64) -> OrgId {
    OrgId::new(n).unwrap()
}

pub(super) fn bucket_id(n: u64) -> BucketId {
    BucketId::new(n).unwrap()
}

pub(super) fn user_id(n: u64) -> UserId {
    UserId::new(n).unwrap()
}

pub(super) fn authorization_id(n: u64) -> AuthorizationId {
    AuthorizationId::new(n).unwrap()
}

pub(super) fn label_id(n: u64) -> LabelId {
    LabelId::new(n).unwrap()
}

pub(super) fn organization(id: u64, name: &str) -> Organization {
    Organization {
        id: org_id(id),
        name: name.to_owned(),
        description: "what it is for".to_owned(),
        created_at: 1_600_000_000_123_456_789,
        updated_at: i64::MAX,
    }
}

pub(super) fn user(id: u64, name: &str) -> User {
    User {
        id: user_id(id),
        name: name.to_owned(),
        status: Status::Active,
        oauth_id: String::new(),
    }
}

pub(super) fn bucket(id: u64, org: u64, name: &str) -> Bucket {
    Bucket {
        id: bucket_id(id),
        org: org_id(org),
        name: name.to_owned(),
        kind: BucketKind::User,
        description: "d\u{e9}scription".to_owned(),
        policy: "autogen".to_owned(),
        retention: Some(72 * HOUR),
        shard_duration: HOUR,
        created_at: -1,
        updated_at: 7,
    }
}

pub(super) fn authorization(id: u64) -> Authorization {
    Authorization {
        id: authorization_id(id),
        v1_name: None,
        org: org_id(1),
        user: user_id(1),
        status: Status::Inactive,
        description: "for a test".to_owned(),
        permissions: Permission::operator(),
        created_at: 5,
        updated_at: 6,
    }
}

/// What is stored of a token that has this digest.
pub(super) fn digest(text: &str) -> StoredToken {
    StoredToken::Digest(text.to_owned())
}

/// What is stored of a token in clear.
pub(super) fn raw(text: &str) -> StoredToken {
    StoredToken::Raw(RawToken::new(SecretSlice::from(text.as_bytes().to_vec())))
}

/// The forms of a token: in clear, and digests.
pub(super) fn forms(text: &str, digests: &[&str]) -> TokenForms {
    TokenForms {
        raw_key: Sha256::digest(text).into(),
        digests: digests.iter().map(|&d| d.to_owned()).collect(),
    }
}

/// A 1.x user.
pub(super) fn v1_user(id: u64, name: &str) -> Authorization {
    Authorization {
        v1_name: Some(name.to_owned()),
        ..authorization(id)
    }
}

pub(super) fn owner(user: u64, of: MemberOf) -> Membership {
    Membership {
        user: user_id(user),
        of,
        role: Role::Owner,
    }
}

pub(super) fn member(user: u64, of: MemberOf) -> Membership {
    Membership {
        role: Role::Member,
        ..owner(user, of)
    }
}

pub(super) fn session(user: u64, created_at: i64, expires_at: i64) -> Session {
    Session {
        user: user_id(user),
        created_at,
        expires_at,
    }
}

pub(super) fn label(id: u64, org: u64, name: &str) -> Label {
    Label {
        id: label_id(id),
        org: org_id(org),
        name: name.to_owned(),
        properties: BTreeMap::from([("color".to_owned(), "ff\0\u{e9}".to_owned())]),
    }
}

pub(super) fn dbrp(id: u64, bucket: u64, database: &str, policy: &str) -> Dbrp {
    Dbrp {
        id: DbrpId::new(id).unwrap(),
        org: org_id(1),
        bucket: bucket_id(bucket),
        database: database.to_owned(),
        policy: policy.to_owned(),
        is_default: false,
    }
}

pub(super) fn fresh(bucket: u64, part: i32, measurement: &[u8]) -> NewFreshChunk {
    NewFreshChunk {
        bucket: bucket_id(bucket),
        epoch: 0,
        part,
        measurement: measurement.to_vec(),
        min_time: NOON,
        max_time: NOON + 5,
        row_count: 3,
        body: format!("body of part {part}").into_bytes(),
    }
}

pub(super) fn want(time: i64, measurement: &str, name: &str, field_type: FieldType) -> FieldWant {
    FieldWant {
        time,
        measurement: measurement.as_bytes().to_vec(),
        name: name.as_bytes().to_vec(),
        field_type,
    }
}

pub(super) fn tombstone(bucket: u64, min_time: i64, max_time: i64, forget: Forget) -> NewTombstone {
    NewTombstone {
        bucket: bucket_id(bucket),
        measurement: Some(b"m\0\xff".to_vec()),
        min_time,
        max_time,
        predicate: vec![0, 255, 1],
        forget,
    }
}

pub(super) fn merged(bucket: u64, oldest: i64, newest: i64, pieces: Vec<NewPiece>) -> NewChunk {
    NewChunk {
        oldest,
        newest,
        level: 1,
        bucket: bucket_id(bucket),
        measurement: b"m".to_vec(),
        window_start: NOON - HOUR,
        min_time: NOON,
        max_time: NOON + 5,
        row_count: 3,
        head: b"a head".to_vec(),
        pieces,
    }
}

pub(super) fn piece(column_no: i32, piece_no: i32, data: &[u8]) -> NewPiece {
    NewPiece {
        column_no,
        piece_no,
        data: data.to_vec(),
    }
}

impl Subject {
    /// Adds organizations named `org 1`, `org 2` and so on.
    pub(super) async fn with_organizations(&self, ids: &[u64]) {
        let mut transaction = self.store.begin().await.unwrap();
        for id in ids {
            let new = organization(*id, &format!("org {id}"));
            transaction.organizations().insert(&new).await.unwrap();
        }
        transaction.commit().await.unwrap();
    }

    /// Adds organization 1 and buckets in it, named `bucket 1` and so on.
    pub(super) async fn with_buckets(&self, ids: &[u64]) {
        self.with_organizations(&[1]).await;
        let mut transaction = self.store.begin().await.unwrap();
        for id in ids {
            let new = bucket(*id, 1, &format!("bucket {id}"));
            transaction.buckets().insert(&new).await.unwrap();
        }
        transaction.commit().await.unwrap();
    }

    /// Deletes a bucket.
    pub(super) async fn without_bucket(&self, id: u64) {
        let mut transaction = self.store.begin().await.unwrap();
        transaction.buckets().delete(bucket_id(id)).await.unwrap();
        transaction.commit().await.unwrap();
    }

    /// Everything that lives, as a new follower sees it.
    pub(super) async fn living(&self) -> crate::Followed {
        let mut follower = self.chunks.follower().await.unwrap();
        follower.poll(0).await.unwrap()
    }
}

/// Polls from `since` until everything up to `version` is known to be complete. Elsewhere in the
/// same database server, transactions that have nothing to do with this may hold that up.
pub(super) async fn poll_past(
    follower: &mut dyn Follower,
    since: Version,
    version: Version,
) -> Followed {
    for _ in 0..3_000 {
        let followed = follower.poll(since).await.unwrap();
        if followed.low > version {
            return followed;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("low stays below {version}");
}

/// Claims that an expression is `Err` of a pattern.
macro_rules! assert_refused {
    ($result:expr, $pattern:pat) => {{
        let result = $result;
        assert!(
            matches!(&result, Err($pattern)),
            "expected {}, not {:?}",
            stringify!($pattern),
            result.map(|_| "success")
        );
    }};
}
pub(super) use assert_refused;
