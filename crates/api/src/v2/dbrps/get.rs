//! `GET /api/v2/dbrps/{id}`

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use influxd_model::AnyId;
use influxd_model::dbrp::virtual_mapping;

use crate::caller::Caller;
use crate::error::ApiError;
use crate::permit::{reading, require, sees_bucket};
use crate::query_string::Query;
use crate::reply;
use crate::state::AppState;
use crate::v2::dbrps::find::{self, Found};
use crate::v2::dbrps::view::{Content, DbrpView};
use crate::v2::dbrps::{OrgChoice, unknown};

/// Shows a mapping, physical or virtual: the latter as its bucket's name has it, whatever else
/// there is. A virtual one that the caller may not see does not exist.
pub(crate) async fn get(
    caller: Caller,
    state: web::Data<AppState>,
    id: web::Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let id: AnyId = id.parse()?;
    let query = Query::new(request.query_string());
    let choice = OrgChoice::of(query.get("orgID"), query.get("org"))?;
    let store = state.store.clone();
    let work = async move {
        let mut transaction = store.begin_read().await?;
        let org = choice.resolve(&mut *transaction).await?;
        match find::find(&mut *transaction, org, id)
            .await?
            .ok_or_else(unknown)?
        {
            Found::Physical(dbrp, bucket) => {
                require(&caller, &reading(&bucket))?;
                Ok(DbrpView::physical(&dbrp))
            }
            Found::Virtual(bucket) if sees_bucket(&caller, &bucket) => {
                require(&caller, &reading(&bucket))?;
                Ok(DbrpView::of(&virtual_mapping(&bucket), org))
            }
            Found::Virtual(_) => Err(unknown()),
        }
    };
    let content = state.run(work).await?;
    Ok(reply::pretty(StatusCode::OK, &Content { content }))
}
