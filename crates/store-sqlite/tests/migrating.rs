//! Files of earlier servers are taken over as they are.

use influxd_model::{MemberOf, Membership, OrgId, Role, UserId};
use influxd_store::{Store, TokenForms};
use influxd_store_sqlite::{SqliteOptions, SqliteStore};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};

/// The last schema without memberships.
const OWNERS: i64 = 20_261_122_080_100;

#[tokio::test]
async fn owners_become_memberships() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("influxd.sqlite");
    let options = SqliteConnectOptions::new()
        .filename(&path)
        .create_if_missing(true);
    let mut conn = options.connect().await.unwrap();
    sqlx::migrate!("../../migrations/sqlite")
        .run_to(OWNERS, &mut conn)
        .await
        .unwrap();
    let (org, user) = (OrgId::new(1).unwrap(), UserId::new(7).unwrap());
    for sql in [
        "INSERT INTO organizations VALUES (?1, 'acme', x'01', '', 0, 0)",
        "INSERT INTO users SELECT ?2, 'ada', x'01', 1 FROM organizations WHERE id = ?1",
        "INSERT INTO owners VALUES (?2, 0, 0), (?2, 1, ?1), (?2, 1, 99)",
        "INSERT INTO authorizations VALUES (5, ?1, ?2, 1, '', '[]', 0, 0, 'digest')",
    ] {
        let insert = sqlx::query(sql)
            .bind(org.to_column())
            .bind(user.to_column());
        insert.execute(&mut conn).await.unwrap();
    }
    conn.close().await.unwrap();

    let store = SqliteStore::open(SqliteOptions::new(&path)).await.unwrap();
    let mut transaction = store.begin_read().await.unwrap();
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
        digests: vec!["digest".to_owned()],
    };
    let found = transaction.authorizations().find_by_token(&forms).await;
    assert_eq!(found.unwrap().unwrap().0.v1_name, None);
}
