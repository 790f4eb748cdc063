//! What has to be true of the tokens before a server lets requests through: raw ones are digests,
//! and nothing is left of them (auth-and-resources 6.6).

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use influxd_api::Readiness;
use influxd_store::{ChunkStore, Claim, Store, StoreError};
use influxd_tokens::{
    Census, Hashing, MigrateError, OsRandomness, Progress, hash_raw_tokens, seal_secrets,
};
use prometheus::{IntGauge, Registry};

use super::stores::Stores;

/// Who changes the form of tokens, or scrubs, holds this claim: one server at a time.
const CLAIM: i64 = i64::from_be_bytes(*b"tokens@r");
/// How often a server looks whether there is something to scrub, or whether the one that it found
/// at it has died.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How often it looks for raw tokens and secrets that somebody else has put there.
const LOOK_AT_ALL: Duration = Duration::from_secs(600);
/// Between two scrubs, the least and the most; in between so many times what the last one took.
const SCRUB_PAUSE: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(600)];
const SCRUBS_PER_PAUSE: u32 = 100;
/// How long one waits after something went wrong.
const AFTER_AN_ERROR: Duration = Duration::from_secs(5);

/// What a start does about tokens.
pub(super) struct TokenStart {
    store: Arc<dyn Store>,
    points: Arc<dyn ChunkStore>,
    hashing: Arc<Hashing>,
    readiness: Arc<Readiness>,
    /// Held from before the first request if this server migrates.
    claim: Option<Box<dyn Claim>>,
    /// What scrubs could not reach, as far as it was said already.
    said: Vec<String>,
    done: IntGauge,
    total: IntGauge,
}

/// What became of a look.
enum Round {
    NothingToDo,
    /// Another server was at it.
    Elsewhere,
    Done,
}

/// Whether the same may succeed later: the database could not be reached.
fn may_pass(error: &anyhow::Error) -> bool {
    let of_the_store = |it: &StoreError| matches!(it, StoreError::Unavailable(_));
    error.chain().any(|cause| {
        cause.downcast_ref().is_some_and(of_the_store)
            || matches!(cause.downcast_ref(), Some(MigrateError::Store(it)) if of_the_store(it))
    })
}

impl TokenStart {
    /// Says how tokens are stored; refuses to start where some could not be verified. If there is
    /// something to migrate and nobody else is at it, requests wait from here on.
    pub(super) async fn check(
        stores: &Stores,
        hashing: &Arc<Hashing>,
        readiness: &Arc<Readiness>,
        registry: &Registry,
    ) -> Result<Self> {
        let census = Census::take(&*stores.resources).await?;
        tracing::info!(
            store = "auth",
            UseHashedTokens = hashing.is_on(),
            "Creating authorization store"
        );
        census.require_keys(hashing)?;
        if !hashing.is_on() && !census.digests.is_empty() {
            tracing::warn!(
                store = "auth",
                "Token hashing is disabled, but hashed tokens found in authorization store. Was \
                 influxd accidentally started without --use-hashed-tokens?"
            );
        }
        if census.unknown + census.missing > 0 {
            tracing::warn!(
                store = "auth",
                count = census.unknown + census.missing,
                "There are tokens that authenticate nobody: their value is missing or damaged"
            );
        }
        let gauge = |name, help| -> Result<IntGauge> {
            let gauge = IntGauge::new(name, help)?;
            registry.register(Box::new(gauge.clone()))?;
            Ok(gauge)
        };
        let mut start = Self {
            store: Arc::clone(&stores.resources),
            points: Arc::clone(&stores.points),
            hashing: Arc::clone(hashing),
            readiness: Arc::clone(readiness),
            claim: None,
            said: Vec::new(),
            done: gauge(
                "influxd_token_migration_done",
                "Raw tokens that this start has turned into digests",
            )?,
            total: gauge(
                "influxd_token_migration_total",
                "Raw tokens that this start found",
            )?,
        };
        let raw = if hashing.is_on() { census.raw } else { 0 };
        // What a start that was killed has replaced and not scrubbed belongs to this one; but with
        // hashing off nobody was promised that nothing is left.
        let left = hashing.is_on() && stores.resources.awaits_scrub().await?.tokens;
        if raw + census.unsealed(hashing) > 0 || left {
            start.claim = start.points.claim(CLAIM).await?;
            if start.claim.is_some() {
                readiness.wait_for("removing what is left of replaced tokens and secrets");
                if raw > 0 {
                    start.report(Progress {
                        done: 0,
                        total: raw,
                    });
                }
            } else {
                tracing::info!(store = "auth", "Another server is migrating tokens");
            }
        }
        Ok(start)
    }

