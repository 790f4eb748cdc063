//! Raw tokens become digests (auth-and-resources 6.6), and digests become keyed ones (6.2).
//!
//! Work goes in batches, each a transaction: killed at any moment it leaves every token in one
//! valid form, and the next run goes on where this one ended. A token is replaced only after its
//! digest has been seen to authenticate it.

use std::collections::BTreeMap;
use std::time::Duration;

use influxd_model::AuthorizationId;
use influxd_store::{
    LostRace, RawToken, Snapshot, Store, StoreError, StoredToken, TokenForm, Transaction,
};
use secrecy::ExposeSecret;

use crate::escrow::EscrowError;
use crate::seal::{self, resealed};
use crate::{ApiToken, Hashing, KeyId, Randomness, SecretForm, TokenDigest, Variant};

/// How many tokens a transaction replaces: enough that its commit costs little beside it, few
/// enough that other writers hardly wait.
const BATCH: u32 = 1_000;
/// How many races in a row are lost before it is taken for something else, and how long one waits
/// after each.
const RACES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(10);

/// How the tokens of a store are stored, and the secrets of its organizations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Census {
    /// In clear.
    pub raw: u64,
    /// As digests, by variant and key.
    pub digests: BTreeMap<Variant, u64>,
    /// As something that no variant explains: such tokens authenticate nobody.
    pub unknown: u64,
    /// Not at all.
    pub missing: u64,
    /// Secrets of organizations.
    pub secrets: BTreeMap<SecretForm, u64>,
}

impl Census {
    /// Counts the tokens and the secrets of a store.
    pub async fn take(store: &dyn Store) -> Result<Self, StoreError> {
        let mut transaction = store.begin_read().await?;
        let mut census = Self::default();
        for (form, count) in transaction.tokens().forms().await? {
            match form {
                TokenForm::Raw => census.raw += count,
                TokenForm::Missing => census.missing += count,
                TokenForm::Digest(prefix) => match Variant::from_prefix(&prefix) {
                    Ok(variant) => *census.digests.entry(variant).or_default() += count,
                    Err(_) => census.unknown += count,
                },
            }
        }
        census.secrets = seal::forms(&mut *transaction).await?;
        Ok(census)
    }

    /// The secrets that are not sealed with the first key of `hashing`, and could be.
    pub fn unsealed(&self, hashing: &Hashing) -> u64 {
        let Variant::Keyed(today) = hashing.keyring().variant() else {
            return 0;
        };
        let waits = |form: &SecretForm| match form {
            SecretForm::Plain => true,
            SecretForm::Sealed(key) => {
                *key != today && hashing.keyring().knows(Variant::Keyed(*key))
            }
            SecretForm::Unknown => false,
        };
        let waiting = self.secrets.iter().filter(|(form, _)| waits(form));
        waiting.map(|(_, count)| count).sum()
    }

    /// All tokens.
    pub fn total(&self) -> u64 {
        self.raw + self.digests.values().sum::<u64>() + self.unknown + self.missing
    }

    /// The first key of `hashing`, if nothing is under it yet: servers may not have it.
    pub fn new_key(&self, hashing: &Hashing) -> Option<KeyId> {
        let today = hashing.keyring().variant();
        match today {
            Variant::Keyed(key) => {
                let is_used = self.digests.contains_key(&today)
                    || self.secrets.contains_key(&SecretForm::Sealed(key));
                (!is_used).then_some(key)
            }
            Variant::Sha256 | Variant::Sha512 => None,
        }
    }

    /// Refuses a store with something in it that `hashing` has no key for: who goes on would lock
    /// its owners out.
    pub fn require_keys(&self, hashing: &Hashing) -> Result<(), MissingKey> {
        for (variant, count) in &self.digests {
            if let Variant::Keyed(key) = variant
                && !hashing.keyring().knows(*variant)
            {
                return Err(MissingKey::Tokens(*key, *count));
            }
        }
        for (form, count) in &self.secrets {
            if let SecretForm::Sealed(key) = form
                && !hashing.keyring().knows(Variant::Keyed(*key))
            {
                return Err(MissingKey::Secrets(*key, *count));
            }
        }
        Ok(())
    }
}

/// A key that the store needs was not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MissingKey {
    /// So many tokens are under it.
    #[error(
        "{1} tokens are stored as influxd-hmac-sha256 under the key {0} and no such key was given: \
         name its file with token-pepper-file"
    )]
    Tokens(KeyId, u64),
    /// So many secrets of organizations are sealed with one that is derived from it.
    #[error(
        "{1} secrets of organizations are sealed under the key {0} and no such key was given: \
         name its file with token-pepper-file"
    )]
    Secrets(KeyId, u64),
}

