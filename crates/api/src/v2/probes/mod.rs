//! What clients look for although this server has none of it (auth-and-resources 9.8 and 9.9):
//! lists are empty, single things do not exist, and making one is not implemented.

mod flux;
mod groups;
mod lists;
mod sources;

use actix_web::{HttpRequest, HttpResponse, web};
use influxd_model::{Action, AnyId, IdError, OrgId, Permission, ResourceType};
use utoipa::ToSchema;

pub(crate) use self::flux::GROUP as FLUX;
pub(crate) use self::groups::{
    ANNOTATIONS, CHECKS, DASHBOARDS, DOCUMENTS, ENDPOINTS, LABELS_OF_DASHBOARDS,
    MEMBERS_OF_DASHBOARDS, NOTEBOOKS, OWNERS_OF_DASHBOARDS, REMOTES, REPLICATIONS, RULES, SCRAPERS,
    STACKS, STREAMS, TASKS, TELEGRAF_PLUGINS, TELEGRAFS, TEMPLATES, VARIABLES,
};
pub(crate) use self::sources::GROUP as SOURCES;
use crate::body::{Body, unmarshal};
use crate::caller::Caller;
use crate::error::{ApiError, ErrorCode};
use crate::json::{DecodeError, Fields};
use crate::permit::{on_org, require};
use crate::query_string::Query;
use crate::state::AppState;
use crate::v2::parent;

/// A kind of thing that there is none of.
#[derive(Debug)]
struct Kind {
    /// What it takes a permission on.
    resource: ResourceType,
    /// What they are called.
    name: &'static str,
    /// What is said of one that is asked for.
    missing: fn(AnyId) -> String,
    /// What is said before the reason why an id is none.
    malformed: &'static str,
}

impl Kind {
    const fn new(resource: ResourceType, name: &'static str, missing: fn(AnyId) -> String) -> Self {
        Self {
            resource,
            name,
            missing,
            malformed: "",
        }
    }

    fn permission(&self, action: Action, org: OrgId) -> Permission {
        Permission {
            action,
            resource: self.resource,
            org: Some(org),
            id: None,
        }
    }
}

const VARIABLE: Kind = Kind::new(ResourceType::Variables, "variables", |id| {
    format!("variable not found for key \"{id}\"")
});
const CHECK: Kind = Kind::new(ResourceType::Checks, "checks", |id| {
    format!("check not found for key \"{id}\"")
});
const ENDPOINT: Kind = Kind::new(
    ResourceType::NotificationEndpoints,
    "notification endpoints",
    |id| format!("notification endpoint not found for key \"{id}\""),
);
const RULE: Kind = Kind::new(
    ResourceType::NotificationRules,
    "notification rules",
    |_| "notification rule not found".to_owned(),
);
const DASHBOARD: Kind = Kind::new(ResourceType::Dashboards, "dashboards", |_| {
    "dashboard not found".to_owned()
});
const TELEGRAF: Kind = Kind::new(ResourceType::Telegrafs, "telegraf configurations", |_| {
    "telegraf configuration not found".to_owned()
});
const SCRAPER: Kind = Kind::new(ResourceType::Scrapers, "scrapers", |_| {
    "scraper target is not found".to_owned()
});
const TASK: Kind = Kind {
    malformed: "failed to decode request: ",
    ..Kind::new(ResourceType::Tasks, "tasks", |_| {
        "failed to find task: task not found".to_owned()
    })
};
const REMOTE: Kind = Kind::new(ResourceType::Remotes, "remote connections", |_| {
    "remote connection not found".to_owned()
});
const REPLICATION: Kind = Kind::new(ResourceType::Replications, "replications", |_| {
    "replication not found".to_owned()
});
const NOTEBOOK: Kind = Kind::new(ResourceType::Notebooks, "notebooks", |_| {
    "notebook not found".to_owned()
});
const ANNOTATION: Kind = Kind::new(ResourceType::Annotations, "annotations", |_| {
    "annotation not found".to_owned()
});
const STREAM: Kind = Kind::new(ResourceType::Annotations, "annotation streams", |_| {
    "stream not found".to_owned()
});
const SOURCE: Kind = Kind::new(ResourceType::Sources, "sources", |_| {
    "source not found".to_owned()
});
const DOCUMENT: Kind = Kind::new(ResourceType::Documents, "documents", |_| {
    "document not found".to_owned()
});
/// A stack goes with its organization (auth-and-resources 4.7).
const STACK: Kind = Kind::new(ResourceType::Orgs, "stacks", |_| {
    "stack not found".to_owned()
});

