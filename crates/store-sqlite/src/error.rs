//! From what SQLite says to what a store says, without any value of a statement.

use influxd_store::{StoreError, Unique};
use sqlx::error::DatabaseError;

/// What SQLite reported, in words that hold no data: its messages name tables and columns only.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct SqliteFailure(pub(crate) String);

/// [`StoreError::Unavailable`] for a reason of our own.
pub(crate) fn unavailable(reason: &str) -> StoreError {
    StoreError::Unavailable(Box::new(SqliteFailure(reason.to_owned())))
}

/// A stored row that cannot be.
pub(crate) fn corrupt(what: &'static str, detail: &str) -> StoreError {
    StoreError::Corrupt {
        what,
        detail: detail.to_owned(),
    }
}

/// The store's error for sqlx's.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the library adds variants as it grows"
)]
pub(crate) fn store_error(error: sqlx::Error) -> StoreError {
    match error {
        sqlx::Error::Database(error) => database_error(&*error),
        sqlx::Error::ColumnDecode { index, .. } => {
            corrupt("row", &format!("column {index} has another type"))
        }
        sqlx::Error::ColumnNotFound(name) => corrupt("row", &format!("no column {name}")),
        sqlx::Error::ColumnIndexOutOfBounds { .. }
        | sqlx::Error::TypeNotFound { .. }
        | sqlx::Error::Decode(_)
        | sqlx::Error::RowNotFound => corrupt("row", "it does not have the columns expected"),
        sqlx::Error::Encode(_) | sqlx::Error::InvalidArgument(_) => {
            StoreError::Refused(Box::new(SqliteFailure("a value cannot be sent".to_owned())))
        }
        other => StoreError::Unavailable(Box::new(SqliteFailure(other.to_string()))),
    }
}

/// SQLite's primary result codes (the low byte of the extended ones) that we tell apart.
mod code {
    pub(super) const PERM: u32 = 3;
    pub(super) const BUSY: u32 = 5;
    pub(super) const LOCKED: u32 = 6;
    pub(super) const NOMEM: u32 = 7;
    pub(super) const READONLY: u32 = 8;
    pub(super) const INTERRUPT: u32 = 9;
    pub(super) const IOERR: u32 = 10;
    pub(super) const CORRUPT: u32 = 11;
    pub(super) const FULL: u32 = 13;
    pub(super) const CANTOPEN: u32 = 14;
    pub(super) const PROTOCOL: u32 = 15;
    pub(super) const NOTADB: u32 = 26;
}

fn database_error(error: &dyn DatabaseError) -> StoreError {
    if error.is_unique_violation() {
        if let Some(unique) = unique(error.message()) {
            return StoreError::Conflict(unique);
        }
    }
    let number = error
        .code()
        .and_then(|c| c.parse::<u32>().ok())
        .unwrap_or(1);
    let failure = SqliteFailure(format!("{} (code {number})", error.message()));
    match number & 0xff {
        code::PERM
        | code::BUSY
        | code::LOCKED
        | code::NOMEM
        | code::READONLY
        | code::INTERRUPT
        | code::IOERR
        | code::FULL
        | code::CANTOPEN
        | code::PROTOCOL => StoreError::Unavailable(Box::new(failure)),
        code::CORRUPT | code::NOTADB => StoreError::Corrupt {
            what: "database file",
            detail: failure.0,
        },
        _ => StoreError::Refused(Box::new(failure)),
    }
}

/// What has to be unique, by the columns that SQLite names.
fn unique(message: &str) -> Option<Unique> {
    let columns = message.strip_prefix("UNIQUE constraint failed: ")?;
    match columns {
        "organizations.name_key" => Some(Unique::OrganizationName),
        "users.name_key" => Some(Unique::UserName),
        "buckets.org_id, buckets.name_key" => Some(Unique::BucketName),
        "authorizations.token_digest"
        | "authorizations.raw_key"
        | "authorizations.v1_name_key"
        | "sessions.digest" => Some(Unique::Token),
        "memberships.user_id, memberships.kind, memberships.thing_id" => Some(Unique::Membership),
        "labels.name_key, labels.org_id" => Some(Unique::LabelName),
        "bucket_labels.bucket_id, bucket_labels.label_id" => Some(Unique::LabelMapping),
        "dbrps.org_id, dbrps.database_key, dbrps.policy_key" => Some(Unique::DbrpNames),
        "organizations.id" | "users.id" | "buckets.id" | "authorizations.id" | "dbrps.id"
        | "labels.id" => Some(Unique::Id),
        _ => None,
    }
}
