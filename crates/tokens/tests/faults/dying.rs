//! A store whose process is killed at a step that was chosen before, or that is refused some steps.

use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use influxd_model::{AuthorizationId, OrgId};
use influxd_store::{
    AuthorizationFilter, AuthorizationRepository, AwaitsScrub, BucketRepository, Counts,
    DbrpRepository, LabelRepository, MembershipRepository, OrganizationRepository, RawToken,
    Result, Scrubbed, SecretRecord, SecretRepository, SessionRepository, Snapshot, Store,
    StoreError, StoredToken, TokenForm, TokenRepository, Transaction, UserRepository,
};

/// Of many calls in a row that do the same, every so many-th is a step.
const EVERY: u64 = 500;

/// Counts what is asked of the store: before each call, and after it, is a fault point. The process
/// gets SIGKILL at the one with this number, or at none.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    at: Option<u64>,
    passed: AtomicU64,
    repeated: AtomicU64,
    /// What becomes of the next replacements of many tokens, the last one first; they are not done.
    refusals: Mutex<Vec<StoreError>>,
}

impl Faults {
    pub(crate) fn at(point: Option<u64>) -> Arc<Self> {
        Arc::new(Self {
            at: point,
            ..Self::default()
        })
    }

    pub(crate) fn refusing(refusals: Vec<StoreError>) -> Arc<Self> {
        Arc::new(Self {
            refusals: Mutex::new(refusals),
            ..Self::default()
        })
    }

    /// Whether all were refused that were to be.
    pub(crate) fn is_through(&self) -> bool {
        self.refusals.lock().unwrap().is_empty()
    }

    /// How many there were so far.
    pub(crate) fn passed(&self) -> u64 {
        self.passed.load(Ordering::Relaxed)
    }

    async fn point(&self) {
        let number = self.passed.fetch_add(1, Ordering::Relaxed) + 1;
        if self.at == Some(number) {
            let own = rustix::process::getpid();
            rustix::process::kill_process(own, rustix::process::Signal::KILL)
                .expect("a process may kill itself");
            // It comes at once, but not before this.
            std::future::pending::<()>().await;
        }
    }

    async fn around<T>(&self, call: impl Future<Output = T> + Send) -> T {
        self.point().await;
        let done = call.await;
        self.point().await;
        done
    }

    async fn around_some<T>(&self, call: impl Future<Output = T> + Send) -> T {
        if self
            .repeated
            .fetch_add(1, Ordering::Relaxed)
            .is_multiple_of(EVERY)
        {
            self.around(call).await
        } else {
            call.await
        }
    }
}

/// A store, its transactions or its tokens.
pub(crate) struct Dying<S> {
    pub(crate) inner: S,
    pub(crate) faults: Arc<Faults>,
}

impl<S> fmt::Debug for Dying<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dying({:?})", self.faults)
    }
}

#[async_trait]
impl Store for Dying<Arc<dyn Store>> {
    async fn begin(&self) -> Result<Box<dyn Transaction>> {
        let inner = self.faults.around(self.inner.begin()).await?;
        let faults = Arc::clone(&self.faults);
        Ok(Box::new(Dying { inner, faults }))
    }

    async fn begin_read(&self) -> Result<Box<dyn Transaction>> {
        let inner = self.faults.around(self.inner.begin_read()).await?;
        let faults = Arc::clone(&self.faults);
        Ok(Box::new(Dying { inner, faults }))
    }

    async fn ping(&self) -> Result<()> {
        self.inner.ping().await
    }

    async fn counts(&self) -> Result<Counts> {
        self.inner.counts().await
    }

    async fn scrub(&self, force: bool) -> Result<Scrubbed> {
        self.faults.around(self.inner.scrub(force)).await
    }

    async fn count_lists(&self) -> Result<()> {
        self.faults.around(self.inner.count_lists()).await
    }

    async fn awaits_scrub(&self) -> Result<AwaitsScrub> {
        self.faults.around(self.inner.awaits_scrub()).await
    }

    async fn close(&self) {
        self.faults.around(self.inner.close()).await;
    }
}

