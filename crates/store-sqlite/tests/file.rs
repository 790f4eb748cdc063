//! What only a store in a file has to do: keep it private, scrub it, share it with nobody.
#![expect(
    clippy::unwrap_used,
    reason = "tests end by panicking, and so do their helpers"
)]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use influxd_model::{
    Authorization, AuthorizationId, Bucket, BucketId, BucketKind, OrgId, Organization, Session,
    Status, User, UserId,
};
use influxd_store::{
    AuthorizationKind, ChunkStore, Dead, NewChunk, NewFreshChunk, NewPiece, Replacement, Store,
    StoreError, StoredToken,
};
use influxd_store_sqlite::{SqliteOptions, SqliteStore};
use sqlx::{Connection, Executor, SqliteConnection};

async fn open(path: &Path) -> Arc<SqliteStore> {
    SqliteStore::open(SqliteOptions::new(path)).await.unwrap()
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn bucket() -> BucketId {
    BucketId::new(2).unwrap()
}

async fn with_bucket(store: &SqliteStore) {
    let mut transaction = store.begin().await.unwrap();
    let org = OrgId::new(1).unwrap();
    let organization = Organization {
        id: org,
        name: "acme".to_owned(),
        description: String::new(),
        created_at: 0,
        updated_at: 0,
    };
    transaction
        .organizations()
        .insert(&organization)
        .await
        .unwrap();
    let new = Bucket {
        id: bucket(),
        org,
        name: "b".to_owned(),
        kind: BucketKind::User,
        description: String::new(),
        policy: String::new(),
        retention: None,
        shard_duration: 3_600_000_000_000,
        created_at: 0,
        updated_at: 0,
    };
    transaction.buckets().insert(&new).await.unwrap();
    transaction.commit().await.unwrap();
}

fn fresh(body: Vec<u8>) -> NewFreshChunk {
    NewFreshChunk {
        bucket: bucket(),
        epoch: 0,
        part: 0,
        measurement: b"m".to_vec(),
        min_time: 0,
        max_time: 0,
        row_count: 1,
        body,
    }
}

fn chunk(pieces: i32) -> NewChunk {
    NewChunk {
        oldest: 1,
        newest: 1,
        level: 1,
        bucket: bucket(),
        measurement: b"m".to_vec(),
        window_start: 0,
        min_time: 0,
        max_time: 0,
        row_count: 1,
        head: Vec::new(),
        pieces: (0..pieces)
            .map(|piece_no| NewPiece {
                column_no: 0,
                piece_no,
                data: vec![piece_no as u8; 65_536],
            })
            .collect(),
    }
}

#[tokio::test]
async fn every_file_can_be_read_by_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder
        .path()
        .join("new")
        .join("folders")
        .join("influxd.sqlite");
    let store = open(&path).await;
    store.lock_for_serving().unwrap();
    with_bucket(&store).await;
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    let files: Vec<_> = std::fs::read_dir(path.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert!(files.len() >= 4, "{files:?}");
    for file in &files {
        assert_eq!(mode(file), 0o600, "{}", file.display());
    }
    store.close().await;

    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let _store = open(&path).await;
    assert_eq!(mode(&path), 0o600);
}

#[tokio::test]
async fn one_server_serves_a_file_while_others_may_look_at_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("influxd.sqlite");
    let server = open(&path).await;
    // However one comes to it.
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let tool = open(&link).await;
    assert_eq!(tool.server().unwrap(), None);
    server.lock_for_serving().unwrap();
    server.lock_for_serving().unwrap();
    assert_eq!(tool.server().unwrap().as_deref(), Some(""));
    server.announce("process 123456").unwrap();
    assert_eq!(tool.server().unwrap().as_deref(), Some("process 123456"));
    with_bucket(&tool).await;
    let error = tool.lock_for_serving().unwrap_err();
    assert!(matches!(&error, StoreError::Unusable(text) if text.contains("influxd.sqlite")));
    server.close().await;
    assert_eq!(tool.server().unwrap(), None);
    tool.lock_for_serving().unwrap();
    let committed = tool.commit(vec![fresh(vec![1])]).await.unwrap();
    assert_eq!(committed.chunks.len(), 1);
}

