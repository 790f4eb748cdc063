//! Repositories of resources and credentials, reached through a [`Transaction`].

mod check;
mod credentials;
mod people;
mod snapshot;
mod things;
mod tokens;

use async_trait::async_trait;

use crate::Result;

pub use credentials::{
    AuthorizationFilter, AuthorizationKind, AuthorizationRepository, SessionRepository,
};
pub use people::{MembershipRepository, OrganizationRepository, UserRepository};
pub use snapshot::{AuthorizationRecord, SecretRecord, Snapshot, UserRecord};
pub use things::{
    BucketFilter, BucketList, BucketRepository, DbrpFilter, DbrpRepository, LabelFilter,
    LabelRepository, SecretRepository,
};
pub use tokens::{RawToken, StoredToken, TokenForm, TokenForms, TokenRepository};

/// Where everything durable is. One per process; cheap to clone behind an `Arc`.
#[async_trait]
pub trait Store: std::fmt::Debug + Send + Sync + 'static {
    /// Begins a transaction. Dropped without `commit` it leaves nothing behind.
    ///
    /// Transactions see each other's effects as if one ran after the other where they touch the
    /// same rows; a lost race is [`StoreError::Conflict`](crate::StoreError::Conflict) or
    /// [`StoreError::Unavailable`](crate::StoreError::Unavailable), never a broken invariant.
    /// After a `Conflict` or `NotFound` the transaction can go on as if nothing had been asked.
    async fn begin(&self) -> Result<Box<dyn Transaction>>;

    /// Begins a transaction that only reads, of one snapshot; changing something through it is an
    /// error. Prefer it where nothing is changed: SQLite has one place to write from, which
    /// [`begin`](Store::begin) takes for as long as the transaction lives.
    async fn begin_read(&self) -> Result<Box<dyn Transaction>>;

    /// Whether the database answers, by the cheapest statement that it has.
    async fn ping(&self) -> Result<()>;

    /// How much there is, for `/metrics`.
    async fn counts(&self) -> Result<Counts>;

    /// Counts those lists again that have changed much since they were counted: the more they have,
    /// the longer it takes to find a page that is far behind. To be asked every few seconds.
    async fn count_lists(&self) -> Result<()>;

    /// Makes sure that nothing is left of removed or replaced tokens, passwords, sessions and
    /// secrets in the files of the database: not in freed pages, old row versions, statistics or
    /// write-ahead logs that are still in use. Does nothing if nothing was removed since the last
    /// time, unless `force`. May run beside everything else, on one server at a time.
    ///
    /// Returns what cannot be reached from here and may still hold some, for people: one sentence
    /// each, with the commands that deal with it.
    async fn scrub(&self, force: bool) -> Result<Scrubbed>;

    /// What awaits the next scrub; asked often, so it is cheap.
    async fn awaits_scrub(&self) -> Result<AwaitsScrub>;

    /// Closes all connections, after what runs on them has ended.
    async fn close(&self);
}

/// A transaction over resources and credentials.
#[async_trait]
pub trait Transaction: Send {
    /// Organizations.
    fn organizations(&mut self) -> Box<dyn OrganizationRepository + '_>;
    /// Users and their passwords.
    fn users(&mut self) -> Box<dyn UserRepository + '_>;
    /// Owners and members.
    fn memberships(&mut self) -> Box<dyn MembershipRepository + '_>;
    /// Buckets.
    fn buckets(&mut self) -> Box<dyn BucketRepository + '_>;
    /// API tokens and 1.x users.
    fn authorizations(&mut self) -> Box<dyn AuthorizationRepository + '_>;
    /// What is stored of API tokens.
    fn tokens(&mut self) -> Box<dyn TokenRepository + '_>;
    /// Sessions.
    fn sessions(&mut self) -> Box<dyn SessionRepository + '_>;
    /// Physical DBRP mappings.
    fn dbrps(&mut self) -> Box<dyn DbrpRepository + '_>;
    /// Labels.
    fn labels(&mut self) -> Box<dyn LabelRepository + '_>;
    /// Secrets of organizations.
    fn secrets(&mut self) -> Box<dyn SecretRepository + '_>;
    /// Makes sure that nobody else adds an organization or a user before this transaction ends: of
    /// two set-ups at once, one finds the instance empty. To be asked before anything else.
    async fn lock_for_set_up(&mut self) -> Result<()>;
    /// Everything that there is but points and sessions.
    async fn snapshot(&mut self) -> Result<Snapshot>;
    /// Puts a snapshot in the place of everything but points. Buckets that are in both keep their
    /// points; those that are gone lose them as if they had been deleted; one that comes back
    /// begins empty. Sessions live on, also those of users that are gone. `Corrupt` if the snapshot
    /// contradicts itself, and then nothing has been done; `Unavailable` also while a
    /// bucket that comes back was deleted so short a time ago that somebody may still write to it.
    ///
    /// To be asked before anything else of the transaction: it keeps others out from then on, and
    /// what they did between the transaction's first look and that would stay.
    async fn restore(&mut self, snapshot: &Snapshot) -> Result<()>;
    /// Makes everything done so far durable and visible.
    async fn commit(self: Box<Self>) -> Result<()>;
}

/// Which part of a list to return: lists are in the order of ids unless they say otherwise.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// At most so many.
    pub limit: u32,
    /// After leaving out so many.
    pub offset: u32,
    /// Backwards.
    pub descending: bool,
}

impl Page {
    /// Everything.
    pub const ALL: Self = Self {
        limit: u32::MAX,
        offset: 0,
        descending: false,
    };
}

/// How much of everything there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Organizations.
    pub organizations: u64,
    /// Users.
    pub users: u64,
    /// Buckets, the system's included.
    pub buckets: u64,
    /// API tokens, dead ones included.
    pub tokens: u64,
    /// 1.x users, dead ones included.
    pub v1_users: u64,
    /// Sessions, expired ones included.
    pub sessions: u64,
}

/// Whether something was removed or replaced since the last scrub.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AwaitsScrub {
    /// Tokens, and passwords of 1.x users.
    pub tokens: bool,
    /// Passwords, sessions or secrets.
    pub others: bool,
}

impl AwaitsScrub {
    /// Whether there is anything.
    pub fn any(self) -> bool {
        self.tokens || self.others
    }
}

/// What [`Store::scrub`] did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scrubbed {
    /// Whether there was anything to do.
    pub ran: bool,
    /// What may be left where this server cannot reach, one sentence each.
    pub remains: Vec<String>,
    /// Whether something is left that only waits for somebody who was in the way: to try again
    /// soon costs little.
    pub only_waits: bool,
}
