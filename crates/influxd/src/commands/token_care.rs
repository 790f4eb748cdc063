//! The care of tokens: before a server lets requests through raw ones are digests and nothing is
//! left of them (auth-and-resources 6.6), and as long as it runs what is deleted leaves the files.

use std::convert::Infallible;
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
const SCRUB_PAUSE: [Duration; 2] = [Duration::from_secs(15), Duration::from_secs(600)];
const SCRUBS_PER_PAUSE: u32 = 100;
/// How long one waits after something went wrong.
const AFTER_AN_ERROR: Duration = Duration::from_secs(5);

/// What a server does about tokens, beside answering requests.
pub(super) struct TokenCare {
    store: Arc<dyn Store>,
    points: Arc<dyn ChunkStore>,
    hashing: Arc<Hashing>,
    readiness: Arc<Readiness>,
    /// Held from before the first request if this server migrates.
    claim: Option<Box<dyn Claim>>,
    /// What the last scrub could not reach; it was said.
    said: Vec<String>,
    /// When somebody last looked for raw tokens and secrets that are in clear.
    looked_at_all: Option<Instant>,
    /// Tokens that a migration which has not ended has replaced.
    migrated: u64,
    done: IntGauge,
    total: IntGauge,
}

/// What became of a look.
enum Round {
    /// There was nothing to do, or another server is at it.
    LookAgain,
    /// Scrubbed, at the cost of so long.
    Scrubbed(Duration),
}

/// Whether the same may succeed later: the database could not be reached.
fn may_pass(error: &anyhow::Error) -> bool {
    let of_the_store = |it: &StoreError| matches!(it, StoreError::Unavailable(_));
    error.chain().any(|cause| {
        cause.downcast_ref().is_some_and(of_the_store)
            || matches!(cause.downcast_ref(), Some(MigrateError::Store(it)) if of_the_store(it))
    })
}

impl TokenCare {
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
        let mut care = Self {
            store: Arc::clone(&stores.resources),
            points: Arc::clone(&stores.points),
            hashing: Arc::clone(hashing),
            readiness: Arc::clone(readiness),
            claim: None,
            said: Vec::new(),
            looked_at_all: None,
            migrated: 0,
            done: gauge(
                "influxd_token_migration_done",
                "Raw tokens that the present migration, or the last one, has turned into digests",
            )?,
            total: gauge(
                "influxd_token_migration_total",
                "Raw tokens that the present migration, or the last one, found",
            )?,
        };
        let raw = if hashing.is_on() { census.raw } else { 0 };
        // What a start that was killed has replaced and not scrubbed belongs to this one; but with
        // hashing off nobody was promised that nothing is left.
        let left = hashing.is_on() && stores.resources.awaits_scrub().await?.tokens;
        if raw + census.unsealed(hashing) > 0 || left {
            care.claim = care.points.claim(CLAIM).await?;
            if care.claim.is_some() {
                readiness.wait_for("removing what is left of replaced tokens and secrets");
                if raw > 0 {
                    care.report(Progress {
                        done: 0,
                        total: raw,
                    });
                }
            } else {
                tracing::info!(store = "auth", "Another server is migrating tokens");
            }
        }
        Ok(care)
    }

    /// Migrates if need be, then keeps what is deleted out of the files. Ends only by an error that
    /// comes before the first request was let through, and that waiting does not help against.
    pub(super) async fn run(mut self) -> Result<Infallible> {
        loop {
            let pause = match self.round().await {
                Ok(Round::LookAgain) => LOOK_AGAIN,
                Ok(Round::Scrubbed(took)) => {
                    (SCRUBS_PER_PAUSE * took).clamp(SCRUB_PAUSE[0], SCRUB_PAUSE[1])
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
    /// that is due, and scrubs, also if the former fails.
    async fn round(&mut self) -> Result<Round> {
        let is_due = self
            .looked_at_all
            .is_none_or(|at| at.elapsed() >= LOOK_AT_ALL);
        if !is_due && !self.store.awaits_scrub().await?.any() {
            return Ok(Round::LookAgain);
        }
        let claim = match self.claim.take() {
            Some(claim) => Some(claim),
            None => self.points.claim(CLAIM).await?,
        };
        if claim.is_none() {
            // If requests wait for this server, it has begun and lost its connection: whoever has
            // the claim now may be the database itself, which has not noticed yet.
            if self.readiness.is_waiting() && !self.is_anything_left().await? {
                self.readiness.ready();
            }
            return Ok(Round::LookAgain);
        }
        let looked = if is_due {
            self.look_at_all().await
        } else {
            Ok(())
        };
        let began = Instant::now();
        let scrubbed = self.store.scrub(false).await;
        let took = began.elapsed();
        looked?;
        let scrubbed = scrubbed.context("cannot scrub what is left of tokens")?;
        self.readiness.ready();
        if !scrubbed.ran {
            return Ok(Round::LookAgain);
        }
        for sentence in &scrubbed.remains {
            if !self.said.contains(sentence) {
                tracing::warn!(store = "auth", "{sentence}");
            }
        }
        self.said = scrubbed.remains;
        let cost = if scrubbed.only_waits {
            Duration::ZERO
        } else {
            took
        };
        Ok(Round::Scrubbed(cost))
    }

    /// Seals secrets and migrates tokens. What fails for good is tried again when it is due again,
    /// what may pass at once.
    async fn look_at_all(&mut self) -> Result<()> {
        let began = Instant::now();
        let looked = async {
            self.seal().await.context("cannot seal secrets")?;
            self.migrate().await.context("cannot migrate tokens")
        };
        let looked = looked.await;
        if looked.as_ref().err().is_none_or(|error| !may_pass(error)) {
            self.looked_at_all = Some(began);
        }
        looked
    }

    /// Whether a migration, or the scrub after it, is not done.
    async fn is_anything_left(&self) -> Result<bool> {
        if !self.hashing.is_on() {
            return Ok(false);
        }
        Ok(self.store.awaits_scrub().await?.tokens || self.raw_tokens().await? > 0)
    }

    /// Seals secrets of organizations with the first key, if one is given.
    async fn seal(&self) -> Result<()> {
        let sealed = seal_secrets(&*self.store, self.hashing.keyring(), &OsRandomness).await?;
        if sealed > 0 {
            tracing::info!(count = sealed, "Sealed secrets of organizations");
        }
        Ok(())
    }

    /// Turns raw tokens into digests.
    async fn migrate(&mut self) -> Result<()> {
        if !self.hashing.is_on() {
            return Ok(());
        }
        let raw = self.raw_tokens().await?;
        if raw == 0 {
            return Ok(());
        }
        tracing::info!(
            store = "auth",
            count = raw,
            "Migrating raw tokens to hashed tokens"
        );
        // What was done before something came between counts, too.
        let (before, mut done) = (self.migrated, 0);
        let report = |progress: Progress| {
            done = progress.done;
            self.report(Progress {
                done: before + progress.done,
                total: before + progress.total,
            });
        };
        let migrated = hash_raw_tokens(&*self.store, &self.hashing, report).await;
        self.migrated = before + done;
        migrated?;
        let count = std::mem::take(&mut self.migrated);
        tracing::info!(store = "auth", count, "Migrated raw tokens");
        Ok(())
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
