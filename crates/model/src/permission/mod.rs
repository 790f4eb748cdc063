//! Permissions: what may be done to what (auth-and-resources 4).

mod gain;
mod sets;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use crate::{AnyId, Bucket, OrgId};

pub use gain::{Home, Objects, first_not_given, first_not_granted, missing_for_operator};

/// Reading or writing. Writing does not include reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// Seeing something.
    Read,
    /// Making, changing or removing something.
    Write,
}

impl Action {
    /// The word on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// The text names no action, or no resource type, that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnknownWord {
    /// Neither `read` nor `write`.
    #[error("unknown action for permission")]
    Action,
    /// None of the 23 resource types.
    #[error("unknown resource type for permission")]
    ResourceType,
}

impl FromStr for Action {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        match text {
            "read" => Ok(Self::Read),
            "write" => Ok(Self::Write),
            _ => Err(UnknownWord::Action),
        }
    }
}

macro_rules! resource_types {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// What a permission can be about, in canonical order (auth-and-resources 4.1).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum ResourceType { $($(#[$doc])* $name,)* }

        impl ResourceType {
            /// All of them, in canonical order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The word on the wire.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }

        impl FromStr for ResourceType {
            type Err = UnknownWord;

            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                match text {
                    $($text => Ok(Self::$name),)*
                    _ => Err(UnknownWord::ResourceType),
                }
            }
        }
    };
}

resource_types! {
    /// API tokens and 1.x users.
    Authorizations = "authorizations",
    /// Buckets and their points.
    Buckets = "buckets",
    /// Dashboards.
    Dashboards = "dashboards",
    /// Organizations.
    Orgs = "orgs",
    /// Sources.
    Sources = "sources",
    /// Tasks.
    Tasks = "tasks",
    /// Telegraf configurations.
    Telegrafs = "telegrafs",
    /// Users.
    Users = "users",
    /// Variables.
    Variables = "variables",
    /// Scraper targets.
    Scrapers = "scrapers",
    /// Secrets of organizations.
    Secrets = "secrets",
    /// Labels.
    Labels = "labels",
    /// Views of dashboards.
    Views = "views",
    /// Documents.
    Documents = "documents",
    /// Notification rules.
    NotificationRules = "notificationRules",
    /// Notification endpoints.
    NotificationEndpoints = "notificationEndpoints",
    /// Checks.
    Checks = "checks",
    /// DBRP mappings.
    Dbrp = "dbrp",
    /// Notebooks.
    Notebooks = "notebooks",
    /// Annotations.
    Annotations = "annotations",
    /// Remotes.
    Remotes = "remotes",
    /// Replications.
    Replications = "replications",
    /// Everything there is; only sessions of the first user hold it.
    Instance = "instance",
}

/// One permission, held or required.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Permission {
    /// Reading or writing.
    pub action: Action,
    /// What kind of thing.
    pub resource: ResourceType,
    /// Only things of this organization, if given.
    pub org: Option<OrgId>,
    /// Only this thing, if given.
    pub id: Option<AnyId>,
}

impl Permission {
    /// A permission on all things of a type.
    pub const fn on_type(action: Action, resource: ResourceType) -> Self {
        Self {
            action,
            resource,
            org: None,
            id: None,
        }
    }

    /// What it takes to read or write the points of `bucket` (auth-and-resources 4.7). A system
    /// bucket is read with the right to read its organization.
    pub fn on_bucket(action: Action, bucket: &Bucket) -> Self {
        if bucket.is_system() && action == Action::Read {
            return Self {
                action,
                resource: ResourceType::Orgs,
                org: None,
                id: Some(bucket.org.into()),
            };
        }
        Self {
            action,
            resource: ResourceType::Buckets,
            org: Some(bucket.org),
            id: Some(bucket.id.into()),
        }
    }

    /// Whether holding this satisfies `required` (auth-and-resources 4.4, first rule that
    /// applies). A held id under another organization's name is not enough: where both name an
    /// organization, they must agree.
    pub fn satisfies(&self, required: &Self) -> bool {
        if self.action != required.action {
            return false;
        }
        if self.resource == ResourceType::Instance {
            return true;
        }
        if self.resource != required.resource {
            return false;
        }
        match (self.org, self.id) {
            (None, None) => true,
            (Some(org), None) => required.org == Some(org),
            (org, Some(id)) => {
                required.id == Some(id)
                    && match (org, required.org) {
                        (Some(held), Some(wanted)) => held == wanted,
                        _ => true,
                    }
            }
        }
    }
}

/// The form used in messages (auth-and-resources 4.3).
impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.action.name())?;
        if let Some(org) = self.org {
            write!(f, "orgs/{org}/")?;
        }
        f.write_str(self.resource.name())?;
        if let Some(id) = self.id {
            write!(f, "/{id}")?;
        }
        Ok(())
    }
}

/// Whether any of the `held` permissions satisfies `required`.
pub fn allows(held: &[Permission], required: &Permission) -> bool {
    held.iter().any(|p| p.satisfies(required))
}

/// The proof that the caller may write the points of a bucket: what the engine demands.
///
/// Only its two constructors make one, so a write that forgot its check does not compile.
#[derive(Debug, Clone, Copy)]
pub struct WriteGrant {
    bucket: crate::BucketId,
}

impl WriteGrant {
    /// The grant, if `held` allows writing to `bucket`.
    pub fn check(held: &[Permission], bucket: &Bucket) -> Option<Self> {
        allows(held, &Permission::on_bucket(Action::Write, bucket))
            .then_some(Self { bucket: bucket.id })
    }

    /// The grant for what the server itself notes, if `bucket` is one of its own.
    pub fn of_server(bucket: &Bucket) -> Option<Self> {
        bucket.is_system().then_some(Self { bucket: bucket.id })
    }

    /// The bucket that may be written.
    pub const fn bucket(self) -> crate::BucketId {
        self.bucket
    }
}
