//! `token-hashing`

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Result, bail};
use influxd_store::{AwaitsScrub, Store};
use influxd_tokens::{
    Census, Hashing, MissingKey, SecretForm, Variant, hash_raw_tokens, rekey as rekey_all,
    seal_secrets,
};
use serde_json::json;

use super::Desk;

/// What a variant is called here.
fn name(variant: Variant) -> String {
    match variant {
        Variant::Sha256 => "sha256".to_owned(),
        Variant::Sha512 => "sha512".to_owned(),
        Variant::Keyed(key) => format!("hmac-sha256 under key {key}"),
    }
}

/// What the form of a secret is called here.
fn secret_name(form: SecretForm) -> String {
    match form {
        SecretForm::Plain => "secrets in clear".to_owned(),
        SecretForm::Sealed(key) => format!("secrets under key {key}"),
        SecretForm::Unknown => "secrets that nothing opens".to_owned(),
    }
}

/// How the credentials of a store stand.
struct Standing {
    census: Census,
    /// What is left of replaced and removed ones.
    left: AwaitsScrub,
}

impl Standing {
    async fn of(store: &dyn Store) -> Result<Self> {
        Ok(Self {
            census: Census::take(store).await?,
            left: store.awaits_scrub().await?,
        })
    }

    /// What the next start of a server with these settings would do.
    fn next_start(&self, hashing: &Hashing) -> String {
        let census = &self.census;
        let missing = match census.require_keys(hashing) {
            Ok(()) => None,
            Err(MissingKey::Tokens(key, _)) => Some(name(Variant::Keyed(key))),
            Err(MissingKey::Secrets(key, _)) => Some(secret_name(SecretForm::Sealed(key))),
        };
        if let Some(form) = missing {
            return format!("refuse to start: no key was given for {form}");
        }
        let mut steps = Vec::new();
        let (raw, secrets) = (census.raw, census.unsealed(hashing));
        if hashing.is_on() && raw > 0 {
            steps.push(format!("turn {raw} raw tokens into digests"));
        }
        if secrets > 0 {
            steps.push(format!("seal {secrets} secrets"));
        }
        if self.left.any() {
            steps.push("remove what is left of replaced credentials".to_owned());
        }
        if !steps.is_empty() {
            return steps.join(", ");
        }
        let why = match hashing.is_on() {
            true => "no token is stored in clear",
            false => "hashing is off",
        };
        format!("nothing: {why}")
    }
}

/// Those that `rekey` does not reach: they change at their next use.
fn waiting(census: &Census, hashing: &Hashing) -> u64 {
    let today = hashing.keyring().variant();
    if !matches!(today, Variant::Keyed(_)) {
        return 0;
    }
    let others = census.digests.iter();
    others
        .filter(|(variant, _)| **variant != today && **variant != Variant::Sha256)
        .map(|(_, count)| count)
        .sum()
}

fn shown(standing: &Standing, hashing: &Hashing, as_json: bool) -> String {
    let census = &standing.census;
    if as_json {
        let digests: BTreeMap<String, u64> = census
            .digests
            .iter()
            .map(|(variant, count)| (variant.prefix().trim_matches('$').to_owned(), *count))
            .collect();
        let (mut sealed, mut plain, mut damaged) = (BTreeMap::new(), 0, 0);
        for (form, count) in &census.secrets {
            match form {
                SecretForm::Plain => plain = *count,
                SecretForm::Sealed(key) => drop(sealed.insert(key.to_string(), *count)),
                SecretForm::Unknown => damaged = *count,
            }
        }
        let document = json!({
            "hashing": hashing.is_on(),
            "tokens": census.total(),
            "raw": census.raw,
            "digests": digests,
            "unknown": census.unknown,
            "missing": census.missing,
            "waitingForUse": waiting(census, hashing),
            "secrets": {"plain": plain, "sealed": sealed, "unknown": damaged},
            "awaitsScrub": {"tokens": standing.left.tokens, "others": standing.left.others},
            "nextStart": standing.next_start(hashing),
        });
        return format!("{document:#}\n");
    }
    let mut text = String::new();
    let mut line = |label: &str, value: &dyn std::fmt::Display| {
        writeln!(text, "{label:<44}{value}").expect("a String takes everything");
    };
    line("tokens", &census.total());
    line("  raw", &census.raw);
    for (variant, count) in &census.digests {
        line(&format!("  {}", name(*variant)), count);
    }
    if census.unknown > 0 {
        line("  in a form that is unknown here", &census.unknown);
    }
    if census.missing > 0 {
        line("  without any value", &census.missing);
    }
    for (form, count) in &census.secrets {
        line(&secret_name(*form), count);
    }
    let waiting = waiting(census, hashing);
    if waiting > 0 {
        line("change to the first key at their next use", &waiting);
    }
    line("hashing", &if hashing.is_on() { "on" } else { "off" });
    line("the next start would do", &standing.next_start(hashing));
    text
}

/// Counts tokens by how they are stored, and says what the next start would do.
pub(super) async fn status(desk: &Desk, json: bool) -> Result<String> {
    let standing = Standing::of(&*desk.store).await?;
    Ok(shown(&standing, &desk.hashing, json))
}

/// Does what the next start would do, or says it.
pub(super) async fn migrate(desk: &Desk, dry_run: bool, json: bool) -> Result<String> {
    if dry_run {
        return status(desk, json).await;
    }
    if !desk.hashing.is_on() {
        bail!("hashing is off: nothing was changed");
    }
    seal(desk).await?;
    let done = hash_raw_tokens(&*desk.store, &desk.hashing, |progress| {
        tracing::info!(
            done = progress.done,
            total = progress.total,
            "Migrating raw tokens"
        );
    })
    .await?;
    finish(desk, done, json).await
}

/// Puts all SHA-256 digests under the first key.
pub(super) async fn rekey(desk: &Desk, json: bool) -> Result<String> {
    if !matches!(desk.hashing.keyring().variant(), Variant::Keyed(_)) {
        bail!("there is no key: give one with --token-pepper-file");
    }
    let done = rekey_all(&*desk.store, &desk.hashing, |progress| {
        tracing::info!(
            done = progress.done,
            total = progress.total,
            "Keying digests"
        );
    })
    .await?;
    seal(desk).await?;
    finish(desk, done, json).await
}

/// Seals secrets with the first key, if there is one.
async fn seal(desk: &Desk) -> Result<()> {
    let sealed = seal_secrets(&*desk.store, desk.hashing.keyring(), &*desk.random).await?;
    if sealed > 0 {
        eprintln!("{sealed} secrets were sealed");
    }
    Ok(())
}

/// Removes what is left of the old forms, and shows how things stand.
async fn finish(desk: &Desk, done: u64, json: bool) -> Result<String> {
    let scrubbed = desk.store.scrub(false).await?;
    for sentence in &scrubbed.remains {
        eprintln!("{sentence}");
    }
    eprintln!("{done} tokens were changed");
    status(desk, json).await
}
