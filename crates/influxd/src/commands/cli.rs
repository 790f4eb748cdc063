//! The command line: what clap is told, and its errors in the words of 2.x (influxd-cli 1).

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches, Command};

use super::offline::{self, Offline};
use crate::settings::{Flags, Kind, SETTINGS, Setting, table};

/// What the command line asks for.
#[derive(Debug)]
pub(super) enum Call {
    /// Start the server.
    Run(Flags),
    /// Print the configuration, or one key of it.
    PrintConfig {
        flags: Flags,
        key_name: Option<String>,
    },
    /// Work on a store without a server.
    Offline { flags: Flags, asked: Offline },
    /// Explain that there is nothing to go back to.
    Downgrade { flags: Flags, targets: Vec<String> },
    /// Print the version.
    Version,
    /// Say where the help for these commands is: they are a group, and do nothing themselves.
    SeeHelp(String),
    /// Print this text.
    Help(String),
}

/// Reads the command line; the error is the text that follows `Error: `.
pub(super) fn parse(args: Vec<OsString>) -> Result<Call, String> {
    let asked = args.first().and_then(|arg| arg.to_str()).unwrap_or("");
    if asked == "help" {
        return Ok(Call::Help(help_of(&args[1..])));
    }
    refuse_broken_text(&args)?;
    let path = command_path(&args);
    let argv = std::iter::once(OsString::from("influxd")).chain(args);
    let matches = match root().try_get_matches_from(argv) {
        Ok(matches) => matches,
        Err(error) if error.kind() == ErrorKind::DisplayHelp => {
            return Ok(Call::Help(error.render().to_string()));
        }
        Err(error) => return Err(in_words_of_2x(&error, &path)),
    };
    Ok(match matches.subcommand() {
        Some(("version", _)) => Call::Version,
        Some(("print-config", inner)) => Call::PrintConfig {
            flags: flags(&[&matches, inner]),
            key_name: inner.get_one::<String>("key-name").cloned(),
        },
        Some(("downgrade", inner)) => Call::Downgrade {
            flags: flags(&[&matches, inner]),
            targets: inner
                .get_many::<String>("target")
                .map(|all| all.cloned().collect())
                .unwrap_or_default(),
        },
        Some(("run", inner)) => Call::Run(flags(&[&matches, inner])),
        Some(_) => below(&matches)?,
        None => Call::Run(flags(&[&matches])),
    })
}

/// Refuses arguments that are no text, in words that name the flag.
fn refuse_broken_text(args: &[OsString]) -> Result<(), String> {
    let Some(at) = args.iter().position(|arg| arg.to_str().is_none()) else {
        return Ok(());
    };
    let given = args[at].to_string_lossy();
    let before = at.checked_sub(1).and_then(|before| args[before].to_str());
    let before = before.and_then(|arg| arg.strip_prefix("--"));
    let (name, value) = match given.strip_prefix("--").map(|arg| arg.split_once('=')) {
        Some(Some((name, value))) => (name, value),
        None if before.is_some_and(|name| !name.contains('=')) => {
            (before.unwrap_or_default(), &*given)
        }
        _ => return Err(format!("argument {given:?} is not UTF-8")),
    };
    let is_shown = table::find(name).is_some_and(|setting| !setting.secret);
    let value = if is_shown { value } else { "***" };
    Err(format!(
        "invalid argument {value:?} for \"--{name}\" flag: it is not UTF-8"
    ))
}

/// What a command of a group asks for.
fn below(matches: &ArgMatches) -> Result<Call, String> {
    let (mut levels, mut path) = (vec![matches], Vec::new());
    while let Some((name, inner)) = levels[levels.len() - 1].subcommand() {
        path.push(name);
        levels.push(inner);
    }
    let asked = offline::offline(&path, levels[levels.len() - 1])?;
    Ok(match asked {
        Some(asked) => Call::Offline {
            flags: flags(&levels),
            asked,
        },
        None => Call::SeeHelp(path.join(" ")),
    })
}

/// The commands that a command line names, as errors call them.
fn command_path(args: &[OsString]) -> String {
    let root = root();
    let mut path = "influxd".to_owned();
    let mut command = &root;
    for arg in args.iter().filter_map(|arg| arg.to_str()) {
        match command.find_subcommand(arg) {
            Some(inner) => {
                path = format!("{path} {arg}");
                command = inner;
            }
            None => break,
        }
    }
    path
}

/// The help text of a command; of an unknown one that of the command around it, as in 2.x.
fn help_of(path: &[OsString]) -> String {
    let mut root = root();
    root.build();
    let mut command = &mut root;
    for name in path.iter().filter_map(|name| name.to_str()) {
        if command.find_subcommand(name).is_none() {
            break;
        }
        command = command
            .find_subcommand_mut(name)
            .expect("it was found a moment ago");
    }
    command.render_help().to_string()
}

