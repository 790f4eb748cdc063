//! Who a request comes from: from its credential to a [`Caller`], or to the reason why not
//! (auth-and-resources 8.6).

mod refusal;
#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::sync::Arc;

use influxd_model::{
    Authorization, AuthorizationId, Clock, Status, User, UserId, missing_for_operator,
};
use influxd_store::{Store, StoreError, StoredToken, Transaction};
use secrecy::ExposeSecret;

use crate::cache::{Asked, CallerCache};
use crate::password::is_imported;
use crate::rights::{own_permissions, token_permissions};
use crate::{
    ApiToken, Attempt, Cached, Caller, Credential, Hashing, Holder, Identity, NamedSecret,
    Passwords, SessionConfig,
};

pub use refusal::Refusal;

/// Resolves credentials. One per process.
#[derive(Debug)]
pub struct Resolver {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    hashing: Arc<Hashing>,
    passwords: Arc<Passwords>,
    sessions: SessionConfig,
    cache: CallerCache,
}

/// A caller, and until when that may be remembered (nanoseconds since 1970).
struct Found {
    caller: Caller,
    until: i64,
    /// What is to be written, after the transaction that read has ended: nobody holds one
    /// connection while they wait for another.
    write: Option<Write>,
}

/// What the use of a credential changes in the store.
enum Write {
    /// The form in which its token should be stored from now on.
    Token(AuthorizationId, StoredToken),
    /// Until when the session lives from now on, nanoseconds since 1970.
    Session(i64),
}

/// An authorization whose credential was right, and how its token should be stored from now on.
struct Matched {
    authorization: Authorization,
    renewed: Option<StoredToken>,
}

/// A 1.x user, and the hash of its password, if one is set.
type V1User = (Authorization, Option<String>);

/// What asking the store for a credential has come to.
enum Answer {
    /// It is this caller's.
    Caller(Found),
    /// It may be the password of this 1.x user; `None`: it can be nobody's, which must cost as
    /// much to find out.
    Password(NamedSecret, Option<V1User>),
}

