//! No laws, but what the tests of each store look for in its files: tokens that were stored raw
//! and are not any more, and other secrets that went.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use influxd_model::Authorization;
use secrecy::SecretSlice;

use super::fixtures::{
    authorization, authorization_id, digest, organization, raw, session, user, user_id, v1_user,
};
use crate::AuthorizationKind::{ApiToken, V1User};
use crate::{RawToken, Store, Transaction};

/// Characters of a token of which none may be left together, in any encoding.
const FRAGMENT: usize = 16;

/// Numbers that look random and are the same every time.
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    /// Those that begin with a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// The next number below a limit.
    pub fn below(&mut self, limit: usize) -> usize {
        (self.number() % limit as u64) as usize
    }

    /// A text as servers make tokens: 64 bytes in base64.
    pub fn token(&mut self) -> String {
        let bytes: Vec<u8> = (0..8).flat_map(|_| self.number().to_be_bytes()).collect();
        URL_SAFE.encode(bytes)
    }
}

/// Secrets to look for.
#[derive(Debug)]
pub struct Traces {
    /// By the first eight bytes of a pattern: the patterns, with the number of their secret.
    patterns: HashMap<[u8; 8], Vec<(Vec<u8>, usize)>>,
    /// A bit for each value of two bytes that some pattern begins with.
    begins: Vec<bool>,
    count: usize,
}

impl Traces {
    /// Traces of texts of more than 18 bytes: fragments of them as they are, in hex digits and in
    /// base64.
    pub fn new(secrets: &[String]) -> Self {
        let mut traces = Self {
            patterns: HashMap::new(),
            begins: vec![false; 1 << 16],
            count: secrets.len(),
        };
        for (number, secret) in secrets.iter().enumerate() {
            for fragment in secret.as_bytes().chunks_exact(FRAGMENT) {
                traces.add(fragment.to_vec(), number);
                let hex: String = fragment.iter().map(|b| format!("{b:02x}")).collect();
                traces.add(hex.to_uppercase().into_bytes(), number);
                traces.add(hex.into_bytes(), number);
            }
            // However it lies to the groups of three bytes.
            for start in 0..3 {
                for fragment in secret.as_bytes()[start..].chunks_exact(15) {
                    for engine in [&STANDARD, &URL_SAFE] {
                        traces.add(engine.encode(fragment).into_bytes(), number);
                    }
                }
            }
        }
        traces
    }

    fn add(&mut self, pattern: Vec<u8>, number: usize) {
        self.begins[usize::from(u16::from_be_bytes([pattern[0], pattern[1]]))] = true;
        let mut first = [0; 8];
        first.copy_from_slice(&pattern[..8]);
        let among = self.patterns.entry(first).or_default();
        among.push((pattern, number));
    }

    /// How many of the secrets have left something in some bytes.
    pub fn in_bytes(&self, bytes: &[u8]) -> usize {
        let mut found = vec![false; self.count];
        for (at, window) in bytes.windows(8).enumerate() {
            if !self.begins[usize::from(u16::from_be_bytes([window[0], window[1]]))] {
                continue;
            }
            let mut first = [0; 8];
            first.copy_from_slice(window);
            for (pattern, number) in self.patterns.get(&first).into_iter().flatten() {
                if bytes[at..].starts_with(pattern) {
                    found[*number] = true;
                }
            }
        }
        found.into_iter().filter(|found| *found).count()
    }

    /// The files below a folder, other than those below `except`, in which something is left, and
    /// of how many secrets.
    ///
    /// # Errors
    ///
    /// What reading them ends with; files that go meanwhile are none.
    pub fn in_folder(&self, folder: &Path, except: &[&str]) -> io::Result<Vec<(PathBuf, usize)>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                let name = path.file_name().and_then(|name| name.to_str());
                if !name.is_some_and(|name| except.contains(&name)) {
                    found.extend(self.in_folder(&path, except)?);
                }
                continue;
            }
            match fs::read(&path) {
                Ok(bytes) => match self.in_bytes(&bytes) {
                    0 => {}
                    count => found.push((path, count)),
                },
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }
}

/// Runs something in a transaction.
async fn transact(store: &dyn Store, work: impl AsyncFnOnce(&mut dyn Transaction)) {
    let mut transaction = store.begin().await.unwrap();
    work(&mut *transaction).await;
    transaction.commit().await.unwrap();
}

/// Fills an empty store with raw tokens, in no order, while others change and go, and with other
/// secrets, of which some are replaced and some go. Returns what has to be in no file once the
/// tokens are hashed.
pub async fn live(store: &dyn Store, count: u64) -> Vec<String> {
    let mut chance = Chance::new(count);
    let mut ids: Vec<u64> = (1..=count).collect();
    for end in (1..ids.len()).rev() {
        let other = chance.below(end + 1);
        ids.swap(end, other);
    }
    let mut secrets = Vec::new();
    let mut living: Vec<u64> = Vec::new();
    transact(store, async |transaction| {
        let one = organization(1, "one");
        transaction.organizations().insert(&one).await.unwrap();
        let ada = user(1, "ada");
        transaction.users().insert(&ada).await.unwrap();
    })
    .await;
    for (round, batch) in ids.chunks(40).enumerate() {
        let tokens: Vec<String> = batch.iter().map(|_| chance.token()).collect();
        transact(store, async |transaction| {
            let mut authorizations = transaction.authorizations();
            for (id, token) in batch.iter().zip(&tokens) {
                let new = Authorization {
                    description: "d".repeat(chance.below(60)),
                    permissions: influxd_model::Permission::operator().split_off(chance.below(44)),
                    ..authorization(*id)
                };
                authorizations
                    .insert(&new, Some(&raw(token)))
                    .await
                    .unwrap();
                living.push(*id);
            }
            for _ in 0..10 {
                let changed = Authorization {
                    description: "longer ".repeat(chance.below(40)),
                    ..authorization(living[chance.below(living.len())])
                };
                authorizations.update(&changed).await.unwrap();
            }
            for _ in 0..2 {
                let gone = living.swap_remove(chance.below(living.len()));
                let gone = authorization_id(gone);
                authorizations.delete(ApiToken, gone).await.unwrap();
            }
        })
        .await;
        secrets.extend(tokens);
        secrets.extend(other_secrets(store, round as u64, &mut chance).await);
    }
    secrets
}

