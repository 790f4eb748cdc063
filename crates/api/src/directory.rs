//! Names to buckets, remembered for a moment, so that a write costs no query.
//!
//! Only what was found is remembered: what another server has just made is found at once. What it
//! removed or renamed is noticed within a second; what this server changed, at once.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use influxd_model::dbrp::{blend, visible};
use influxd_model::{Action, AuthorizationId, Bucket, BucketId, Clock, OrgId, Permission};
use influxd_store::{BucketFilter, DbrpFilter, Page, Store, Transaction};
use influxd_tokens::Caller;

use crate::error::ApiError;
use crate::permit::{holds, reading, sees_mapping_of, v1_authorization};
use crate::points::VisibleMapping;

/// How long something is remembered, nanoseconds.
const TIME_TO_LIVE: i64 = 1_000_000_000;
/// How many things of a kind are remembered; beyond it starts again from nothing.
const CAPACITY: usize = 8_192;

/// Where names are looked up.
#[derive(Debug)]
pub(crate) struct Directory {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    /// Raised by every [`Self::forget`]: what was read before is not remembered after.
    generation: AtomicU64,
    /// By the parameters `org` and `bucket` of a request.
    buckets: Memory<String, HashMap<String, Aged<Arc<Bucket>>>>,
    /// By organization, then by database and retention policy.
    targets: Memory<OrgId, HashMap<String, HashMap<String, Aged<Targets>>>>,
    /// What an authorization sees in its organization.
    mappings: Memory<AuthorizationId, Aged<Arc<[VisibleMapping]>>>,
}

/// The buckets that a 1.x write may mean, the first that its sender can see before the others.
pub(crate) type Targets = Arc<[Bucket]>;

#[derive(Debug)]
struct Aged<T> {
    since: i64,
    value: T,
}

impl<T: Clone> Aged<T> {
    fn fresh(&self, now: i64) -> Option<T> {
        (self.since <= now && now - self.since < TIME_TO_LIVE).then(|| self.value.clone())
    }
}

#[derive(Debug)]
struct Memory<K, V>(RwLock<HashMap<K, V>>);

impl<K, V> Default for Memory<K, V> {
    fn default() -> Self {
        Self(RwLock::new(HashMap::new()))
    }
}

impl<K: Eq + Hash, V> Memory<K, V> {
    fn read<T>(&self, look: impl FnOnce(&HashMap<K, V>) -> Option<T>) -> Option<T> {
        look(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write(&self, change: impl FnOnce(&mut HashMap<K, V>)) {
        let mut map = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if map.len() >= CAPACITY {
            map.clear();
        }
        change(&mut map);
    }
}

/// Puts into the inner map of a two-level memory, which is bounded as well.
fn remember<V>(map: &mut HashMap<String, V>, key: String, value: V) {
    if map.len() >= CAPACITY {
        map.clear();
    }
    map.insert(key, value);
}

impl Directory {
    pub(crate) fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            clock,
            generation: AtomicU64::new(0),
            buckets: Memory::default(),
            targets: Memory::default(),
            mappings: Memory::default(),
        }
    }

    /// Forgets everything: this server has changed organizations, buckets or mappings.
    pub(crate) fn forget(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
        self.buckets.write(HashMap::clear);
        self.targets.write(HashMap::clear);
        self.mappings.write(HashMap::clear);
    }

    fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// The bucket that these parameters meant within the last second.
    pub(crate) fn cached_bucket(&self, org: &str, bucket: &str) -> Option<Arc<Bucket>> {
        let now = self.clock.now();
        self.buckets
            .read(|orgs| orgs.get(org)?.get(bucket)?.fresh(now))
    }

    /// The bucket that the parameters of `/api/v2/write` mean (data-endpoints 6): an organization
    /// by id or name, a bucket of it by id, else by name.
    pub(crate) async fn bucket(&self, org: &str, bucket: &str) -> Result<Arc<Bucket>, ApiError> {
        let (generation, since) = (self.generation(), self.clock.now());
        let mut transaction = self.store.begin_read().await?;
        let org_id = find_org(&mut *transaction, org).await?;
        let found = find_bucket(&mut *transaction, org_id, bucket).await?;
        let Some(found) = found else {
            return Err(unknown_bucket(bucket));
        };
        let value = Arc::new(found);
        if self.generation() == generation {
            let aged = Aged {
                since,
                value: Arc::clone(&value),
            };
            self.buckets.write(|orgs| {
                remember(
                    orgs.entry(org.to_owned()).or_default(),
                    bucket.to_owned(),
                    aged,
                );
            });
        }
        Ok(value)
    }

    /// What `database` and `policy` (empty: the default) meant within the last second.
    pub(crate) fn cached_targets(
        &self,
        org: OrgId,
        database: &str,
        policy: &str,
    ) -> Option<Targets> {
        let now = self.clock.now();
        self.targets
            .read(|orgs| orgs.get(&org)?.get(database)?.get(policy)?.fresh(now))
    }

