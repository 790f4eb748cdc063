//! What is left of tokens in the memory of a server that has seen them.
//!
//! A test may read the memory of its own child, so this looks at every page that the process can
//! write to. It looks for whole tokens and for stretches of them.

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;

use influxd_tests::{Home, ORG, Permission, Search, Server};
use serde_json::json;

/// How many different tokens are used.
const TOKENS: usize = 1000;
/// How many of them may still be found: those that came last over a connection lie in its buffer of
/// 8 KiB (docs/token-hashing.md).
const BOUND: usize = 150;

/// The numbers of the tokens that are in memory that the process can write to.
fn found(server: &Server, search: &Search) -> usize {
    let pid = server.pid();
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).expect("our child's memory map");
    let memory = File::open(format!("/proc/{pid}/mem")).expect("our child's memory");
    let mut numbers = std::collections::BTreeSet::new();
    for line in maps.lines() {
        let mut words = line.split_whitespace();
        let (Some(range), Some(rights)) = (words.next(), words.next()) else {
            continue;
        };
        if !rights.starts_with("rw") {
            continue;
        }
        let (from, to) = range.split_once('-').expect("a range has two ends");
        let [from, to] = [from, to].map(|end| u64::from_str_radix(end, 16).expect("an address"));
        let mut bytes = vec![0; usize::try_from(to - from).expect("it fits in memory")];
        // A mapping may have gone, and some cannot be read.
        if memory.read_exact_at(&mut bytes, from).is_err() {
            continue;
        }
        let here = search.finds_in(&bytes);
        if !here.is_empty() {
            let name = words.nth(3).unwrap_or("anonymous memory");
            println!("{} in {name} ({range})", here.len());
        }
        numbers.extend(here);
    }
    numbers.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_do_not_stay_in_memory() {
    let home = Home::sqlite();
    let server = home.server().await;
    let operator = server.set_up().await;
    let org = operator.org_id(ORG).await;
    let permission = Permission("read", "buckets", &org, "").json();
    let wish = json!({"orgID": org, "permissions": [permission]});
    let mut tokens = Vec::with_capacity(TOKENS);
    for _ in 0..TOKENS {
        let made = operator.posts("/api/v2/authorizations", &wish).await;
        tokens.push(made.made("token"));
    }
    let search = Search::new(&tokens);
    println!("after making them: {} of {TOKENS}", found(&server, &search));
    server.stop(rustix::process::Signal::TERM);

    // A server that has not made them, so that only their use leaves anything.
    let server = home.server().await;
    let shared = server.operator();
    for (number, token) in tokens.iter().enumerate() {
        // Half of them come over one connection, the others each over one of its own.
        let client = match number % 2 {
            0 => shared.with_token(token),
            _ => server.client(token),
        };
        let answer = client.gets("/api/v2/buckets?limit=1").await;
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.body);
    }
    let left = found(&server, &search);
    println!("after using them: {left} of {TOKENS}");
    assert!(left <= BOUND, "{left} tokens are still in memory");
}
