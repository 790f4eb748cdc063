//! What has to be true of the tokens before a server lets requests through: raw ones are digests,
//! and nothing is left of them (auth-and-resources 6.6).

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use influxd_api::Readiness;
use influxd_store::{ChunkStore, Claim, Store};
use influxd_tokens::{Census, Hashing, OsRandomness, Progress, hash_raw_tokens, seal_secrets};
use prometheus::{IntGauge, Registry};

use super::stores::Stores;

/// Who changes the form of tokens, or scrubs, holds this claim: one server at a time.
const CLAIM: i64 = i64::from_be_bytes(*b"tokens@r");
/// How often a server that found another one at it looks whether that one has died.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How often what was deleted is scrubbed from the files.
const SCRUB_INTERVAL: Duration = Duration::from_secs(600);

/// What a start does about tokens.
pub(super) struct TokenStart {
    store: Arc<dyn Store>,
    points: Arc<dyn ChunkStore>,
    hashing: Arc<Hashing>,
    readiness: Arc<Readiness>,
    /// Held from before the first request if this server migrates.
    claim: Option<Box<dyn Claim>>,
    done: IntGauge,
    total: IntGauge,
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
        // What a start that was killed has replaced and not scrubbed belongs to this one.
        let left = stores.resources.tokens_await_scrub().await?;
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

    /// Migrates if need be, then keeps what is deleted out of the files; ends only by an error.
    pub(super) async fn run(mut self) -> Result<()> {
        loop {
            let claim = match self.claim.take() {
                Some(claim) => Some(claim),
                None => self.points.claim(CLAIM).await?,
            };
            if claim.is_none() {
                tokio::time::sleep(LOOK_AGAIN).await;
                continue;
            }
            let sealed = self.seal().await.context("cannot seal secrets")?;
            let migrated = if self.hashing.is_on() {
                self.migrate().await.context("cannot migrate tokens")?
            } else {
                0
            };
            let scrubbed = self.store.scrub(false).await;
            match scrubbed.context("cannot scrub what is left of tokens") {
                Ok(scrubbed) => {
                    for sentence in &scrubbed.remains {
                        tracing::warn!(store = "auth", "{sentence}");
                    }
                }
                // Before the first request it has to work; later it is tried again.
                Err(error) if migrated + sealed > 0 => return Err(error),
                Err(error) => tracing::warn!(
                    store = "auth",
                    error = format!("{error:#}"),
                    "Scrubbing will be tried again"
                ),
            }
            if migrated > 0 {
                tracing::info!(store = "auth", count = migrated, "Migrated raw tokens");
            }
            drop(claim);
            self.readiness.ready();
            tokio::time::sleep(SCRUB_INTERVAL).await;
        }
    }

    /// Seals secrets of organizations with the first key, if one is given; how many.
    async fn seal(&self) -> Result<u64> {
        let sealed = seal_secrets(&*self.store, self.hashing.keyring(), &OsRandomness).await?;
        if sealed > 0 {
            tracing::info!(count = sealed, "Sealed secrets of organizations");
        }
        Ok(sealed)
    }

    /// Turns raw tokens into digests; how many.
    async fn migrate(&self) -> Result<u64> {
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