    /// The buckets that a 1.x write to `database` and `policy` may mean (data-endpoints 3). A
    /// physical mapping stands alone; without one it is the buckets whose names imply it.
    pub(crate) async fn targets(
        &self,
        org: OrgId,
        database: &str,
        policy: &str,
    ) -> Result<Targets, ApiError> {
        let (generation, since) = (self.generation(), self.clock.now());
        let mut transaction = self.store.begin_read().await?;
        let filter = DbrpFilter {
            database: Some(database.to_owned()),
            policy: (!policy.is_empty()).then(|| policy.to_owned()),
            is_default: policy.is_empty().then_some(true),
            ..DbrpFilter::default()
        };
        let physical = transaction
            .dbrps()
            .list(org, &filter)
            .await?
            .into_iter()
            .next();
        let mut buckets = Vec::new();
        if let Some(physical) = physical {
            buckets.extend(transaction.buckets().find(physical.bucket).await?);
        } else {
            let plain = matches!(policy, "" | "autogen") && !database.contains('/');
            let names = [
                plain.then(|| database.to_owned()),
                (!policy.is_empty() && !database.contains('/'))
                    .then(|| format!("{database}/{policy}")),
            ];
            for name in names.into_iter().flatten() {
                buckets.extend(transaction.buckets().find_by_name(org, &name).await?);
            }
        }
        let value: Targets = buckets.into();
        if !value.is_empty() && self.generation() == generation {
            let aged = Aged {
                since,
                value: Arc::clone(&value),
            };
            self.targets.write(|orgs| {
                let databases = orgs.entry(org).or_default();
                if databases.len() >= CAPACITY {
                    databases.clear();
                }
                remember(
                    databases.entry(database.to_owned()).or_default(),
                    policy.to_owned(),
                    aged,
                );
            });
        }
        Ok(value)
    }

    /// What the caller saw of its organization within the last second.
    pub(crate) fn cached_mappings(&self, caller: &Caller) -> Option<Arc<[VisibleMapping]>> {
        let (now, (id, _)) = (self.clock.now(), caller.authorization()?);
        self.mappings.read(|all| all.get(&id)?.fresh(now))
    }

    /// The mappings that the caller can read, and which of them it may write: physical ones
    /// first, then virtual ones in the order of bucket names.
    pub(crate) async fn mappings(
        &self,
        caller: &Caller,
    ) -> Result<Arc<[VisibleMapping]>, ApiError> {
        let (generation, since) = (self.generation(), self.clock.now());
        let (id, org) = v1_authorization(caller)?;
        let mut transaction = self.store.begin_read().await?;
        let value: Arc<[VisibleMapping]> = visible_mappings(&mut *transaction, org, caller)
            .await?
            .into();
        if self.generation() == generation {
            let aged = Aged {
                since,
                value: Arc::clone(&value),
            };
            self.mappings.write(|all| {
                all.insert(id, aged);
            });
        }
        Ok(value)
    }
}

/// The mappings of an organization that the caller can read: physical ones first, then virtual ones
/// in the order of bucket names.
pub(crate) async fn visible_mappings(
    transaction: &mut dyn Transaction,
    org: OrgId,
    caller: &Caller,
) -> Result<Vec<VisibleMapping>, ApiError> {
    let physical = transaction
        .dbrps()
        .list(org, &DbrpFilter::default())
        .await?;
    let all = BucketFilter::of(org);
    let mut buckets = transaction.buckets().list(&all, Page::ALL).await?;
    buckets.retain(|bucket| sees_mapping_of(caller, bucket));
    let mut readable: HashMap<BucketId, bool> = HashMap::with_capacity(buckets.len());
    for bucket in &buckets {
        readable.insert(bucket.id, writes_bucket(caller, bucket));
    }
    // A physical mapping may lead to a bucket of another organization.
    for mapping in &physical {
        if !readable.contains_key(&mapping.bucket)
            && let Some(bucket) = transaction.buckets().find(mapping.bucket).await?
            && holds(caller, &reading(&bucket))
        {
            readable.insert(bucket.id, writes_bucket(caller, &bucket));
        }
    }
    let mappings = visible(blend(&physical, &buckets), |b| readable.contains_key(&b));
    let with_rights = mappings.into_iter().map(|mapping| VisibleMapping {
        may_write: readable.get(&mapping.bucket).copied().unwrap_or_default(),
        mapping,
    });
    Ok(with_rights.collect())
}

fn writes_bucket(caller: &Caller, bucket: &Bucket) -> bool {
    holds(caller, &Permission::on_bucket(Action::Write, bucket))
}

/// The organization that the parameter `org` (a name, or an id) means.
pub(crate) async fn find_org(
    transaction: &mut dyn Transaction,
    org: &str,
) -> Result<OrgId, ApiError> {
    let found = match org.parse::<OrgId>() {
        Ok(id) => transaction
            .organizations()
            .find(id)
            .await?
            .ok_or(ApiError::not_found("organization not found"))?,
        Err(_) => transaction
            .organizations()
            .find_by_name(org)
            .await?
            .ok_or_else(|| ApiError::not_found(format!("organization name \"{org}\" not found")))?,
    };
    Ok(found.id)
}

/// What a client is told of a bucket that is not there, in its own words for it.
pub(crate) fn unknown_bucket(bucket: &str) -> ApiError {
    ApiError::not_found(format!("bucket \"{bucket}\" not found"))
}

/// The bucket of an organization that the parameter `bucket` (an id, else a name) means. A bucket
/// of another organization does not exist.
async fn find_bucket(
    transaction: &mut dyn Transaction,
    org: OrgId,
    bucket: &str,
) -> Result<Option<Bucket>, ApiError> {
    if let Ok(id) = bucket.parse::<BucketId>()
        && let Some(found) = transaction.buckets().find(id).await?
        && found.org == org
    {
        return Ok(Some(found));
    }
    Ok(transaction.buckets().find_by_name(org, bucket).await?)
}
