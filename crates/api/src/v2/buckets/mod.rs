//! `/api/v2/buckets`

mod create;
mod delete;
mod get;
mod list;
mod rules;
mod update;
pub(crate) mod view;

use actix_web::web;
use utoipa::ToSchema;

use self::list::BucketsView;
use self::view::BucketView;
use crate::routes::operation::Verb::{Delete, Get, Patch, Post};
use crate::routes::operation::{Answer, Group, Operation, Style};
use crate::v2::paging::PAGE;

/// How long points are kept.
#[derive(ToSchema)]
#[schema(as = RetentionRuleRequest, rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is taken apart by hand")]
struct RuleBody {
    /// Seconds; 0 is for ever, otherwise at least an hour.
    #[schema(minimum = 0)]
    every_seconds: Option<i64>,
    /// Seconds of one shard window; 0 for the default.
    #[schema(minimum = 0)]
    shard_group_duration_seconds: Option<i64>,
}

/// A new bucket.
#[derive(ToSchema)]
#[schema(as = BucketRequest, rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is taken apart by hand")]
struct NewBucketBody {
    #[schema(rename = "orgID")]
    org_id: String,
    /// Unique in the organization.
    name: String,
    description: Option<String>,
    rp: Option<String>,
    #[schema(max_items = 1)]
    retention_rules: Option<Vec<RuleBody>>,
}

/// Changes to a bucket; what is not given stays.
#[derive(ToSchema)]
#[schema(as = BucketUpdate, rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is taken apart by hand")]
struct ChangedBucketBody {
    name: Option<String>,
    description: Option<String>,
    #[schema(max_items = 1)]
    retention_rules: Option<Vec<RuleBody>>,
}

pub(crate) const GROUP: Group = Group {
    root: "/api/v2/buckets",
    style: Style::Pretty,
    operations: &[
        Operation::new(
            (Get, "/api/v2/buckets"),
            || web::to(list::list),
            ("GetBuckets", "Lists the buckets that the caller may read"),
            &[Answer::json::<BucketsView>(200)],
        )
        .query(&[
            ("org", "only those of the organization with this name"),
            ("orgID", "only those of the organization with this id"),
            ("name", "only the one with this name"),
            ("id", "only the one with this id"),
            PAGE.limit,
            PAGE.offset,
            PAGE.after,
            PAGE.descending,
        ])
        .errors(&[400, 404]),
        Operation::new(
            (Post, "/api/v2/buckets"),
            || web::to(create::create),
            ("PostBuckets", "Makes a bucket"),
            &[Answer::json::<BucketView>(201)],
        )
        .takes::<NewBucketBody>()
        .errors(&[404, 422, 500]),
        Operation::new(
            (Get, "/api/v2/buckets/{id}"),
            || web::to(get::get),
            ("GetBucketsID", "Shows a bucket"),
            &[Answer::json::<BucketView>(200)],
        ),
        Operation::new(
            (Patch, "/api/v2/buckets/{id}"),
            || web::to(update::update),
            ("PatchBucketsID", "Changes a bucket"),
            &[Answer::json::<BucketView>(200)],
        )
        .takes::<ChangedBucketBody>()
        .errors(&[422, 500]),
        Operation::new(
            (Delete, "/api/v2/buckets/{id}"),
            || web::to(delete::delete),
            ("DeleteBucketsID", "Removes a bucket and its points"),
            &[Answer::empty(204)],
        ),
    ],
};
