//! `GET /api/v2/authorizations`

use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use influxd_model::{
    Action, Authorization, AuthorizationId, OrgId, Permission, ResourceType, UserId,
};
use influxd_store::{AuthorizationFilter, AuthorizationKind, RawToken, Transaction};
use serde::Serialize;
use utoipa::ToSchema;

use crate::caller::Caller;
use crate::error::ApiError;
use crate::permit::holds;
use crate::query_string::Query;
use crate::reply;
use crate::state::AppState;
use crate::v2::authorizations::kind::Kind;
use crate::v2::authorizations::names::Names;
use crate::v2::authorizations::view::AuthorizationView;
use crate::v2::authorizations::{find, holds_both, not_found, shown};
use crate::v2::paging::SelfLink;

#[derive(Serialize, ToSchema)]
#[schema(as = Authorizations)]
pub(crate) struct AuthorizationsView {
    links: SelfLink,
    authorizations: Vec<AuthorizationView<'static>>,
}

/// What a request asks for.
#[derive(Debug)]
enum Filter {
    /// One; all other filters are then ignored.
    Id(AuthorizationId),
    /// The 1.x user of this name; the others below are then ignored.
    Name(String),
    /// Those of an organization and an owner, each if given.
    Of {
        org: Option<Named<OrgId>>,
        user: Option<Named<UserId>>,
    },
}

/// Something that is given by its id, or by its name.
#[derive(Debug)]
enum Named<T> {
    Id(T),
    Name(String),
}

impl Filter {
    fn read(kind: Kind, query: Query<'_>) -> Result<Self, ApiError> {
        let text = |name| query.get(name).map(std::borrow::Cow::into_owned);
        let v1 = kind.0 == AuthorizationKind::V1User;
        let id = text("id").or_else(|| text("authID").filter(|_| v1));
        if let Some(id) = id {
            return Ok(Self::Id(id.parse()?));
        }
        if let Some(name) = text("token").filter(|_| v1) {
            return Ok(Self::Name(name));
        }
        let user = match text("userID") {
            Some(id) => Some(Named::Id(id.parse()?)),
            None => text("user").map(Named::Name),
        };
        let org = match text("orgID") {
            Some(id) => Some(Named::Id(id.parse()?)),
            None => text("org").map(Named::Name),
        };
        Ok(Self::Of { org, user })
    }
}

/// Lists the authorizations that the caller may read. What is named by id, or by the name of a 1.x
/// user, must exist, as must organizations and users that are given by name.
pub(crate) async fn list(
    kind: Kind,
    caller: Caller,
    state: web::Data<AppState>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let filter = Filter::read(kind, Query::new(request.query_string()))?;
    let store = state.store.clone();
    let work = async move {
        let mut transaction = store.begin_read().await?;
        let (mut found, raw) = matching(&mut *transaction, kind, &caller, filter).await?;
        found.retain(|authorization| holds_both(&caller, Action::Read, authorization));
        let mut names = Names::default();
        let mut views = Vec::with_capacity(found.len());
        for authorization in &found {
            names.learn(&mut *transaction, authorization).await?;
            let id = authorization.id;
            if let Some(what) = names.missing(authorization) {
                let noun = kind.noun();
                tracing::info!(authorization.id = %id, "left {noun} {id} out of a list: {what}");
                continue;
            }
            let raw = raw.get(&id);
            let token = shown(&mut *transaction, &caller, authorization, raw).await?;
            views.push(AuthorizationView::of(authorization, token, &names));
        }
        Ok(views)
    };
    let authorizations = state.run(work).await?;
    let links = SelfLink {
        own: kind.base().to_owned(),
    };
    let view = AuthorizationsView {
        links,
        authorizations,
    };
    Ok(reply::pretty(StatusCode::OK, &view))
}

/// What is asked for, by id, and the tokens of these that are stored raw.
async fn matching(
    transaction: &mut dyn Transaction,
    kind: Kind,
    caller: &Caller,
    filter: Filter,
) -> Result<(Vec<Authorization>, HashMap<AuthorizationId, RawToken>), ApiError> {
    let (org, user) = match filter {
        Filter::Id(id) => {
            let found = find(transaction, kind, id).await?;
            let raw = transaction.tokens().find_raw(id).await?;
            return Ok((vec![found], raw.map(|raw| (id, raw)).into_iter().collect()));
        }
        Filter::Name(name) => {
            let found = transaction.authorizations().find_v1_user(&name).await?;
            return Ok((vec![found.ok_or_else(not_found)?.0], HashMap::new()));
        }
        Filter::Of { org, user } => (org, user),
    };
    let user = match user {
        None => None,
        Some(Named::Id(id)) => Some(id),
        Some(Named::Name(name)) => {
            let found = transaction.users().find_by_name(&name).await?;
            Some(found.ok_or(ApiError::not_found("user not found"))?.id)
        }
    };
    let org = match org {
        None => None,
        Some(Named::Id(id)) => Some(id),
        Some(Named::Name(name)) => {
            let found = transaction.organizations().find_by_name(&name).await?;
            let missing = || ApiError::not_found(format!("organization name \"{name}\" not found"));
            Some(found.ok_or_else(missing)?.id)
        }
    };
    let owners = match user {
        Some(user) => vec![Some(user)],
        None => visible_owners(caller),
    };
    let (mut found, mut raw) = (Vec::new(), HashMap::new());
    for user in owners {
        let filter = AuthorizationFilter {
            kind: kind.0,
            org,
            user,
            living: true,
        };
        found.extend(transaction.authorizations().list(&filter).await?);
        raw.extend(transaction.tokens().raw(&filter).await?);
    }
    found.sort_unstable_by_key(|authorization| authorization.id);
    Ok((found, raw))
}

/// How many owners are asked for one by one.
const FEW: usize = 16;

/// The owners whose authorizations the caller can see at all, or `None` for whatever owner: a list
/// should cost what is in it, not what is in the store.
fn visible_owners(caller: &Caller) -> Vec<Option<UserId>> {
    let everybody = Permission::on_type(Action::Read, ResourceType::Users);
    if holds(caller, &everybody) {
        return vec![None];
    }
    // Users are read by id or not at all (auth-and-resources 4.5).
    let mut owners: Vec<_> = caller
        .permissions
        .iter()
        .filter(|p| p.resource == ResourceType::Users && p.action == Action::Read)
        .filter_map(|p| UserId::new(p.id?.get()).map(Some))
        .collect();
    owners.sort_unstable();
    owners.dedup();
    if owners.len() > FEW {
        return vec![None];
    }
    owners
}
