//! What can go wrong in a store.

use std::error::Error;

/// The result of asking a store.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// Why a store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// What should be changed is not there.
    #[error("{0} not found")]
    NotFound(&'static str),
    /// A unique name, id or digest is taken; says which constraint.
    #[error("{0} is taken")]
    Conflict(Unique),
    /// The store holds something that cannot be: a defect, or a damaged database.
    #[error("the store holds a damaged {what}: {detail}")]
    Corrupt {
        /// What was read.
        what: &'static str,
        /// What is wrong with it; never its content.
        detail: String,
    },
    /// The database refused a statement for its content. Trying again will not help.
    #[error("the database refused a statement")]
    Refused(#[source] Box<dyn Error + Send + Sync>),
    /// The database cannot be used as it is: of a newer schema, or in use by another server. Says
    /// what to do. Only opening and locking a store end so.
    #[error("{0}")]
    Unusable(String),
    /// The database cannot be reached, or gave up. Trying again may help; of a commit it is not
    /// known whether it happened.
    #[error("the database is not available")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
}

/// The source of a [`StoreError::Unavailable`] that another transaction is behind: it changed the
/// same rows first. Of this one nothing is left, and once more it would see what the other did.
#[derive(Debug, thiserror::Error)]
#[error("another transaction was faster: {0}")]
pub struct LostRace(pub String);

impl StoreError {
    /// Whether the same transaction once more is likely to succeed, at once.
    pub fn is_lost_race(&self) -> bool {
        matches!(self, Self::Unavailable(source) if source.is::<LostRace>())
    }
}

/// What has to be unique.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unique {
    /// A generated id; make another.
    Id,
    /// The (trimmed) name of an organization.
    OrganizationName,
    /// The name of a user.
    UserName,
    /// The name of a bucket in its organization.
    BucketName,
    /// The digest of a token, or the name of a 1.x user.
    Token,
    /// A user's role in something.
    Membership,
    /// The name of a label in its organization.
    LabelName,
    /// A label on a bucket.
    LabelMapping,
    /// (organization, database, policy) of a DBRP mapping.
    DbrpNames,
}

impl std::fmt::Display for Unique {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Id => "the id",
            Self::OrganizationName => "the organization's name",
            Self::UserName => "the user's name",
            Self::BucketName => "the bucket's name",
            Self::Token => "the token",
            Self::Membership => "the user's role",
            Self::LabelName => "the label's name",
            Self::LabelMapping => "the label's place",
            Self::DbrpNames => "the mapping of this database and policy",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_race_is_told_from_an_outage() {
        let lost = LostRace("of the same row".to_owned());
        assert!(StoreError::Unavailable(Box::new(lost)).is_lost_race());
        assert!(!StoreError::Unavailable("away".into()).is_lost_race());
        assert!(!StoreError::Conflict(Unique::Id).is_lost_race());
    }
}