impl Resolver {
    /// A resolver that asks `store` for tokens as `hashing` has them, and `passwords` about those
    /// of 1.x users.
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        hashing: Arc<Hashing>,
        passwords: Arc<Passwords>,
        sessions: SessionConfig,
    ) -> Self {
        Self {
            store,
            clock,
            hashing,
            passwords,
            sessions,
            cache: CallerCache::new(),
        }
    }

    /// The caller, if the same credential was resolved a moment ago. Asks no store and does not
    /// block.
    pub fn cached(&self, credential: &Credential) -> Cached {
        self.cache.find(&credential.cache_key(), self.clock.now())
    }

    /// The caller with this credential; always asks the store. `from` is where the request comes
    /// from: who tries many wrong passwords waits, others do not.
    pub async fn resolve(
        &self,
        credential: Credential,
        from: IpAddr,
    ) -> Result<Arc<Caller>, Refusal> {
        let key = credential.cache_key();
        match self.find(&credential, from).await {
            Ok((found, asked)) => {
                let mut until = found.until;
                match found.write {
                    Some(Write::Token(id, token)) => self.store_anew(id, &token).await,
                    Some(Write::Session(end)) => {
                        if let Some(digest) = found.caller.session()
                            && self.extend(digest, end).await
                        {
                            until = end;
                        }
                    }
                    None => {}
                }
                let caller = Arc::new(found.caller);
                self.cache.note(key, &caller, asked, until);
                Ok(caller)
            }
            Err(refusal) => {
                if !matches!(refusal, Refusal::Store(_) | Refusal::Password(_)) {
                    self.cache.remove(&key);
                }
                Err(refusal)
            }
        }
    }

    async fn find(&self, credential: &Credential, from: IpAddr) -> Result<(Found, Asked), Refusal> {
        let asked = self.cache.asking(self.clock.now());
        let (named, v1_user) = match self.ask(credential).await? {
            Answer::Caller(found) => return Ok((found, asked)),
            Answer::Password(named, v1_user) => (named, v1_user),
        };
        self.verify(&named, v1_user.as_ref(), from).await?;
        // That took a while. What was verified is known from here on, so that asking again is
        // cheap, and shows whether the password, its 1.x user and that one's owner are still good.
        let asked = self.cache.asking(self.clock.now());
        match self.ask(credential).await? {
            Answer::Caller(found) => Ok((found, asked)),
            Answer::Password(..) => Err(Refusal::WrongPassword),
        }
    }

    /// Forgets what was cached: this server has changed credentials, users or what they may do.
    pub fn forget(&self) {
        self.cache.forget();
    }

    /// Asks the store, in the order of the contract. No password is hashed while a transaction is
    /// open.
    async fn ask(&self, credential: &Credential) -> Result<Answer, Refusal> {
        let mut transaction = self.store.begin_read().await?;
        let transaction = &mut *transaction;
        let (named, token) = match credential {
            Credential::Session(key) => {
                return self.session(transaction, key).await.map(Answer::Caller);
            }
            Credential::Bearer(token) => {
                let found = self.find_token(transaction, token).await?;
                let found = found.ok_or(Refusal::Unknown)?;
                return admit(transaction, found).await.map(Answer::Caller);
            }
            Credential::Token(whole) => {
                if let Some(found) = self.find_token(transaction, whole).await? {
                    return admit(transaction, found).await.map(Answer::Caller);
                }
                let named = whole.split_at_colon().ok_or(Refusal::Unknown)?;
                if let Some(found) = self.find_token(transaction, &named.secret).await? {
                    return admit(transaction, found).await.map(Answer::Caller);
                }
                (named, None)
            }
            Credential::Basic(named) | Credential::Url(named) => {
                (named.clone(), Some(&named.secret))
            }
        };
        let v1_user = match named.name_to_look_up() {
            Some(name) => transaction.authorizations().find_v1_user(name).await?,
            None => None,
        };
        if let Some(found) = self.known(&named, v1_user.as_ref())? {
            return admit(transaction, found).await.map(Answer::Caller);
        }
        // Asked even where it does not count, so that a name with a password takes no less time.
        let token = match token {
            Some(token) => self.find_token(transaction, token).await?,
            None => None,
        };
        let with_password = v1_user.filter(|(_, hash)| hash.is_some());
        match token {
            Some(found) if with_password.is_none() => {
                admit(transaction, found).await.map(Answer::Caller)
            }
            _ if named.name.is_empty() => Err(Refusal::Unknown),
            _ => Ok(Answer::Password(named, with_password)),
        }
    }

    /// The 1.x user, if this is a password of theirs that was right before. It may have become too
    /// weak since: the rules are those of this process, so that is no news to anybody else.
    fn known(
        &self,
        named: &NamedSecret,
        v1_user: Option<&V1User>,
    ) -> Result<Option<Matched>, Refusal> {
        let Some((authorization, Some(hash))) = v1_user else {
            return Ok(None);
        };
        let password = named.secret.bytes();
        let holder = Holder::V1User(authorization.id);
        if !self.passwords.knows(holder, hash, password) {
            return Ok(None);
        }
        let rules = self.passwords.rules();
        let checked = if is_imported(hash) {
            rules.check_imported(password.expose_secret())
        } else {
            rules.check(password.expose_secret())
        };
        checked.map_err(|_| Refusal::WeakPassword)?;
        Ok(Some(Matched {
            authorization: authorization.clone(),
            renewed: None,
        }))
    }

    /// Verifies a password, at the cost of a hash whether there is such a 1.x user or not.
    async fn verify(
        &self,
        named: &NamedSecret,
        v1_user: Option<&V1User>,
        from: IpAddr,
    ) -> Result<(), Refusal> {
        let attempt = Attempt {
            name: &named.name,
            password: named.secret.bytes(),
            from,
        };
        let stored = v1_user.and_then(|(authorization, hash)| {
            Some((Holder::V1User(authorization.id), hash.as_deref()?))
        });
        if self.passwords.verify(attempt, stored).await? {
            return Ok(());
        }
        Err(match stored {
            Some(_) => Refusal::WrongPassword,
            None => Refusal::Unknown,
        })
    }

    /// The API token with these bytes. Nothing is the empty token.
    async fn find_token(
        &self,
        transaction: &mut dyn Transaction,
        token: &ApiToken,
    ) -> Result<Option<Matched>, Refusal> {
        if token.is_empty() {
            return Ok(None);
        }
        let forms = self.hashing.forms(token);
        let found = transaction.authorizations().find_by_token(&forms).await?;
        Ok(found
            .filter(|(_, stored)| self.hashing.verifies(token, stored))
            .map(|(authorization, stored)| Matched {
                renewed: self.hashing.renewed(token, &stored),
                authorization,
            }))
    }

    /// Stores a token in another form. If that does not work, the token is none the worse for it,
    /// and its next use tries again.
    async fn store_anew(&self, id: AuthorizationId, token: &StoredToken) {
        let stored = async {
            let mut transaction = self.store.begin().await?;
            transaction.tokens().replace(id, token).await?;
            transaction.commit().await
        };
        match stored.await {
            // Deleted meanwhile.
            Ok(()) | Err(StoreError::NotFound(_)) => {}
            Err(error) => {
                tracing::warn!(%error, authorization.id = %id, "a token could not be digested anew");
            }
        }
    }

    async fn session(
        &self,
        transaction: &mut dyn Transaction,
        key: &ApiToken,
    ) -> Result<Found, Refusal> {
        let digest = key.session_digest();
        let now = self.clock.now();
        let session = transaction.sessions().find(&digest, now).await?;
        let session = session.ok_or(Refusal::Unknown)?;
        let user = active_user(transaction, session.user).await?;
        let mut permissions = own_permissions(transaction, user.id).await?;
        // The owner of the instance holds everything: no need to fetch all tokens.
        if missing_for_operator(&permissions).is_some() {
            permissions.extend(token_permissions(transaction, user.id).await?);
        }
        let renewed = self.sessions.renewed(session.expires_at, now);
        Ok(Found {
            caller: Caller {
                user,
                identity: Identity::Session { digest },
                permissions,
            },
            until: session.expires_at,
            write: renewed.map(Write::Session),
        })
    }

    /// Makes a session live longer; whether that worked. If not, the request is none the worse
    /// for it, and the next one tries again.
    async fn extend(&self, digest: &str, expires_at: i64) -> bool {
        let extended = async {
            let mut transaction = self.store.begin().await?;
            transaction.sessions().extend(digest, expires_at).await?;
            transaction.commit().await
        };
        match extended.await {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(%error, "a session could not be renewed");
                false
            }
        }
    }
}

/// The caller with a credential that was right, if nothing is switched off.
async fn admit(transaction: &mut dyn Transaction, matched: Matched) -> Result<Found, Refusal> {
    let Matched {
        authorization,
        renewed,
    } = matched;
    let user = active_user(transaction, authorization.user).await?;
    let (id, org) = (authorization.id, authorization.org);
    let is_v1 = authorization.v1_name.is_some();
    let identity = match (is_v1, authorization.status) {
        (false, Status::Active) => Identity::ApiToken { id, org },
        (false, Status::Inactive) => return Err(Refusal::TokenInactive),
        (true, Status::Active) => Identity::V1User { id, org },
        (true, Status::Inactive) => return Err(Refusal::V1UserInactive),
    };
    Ok(Found {
        caller: Caller {
            user,
            identity,
            permissions: authorization.permissions,
        },
        until: i64::MAX,
        write: renewed.map(|token| Write::Token(id, token)),
    })
}

async fn active_user(transaction: &mut dyn Transaction, id: UserId) -> Result<User, Refusal> {
    let user = transaction.users().find(id).await?;
    let user = user.ok_or(Refusal::UserMissing)?;
    match user.status {
        Status::Active => Ok(user),
        Status::Inactive => Err(Refusal::UserInactive),
    }
}
