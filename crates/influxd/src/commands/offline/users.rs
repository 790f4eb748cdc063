//! `recovery user`

use anyhow::{Result, anyhow, bail};
use influxd_model::{Status, User, UserId};
use influxd_store::{Page, StoreError, Unique};
use influxd_tokens::MAX_NAME;
use secrecy::{ExposeSecret, SecretSlice};

use super::args::Password;
use super::{Desk, table};

fn shown(users: &[User]) -> String {
    let rows: Vec<Vec<String>> = users
        .iter()
        .map(|user| vec![user.id.to_string(), table::cell(&user.name)])
        .collect();
    table::lines(&["ID", "Name"], &rows)
}

/// All users.
pub(super) async fn list(desk: &Desk) -> Result<String> {
    let mut transaction = desk.read().await?;
    let all = transaction.users().list(None, Page::ALL).await?;
    Ok(shown(&all))
}

/// Makes an active user with a password, a member of nothing; shows all.
pub(super) async fn create(desk: &Desk, name: &str, password: &Password) -> Result<String> {
    if name.len() > MAX_NAME {
        bail!("key too large");
    }
    let taken = || anyhow!("user with name {name} already exists");
    let mut reading = desk.read().await?;
    if reading.users().find_by_name(name).await?.is_some() {
        return Err(taken());
    }
    drop(reading);
    let hash = hash(desk, password).await?;
    let user = User {
        id: desk.ids.user(),
        name: name.to_owned(),
        status: Status::Active,
        oauth_id: String::new(),
    };
    let mut transaction = desk.begin().await?;
    match transaction.users().insert(&user).await {
        Err(StoreError::Conflict(Unique::UserName)) => return Err(taken()),
        result => result?,
    }
    transaction.users().set_password(user.id, &hash).await?;
    transaction.commit().await?;
    list(desk).await
}

/// Sets the password of the one user that is meant, and ends its sessions; shows it.
pub(super) async fn update(
    desk: &Desk,
    name: &str,
    id: &str,
    password: &Password,
) -> Result<String> {
    let id: Option<UserId> = match id {
        "" => None,
        text => Some(
            text.parse()
                .map_err(|error| anyhow!("invalid id {text:?}: {error}"))?,
        ),
    };
    let mut reading = desk.read().await?;
    let mut found = match (id, name) {
        (None, "") => reading.users().list(None, Page::ALL).await?,
        (Some(id), _) => reading.users().find(id).await?.into_iter().collect(),
        (None, name) => {
            let found = reading.users().find_by_name(name).await?;
            found.into_iter().collect()
        }
    };
    drop(reading);
    found.retain(|user| name.is_empty() || user.name == name);
    let user = match found.as_slice() {
        [user] => user,
        [] => bail!("user not found"),
        many => bail!("expected 1 user, found {}", many.len()),
    };
    let hash = hash(desk, password).await?;
    let mut transaction = desk.begin().await?;
    match transaction.users().set_password(user.id, &hash).await {
        Err(StoreError::NotFound(_)) => bail!("user not found"),
        result => result?,
    }
    transaction.sessions().delete_of_user(user.id, None).await?;
    transaction.commit().await?;
    Ok(shown(&found))
}

async fn hash(desk: &Desk, password: &Password) -> Result<String> {
    let password = SecretSlice::from(password.0.clone().into_bytes());
    let passwords = desk.passwords()?;
    passwords.rules().check(password.expose_secret())?;
    Ok(passwords.hash(&password).await?)
}
