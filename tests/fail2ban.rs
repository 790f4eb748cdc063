//! The filter for fail2ban, on the lines that a real server logs.

use influxd_tests::{Home, OPERATOR_TOKEN, on_both_stores};
use regex::Regex;

on_both_stores!(the_filter_finds_who_guesses_and_nobody_else);

/// What the filter looks for, with fail2ban's mark for an address spelt out.
fn filter() -> Regex {
    let file = include_str!("../docs/fail2ban/influxd.conf");
    let expression = file
        .lines()
        .find_map(|line| line.strip_prefix("failregex = "))
        .expect("the filter has an expression");
    assert!(expression.contains("<ADDR>"));
    Regex::new(&expression.replace("<ADDR>", "(?P<addr>[0-9A-Fa-f:.]+)")).unwrap()
}

/// `Basic` with guesser:guess.
const BASIC: &str = "Basic Z3Vlc3NlcjpndWVzcw==";

async fn the_filter_finds_who_guesses_and_nobody_else(home: Home) {
    let server = home.server_with(&["--trust-proxy-header"]).await;
    server.set_up().await;
    let base = format!("http://127.0.0.1:{}", server.port());
    let http = reqwest::Client::new();
    let sends = async |method: &str, target: &str, authorization: &str, from: &str| {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = http
            .request(method, format!("{base}{target}"))
            .header("X-Forwarded-For", format!("10.0.0.1, {from}"));
        if !authorization.is_empty() {
            request = request.header("Authorization", authorization);
        }
        request.send().await.unwrap().status().as_u16()
    };
    let token = format!("Token {OPERATOR_TOKEN}");
    for (method, target, authorization, from, status) in [
        ("GET", "/api/v2/buckets", "Token guess", "192.0.2.1", 401),
        ("GET", "/api/v2/nowhere", "Bearer guess", "192.0.2.2", 401),
        ("GET", "/query?q=SHOW+DATABASES", BASIC, "192.0.2.3", 401),
        (
            "POST",
            "/write?db=x&u=guesser&p=guess",
            "",
            "2001:db8::4",
            401,
        ),
        ("POST", "/api/v2/signin", BASIC, "192.0.2.5", 401),
        ("GET", "/api/v2/buckets", "", "198.51.100.1", 401),
        ("POST", "/api/v2/signin", "", "198.51.100.2", 401),
        ("GET", "/api/v2/buckets", &token, "198.51.100.3", 200),
    ] {
        let got = sends(method, target, authorization, from).await;
        assert_eq!(got, status, "{method} {target} {from}");
    }
    let stopped = server.stop(rustix::process::Signal::TERM);
    let filter = filter();
    let with_date = stopped.output.lines();
    // fail2ban cuts the date out of the lines of a file.
    let without_date = with_date
        .clone()
        .map(|line| line.split_once(' ').map_or("", |(_, rest)| rest));
    for lines in [
        with_date.map(str::to_owned).collect::<Vec<_>>(),
        without_date.map(|line| format!(" {line}")).collect(),
    ] {
        let found: Vec<&str> = lines
            .iter()
            .filter_map(|line| Some(filter.captures(line)?.name("addr")?.as_str()))
            .collect();
        assert_eq!(
            found,
            [
                "192.0.2.1",
                "192.0.2.2",
                "192.0.2.3",
                "2001:db8::4",
                "192.0.2.5"
            ],
            "{}",
            stopped.output
        );
    }
    assert!(!stopped.output.contains("guess"), "{}", stopped.output);
}
