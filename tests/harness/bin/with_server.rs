//! `with-server sqlite|postgres [FLAG…] -- COMMAND…`: runs a command against a scratch server.
//!
//! Starts an `influxd` with the flags on a new store, sets it up, and runs the command with
//! `{url}`, `{org}`, `{bucket}`, `{token}`, `{user}` and `{password}` in its arguments replaced. Ends
//! as the command does, or fails if a handler of the server panicked or the server is gone.
//!
//! `with-server cluster -- COMMAND…` starts a PostgreSQL cluster and no server, for commands that
//! start servers themselves; `{cluster}` is its URL without a database.

use std::process::{Command, ExitCode};

use influxd_store_postgres::scratch::ScratchCluster;
use influxd_tests::{BUCKET, Home, OPERATOR_TOKEN, ORG, Person};
use secrecy::ExposeSecret;

const USAGE: &str = "usage: with-server sqlite|postgres [FLAG...] -- COMMAND...
       with-server cluster -- COMMAND...";

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(middle) = arguments.iter().position(|argument| argument == "--") else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let (store, flags) = match arguments[..middle].split_first() {
        Some((store, flags)) => (store.as_str(), flags),
        None => ("", &[][..]),
    };
    let [program, parameters @ ..] = &arguments[middle + 1..] else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    if store == "cluster" && flags.is_empty() {
        let cluster = ScratchCluster::start().expect("PostgreSQL starts");
        let url = cluster.url("");
        let url = url.expose_secret().trim_end_matches('/');
        return run(program, parameters, |text| text.replace("{cluster}", url));
    }
    let home = match store {
        "sqlite" => Home::sqlite(),
        "postgres" => Home::postgres_alone().await,
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let mut server = home.server_with(&flags).await;
    server.set_up().await;
    let url = format!("http://127.0.0.1:{}", server.port());
    let ended = run(program, parameters, |text| {
        text.replace("{url}", &url)
            .replace("{org}", ORG)
            .replace("{bucket}", BUCKET)
            .replace("{token}", OPERATOR_TOKEN)
            .replace("{user}", Person::default().name)
            .replace("{password}", Person::default().password)
    });
    if server.output().contains("panicked") || !server.is_running() {
        eprintln!(
            "{}\na handler panicked, or the server ended",
            server.output()
        );
        return ExitCode::FAILURE;
    }
    ended
}

/// Runs the command with its parameters filled in; ends as it does.
fn run(program: &str, parameters: &[String], fill: impl Fn(&str) -> String) -> ExitCode {
    let parameters = parameters.iter().map(|text| fill(text));
    let status = Command::new(program).args(parameters).status();
    match status.map(|status| status.code()) {
        Ok(Some(0)) => ExitCode::SUCCESS,
        Ok(Some(code)) => ExitCode::from(u8::try_from(code).unwrap_or(1)),
        Ok(None) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{program}: {error}");
            ExitCode::from(2)
        }
    }
}
