//! `with-server sqlite|postgres [FLAG…] -- COMMAND…`: runs a command against a scratch server.
//!
//! Starts an `influxd` with the flags on a new store, sets it up, and runs the command with
//! `{url}`, `{org}`, `{bucket}` and `{token}` in its arguments replaced. Ends as the command does.

use std::process::{Command, ExitCode};

use influxd_tests::{BUCKET, Home, OPERATOR_TOKEN, ORG};

const USAGE: &str = "usage: with-server sqlite|postgres [FLAG...] -- COMMAND...";

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
    let home = match store {
        "sqlite" => Home::sqlite(),
        "postgres" => Home::postgres_alone().await,
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let server = home.server_with(&flags).await;
    server.set_up().await;
    let url = format!("http://127.0.0.1:{}", server.port());
    let filled = |text: &String| {
        text.replace("{url}", &url)
            .replace("{org}", ORG)
            .replace("{bucket}", BUCKET)
            .replace("{token}", OPERATOR_TOKEN)
    };
    let status = Command::new(program)
        .args(parameters.iter().map(filled))
        .status();
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
