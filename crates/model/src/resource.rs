//! Organizations, users, memberships, buckets, authorizations, sessions, DBRP mappings and labels.

use std::collections::BTreeMap;

use crate::{AuthorizationId, BucketId, DbrpId, LabelId, OrgId, Permission, UserId};

const HOUR: i64 = 3_600_000_000_000;
const DAY: i64 = 24 * HOUR;

/// An organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// Its id.
    pub id: OrgId,
    /// Its name as given; compared trimmed.
    pub name: String,
    /// Free text.
    pub description: String,
    /// When it was made, nanoseconds since 1970.
    pub created_at: i64,
    /// When it was last changed, nanoseconds since 1970.
    pub updated_at: i64,
}

/// Whether something is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// In use.
    Active,
    /// Switched off.
    Inactive,
}

impl Status {
    /// The word on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
        }
    }

    /// The status with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "active" => Some(Self::Active),
            "inactive" => Some(Self::Inactive),
            _ => None,
        }
    }
}

/// A user of the 2.x API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// Its name, unique in the instance.
    pub name: String,
    /// Inactive users and their tokens are refused.
    pub status: Status,
    /// What another system calls it; empty if nothing was given. Only shown.
    pub oauth_id: String,
}

/// What a user can be to something (auth-and-resources 9.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// It is the user's to manage.
    Owner,
    /// The user may look.
    Member,
}

impl Role {
    /// The word on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Member => "member",
        }
    }
}

/// What users can be owners and members of. A user has at most one role in each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MemberOf {
    /// The whole instance: its only owner is the first user.
    Instance,
    /// An organization.
    Organization(OrgId),
    /// A bucket.
    Bucket(BucketId),
}

/// That a user owns something, or is a member of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Membership {
    /// The user.
    pub user: UserId,
    /// Of what.
    pub of: MemberOf,
    /// As what.
    pub role: Role,
}

/// A session of the 2.x API: a user who signed in. Its key is kept as a digest only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// Who signed in.
    pub user: UserId,
    /// When, nanoseconds since 1970.
    pub created_at: i64,
    /// From when on it counts as unknown, nanoseconds since 1970.
    pub expires_at: i64,
}

/// A label of an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Its id.
    pub id: LabelId,
    /// The organization that it belongs to.
    pub org: OrgId,
    /// Its name, trimmed; unique in the organization whatever its letters' case.
    pub name: String,
    /// Free properties, such as a colour, by name.
    pub properties: BTreeMap<String, String>,
}

/// Who made a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BucketKind {
    /// A client.
    User,
    /// The server: `_tasks` and `_monitoring`.
    System,
}

/// A bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// Its id.
    pub id: BucketId,
    /// The organization that it belongs to.
    pub org: OrgId,
    /// Its name, unique in the organization.
    pub name: String,
    /// Who made it.
    pub kind: BucketKind,
    /// Free text.
    pub description: String,
    /// The 1.x retention policy's name, where a client gave one.
    pub policy: String,
    /// How long points are kept, nanoseconds; `None`: for ever.
    pub retention: Option<i64>,
    /// How much time one shard window spans, nanoseconds, at least an hour.
    pub shard_duration: i64,
    /// When it was made, nanoseconds since 1970.
    pub created_at: i64,
    /// When it was last changed, nanoseconds since 1970.
    pub updated_at: i64,
}

impl Bucket {
    /// Whether the server made it.
    pub fn is_system(&self) -> bool {
        self.kind == BucketKind::System
    }
}

/// The shard duration that goes with a retention where none was asked for (auth-and-resources
/// 9.4); both in nanoseconds.
pub const fn default_shard_duration(retention: Option<i64>) -> i64 {
    match retention {
        None => 7 * DAY,
        Some(r) if r >= 180 * DAY => 7 * DAY,
        Some(r) if r >= 2 * DAY => DAY,
        Some(_) => HOUR,
    }
}

/// The shard duration to keep for the one asked for, nanoseconds; 0 asks for the default.
pub const fn normalize_shard_duration(asked: i64, retention: Option<i64>) -> i64 {
    if asked == 0 {
        default_shard_duration(retention)
    } else if asked < HOUR {
        HOUR
    } else {
        asked
    }
}

/// What an API token or a 1.x user may do; never the token or password, nor a digest of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorization {
    /// Its id.
    pub id: AuthorizationId,
    /// The name of the 1.x user, unique in the instance; `None`: this is an API token.
    pub v1_name: Option<String>,
    /// The organization that it belongs to.
    pub org: OrgId,
    /// Its owner.
    pub user: UserId,
    /// Inactive ones are refused.
    pub status: Status,
    /// Free text.
    pub description: String,
    /// What it may do.
    pub permissions: Vec<Permission>,
    /// When it was made, nanoseconds since 1970.
    pub created_at: i64,
    /// When it was last changed, nanoseconds since 1970.
    pub updated_at: i64,
}

/// A physical DBRP mapping: a 1.x database and retention policy, and the bucket they mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dbrp {
    /// Its id.
    pub id: DbrpId,
    /// The organization whose requests it translates.
    pub org: OrgId,
    /// The bucket.
    pub bucket: BucketId,
    /// The 1.x database.
    pub database: String,
    /// The 1.x retention policy.
    pub policy: String,
    /// Whether it serves requests that name no policy. One per organization and database.
    pub is_default: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shard_durations_follow_the_retention() {
        assert_eq!(normalize_shard_duration(0, None), 7 * DAY);
        assert_eq!(normalize_shard_duration(0, Some(180 * DAY)), 7 * DAY);
        assert_eq!(normalize_shard_duration(0, Some(2 * DAY)), DAY);
        assert_eq!(normalize_shard_duration(0, Some(DAY)), HOUR);
        assert_eq!(normalize_shard_duration(1, None), HOUR);
        assert_eq!(normalize_shard_duration(5 * HOUR, None), 5 * HOUR);
    }
}
