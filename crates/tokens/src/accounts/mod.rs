//! What people do with their passwords: sign in and out, set and change them (auth-and-resources
//! 2.4 to 2.6, 3.5, 7.5 and 9.5).

#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::sync::Arc;

use influxd_model::{Authorization, Clock, Session, UserId};
use influxd_store::{Result as StoreResult, Store, StoreError};
use secrecy::{ExposeSecret, SecretSlice};

use crate::{
    ApiToken, Attempt, Caller, GainError, Holder, NamedSecret, PasswordError, PasswordRuleError,
    Passwords, Randomness, Resolver, check_gain_authorization, check_gain_user,
};

const MINUTE: i64 = 60_000_000_000;
/// An id that hardly any user has; should one have it, nothing follows from that.
const NOBODY: UserId = match UserId::new(u64::MAX) {
    Some(id) => id,
    None => unreachable!(),
};

/// How sessions live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionConfig {
    /// How long a new one lives, minutes.
    pub minutes: u32,
    /// Whether using one makes it live longer.
    pub renew: bool,
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self {
            minutes: 60,
            renew: true,
        }
    }
}

impl SessionConfig {
    /// How long a new session lives, nanoseconds.
    fn length(self) -> i64 {
        i64::from(self.minutes) * MINUTE
    }

    /// Until when a session lives that is used at `now` and would end at `expires_at`; `None`: no
    /// longer than that. All in nanoseconds since 1970.
    ///
    /// A session lives on for five minutes after each use at least. It gets a little more, so that
    /// a busy one need not be written at every request.
    pub(crate) fn renewed(self, expires_at: i64, now: i64) -> Option<i64> {
        let least = now.saturating_add(5 * MINUTE);
        (self.renew && expires_at < least).then(|| least.saturating_add(MINUTE / 6))
    }
}

/// Somebody who signed in.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The key of the session, for the cookie. It is kept as a digest only.
    pub key: ApiToken,
    /// The session.
    pub session: Session,
}

