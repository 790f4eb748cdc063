//! `/api/v2/dbrps`

pub(crate) mod create;
pub(crate) mod delete;
mod find;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod update;
mod view;

use std::borrow::Cow;

use influxd_model::{IdError, OrgId};
use influxd_store::Transaction;

use crate::error::ApiError;

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
        return Ok(());
    }
    Err(ApiError::invalid(format!(
        "DBRP provided is invalid: {what} must contain at least one character and only be \
         letters, numbers, '_', '-', and '.'"
    )))
}
