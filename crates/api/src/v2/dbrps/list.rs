//! `GET /api/v2/dbrps`

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use influxd_model::dbrp::Mapping;
use influxd_model::{AnyId, BucketId, IdError};

use crate::caller::Caller;
use crate::directory::visible_mappings;
use crate::error::ApiError;
use crate::query_string::{Query, parse_bool};
use crate::reply;
use crate::state::AppState;
use crate::v2::dbrps::OrgChoice;
use crate::v2::dbrps::view::{Contents, DbrpView};

/// What a request filters by: all conditions that are given hold.
struct Filter {
    id: Option<AnyId>,
    bucket: Option<BucketId>,
    database: Option<String>,
    policy: Option<String>,
    is_default: Option<bool>,
}

impl Filter {
    fn read(query: Query<'_>) -> Result<Self, ApiError> {
        let bad = |what: &str, text: &str, error: IdError| {
            ApiError::invalid(format!("invalid {what} ID \"{text}\": {error}"))
        };
        let id = query
            .get("id")
            .map(|text| text.parse().map_err(|e| bad("DBRP", &text, e)));
        let bucket = query
            .get("bucketID")
            .map(|text| text.parse().map_err(|e| bad("bucket", &text, e)));
        let is_default = query
            .get("default")
            .map(|text| parse_bool(&text).ok_or(ApiError::invalid("invalid default parameter")));
        let text = |name| query.get(name).map(std::borrow::Cow::into_owned);
        Ok(Self {
            id: id.transpose()?,
            bucket: bucket.transpose()?,
            database: text("db"),
            policy: text("rp"),
            is_default: is_default.transpose()?,
        })
    }

    fn takes(&self, mapping: &Mapping) -> bool {
        let id = mapping.id.map_or(AnyId::from(mapping.bucket), AnyId::from);
        self.id.is_none_or(|wanted| wanted == id)
            && self.bucket.is_none_or(|wanted| wanted == mapping.bucket)
            && self
                .database
                .as_ref()
                .is_none_or(|wanted| *wanted == mapping.database)
            && self
                .policy
                .as_ref()
                .is_none_or(|wanted| *wanted == mapping.policy)
            && self
                .is_default
                .is_none_or(|wanted| wanted == mapping.is_default)
    }
}

/// Lists the mappings that the caller can see: physical ones, then virtual ones.
pub(crate) async fn list(
    caller: Caller,
    state: web::Data<AppState>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let query = Query::new(request.query_string());
    let choice = OrgChoice::of(query.get("orgID"), query.get("org"))?;
    let filter = Filter::read(query);
    let store = state.store.clone();
    let work = async move {
        let mut transaction = store.begin_read().await?;
        let org = choice.resolve(&mut *transaction).await?;
        // The organization is looked for before what it is filtered by is looked at.
        let filter = filter?;
        let mappings = visible_mappings(&mut *transaction, org, &caller).await?;
        Ok((mappings, org, filter))
    };
    let (mappings, org, filter) = state.run(work).await?;
    let content: Vec<DbrpView> = mappings
        .iter()
        .map(|visible| &visible.mapping)
        .filter(|mapping| filter.takes(mapping))
        .map(|mapping| DbrpView::of(mapping, org))
        .collect();
    Ok(reply::pretty(StatusCode::OK, &Contents { content }))
}
