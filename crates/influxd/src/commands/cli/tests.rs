//! Command lines, and what they are taken for.

use super::*;

fn parsed(args: &[&str]) -> Result<Call, String> {
    parse(args.iter().map(OsString::from).collect())
}

#[track_caller]
fn refused(args: &[&str], text: &str) {
    assert_eq!(parsed(args).unwrap_err(), text);
}

#[track_caller]
fn given(args: &[&str]) -> Flags {
    match parsed(args).unwrap() {
        Call::Run(flags) => flags,
        other => panic!("{other:?}"),
    }
}

#[test]
fn wrong_command_lines_are_refused_in_the_words_of_2x() {
    refused(&["--foo"], "unknown flag: --foo");
    refused(&["--version"], "unknown flag: --version");
    refused(&["run", "--foo"], "unknown flag: --foo");
    refused(
        &["version", "--log-level", "info"],
        "unknown flag: --log-level",
    );
    refused(&["foo"], "unknown command \"foo\" for \"influxd\"");
    refused(
        &["run", "foo"],
        "unknown command \"foo\" for \"influxd run\"",
    );
    refused(
        &["print-config", "--no-tasks", "false"],
        "unknown command \"false\" for \"influxd print-config\"",
    );
    refused(
        &["--http-bind-address"],
        "flag needs an argument: --http-bind-address",
    );
    refused(
        &["--feature-flags"],
        "flag needs an argument: --feature-flags",
    );
}

#[test]
fn flags_take_their_values_in_both_forms() {
    let flags = given(&["run", "--session-length", "5", "--session-length=6"]);
    assert_eq!(flags["session-length"].last().unwrap(), "6");
    let flags = given(&[
        "--no-tasks",
        "--metrics-disabled=false",
        "--strong-passwords=",
    ]);
    assert_eq!(flags["no-tasks"], ["true"]);
    assert_eq!(flags["metrics-disabled"], ["false"]);
    assert_eq!(flags["strong-passwords"], [""]);
    let flags = given(&["--query-concurrency=-1", "--query-memory-bytes", "-1"]);
    assert_eq!(flags["query-concurrency"], ["-1"]);
    assert_eq!(flags["query-memory-bytes"], ["-1"]);
    let flags = given(&["--feature-flags", "a=1,b=2", "--feature-flags=c=3"]);
    assert_eq!(flags["feature-flags"], ["a=1,b=2", "c=3"]);
    let flags = given(&["--sqlite-path="]);
    assert_eq!(flags["sqlite-path"], [""]);
}

#[test]
fn arguments_that_are_no_text_are_refused_by_name() {
    use std::os::unix::ffi::OsStringExt;
    for (args, text) in [
        (
            &[&b"--sqlite-path=/d\xff"[..]][..],
            "invalid argument \"/d\u{fffd}\" for \"--sqlite-path\" flag: it is not UTF-8",
        ),
        (
            &[b"run", b"--sqlite-path", b"\xff"],
            "invalid argument \"\u{fffd}\" for \"--sqlite-path\" flag: it is not UTF-8",
        ),
        (
            &[b"recovery", b"user", b"update", b"--password", b"hush\xff"],
            "invalid argument \"***\" for \"--password\" flag: it is not UTF-8",
        ),
        (&[b"x\xff"], "argument \"x\u{fffd}\" is not UTF-8"),
    ] {
        let args = args.iter().map(|arg| OsString::from_vec(arg.to_vec()));
        assert_eq!(parse(args.collect()).unwrap_err(), text);
    }
}

#[test]
fn version_ignores_what_follows() {
    assert!(matches!(parsed(&["version", "extra"]), Ok(Call::Version)));
}

#[test]
fn recovery_ignores_what_follows_but_not_what_it_does_not_know() {
    let words = [
        "recovery",
        "user",
        "create",
        "--username",
        "ada",
        "more",
        "words",
    ];
    let asked = match parsed(&words) {
        Ok(Call::Offline { asked, .. }) => asked,
        other => panic!("{other:?}"),
    };
    assert!(
        matches!(&asked, Offline::CreateUser { username, .. } if username == "ada"),
        "{asked:?}"
    );
    for words in [
        &["recovery", "auth", "list", "extra"][..],
        &["recovery", "tokens", "extra", "--write-back"],
    ] {
        assert!(
            matches!(parsed(words), Ok(Call::Offline { .. })),
            "{words:?}"
        );
    }
    refused(
        &["recovery", "foo"],
        "unknown command \"foo\" for \"influxd recovery\"",
    );
    refused(
        &["recovery", "auth", "foo"],
        "unknown command \"foo\" for \"influxd recovery auth\"",
    );
    refused(
        &["recovery", "auth", "list", "--foo"],
        "unknown flag: --foo",
    );
    refused(
        &["token-hashing", "status", "foo"],
        "unknown command \"foo\" for \"influxd token-hashing status\"",
    );
}

#[test]
fn flags_of_recovery_that_are_true_or_false_read_as_those_of_the_server() {
    for (word, expected) in [
        ("--write-back", true),
        ("--write-back=T", true),
        ("--write-back=1", true),
        ("--write-back=F", false),
        ("--write-back=False", false),
    ] {
        let Ok(Call::Offline { asked, .. }) = parsed(&["recovery", "tokens", word]) else {
            panic!("{word} is refused");
        };
        let Offline::Escrowed { write_back, .. } = asked else {
            panic!("{asked:?}");
        };
        assert_eq!(write_back, expected, "{word}");
    }
    for text in ["maybe", "yes", "2", ""] {
        refused(
            &["recovery", "tokens", &format!("--write-back={text}")],
            &format!(
                "invalid argument {text:?} for \"--write-back\" flag: strconv.ParseBool: \
                 parsing {text:?}: invalid syntax"
            ),
        );
    }
}

#[test]
fn help_names_commands_and_flags_but_not_what_is_deprecated() {
    for args in [&["-h"][..], &["--help"], &["help"], &["help", "nosuch"]] {
        let Ok(Call::Help(text)) = parsed(args) else {
            panic!("{args:?}");
        };
        assert!(text.contains("influxd [command]"), "{text}");
        assert!(text.contains("--use-hashed-tokens"), "{text}");
        assert!(!text.contains("nats-port"), "{text}");
        assert!(!text.contains("print-config"), "{text}");
    }
    let Ok(Call::Help(text)) = parsed(&["help", "run"]) else {
        panic!();
    };
    assert!(text.contains("influxd run [flags]"), "{text}");
}
