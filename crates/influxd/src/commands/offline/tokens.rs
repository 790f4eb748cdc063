//! `recovery auth` and `recovery tokens`

use std::collections::{HashMap, HashSet};

use anyhow::{Context, Result, bail};
use influxd_model::{Authorization, AuthorizationId, Permission, Status, User, UserId};
use influxd_store::{
    AuthorizationFilter, AuthorizationKind, Page, RawToken, StoreError, StoredToken, Transaction,
    Unique,
};
use influxd_tokens::{ApiToken, EscrowError, EscrowIdentity, hash_raw_tokens};
use secrecy::ExposeSecret;

use super::{Desk, table};

const HEADERS: [&str; 6] = [
    "ID",
    "User Name",
    "User ID",
    "Description",
    "Token",
    "Permissions",
];

/// All API tokens: those of deleted users and organizations, too.
const ALL: AuthorizationFilter = AuthorizationFilter {
    kind: AuthorizationKind::ApiToken,
    org: None,
    user: None,
    living: false,
};

/// How many rows of escrow are read at a time.
const BATCH: u32 = 500;

/// All API tokens. `new` is shown in clear though only its digest may be stored: it is the only
/// time.
pub(super) async fn list(desk: &Desk, new: Option<(AuthorizationId, &ApiToken)>) -> Result<String> {
    let mut transaction = desk.read().await?;
    let all = transaction.authorizations().list(&ALL).await?;
    let raw: HashMap<AuthorizationId, RawToken> =
        transaction.tokens().raw(&ALL).await?.into_iter().collect();
    let users = transaction.users().list(None, Page::ALL).await?;
    let users: HashMap<UserId, String> = users.into_iter().map(|u| (u.id, u.name)).collect();
    // Every digest begins so.
    let digests = transaction.tokens().digests("$", None, u32::MAX).await?;
    let digested: HashSet<AuthorizationId> = digests.into_iter().map(|(id, _)| id).collect();
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|authorization| {
            let id = authorization.id;
            let token = match (new, raw.get(&id)) {
                (Some((of, token)), _) if of == id => {
                    token.expose_text().unwrap_or_default().to_owned()
                }
                (_, Some(raw)) => text(raw.text().expose_secret()),
                _ if digested.contains(&id) => "REDACTED".to_owned(),
                _ => "N/A".to_owned(),
            };
            let name = users.get(&authorization.user);
            vec![
                id.to_string(),
                table::cell(name.map_or("", String::as_str)),
                authorization.user.to_string(),
                table::cell(&authorization.description),
                token,
                permissions(authorization),
            ]
        })
        .collect();
    Ok(table::lines(&HEADERS, &rows))
}

fn permissions(authorization: &Authorization) -> String {
    let all: Vec<String> = authorization
        .permissions
        .iter()
        .map(ToString::to_string)
        .collect();
    format!("[{}]", all.join(" "))
}

/// A token as text. It may be any bytes, but was chosen by whoever runs this.
fn text(token: &[u8]) -> String {
    table::cell(&String::from_utf8_lossy(token))
}

/// Makes an operator token for a user and shows it, this once, in the table of all tokens.
pub(super) async fn create_operator(
    desk: &Desk,
    username: &str,
    org: &str,
    store_token_hashes: bool,
) -> Result<String> {
    if username.is_empty() {
        bail!("must provide --username");
    }
    if org.is_empty() {
        bail!("must provide --org");
    }
    let mut transaction = desk.begin().await?;
    let Some(user) = transaction.users().find_by_name(username).await? else {
        bail!("could not find user {username:?}: user not found");
    };
    let Some(organization) = transaction.organizations().find_by_name(org).await? else {
        bail!("could not find org {org:?}: organization name {org:?} not found");
    };
    if user.status != Status::Active {
        eprintln!(
            "user {username:?} is inactive: their tokens are refused until an operator makes them \
             active. Make another one with influxd recovery user create"
        );
    }
    let token = ApiToken::generate(&*desk.random);
    let authorization = operator(desk, &user, organization.id);
    let stored = if store_token_hashes {
        StoredToken::Digest(desk.hashing.keyring().digest(&token).to_phc())
    } else {
        desk.hashing.stored(&token)
    };
    transaction
        .authorizations()
        .insert(&authorization, Some(&stored))
        .await?;
    transaction.commit().await?;
    if store_token_hashes {
        hash_raw_tokens(&*desk.store, &desk.hashing, |_| ()).await?;
        desk.store.scrub(false).await?;
    }
    list(desk, Some((authorization.id, &token))).await
}

fn operator(desk: &Desk, user: &User, org: influxd_model::OrgId) -> Authorization {
    let now = desk.clock.now();
    Authorization {
        id: desk.ids.authorization(),
        v1_name: None,
        org,
        user: user.id,
        status: Status::Active,
        description: format!("{}'s Recovery Token", user.name),
        permissions: Permission::operator(),
        created_at: now,
        updated_at: now,
    }
}

/// The tokens in escrow that the identities in a file open; with `write_back` the store holds
/// them raw again, where it holds their digests now.
pub(super) async fn escrowed(desk: &Desk, file: &str, write_back: bool) -> Result<String> {
    if file.is_empty() {
        bail!("must provide --identity");
    }
    if write_back && desk.hashing.is_on() {
        bail!(
            "tokens are written back only while hashing is off: \
             say so with --use-hashed-tokens=false, here and to the server"
        );
    }
    let content = std::fs::read_to_string(file)
        .with_context(|| format!("cannot read the identity in {file}"))?;
    let identity = EscrowIdentity::read(&content)?;
    drop(secrecy::SecretString::from(content));
    let mut rows = Vec::new();
    let (mut foreign, mut damaged) = (0, 0);
    let mut after = None;
    loop {
        let mut transaction = desk.begin().await?;
        let batch = transaction.tokens().in_escrow(after, BATCH).await?;
        let Some((last, _)) = batch.last() else {
            break;
        };
        after = Some(*last);
        for (id, sealed) in &batch {
            let opened = match identity.open(sealed) {
                Ok(opened) => opened,
                Err(EscrowError::Foreign) => {
                    foreign += 1;
                    continue;
                }
                Err(error) => {
                    eprintln!("token {id}: {error}");
                    damaged += 1;
                    continue;
                }
            };
            if write_back {
                write(&mut *transaction, *id, RawToken::new(opened.clone())).await?;
            }
            rows.push(vec![id.to_string(), text(opened.expose_secret())]);
        }
        transaction.commit().await?;
    }
    if foreign > 0 {
        eprintln!("{foreign} tokens are sealed to another recipient");
    }
    if rows.is_empty() && foreign + damaged > 0 {
        bail!("no token in escrow opens with this identity");
    }
    Ok(table::lines(&["ID", "Token"], &rows))
}

async fn write(
    transaction: &mut dyn Transaction,
    id: AuthorizationId,
    raw: RawToken,
) -> Result<()> {
    let stored = StoredToken::Raw(raw);
    match transaction.tokens().replace(id, &stored).await {
        Err(StoreError::Conflict(Unique::Token)) => {
            bail!("token {id} has the same value as another one: delete one of them")
        }
        result => Ok(result?),
    }
}
