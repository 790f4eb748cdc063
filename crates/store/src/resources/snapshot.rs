//! All resources and credentials at once, for backup and restore.

use std::fmt;

use influxd_model::{
    Authorization, Bucket, BucketId, Dbrp, Label, LabelId, Membership, OrgId, Organization, User,
};
use secrecy::SecretSlice;

use super::StoredToken;

/// Everything but points and sessions, of one moment; each list by id.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// Organizations.
    pub organizations: Vec<Organization>,
    /// Users.
    pub users: Vec<UserRecord>,
    /// Owners and members.
    pub memberships: Vec<Membership>,
    /// Buckets, the system's included.
    pub buckets: Vec<Bucket>,
    /// API tokens and 1.x users, dead ones included.
    pub authorizations: Vec<AuthorizationRecord>,
    /// Physical DBRP mappings.
    pub dbrps: Vec<Dbrp>,
    /// Labels.
    pub labels: Vec<Label>,
    /// Which bucket bears which label.
    pub bucket_labels: Vec<(BucketId, LabelId)>,
    /// Secrets of organizations, as they are stored.
    pub secrets: Vec<SecretRecord>,
}

/// A user with the hash of its password.
#[derive(Clone, PartialEq, Eq)]
pub struct UserRecord {
    /// The user.
    pub user: User,
    /// The hash (PHC text), if there is a password.
    pub password: Option<String>,
}

/// An authorization with what is stored of its credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthorizationRecord {
    /// The authorization.
    pub authorization: Authorization,
    /// An API token's.
    pub token: Option<StoredToken>,
    /// A copy of it in escrow, sealed.
    pub escrow: Option<Vec<u8>>,
    /// A 1.x user's hash (PHC text, or bcrypt's).
    pub password: Option<String>,
}

/// A secret of an organization.
#[derive(Debug, Clone)]
pub struct SecretRecord {
    /// The organization.
    pub org: OrgId,
    /// Its key.
    pub key: String,
    /// Its value as stored.
    pub value: SecretSlice<u8>,
}

impl fmt::Debug for UserRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserRecord")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for AuthorizationRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationRecord")
            .field("authorization", &self.authorization)
            .finish_non_exhaustive()
    }
}