    /// Migrates if need be, then keeps what is deleted out of the files. Ends only by an error that
    /// comes before the first request was let through, and that waiting does not help against.
    pub(super) async fn run(mut self) -> Result<()> {
        let mut looked_at_all: Option<Instant> = None;
        loop {
            let is_due = looked_at_all.is_none_or(|at| at.elapsed() >= LOOK_AT_ALL);
            let began = Instant::now();
            let pause = match self.round(is_due).await {
                Ok(Round::NothingToDo) => LOOK_AGAIN,
                Ok(Round::Elsewhere) => {
                    self.readiness.ready();
                    LOOK_AGAIN
                }
                Ok(Round::Done) => {
                    self.readiness.ready();
                    if is_due {
                        looked_at_all = Some(began);
                    }
                    (SCRUBS_PER_PAUSE * began.elapsed()).clamp(SCRUB_PAUSE[0], SCRUB_PAUSE[1])
                }
                Err(error) if self.readiness.is_waiting() && !may_pass(&error) => {
                    return Err(error);
                }
                Err(error) => {
                    tracing::warn!(
                        store = "auth",
                        error = format!("{error:#}"),
                        "The care of tokens will be tried again"
                    );
                    AFTER_AN_ERROR
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// Does what there is to do, if no other server is at it: looks for raw tokens and secrets if
    /// that is due, and scrubs.
    async fn round(&mut self, is_due: bool) -> Result<Round> {
        if !is_due && !self.store.awaits_scrub().await?.any() {
            return Ok(Round::NothingToDo);
        }
        let claim = match self.claim.take() {
            Some(claim) => Some(claim),
            None => self.points.claim(CLAIM).await?,
        };
        if claim.is_none() {
            return Ok(Round::Elsewhere);
        }
        let migrated = if is_due {
            self.seal().await.context("cannot seal secrets")?;
            self.migrate().await.context("cannot migrate tokens")?
        } else {
            0
        };
        let scrubbed = self.store.scrub(false).await;
        let scrubbed = scrubbed.context("cannot scrub what is left of tokens")?;
        for sentence in scrubbed.remains {
            if !self.said.contains(&sentence) {
                tracing::warn!(store = "auth", "{sentence}");
                self.said.push(sentence);
            }
        }
        if migrated > 0 {
            tracing::info!(store = "auth", count = migrated, "Migrated raw tokens");
        }
        drop(claim);
        Ok(Round::Done)
    }

    /// Seals secrets of organizations with the first key, if one is given.
    async fn seal(&self) -> Result<()> {
        let sealed = seal_secrets(&*self.store, self.hashing.keyring(), &OsRandomness).await?;
        if sealed > 0 {
            tracing::info!(count = sealed, "Sealed secrets of organizations");
        }
        Ok(())
    }

    /// Turns raw tokens into digests; how many.
    async fn migrate(&self) -> Result<u64> {
        if !self.hashing.is_on() {
            return Ok(0);
        }
        let raw = self.raw_tokens().await?;
        if raw == 0 {
            return Ok(0);
        }
        tracing::info!(
            store = "auth",
            count = raw,
            "Migrating raw tokens to hashed tokens"
        );
        let report = |progress| self.report(progress);
        Ok(hash_raw_tokens(&*self.store, &self.hashing, report).await?)
    }

    /// Whether there is anything to do, without counting all.
    async fn raw_tokens(&self) -> Result<u64> {
        let mut transaction = self.store.begin_read().await?;
        if transaction.tokens().unhashed(1).await?.is_empty() {
            return Ok(0);
        }
        drop(transaction);
        Ok(Census::take(&*self.store).await?.raw)
    }

    /// Says how far the migration is. Requests wait if this server has let none through yet.
    fn report(&self, progress: Progress) {
        let Progress { done, total } = progress;
        self.done.set(i64::try_from(done).unwrap_or(i64::MAX));
        self.total.set(i64::try_from(total).unwrap_or(i64::MAX));
        self.readiness.progress(format!(
            "turning raw tokens into digests: {done} of {total}"
        ));
        if done > 0 {
            tracing::info!(store = "auth", done, total, "Migrating raw tokens");
        }
    }
}