/// Why tokens were not all brought into another form. Those that were stay in it.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// A digest did not authenticate the token that it was made of; nothing was replaced.
    #[error("the digest of token {0} does not verify: nothing was replaced")]
    Unverified(AuthorizationId),
    /// The digest of a raw token is another token's: one of the two has to go.
    #[error("token {0} has the same value as another one: delete one of them")]
    Twice(AuthorizationId),
    /// A digest is under a key that this server was not given.
    #[error("token {0} is under a key that this server was not given")]
    UnknownKey(AuthorizationId),
    /// A secret is sealed under a key that this server was not given.
    #[error("a secret is sealed under the key {0}, which this server was not given")]
    UnknownSealKey(KeyId),
    /// A token could not be sealed for escrow; it was not replaced.
    #[error(transparent)]
    Escrow(#[from] EscrowError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl MigrateError {
    /// Whether another server has changed or deleted one of the tokens first. Nothing was replaced,
    /// and once more it would be seen.
    fn is_lost_race(&self) -> bool {
        match self {
            Self::Store(error) => error.is_lost_race() || matches!(error, StoreError::NotFound(_)),
            _ => false,
        }
    }
}

/// How far a migration is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Tokens replaced so far.
    pub done: u64,
    /// Tokens that there were to replace, when it began.
    pub total: u64,
}

/// Replaces all raw tokens by their digests, each sealed for escrow first if there is one; returns
/// how many. `report` is called after each batch.
pub async fn hash_raw_tokens(
    store: &dyn Store,
    hashing: &Hashing,
    mut report: impl FnMut(Progress) + Send,
) -> Result<u64, MigrateError> {
    let total = Census::take(store).await?.raw;
    let (mut done, mut pace) = (0, Pace::default());
    loop {
        match hash_batch(store, hashing, pace.limit).await {
            Ok(0) => return Ok(done),
            Ok(count) => done += count,
            Err(error) => {
                pace.slows(error).await?;
                continue;
            }
        }
        pace.quickens();
        report(Progress {
            done,
            total: total.max(done),
        });
    }
}

/// How many tokens the next transaction replaces: the fewer, the rarer somebody is in its way.
struct Pace {
    limit: u32,
    /// Races lost since one was won.
    lost: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            limit: BATCH,
            lost: 0,
        }
    }
}

impl Pace {
    /// After a transaction that went through.
    fn quickens(&mut self) {
        self.limit = self.limit.saturating_mul(2).min(BATCH);
        self.lost = 0;
    }

    /// After one that did not: waits a moment if a race was lost. What was lost so often that it
    /// must be something else is the error that it is, as is any other.
    async fn slows(&mut self, error: MigrateError) -> Result<(), MigrateError> {
        self.lost += 1;
        if !error.is_lost_race() || self.lost > RACES {
            return Err(error);
        }
        tracing::debug!(%error, lost = self.lost, "somebody else changed tokens first");
        self.limit = (self.limit / 2).max(1);
        tokio::time::sleep(PAUSE).await;
        Ok(())
    }
}

/// Replaces some raw tokens in one transaction; how many.
async fn hash_batch(store: &dyn Store, hashing: &Hashing, limit: u32) -> Result<u64, MigrateError> {
    let mut transaction = store.begin().await?;
    let batch = transaction.tokens().unhashed(limit).await?;
    let mut digests = Vec::with_capacity(batch.len());
    for (id, raw) in &batch {
        digests.push((*id, digest_of(hashing, *id, raw)?));
        if let Some(escrow) = hashing.escrow() {
            let sealed = escrow.seal(raw.text())?;
            transaction.tokens().put_in_escrow(*id, &sealed).await?;
        }
    }
    replace_all(store, transaction, &digests).await?;
    Ok(batch.len() as u64)
}

