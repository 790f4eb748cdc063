//! Secrets stay where they belong: none in a log, none in a file, and no file for others to read.

mod positions;
mod search;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use influxd_tests::{Credential, Home, Person, files_below, on_both_stores};
use rustix::process::Signal;

use self::search::Marks;

on_both_stores!(
    no_secret_is_in_anything_that_the_server_wrote,
    every_file_is_for_its_owner_alone,
    the_password_of_the_store_is_shown_nowhere,
);

async fn no_secret_is_in_anything_that_the_server_wrote(home: Home) {
    if home.is_shared() {
        // An administrator may have PostgreSQL log every statement and what is bound to it.
        for setting in ["log_statement = 'all'", "log_parameter_max_length = -1"] {
            home.asks_database(&format!(
                "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET {}', current_database()); END $$",
                setting.replace('\'', "''")
            ));
        }
    }
    let server = home.server_with(&["--log-level=debug"]).await;
    let mut marks = Marks::default();
    let (password, token) = (marks.mark("setup, password"), marks.mark("setup, token"));
    let who = Person {
        name: "grace",
        password: &password,
        token: &token,
    };
    let operator = server.client(who.token);
    assert_eq!(operator.sets_up(who).await.status.as_u16(), 201);
    operator.writes("m f=1 1").await.is_accepted();
    operator.signs_in(who.name, who.password).await;

    let nobody = operator.with(Credential::Nothing);
    for request in positions::wrong_credentials(&nobody, &mut marks) {
        // Some are no HTTP, and never sent.
        nobody.try_send(request).await;
    }
    positions::from_within(&operator, &mut marks).await;
    positions::garbage(server.port(), &mut marks).await;
    // A store that fails makes the longest log lines.
    if home.is_shared() {
        home.asks_database(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        );
        for request in positions::wrong_credentials(&nobody, &mut marks)
            .into_iter()
            .take(40)
        {
            nobody.try_send(request).await;
        }
    }

    // Once while it runs, with write-ahead files, and once at rest.
    let metrics = operator.gets("/metrics").await.body;
    marks.are_not_in("the metrics", metrics.as_bytes());
    assert!(
        server.output().contains(" msg=Unauthorized "),
        "refusals are logged"
    );
    marks.are_not_in("the log", server.output().as_bytes());
    marks.are_in_no_file_of(&home);
    let stopped = server.stop(Signal::TERM);
    assert!(!stopped.output.contains("panicked"), "a handler panicked");
    marks.are_not_in("the log", stopped.output.as_bytes());
    marks.are_in_no_file_of(&home);
}

async fn every_file_is_for_its_owner_alone(home: Home) {
    let server = home.server().await;
    let client = server.set_up().await;
    for n in 0..50 {
        client.writes(&format!("m f={n} {n}")).await.is_accepted();
    }
    let data = home.folder().join("data");
    if !home.is_shared() {
        assert!(data.join("influxd.sqlite").exists());
        let mode = fs::metadata(&data).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o700, "{}", data.display());
    }
    for file in files_below(home.folder()) {
        let mode = fs::metadata(&file).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", file.display());
    }
}

async fn the_password_of_the_store_is_shown_nowhere(home: Home) {
    if !home.is_shared() {
        return;
    }
    // Trust authentication takes any password, so a marked one can be given.
    let marked = "marked-store-password-71c2";
    let flag = home
        .flags()
        .into_iter()
        .find(|flag| flag.starts_with("--store-url="))
        .expect("a shared home has a URL");
    let flag = flag.replacen('@', &format!(":{marked}@"), 1);
    let server = home.server_with(&["--log-level=debug", &flag]).await;
    let client = server.set_up().await;
    client.writes("m f=1 1").await.is_accepted();
    let metrics = client.gets("/metrics").await.body;
    assert!(!metrics.contains(marked));
    let stopped = server.stop(Signal::TERM);
    assert!(!stopped.output.contains(marked), "{}", stopped.output);
}
