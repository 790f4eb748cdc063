//! A label on the wire (auth-and-resources 9.7).

use std::collections::BTreeMap;

use influxd_model::Label;
use serde::Serialize;
use utoipa::ToSchema;

use crate::v2::paging::SelfLink;

/// A label, to be put on buckets.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Label)]
pub(crate) struct LabelView {
    id: String,
    #[serde(rename = "orgID")]
    org_id: String,
    name: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    properties: BTreeMap<String, String>,
}

impl LabelView {
    pub(crate) fn of(label: &Label) -> Self {
        Self {
            id: label.id.to_string(),
            org_id: label.org.to_string(),
            name: label.name.clone(),
            properties: label.properties.clone(),
        }
    }
}

/// A label by itself.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LabelResponse)]
pub(super) struct SingleView {
    links: SelfLink,
    label: LabelView,
}

impl SingleView {
    pub(super) fn of(label: &Label) -> Self {
        let own = format!("/api/v2/labels/{}", label.id);
        Self {
            links: SelfLink { own },
            label: LabelView::of(label),
        }
    }
}

/// A list of labels; its link is the same wherever the list is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LabelsResponse)]
pub(super) struct LabelsView {
    links: SelfLink,
    labels: Vec<LabelView>,
}

impl LabelsView {
    pub(super) fn of<'a>(labels: impl IntoIterator<Item = &'a Label>) -> Self {
        let own = "/api/v2/labels".to_owned();
        Self {
            links: SelfLink { own },
            labels: labels.into_iter().map(LabelView::of).collect(),
        }
    }
}
