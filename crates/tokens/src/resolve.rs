//! Who a request comes from: from its credential to a [`Caller`], or to the reason why not.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use influxd_model::{Clock, Status};
use influxd_store::{Store, StoreError};

use crate::{ApiToken, Caller, Credential, Identity, TokenCache, TokenDigest};

/// Why a credential was refused. For the log and for counters; a client is told less.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// There is none, or none that can be read.
    #[error("token required")]
    NoCredential,
    /// No token, session or 1.x user like this.
    #[error("authorization not found")]
    Unknown,
    /// The token is good, but its user was deleted.
    #[error("the user of the authorization was deleted")]
    UserMissing,
    /// The token is good, but its user is switched off.
    #[error("the user of the authorization is inactive")]
    UserInactive,
    /// The token is good, but switched off.
    #[error("token is inactive")]
    TokenInactive,
    /// The store could not be asked.
    #[error("the store could not be asked for an authorization")]
    Store(#[source] StoreError),
}

impl Refusal {
    /// A word for it, as the label of a counter.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::NoCredential => "no_credential",
            Self::Unknown => "unknown",
            Self::UserMissing => "user_missing",
            Self::UserInactive => "user_inactive",
            Self::TokenInactive => "token_inactive",
            Self::Store(_) => "store",
        }
    }

    /// All that [`Self::reason`] returns.
    pub const REASONS: [&'static str; 6] = [
        "no_credential",
        "unknown",
        "user_missing",
        "user_inactive",
        "token_inactive",
        "store",
    ];
}

/// Resolves credentials. One per process.
#[derive(Debug)]
pub struct Resolver {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    cache: TokenCache,
    /// Raised by every [`Self::forget`]: what was read from the store before is not cached after.
    generation: AtomicU64,
}

impl Resolver {
    /// A resolver that asks `store`.
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            clock,
            cache: TokenCache::default(),
            generation: AtomicU64::new(0),
        }
    }

    /// The caller, if the same credential was resolved within the last second. Asks no store and
    /// does not block.
    pub fn cached(&self, credential: &Credential) -> Option<Arc<Caller>> {
        match credential {
            Credential::Token(token) | Credential::Bearer(token) => self.find_cached(token),
            Credential::Basic(named) | Credential::Url(named) => self.find_cached(&named.secret),
            Credential::Session(_) => None,
        }
    }

    /// The caller with this credential, in the order of auth-and-resources 8.6. Sessions and 1.x
    /// users do not exist yet: a session key is unknown, a name that comes with a secret counts
    /// for nothing.
    pub async fn resolve(&self, credential: Credential) -> Result<Arc<Caller>, Refusal> {
        if let Some(caller) = self.cached(&credential) {
            return Ok(caller);
        }
        match credential {
            Credential::Bearer(token) => self.api_token(&token).await,
            Credential::Token(whole) => {
                match (self.api_token(&whole).await, whole.behind_colon()) {
                    (Err(Refusal::Unknown), Some(secret)) => {
                        let generation = self.generation.load(Ordering::Acquire);
                        let since = self.clock.now();
                        let caller = self.api_token(&secret).await?;
                        // Also under the whole, or every request would ask for the whole first.
                        self.note(&whole, &caller, since, generation);
                        Ok(caller)
                    }
                    (result, _) => result,
                }
            }
            Credential::Basic(named) | Credential::Url(named) => {
                self.api_token(&named.secret).await
            }
            Credential::Session(_) => Err(Refusal::Unknown),
        }
    }

    /// Forgets what was cached: this server has changed tokens, users or what they may do.
    pub fn forget(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
        self.cache.clear();
    }

    fn find_cached(&self, token: &ApiToken) -> Option<Arc<Caller>> {
        self.cache.find(&token.cache_key(), self.clock.now())
    }

    fn note(&self, presented: &ApiToken, caller: &Arc<Caller>, since: i64, generation: u64) {
        if self.generation.load(Ordering::Acquire) == generation {
            self.cache.note(presented.cache_key(), caller, since);
        }
    }

    async fn api_token(&self, token: &ApiToken) -> Result<Arc<Caller>, Refusal> {
        if token.is_empty() {
            return Err(Refusal::Unknown);
        }
        let generation = self.generation.load(Ordering::Acquire);
        let since = self.clock.now();
        let caller = Arc::new(self.look_up(token).await?);
        self.note(token, &caller, since, generation);
        Ok(caller)
    }

    async fn look_up(&self, token: &ApiToken) -> Result<Caller, Refusal> {
        let digests = token.digests_to_try().map(|digest| digest.to_phc());
        let mut transaction = self.store.begin_read().await.map_err(Refusal::Store)?;
        let found = transaction
            .authorizations()
            .find_by_digest(&digests)
            .await
            .map_err(Refusal::Store)?;
        let (authorization, stored) = found.ok_or(Refusal::Unknown)?;
        let matches = stored
            .parse::<TokenDigest>()
            .is_ok_and(|digest| token.matches(&digest));
        if !matches {
            return Err(Refusal::Unknown);
        }
        let user = transaction
            .users()
            .find(authorization.user)
            .await
            .map_err(Refusal::Store)?
            .ok_or(Refusal::UserMissing)?;
        if user.status != Status::Active {
            return Err(Refusal::UserInactive);
        }
        if authorization.status != Status::Active {
            return Err(Refusal::TokenInactive);
        }
        Ok(Caller {
            user,
            identity: Identity::ApiToken {
                id: authorization.id,
                org: authorization.org,
            },
            permissions: authorization.permissions,
        })
    }
}
