//! `/api/v2/dbrps`

mod create;
mod delete;
mod find;
mod get;
mod list;
mod update;
mod view;

use std::borrow::Cow;

use actix_web::web;
use influxd_model::{IdError, OrgId};
use influxd_store::Transaction;
use influxd_tokens::MAX_NAME;
use utoipa::ToSchema;

use self::view::{Content, Contents, DbrpView};
use crate::error::{ApiError, ErrorCode};
use crate::routes::operation::Verb::{Delete, Get, Patch, Post};
use crate::routes::operation::{Answer, Group, Operation, Style};

/// A new mapping. The organization is named by its id or by its name.
#[derive(ToSchema)]
#[schema(as = DBRPRequest)]
#[expect(dead_code, reason = "describes a body that is taken apart by hand")]
struct NewMappingBody {
    database: String,
    retention_policy: String,
    default: Option<bool>,
    #[schema(rename = "orgID")]
    org_id: Option<String>,
    org: Option<String>,
    #[schema(rename = "bucketID")]
    bucket_id: String,
}

/// Changes to a mapping; what is not given stays.
#[derive(ToSchema)]
#[schema(as = DBRPUpdate)]
#[expect(dead_code, reason = "describes a body that is taken apart by hand")]
struct ChangedMappingBody {
    retention_policy: Option<String>,
    default: Option<bool>,
}

const ORG: (&str, &str) = ("org", "the organization, by name");
const ORG_ID: (&str, &str) = ("orgID", "the organization, by id");

pub(crate) const GROUP: Group = Group {
    root: "/api/v2/dbrps",
    style: Style::Pretty,
    operations: &[
        Operation::new(
            (Get, "/api/v2/dbrps"),
            || web::to(list::list),
            (
                "GetDBRPs",
                "Lists the mappings to buckets that the caller may read",
            ),
            &[Answer::json::<Contents>(200)],
        )
        .query(&[
            ORG,
            ORG_ID,
            ("id", "only the one with this id"),
            ("bucketID", "only those to this bucket"),
            ("db", "only those of this database"),
            ("rp", "only those of this retention policy"),
            ("default", "only defaults, or only others"),
        ])
        .errors(&[400, 404]),
        Operation::new(
            (Post, "/api/v2/dbrps"),
            || web::to(create::create),
            (
                "PostDBRP",
                "Maps a database and a retention policy to a bucket",
            ),
            &[Answer::json::<DbrpView>(201)],
        )
        .takes::<NewMappingBody>()
        .errors(&[404, 422]),
        Operation::new(
            (Get, "/api/v2/dbrps/{id}"),
            || web::to(get::get),
            ("GetDBRPsID", "Shows a mapping"),
            &[Answer::json::<Content>(200)],
        )
        .query(&[ORG, ORG_ID]),
        Operation::new(
            (Patch, "/api/v2/dbrps/{id}"),
            || web::to(update::update),
            ("PatchDBRPID", "Changes a mapping"),
            &[Answer::json::<Content>(200)],
        )
        .query(&[ORG, ORG_ID])
        .takes::<ChangedMappingBody>()
        .errors(&[422]),
        Operation::new(
            (Delete, "/api/v2/dbrps/{id}"),
            || web::to(delete::delete),
            ("DeleteDBRPID", "Removes a mapping"),
            &[Answer::empty(204)],
        )
        .query(&[ORG, ORG_ID]),
    ],
};

/// How a request names its organization: an id, which need not exist, or else a name.
#[derive(Debug, Clone)]
enum OrgChoice {
    Id(OrgId),
    Name(String),
}

impl OrgChoice {
    fn of(id: Option<Cow<'_, str>>, name: Option<Cow<'_, str>>) -> Result<Self, ApiError> {
        match (id, name) {
            (Some(id), _) => id.parse().map(Self::Id).map_err(|error: IdError| {
                ApiError::invalid(format!("invalid org ID \"{id}\": {error}"))
            }),
            (None, Some(name)) => Ok(Self::Name(name.into_owned())),
            (None, None) => Err(ApiError::invalid(
                "either 'org' or 'orgID' must be provided",
            )),
        }
    }

    async fn resolve(self, transaction: &mut dyn Transaction) -> Result<OrgId, ApiError> {
        match self {
            Self::Id(id) => Ok(id),
            Self::Name(name) => {
                let found = transaction.organizations().find_by_name(&name).await?;
                let missing = || {
                    ApiError::not_found(format!("invalid org \"{name}\": organization not found"))
                };
                found.map(|org| org.id).ok_or_else(missing)
            }
        }
    }
}

fn unknown() -> ApiError {
    ApiError::not_found("unable to find DBRP")
}

fn taken() -> ApiError {
    ApiError::conflict("another DBRP mapping with same orgID, db, and rp exists")
}

/// Refuses what cannot name a database or a policy; `what` is the word for it.
fn check_name(what: &str, name: &str) -> Result<(), ApiError> {
    if influxd_model::dbrp::is_valid_name(name) {
        if name.len() > MAX_NAME {
            return Err(ApiError::new(ErrorCode::TooLarge, "key too large"));
        }
        return Ok(());
    }
    Err(ApiError::invalid(format!(
        "DBRP provided is invalid: {what} must contain at least one character and only be \
         letters, numbers, '_', '-', and '.'"
    )))
}
