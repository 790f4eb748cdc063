//! Repositories of resources and credentials, reached through a [`Transaction`].

use async_trait::async_trait;
use influxd_model::{
    Authorization, Bucket, BucketId, Dbrp, DbrpId, OrgId, Organization, User, UserId,
};

use crate::Result;

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

    /// Closes all connections, after what runs on them has ended.
    async fn close(&self);
}

/// A transaction over resources and credentials.
#[async_trait]
pub trait Transaction: Send {
    /// Organizations.
    fn organizations(&mut self) -> Box<dyn OrganizationRepository + '_>;
    /// Users, their passwords and what they own.
    fn users(&mut self) -> Box<dyn UserRepository + '_>;
    /// Buckets.
    fn buckets(&mut self) -> Box<dyn BucketRepository + '_>;
    /// API tokens.
    fn authorizations(&mut self) -> Box<dyn AuthorizationRepository + '_>;
    /// Physical DBRP mappings.
    fn dbrps(&mut self) -> Box<dyn DbrpRepository + '_>;
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

/// Organizations.
#[async_trait]
pub trait OrganizationRepository: Send {
    /// The one with this id.
    async fn find(&mut self, id: OrgId) -> Result<Option<Organization>>;
    /// The one whose trimmed name equals the trimmed `name`, byte for byte.
    async fn find_by_name(&mut self, name: &str) -> Result<Option<Organization>>;
    /// All, by id.
    async fn list(&mut self, page: Page) -> Result<Vec<Organization>>;
    /// Whether there is none at all.
    async fn is_empty(&mut self) -> Result<bool>;
    /// Adds one; conflicts: `Id`, `OrganizationName`.
    async fn insert(&mut self, new: &Organization) -> Result<()>;
    /// Removes one with its buckets, their mappings, its owners; authorizations stay
    /// (auth-and-resources 9.10). `NotFound` if there is none.
    async fn delete(&mut self, id: OrgId) -> Result<()>;
}

/// What a user owns, for sessions (auth-and-resources 4.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ownership {
    /// The whole instance: the first user.
    Instance,
    /// An organization.
    Organization(OrgId),
}

/// Users, their passwords and what they own.
#[async_trait]
pub trait UserRepository: Send {
    /// The one with this id.
    async fn find(&mut self, id: UserId) -> Result<Option<User>>;
    /// The one with this name, byte for byte.
    async fn find_by_name(&mut self, name: &str) -> Result<Option<User>>;
    /// Whether there is none at all.
    async fn is_empty(&mut self) -> Result<bool>;
    /// Adds one; conflicts: `Id`, `UserName`.
    async fn insert(&mut self, new: &User) -> Result<()>;
    /// Sets the hash (PHC text) of a user's password.
    async fn set_password(&mut self, id: UserId, hash: &str) -> Result<()>;
    /// The hash (PHC text) of a user's password, if one is set.
    async fn password(&mut self, id: UserId) -> Result<Option<String>>;
    /// Makes a user the owner of something; doing it twice changes nothing.
    async fn own(&mut self, id: UserId, what: Ownership) -> Result<()>;
}

/// Which buckets to list: all conditions that are given hold.
#[derive(Debug, Clone, Default)]
pub struct BucketFilter {
    /// Those of this organization; then the order is by name, bytewise, else by id.
    pub org: Option<OrgId>,
    /// Those with this name.
    pub name: Option<String>,
    /// In the list's order, only those behind the bucket with this id.
    pub after: Option<BucketId>,
}

/// Buckets.
#[async_trait]
pub trait BucketRepository: Send {
    /// The one with this id.
    async fn find(&mut self, id: BucketId) -> Result<Option<Bucket>>;
    /// The one of this name in an organization, byte for byte.
    async fn find_by_name(&mut self, org: OrgId, name: &str) -> Result<Option<Bucket>>;
    /// Those that pass the filter.
    async fn list(&mut self, filter: &BucketFilter, page: Page) -> Result<Vec<Bucket>>;
    /// Adds one; conflicts: `Id`, `BucketName`; `NotFound` if there is no such organization. An id that a bucket ever had is a conflict, too,
    /// as long as anything of that bucket is left.
    async fn insert(&mut self, new: &Bucket) -> Result<()>;
    /// Writes name, description, policy, retention, shard duration and update time of one.
    async fn update(&mut self, bucket: &Bucket) -> Result<()>;
    /// Removes one and its physical DBRP mappings; the next mapping of a database becomes its
    /// default. Its points are unreachable at once and removed later. `NotFound` if there is none.
    async fn delete(&mut self, id: BucketId) -> Result<()>;
}

/// API tokens: what they may do, found by digest.
#[async_trait]
pub trait AuthorizationRepository: Send {
    /// The authorization whose token has one of these digests (PHC text), with the digest found.
    async fn find_by_digest(
        &mut self,
        digests: &[String],
    ) -> Result<Option<(Authorization, String)>>;
    /// Adds one under the digest of its token (PHC text); conflicts: `Id`, `Token`.
    async fn insert(&mut self, new: &Authorization, digest: &str) -> Result<()>;
}

/// Which DBRP mappings to list: all conditions that are given hold.
#[derive(Debug, Clone, Default)]
pub struct DbrpFilter {
    /// The one with this id.
    pub id: Option<DbrpId>,
    /// Those to this bucket.
    pub bucket: Option<BucketId>,
    /// Those of this database.
    pub database: Option<String>,
    /// Those of this policy.
    pub policy: Option<String>,
    /// Defaults only, or others only.
    pub is_default: Option<bool>,
}

/// Physical DBRP mappings. Of those of one (organization, database) exactly one is the default.
#[async_trait]
pub trait DbrpRepository: Send {
    /// The one with this id in an organization.
    async fn find(&mut self, org: OrgId, id: DbrpId) -> Result<Option<Dbrp>>;
    /// Those of an organization that pass the filter, by id.
    async fn list(&mut self, org: OrgId, filter: &DbrpFilter) -> Result<Vec<Dbrp>>;
    /// Adds one; conflicts: `Id`, `DbrpNames`; `NotFound` if there is no such organization or
    /// bucket. The first of a database is its default whatever
    /// `new` says; a new default takes the place of the one before. Returns it as stored.
    async fn insert(&mut self, new: &Dbrp) -> Result<Dbrp>;
    /// Changes policy and default of one (auth-and-resources 9.6, `PATCH`). Returns it as stored.
    async fn update(&mut self, changed: &Dbrp) -> Result<Dbrp>;
    /// Removes one; the first that is left of its database becomes the default. `NotFound` if
    /// there is none.
    async fn delete(&mut self, org: OrgId, id: DbrpId) -> Result<()>;
}