#[async_trait]
impl Transaction for Dying<Box<dyn Transaction>> {
    fn organizations(&mut self) -> Box<dyn OrganizationRepository + '_> {
        self.inner.organizations()
    }

    fn users(&mut self) -> Box<dyn UserRepository + '_> {
        self.inner.users()
    }

    fn memberships(&mut self) -> Box<dyn MembershipRepository + '_> {
        self.inner.memberships()
    }

    fn buckets(&mut self) -> Box<dyn BucketRepository + '_> {
        self.inner.buckets()
    }

    fn authorizations(&mut self) -> Box<dyn AuthorizationRepository + '_> {
        self.inner.authorizations()
    }

    fn tokens(&mut self) -> Box<dyn TokenRepository + '_> {
        Box::new(Dying {
            inner: self.inner.tokens(),
            faults: Arc::clone(&self.faults),
        })
    }

    fn sessions(&mut self) -> Box<dyn SessionRepository + '_> {
        self.inner.sessions()
    }

    fn dbrps(&mut self) -> Box<dyn DbrpRepository + '_> {
        self.inner.dbrps()
    }

    fn labels(&mut self) -> Box<dyn LabelRepository + '_> {
        self.inner.labels()
    }

    fn secrets(&mut self) -> Box<dyn SecretRepository + '_> {
        Box::new(Dying {
            inner: self.inner.secrets(),
            faults: Arc::clone(&self.faults),
        })
    }

    async fn lock_for_set_up(&mut self) -> Result<()> {
        self.faults.around(self.inner.lock_for_set_up()).await
    }

    async fn snapshot(&mut self) -> Result<Snapshot> {
        self.faults.around(self.inner.snapshot()).await
    }

    async fn restore(&mut self, snapshot: &Snapshot) -> Result<()> {
        self.faults.around(self.inner.restore(snapshot)).await
    }

    async fn commit(self: Box<Self>) -> Result<()> {
        self.faults.around(self.inner.commit()).await
    }
}

#[async_trait]
impl TokenRepository for Dying<Box<dyn TokenRepository + '_>> {
    async fn raw(
        &mut self,
        filter: &AuthorizationFilter,
    ) -> Result<Vec<(AuthorizationId, RawToken)>> {
        self.faults.around(self.inner.raw(filter)).await
    }

    async fn find_raw(&mut self, id: AuthorizationId) -> Result<Option<RawToken>> {
        self.faults.around(self.inner.find_raw(id)).await
    }

    async fn unhashed(&mut self, limit: u32) -> Result<Vec<(AuthorizationId, RawToken)>> {
        self.faults.around(self.inner.unhashed(limit)).await
    }

    async fn digests(
        &mut self,
        prefix: &str,
        after: Option<AuthorizationId>,
        limit: u32,
    ) -> Result<Vec<(AuthorizationId, String)>> {
        let found = self.inner.digests(prefix, after, limit);
        self.faults.around(found).await
    }

    async fn replace(&mut self, id: AuthorizationId, token: &StoredToken) -> Result<()> {
        let replaced = self.inner.replace(id, token);
        self.faults.around_some(replaced).await
    }

    async fn replace_all(&mut self, tokens: &[(AuthorizationId, StoredToken)]) -> Result<()> {
        let refusal = self.faults.refusals.lock().unwrap().pop();
        if let Some(refusal) = refusal {
            return Err(refusal);
        }
        self.faults.around(self.inner.replace_all(tokens)).await
    }

    async fn put_in_escrow(&mut self, id: AuthorizationId, sealed: &[u8]) -> Result<()> {
        let put = self.inner.put_in_escrow(id, sealed);
        self.faults.around_some(put).await
    }

    async fn in_escrow(
        &mut self,
        after: Option<AuthorizationId>,
        limit: u32,
    ) -> Result<Vec<(AuthorizationId, Vec<u8>)>> {
        self.faults.around(self.inner.in_escrow(after, limit)).await
    }

    async fn forms(&mut self) -> Result<Vec<(TokenForm, u64)>> {
        self.faults.around(self.inner.forms()).await
    }
}

#[async_trait]
impl SecretRepository for Dying<Box<dyn SecretRepository + '_>> {
    async fn keys(&mut self, org: OrgId) -> Result<Vec<String>> {
        self.faults.around(self.inner.keys(org)).await
    }

    async fn put(&mut self, org: OrgId, key: &str, value: &[u8]) -> Result<()> {
        self.faults.around(self.inner.put(org, key, value)).await
    }

    async fn replace(&mut self, org: OrgId, key: &str, value: &[u8]) -> Result<bool> {
        let replaced = self.inner.replace(org, key, value);
        self.faults.around(replaced).await
    }

    async fn delete(&mut self, org: OrgId, key: &str) -> Result<bool> {
        self.faults.around(self.inner.delete(org, key)).await
    }

    async fn stored(
        &mut self,
        after: Option<(OrgId, &str)>,
        limit: u32,
    ) -> Result<Vec<SecretRecord>> {
        self.faults.around(self.inner.stored(after, limit)).await
    }
}
