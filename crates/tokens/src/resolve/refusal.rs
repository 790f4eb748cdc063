//! Why a credential was refused.

use influxd_store::StoreError;

use crate::PasswordError;

/// Why a credential was refused. For the log and for counters; a client is told less.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// There is none, or none that can be read.
    #[error("token required")]
    NoCredential,
    /// No token, session or 1.x user like this.
    #[error("authorization not found")]
    Unknown,
    /// There is such a 1.x user, with another password.
    #[error("wrong password")]
    WrongPassword,
    /// The password of the 1.x user is right, but breaks the rules by now.
    #[error("the password breaks the rules")]
    WeakPassword,
    /// The credential is good, but its user was deleted.
    #[error("the user of the authorization was deleted")]
    UserMissing,
    /// The credential is good, but its user is switched off.
    #[error("the user of the authorization is inactive")]
    UserInactive,
    /// The token is good, but switched off.
    #[error("token is inactive")]
    TokenInactive,
    /// The password is good, but the 1.x user is switched off.
    #[error("the 1.x user is inactive")]
    V1UserInactive,
    /// The password could not be verified, which is not the client's fault.
    #[error("the password could not be verified")]
    Password(#[source] PasswordError),
    /// The store could not be asked.
    #[error("the store could not be asked for an authorization")]
    Store(#[source] StoreError),
}

impl Refusal {
    /// A word for it, as the label of a counter.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::NoCredential => "no_credential",
            Self::Unknown => "unknown",
            Self::WrongPassword => "wrong_password",
            Self::WeakPassword => "weak_password",
            Self::UserMissing => "user_missing",
            Self::UserInactive => "user_inactive",
            Self::TokenInactive => "token_inactive",
            Self::V1UserInactive => "v1_user_inactive",
            Self::Password(PasswordError::Busy) => "busy",
            Self::Password(_) => "password",
            Self::Store(_) => "store",
        }
    }

    /// All that [`Self::reason`] returns.
    pub const REASONS: [&'static str; 11] = [
        "no_credential",
        "unknown",
        "wrong_password",
        "weak_password",
        "user_missing",
        "user_inactive",
        "token_inactive",
        "v1_user_inactive",
        "busy",
        "password",
        "store",
    ];
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<PasswordError> for Refusal {
    fn from(error: PasswordError) -> Self {
        Self::Password(error)
    }
}
