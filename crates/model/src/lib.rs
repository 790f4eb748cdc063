//! What the other crates speak of: ids, resources, permissions, field types, time.
//!
//! Pure: no I/O, no async, no clock of its own beyond [`SystemClock`].

pub mod dbrp;
mod field;
mod id;
mod permission;
mod resource;
mod time;

pub use field::FieldType;
pub use id::{
    AnyId, AuthorizationId, BucketId, DbrpId, IdError, LabelId, OrgId, Snowflake, UserId, random_id,
};
pub use permission::{
    Action, Home, Objects, Permission, ResourceType, UnknownWord, WriteGrant, allows,
    first_not_given, first_not_granted, missing_for_operator,
};
pub use resource::{
    Authorization, Bucket, BucketKind, Dbrp, Label, MemberOf, Membership, Organization, Role,
    Session, Status, User, default_shard_duration, normalize_shard_duration,
};
pub use time::{Clock, MAX_TIME, MIN_TIME, SystemClock, TimeRange};
