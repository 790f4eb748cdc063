//! What it costs to find out who sends a request: `cargo bench -p influxd-tokens`.

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use criterion::Criterion;
use influxd_model::{Authorization, Organization, Permission, Status, SystemClock, User};
use influxd_store::{Result, Store};
use influxd_store_sqlite::{SqliteOptions, SqliteStore};
use influxd_tokens::{
    ApiToken, Cached, Credential, Hashing, Ids, NamedSecret, OsRandomness, PasswordConfig,
    PasswordRules, Passwords, Resolver, SessionConfig, Surface, choose,
};
use tokio::runtime::Runtime;

const FROM: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// How many tokens there are in the store.
const TOKENS: usize = 10_000;

fn token(n: usize) -> ApiToken {
    // As long as one that we make.
    ApiToken::from(format!("{n:0>88}").into_bytes())
}

async fn fill(store: &dyn Store, hash: &str) -> Result<()> {
    let ids = Ids::new(Arc::new(OsRandomness), Arc::new(SystemClock));
    let user = User {
        id: ids.user(),
        name: "alice".to_owned(),
        status: Status::Active,
        oauth_id: String::new(),
    };
    let organization = Organization {
        id: ids.org(),
        name: "acme".to_owned(),
        description: String::new(),
        created_at: 0,
        updated_at: 0,
    };
    let authorization = |v1_name: Option<&str>| Authorization {
        id: ids.authorization(),
        v1_name: v1_name.map(str::to_owned),
        org: organization.id,
        user: user.id,
        status: Status::Active,
        description: String::new(),
        permissions: Permission::org_owner(organization.id),
        created_at: 0,
        updated_at: 0,
    };
    let hashing = Hashing::default();
    let mut transaction = store.begin().await?;
    transaction.users().insert(&user).await?;
    transaction.organizations().insert(&organization).await?;
    for n in 0..TOKENS {
        let stored = hashing.stored(&token(n));
        let new = authorization(None);
        transaction
            .authorizations()
            .insert(&new, Some(&stored))
            .await?;
    }
    let v1_user = authorization(Some("grafana"));
    transaction.authorizations().insert(&v1_user, None).await?;
    transaction
        .authorizations()
        .set_password(v1_user.id, hash)
        .await?;
    transaction.commit().await
}

fn resolve(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime starts");
    let folder = tempfile::TempDir::new().expect("there is a place for temporary files");
    let config = PasswordConfig {
        at_once: 1,
        rules: PasswordRules::default(),
    };
    let passwords = Passwords::new(Arc::new(OsRandomness), config).expect("threads start");
    let passwords = Arc::new(passwords);
    let resolver = runtime.block_on(async {
        let path = folder.path().join("influxd.sqlite");
        let store = SqliteStore::open(SqliteOptions::new(path)).await?;
        let password = b"v1-password".to_vec().into();
        let hash = passwords.hash(&password).await.expect("it can be hashed");
        fill(&*store, &hash).await?;
        let sessions = SessionConfig::default();
        let clock = Arc::new(SystemClock);
        Ok::<_, influxd_store::StoreError>(Resolver::new(
            store,
            clock,
            Arc::new(Hashing::default()),
            Arc::clone(&passwords),
            sessions,
        ))
    });
    let resolver = resolver.expect("the store is new");

    let header = format!("Token {:0>88}", 7);
    criterion.bench_function("choose a token header", |bencher| {
        bencher.iter(|| {
            let header = Some(black_box(header.as_bytes()));
            choose(
                Surface::V1,
                "db=first&precision=ns",
                header,
                std::iter::empty(),
            )
        });
    });
    criterion.bench_function("token, seen a moment ago", |bencher| {
        let credential = Credential::Token(token(7));
        bencher.iter(|| match resolver.cached(black_box(&credential)) {
            Cached::Fresh(_) => {}
            Cached::Ageing(_) | Cached::Absent => {
                let again = resolver.resolve(credential.clone(), FROM);
                runtime.block_on(again).expect("the token is good");
            }
        });
    });
    let mut n = 0;
    criterion.bench_function("token, first seen, SQLite", |bencher| {
        bencher.iter(|| {
            n = (n + 1) % TOKENS;
            let credential = Credential::Token(token(n));
            runtime
                .block_on(resolver.resolve(credential, FROM))
                .expect("the token is good")
        });
    });
    criterion.bench_function("1.x password, seen before, SQLite", |bencher| {
        bencher.iter(|| {
            let credential = Credential::Basic(NamedSecret {
                name: b"grafana".to_vec(),
                secret: ApiToken::from(b"v1-password".to_vec()),
            });
            runtime
                .block_on(resolver.resolve(credential, FROM))
                .expect("the password is right")
        });
    });
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    resolve(&mut criterion);
    criterion.final_summary();
}
