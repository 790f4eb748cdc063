//! What tests of credentials work with: a real store, a clock that stands still, people in it.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering};

use async_trait::async_trait;
use influxd_model::{
    Authorization, Clock, MemberOf, Membership, OrgId, Organization, Permission, Role, Status, User,
};
use influxd_store::{AwaitsScrub, Counts, Result, Scrubbed, Store, StoreError, Transaction};
use influxd_store_sqlite::{SqliteOptions, SqliteStore};
use secrecy::SecretSlice;
use tempfile::TempDir;

use crate::{
    Accounts, ApiToken, Cached, Caller, Credential, Hashing, Ids, NamedSecret, OsRandomness,
    PasswordConfig, PasswordRules, Passwords, Refusal, Resolver, SessionConfig,
};

/// A clock that tests move.
#[derive(Debug)]
pub(crate) struct HeldClock(AtomicI64);

impl HeldClock {
    pub(crate) fn pass(&self, nanoseconds: i64) {
        self.0.fetch_add(nanoseconds, Ordering::Relaxed);
    }
}

impl Clock for HeldClock {
    fn now(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A store that counts how often it is asked, and can be switched off.
#[derive(Debug)]
pub(crate) struct Watched {
    store: Arc<dyn Store>,
    pub(crate) asked: AtomicU64,
    pub(crate) is_off: AtomicBool,
}

impl Watched {
    fn ask(&self) -> Result<()> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if self.is_off.load(Ordering::Relaxed) {
            return Err(StoreError::Unavailable("switched off".into()));
        }
        Ok(())
    }
}

#[async_trait]
impl Store for Watched {
    async fn begin(&self) -> Result<Box<dyn Transaction>> {
        self.ask()?;
        self.store.begin().await
    }

    async fn begin_read(&self) -> Result<Box<dyn Transaction>> {
        self.ask()?;
        self.store.begin_read().await
    }

    async fn ping(&self) -> Result<()> {
        self.store.ping().await
    }

    async fn counts(&self) -> Result<Counts> {
        self.store.counts().await
    }

    async fn count_lists(&self) -> Result<()> {
        self.store.count_lists().await
    }

    async fn awaits_scrub(&self) -> Result<AwaitsScrub> {
        self.store.awaits_scrub().await
    }

    async fn scrub(&self, force: bool) -> Result<Scrubbed> {
        self.store.scrub(force).await
    }

