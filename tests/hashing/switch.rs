//! The switch: where it is set, what it refuses, and what it changes.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use influxd_tests::{Answer, Client, Home, Server, on_both_stores};
use rustix::process::Signal;
use sha2::{Digest as _, Sha256, Sha512};

use super::{Made, OFF, all_work, none_works, status, wish};

on_both_stores!(every_mixture_authenticates);

const VARIABLE: &str = "INFLUXD_USE_HASHED_TOKENS";

/// The files that may hold settings, with this value in them.
fn files(value: &str) -> [(&'static str, String); 3] {
    [
        ("config.yaml", format!("use-hashed-tokens: {value}\n")),
        ("config.toml", format!("use-hashed-tokens = {value}\n")),
        ("config.json", format!("{{\"use-hashed-tokens\": {value}}}")),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn it_can_be_set_in_every_place() {
    let home = Home::sqlite();
    home.server().await.set_up().await;
    assert_eq!(status(&home, &[])["hashing"], true, "the default");
    for (text, is_on) in [("true", true), ("false", false)] {
        let flag = format!("--use-hashed-tokens={text}");
        assert_eq!(status(&home, &[&flag])["hashing"], is_on, "{flag}");
        let command = ["token-hashing", "status", "--json"];
        let mut ran = home.command();
        ran.args(command).args(home.flags()).env(VARIABLE, text);
        let output = ran.output().unwrap();
        let shown: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(shown["hashing"], is_on, "{VARIABLE}={text}");
        for (name, content) in files(text) {
            let file = home.folder().join(name);
            fs::write(&file, content).unwrap();
            let mut ran = home.command();
            ran.args(command)
                .args(home.flags())
                .env("INFLUXD_CONFIG_PATH", &file);
            let output = ran.output().unwrap();
            let shown: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!(shown["hashing"], is_on, "{name}: {text}");
            fs::remove_file(&file).unwrap();
        }
    }
    let server = home.server_with(&[OFF]).await;
    assert!(server.output().contains("UseHashedTokens=false"));
    server.stop(Signal::TERM);
    let server = home.server().await;
    assert!(server.output().contains("UseHashedTokens=true"));
}

#[test]
fn what_is_no_boolean_stops_the_start() {
    let home = Home::sqlite();
    let refused = |name: &str, command: &mut std::process::Command, texts: &[&str]| {
        let output = command.args(home.flags()).output().unwrap();
        let (out, err) = (&output.stdout, &output.stderr);
        let said = format!(
            "{}{}",
            String::from_utf8_lossy(out),
            String::from_utf8_lossy(err)
        );
        assert!(!output.status.success(), "{name}: {said}");
        for text in texts {
            assert!(said.contains(text), "{name}: {text:?} is not in {said}");
        }
        assert!(
            !home.folder().join("data").exists(),
            "{name}: a store was made"
        );
    };
    for value in ["yes", "on", "2", " true", "truthy", ""] {
        if !value.is_empty() {
            let flag = format!("--use-hashed-tokens={value}");
            refused(
                &flag,
                home.command().arg(&flag),
                &["use-hashed-tokens", value],
            );
            let name = format!("{VARIABLE}={value}");
            refused(
                &name,
                home.command().env(VARIABLE, value),
                &[VARIABLE, value],
            );
        }
        for (file, content) in files(&format!("{value:?}")) {
            let path = home.folder().join(file);
            fs::write(&path, content).unwrap();
            let name = format!("{file}: {value:?}");
            let texts = [file, "use-hashed-tokens", value];
            refused(
                &name,
                home.command().env("INFLUXD_CONFIG_PATH", &path),
                &texts,
            );
            fs::remove_file(&path).unwrap();
        }
    }
}

/// The digests that a thief finds, or can make of a token.
fn digests(made: &Made) -> [String; 2] {
    let (short, long) = (Sha256::digest(&made.token), Sha512::digest(&made.token));
    [
        format!("$influxdb2-sha256${}", URL_SAFE.encode(short)),
        format!("$influxdb2-sha512${}", URL_SAFE.encode(long)),
    ]
}

async fn shown(operator: &Client, made: &Made) -> String {
    let answer: Answer = operator
        .gets(&format!("/api/v2/authorizations/{}", made.id))
        .await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.body);
    answer.json()["token"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

async fn every_mixture_authenticates(home: Home) {
    let warning = "Token hashing is disabled, but hashed tokens found";
    let mut tokens: Vec<Made> = Vec::new();
    let server = home.server_with(&[OFF]).await;
    let operator = server.set_up().await;
    let wish = wish(&operator).await;
    let make = async |server: &Server, tokens: &mut Vec<Made>| {
        let answer = server
            .operator()
            .posts("/api/v2/authorizations", &wish)
            .await;
        tokens.push(Made::of(&answer));
    };
    make(&server, &mut tokens).await;
    assert_eq!(shown(&operator, &tokens[0]).await, tokens[0].token);
    let stopped = server.stop(Signal::TERM);
    assert!(!stopped.output.contains(warning), "{}", stopped.output);

    for (round, flags) in [&[][..], &[OFF], &[], &[OFF]].into_iter().enumerate() {
        let mut server = home.launches(flags);
        server.is_ready().await;
        make(&server, &mut tokens).await;
        all_work(&server, &tokens).await;
        for made in &tokens {
            none_works(&server, &digests(made)).await;
        }
        let operator = server.operator();
        let is_off = !flags.is_empty();
        // Raw ones are shown, and digests stay digests.
        let last = tokens.last().unwrap();
        let expected = if is_off { &last.token } else { "" };
        assert_eq!(shown(&operator, last).await, expected, "round {round}");
        for made in &tokens[..tokens.len() - 1] {
            assert_eq!(shown(&operator, made).await, "", "round {round}");
        }
        let now = status(&home, flags);
        assert_eq!(now["raw"], u64::from(is_off), "{now}");
        assert_eq!(now["tokens"], tokens.len() as u64 + 1, "{now}");
        let stopped = server.stop(Signal::TERM);
        let warned = stopped.output.matches(warning).count();
        assert_eq!(
            warned,
            usize::from(is_off),
            "round {round}: {}",
            stopped.output
        );
    }
}