fn root() -> Command {
    with_server_flags(Command::new("influxd"))
        .about(
            "A time series database that InfluxDB clients use unchanged, on PostgreSQL or SQLite",
        )
        .override_usage("influxd [flags]\n       influxd [command]")
        .disable_help_subcommand(true)
        .disable_version_flag(true)
        .subcommand(
            with_server_flags(Command::new("run"))
                .about("Start the server (the default)")
                .override_usage("influxd run [flags]")
                .disable_version_flag(true),
        )
        .subcommand(
            with_server_flags(Command::new("print-config"))
                .about("Print the effective configuration")
                .override_usage("influxd print-config [--key-name NAME] [flags]")
                .disable_version_flag(true)
                .hide(true)
                .arg(
                    Arg::new("key-name")
                        .long("key-name")
                        .value_name("NAME")
                        .allow_hyphen_values(true)
                        .help("print this key only"),
                ),
        )
        .subcommand(with_store_flags(offline::recovery()))
        .subcommand(with_store_flags(offline::token_hashing()))
        .subcommand(
            with_store_flags(Command::new("downgrade"))
                .about("Say what is safe when going back to an older release")
                .arg(Arg::new("target").num_args(0..).value_name("TARGET")),
        )
        .subcommand(
            Command::new("version")
                .about("Print the version")
                .override_usage("influxd version")
                .disable_version_flag(true)
                // 2.x ignores what follows.
                .arg(Arg::new("ignored").num_args(0..).hide(true)),
        )
}

/// The settings that say where a store is and how tokens lie in it.
const STORE_SETTINGS: &[&str] = &[
    "bolt-path",
    "sqlite-path",
    "store-url",
    "store-max-connections",
    "use-hashed-tokens",
    "token-pepper-file",
    "token-escrow-recipient",
    "log-level",
];

/// A command, and all below it, with the flags of [`STORE_SETTINGS`].
fn with_store_flags(command: Command) -> Command {
    let inner: Vec<Command> = command.get_subcommands().cloned().collect();
    let settings = SETTINGS
        .iter()
        .filter(|setting| STORE_SETTINGS.contains(&setting.name));
    let mut command = command
        .mut_args(|arg| arg.display_order(0))
        .args(settings.map(flag))
        .args_override_self(true)
        .disable_version_flag(true)
        .disable_help_subcommand(true);
    for below in inner {
        let name = below.get_name().to_owned();
        command = command.mut_subcommand(name, |_| with_store_flags(below));
    }
    command
}

fn with_server_flags(command: Command) -> Command {
    command
        .args(SETTINGS.iter().map(flag))
        .args_override_self(true)
}

fn flag(setting: &'static Setting) -> Arg {
    let arg = Arg::new(setting.name)
        .long(setting.name)
        // By name, as in 2.x.
        .display_order(0)
        .help(if setting.default.is_empty() {
            setting.help.to_owned()
        } else {
            format!("{} (default {})", setting.help, setting.default)
        })
        .hide(setting.hidden);
    match setting.kind {
        Kind::Bool => arg
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .value_name("bool"),
        Kind::Map => arg.action(ArgAction::Append).value_name("name=value,..."),
        Kind::Text
        | Kind::Int
        | Kind::Int32
        | Kind::Duration
        | Kind::StrictDuration
        | Kind::Size
        | Kind::SignedSize
        | Kind::Level => arg
            .value_name(value_name(setting.kind))
            .allow_hyphen_values(true),
    }
}

const fn value_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::Bool => "bool",
        Kind::Int | Kind::Int32 => "int",
        Kind::Duration | Kind::StrictDuration => "duration",
        Kind::Size | Kind::SignedSize => "bytes",
        Kind::Level => "level",
        Kind::Map => "map",
    }
}

/// The flags given, those of inner commands after those before their names.
fn flags(levels: &[&ArgMatches]) -> Flags {
    let mut flags = Flags::new();
    for matches in levels {
        for setting in SETTINGS {
            // Not every command has every flag.
            if let Ok(Some(values)) = matches.try_get_many::<String>(setting.name) {
                let all = flags.entry(setting.name).or_default();
                all.extend(values.cloned());
            }
        }
    }
    flags
}

fn in_words_of_2x(error: &clap::Error, path: &str) -> String {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        _ => String::new(),
    };
    match error.kind() {
        ErrorKind::UnknownArgument | ErrorKind::InvalidSubcommand => {
            let given = context(ContextKind::InvalidArg) + &context(ContextKind::InvalidSubcommand);
            if given.starts_with("--") {
                format!("unknown flag: {given}")
            } else if let Some(short) = given.strip_prefix('-') {
                let letter = short.chars().next().map(String::from).unwrap_or_default();
                format!("unknown shorthand flag: {letter:?} in {given}")
            } else {
                format!("unknown command {given:?} for {path:?}")
            }
        }
        ErrorKind::InvalidValue | ErrorKind::NoEquals => {
            let given = context(ContextKind::InvalidArg);
            let name = given.split([' ', '=', '[']).next().unwrap_or(&given);
            format!("flag needs an argument: {name}")
        }
        _ => {
            let text = error.render().to_string();
            let first = text
                .lines()
                .next()
                .unwrap_or("the command line is malformed");
            first.trim_start_matches("error: ").to_owned()
        }
    }
}

#[cfg(test)]
mod tests;
