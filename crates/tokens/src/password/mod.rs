//! Passwords: hashed on threads of their own, verified at an equal cost for everybody, and slowly
//! for those who guess (auth-and-resources 3.5 and 8.6).

mod backoff;
mod hash;
mod pool;
mod queue;
mod seen;
#[cfg(test)]
mod tests;

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use influxd_model::{AuthorizationId, UserId};
use secrecy::{ExposeSecret, SecretSlice};
use zeroize::Zeroizing;

use crate::{PasswordRules, Randomness};
use backoff::Backoff;
use hash::Memory;
use pool::Pool;
use seen::Seen;

pub(crate) use hash::is_imported;

/// The longest delay for an address from which wrong passwords come.
const ADDRESS_DELAY: Duration = Duration::from_secs(1);
/// The longest delay for a name that wrong passwords are tried under, wherever from: whoever it
/// belongs to waits so long at most, and only if their password was not seen before.
const NAME_DELAY: Duration = Duration::from_millis(500);
/// How long somebody waits who is turned away: without it, asking again at once would cost nothing.
const TURNED_AWAY_DELAY: Duration = Duration::from_millis(500);
/// How many may wait to be turned away.
const TURNED_AWAY_PLACES: usize = 4_096;
/// The longest password, bytes.
const LONGEST: usize = 72;

/// Why a password could not be hashed or verified. Never says anything about the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// The stored hash is no PHC text of a kind that we know.
    #[error("a stored password hash is damaged")]
    Damaged,
    /// The hash function gave up.
    #[error("a password could not be hashed")]
    Failed,
    /// Too many wait already, or the server is stopping. Trying again later helps.
    #[error("too many passwords wait to be verified")]
    Busy,
}

/// Whose password it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Holder {
    /// A user of the 2.x API.
    User(UserId),
    /// A 1.x user.
    V1User(AuthorizationId),
}

/// Somebody tries a password.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// The name given with it.
    pub name: &'a [u8],
    /// The password.
    pub password: &'a SecretSlice<u8>,
    /// Where the request comes from.
    pub from: IpAddr,
}

/// What the server does about passwords.
#[derive(Debug, Clone, Copy)]
pub struct PasswordConfig {
    /// How many are hashed at once, at least one.
    pub at_once: usize,
    /// What a password must be like.
    pub rules: PasswordRules,
}

/// What there is to tell about passwords.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PasswordFigures {
    /// Hashes made since the start.
    pub hashes: u64,
    /// Attempts that wait for a hash.
    pub waiting: u64,
    /// Attempts that were turned away since the start, because too many waited.
    pub turned_away: u64,
}

/// Hashes and verifies passwords. One per process.
#[derive(Debug)]
pub struct Passwords {
    random: Arc<dyn Randomness>,
    rules: PasswordRules,
    pool: Pool,
    seen: Seen,
    addresses: Backoff,
    names: Backoff,
    /// Verified where there is no password, so that it costs the same.
    dummy: String,
    turned_away: AtomicU64,
    being_turned_away: AtomicUsize,
}

impl Passwords {
    /// Starts the threads that hash.
    pub fn new(random: Arc<dyn Randomness>, config: PasswordConfig) -> io::Result<Self> {
        let now = Instant::now();
        Ok(Self {
            rules: config.rules,
            pool: Pool::start(config.at_once)?,
            seen: Seen::new(&*random),
            addresses: Backoff::new(ADDRESS_DELAY, now),
            names: Backoff::new(NAME_DELAY, now),
            dummy: hash::dummy(&*random).map_err(io::Error::other)?,
            turned_away: AtomicU64::new(0),
            being_turned_away: AtomicUsize::new(0),
            random,
        })
    }

    /// What a password must be like.
    pub const fn rules(&self) -> PasswordRules {
        self.rules
    }

    /// The hash of a new password, PHC text.
    pub async fn hash(&self, password: &SecretSlice<u8>) -> Result<String, PasswordError> {
        let salt = hash::salt(&*self.random);
        let password = Zeroizing::new(password.expose_secret().to_vec());
        // New passwords come from callers who may set them, wherever they are.
        let nobody = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let work = move |memory: &mut Memory| hash::make(&password, salt, memory);
        self.held(self.pool.run(nobody, Instant::now(), true, work).await)
            .await
    }

    /// Whether this password of this holder was found to match this very hash before.
    pub(crate) fn knows(&self, holder: Holder, hash: &str, password: &SecretSlice<u8>) -> bool {
        self.seen.has(holder, hash, password.expose_secret())
    }

    /// Whether the attempt is right: the password is the one that the stored hash (PHC text, or
    /// bcrypt's) of its holder was made of.
    ///
    /// A password that was right before is right at once. Everything else costs one hash, also
    /// where nothing is `stored` (no such name, or no password set), and waits for its turn: `Busy`
    /// when too many do. Whether the password still obeys the rules is not asked here.
    pub async fn verify(
        &self,
        attempt: Attempt<'_>,
        stored: Option<(Holder, &str)>,
    ) -> Result<bool, PasswordError> {
        let password = attempt.password.expose_secret();
        if let Some((holder, hash)) = stored
            && self.seen.has(holder, hash, password)
        {
            return Ok(true);
        }
        // What cannot be right is hashed like everything else: bcrypt looks at 72 bytes, our own
        // hashes are never of more.
        let possible = stored.filter(|(_, hash)| {
            !password.is_empty() && (password.len() <= LONGEST || is_imported(hash))
        });
        let tried = Zeroizing::new(password[..password.len().min(LONGEST)].to_vec());
        let hash = possible.map_or(&*self.dummy, |(_, hash)| hash).to_owned();
        let work = move |memory: &mut Memory| hash::verify(&tried, &hash, memory);

        let now = Instant::now();
        let origin = queue::Origin::from(attempt.from);
        let delay = self.addresses.delay(origin, now);
        let due = now + delay.max(self.names.delay(attempt.name, now));
        let clean = delay.is_zero();
        let matches = self
            .held(self.pool.run(attempt.from, due, clean, work).await)
            .await?;
        match possible {
            Some((holder, hash)) if matches => {
                self.seen.note(holder, hash, password);
                Ok(true)
            }
            _ => {
                let now = Instant::now();
                self.addresses.failed(origin, now);
                self.names.failed(attempt.name, now);
                Ok(false)
            }
        }
    }

    /// What there is to tell.
    pub fn figures(&self) -> PasswordFigures {
        PasswordFigures {
            hashes: self.pool.done(),
            waiting: self.pool.waiting() as u64,
            turned_away: self.turned_away.load(Ordering::Relaxed),
        }
    }

    /// Holds back those who are turned away, as long as there is place for that.
    async fn held<T>(&self, result: Result<T, PasswordError>) -> Result<T, PasswordError> {
        if matches!(result, Err(PasswordError::Busy)) {
            self.turned_away.fetch_add(1, Ordering::Relaxed);
            let place = Place::take(&self.being_turned_away);
            if place.number < TURNED_AWAY_PLACES {
                tokio::time::sleep(TURNED_AWAY_DELAY).await;
            }
        }
        result
    }
}

/// A place among those who are being turned away; given back when dropped.
struct Place<'a> {
    taken: &'a AtomicUsize,
    number: usize,
}

impl<'a> Place<'a> {
    fn take(taken: &'a AtomicUsize) -> Self {
        Self {
            number: taken.fetch_add(1, Ordering::Relaxed),
            taken,
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.taken.fetch_sub(1, Ordering::Relaxed);
    }
}
