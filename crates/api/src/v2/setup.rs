//! `/api/v2/setup`

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use influxd_tokens::{ApiToken, OnboardError, Onboarded, SetUp, Tools, onboard, set_up_allowed};
use secrecy::SecretSlice;
use serde::Serialize;
use utoipa::ToSchema;

use crate::body::Body;
use crate::error::{ApiError, ErrorCode};
use crate::json::{DecodeError, Fields};
use crate::reply;
use crate::routes::operation::Verb::{Get, Post};
use crate::routes::operation::{Answer, Group, Operation, Style};
use crate::state::AppState;
use crate::v2::authorizations::view::{AuthorizationLinks, PermissionView};
use crate::v2::buckets::view::BucketView;
use crate::v2::orgs::view::OrgView;
use crate::v2::users::view::UserView;
use crate::zone::local_rfc3339;

pub(crate) const GROUP: Group = Group {
    root: "/api/v2/setup",
    style: Style::Pretty,
    operations: &[
        Operation::new(
            (Get, "/api/v2/setup"),
            || web::to(allowed),
            ("GetSetup", "Says whether the instance can be set up"),
            &[Answer::json::<AllowedView>(200)],
        ),
        Operation::new(
            (Post, "/api/v2/setup"),
            || web::to(set_up),
            (
                "PostSetup",
                "Makes the first user, organization, bucket and operator token",
            ),
            &[Answer::json::<OnboardedView<'_>>(201)],
        )
        .takes::<SetUpBody>()
        .errors(&[422, 500]),
    ],
};

/// What is to be set up.
#[derive(ToSchema)]
#[schema(as = OnboardingRequest, rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is taken apart by hand")]
struct SetUpBody {
    username: String,
    /// 8 to 72 bytes. Without one the user cannot sign in.
    password: Option<String>,
    org: String,
    bucket: String,
    /// 0 is for ever, otherwise at least an hour.
    retention_period_seconds: Option<i64>,
    /// Looked at where there are no seconds.
    retention_period_hrs: Option<i64>,
    /// The operator token; generated if there is none.
    token: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = IsOnboarding)]
struct AllowedView {
    allowed: bool,
}

/// `GET /api/v2/setup`
async fn allowed(state: web::Data<AppState>) -> Result<HttpResponse, ApiError> {
    let store = state.store.clone();
    let allowed = state.config.endpoints.set_up_again
        || state
            .run(async move { Ok(set_up_allowed(&*store).await?) })
            .await?;
    Ok(reply::pretty(StatusCode::OK, &AllowedView { allowed }))
}

/// `POST /api/v2/setup`
async fn set_up(state: web::Data<AppState>, body: Body) -> Result<HttpResponse, ApiError> {
    let request = decode(&body).map_err(|error| ApiError::invalid(error.to_string()))?;
    let is_short = request.token.as_ref().is_some_and(|token| token.len() < 32);
    let (shared, request) = (state.clone().into_inner(), Arc::new(request));
    let work = move || {
        let (shared, request) = (shared.clone(), request.clone());
        async move {
            let tools = Tools {
                store: &shared.store,
                clock: &*shared.clock,
                random: &*shared.random,
                ids: &shared.ids,
                hashing: &shared.hashing,
                passwords: &shared.passwords,
                again: shared.config.endpoints.set_up_again,
            };
            onboard(&tools, &request).await.map_err(explain)
        }
    };
    let made = state.change(work).await?;
    state.resolver.forget();
    state.changed();
    tracing::info!(org.id = %made.organization.id, "the instance was set up");
    if is_short {
        tracing::warn!("the operator token given at set-up has less than 32 characters");
    }
    Ok(reply::pretty(
        StatusCode::CREATED,
        &OnboardedView::of(&made),
    ))
}

fn decode(body: &Body) -> Result<SetUp, DecodeError> {
    let mut fields = Fields::read(&body.0, "onboardingRequest")?;
    let secret = |text: Option<String>| text.filter(|t| !t.is_empty()).map(String::into_bytes);
    Ok(SetUp {
        username: fields.string("username")?.unwrap_or_default(),
        password: secret(fields.string("password")?).map(SecretSlice::from),
        org: fields.string("org")?.unwrap_or_default(),
        bucket: fields.string("bucket")?.unwrap_or_default(),
        retention_seconds: fields
            .integer("retentionPeriodSeconds")?
            .unwrap_or_default(),
        retention_hours: fields.integer("retentionPeriodHrs")?.unwrap_or_default(),
        token: secret(fields.string("token")?).map(ApiToken::from),
    })
}

fn explain(error: OnboardError) -> ApiError {
    let code = match error {
        OnboardError::Done
        | OnboardError::UserTaken(_)
        | OnboardError::OrganizationTaken(_)
        | OnboardError::TokenTaken => ErrorCode::Conflict,
        OnboardError::Missing(_) | OnboardError::RetentionTooLong => ErrorCode::Unprocessable,
        OnboardError::Password(_)
        | OnboardError::BlankOrganization
        | OnboardError::Nul
        | OnboardError::BucketName(_) => ErrorCode::Invalid,
        OnboardError::NameTooLong => ErrorCode::TooLarge,
        OnboardError::Retention(_) => ErrorCode::Internal,
        OnboardError::Hash(error) => return error.into(),
        OnboardError::Store(error) => return ApiError::Store(error),
    };
    ApiError::new(code, error.to_string())
}

#[derive(Serialize, ToSchema)]
#[schema(as = OnboardingResponse)]
struct OnboardedView<'a> {
    user: UserView,
    bucket: BucketView,
    org: OrgView,
    auth: AuthView<'a>,
}

/// The operator's authorization, with its token and without names.
#[derive(Serialize, ToSchema)]
#[schema(as = OnboardingAuth)]
#[serde(rename_all = "camelCase")]
struct AuthView<'a> {
    id: String,
    /// The only time that it is shown.
    token: &'a str,
    status: &'static str,
    description: &'a str,
    #[serde(rename = "orgID")]
    org_id: String,
    #[serde(rename = "userID")]
    user_id: String,
    permissions: Vec<PermissionView>,
    created_at: String,
    updated_at: String,
    links: AuthorizationLinks,
}

impl<'a> OnboardedView<'a> {
    fn of(made: &'a Onboarded) -> Self {
        let authorization = &made.authorization;
        Self {
            user: UserView::of(&made.user),
            bucket: BucketView::of(&made.bucket),
            org: OrgView::of(&made.organization),
            auth: AuthView {
                id: authorization.id.to_string(),
                token: made.token.expose_text().unwrap_or_default(),
                status: authorization.status.name(),
                description: &authorization.description,
                org_id: authorization.org.to_string(),
                user_id: authorization.user.to_string(),
                permissions: authorization
                    .permissions
                    .iter()
                    .map(PermissionView::bare)
                    .collect(),
                created_at: local_rfc3339(authorization.created_at),
                updated_at: local_rfc3339(authorization.updated_at),
                links: AuthorizationLinks::of(authorization),
            },
        }
    }
}
