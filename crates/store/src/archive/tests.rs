//! What is archived comes back, and nothing else is taken for an archive.

use influxd_model::{
    Authorization, AuthorizationId, Bucket, BucketId, BucketKind, Dbrp, DbrpId, Label, LabelId,
    MemberOf, Membership, OrgId, Organization, Permission, Role, Status, User, UserId,
};
use secrecy::ExposeSecret;

use super::*;
use crate::{AuthorizationRecord, RawToken, SecretRecord, StoredToken, UserRecord};

fn snapshot() -> Snapshot {
    let (org, user) = (OrgId::new(u64::MAX).unwrap(), UserId::new(2).unwrap());
    let (bucket, label) = (BucketId::new(3).unwrap(), LabelId::new(4).unwrap());
    let authorization = |n: u64, v1_name: Option<&str>| Authorization {
        id: AuthorizationId::new(n).unwrap(),
        v1_name: v1_name.map(str::to_owned),
        org,
        user,
        status: Status::Inactive,
        description: "a \"token\"\n\u{0}\u{1f600}".to_owned(),
        permissions: Permission::operator(),
        created_at: i64::MIN,
        updated_at: i64::MAX,
    };
    let record = |n, v1_name, token, password: Option<&str>| AuthorizationRecord {
        authorization: authorization(n, v1_name),
        token,
        escrow: (n == 10).then(|| vec![0, 255]),
        password: password.map(str::to_owned),
    };
    let raw = RawToken::new(SecretSlice::from(b"raw \xff token".to_vec()));
    Snapshot {
        organizations: vec![Organization {
            id: org,
            name: "acme".to_owned(),
            description: String::new(),
            created_at: 1,
            updated_at: 2,
        }],
        users: vec![UserRecord {
            user: User {
                id: user,
                name: "ada".to_owned(),
                status: Status::Active,
                oauth_id: "x".to_owned(),
            },
            password: Some("$argon2id$".to_owned()),
        }],
        memberships: [
            MemberOf::Instance,
            MemberOf::Organization(org),
            MemberOf::Bucket(bucket),
        ]
        .map(|of| Membership {
            user,
            of,
            role: if of == MemberOf::Bucket(bucket) {
                Role::Member
            } else {
                Role::Owner
            },
        })
        .to_vec(),
        buckets: vec![Bucket {
            id: bucket,
            org,
            name: "b".to_owned(),
            kind: BucketKind::System,
            description: "d".to_owned(),
            policy: "p".to_owned(),
            retention: Some(7),
            shard_duration: 9,
            created_at: -1,
            updated_at: 0,
        }],
        authorizations: vec![
            record(10, None, Some(StoredToken::Digest("$x$".to_owned())), None),
            record(11, None, Some(StoredToken::Raw(raw)), None),
            record(12, Some("telegraf"), None, Some("$2b$")),
        ],
        dbrps: vec![Dbrp {
            id: DbrpId::new(5).unwrap(),
            org,
            bucket,
            database: "db".to_owned(),
            policy: "rp".to_owned(),
            is_default: true,
        }],
        labels: vec![Label {
            id: label,
            org,
            name: "l".to_owned(),
            properties: [("color".to_owned(), "f00".to_owned())].into(),
        }],
        bucket_labels: vec![(bucket, label)],
        secrets: vec![SecretRecord {
            org,
            key: "k".to_owned(),
            value: SecretSlice::from(vec![0, 1, 254]),
        }],
    }
}

#[test]
fn a_snapshot_comes_back() {
    let (before, bytes) = (snapshot(), encode(&snapshot()));
    let after = decode(bytes.expose_secret()).unwrap();
    assert_eq!(after.organizations, before.organizations);
    assert_eq!(after.users, before.users);
    assert_eq!(after.memberships, before.memberships);
    assert_eq!(after.buckets, before.buckets);
    assert_eq!(after.authorizations, before.authorizations);
    assert_eq!(after.dbrps, before.dbrps);
    assert_eq!(after.labels, before.labels);
    assert_eq!(after.bucket_labels, before.bucket_labels);
    assert_eq!(after.secrets.len(), 1);
    assert_eq!(after.secrets[0].value.expose_secret(), [0, 1, 254]);
    assert_eq!(
        encode(&Snapshot::default()).expose_secret(),
        encode(&decode(encode(&Snapshot::default()).expose_secret()).unwrap()).expose_secret()
    );
}

#[test]
fn every_damage_is_found() {
    let bytes = encode(&snapshot()).expose_secret().to_vec();
    for end in 0..bytes.len() {
        assert!(decode(&bytes[..end]).is_err(), "cut at {end}");
    }
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        assert!(decode(&damaged).is_err(), "changed at {at}");
    }
    let mut longer = bytes;
    longer.push(b'0');
    assert_eq!(decode(&longer).err(), Some(ArchiveError::Damaged));
}

#[test]
fn other_files_are_told_apart() {
    for (bytes, expected) in [
        (&b""[..], ArchiveError::Foreign),
        (b"garbage", ArchiveError::Foreign),
        (b"influxd-rs metadata 2\n{}\n", ArchiveError::Newer),
        (b"influxd-rs metadata 1\n", ArchiveError::Damaged),
    ] {
        assert_eq!(decode(bytes).err(), Some(expected), "{bytes:?}");
    }
}
