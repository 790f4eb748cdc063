//! `PATCH /api/v2/authorizations/{id}`

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use influxd_model::{Action, AuthorizationId, Status};
use influxd_store::Store;

use crate::body::Body;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::json::{DecodeError, Fields};
use crate::reply;
use crate::state::AppState;
use crate::text::refuse_nul;
use crate::v2::authorizations::kind::Kind;
use crate::v2::authorizations::names::Names;
use crate::v2::authorizations::view::AuthorizationView;
use crate::v2::authorizations::{find, require_both, shown_token, status_of};

#[derive(Clone)]
struct Request {
    status: Option<String>,
    description: Option<String>,
}

fn decode(body: &Body) -> Result<Request, DecodeError> {
    let mut fields = Fields::read_change(&body.0, "updateAuthorizationRequest")?;
    Ok(Request {
        status: fields.string("status")?,
        description: fields.string("description")?,
    })
}

/// Changes status and description of an authorization. It is touched even if nothing is given, and
/// also if its organization or owner is gone: then it is changed, but there is nothing to show.
pub(crate) async fn update(
    kind: Kind,
    caller: Caller,
    state: web::Data<AppState>,
    id: web::Path<String>,
    body: Body,
) -> Result<HttpResponse, ApiError> {
    let id: AuthorizationId = id.parse()?;
    let request = decode(&body).map_err(|error| ApiError::invalid(error.to_string()))?;
    let (store, now) = (state.store.clone(), state.clock.now());
    let shown = state
        .change(move || {
            apply(
                store.clone(),
                kind,
                caller.clone(),
                id,
                request.clone(),
                now,
            )
        })
        .await?;
    state.resolver.forget();
    tracing::info!(authorization.id = %id, "changed {} {id}", kind.noun());
    Ok(reply::pretty(StatusCode::OK, &shown?))
}

/// Changes it; what is to be shown of it afterwards.
async fn apply(
    store: Arc<dyn Store>,
    kind: Kind,
    caller: Caller,
    id: AuthorizationId,
    request: Request,
    now: i64,
) -> Result<Result<AuthorizationView<'static>, ApiError>, ApiError> {
    let mut transaction = store.begin().await?;
    let mut authorization = find(&mut *transaction, kind, id).await?;
    require_both(&caller, Action::Read, &authorization)?;
    require_both(&caller, Action::Write, &authorization)?;
    authorization.status = new_status(kind, request.status, authorization.status)?;
    if let Some(description) = request.description {
        refuse_nul(&description)?;
        authorization.description = description;
    }
    authorization.updated_at = now;
    let mut names = Names::default();
    names.learn(&mut *transaction, &authorization).await?;
    transaction.authorizations().update(&authorization).await?;
    let token = shown_token(&mut *transaction, &caller, &authorization).await?;
    transaction.commit().await?;
    Ok(match names.missing(&authorization) {
        None => Ok(AuthorizationView::of(&authorization, token, &names)),
        Some(what) => Err(ApiError::not_found(what)),
    })
}

fn new_status(kind: Kind, asked: Option<String>, present: Status) -> Result<Status, ApiError> {
    match asked {
        None => Ok(present),
        Some(text) => status_of(&text).ok_or(ApiError::invalid(kind.unknown_status())),
    }
}
