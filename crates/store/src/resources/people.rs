//! Repositories of organizations, users, and who is what to whom.

use async_trait::async_trait;
use influxd_model::{MemberOf, Membership, OrgId, Organization, Role, User, UserId};

use super::Page;
use crate::Result;

/// Organizations.
#[async_trait]
pub trait OrganizationRepository: Send {
    /// The one with this id.
    async fn find(&mut self, id: OrgId) -> Result<Option<Organization>>;
    /// The one whose trimmed name equals the trimmed `name`, byte for byte.
    async fn find_by_name(&mut self, name: &str) -> Result<Option<Organization>>;
    /// All, or those that the user `of` owns or is a member of, by id.
    async fn list(&mut self, of: Option<UserId>, page: Page) -> Result<Vec<Organization>>;
    /// Whether there is none at all.
    async fn is_empty(&mut self) -> Result<bool>;
    /// Adds one; conflicts: `Id`, `OrganizationName`.
    async fn insert(&mut self, new: &Organization) -> Result<()>;
    /// Writes name, description and update time of one; conflict: `OrganizationName`. `NotFound`
    /// if there is none.
    async fn update(&mut self, changed: &Organization) -> Result<()>;
    /// Removes one with its buckets, DBRP mappings, memberships, labels and secrets;
    /// authorizations stay (auth-and-resources 9.10). `NotFound` if there is none.
    async fn delete(&mut self, id: OrgId) -> Result<()>;
}

/// Users and their passwords.
#[async_trait]
pub trait UserRepository: Send {
    /// The one with this id.
    async fn find(&mut self, id: UserId) -> Result<Option<User>>;
    /// The one with this name, byte for byte.
    async fn find_by_name(&mut self, name: &str) -> Result<Option<User>>;
    /// All, by id; in the list's order only those behind `after`.
    async fn list(&mut self, after: Option<UserId>, page: Page) -> Result<Vec<User>>;
    /// Whether there is none at all.
    async fn is_empty(&mut self) -> Result<bool>;
    /// Adds one; conflicts: `Id`, `UserName`. The id of a deleted user is a conflict as long as an
    /// authorization or a session of that id is left (auth-and-resources 9.10).
    async fn insert(&mut self, new: &User) -> Result<()>;
    /// Writes name and status of one; conflict: `UserName`. `NotFound` if there is none.
    async fn update(&mut self, changed: &User) -> Result<()>;
    /// Removes one with its password and memberships; authorizations and sessions stay, dead.
    /// `NotFound` if there is none.
    async fn delete(&mut self, id: UserId) -> Result<()>;
    /// Sets the hash (PHC text) of a user's password. `NotFound` if there is no such user.
    async fn set_password(&mut self, id: UserId, hash: &str) -> Result<()>;
    /// The hash (PHC text) of a user's password, if one is set.
    async fn password(&mut self, id: UserId) -> Result<Option<String>>;
}

/// Owners and members.
#[async_trait]
pub trait MembershipRepository: Send {
    /// All of a user.
    async fn of_user(&mut self, user: UserId) -> Result<Vec<Membership>>;
    /// The users with this role in something, by id.
    async fn users(&mut self, of: MemberOf, role: Role) -> Result<Vec<User>>;
    /// Adds one; conflict: `Membership`, whatever role the user has there. `NotFound` if there is
    /// no such user, organization or bucket.
    async fn insert(&mut self, new: &Membership) -> Result<()>;
    /// Removes a user's role in something; whether there was one.
    async fn delete(&mut self, user: UserId, of: MemberOf) -> Result<bool>;
}
