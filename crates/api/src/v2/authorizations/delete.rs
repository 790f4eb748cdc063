//! `DELETE /api/v2/authorizations/{id}`

use actix_web::{HttpResponse, web};
use influxd_model::{Action, AuthorizationId};

use crate::caller::Caller;
use crate::error::ApiError;
use crate::reply;
use crate::state::AppState;
use crate::v2::authorizations::kind::Kind;
use crate::v2::authorizations::{find, require_both};

/// Removes an authorization, also one whose organization or owner is gone, or the caller's own.
pub(crate) async fn delete(
    kind: Kind,
    caller: Caller,
    state: web::Data<AppState>,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let id: AuthorizationId = id.parse()?;
    let store = state.store.clone();
    let work = async move {
        let mut transaction = store.begin().await?;
        let authorization = find(&mut *transaction, kind, id).await?;
        require_both(&caller, Action::Write, &authorization)?;
        transaction.authorizations().delete(kind.0, id).await?;
        Ok(transaction.commit().await?)
    };
    state.run(work).await?;
    state.resolver.forget();
    tracing::info!(authorization.id = %id, "deleted {} {id}", kind.noun());
    Ok(reply::no_content())
}
