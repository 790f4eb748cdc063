//! The command line from outside: exit codes, and what goes to which channel.

use std::path::Path;
use std::process::{Command, Output};

use influxd_tests::influxd;
use tempfile::TempDir;

/// Runs `influxd` in a folder, without any of our variables but those given.
fn run(folder: &Path, args: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(influxd());
    command.args(args).current_dir(folder).env("HOME", folder);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("INFLUX") {
            command.env_remove(name);
        }
    }
    command
        .envs(variables.iter().copied())
        .output()
        .expect("influxd runs")
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[track_caller]
fn refused(args: &[&str], variables: &[(&str, &str)], message: &str) {
    let folder = TempDir::new().unwrap();
    let output = run(folder.path(), args, variables);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(stdout(&output), "", "{output:?}");
    assert_eq!(
        stderr(&output),
        format!("Error: {message}\nSee 'influxd -h' for help\n")
    );
}

#[test]
fn the_version_is_printed_alone() {
    let folder = TempDir::new().unwrap();
    let output = run(folder.path(), &["version"], &[]);
    assert_eq!(output.status.code(), Some(0));
    assert!(
        stdout(&output).starts_with("InfluxDB v2.9.1 (git: "),
        "{output:?}"
    );
    assert_eq!(stderr(&output), "");
}

#[test]
fn wrong_command_lines_end_with_one_and_say_why() {
    refused(&["--foo"], &[], "unknown flag: --foo");
    refused(&["foo"], &[], "unknown command \"foo\" for \"influxd\"");
    refused(
        &["run", "foo"],
        &[],
        "unknown command \"foo\" for \"influxd run\"",
    );
    refused(
        &["--session-length=x"],
        &[],
        "invalid argument \"x\" for \"--session-length\" flag: \
         strconv.ParseInt: parsing \"x\": invalid syntax",
    );
    // Before the store is looked for, which is not there.
    for (args, message) in [
        (
            &["recovery", "user", "create"][..],
            "must provide --username",
        ),
        (
            &["recovery", "user", "create", "--username=a"],
            "must provide --password",
        ),
        (
            &["recovery", "user", "update", "--username=a"],
            "must provide a new password to set, with --password",
        ),
        (
            &["recovery", "org", "create", "--org="],
            "must provide --org",
        ),
        (
            &["token-hashing", "status", "--json=maybe"],
            "invalid argument \"maybe\" for \"--json\" flag: \
             strconv.ParseBool: parsing \"maybe\": invalid syntax",
        ),
    ] {
        refused(args, &[], message);
    }
}

#[test]
fn a_wrong_variable_stops_the_start() {
    refused(
        &["print-config"],
        &[("INFLUXD_USE_HASHED_TOKENS", "yes")],
        "environment variable INFLUXD_USE_HASHED_TOKENS has the invalid value \"yes\": \
         strconv.ParseBool: parsing \"yes\": invalid syntax",
    );
}

#[test]
fn a_broken_file_stops_every_command() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("config.yaml"), "a: [1\n").unwrap();
    for args in [&["version"][..], &["-h"], &[], &["print-config"]] {
        let output = run(folder.path(), args, &[]);
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        assert!(
            stderr(&output).starts_with("failed to load config file: "),
            "{output:?}"
        );
    }
}

#[test]
fn the_configuration_is_printed_without_the_password_of_the_store() {
    let folder = TempDir::new().unwrap();
    let variables = [("INFLUXD_STORE_URL", "postgres://me:hush@db/points")];
    let output = run(folder.path(), &["print-config"], &variables);
    assert_eq!(output.status.code(), Some(0));
    let text = stdout(&output);
    assert!(
        text.contains("\nstore-url: postgres://me:***@db/points\n"),
        "{text}"
    );
    assert!(!text.contains("hush"));
}

#[test]
fn a_file_that_is_no_database_is_left_alone() {
    let folder = TempDir::new().unwrap();
    let victim = folder.path().join("notes.txt");
    let notes = "important notes, not a database\n".repeat(50);
    std::fs::write(&victim, &notes).unwrap();
    let path = format!("--sqlite-path={}", victim.display());
    let output = run(
        folder.path(),
        &[&path, "--http-bind-address=127.0.0.1:0"],
        &[],
    );
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(stderr(&output).starts_with("Error: "), "{output:?}");
    assert_eq!(std::fs::read_to_string(&victim).unwrap(), notes);
}

#[test]
fn a_port_in_use_is_named_on_both_channels() {
    let folder = TempDir::new().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let flag = format!("--http-bind-address={address}");
    let output = run(folder.path(), &[&flag], &[]);
    assert_eq!(output.status.code(), Some(1));
    let log = stdout(&output);
    assert!(
        log.contains("lvl=error msg=\"Failed to set up TCP listener\""),
        "{log}"
    );
    assert!(log.contains(&format!(" addr={address} ")), "{log}");
    let why = format!("listen tcp {address}: bind: address already in use");
    assert!(log.contains(&format!("error=\"{why}\"")), "{log}");
    assert!(stderr(&output).contains(&why), "{output:?}");
}

/// InfluxDB keeps a file of this name at this place.
#[test]
fn the_database_of_another_program_is_left_alone() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("influxd.sqlite");
    let before = include_bytes!("data/foreign.sqlite");
    std::fs::write(&path, before).unwrap();
    let flag = format!("--sqlite-path={}", path.display());
    let flag = flag.as_str();
    for args in [
        &[flag, "--http-bind-address=127.0.0.1:0"][..],
        &["recovery", "auth", "list", flag],
        &["token-hashing", "status", flag],
    ] {
        let output = run(folder.path(), args, &[]);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(
            stderr(&output).contains("the database of another program"),
            "{output:?}"
        );
        assert_eq!(std::fs::read(&path).unwrap(), before, "{args:?}");
    }
    // An empty file is as good as none: nothing is made by who only looks.
    std::fs::write(&path, "").unwrap();
    let output = run(folder.path(), &["recovery", "auth", "list", flag], &[]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(stderr(&output).contains("there is no store"), "{output:?}");
    assert_eq!(std::fs::metadata(&path).unwrap().len(), 0);
}
