//! `/api/v2/orgs/{id}/secrets`: values go in, and never come out (auth-and-resources 9.3).

use std::collections::BTreeMap;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use influxd_model::{Action, OrgId, Permission, ResourceType};
use influxd_store::StoreError;
use influxd_tokens::{MAX_NAME, seal_secret};
use secrecy::ExposeSecret;
use serde::Serialize;
use utoipa::ToSchema;

use crate::body::{Body, unmarshal};
use crate::caller::Caller;
use crate::error::{ApiError, ErrorCode};
use crate::json::{Fields, read_texts};
use crate::permit::require;
use crate::reply;
use crate::routes::operation::Verb::{Delete, Get, Patch, Post};
use crate::routes::operation::{Answer, Group, Operation, Style};
use crate::state::AppState;
use crate::text::refuse_nul;
use crate::v2::parent;

pub(crate) const GROUP: Group = Group {
    root: "/api/v2/orgs/{id}/secrets",
    style: Style::Pretty,
    operations: &[
        Operation::new(
            (Get, "/api/v2/orgs/{id}/secrets"),
            || web::to(list),
            (
                "GetOrgsIDSecrets",
                "Lists the keys of an organization's secrets",
            ),
            &[Answer::json::<SecretsView>(200)],
        ),
        Operation::new(
            (Patch, "/api/v2/orgs/{id}/secrets"),
            || web::to(put),
            ("PatchOrgsIDSecrets", "Sets secrets of an organization"),
            &[Answer::empty(204)],
        )
        .takes::<SecretsBody>(),
        Operation::new(
            (Post, "/api/v2/orgs/{id}/secrets/delete"),
            || web::to(delete_all),
            ("PostOrgsIDSecrets", "Removes secrets of an organization"),
            &[Answer::empty(204)],
        )
        .takes::<KeysBody>(),
        Operation::new(
            (Delete, "/api/v2/orgs/{id}/secrets/delete"),
            || web::to(delete_delete),
            (
                "DeleteOrgsIDSecretsDelete",
                "Removes the secret of an organization whose key is `delete`",
            ),
            &[Answer::empty(204)],
        ),
        Operation::new(
            (Delete, "/api/v2/orgs/{id}/secrets/{key}"),
            || web::to(delete_one),
            (
                "DeleteOrgsIDSecretsID",
                "Removes a secret of an organization",
            ),
            &[Answer::empty(204)],
        ),
    ],
};

/// Keys and values.
#[derive(ToSchema)]
#[schema(as = Secrets)]
#[expect(dead_code, reason = "describes a body that is taken apart by hand")]
struct SecretsBody(BTreeMap<String, String>);

/// Which secrets to remove.
#[derive(ToSchema)]
#[schema(as = SecretKeys)]
#[expect(dead_code, reason = "describes a body that is taken apart by hand")]
struct KeysBody {
    secrets: Vec<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SecretKeysResponse)]
struct SecretsView {
    links: Links,
    secrets: Vec<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SecretKeysLinks)]
struct Links {
    org: String,
    #[serde(rename = "self")]
    own: String,
}

const fn on_secrets(action: Action, org: OrgId) -> Permission {
    Permission {
        action,
        resource: ResourceType::Secrets,
        org: Some(org),
        id: None,
    }
}

/// `GET /api/v2/orgs/{id}/secrets`
async fn list(
    caller: Caller,
    state: web::Data<AppState>,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let id: OrgId = parent::id(&id)?;
    let store = state.store.clone();
    let work = async move {
        let mut transaction = store.begin_read().await?;
        parent::organization(&mut *transaction, &caller, id).await?;
        require(&caller, &on_secrets(Action::Read, id))?;
        Ok(transaction.secrets().keys(id).await?)
    };
    let secrets = state.run(work).await?;
    let org = format!("/api/v2/orgs/{id}");
    let own = format!("{org}/secrets");
    let links = Links { org, own };
    Ok(reply::pretty(
        StatusCode::OK,
        &SecretsView { links, secrets },
    ))
}

