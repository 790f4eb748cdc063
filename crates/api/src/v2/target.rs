//! Which organization and bucket a data request names (data-endpoints 6 and 7).

use std::borrow::Cow;

use influxd_model::OrgId;

use crate::error::ApiError;
use crate::query_string::Query;

/// The organization as the request names it: `orgID` before `org`. An `orgID` must be well
/// formed; an `org` may be a name or an id.
pub(crate) fn org(query: Query<'_>) -> Result<Cow<'_, str>, ApiError> {
    if let Some(id) = query.get("orgID") {
        id.parse::<OrgId>()?;
        return Ok(id);
    }
    query
        .get("org")
        .ok_or(ApiError::invalid("Please provide either orgID or org"))
}