#[tokio::test]
async fn several_processes_may_open_a_new_file_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("influxd.sqlite");
    let (one, two, three) = tokio::join!(open(&path), open(&path), open(&path));
    with_bucket(&one).await;
    two.ping().await.unwrap();
    let mut transaction = three.begin_read().await.unwrap();
    assert!(
        transaction
            .buckets()
            .find(bucket())
            .await
            .unwrap()
            .is_some()
    );
}

#[tokio::test]
async fn a_file_of_a_newer_server_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("influxd.sqlite");
    open(&path).await.close().await;
    let mut conn = SqliteConnection::connect(path.to_str().unwrap())
        .await
        .unwrap();
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (99990101000000, 'from the future', 1, x'00', 0)",
    )
    .execute(&mut conn)
    .await
    .unwrap();
    conn.close().await.unwrap();
    let error = SqliteStore::open(SqliteOptions::new(&path))
        .await
        .unwrap_err();
    assert!(matches!(&error, StoreError::Unusable(text) if text.contains("newer server")));
}

#[tokio::test]
async fn a_file_that_is_no_database_is_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("influxd.sqlite");
    std::fs::write(&path, vec![b'x'; 10_000]).unwrap();
    let error = SqliteStore::open(SqliteOptions::new(&path))
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
    let nowhere = SqliteOptions::new("/dev/null/influxd.sqlite");
    let error = SqliteStore::open(nowhere).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
}

#[tokio::test]
async fn what_was_committed_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("influxd.sqlite");
    let store = open(&path).await;
    with_bucket(&store).await;
    let mut ids = Vec::new();
    for i in 0..20 {
        let committed = store.commit(vec![fresh(vec![i; 10_000])]).await.unwrap();
        ids.push(committed.chunks[0].1);
    }
    // What a killed process leaves: the file and its log as they are at this moment.
    let copy = tempfile::tempdir().unwrap();
    for suffix in ["-wal", ""] {
        let name = format!("influxd.sqlite{suffix}");
        std::fs::copy(folder.path().join(&name), copy.path().join(&name)).unwrap();
    }
    let survivor = open(&copy.path().join("influxd.sqlite")).await;
    assert_eq!(survivor.fresh_bodies(&ids).await.unwrap().len(), 20);
    let later = survivor.commit(vec![fresh(vec![0])]).await.unwrap();
    assert!(later.chunks[0].1 > ids[19]);
}

