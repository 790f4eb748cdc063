//! Who a request comes from.

use influxd_model::{AuthorizationId, OrgId, Permission, User, allows, missing_for_operator};

/// Who a request comes from, and what they may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The user who acts, or for whom is acted.
    pub user: User,
    /// What they presented.
    pub identity: Identity,
    /// What it allows (auth-and-resources 4.6).
    pub permissions: Vec<Permission>,
}

/// What a caller presented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// An API token.
    ApiToken {
        /// Its id.
        id: AuthorizationId,
        /// The organization that it belongs to.
        org: OrgId,
    },
    /// Name and password of a 1.x user.
    V1User {
        /// Its id.
        id: AuthorizationId,
        /// The organization that it belongs to.
        org: OrgId,
    },
    /// A session.
    Session {
        /// The digest of its key (PHC text).
        digest: String,
    },
}

impl Caller {
    /// Whether they hold `required`.
    pub fn holds(&self, required: &Permission) -> bool {
        allows(&self.permissions, required)
    }

    /// The first permission of the operator's set that they do not hold, which backup, restore and
    /// the configuration ask for; `None`: they hold all there is.
    pub fn missing_for_operator(&self) -> Option<Permission> {
        missing_for_operator(&self.permissions)
    }

    /// The digest of the session's key, if it is a session that they presented.
    pub fn session(&self) -> Option<&str> {
        match &self.identity {
            Identity::Session { digest } => Some(digest),
            Identity::ApiToken { .. } | Identity::V1User { .. } => None,
        }
    }

    /// The authorization that they presented, and its organization; a session is none.
    pub const fn authorization(&self) -> Option<(AuthorizationId, OrgId)> {
        match self.identity {
            Identity::ApiToken { id, org } | Identity::V1User { id, org } => Some((id, org)),
            Identity::Session { .. } => None,
        }
    }
}
