//! `/api/v2/labels`, and the labels of buckets

mod buckets;
mod create;
mod delete;
mod get;
mod list;
mod update;
pub(crate) mod view;

use std::collections::BTreeMap;

use actix_web::web;
use influxd_model::{Action, AnyId, Label, OrgId, Permission, ResourceType};
use influxd_tokens::{Caller, MAX_NAME};
use utoipa::ToSchema;

use self::view::{LabelsView, SingleView};
use crate::error::{ApiError, ErrorCode};
use crate::permit::holds;
use crate::routes::operation::Verb::{Delete, Get, Patch, Post};
use crate::routes::operation::{Answer, Group, Operation, Style};
use crate::text::refuse_nul;

/// A new label.
#[derive(ToSchema)]
#[schema(as = LabelRequest)]
#[expect(dead_code, reason = "describes a body that is taken apart by hand")]
struct NewLabelBody {
    #[schema(rename = "orgID")]
    org_id: String,
    /// Unique in the organization, whatever its letters' case.
    name: String,
    properties: Option<BTreeMap<String, String>>,
}

/// Changes to a label; what is not given stays.
#[derive(ToSchema)]
#[schema(as = LabelUpdate)]
#[expect(dead_code, reason = "describes a body that is taken apart by hand")]
struct ChangedLabelBody {
    name: Option<String>,
    /// Added to those that there are; one without a value goes.
    properties: Option<BTreeMap<String, String>>,
}

/// Which label to put on something.
#[derive(ToSchema)]
#[schema(as = LabelMapping)]
#[expect(dead_code, reason = "describes a body that is taken apart by hand")]
struct MappingBody {
    #[schema(rename = "labelID")]
    label_id: String,
}

pub(crate) const GROUP: Group = Group {
    root: "/api/v2/labels",
    style: Style::Pretty,
    operations: &[
        Operation::new(
            (Get, "/api/v2/labels"),
            || web::to(list::list),
            ("GetLabels", "Lists the labels that the caller may read"),
            &[Answer::json::<LabelsView>(200)],
        )
        .query(&[
            ("orgID", "only those of this organization"),
            ("name", "only those with this name, whatever its case"),
        ]),
        Operation::new(
            (Post, "/api/v2/labels"),
            || web::to(create::create),
            ("PostLabels", "Makes a label"),
            &[Answer::json::<SingleView>(201)],
        )
        .takes::<NewLabelBody>()
        .errors(&[404, 422]),
        Operation::new(
            (Get, "/api/v2/labels/{id}"),
            || web::to(get::get),
            ("GetLabelsID", "Shows a label"),
            &[Answer::json::<SingleView>(200)],
        ),
        Operation::new(
            (Patch, "/api/v2/labels/{id}"),
            || web::to(update::update),
            ("PatchLabelsID", "Changes a label"),
            &[Answer::json::<SingleView>(200)],
        )
        .takes::<ChangedLabelBody>()
        .errors(&[422]),
        Operation::new(
            (Delete, "/api/v2/labels/{id}"),
            || web::to(delete::delete),
            ("DeleteLabelsID", "Removes a label from all that bears it"),
            &[Answer::empty(204)],
        ),
    ],
};

/// Its router has manners of its own (auth-and-resources 1.7).
pub(crate) const OF_BUCKETS: Group = Group {
    root: "/api/v2/buckets/{id}/labels",
    style: Style::Embedded,
    operations: &[
        Operation::new(
            (Get, "/api/v2/buckets/{id}/labels"),
            || web::to(buckets::list),
            ("GetBucketsIDLabels", "Lists the labels of a bucket"),
            &[Answer::json::<LabelsView>(200)],
        ),
        Operation::new(
            (Post, "/api/v2/buckets/{id}/labels"),
            || web::to(buckets::attach),
            ("PostBucketsIDLabels", "Puts a label on a bucket"),
            &[Answer::json::<SingleView>(201)],
        )
        .takes::<MappingBody>()
        .errors(&[422]),
        Operation::new(
            (Delete, "/api/v2/buckets/{id}/labels/{labelID}"),
            || web::to(buckets::detach),
            ("DeleteBucketsIDLabelsID", "Takes a label off a bucket"),
            &[Answer::empty(204)],
        ),
    ],
};

/// Reading or changing one label.
fn on_label(action: Action, label: &Label) -> Permission {
    on_labels(action, label.org, Some(label.id.into()))
}

const fn on_labels(action: Action, org: OrgId, id: Option<AnyId>) -> Permission {
    Permission {
        action,
        resource: ResourceType::Labels,
        org: Some(org),
        id,
    }
}

/// Whether the caller may see a label.
pub(crate) fn sees_label(caller: &Caller, label: &Label) -> bool {
    holds(caller, &on_label(Action::Read, label))
}

fn missing() -> ApiError {
    ApiError::not_found("label not found")
}

fn taken(name: &str) -> ApiError {
    ApiError::conflict(format!("label with name {name} already exists"))
}

fn require_name(name: &str) -> Result<(), ApiError> {
    if name.is_empty() {
        return Err(ApiError::invalid("label name is required"));
    }
    Ok(())
}

/// Refuses what cannot name a label.
fn check_name(name: &str) -> Result<(), ApiError> {
    require_name(name)?;
    if name.len() > MAX_NAME {
        return Err(ApiError::new(ErrorCode::TooLarge, "key too large"));
    }
    refuse_nul(name)
}