/// Does the same to a snapshot on its way into a store, if hashing is on; returns how many. Seals
/// its secrets if there is a key. Refuses what could not be verified or opened there.
pub fn hash_snapshot(
    snapshot: &mut Snapshot,
    hashing: &Hashing,
    random: &dyn Randomness,
) -> Result<u64, MigrateError> {
    for secret in &mut snapshot.secrets {
        if let SecretForm::Sealed(key) = SecretForm::of(secret.value.expose_secret())
            && !hashing.keyring().knows(Variant::Keyed(key))
        {
            return Err(MigrateError::UnknownSealKey(key));
        }
        if let Some(sealed) = resealed(hashing.keyring(), random, secret) {
            secret.value = sealed;
        }
    }
    let mut done = 0;
    for record in &mut snapshot.authorizations {
        let id = record.authorization.id;
        match &record.token {
            Some(StoredToken::Raw(raw)) if hashing.is_on() => {
                if let Some(escrow) = hashing.escrow() {
                    record.escrow = Some(escrow.seal(raw.text())?);
                }
                record.token = Some(digest_of(hashing, id, raw)?);
                done += 1;
            }
            Some(StoredToken::Digest(phc)) => {
                let Ok(digest) = phc.parse::<TokenDigest>() else {
                    tracing::warn!(%id, "a token is restored whose digest is damaged: nobody can use it");
                    continue;
                };
                if !hashing.keyring().knows(digest.variant()) {
                    return Err(MigrateError::UnknownKey(id));
                }
            }
            Some(StoredToken::Raw(_)) | None => {}
        }
    }
    Ok(done)
}

/// The digest that takes a raw token's place.
fn digest_of(
    hashing: &Hashing,
    id: AuthorizationId,
    raw: &RawToken,
) -> Result<StoredToken, MigrateError> {
    let token = ApiToken::from(raw.text().clone());
    let stored = StoredToken::Digest(hashing.keyring().digest(&token).to_phc());
    // As it will be read back: parsed from its text.
    if hashing.verifies(&token, &stored) {
        Ok(stored)
    } else {
        Err(MigrateError::Unverified(id))
    }
}

/// Replaces all of them and commits, with what the transaction did before; if two tokens are the
/// same one, it says which.
async fn replace_all(
    store: &dyn Store,
    mut transaction: Box<dyn Transaction>,
    tokens: &[(AuthorizationId, StoredToken)],
) -> Result<(), MigrateError> {
    let replaced = transaction.tokens().replace_all(tokens).await;
    match replaced {
        Ok(()) => return Ok(transaction.commit().await?),
        Err(StoreError::Conflict(_)) => drop(transaction),
        Err(error) => return Err(error.into()),
    }
    let mut transaction = store.begin().await?;
    for (id, token) in tokens {
        match transaction.tokens().replace(*id, token).await {
            Err(StoreError::Conflict(_)) => return Err(MigrateError::Twice(*id)),
            result => result?,
        }
    }
    // What was in the way has gone meanwhile. The first transaction may have done more than this.
    let gone = LostRace("a token that was in the way is gone".to_owned());
    Err(StoreError::Unavailable(Box::new(gone)).into())
}

/// Puts all SHA-256 digests under the first key of the keyring; returns how many. No token is
/// needed for that. Without a key there is nothing to do.
pub async fn rekey(
    store: &dyn Store,
    hashing: &Hashing,
    mut report: impl FnMut(Progress) + Send,
) -> Result<u64, MigrateError> {
    if !matches!(hashing.keyring().variant(), Variant::Keyed(_)) {
        return Ok(0);
    }
    let plain = Variant::Sha256;
    let total = Census::take(store).await?;
    let total = total.digests.get(&plain).copied().unwrap_or_default();
    let (mut done, mut after, mut pace) = (0, None, Pace::default());
    loop {
        match rekey_batch(store, hashing, after, pace.limit).await {
            Ok(None) => return Ok(done),
            Ok(Some((last, count))) => {
                after = Some(last);
                done += count;
            }
            Err(error) => {
                pace.slows(error).await?;
                continue;
            }
        }
        pace.quickens();
        report(Progress {
            done,
            total: total.max(done),
        });
    }
}

/// Puts some SHA-256 digests behind `after` under the first key in one transaction; the last one
/// that it looked at, and how many it replaced.
async fn rekey_batch(
    store: &dyn Store,
    hashing: &Hashing,
    after: Option<AuthorizationId>,
    limit: u32,
) -> Result<Option<(AuthorizationId, u64)>, MigrateError> {
    let mut transaction = store.begin().await?;
    let prefix = Variant::Sha256.prefix();
    let batch = transaction.tokens().digests(&prefix, after, limit).await?;
    let Some((last, _)) = batch.last() else {
        return Ok(None);
    };
    let last = *last;
    let keyed = batch.iter().filter_map(|(id, phc)| {
        // A record that is damaged authenticates nobody, and stays as it is.
        let digest = phc.parse().ok()?;
        let keyed = hashing.keyring().rekey(&digest)?;
        Some((*id, StoredToken::Digest(keyed.to_phc())))
    });
    let keyed: Vec<_> = keyed.collect();
    replace_all(store, transaction, &keyed).await?;
    Ok(Some((last, keyed.len() as u64)))
}
