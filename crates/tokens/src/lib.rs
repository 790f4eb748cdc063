//! Credentials: how tokens are made, hashed and verified, who a request comes from, and the
//! set-up of an instance.
//!
//! A token exists in clear only as [`ApiToken`], on its way from a request to its digest or from
//! the generator to the one answer that shows it. What is stored and compared is [`TokenDigest`].

mod accounts;
mod cache;
mod caller;
mod credential;
mod digest;
mod escrow;
mod hashing;
mod ids;
mod keyring;
mod migrate;
mod onboard;
mod password;
mod random;
mod resolve;
mod rights;
mod rules;
mod seal;
#[cfg(test)]
mod testing;
mod token;

pub use accounts::{Accounts, SessionConfig, SetPasswordError, SignInError, SignedIn};
pub use cache::Cached;
pub use caller::{Caller, Identity};
pub use credential::{
    Credential, NamedSecret, SESSION_COOKIE, Surface, choose, from_basic, session_key,
};
pub use digest::{DigestError, TokenDigest, Variant};
pub use escrow::{Escrow, EscrowError, EscrowIdentity};
pub use hashing::Hashing;
pub use ids::Ids;
pub use keyring::{KeyError, KeyId, Keyring, MIN_KEY_BYTES};
pub use migrate::{
    Census, MigrateError, MissingKey, Progress, hash_raw_tokens, hash_snapshot, rekey,
};
pub use onboard::{
    MAX_NAME, OnboardError, Onboarded, SetUp, Tools, onboard, set_up_allowed, system_buckets,
};
pub use password::{Attempt, Holder, PasswordConfig, PasswordError, PasswordFigures, Passwords};
pub use random::{OsRandomness, Randomness};
pub use resolve::{Refusal, Resolver};
pub use rights::{
    GainError, SessionPermissions, check_gain_authorization, check_gain_role, check_gain_user,
    check_grant, own_permissions, session_permissions,
};
pub use rules::{
    BucketNameError, PasswordRuleError, PasswordRules, RetentionError, check_bucket_name,
    check_retention,
};
pub use seal::{SealError, SecretForm, open_secret, seal_secret, seal_secrets};
pub use token::ApiToken;
