//! What the files hold after a migration: nothing of any token that was raw.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use influxd_tests::{Client, Credential, Home, Search, Server, files_below};
use rustix::process::Signal;
use serde_json::json;

use super::{Made, OFF, all_work, each, escrow, makes_tokens, status};

/// Every file below a folder is for its owner alone.
#[track_caller]
fn files_are_private(folder: &Path) {
    for file in files_below(folder) {
        let mode = fs::metadata(&file).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", file.display());
    }
}

/// A life with hashing off: tokens are made, changed and deleted. Returns those that live, those
/// that are gone, and whose session was ended.
async fn lives_raw(server: &Server, count: usize) -> (Vec<Made>, Vec<Made>, String) {
    let operator = server.set_up().await;
    let mut tokens = makes_tokens(&operator, count).await;
    let gone = tokens.split_off(count - count / 10);
    let deleted = each(&gone, |made| {
        let (operator, path) = (
            operator.clone(),
            format!("/api/v2/authorizations/{}", made.id),
        );
        async move { operator.removes(&path).await }
    });
    deleted.await.iter().for_each(|answer| answer.is_done());
    let body = Arc::new(json!({"description": "changed ".repeat(40), "status": "active"}));
    let changed = each(&tokens[..count / 10], |made| {
        let path = format!("/api/v2/authorizations/{}", made.id);
        let (operator, body) = (operator.clone(), Arc::clone(&body));
        async move { operator.patches(&path, &body).await }
    });
    changed.await.iter().for_each(|answer| answer.is_done());
    let session = operator.signs_in("ada", "correct horse battery").await;
    let Credential::Session(key) = session.credential().clone() else {
        panic!("a session has a key");
    };
    (tokens, gone, key)
}

