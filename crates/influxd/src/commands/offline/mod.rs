//! What works on a store without a server: `recovery` and `token-hashing` (influxd-cli 11).
//!
//! A store that is not there is not made, and a server may be running on it: what is changed here
//! is seen by it within a second.

mod args;
mod hashing;
mod organizations;
mod table;
mod tokens;
mod users;

use std::io::Write;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use influxd_model::Clock;
use influxd_store::{Store, Transaction};
use influxd_tokens::{
    Census, Hashing, Ids, KeyId, OsRandomness, PasswordConfig, PasswordRules, Passwords,
    Randomness, Variant,
};

pub(super) use args::{Offline, offline, recovery, token_hashing};

use super::stores::{self, Stores};
use crate::settings::{LogLevel, ServerSettings, Settings};
use crate::telemetry::{self, Stream};

/// An open store, and what it takes to change it.
struct Desk {
    store: Arc<dyn Store>,
    hashing: Hashing,
    random: Arc<dyn Randomness>,
    clock: Arc<dyn Clock>,
    ids: Ids,
}

impl Desk {
    /// What hashes new passwords.
    fn passwords(&self) -> Result<Passwords> {
        let config = PasswordConfig {
            at_once: 1,
            // Offline they are never the strong ones (influxd-cli 11).
            rules: PasswordRules::default(),
        };
        Ok(Passwords::new(Arc::clone(&self.random), config)?)
    }

    async fn read(&self) -> Result<Box<dyn Transaction>> {
        Ok(self.store.begin_read().await?)
    }

    async fn begin(&self) -> Result<Box<dyn Transaction>> {
        Ok(self.store.begin().await?)
    }
}

/// Does it, and prints what comes of it to standard output.
pub(super) fn run(asked: &Offline, settings: &Settings, clock: Arc<dyn Clock>) -> Result<()> {
    asked.require_flags()?;
    telemetry::start(
        quiet(settings.log_level()),
        Arc::clone(&clock),
        Stream::Stderr,
    );
    let server = ServerSettings::of(settings)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .context("cannot start threads")?;
    let text = runtime.block_on(async {
        let hashing = server.hashing()?;
        let stores = stores::open_existing(&server).await?;
        if !stores.servers.is_empty() {
            eprintln!(
                "servers that run on this store: {}",
                stores.servers.join(", ")
            );
        }
        let done = answer(asked, &stores, hashing, clock).await;
        stores.resources.close().await;
        done
    })?;
    std::io::stdout()
        .write_all(text.as_bytes())
        .context("cannot print")
}

/// What a server says at its start is of no interest here; what goes wrong is.
const fn quiet(level: LogLevel) -> LogLevel {
    match level {
        LogLevel::Info => LogLevel::Warn,
        other => other,
    }
}

/// Whether digests will be made that a server with other keys may refuse. An operator token under
/// no key is one that every server verifies: it is for the worst day.
fn changes_digests(asked: &Offline, hashing: &Hashing) -> bool {
    match asked {
        Offline::CreateOperator {
            store_token_hashes, ..
        } => *store_token_hashes || matches!(hashing.keyring().variant(), Variant::Keyed(_)),
        Offline::Migrate { dry_run, .. } => !dry_run,
        Offline::Rekey { .. } => true,
        Offline::ListTokens
        | Offline::Escrowed { .. }
        | Offline::ListUsers
        | Offline::CreateUser { .. }
        | Offline::UpdateUser { .. }
        | Offline::ListOrganizations
        | Offline::CreateOrganization { .. }
        | Offline::Status { .. } => false,
    }
}

/// What to hash with beside running servers that may not have this key. A token that is made is
/// stored under no key, which each of them verifies; others are not put under it unasked.
fn beside_servers(asked: &Offline, hashing: Hashing, key: KeyId) -> Result<Hashing> {
    if let Offline::CreateOperator { .. } = asked {
        eprintln!(
            "nothing in the store is under the key {key} yet: the token is stored under no key, \
             so that the servers that are running accept it"
        );
        return Ok(hashing.without_keys());
    }
    if let Offline::Migrate { force: true, .. } | Offline::Rekey { force: true, .. } = asked {
        return Ok(hashing);
    }
    bail!(
        "nothing in the store is under the key {key} yet, and a server is running on it: one that \
         was started without this key would refuse every token. Start it with token-pepper-file \
         first; if it has the key, say --force"
    )
}

async fn answer(
    asked: &Offline,
    stores: &Stores,
    hashing: Hashing,
    clock: Arc<dyn Clock>,
) -> Result<String> {
    let random: Arc<dyn Randomness> = Arc::new(OsRandomness);
    let mut desk = Desk {
        store: Arc::clone(&stores.resources),
        hashing,
        ids: Ids::new(Arc::clone(&random), Arc::clone(&clock)),
        random,
        clock,
    };
    if changes_digests(asked, &desk.hashing) {
        let census = Census::take(&*desk.store).await?;
        census.require_keys(&desk.hashing)?;
        if !stores.servers.is_empty()
            && let Some(key) = census.new_key(&desk.hashing)
        {
            desk.hashing = beside_servers(asked, desk.hashing, key)?;
        }
    }
    match asked {
        Offline::ListTokens => tokens::list(&desk, None).await,
        Offline::CreateOperator {
            username,
            org,
            store_token_hashes,
        } => tokens::create_operator(&desk, username, org, *store_token_hashes).await,
        Offline::Escrowed {
            identity,
            write_back,
        } => tokens::escrowed(&desk, identity, *write_back).await,
        Offline::ListUsers => users::list(&desk).await,
        Offline::CreateUser { username, password } => {
            users::create(&desk, username, password).await
        }
        Offline::UpdateUser {
            username,
            id,
            password,
        } => users::update(&desk, username, id, password).await,
        Offline::ListOrganizations => organizations::list(&desk).await,
        Offline::CreateOrganization { org } => organizations::create(&desk, org).await,
        Offline::Status { json } => hashing::status(&desk, *json).await,
        Offline::Migrate { dry_run, json, .. } => hashing::migrate(&desk, *dry_run, *json).await,
        Offline::Rekey { json, .. } => hashing::rekey(&desk, *json).await,
    }
}
