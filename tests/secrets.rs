//! Secrets stay where they belong: none in a log, none in a file, and no file for others to read.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use influxd_tests::{BUCKET, Home, Person, on_both_stores};
use rustix::process::Signal;

on_both_stores!(
    no_secret_is_in_a_log_or_a_file,
    every_file_is_for_its_owner_alone,
    the_password_of_the_store_is_shown_nowhere,
);

/// Who comes with secrets that are easily told from anything else.
const WHO: Person<'_> = Person {
    name: "grace",
    password: "marked-password-5f1c07e2a9",
    token: "marked-operator-token-83b6d0c4f7e15a29",
};

/// A token that no server ever issued; somebody else's perhaps.
const FOREIGN: &str = "marked-foreign-token-c29e70ab41d8563f";

/// The forms in which a secret could be written down.
fn forms(secret: &str) -> Vec<String> {
    let bytes = secret.as_bytes();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    // Inside a longer base64 text a secret begins at any of three offsets; what lies at the seams
    // depends on its neighbours, so a few characters are left out there.
    let inner = (0..3).map(|offset| {
        let text = STANDARD.encode([&b"xyz"[..offset], bytes].concat());
        let text = text.trim_end_matches('=');
        text[4..text.len() - 4].to_owned()
    });
    inner
        .chain([secret.to_owned(), hex, URL_SAFE.encode(bytes)])
        .collect()
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => found.extend(files_below(&path)),
            Ok(kind) if kind.is_file() => found.push(path),
            _ => {}
        }
    }
    found
}

fn contains(haystack: &[u8], needle: &str) -> bool {
    let needle = needle.as_bytes();
    let mut from = 0;
    while let Some(at) = haystack[from..].iter().position(|byte| *byte == needle[0]) {
        if haystack[from + at..].starts_with(needle) {
            return true;
        }
        from += at + 1;
    }
    false
}

async fn no_secret_is_in_a_log_or_a_file(home: Home) {
    let server = home.server_with(&["--log-level=debug"]).await;
    let client = server.client(WHO.token);
    assert_eq!(client.sets_up(WHO).await.status.as_u16(), 201);
    client.writes("m f=1 1").await.is_accepted();
    client
        .writes("m f=")
        .await
        .is_refused(400, "missing field value");

    let url = format!("http://127.0.0.1:{}", server.port());
    let http = reqwest::Client::new();
    for secret in [WHO.token, FOREIGN, WHO.password] {
        for path in [
            "/query?q=SELECT+f+FROM+m&db=",
            "/write?db=",
            "/api/v2/buckets?name=",
            "/no/such/path?x=",
        ] {
            let ask =
                |method: reqwest::Method| http.request(method, format!("{url}{path}{BUCKET}"));
            for method in [reqwest::Method::GET, reqwest::Method::POST] {
                for request in [
                    ask(method.clone()).header("authorization", format!("Token {secret}")),
                    ask(method.clone()).header("authorization", format!("Bearer {secret}")),
                    ask(method.clone()).header("authorization", format!("Token grace:{secret}")),
                    ask(method.clone()).header("authorization", secret),
                    ask(method.clone()).basic_auth("grace", Some(secret)),
                    ask(method.clone()).query(&[("u", "grace"), ("p", secret)]),
                    ask(method.clone()).query(&[("token", secret)]),
                    ask(method.clone()).form(&[("p", secret), ("q", "SHOW DATABASES")]),
                    ask(method.clone()).header("cookie", format!("influxdb-oss-session={secret}")),
                ] {
                    client.send(request).await;
                }
            }
        }
        let again = Person {
            token: secret,
            password: secret,
            ..WHO
        };
        client.sets_up(again).await;
    }
    client
        .asks(&format!("CREATE USER eve WITH PASSWORD '{}'", WHO.password))
        .await;
    client.gets("/metrics").await;

    // Once while it runs, with write-ahead files, and once at rest.
    let metrics = client.gets("/metrics").await.body;
    look(&home, &server.output(), &metrics);
    let stopped = server.stop(Signal::TERM);
    look(&home, &stopped.output, "");
}

#[track_caller]
fn look(home: &Home, output: &str, metrics: &str) {
    for secret in [WHO.token, FOREIGN, WHO.password] {
        for form in forms(secret) {
            if let Some(line) = output.lines().find(|line| line.contains(&form)) {
                panic!("{secret} is in the log: {line}");
            }
            assert!(!metrics.contains(&form), "{secret} is in the metrics");
            for file in home
                .all_folders()
                .iter()
                .flat_map(|folder| files_below(folder))
            {
                // A file of PostgreSQL's may go while we look.
                let bytes = fs::read(&file).unwrap_or_default();
                assert!(
                    !contains(&bytes, &form),
                    "{secret} is in {}",
                    file.display()
                );
            }
        }
    }
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