async fn nothing_is_left_on_sqlite(count: usize, more: &[&str]) {
    let home = Home::sqlite();
    let folder = home.folder().join("data");
    let flags = [&["--log-level=debug"], more].concat();
    let server = home.server_with(&[&flags[..], &[OFF]].concat()).await;
    let (tokens, gone, session) = lives_raw(&server, count).await;
    let texts = tokens.iter().chain(&gone).map(|made| &made.token);
    let search = Search::new(texts.chain([&session]).map(String::as_str));
    let output = server.kill().output;
    search.finds_nothing_in("the output", output.as_bytes());
    let found = files_below(&folder)
        .iter()
        .map(|file| search.finds_in(&fs::read(file).unwrap()).len())
        .sum::<usize>();
    assert!(
        found >= tokens.len(),
        "the search finds what is there, {found}"
    );

    // While it runs, after it stopped, and after it was killed.
    let mut server = home.launches(&flags);
    server.is_ready().await;
    search.finds_nothing_below(&folder);
    files_are_private(&folder);
    all_work(&server, &tokens).await;
    search.finds_nothing_below(&folder);
    let output = server.stop(Signal::TERM).output;
    search.finds_nothing_in("the output", output.as_bytes());
    search.finds_nothing_below(&folder);
    let mut server = home.launches(&flags);
    server.is_ready().await;
    all_work(&server, &tokens[..50]).await;
    let output = server.kill().output;
    search.finds_nothing_in("the output", output.as_bytes());
    search.finds_nothing_below(&folder);
    files_are_private(&folder);
    assert_eq!(status(&home, &[])["raw"], 0);
    search.finds_nothing_below(&folder);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_leaves_nothing_in_the_files() {
    nothing_is_left_on_sqlite(1000, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_with_escrow_leaves_nothing_in_the_files() {
    let elsewhere = Home::sqlite();
    let (_, to_escrow) = escrow(&elsewhere);
    nothing_is_left_on_sqlite(300, &[&to_escrow]).await;
}

/// Killed in the middle, somebody else finishes the work, the scrubbing included.
#[tokio::test(flavor = "multi_thread")]
async fn a_migration_that_was_killed_leaves_nothing_either() {
    let home = Home::sqlite();
    let folder = home.folder().join("data");
    let (_, to_escrow) = escrow(&home);
    let server = home.server_with(&[OFF]).await;
    let (tokens, gone, _) = lives_raw(&server, 1200).await;
    server.kill();
    let all = status(&home, &[])["raw"].as_u64().unwrap();
    let server = home.launches(&[&to_escrow]);
    let began = Instant::now();
    loop {
        let raw = status(&home, &[])["raw"].as_u64().unwrap();
        assert!(raw <= all, "{raw}");
        if raw < all {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "nothing moves");
    }
    server.kill();
    let mut server = home.launches(&[&to_escrow]);
    server.is_ready().await;
    let texts = tokens.iter().chain(&gone).map(|made| &made.token);
    let search = Search::new(texts);
    search.finds_nothing_below(&folder);
    all_work(&server, &tokens).await;
}

/// What PostgreSQL keeps for crashes and replicas is its own, and the log names it.
#[tokio::test(flavor = "multi_thread")]
async fn a_migration_leaves_nothing_in_the_relations_of_postgresql() {
    let home = Home::postgres_alone().await;
    let data = PathBuf::from(home.asks_database("SHOW data_directory"));
    let server = home.server_with(&[OFF]).await;
    let (tokens, gone, session) = lives_raw(&server, 500).await;
    server.kill();
    let texts = tokens.iter().chain(&gone).map(|made| &made.token);
    let search = Search::new(texts.chain([&session]).map(String::as_str));
    // Statistics hold samples of what is in the tables.
    home.asks_database("ANALYZE");
    home.asks_database("CHECKPOINT");
    let count = |folder: &Path| -> usize {
        let files = files_below(folder);
        let bytes = files.iter().map(|file| fs::read(file).unwrap_or_default());
        bytes.map(|bytes| search.finds_in(&bytes).len()).sum()
    };
    assert!(count(&data.join("base")) >= tokens.len());

    let mut server = home.launches(&[]);
    server.is_ready().await;
    home.asks_database("CHECKPOINT");
    for entry in fs::read_dir(&data).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name() != "pg_wal" && entry.file_type().unwrap().is_dir() {
            search.finds_nothing_below(&entry.path());
        }
    }
    search.finds_nothing_below(home.folder());
    println!(
        "still in PostgreSQL's own WAL: {}",
        count(&data.join("pg_wal"))
    );
    all_work(&server, &tokens).await;
    let output = server.stop(Signal::TERM).output;
    search.finds_nothing_in("the output", output.as_bytes());
    assert!(output.contains("write-ahead log"), "{output}");
}

/// What is deleted while hashing is on is scrubbed as well: soon, and at the latest by the next
/// start.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_deleted_is_scrubbed_soon_or_by_the_next_start() {
    let home = Home::sqlite();
    let server = home.server().await;
    let operator = server.set_up().await;
    let first = deletes_secret_and_session(&operator, "a-secret-of-an-organization-5b1c9e7d2f");
    is_soon_gone(&home, &first.await).await;

    let second = deletes_secret_and_session(&operator, "another-secret-0f4d6c8b1a").await;
    server.kill();
    let mut server = home.launches(&[]);
    server.is_ready().await;
    // A start lets requests through before it scrubs what is no token.
    is_soon_gone(&home, &second).await;
}

/// Both, after they were there.
async fn deletes_secret_and_session(operator: &Client, secret: &str) -> [String; 2] {
    let org = operator.org_id(influxd_tests::ORG).await;
    let path = format!("/api/v2/orgs/{org}/secrets");
    let put = operator.patches(&path, &json!({"key": secret})).await;
    put.is_done();
    let key = session_of(operator).await;
    let names = json!({"secrets": ["key"]});
    let removed = operator.posts(&format!("{path}/delete"), &names).await;
    removed.is_done();
    [secret.to_owned(), key]
}

/// None of these is in any file of the server.
async fn is_soon_gone(home: &Home, secrets: &[String]) {
    let search = Search::new(secrets);
    let began = Instant::now();
    let is_in = |file: &PathBuf| {
        let bytes = fs::read(file).unwrap_or_default();
        !search.finds_in(&bytes).is_empty()
    };
    while files_below(home.folder()).iter().any(is_in) {
        assert!(began.elapsed() < Duration::from_secs(60), "it stays");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The key of a session that was ended.
async fn session_of(operator: &Client) -> String {
    let session = operator.signs_in("ada", "correct horse battery").await;
    let Credential::Session(key) = session.credential().clone() else {
        panic!("a session has a key");
    };
    session.posts("/api/v2/signout", &json!({})).await.is_done();
    key
}
