//! `POST /api/v2/write`

use actix_web::{HttpRequest, HttpResponse, web};
use influxd_model::WriteGrant;

use crate::caller::Caller;
use crate::directory::unknown_bucket;
use crate::error::{ApiError, ErrorCode};
use crate::points::Precision;
use crate::query_string::Query;
use crate::reply;
use crate::routes::operation::Verb::Post;
use crate::routes::operation::{Answer, Content, Group, Operation, Style};
use crate::state::AppState;
use crate::v1::write::Incoming;
use crate::v2::target;

pub(crate) const GROUP: Group = Group {
    root: "/api/v2/write",
    style: Style::Compact,
    operations: &[Operation::new(
        (Post, "/api/v2/write"),
        || web::to(write),
        ("PostWrite", "Stores points"),
        &[Answer::empty(204)],
    )
    .query(&[
        ("org", "the organization, by name or id"),
        ("orgID", "the organization, by id"),
        ("bucket", "the bucket, by name or id"),
        ("precision", "the unit of time stamps: ns, us, ms or s"),
    ])
    .takes_content(Content::text("text/plain"))
    .errors(&[404, 413, 422])],
};

/// Stores line protocol in a bucket (data-endpoints 6). The order of the checks is part of the
/// contract.
async fn write(
    caller: Caller,
    state: web::Data<AppState>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, ApiError> {
    let query = Query::new(request.query_string());
    let units = precision(query.get("precision").as_deref())?;
    let name = query
        .get("bucket")
        .ok_or(ApiError::not_found("bucket not found"))?;
    let content = Incoming::begin(&state, &request, payload).await?;
    let org = target::org(query)?;
    let bucket = match state.directory.cached_bucket(&org, &name) {
        Some(bucket) => bucket,
        None => {
            let directory = state.directory.clone();
            let (org, name) = (org.into_owned(), name.to_string());
            state
                .run(async move { directory.bucket(&org, &name).await })
                .await?
        }
    };
    let grant = WriteGrant::check(&caller.permissions, &bucket).ok_or(ApiError::new(
        ErrorCode::Forbidden,
        "insufficient permissions for write",
    ))?;
    let gone = || unknown_bucket(&name);
    content
        .store(&state, &request, grant, &bucket, units, gone)
        .await?;
    Ok(reply::no_content())
}

/// The unit of time stamps, also in nanoseconds.
fn precision(word: Option<&str>) -> Result<(Precision, i64), ApiError> {
    Ok(match word {
        None | Some("ns") => (Precision::Nanosecond, 1),
        Some("us") => (Precision::Microsecond, 1_000),
        Some("ms") => (Precision::Millisecond, 1_000_000),
        Some("s") => (Precision::Second, 1_000_000_000),
        Some(_) => {
            return Err(ApiError::invalid(
                "invalid precision; valid precision units are ns, us, ms, and s",
            ));
        }
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_four_precisions_exist() {
        for word in [None, Some("ns"), Some("us"), Some("ms"), Some("s")] {
            assert!(super::precision(word).is_ok(), "{word:?}");
        }
        for word in ["n", "u", "m", "h", "NS", "x"] {
            assert!(super::precision(Some(word)).is_err(), "{word}");
        }
    }
}