/// Adds secrets of other kinds, and replaces or removes them. Returns them.
async fn other_secrets(store: &dyn Store, round: u64, chance: &mut Chance) -> Vec<String> {
    let all: Vec<String> = (0..6).map(|_| chance.token()).collect();
    let named = v1_user(1_000_000 + round, &format!("v1 user {round}"));
    transact(store, async |transaction| {
        let mut sessions = transaction.sessions();
        sessions.insert(&session(1, 0, 100), &all[0]).await.unwrap();
        drop(sessions);
        let mut users = transaction.users();
        users.set_password(user_id(1), &all[1]).await.unwrap();
        drop(users);
        let mut secrets = transaction.secrets();
        let org = authorization(1).org;
        secrets
            .put(org, "replaced", all[2].as_bytes())
            .await
            .unwrap();
        let key = format!("removed {round}");
        secrets
            .put(org, &key, all[3].repeat(40).as_bytes())
            .await
            .unwrap();
        drop(secrets);
        let mut authorizations = transaction.authorizations();
        authorizations.insert(&named, None).await.unwrap();
        authorizations
            .set_password(named.id, &all[4])
            .await
            .unwrap();
    })
    .await;
    transact(store, async |transaction| {
        let mut sessions = transaction.sessions();
        assert!(sessions.delete(&all[0], 1).await.unwrap());
        drop(sessions);
        let mut users = transaction.users();
        users.set_password(user_id(1), "$x$").await.unwrap();
        drop(users);
        let mut secrets = transaction.secrets();
        let org = authorization(1).org;
        secrets.put(org, "replaced", b"").await.unwrap();
        let key = format!("removed {round}");
        assert!(secrets.delete(org, &key).await.unwrap());
        drop(secrets);
        let mut authorizations = transaction.authorizations();
        authorizations.set_password(named.id, "$x$").await.unwrap();
        if round.is_multiple_of(2) {
            authorizations.delete(V1User, named.id).await.unwrap();
        }
    })
    .await;
    all[..5].to_vec()
}

/// Replaces all raw tokens by digests, in batches, each a transaction.
pub async fn hash(store: &dyn Store, batch: u32) {
    loop {
        let mut transaction = store.begin().await.unwrap();
        let mut tokens = transaction.tokens();
        let found = tokens.unhashed(batch).await.unwrap();
        if found.is_empty() {
            return;
        }
        let hashed: Vec<_> = found
            .iter()
            .map(|(id, token)| (*id, digest(&digest_of(token))))
            .collect();
        tokens.replace_all(&hashed).await.unwrap();
        drop(tokens);
        transaction.commit().await.unwrap();
    }
}

/// A digest of no use to anybody who looks for traces of the token.
fn digest_of(token: &RawToken) -> String {
    format!("$influxdb2-sha256${}", URL_SAFE.encode(token.key()))
}

/// Adds so many raw tokens, as a server without hashing has them, and nothing else.
pub async fn fill(store: &dyn Store, count: u64) {
    let mut chance = Chance::new(count);
    for first in (1..=count).step_by(1_000) {
        let mut transaction = store.begin().await.unwrap();
        let mut authorizations = transaction.authorizations();
        for id in first..(first + 1_000).min(count + 1) {
            let token = RawToken::new(SecretSlice::from(chance.token().into_bytes()));
            let new = Authorization {
                permissions: influxd_model::Permission::operator().split_off(42),
                ..authorization(id)
            };
            let token = crate::StoredToken::Raw(token);
            authorizations.insert(&new, Some(&token)).await.unwrap();
        }
        drop(authorizations);
        transaction.commit().await.unwrap();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traces_are_found_in_any_encoding() {
        let mut chance = Chance::new(1);
        let secrets: Vec<String> = (0..3).map(|_| chance.token()).collect();
        let traces = Traces::new(&secrets);
        assert_eq!(traces.in_bytes(b"nothing of it"), 0);
        let secret = &secrets[1];
        let hex: String = secret.bytes().map(|b| format!("{b:02x}")).collect();
        for text in [
            secret.clone(),
            secret[30..70].to_owned(),
            hex.to_uppercase(),
            hex,
            STANDARD.encode(secret),
            STANDARD.encode(format!("xx{secret}")),
            URL_SAFE.encode(format!("x{}", &secret[20..])),
        ] {
            assert_eq!(
                traces.in_bytes(format!("..{text}..").as_bytes()),
                1,
                "{text}"
            );
        }
        assert_eq!(traces.in_bytes(secrets.concat().as_bytes()), 3);
    }
}
