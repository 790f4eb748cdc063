//! `GET /api/v2/users`

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use influxd_model::{Action, User, UserId};
use influxd_store::{Page, Store};
use serde::Serialize;
use utoipa::ToSchema;

use crate::caller::Caller;
use crate::error::ApiError;
use crate::permit::holds;
use crate::query_string::Query;
use crate::reply;
use crate::state::AppState;
use crate::v2::paging::{Paging, SelfLink};
use crate::v2::users::view::UserView;
use crate::v2::users::{not_found, on_user};

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Users)]
pub(crate) struct UsersView {
    links: SelfLink,
    users: Vec<UserView>,
}

/// Lists the users that the caller may read. One that is named must exist, the id coming before
/// the name. Pages are cut before what the caller may not read is left out.
pub(crate) async fn list(
    caller: Caller,
    state: web::Data<AppState>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let query = Query::new(request.query_string());
    let paging = Paging::read(query)?;
    let id: Option<UserId> = query.get("id").map(|id| id.parse()).transpose()?;
    let name = query.get("name").map(std::borrow::Cow::into_owned);
    let after = paging.after.and_then(|id| UserId::new(id.get()));
    let (store, page) = (state.store.clone(), paging.page());
    let mut found = state
        .run(async move { find(&*store, id, name, after, page).await })
        .await?;
    found.retain(|user| holds(&caller, &on_user(Action::Read, user.id)));
    let links = SelfLink {
        own: "/api/v2/users".to_owned(),
    };
    let users = found.iter().map(UserView::of).collect();
    Ok(reply::pretty(StatusCode::OK, &UsersView { links, users }))
}

async fn find(
    store: &dyn Store,
    id: Option<UserId>,
    name: Option<String>,
    after: Option<UserId>,
    page: Page,
) -> Result<Vec<User>, ApiError> {
    let mut transaction = store.begin_read().await?;
    let mut users = transaction.users();
    let one = match (id, name) {
        (Some(id), _) => users.find(id).await?,
        (None, Some(name)) => users.find_by_name(&name).await?,
        (None, None) => return Ok(users.list(after, page).await?),
    };
    Ok(vec![one.ok_or_else(not_found)?])
}
