//! From database and retention policy to a bucket (InfluxQL 4.3).

use influxd_model::BucketId;

use super::{Context, Result, VisibleMapping, fail};

impl Context<'_> {
    /// The database of a statement: the one it names, else the request's.
    pub(super) fn database<'s>(&'s self, named: Option<&'s str>) -> Result<&'s str> {
        match named
            .or(self.database)
            .filter(|database| !database.is_empty())
        {
            Some(database) => Ok(database),
            None => fail("database name required"),
        }
    }

    /// The mapping of a database and a policy; without a policy the default one.
    pub(super) fn find(&self, database: &str, policy: Option<&str>) -> Option<&VisibleMapping> {
        let policy = policy.filter(|policy| !policy.is_empty());
        self.mappings.iter().find(|visible| {
            let mapping = &visible.mapping;
            mapping.database == database
                && policy.map_or(mapping.is_default, |policy| mapping.policy == policy)
        })
    }

    /// The bucket of a database and a policy, or the error of a `SELECT`.
    pub(super) fn bucket(&self, database: &str, policy: Option<&str>) -> Result<BucketId> {
        if let Some(visible) = self.find(database, policy) {
            return Ok(visible.mapping.bucket);
        }
        if !self
            .mappings
            .iter()
            .any(|visible| visible.mapping.database == database)
        {
            return fail(format!("database not found: {database}"));
        }
        match policy.filter(|policy| !policy.is_empty()) {
            Some(policy) => fail(format!("retention policy not found: {policy}")),
            None => fail(format!("default retention policy not set for: {database}")),
        }
    }
}
