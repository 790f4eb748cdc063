//! What checks and lists cost, over HTTP. Every test prints what it measured:
//!
//!     cargo test --release -p influxd-tests --test cost -- --nocapture
//!     INFLUXD_TEST_ROWS=100000 cargo test --release -p influxd-tests --test cost -- --nocapture
//!
//! Bounds are wider than the figures, for CI measures debug builds on busy machines.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use influxd_tests::{Client, Home, ORG, Server, on_both_stores};
use serde_json::json;
use tokio::sync::Mutex;
use tokio::task::JoinSet;

on_both_stores!(
    a_good_token_costs_next_to_nothing,
    a_page_of_a_long_list_costs_what_one_of_a_short_list_costs,
);

/// Held by whoever measures: tests of one program run at once, and would measure each other.
static ALONE: Mutex<()> = Mutex::const_new(());

/// How many more rows the long lists have. `INFLUXD_TEST_ROWS` asks for more.
const ROWS: u32 = 1_500;
/// How many the short ones have.
const FEW: u32 = 100;
/// How long a page of a list that has just grown may take longer.
const PATIENCE: Duration = Duration::from_secs(60);
/// What even the shortest of many times may vary by.
const NOISE: Duration = Duration::from_millis(1);

/// Processor time that the server has used so far.
fn used(server: &Server) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", server.pid())).unwrap();
    let (_, fields) = stat.rsplit_once(") ").expect("a name in parentheses");
    let fields: Vec<&str> = fields.split(' ').collect();
    let ticks: u64 = [fields[11], fields[12]]
        .iter()
        .map(|ticks| ticks.parse::<u64>().expect("a number of ticks"))
        .sum();
    Duration::from_millis(ticks * 10)
}

/// `GET /api/v2` is open, and what credentials it gets it does not look at. `GET /api/v2/` is
/// answered by the same handler, but takes a credential (auth-and-resources 1.7 and 1.11).
async fn a_good_token_costs_next_to_nothing(home: Home) {
    const ROUNDS: usize = 20;
    const REQUESTS: u32 = 400;
    let _alone = ALONE.lock().await;
    let server = home.server().await;
    let operator = server.set_up().await;
    let paths = ["/api/v2", "/api/v2/"];
    let mut took = [Vec::new(), Vec::new()];
    let mut busy = [Duration::ZERO; 2];
    for round in 0..=ROUNDS {
        for which in [round % 2, 1 - round % 2] {
            let (began, busy_before) = (Instant::now(), used(&server));
            for _ in 0..REQUESTS {
                let answer = operator.gets(paths[which]).await;
                assert_eq!(answer.status.as_u16(), 200, "{}", answer.body);
            }
            // The first round is for warming up.
            if round > 0 {
                took[which].push(began.elapsed() / REQUESTS);
                busy[which] += used(&server) - busy_before;
            }
        }
    }
    let [open, checked] = took.map(|mut took| {
        took.sort_unstable();
        took[took.len() / 2]
    });
    let requests = REQUESTS * u32::try_from(ROUNDS).unwrap_or(1);
    let [open_busy, checked_busy] = busy.map(|busy| busy / requests);
    let more = |some: Duration, other: Duration| other.as_secs_f64() / some.as_secs_f64() - 1.0;
    println!(
        "open {open:?}, with a token {checked:?}: {:+.1} % (median of {ROUNDS} rounds of {REQUESTS} \
         requests); processor time of the server {open_busy:?} and {checked_busy:?}: {:+.1} %",
        100.0 * more(open, checked),
        100.0 * more(open_busy, checked_busy)
    );
    // Processor time, for a busy machine makes a request longer, but hardly costlier.
    assert!(
        more(open_busy, checked_busy) < 0.25,
        "open {open_busy:?}, with a token {checked_busy:?}"
    );
}

/// Makes things, many at once.
async fn make(client: &Client, count: std::ops::Range<u32>, path: &'static str, org: &str) {
    let next = Arc::new(AtomicU32::new(count.start));
    let mut makers = JoinSet::new();
    for _ in 0..16 {
        let (client, next, org) = (client.clone(), Arc::clone(&next), org.to_owned());
        let end = count.end;
        makers.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= end {
                    break;
                }
                let body = json!({"name": format!("thing-{number:07}"), "orgID": org});
                let made = client.posts(path, &body).await;
                assert_eq!(made.status.as_u16(), 201, "{path}: {}", made.body);
            }
        });
    }
    makers.join_all().await;
}