#[tokio::test]
async fn replaced_secrets_are_in_no_file_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("influxd.sqlite");
    let store = open(&path).await;
    with_bucket(&store).await;
    let secret = "$argon2id$the-old-hash-of-a-password";
    let id = UserId::new(9).unwrap();
    let token = Authorization {
        id: AuthorizationId::new(3).unwrap(),
        v1_name: None,
        org: OrgId::new(1).unwrap(),
        user: id,
        status: Status::Active,
        description: String::new(),
        permissions: Vec::new(),
        created_at: 0,
        updated_at: 0,
    };
    let named = Authorization {
        id: AuthorizationId::new(4).unwrap(),
        v1_name: Some("ada".to_owned()),
        ..token.clone()
    };
    let session = Session {
        user: id,
        created_at: 0,
        expires_at: 9,
    };
    let set = async |hash: &str| {
        let mut transaction = store.begin().await.unwrap();
        transaction.users().set_password(id, hash).await.unwrap();
        let mut authorizations = transaction.authorizations();
        authorizations.set_password(named.id, hash).await.unwrap();
        drop(authorizations);
        let value = hash.as_bytes();
        transaction
            .secrets()
            .put(named.org, "key", value)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
    };
    let mut transaction = store.begin().await.unwrap();
    let user = User {
        id,
        name: "ada".to_owned(),
        status: Status::Active,
        oauth_id: String::new(),
    };
    transaction.users().insert(&user).await.unwrap();
    let mut authorizations = transaction.authorizations();
    let stored = StoredToken::Digest(secret.to_owned());
    authorizations.insert(&token, Some(&stored)).await.unwrap();
    authorizations.insert(&named, None).await.unwrap();
    drop(authorizations);
    transaction
        .sessions()
        .insert(&session, secret)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    set(secret).await;
    // A transaction that frees chunks does not scrub; the next one has to again.
    let ids = store
        .replace(Replacement {
            new: vec![chunk(3)],
            ..Replacement::default()
        })
        .await
        .unwrap()
        .unwrap()
        .ids;
    let death = Replacement {
        chunks: ids,
        ..Replacement::default()
    };
    store.replace(death).await.unwrap().unwrap();
    assert_eq!(
        store
            .remove_dead(Dead::Chunks, i64::MAX, 100)
            .await
            .unwrap(),
        4
    );
    set(&"longer than before, so that it moves ".repeat(60)).await;
    set("short").await;
    let mut transaction = store.begin().await.unwrap();
    let kind = AuthorizationKind::ApiToken;
    let mut authorizations = transaction.authorizations();
    authorizations.delete(kind, token.id).await.unwrap();
    drop(authorizations);
    assert!(transaction.sessions().delete(secret, 0).await.unwrap());
    transaction.commit().await.unwrap();
    store.tidy().await.unwrap();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let file = entry.unwrap().path();
        let bytes = std::fs::read(&file).unwrap();
        let found = bytes.windows(secret.len()).any(|w| w == secret.as_bytes());
        assert!(!found, "{}", file.display());
    }
}

#[tokio::test]
async fn tidying_makes_the_files_smaller() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("influxd.sqlite");
    let store = open(&path).await;
    with_bucket(&store).await;
    let new = Replacement {
        new: vec![chunk(400)],
        ..Replacement::default()
    };
    let ids = store.replace(new).await.unwrap().unwrap().ids;
    store.tidy().await.unwrap();
    let size = |name: &str| {
        let file = folder.path().join(name);
        std::fs::metadata(file).map_or(0, |m| m.len())
    };
    assert_eq!(size("influxd.sqlite-wal"), 0);
    let before = size("influxd.sqlite");
    assert!(before > 400 * 65_536);
    let death = Replacement {
        chunks: ids,
        ..Replacement::default()
    };
    store.replace(death).await.unwrap().unwrap();
    while store
        .remove_dead(Dead::Chunks, i64::MAX, 100)
        .await
        .unwrap()
        > 0
    {}
    store.tidy().await.unwrap();
    assert_eq!(size("influxd.sqlite-wal"), 0);
    let after = size("influxd.sqlite");
    assert!(after < before / 4, "{before} bytes became {after}");
    store.ping().await.unwrap();
}

/// A process was killed while it made the file: what it left in the journal is rolled back.
#[tokio::test]
async fn a_half_made_file_becomes_a_store() {
    let folder = tempfile::tempdir().unwrap();
    let making = folder.path().join("making");
    let url = format!("sqlite://{}?mode=rwc", making.display());
    let mut conn = SqliteConnection::connect(&url).await.unwrap();
    // So little memory that pages are written before the commit.
    let sql = "PRAGMA journal_mode = DELETE; PRAGMA cache_size = 2; BEGIN; CREATE TABLE t (a);
               INSERT INTO t SELECT zeroblob(40000) FROM (VALUES (1), (2), (3))";
    conn.execute(sql).await.unwrap();
    let path = folder.path().join("influxd.sqlite");
    let journal = |path: &Path| path.with_extension("sqlite-journal");
    std::fs::copy(&making, &path).unwrap();
    std::fs::copy(folder.path().join("making-journal"), journal(&path)).unwrap();
    assert!(std::fs::metadata(&path).unwrap().len() > 0);
    let store = open(&path).await;
    with_bucket(&store).await;
    store.close().await;
    assert!(!journal(&path).exists());
}