/// `PATCH /api/v2/orgs/{id}/secrets`: all of them, or none.
async fn put(
    caller: Caller,
    state: web::Data<AppState>,
    id: web::Path<String>,
    body: Body,
) -> Result<HttpResponse, ApiError> {
    let id: OrgId = parent::id(&id)?;
    let store = state.store.clone();
    let (hashing, random) = (state.hashing.clone(), state.random.clone());
    let body = Arc::new(body);
    let work = move || {
        let (store, caller, body, hashing, random) = (
            store.clone(),
            caller.clone(),
            body.clone(),
            hashing.clone(),
            random.clone(),
        );
        async move {
            let (keyring, random) = (hashing.keyring(), &*random);
            let mut transaction = store.begin().await?;
            parent::organization(&mut *transaction, &caller, id).await?;
            let secrets = read_texts(&body.0).map_err(unmarshal)?;
            require(&caller, &on_secrets(Action::Write, id))?;
            for (key, value) in &secrets {
                check_key(key)?;
                let sealed = seal_secret(keyring, random, (id, key), value.as_bytes());
                let sealed = sealed.expose_secret();
                match transaction.secrets().put(id, key, sealed).await {
                    Err(StoreError::NotFound(what)) => return Err(ApiError::gone(what)),
                    result => result?,
                }
            }
            transaction.commit().await?;
            Ok(secrets.len())
        }
    };
    let count = state.change(work).await?;
    tracing::info!(org.id = %id, count, "set secrets of organization {id}");
    Ok(reply::no_content())
}

fn check_key(key: &str) -> Result<(), ApiError> {
    if key.len() > MAX_NAME {
        return Err(ApiError::new(ErrorCode::TooLarge, "key too large"));
    }
    refuse_nul(key)
}

/// `POST /api/v2/orgs/{id}/secrets/delete`, the older form
async fn delete_all(
    caller: Caller,
    state: web::Data<AppState>,
    id: web::Path<String>,
    body: Body,
) -> Result<HttpResponse, ApiError> {
    let keys = move || {
        let keys = Fields::read(&body.0, "secretsDeleteBody")
            .and_then(|mut fields| fields.texts("secrets"))
            .map_err(unmarshal)?;
        Ok(keys.unwrap_or_default())
    };
    delete(caller, state, &id, keys).await
}

/// `DELETE /api/v2/orgs/{id}/secrets/{key}`
async fn delete_one(
    caller: Caller,
    state: web::Data<AppState>,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let (id, key) = path.into_inner();
    delete(caller, state, &id, move || Ok(vec![key.clone()])).await
}

/// `DELETE /api/v2/orgs/{id}/secrets/delete`: the path of the older form can be a key, too.
async fn delete_delete(
    caller: Caller,
    state: web::Data<AppState>,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    delete(caller, state, &id, || Ok(vec!["delete".to_owned()])).await
}

/// Removes keys; they need not be there.
async fn delete(
    caller: Caller,
    state: web::Data<AppState>,
    id: &str,
    keys: impl Fn() -> Result<Vec<String>, ApiError> + Clone + Send + Sync + 'static,
) -> Result<HttpResponse, ApiError> {
    let id: OrgId = parent::id(id)?;
    let store = state.store.clone();
    let work = move || {
        let (store, caller, keys) = (store.clone(), caller.clone(), keys.clone());
        async move {
            let mut transaction = store.begin().await?;
            parent::organization(&mut *transaction, &caller, id).await?;
            let keys = keys()?;
            require(&caller, &on_secrets(Action::Write, id))?;
            let mut count = 0;
            for key in &keys {
                count += usize::from(transaction.secrets().delete(id, key).await?);
            }
            transaction.commit().await?;
            Ok(count)
        }
    };
    let count = state.change(work).await?;
    tracing::info!(org.id = %id, count, "removed secrets of organization {id}");
    Ok(reply::no_content())
}