/// The shortest time of a page: whatever else the machine does can only make one longer.
async fn page(client: &Client, path: &str) -> Duration {
    let mut shortest = Duration::MAX;
    for _ in 0..60 {
        let began = Instant::now();
        let answer = client.gets(path).await;
        shortest = shortest.min(began.elapsed());
        assert_eq!(answer.status.as_u16(), 200, "{path}: {}", answer.body);
    }
    shortest
}

/// Pages of all lists that have pages: at the start, at the end of a walk by offsets, behind a row in
/// the middle, and by name.
async fn pages(client: &Client, org: &str, rows: u32) -> Vec<(String, Duration)> {
    let middle = format!("thing-{:07}", rows / 2);
    let id = async |path: &str, key: &str| {
        let found = client.gets(path).await.json();
        let id = found[key][0]["id"].as_str().map(ToOwned::to_owned);
        id.unwrap_or_else(|| panic!("{path}: {found}"))
    };
    let user = id(&format!("/api/v2/users?name={middle}"), "users").await;
    let bucket_by_name = format!("/api/v2/buckets?orgID={org}&name={middle}");
    let bucket = id(&bucket_by_name, "buckets").await;
    let mut pages = Vec::new();
    let last = rows - 20;
    for (name, path) in [
        ("users", "/api/v2/users".to_owned()),
        ("users after one", format!("/api/v2/users?after={user}")),
        (
            "users, last first",
            "/api/v2/users?descending=true".to_owned(),
        ),
        ("last users", format!("/api/v2/users?offset={last}")),
        ("users by name", format!("/api/v2/users?name={middle}")),
        ("orgs", "/api/v2/orgs".to_owned()),
        ("last orgs", format!("/api/v2/orgs?offset={last}")),
        ("orgs by name", format!("/api/v2/orgs?org={middle}")),
        ("buckets", "/api/v2/buckets".to_owned()),
        (
            "buckets after one",
            format!("/api/v2/buckets?after={bucket}"),
        ),
        ("buckets of an org", format!("/api/v2/buckets?orgID={org}")),
        ("last buckets", format!("/api/v2/buckets?offset={last}")),
        (
            "last buckets of an org",
            format!("/api/v2/buckets?orgID={org}&offset={last}"),
        ),
        (
            "first buckets of an org, from the end",
            format!("/api/v2/buckets?orgID={org}&offset={last}&descending=true"),
        ),
        (
            "buckets of an org after one",
            format!("/api/v2/buckets?orgID={org}&after={bucket}"),
        ),
        ("buckets of an org by name", bucket_by_name),
        (
            "buckets by name alone",
            format!("/api/v2/buckets?name={middle}"),
        ),
    ] {
        pages.push((name.to_owned(), page(client, &path).await));
    }
    pages
}

async fn a_page_of_a_long_list_costs_what_one_of_a_short_list_costs(home: Home) {
    let _alone = ALONE.lock().await;
    let rows = std::env::var("INFLUXD_TEST_ROWS");
    let rows = rows.map_or(ROWS, |text| text.parse().expect("a number of rows"));
    let server = home.server().await;
    let operator = server.set_up().await;
    let org = operator.org_id(ORG).await;
    let grow = async |range: std::ops::Range<u32>| {
        for path in ["/api/v2/users", "/api/v2/orgs", "/api/v2/buckets"] {
            make(&operator, range.clone(), path, &org).await;
        }
    };
    grow(0..FEW).await;
    let few = pages(&operator, &org, FEW).await;
    grow(FEW..rows).await;
    // A list that has grown much is counted within seconds.
    let grown = Instant::now();
    loop {
        let many = pages(&operator, &org, rows).await;
        let both = few.iter().zip(&many);
        let slow: Vec<_> = both
            .clone()
            .filter(|((_, few), (_, many))| *many >= *few * 2 + NOISE)
            .collect();
        if slow.is_empty() {
            for ((name, few), (_, many)) in both {
                println!("{name}: {few:?} of {FEW}, {many:?} of {rows}");
            }
            break;
        }
        assert!(grown.elapsed() < PATIENCE, "{slow:?}");
    }
}