/// What says which organization a new thing is for.
#[derive(ToSchema)]
#[schema(as = NewThing)]
#[expect(dead_code, reason = "describes a body that is taken apart by hand")]
struct NewBody {
    #[schema(rename = "orgID")]
    org_id: String,
}

type ApiResult = Result<HttpResponse, ApiError>;

/// The id in the path.
fn id(kind: &Kind, request: &HttpRequest) -> Result<AnyId, ApiError> {
    let text = request.match_info().get("id").unwrap_or_default();
    text.parse()
        .map_err(|error: IdError| ApiError::invalid(format!("{}{error}", kind.malformed)))
}

/// No id is one's: it does not exist, whoever asks.
async fn missing(kind: &'static Kind, request: HttpRequest) -> ApiResult {
    let id = id(kind, &request)?;
    Err(ApiError::not_found((kind.missing)(id)))
}

/// Members, owners and labels of a dashboard have routers of their own, which are nowhere if the
/// dashboard is not.
pub(crate) fn no_dashboard(request: &HttpRequest) -> ApiError {
    match parent::id::<AnyId>(request.match_info().query("id")) {
        Ok(_) => parent::unknown(),
        Err(malformed) => malformed,
    }
}

async fn of_no_dashboard(request: HttpRequest) -> ApiResult {
    Err(no_dashboard(&request))
}

fn not_implemented(what: &str) -> ApiError {
    ApiError::new(
        ErrorCode::NotImplemented,
        format!("{what} are not implemented by this server"),
    )
}

/// How a body names an organization.
struct Named {
    id: Option<OrgId>,
    name: Option<String>,
}

fn decode(body: &Body) -> Result<Named, DecodeError> {
    let mut fields = Fields::read(&body.0, "request")?;
    Ok(Named {
        id: fields.id("orgID")?,
        name: fields.string("org")?.filter(|name| !name.is_empty()),
    })
}

/// The organization that a new thing is for.
async fn org_of(state: &AppState, body: &Body) -> Result<OrgId, ApiError> {
    match decode(body).map_err(unmarshal)? {
        Named { id: Some(id), .. } => Ok(id),
        Named {
            name: Some(name), ..
        } => lists::find_org(state, name).await,
        Named { .. } => Err(ApiError::invalid("orgID is required")),
    }
}

/// Whoever may make one is told that nobody can.
async fn create(
    kind: &'static Kind,
    caller: Caller,
    state: web::Data<AppState>,
    body: Body,
) -> ApiResult {
    let org = org_of(&state, &body).await?;
    require(&caller, &kind.permission(Action::Write, org))?;
    Err(not_implemented(kind.name))
}

/// The same for what names its organization in the query.
async fn change(kind: &'static Kind, caller: Caller, request: HttpRequest) -> ApiResult {
    let org = lists::required_org(Query::new(request.query_string()))?;
    require(&caller, &kind.permission(Action::Write, org))?;
    Err(not_implemented(kind.name))
}

/// Stacks take the right to change the organization (auth-and-resources 4.7 and 4.8).
async fn create_stack(caller: Caller, state: web::Data<AppState>, body: Body) -> ApiResult {
    let org = org_of(&state, &body).await?;
    require(&caller, &on_org(Action::Write, org))
        .map_err(|_| ApiError::new(ErrorCode::Unauthorized, "not authorized to create stack"))?;
    Err(not_implemented(STACK.name))
}

/// Templates are made of all the other things.
async fn templates() -> ApiResult {
    Err(not_implemented("templates"))
}