    async fn close(&self) {
        self.store.close().await;
    }
}

/// An instance with an organization, and the services over it.
pub(crate) struct World {
    pub(crate) store: Arc<Watched>,
    pub(crate) clock: Arc<HeldClock>,
    pub(crate) passwords: Arc<Passwords>,
    pub(crate) resolver: Arc<Resolver>,
    pub(crate) accounts: Accounts,
    pub(crate) org: OrgId,
    ids: Ids,
    somewhere: AtomicU32,
    _folder: TempDir,
}

pub(crate) fn secret(text: &str) -> SecretSlice<u8> {
    SecretSlice::from(text.as_bytes().to_vec())
}

pub(crate) fn token(text: &str) -> ApiToken {
    ApiToken::from(text.as_bytes().to_vec())
}

pub(crate) fn named(name: &str, secret: &str) -> NamedSecret {
    NamedSecret {
        name: name.as_bytes().to_vec(),
        secret: token(secret),
    }
}

pub(crate) fn basic(name: &str, secret: &str) -> Credential {
    Credential::Basic(named(name, secret))
}

pub(crate) const FROM: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(PasswordRules::default(), SessionConfig::default()).await
    }

    pub(crate) async fn with(rules: PasswordRules, sessions: SessionConfig) -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("influxd.sqlite");
        let store = SqliteStore::open(SqliteOptions::new(path)).await.unwrap();
        let store = Arc::new(Watched {
            store,
            asked: AtomicU64::new(0),
            is_off: AtomicBool::new(false),
        });
        let clock = Arc::new(HeldClock(AtomicI64::new(1_700_000_000_000_000_000)));
        let random = Arc::new(OsRandomness);
        let config = PasswordConfig { at_once: 1, rules };
        let passwords = Arc::new(Passwords::new(random.clone(), config).unwrap());
        let resolver = Arc::new(Resolver::new(
            store.clone(),
            clock.clone(),
            Arc::default(),
            passwords.clone(),
            sessions,
        ));
        let accounts = Accounts::new(
            store.clone(),
            clock.clone(),
            random.clone(),
            passwords.clone(),
            resolver.clone(),
            sessions,
        );
        let ids = Ids::new(random, clock.clone());
        let org = ids.org();
        let world = Self {
            store,
            clock,
            passwords,
            resolver,
            accounts,
            org,
            ids,
            somewhere: AtomicU32::new(1),
            _folder: folder,
        };
        world.organization(org, "acme").await;
        world
    }

    async fn organization(&self, id: OrgId, name: &str) {
        let organization = Organization {
            id,
            name: name.to_owned(),
            description: String::new(),
            created_at: 0,
            updated_at: 0,
        };
        let mut transaction = self.store.begin().await.unwrap();
        transaction
            .organizations()
            .insert(&organization)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
    }

    pub(crate) async fn begin(&self) -> Box<dyn Transaction> {
        self.store.begin().await.unwrap()
    }

    /// A second organization.
    pub(crate) async fn other_org(&self) -> OrgId {
        let id = self.ids.org();
        self.organization(id, "other").await;
        id
    }

    /// A user, with a password if one is given.
    pub(crate) async fn user(&self, name: &str, password: Option<&str>) -> User {
        let user = User {
            id: self.ids.user(),
            name: name.to_owned(),
            status: Status::Active,
            oauth_id: String::new(),
        };
        let hash = match password {
            Some(password) => Some(self.passwords.hash(&secret(password)).await.unwrap()),
            None => None,
        };
        let mut transaction = self.store.begin().await.unwrap();
        transaction.users().insert(&user).await.unwrap();
        if let Some(hash) = hash {
            transaction
                .users()
                .set_password(user.id, &hash)
                .await
                .unwrap();
        }
        transaction.commit().await.unwrap();
        user
    }

    pub(crate) async fn set_user_status(&self, user: &User, status: Status) {
        let mut transaction = self.store.begin().await.unwrap();
        let changed = User {
            status,
            ..user.clone()
        };
        transaction.users().update(&changed).await.unwrap();
        transaction.commit().await.unwrap();
    }

    pub(crate) async fn delete_user(&self, user: &User) {
        let mut transaction = self.store.begin().await.unwrap();
        transaction.users().delete(user.id).await.unwrap();
        transaction.commit().await.unwrap();
    }

    pub(crate) async fn is_now(&self, user: &User, of: MemberOf, role: Role) {
        let user = user.id;
        let mut transaction = self.store.begin().await.unwrap();
        transaction
            .memberships()
            .insert(&Membership { user, of, role })
            .await
            .unwrap();
        transaction.commit().await.unwrap();
    }

    /// An authorization in the organization.
    pub(crate) fn authorization(
        &self,
        owner: &User,
        v1_name: Option<&str>,
        permissions: Vec<Permission>,
    ) -> Authorization {
        Authorization {
            id: self.ids.authorization(),
            v1_name: v1_name.map(str::to_owned),
            org: self.org,
            user: owner.id,
            status: Status::Active,
            description: String::new(),
            permissions,
            created_at: 0,
            updated_at: 0,
        }
    }

    /// An API token.
    pub(crate) async fn api_token(
        &self,
        owner: &User,
        text: &str,
        permissions: Vec<Permission>,
    ) -> Authorization {
        let authorization = self.authorization(owner, None, permissions);
        let stored = Hashing::default().stored(&token(text));
        let mut transaction = self.store.begin().await.unwrap();
        transaction
            .authorizations()
            .insert(&authorization, Some(&stored))
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        authorization
    }

    /// A 1.x user, with the hash of a password if one is given.
    pub(crate) async fn v1_user(
        &self,
        owner: &User,
        name: &str,
        hash: Option<&str>,
    ) -> Authorization {
        let authorization = self.authorization(owner, Some(name), Permission::operator());
        let mut transaction = self.store.begin().await.unwrap();
        transaction
            .authorizations()
            .insert(&authorization, None)
            .await
            .unwrap();
        if let Some(hash) = hash {
            transaction
                .authorizations()
                .set_password(authorization.id, hash)
                .await
                .unwrap();
        }
        transaction.commit().await.unwrap();
        authorization
    }

    pub(crate) async fn hash(&self, password: &str) -> String {
        self.passwords.hash(&secret(password)).await.unwrap()
    }

    pub(crate) async fn set_status(&self, authorization: &Authorization, status: Status) {
        let mut transaction = self.store.begin().await.unwrap();
        let changed = Authorization {
            status,
            ..authorization.clone()
        };
        transaction.authorizations().update(&changed).await.unwrap();
        transaction.commit().await.unwrap();
    }

    /// From somewhere else each time, so that nobody waits for what others did.
    pub(crate) async fn resolve(&self, credential: Credential) -> Result<Arc<Caller>, Refusal> {
        let n = self.somewhere.fetch_add(1, Ordering::Relaxed);
        let from = IpAddr::from((0x0a00_0000 + n).to_be_bytes());
        self.resolver.resolve(credential, from).await
    }

    /// What became of a credential, as a word: whose it is, or the reason why not. And how many
    /// hashes that took.
    pub(crate) async fn outcome(&self, credential: Credential) -> (String, u64) {
        let before = self.passwords.figures().hashes;
        let word = match self.resolve(credential).await {
            Ok(caller) => match caller.authorization() {
                Some((id, _)) => format!("{id}"),
                None => format!("session of {}", caller.user.name),
            },
            Err(refusal) => refusal.reason().to_owned(),
        };
        (word, self.passwords.figures().hashes - before)
    }

    pub(crate) fn is_cached(&self, credential: &Credential) -> bool {
        !matches!(self.resolver.cached(credential), Cached::Absent)
    }

    pub(crate) fn times_asked(&self) -> u64 {
        self.store.asked.load(Ordering::Relaxed)
    }
}
