//! The sub-commands, and how their errors leave the process.

mod cli;
mod downgrade;
mod offline;
mod pid_file;
mod print_config;
mod run;
mod stores;
mod token_care;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use influxd_model::SystemClock;

use crate::build;
use crate::settings::{self, ConfigFile, Environment, Flags, Settings};
use cli::Call;

/// Does what the command line asks for.
pub(crate) fn main(args: Vec<OsString>, environment: Result<Environment, String>) -> ExitCode {
    let environment = match environment {
        Ok(environment) => environment,
        Err(text) => return failure(&anyhow::Error::msg(text)),
    };
    // A broken file stops every command, before anything else is looked at.
    let config_path = environment.get("INFLUXD_CONFIG_PATH").map(String::as_str);
    let file = match settings::load(config_path) {
        Ok(file) => file,
        Err(text) => {
            eprintln!("{text}");
            return ExitCode::FAILURE;
        }
    };
    let done = cli::parse(args)
        .map_err(anyhow::Error::msg)
        .and_then(|call| answer(call, &environment, file.as_ref()));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failure(&error),
    }
}

fn failure(error: &anyhow::Error) -> ExitCode {
    eprintln!("Error: {error:#}\nSee 'influxd -h' for help");
    ExitCode::FAILURE
}

fn answer(call: Call, environment: &Environment, file: Option<&ConfigFile>) -> Result<()> {
    let read = |flags: &Flags| Settings::read(flags, environment, file);
    match call {
        Call::Help(text) => print(&text),
        Call::Version => print(&(build::version_line(&SystemClock) + "\n")),
        Call::PrintConfig { flags, key_name } => {
            let settings = read(&flags)?;
            eprintln!(
                "Command \"print-config\" is deprecated, use the influx-cli command \
                 server-config to display the configuration values from the running server"
            );
            let key_name = key_name
                .or_else(|| environment.get("INFLUXD_KEY_NAME").cloned())
                .unwrap_or_default();
            print(&print_config::text(&settings, &key_name)?)
        }
        Call::Offline { flags, asked } => {
            offline::run(&asked, &read(&flags)?, Arc::new(SystemClock))
        }
        Call::Downgrade { flags, targets } => {
            read(&flags)?;
            downgrade::run(&targets)
        }
        Call::SeeHelp(path) => {
            eprintln!("See 'influxd {path} -h' for help");
            Ok(())
        }
        Call::Run(flags) => run::run(&read(&flags)?, Arc::new(SystemClock)),
    }
}

/// Prints to standard output; a reader that went away is no error worth a message.
fn print(text: &str) -> Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(e.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_value_is_refused_before_a_downgrade_is_explained() {
        let refused = |args: &[&str], environment: &[(&str, &str)]| {
            let call = cli::parse(args.iter().map(OsString::from).collect()).unwrap();
            let pairs = environment.iter();
            let environment = pairs.map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
            let answer = answer(call, &environment.collect(), None);
            answer.unwrap_err().to_string()
        };
        let flag = refused(&["downgrade", "--log-level", "x", "2.4"], &[]);
        assert!(flag.contains("\"--log-level\""), "{flag}");
        let flag = refused(&["downgrade", "--use-hashed-tokens=yes", "2.4"], &[]);
        assert!(flag.contains("\"--use-hashed-tokens\""), "{flag}");
        let variable = ("INFLUXD_USE_HASHED_TOKENS", "yes");
        let variable = refused(&["downgrade", "2.4"], &[variable]);
        assert!(variable.contains("INFLUXD_USE_HASHED_TOKENS"), "{variable}");
        let told = refused(&["downgrade", "2.4"], &[]);
        assert!(told.starts_with("nothing was changed"), "{told}");
    }
}
