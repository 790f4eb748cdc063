//! A migration whose process is killed before or after any call of its store: no token is lost, and
//! the next one goes on. `INFLUXD_TEST_KILLS=1000 cargo test -p influxd-tokens --test faults` kills it at every step
//! there is, on both stores; without that, at some.
//!
//! The migration runs in a process of its own, which is this program again with the name of a test.
#![expect(
    clippy::unwrap_used,
    reason = "tests end by panicking, and so do their helpers"
)]

mod dying;

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Output};
use std::sync::Arc;

use age::x25519::Identity;
use dying::{Dying, Faults};
use influxd_model::{
    Authorization, AuthorizationId, OrgId, Organization, Permission, Status, User, UserId,
};
use influxd_store::{
    AuthorizationRecord, LostRace, RawToken, SecretRecord, Snapshot, Store, StoreError,
    StoredToken, Unique, UserRecord,
};
use influxd_store_postgres::scratch::ScratchCluster;
use influxd_store_postgres::{PostgresOptions, PostgresStore};
use influxd_store_sqlite::{SqliteOptions, SqliteStore};
use influxd_tokens::{
    ApiToken, Census, Escrow, EscrowIdentity, Hashing, Keyring, MigrateError, OsRandomness,
    Progress, Variant, hash_raw_tokens, open_secret, rekey, seal_secret, seal_secrets,
};
use rand::Rng;
use secrecy::{ExposeSecret, SecretSlice};

/// How often a migration is killed, on each store, if `INFLUXD_TEST_KILLS` says nothing else.
const KILLS: u64 = 10;
/// More than two transactions replace.
const TOKENS: u64 = 2_100;
const SECRET: &str = "the value of a secret";

/// What a process that migrates is told.
const STORE: &str = "INFLUXD_TEST_FAULTS_STORE";
const RECIPIENT: &str = "INFLUXD_TEST_FAULTS_RECIPIENT";
const POINT: &str = "INFLUXD_TEST_FAULTS_POINT";

#[tokio::test]
async fn a_migration_survives_a_kill_at_any_step_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("influxd.sqlite");
    survives(path.to_str().unwrap()).await;
}

#[tokio::test]
async fn a_migration_survives_a_kill_at_any_step_on_postgres() {
    let cluster = ScratchCluster::shared().unwrap();
    let url = cluster.create_database().await.unwrap();
    survives(url.expose_secret()).await;
}

/// What the processes do that are killed. Without anybody who kills it, it migrates a new store.
#[tokio::test]
async fn a_migration_that_nobody_kills_ends_well() {
    let identity = Identity::generate();
    let said = |name| std::env::var(name).ok();
    let recipient = said(RECIPIENT).unwrap_or_else(|| identity.to_public().to_string());
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("influxd.sqlite");
    let place = said(STORE);
    let is_own = place.is_none();
    let place = place.unwrap_or_else(|| own.to_str().unwrap().to_owned());
    if is_own {
        fill(&place).await;
    }
    let faults = Faults::at(said(POINT).map(|point| point.parse().unwrap()));
    let store = Dying {
        inner: open(&place).await,
        faults: Arc::clone(&faults),
    };
    // What a start does; then, as whoever has given it a key would ask for, the rest.
    let (plain, keyed) = (hashing(&[], &recipient), hashing(&[1], &recipient));
    hash_raw_tokens(&store, &plain, |_| ()).await.unwrap();
    store.scrub(false).await.unwrap();
    seal_secrets(&store, keyed.keyring(), &OsRandomness)
        .await
        .unwrap();
    rekey(&store, &keyed, |_| ()).await.unwrap();
    store.scrub(false).await.unwrap();
    store.close().await;
    println!("passed {} points", faults.passed());
    has_all(&place, true).await;
}

