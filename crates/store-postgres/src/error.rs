//! From what PostgreSQL says to what a store says, without any value of a statement.

use influxd_store::{LostRace, StoreError, Unique};
use sqlx::error::DatabaseError;

/// What PostgreSQL reported, in words that hold no data of a statement and no part of the URL.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct PostgresFailure(pub(crate) String);

/// [`StoreError::Unavailable`] for a reason of our own.
pub(crate) fn unavailable(reason: &str) -> StoreError {
    StoreError::Unavailable(Box::new(PostgresFailure(reason.to_owned())))
}

/// [`StoreError::Unavailable`] because another transaction was faster, in a way that says what it
/// did; see [`StoreError::is_lost_race`].
pub(crate) fn lost_race(what: &str) -> StoreError {
    StoreError::Unavailable(Box::new(LostRace(what.to_owned())))
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
        sqlx::Error::Encode(_) | sqlx::Error::InvalidArgument(_) => StoreError::Refused(Box::new(
            PostgresFailure("a value cannot be sent".to_owned()),
        )),
        sqlx::Error::PoolTimedOut => unavailable("no connection became free, or could be made"),
        sqlx::Error::PoolClosed => unavailable("the store is closed"),
        sqlx::Error::Configuration(_) => unavailable("the connection's settings are not usable"),
        other => StoreError::Unavailable(Box::new(PostgresFailure(other.to_string()))),
    }
}

/// The same for a connection while the store is opened: who may connect, and to what, does not change by waiting.
pub(crate) fn opening_error(error: sqlx::Error) -> StoreError {
    let failed = error.as_database_error();
    let code = failed.and_then(DatabaseError::code).unwrap_or_default();
    match (code.as_ref(), failed) {
        ("3D000" | "28000" | "28P01", Some(failed)) => {
            StoreError::Unusable(failed.message().to_owned())
        }
        _ => store_error(error),
    }
}

/// The constraint that a statement ran into, if that is what its error says.
pub(crate) fn is_constraint(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(DatabaseError::code);
    code.is_some_and(|code| code.starts_with("23"))
}

/// Whether an error says that another transaction has changed a row since this one began.
pub(crate) fn is_lost_race(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(DatabaseError::code);
    code.is_some_and(|code| code == "40001")
}

/// Whether an error says that a lock was not to be had in time.
pub(crate) fn is_lock_timeout(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(DatabaseError::code);
    code.is_some_and(|code| code == "55P03")
}

fn database_error(error: &dyn DatabaseError) -> StoreError {
    let code = error.code().unwrap_or_default().into_owned();
    let constraint = error.constraint().unwrap_or_default();
    match (code.as_str(), constraint) {
        ("23505", "dbrps_one_default") => {
            return lost_race("it changed the same database's mappings");
        }
        ("23505", name) => {
            if let Some(unique) = unique(name) {
                return StoreError::Conflict(unique);
            }
        }
        ("23503", name) => {
            if let Some(missing) = missing(name) {
                return StoreError::NotFound(missing);
            }
        }
        _ => {}
    }
    // Messages about data may quote it; the others speak of the server.
    let about_data = ["21", "22", "23", "42", "44", "P0"]
        .iter()
        .any(|class| code.starts_with(class));
    let mut text = format!("PostgreSQL reports {code}");
    if !about_data {
        text.push_str(": ");
        text.push_str(error.message());
    }
    if let Some(table) = error.table() {
        text.push_str(", table ");
        text.push_str(table);
    }
    if !constraint.is_empty() {
        text.push_str(", constraint ");
        text.push_str(constraint);
    }
    if matches!(code.as_str(), "40001" | "40P01") {
        return lost_race(&text);
    }
    let failure = Box::new(PostgresFailure(text));
    match code.get(..2) {
        // What another try may cure: connections, authentication while somebody changes it, limits, operators' work, disks; and a server that is a standby at the moment.
        Some("08" | "28" | "3D" | "40" | "53" | "55" | "57" | "58" | "XX")
            if !matches!(code.as_str(), "XX001" | "XX002") =>
        {
            StoreError::Unavailable(failure)
        }
        Some("25") if code != "25P02" => StoreError::Unavailable(failure),
        Some("XX") => StoreError::Corrupt {
            what: "database",
            detail: failure.0,
        },
        _ => StoreError::Refused(failure),
    }
}

/// What has to be unique, by the constraint's name.
fn unique(constraint: &str) -> Option<Unique> {
    match constraint {
        "organizations_id" | "users_id" | "buckets_id" | "authorizations_id" | "dbrps_id"
        | "labels_id" => Some(Unique::Id),
        "organizations_name" => Some(Unique::OrganizationName),
        "users_name" => Some(Unique::UserName),
        "buckets_name" => Some(Unique::BucketName),
        "authorizations_token_digest"
        | "authorizations_raw_key"
        | "authorizations_v1_name"
        | "sessions_digest" => Some(Unique::Token),
        "memberships_key" => Some(Unique::Membership),
        "labels_name" => Some(Unique::LabelName),
        "bucket_labels_key" => Some(Unique::LabelMapping),
        "dbrps_names" => Some(Unique::DbrpNames),
        _ => None,
    }
}

/// What has to be there, by the constraint's name.
fn missing(constraint: &str) -> Option<&'static str> {
    match constraint {
        "buckets_organization"
        | "dbrps_organization"
        | "memberships_organization"
        | "labels_organization"
        | "secrets_organization" => Some("organization"),
        "dbrps_bucket" | "memberships_bucket" | "bucket_labels_bucket" => Some("bucket"),
        "passwords_user" | "memberships_user" => Some("user"),
        "bucket_labels_label" => Some("label"),
        _ => None,
    }
}
