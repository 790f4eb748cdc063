//! `PATCH /api/v2/dbrps/{id}`

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use influxd_model::{Action, AnyId, Dbrp, Permission};
use influxd_store::{Store, StoreError, Unique};

use crate::body::Body;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::json::{DecodeError, Fields};
use crate::permit::{reading, require, sees_bucket};
use crate::query_string::Query;
use crate::reply;
use crate::state::AppState;
use crate::v2::dbrps::find::{self, Found};
use crate::v2::dbrps::view::{Content, DbrpView};
use crate::v2::dbrps::{OrgChoice, check_name, taken, unknown};

struct Request {
    policy: Option<String>,
    is_default: Option<bool>,
}

fn decode(body: &Body) -> Result<Request, DecodeError> {
    let mut fields = Fields::read_change(&body.0, "DBRPUpdate")?;
    Ok(Request {
        policy: fields.string("retention_policy")?,
        is_default: fields.boolean("default")?,
    })
}

/// Changes the policy of a mapping, or whether it is the default. A virtual mapping is what its
/// bucket's name says, and cannot be changed here.
pub(crate) async fn update(
    caller: Caller,
    state: web::Data<AppState>,
    id: web::Path<String>,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, ApiError> {
    let id: AnyId = id.parse()?;
    let query = Query::new(request.query_string());
    let choice = OrgChoice::of(query.get("orgID"), query.get("org"))?;
    let (store, body) = (state.store.clone(), Arc::new(body));
    let stored = state
        .change(move || {
            update_one(
                store.clone(),
                caller.clone(),
                choice.clone(),
                id,
                body.clone(),
            )
        })
        .await?;
    state.changed();
    tracing::info!(dbrp.id = %stored.id, "changed mapping {}", stored.id);
    let content = DbrpView::physical(&stored);
    Ok(reply::pretty(StatusCode::OK, &Content { content }))
}

async fn update_one(
    store: Arc<dyn Store>,
    caller: Caller,
    choice: OrgChoice,
    id: AnyId,
    body: Arc<Body>,
) -> Result<Dbrp, ApiError> {
    let mut transaction = store.begin().await?;
    let org = choice.resolve(&mut *transaction).await?;
    let found = find::find(&mut *transaction, org, id)
        .await?
        .ok_or_else(unknown)?;
    let (mut dbrp, bucket) = match found {
        Found::Physical(dbrp, bucket) => (dbrp, bucket),
        Found::Virtual(bucket) if sees_bucket(&caller, &bucket) => {
            require(&caller, &reading(&bucket))?;
            return Err(ApiError::invalid(
                "a virtual mapping follows the name of its bucket and cannot be changed",
            ));
        }
        Found::Virtual(_) => return Err(unknown()),
    };
    require(&caller, &reading(&bucket))?;
    let change = decode(&body)
        .map_err(|error| ApiError::invalid(format!("invalid json structure: {error}")))?;
    require(&caller, &Permission::on_bucket(Action::Write, &bucket))?;
    if let Some(policy) = change.policy {
        check_name("retentionPolicy", &policy)?;
        dbrp.policy = policy;
    }
    dbrp.is_default = change.is_default.unwrap_or(dbrp.is_default);
    let stored = match transaction.dbrps().update(&dbrp).await {
        Err(StoreError::Conflict(Unique::DbrpNames)) => return Err(taken()),
        Err(StoreError::NotFound(_)) => return Err(unknown()),
        result => result?,
    };
    transaction.commit().await?;
    Ok(stored)
}