/// Why somebody was not signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// No such user, no password, or another one: 401, and clients are not told which.
    #[error("wrong user name or password")]
    Wrong,
    /// The password is right, but breaks the rules: 403 `forbidden`, in these words.
    #[error("password change required\n{0}")]
    ChangeRequired(PasswordRuleError),
    /// The password could not be verified; see [`PasswordError::Busy`].
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a password was not set. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum SetPasswordError {
    /// The new password breaks the rules: 400 `invalid`.
    #[error(transparent)]
    Rule(#[from] PasswordRuleError),
    /// There is no such user: 403 `forbidden`.
    #[error("your userID is incorrect")]
    NoUser,
    /// The old password is wrong, or there is none: 403 `forbidden`.
    #[error("your username or password is incorrect")]
    Wrong,
    /// There is no such 1.x user any more: 404.
    #[error("authorization not found")]
    NoV1User,
    /// Whoever sets it may do less than the one whose password it is: 403 `forbidden`.
    #[error(transparent)]
    Gain(#[from] GainError),
    /// It could not be hashed or verified; see [`PasswordError::Busy`].
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Signs people in and out, and keeps their passwords. One per process.
#[derive(Debug)]
pub struct Accounts {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Randomness>,
    passwords: Arc<Passwords>,
    resolver: Arc<Resolver>,
    sessions: SessionConfig,
}

impl Accounts {
    /// Over `store`; what it changes, `resolver` is made to forget.
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Randomness>,
        passwords: Arc<Passwords>,
        resolver: Arc<Resolver>,
        sessions: SessionConfig,
    ) -> Self {
        Self {
            store,
            clock,
            random,
            passwords,
            resolver,
            sessions,
        }
    }

    /// Begins a session for the user with this name and password (auth-and-resources 2.5). An
    /// inactive user may; what the session is worth is asked at every request. `from` is where the
    /// request comes from.
    pub async fn sign_in(
        &self,
        named: &NamedSecret,
        from: IpAddr,
    ) -> Result<SignedIn, SignInError> {
        let mut stored = None;
        if let Some(name) = named.name_to_look_up() {
            let mut transaction = self.store.begin_read().await?;
            let user = transaction.users().find_by_name(name).await?;
            // Asked whether there is a user or not, so that it takes the same time.
            let found = user.map(|user| user.id);
            let hash = transaction
                .users()
                .password(found.unwrap_or(NOBODY))
                .await?;
            stored = found.zip(hash);
        }
        let attempt = Attempt {
            name: &named.name,
            password: named.secret.bytes(),
            from,
        };
        let held = stored
            .as_ref()
            .map(|(user, hash)| (Holder::User(*user), hash.as_str()));
        let matches = self.passwords.verify(attempt, held).await?;
        let (user, hash) = stored.filter(|_| matches).ok_or(SignInError::Wrong)?;
        self.passwords
            .rules()
            .check(named.secret.bytes().expose_secret())
            .map_err(SignInError::ChangeRequired)?;
        self.begin_session(user, &hash).await
    }

    /// Begins a session, unless the password was changed since it was verified.
    async fn begin_session(&self, user: UserId, verified: &str) -> Result<SignedIn, SignInError> {
        let key = ApiToken::generate(&*self.random);
        let now = self.clock.now();
        let session = Session {
            user,
            created_at: now,
            expires_at: now.saturating_add(self.sessions.length()),
        };
        let mut transaction = self.store.begin().await?;
        if transaction.users().password(user).await?.as_deref() != Some(verified) {
            return Err(SignInError::Wrong);
        }
        let digest = key.session_digest();
        transaction.sessions().insert(&session, &digest).await?;
        transaction.commit().await?;
        Ok(SignedIn { key, session })
    }

    /// Ends the session with this key; whether there was one that had not expired.
    pub async fn sign_out(&self, key: &ApiToken) -> StoreResult<bool> {
        let digest = key.session_digest();
        let mut transaction = self.store.begin().await?;
        let was_there = transaction
            .sessions()
            .delete(&digest, self.clock.now())
            .await?;
        transaction.commit().await?;
        self.resolver.forget();
        Ok(was_there)
    }

    /// Sets the password of a user: `POST users/USR/password`, after its requirement of
    /// auth-and-resources 4.7 was asked. Ends the user's sessions, but the one that asks for it.
    pub async fn set_password(
        &self,
        caller: &Caller,
        user: UserId,
        password: &SecretSlice<u8>,
    ) -> Result<(), SetPasswordError> {
        let mut transaction = self.store.begin_read().await?;
        let exists = transaction.users().find(user).await?.is_some();
        if exists {
            check_gain_user(&mut *transaction, caller, user, true).await?;
        }
        drop(transaction);
        self.passwords.rules().check(password.expose_secret())?;
        if !exists {
            return Err(SetPasswordError::NoUser);
        }
        let hash = self.passwords.hash(password).await?;
        // Hashing takes a while: what was checked may be true no more.
        let mut transaction = self.store.begin().await?;
        check_gain_user(&mut *transaction, caller, user, true).await?;
        match transaction.users().set_password(user, &hash).await {
            Err(StoreError::NotFound(_)) => return Err(SetPasswordError::NoUser),
            result => result?,
        }
        transaction
            .sessions()
            .delete_of_user(user, caller.session())
            .await?;
        transaction.commit().await?;
        self.resolver.forget();
        Ok(())
    }

    /// Changes the password of a user who knows the old one: `PUT users/USR/password` and
    /// `PUT me/password`. `old` is the secret of the request's `Basic` header, whose name does not
    /// matter. Ends the user's other sessions. `from` is where the request comes from.
    pub async fn change_password(
        &self,
        caller: &Caller,
        user: UserId,
        old: &ApiToken,
        new: &SecretSlice<u8>,
        from: IpAddr,
    ) -> Result<(), SetPasswordError> {
        let mut transaction = self.store.begin_read().await?;
        let found = transaction.users().find(user).await?;
        let stored = transaction.users().password(user).await?;
        drop(transaction);
        let attempt = Attempt {
            name: found.as_ref().map_or(b"", |user| user.name.as_bytes()),
            password: old.bytes(),
            from,
        };
        let held = stored.as_deref().map(|hash| (Holder::User(user), hash));
        if !self.passwords.verify(attempt, held).await? {
            return Err(SetPasswordError::Wrong);
        }
        self.passwords.rules().check(new.expose_secret())?;
        let hash = self.passwords.hash(new).await?;
        let mut transaction = self.store.begin().await?;
        // The old password was the proof: it must still be the one that was verified.
        if transaction.users().password(user).await? != stored {
            return Err(SetPasswordError::Wrong);
        }
        transaction.users().set_password(user, &hash).await?;
        transaction
            .sessions()
            .delete_of_user(user, caller.session())
            .await?;
        transaction.commit().await?;
        self.resolver.forget();
        Ok(())
    }

    /// Sets the password of a 1.x user: `POST legacy/authorizations/AID/password`, after its
    /// requirement of auth-and-resources 4.7 was asked.
    pub async fn set_v1_password(
        &self,
        caller: &Caller,
        v1_user: &Authorization,
        password: &SecretSlice<u8>,
    ) -> Result<(), SetPasswordError> {
        let mut transaction = self.store.begin_read().await?;
        check_gain_authorization(&mut *transaction, caller, v1_user).await?;
        drop(transaction);
        self.passwords.rules().check(password.expose_secret())?;
        let hash = self.passwords.hash(password).await?;
        let mut transaction = self.store.begin().await?;
        match transaction
            .authorizations()
            .set_password(v1_user.id, &hash)
            .await
        {
            Err(StoreError::NotFound(_)) => return Err(SetPasswordError::NoV1User),
            result => result?,
        }
        transaction.commit().await?;
        self.resolver.forget();
        Ok(())
    }
}
