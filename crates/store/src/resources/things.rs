//! Repositories of buckets and what hangs on them and on organizations: DBRP mappings, labels,
//! secrets.

use async_trait::async_trait;
use influxd_model::{Bucket, BucketId, Dbrp, DbrpId, Label, LabelId, OrgId};

use super::{Page, SecretRecord};
use crate::Result;

/// Which list of buckets.
#[derive(Debug, Clone, Default)]
pub enum BucketList {
    /// All, by id.
    #[default]
    All,
    /// Those of an organization, by name, bytewise.
    OfOrganization(OrgId),
    /// Those of all organizations with this name, by id.
    OfName(String),
}

/// Which buckets to list.
#[derive(Debug, Clone, Default)]
pub struct BucketFilter {
    /// Those in this list,
    pub list: BucketList,
    /// and only those behind the bucket with this id; behind one that an organization does not
    /// have is nothing in its list.
    pub after: Option<BucketId>,
}

impl BucketFilter {
    /// All buckets of an organization.
    pub const fn of(org: OrgId) -> Self {
        Self {
            list: BucketList::OfOrganization(org),
            after: None,
        }
    }
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

/// Which labels to list: all conditions that are given hold.
#[derive(Debug, Clone, Default)]
pub struct LabelFilter {
    /// Those of this organization.
    pub org: Option<OrgId>,
    /// Those with this name, whatever its letters' case.
    pub name: Option<String>,
}

/// Labels, and which buckets bear them.
#[async_trait]
pub trait LabelRepository: Send {
    /// The one with this id.
    async fn find(&mut self, id: LabelId) -> Result<Option<Label>>;
    /// Those that pass the filter, by id.
    async fn list(&mut self, filter: &LabelFilter) -> Result<Vec<Label>>;
    /// Adds one; conflicts: `Id`, `LabelName`; `NotFound` if there is no such organization.
    async fn insert(&mut self, new: &Label) -> Result<()>;
    /// Writes name and properties of one; conflict: `LabelName`. `NotFound` if there is none.
    async fn update(&mut self, changed: &Label) -> Result<()>;
    /// Removes one, also from what bears it. `NotFound` if there is none.
    async fn delete(&mut self, id: LabelId) -> Result<()>;
    /// The labels of these buckets, by bucket, then by id.
    async fn of_buckets(&mut self, buckets: &[BucketId]) -> Result<Vec<(BucketId, Label)>>;
    /// Puts a label on a bucket; conflict: `LabelMapping`; `NotFound` if either is not there.
    async fn attach(&mut self, bucket: BucketId, label: LabelId) -> Result<()>;
    /// Takes a label off a bucket; whether it was there.
    async fn detach(&mut self, bucket: BucketId, label: LabelId) -> Result<bool>;
}

/// Secrets of organizations. Their values are read only to be stored in another form.
#[async_trait]
pub trait SecretRepository: Send {
    /// The keys of an organization, in the order of their bytes.
    async fn keys(&mut self, org: OrgId) -> Result<Vec<String>>;
    /// Sets the value of a key. `NotFound` if there is no such organization.
    async fn put(&mut self, org: OrgId, key: &str, value: &[u8]) -> Result<()>;
    /// Sets the value of a key that is there; whether it was.
    async fn replace(&mut self, org: OrgId, key: &str, value: &[u8]) -> Result<bool>;
    /// Removes a key; whether it was there.
    async fn delete(&mut self, org: OrgId, key: &str) -> Result<bool>;
    /// The secrets of all organizations as they are stored, in an order of the store's own, those
    /// behind `after`, at most `limit`.
    async fn stored(
        &mut self,
        after: Option<(OrgId, &str)>,
        limit: u32,
    ) -> Result<Vec<SecretRecord>>;
}
