//! `/api/v2/backup` and `/api/v2/restore`: for operators, and not implemented yet.

use actix_web::{HttpResponse, web};

use crate::caller::Caller;
use crate::error::{ApiError, ErrorCode};
use crate::routes::operation::Verb::{Get, Post};
use crate::routes::operation::{Group, Operation, Style};

pub(crate) const BACKUP: Group = Group {
    root: "/api/v2/backup",
    style: Style::Compact,
    operations: &[
        Operation::new(
            (Get, "/api/v2/backup/kv"),
            || web::to(not_here),
            ("GetBackupKV", "backup is not implemented"),
            &[],
        )
        .errors(&[501]),
        Operation::new(
            (Get, "/api/v2/backup/metadata"),
            || web::to(not_here),
            ("GetBackupMetadata", "backup is not implemented"),
            &[],
        )
        .errors(&[501]),
        Operation::new(
            (Get, "/api/v2/backup/shards/{id}"),
            || web::to(not_here),
            ("GetBackupShardId", "backup is not implemented"),
            &[],
        )
        .errors(&[501]),
    ],
};

pub(crate) const RESTORE: Group = Group {
    root: "/api/v2/restore",
    style: Style::Compact,
    operations: &[
        Operation::new(
            (Post, "/api/v2/restore/kv"),
            || web::to(not_here),
            ("PostRestoreKV", "restoring is not implemented"),
            &[],
        )
        .errors(&[501]),
        Operation::new(
            (Post, "/api/v2/restore/sql"),
            || web::to(not_here),
            ("PostRestoreSQL", "restoring is not implemented"),
            &[],
        )
        .errors(&[501]),
        Operation::new(
            (Post, "/api/v2/restore/bucketMetadata"),
            || web::to(not_here),
            ("PostRestoreBucketMetadata", "restoring is not implemented"),
            &[],
        )
        .errors(&[501]),
        Operation::new(
            (Post, "/api/v2/restore/bucket-metadata"),
            || web::to(not_here),
            (
                "PostRestoreBucketMetadataNew",
                "restoring is not implemented",
            ),
            &[],
        )
        .errors(&[501]),
        Operation::new(
            (Post, "/api/v2/restore/buckets/{id}"),
            || web::to(not_here),
            ("PostRestoreBucketID", "restoring is not implemented"),
            &[],
        )
        .errors(&[501]),
        Operation::new(
            (Post, "/api/v2/restore/shards/{id}"),
            || web::to(not_here),
            ("PostRestoreShardId", "restoring is not implemented"),
            &[],
        )
        .errors(&[501]),
    ],
};

/// Operators are told that it is not implemented, all others what they lack.
async fn not_here(caller: Caller) -> Result<HttpResponse, ApiError> {
    if let Some(missing) = caller.missing_for_operator() {
        return Err(ApiError::Denied(missing));
    }
    Err(ApiError::new(
        ErrorCode::NotImplemented,
        "backup and restore are not implemented by this server; back its store up",
    ))
}
