//! The command lines of what works on a store without a server: `recovery` and `token-hashing`.

use anyhow::bail;
use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::settings::value::{self, Kind, Value};

/// What to do with the store.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Offline {
    /// `recovery auth list`
    ListTokens,
    /// `recovery auth create-operator`
    CreateOperator {
        username: String,
        org: String,
        store_token_hashes: bool,
    },
    /// `recovery user list`
    ListUsers,
    /// `recovery user create`
    CreateUser {
        username: String,
        password: Password,
    },
    /// `recovery user update`
    UpdateUser {
        username: String,
        id: String,
        password: Password,
    },
    /// `recovery org list`
    ListOrganizations,
    /// `recovery org create`
    CreateOrganization { org: String },
    /// `recovery tokens`
    Escrowed { identity: String, write_back: bool },
    /// `token-hashing status`
    Status { json: bool },
    /// `token-hashing migrate`
    Migrate {
        dry_run: bool,
        force: bool,
        json: bool,
    },
    /// `token-hashing rekey`
    Rekey { force: bool, json: bool },
}

/// A password from the command line. Shows nothing.
#[derive(PartialEq, Eq)]
pub(crate) struct Password(pub(crate) String);

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[REDACTED]")
    }
}

/// `influxd recovery`
pub(crate) fn recovery() -> Command {
    Command::new("recovery")
        .about("Repair access to a store, with or without a running server")
        .subcommands([
            group("auth", "API tokens").subcommands([
                lenient("list", "List all API tokens"),
                lenient("create-operator", "Create an operator token and show it").args([
                    text("username", "the user who will own it"),
                    text("org", "the organization that it will belong to"),
                    switch(
                        "store-token-hashes",
                        "turn all raw tokens of the store into digests, too",
                    ),
                ]),
            ]),
            group("org", "Organizations").subcommands([
                lenient("list", "List all organizations"),
                lenient("create", "Create an organization").arg(text("org", "its name")),
            ]),
            group("user", "Users").subcommands([
                lenient("list", "List all users"),
                lenient("create", "Create a user with a password").args([
                    text("username", "its name"),
                    text("password", "its password"),
                ]),
                lenient("update", "Set the password of a user").args([
                    text("username", "its name"),
                    text("id", "its id"),
                    text("password", "the new password"),
                ]),
            ]),
            lenient(
                "tokens",
                "List the tokens in escrow, or make the store hold them raw again",
            )
            .args([
                text("identity", "the file with the age identity that opens them"),
                switch(
                    "write-back",
                    "store them raw again; only while use-hashed-tokens is false",
                ),
            ]),
        ])
}

/// `influxd token-hashing`
pub(crate) fn token_hashing() -> Command {
    let json = || switch("json", "print a JSON document, for programs");
    let force = || {
        switch(
            "force",
            "use a key that is new to the store although a server is running on it: it has the key",
        )
    };
    Command::new("token-hashing")
        .about("Show and change how API tokens are stored")
        .subcommands([
            leaf("status", "Count tokens by how they are stored").arg(json()),
            leaf("migrate", "Turn raw tokens into digests, as a start would").args([
                switch("dry-run", "only say what a start would do"),
                force(),
                json(),
            ]),
            leaf(
                "rekey",
                "Put all SHA-256 digests under the first pepper key",
            )
            .args([force(), json()]),
        ])
}

fn group(name: &'static str, about: &'static str) -> Command {
    Command::new(name).about(about)
}

fn leaf(name: &'static str, about: &'static str) -> Command {
    Command::new(name).about(about)
}

/// A command that, as in 2.x, ignores what follows.
fn lenient(name: &'static str, about: &'static str) -> Command {
    leaf(name, about).arg(Arg::new("ignored").num_args(0..).hide(true))
}

fn text(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .value_name(name.to_uppercase())
        .allow_hyphen_values(true)
        .help(help)
}

fn switch(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .action(ArgAction::Set)
        .num_args(0..=1)
        .require_equals(true)
        .default_missing_value("true")
        .default_value("false")
        .value_name("bool")
        .hide_default_value(true)
        .help(help)
}

/// What the matched commands, outermost first, ask for; `None` if they end at a group. The error
/// is the text that follows `Error: `.
pub(crate) fn offline(path: &[&str], matches: &ArgMatches) -> Result<Option<Offline>, String> {
    let text = |name: &str| matches.get_one::<String>(name).cloned().unwrap_or_default();
    let is_set = |name: &str| match value::from_flag(Kind::Bool, &text(name)) {
        Ok(value) => Ok(value == Value::Bool(true)),
        Err(why) => Err(format!(
            "invalid argument {:?} for \"--{name}\" flag: {why}",
            text(name)
        )),
    };
    Ok(Some(match path {
        ["recovery", "auth", "list"] => Offline::ListTokens,
        ["recovery", "auth", "create-operator"] => Offline::CreateOperator {
            username: text("username"),
            org: text("org"),
            store_token_hashes: is_set("store-token-hashes")?,
        },
        ["recovery", "user", "list"] => Offline::ListUsers,
        ["recovery", "user", "create"] => Offline::CreateUser {
            username: text("username"),
            password: Password(text("password")),
        },
        ["recovery", "user", "update"] => Offline::UpdateUser {
            username: text("username"),
            id: text("id"),
            password: Password(text("password")),
        },
        ["recovery", "org", "list"] => Offline::ListOrganizations,
        ["recovery", "org", "create"] => Offline::CreateOrganization { org: text("org") },
        ["recovery", "tokens"] => Offline::Escrowed {
            identity: text("identity"),
            write_back: is_set("write-back")?,
        },
        ["token-hashing", "status"] => Offline::Status {
            json: is_set("json")?,
        },
        ["token-hashing", "migrate"] => Offline::Migrate {
            dry_run: is_set("dry-run")?,
            force: is_set("force")?,
            json: is_set("json")?,
        },
        ["token-hashing", "rekey"] => Offline::Rekey {
            force: is_set("force")?,
            json: is_set("json")?,
        },
        _ => return Ok(None),
    }))
}

impl Offline {
    /// Refuses what lacks a flag, before the store is opened. `create-operator` looks at its flags
    /// later (influxd-cli 11.1).
    pub(super) fn require_flags(&self) -> anyhow::Result<()> {
        match self {
            Self::CreateUser { username, .. } if username.is_empty() => {
                bail!("must provide --username")
            }
            Self::CreateUser { password, .. } if password.0.is_empty() => {
                bail!("must provide --password")
            }
            Self::UpdateUser { password, .. } if password.0.is_empty() => {
                bail!("must provide a new password to set, with --password")
            }
            Self::CreateOrganization { org } if org.is_empty() => bail!("must provide --org"),
            _ => Ok(()),
        }
    }
}
