//! `/api/v2/backup` and `/api/v2/restore`: all resources and credentials, for operators. Points are
//! not part of it yet.

mod export;
mod manifest;
mod restore;

use actix_web::{HttpResponse, web};

use self::restore::RestoredView;

use crate::caller::Caller;
use crate::error::{ApiError, ErrorCode};
use crate::routes::operation::Verb::{Get, Post};
use crate::routes::operation::{Answer, Content, Group, Operation, Style};

pub(crate) const BACKUP: Group = Group {
    root: "/api/v2/backup",
    style: Style::Compact,
    operations: &[
        Operation::new(
            (Get, "/api/v2/backup/kv"),
            || web::to(export::kv),
            ("GetBackupKV", "Copies all resources and credentials"),
            &[Answer::text(200, "application/octet-stream")],
        ),
        Operation::new(
            (Get, "/api/v2/backup/metadata"),
            || web::to(export::metadata),
            (
                "GetBackupMetadata",
                "Copies all resources and credentials, and lists the buckets",
            ),
            &[Answer::text(200, "multipart/mixed")],
        )
        .errors(&[400]),
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
            || web::to(restore::kv),
            (
                "PostRestoreKV",
                "Puts a copy in the place of all resources and credentials",
            ),
            &[Answer::json::<RestoredView>(200)],
        )
        .takes_content(Content::text("application/octet-stream"))
        .errors(&[422, 500]),
        Operation::new(
            (Post, "/api/v2/restore/sql"),
            || web::to(restore::sql),
            (
                "PostRestoreSQL",
                "Accepts the second part of a backup, which is empty here",
            ),
            &[Answer::empty(200)],
        ),
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

/// Who is no operator is told what they lack first.
fn require_operator(caller: &Caller) -> Result<(), ApiError> {
    match caller.missing_for_operator() {
        Some(missing) => Err(ApiError::Denied(missing)),
        None => Ok(()),
    }
}

/// Points are not there yet.
async fn not_here(caller: Caller) -> Result<HttpResponse, ApiError> {
    require_operator(&caller)?;
    Err(ApiError::new(
        ErrorCode::NotImplemented,
        "backup and restore of points are not implemented by this server; back its store up",
    ))
}
