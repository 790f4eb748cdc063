//! Databases of earlier servers are taken over as they are.
#![expect(
    clippy::unwrap_used,
    reason = "tests end by panicking, and so do their helpers"
)]

use influxd_model::{MemberOf, Membership, OrgId, Role, UserId};
use influxd_store::{Store, TokenForms};
use influxd_store_postgres::scratch::ScratchCluster;
use influxd_store_postgres::{PostgresOptions, PostgresStore};
use secrecy::ExposeSecret;
use sqlx::{Connection, Executor, PgConnection, Row};

/// The last schema without memberships.
const OWNERS: i64 = 20_261_122_080_100;

/// What ANALYZE has kept of columns that hold secrets, or what is made of them.
async fn samples(conn: &mut PgConnection) -> Vec<String> {
    let rows = conn
        .fetch_all(
            "SELECT tablename || '.' || attname AS name FROM pg_stats
             WHERE schemaname = 'public' AND attname IN
               ('hash', 'token_digest', 'v1_password', 'digest', 'value') ORDER BY 1",
        )
        .await
        .unwrap();
    rows.iter().map(|row| row.get("name")).collect()
}

#[tokio::test]
async fn owners_become_memberships_and_samples_of_digests_go() {
    let cluster = ScratchCluster::shared().unwrap();
    let url = cluster.create_database().await.unwrap();
    let mut conn = PgConnection::connect(url.expose_secret()).await.unwrap();
    sqlx::migrate!("../../migrations/postgres")
        .run_to(OWNERS, &mut conn)
        .await
        .unwrap();
    let (org, user) = (OrgId::new(1).unwrap(), UserId::new(7).unwrap());
    for sql in [
        "INSERT INTO organizations SELECT $1, 'acme', '\\x01', '', 0, 0 WHERE $2 <> $1",
        "INSERT INTO users SELECT $2, 'ada', '\\x01', true WHERE $2 <> $1",
        "INSERT INTO passwords SELECT $2, '$argon2id$hash' WHERE $2 <> $1",
        "INSERT INTO owners VALUES ($2, 0, 0), ($2, 1, $1), ($2, 1, 99)",
    ] {
        let insert = sqlx::query(sql)
            .bind(org.to_column())
            .bind(user.to_column());
        insert.execute(&mut conn).await.unwrap();
    }
    conn.execute(
        "INSERT INTO authorizations
           SELECT n, 1, 1, true, '', '[]', 0, 0, '$influxdb2-sha256$' || n
           FROM generate_series(1, 100) n;
         ANALYZE",
    )
    .await
    .unwrap();
    assert_eq!(
        samples(&mut conn).await,
        ["authorizations.token_digest", "passwords.hash"]
    );

    let store = PostgresStore::open(PostgresOptions::new(url))
        .await
        .unwrap();
    let mut transaction = store.begin().await.unwrap();
    let owner = |of| Membership {
        user,
        of,
        role: Role::Owner,
    };
    assert_eq!(
        transaction.memberships().of_user(user).await.unwrap(),
        [
            owner(MemberOf::Instance),
            owner(MemberOf::Organization(org))
        ]
    );
    let forms = TokenForms {
        raw_key: [0; 32],
        digests: vec!["$influxdb2-sha256$42".to_owned()],
    };
    let found = transaction.authorizations().find_by_token(&forms).await;
    assert_eq!(found.unwrap().unwrap().0.v1_name, None);
    let password = transaction.users().password(user).await.unwrap();
    assert_eq!(password.as_deref(), Some("$argon2id$hash"));
    let mut secrets = transaction.secrets();
    secrets.put(org, "key", b"a secret").await.unwrap();
    drop(secrets);
    transaction.commit().await.unwrap();

    assert_eq!(samples(&mut conn).await, [""; 0]);
    conn.execute("ANALYZE").await.unwrap();
    assert_eq!(samples(&mut conn).await, [""; 0]);
}