/// Somebody is faster, again and again, in each of the ways that there are.
#[tokio::test]
async fn races_that_are_lost_are_run_again_and_lose_nothing() {
    let identity = Identity::generate();
    let identities = EscrowIdentity::read(identity.to_string().expose_secret()).unwrap();
    let (plain, keyed) = (
        hashing(&[], &identity.to_public().to_string()),
        hashing(&[1], ""),
    );
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("influxd.sqlite");
    let place = place.to_str().unwrap();
    fill(place).await;
    let lost = || StoreError::Unavailable(Box::new(LostRace("somebody was faster".to_owned())));
    for rekeys in [false, true] {
        let faults = Faults::refusing(vec![
            lost(),
            StoreError::NotFound("authorization"),
            // One has the same value, and is gone when it is looked for.
            StoreError::Conflict(Unique::Token),
            lost(),
            lost(),
        ]);
        let store = Dying {
            inner: open(place).await,
            faults: Arc::clone(&faults),
        };
        let mut last = 0;
        let report = |progress: Progress| {
            assert!(last < progress.done && progress.done <= progress.total);
            last = progress.done;
        };
        let done = match rekeys {
            false => hash_raw_tokens(&store, &plain, report).await,
            true => rekey(&store, &keyed, report).await,
        };
        assert_eq!((done.unwrap(), last), (TOKENS, TOKENS));
        assert!(faults.is_through());
        store.close().await;
        assert_eq!(has_all(place, false).await, 0);
        can_be_had_back(place, &identities).await;
    }
}

/// What is refused for good is an error, and is not tried for ever.
#[tokio::test]
async fn what_is_no_race_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("influxd.sqlite");
    let place = place.to_str().unwrap();
    fill(place).await;
    let missing = || StoreError::NotFound("authorization");
    let refused = || StoreError::Refused("no".into());
    for refusals in [vec![refused()], (0..200).map(|_| missing()).collect()] {
        let store = Dying {
            inner: open(place).await,
            faults: Faults::refusing(refusals),
        };
        let ended = hash_raw_tokens(&store, &hashing(&[], ""), |_| ()).await;
        assert!(matches!(ended, Err(MigrateError::Store(_))), "{ended:?}");
        store.close().await;
        assert_eq!(has_all(place, false).await, TOKENS);
    }
}

/// Kills it at one step after the other, and looks.
async fn survives(place: &str) {
    let identity = Identity::generate();
    let recipient = identity.to_public().to_string();
    let identities = EscrowIdentity::read(identity.to_string().expose_secret()).unwrap();
    fill(place).await;
    let whole = migrates(place, &recipient, None);
    let output = String::from_utf8_lossy(&whole.stdout).into_owned();
    assert!(whole.status.success(), "{whole:?}");
    let points = output.split_once("passed ").unwrap().1;
    let points: u64 = points.split_once(' ').unwrap().0.parse().unwrap();
    assert!(points > 60, "{output}");

    let asked = std::env::var("INFLUXD_TEST_KILLS").ok();
    let kills = asked.map_or(KILLS, |text| text.parse().unwrap());
    // Evenly, and not always the same.
    let stride = (points / kills.max(1)).max(1);
    let first = rand::rng().random_range(1..=stride);
    let mut forms = [0; 3];
    let mut killed = 0;
    for point in (first..=points).step_by(usize::try_from(stride).unwrap()) {
        fill(place).await;
        let ended = migrates(place, &recipient, Some(point));
        assert_eq!(ended.status.signal(), Some(9), "point {point}: {ended:?}");
        killed += 1;
        let raw = has_all(place, false).await;
        forms[usize::from(raw < TOKENS) + usize::from(raw == 0)] += 1;
        let ended = migrates(place, &recipient, None);
        assert!(ended.status.success(), "after point {point}: {ended:?}");
        assert_eq!(has_all(place, true).await, 0);
        can_be_had_back(place, &identities).await;
    }
    println!("killed at {killed} of {points} points; all raw, some, none: {forms:?}");
}

fn migrates(place: &str, recipient: &str, point: Option<u64>) -> Output {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "a_migration_that_nobody_kills_ends_well"])
        .arg("--nocapture")
        .env(STORE, place)
        .env(RECIPIENT, recipient)
        .env_remove(POINT);
    if let Some(point) = point {
        command.env(POINT, point.to_string());
    }
    command.output().unwrap()
}

async fn open(place: &str) -> Arc<dyn Store> {
    if place.starts_with("postgres://") {
        let options = PostgresOptions::new(place.to_owned());
        PostgresStore::open(options).await.unwrap()
    } else {
        SqliteStore::open(SqliteOptions::new(place)).await.unwrap()
    }
}

/// Sealed to the recipient where one is named.
fn hashing(keys: &[u8], recipient: &str) -> Hashing {
    let keys = keys.iter().map(|key| SecretSlice::from(vec![*key; 32]));
    let keyring = Keyring::new(keys).unwrap();
    let escrow = (!recipient.is_empty()).then(|| recipient.parse::<Escrow>().unwrap());
    Hashing::new(true, keyring, escrow)
}

fn org() -> OrgId {
    OrgId::new(1).unwrap()
}

fn token(number: u64) -> String {
    format!("the-token-with-the-number-{number}")
}

/// A store with raw tokens, and nothing of what was there before.
async fn fill(place: &str) {
    let user = UserId::new(1).unwrap();
    let authorizations = (1..=TOKENS).map(|number| AuthorizationRecord {
        authorization: Authorization {
            id: AuthorizationId::new(number).unwrap(),
            v1_name: None,
            org: org(),
            user,
            status: Status::Active,
            description: String::new(),
            permissions: Permission::operator(),
            created_at: 0,
            updated_at: 0,
        },
        token: Some(StoredToken::Raw(RawToken::new(SecretSlice::from(
            token(number).into_bytes(),
        )))),
        escrow: None,
        password: None,
    });
    let plain = Keyring::default();
    let secrets = ["one", "another"].map(|key| SecretRecord {
        org: org(),
        key: key.to_owned(),
        value: seal_secret(&plain, &OsRandomness, (org(), key), SECRET.as_bytes()),
    });
    let snapshot = Snapshot {
        organizations: vec![Organization {
            id: org(),
            name: "org".to_owned(),
            description: String::new(),
            created_at: 0,
            updated_at: 0,
        }],
        users: vec![UserRecord {
            user: User {
                id: user,
                name: "ada".to_owned(),
                status: Status::Active,
                oauth_id: String::new(),
            },
            password: None,
        }],
        authorizations: authorizations.collect(),
        secrets: secrets.into(),
        ..Snapshot::default()
    };
    let store = open(place).await;
    let mut transaction = store.begin().await.unwrap();
    transaction.restore(&snapshot).await.unwrap();
    transaction.commit().await.unwrap();
    store.close().await;
}

/// Every token authenticates in the form that it is in, and every secret opens; how many tokens are
/// raw. In the end none is, all are keyed, and nothing awaits a scrub.
async fn has_all(place: &str, is_the_end: bool) -> u64 {
    let store = open(place).await;
    let keyed = hashing(&[1], "");
    let mut transaction = store.begin_read().await.unwrap();
    let snapshot = transaction.snapshot().await.unwrap();
    assert_eq!(snapshot.authorizations.len() as u64, TOKENS);
    for record in &snapshot.authorizations {
        let id = record.authorization.id.get();
        let presented = ApiToken::from(token(id).into_bytes());
        let stored = record.token.as_ref().unwrap();
        assert!(keyed.verifies(&presented, stored), "token {id}");
    }
    for number in [1, TOKENS / 2, TOKENS] {
        let presented = ApiToken::from(token(number).into_bytes());
        let mut authorizations = transaction.authorizations();
        let found = authorizations.find_by_token(&keyed.forms(&presented)).await;
        let found = found.unwrap().unwrap();
        assert_eq!(found.0.id.get(), number);
    }
    assert_eq!(snapshot.secrets.len(), 2);
    for secret in &snapshot.secrets {
        let value = secret.value.expose_secret();
        let opened = open_secret(keyed.keyring(), (secret.org, &secret.key), value).unwrap();
        assert_eq!(opened.expose_secret(), SECRET.as_bytes());
    }
    drop(transaction);
    let census = Census::take(&*store).await.unwrap();
    assert_eq!(
        (census.total(), census.unknown, census.missing),
        (TOKENS, 0, 0)
    );
    if is_the_end {
        assert_eq!(census.digests.len(), 1, "{census:?}");
        let (variant, count) = census.digests.first_key_value().unwrap();
        assert!(matches!(variant, Variant::Keyed(_)), "{census:?}");
        assert_eq!(*count, TOKENS);
        assert_eq!(census.unsealed(&keyed), 0);
        assert!(!store.awaits_scrub().await.unwrap().any());
    }
    store.close().await;
    census.raw
}

/// Whoever has the identity can open every one of them.
async fn can_be_had_back(place: &str, identities: &EscrowIdentity) {
    let store = open(place).await;
    let mut transaction = store.begin_read().await.unwrap();
    let limit = u32::try_from(TOKENS).unwrap() + 1;
    let sealed = transaction.tokens().in_escrow(None, limit).await.unwrap();
    assert_eq!(sealed.len() as u64, TOKENS);
    // All are there; opening takes a while, so not all are.
    for (id, sealed) in sealed.iter().step_by(97) {
        let opened = identities.open(sealed).unwrap();
        assert_eq!(opened.expose_secret(), token(id.get()).as_bytes());
    }
    drop(transaction);
    store.close().await;
}
