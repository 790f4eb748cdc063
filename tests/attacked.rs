//! A server that many clients try to break into goes on serving those who belong there.
//!
//! Every test prints what it measured; `cargo test -p influxd-tests --test attacked -- --nocapture`
//! shows it, and `INFLUXD_TEST_ATTACK=30` attacks for that many seconds. Figures worth quoting come
//! from a release build with nothing else running (`--release`).

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use influxd_tests::{BUCKET, Client, Credential, Home, ORG, Permission, Server, on_both_stores};
use serde_json::json;
use tokio::sync::Mutex;
use tokio::task::JoinSet;

on_both_stores!(
    good_clients_hardly_notice_an_attack_and_victims_get_in,
    a_name_that_exists_costs_what_another_one_costs,
);

/// Clients with wrong passwords.
const ATTACKERS: u8 = 64;
/// How long they go on, in seconds. `INFLUXD_TEST_ATTACK` asks for more.
const SECONDS: u64 = 6;
/// How much slower good requests may get at their 99th percentile: the server shares this machine
/// with all its clients here, and often with a build. Measured alone it is at most 2.
const SLOWER: u32 = 4;
/// What the scheduler alone can add to one request on a busy machine.
const NOISE: Duration = Duration::from_millis(25);
/// How much more memory the server may have in the end, in KiB.
const MORE_MEMORY: u64 = 128 << 10;
/// How long somebody with the right password may have to try.
const VICTIMS_PATIENCE: Duration = Duration::from_secs(10);

const PASSWORD: &str = "correct horse battery";

/// Held by whoever measures: tests of one program run at once, and would measure each other.
static ALONE: Mutex<()> = Mutex::const_new(());

/// Who sends the requests that must stay fast, and those who must get in.
struct Town {
    good: Vec<(&'static str, Client)>,
    operator: Client,
    path: String,
}

impl Town {
    async fn build(server: &Server) -> Self {
        let operator = server.set_up().await;
        let org = operator.org_id(ORG).await;
        let bucket = operator.bucket_id(&org, BUCKET).await;
        let read = [Permission("read", "buckets", &org, &bucket).json()];
        let otto = operator.makes_user("otto").await;
        operator.sets_password(&otto, PASSWORD).await.is_done();
        let token = operator.issues(&org, &otto, &read).await.client;
        let v1 = ("sensor", PASSWORD);
        let v1 = operator.makes_v1_user(v1, &org, &otto, &read).await.client;
        let victim = ("victim", PASSWORD);
        operator.makes_v1_user(victim, &org, &otto, &read).await;
        let session = operator.signs_in("otto", PASSWORD).await;
        Self {
            good: vec![("token", token), ("1.x password", v1), ("session", session)],
            operator,
            path: format!("/api/v2/buckets/{bucket}"),
        }
    }

    /// What good requests take for a while: the 99th percentile of each kind.
    async fn good_requests_take(&self, seconds: u64) -> Vec<(&'static str, Duration)> {
        let mut clients = JoinSet::new();
        for (kind, client) in self.good.iter().cloned() {
            // Sessions hold what tokens of their user hold: this one reads the bucket, too.
            let path = self.path.clone();
            clients.spawn(async move {
                let mut took = Vec::new();
                let began = Instant::now();
                while began.elapsed() < Duration::from_secs(seconds) {
                    let asked = Instant::now();
                    let answer = client.gets(&path).await;
                    assert_eq!(answer.status.as_u16(), 200, "{kind}: {}", answer.body);
                    took.push(asked.elapsed());
                    tokio::time::sleep(Duration::from_millis(3)).await;
                }
                took.sort_unstable();
                println!(
                    "{kind}: {} requests, median {:?}",
                    took.len(),
                    took[took.len() / 2]
                );
                (kind, took[took.len() * 99 / 100])
            });
        }
        let mut percentiles = clients.join_all().await;
        percentiles.sort_unstable();
        percentiles
    }
}

/// Resident memory of the server, in KiB.
fn memory(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.unwrap().trim().trim_end_matches("kB").trim();
    number.parse().expect("a number of KiB")
}

fn address(net: u8, host: u8) -> IpAddr {
    Ipv4Addr::new(127, 0, net, host).into()
}

/// The ways to try a password: known and unknown names, 1.x users and users, in every form.
fn attempt(client: &Client, turn: u64) -> reqwest::RequestBuilder {
    use reqwest::Method;
    const NAMES: [&str; 6] = ["sensor", "victim", "otto", "nobody", "ada", "root"];
    let name = NAMES[usize::try_from(turn / 4).unwrap_or(0) % NAMES.len()].to_owned();
    let wrong = format!("wrong password {turn}");
    let query = format!("/query?db={BUCKET}&q=SHOW+MEASUREMENTS");
    match turn % 4 {
        0 => client
            .with(Credential::Basic(name, wrong))
            .request(Method::GET, &query),
        1 => client
            .with(Credential::Query(name, wrong))
            .request(Method::GET, &query),
        2 => client
            .with(Credential::Basic(name, wrong))
            .request(Method::POST, "/api/v2/signin"),
        _ => client
            .with(Credential::Token(format!("{name}:{wrong}")))
            .request(Method::GET, "/api/v2/me"),
    }
}

/// Clients that try passwords until they are told to stop.
struct Attack {
    enough: Arc<AtomicBool>,
    refused: Arc<AtomicU64>,
    put_off: Arc<AtomicU64>,
    clients: JoinSet<()>,
}

impl Attack {
    fn begin(client: &Client) -> Self {
        let mut attack = Self {
            enough: Arc::default(),
            refused: Arc::default(),
            put_off: Arc::default(),
            clients: JoinSet::new(),
        };
        for number in 0..ATTACKERS {
            // Some from one address, most from one of their own.
            let from = if number < 16 {
                address(1, 1)
            } else {
                address(1, number)
            };
            let client = client.from(from);
            let enough = Arc::clone(&attack.enough);
            let (refused, put_off) = (Arc::clone(&attack.refused), Arc::clone(&attack.put_off));
            attack.clients.spawn(async move {
                let mut turn = u64::from(number) * 1_000_003;
                while !enough.load(Ordering::Relaxed) {
                    let answer = client.send(attempt(&client, turn)).await;
                    match answer.status.as_u16() {
                        401 => refused.fetch_add(1, Ordering::Relaxed),
                        // Not 401: whether it is wrong was not looked at.
                        503 => {
                            answer.asks_to_come_again();
                            put_off.fetch_add(1, Ordering::Relaxed)
                        }
                        other => panic!("a wrong password got {other}: {}", answer.body),
                    };
                    turn += 1;
                }
            });
        }
        attack
    }

    async fn end(self) {
        self.enough.store(true, Ordering::Relaxed);
        self.clients.join_all().await;
        println!(
            "attackers: {} refused, {} told to come again",
            self.refused.load(Ordering::Relaxed),
            self.put_off.load(Ordering::Relaxed)
        );
    }
}

/// How long somebody with the right password, never seen before, has to try.
async fn gets_in(
    what: &str,
    request: impl Fn() -> reqwest::RequestBuilder,
    client: &Client,
) -> Duration {
    let began = Instant::now();
    loop {
        let answer = client.send(request()).await;
        if answer.status.is_success() {
            println!("{what} got in after {:?}", began.elapsed());
            return began.elapsed();
        }
        answer.asks_to_come_again();
        assert!(began.elapsed() < VICTIMS_PATIENCE, "{what} does not get in");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn good_clients_hardly_notice_an_attack_and_victims_get_in(home: Home) {
    let _alone = ALONE.lock().await;
    let seconds = std::env::var("INFLUXD_TEST_ATTACK");
    let seconds = seconds.map_or(SECONDS, |text| text.parse().expect("a number of seconds"));
    let server = home.server().await;
    let town = Town::build(&server).await;
    // Whatever is cached at the first request is.
    town.good_requests_take(1).await;
    let (memory_before, before) = (memory(&server), town.good_requests_take(2).await);

    let attack = Attack::begin(&town.operator);
    tokio::time::sleep(Duration::from_millis(200)).await;
    let victims = async {
        let victim = Credential::Basic("victim".to_owned(), PASSWORD.to_owned());
        let query = format!("/query?db={BUCKET}&q=SHOW+MEASUREMENTS");
        for (what, from) in [
            ("a 1.x user from elsewhere", address(2, 1)),
            ("a user from elsewhere", address(2, 2)),
            ("a user from an attacker's address", address(1, 1)),
        ] {
            let client = town.operator.from(from).with(victim.clone());
            let took = match what {
                "a 1.x user from elsewhere" => {
                    let request = || client.request(reqwest::Method::GET, &query);
                    gets_in(what, request, &client).await
                }
                _ => {
                    let sign_in = || {
                        client
                            .bare_request(reqwest::Method::POST, "/api/v2/signin")
                            .basic_auth("otto", Some(PASSWORD))
                    };
                    gets_in(what, sign_in, &client).await
                }
            };
            assert!(took < VICTIMS_PATIENCE, "{what} had to try for {took:?}");
        }
    };
    let (during, ()) = tokio::join!(town.good_requests_take(seconds), victims);
    let memory_after = memory(&server);
    attack.end().await;

    println!("memory: {memory_before} KiB before, {memory_after} KiB in the end");
    for ((kind, before), (_, during)) in before.iter().zip(&during) {
        println!("{kind}: p99 {before:?} before, {during:?} during the attack");
    }
    for ((kind, before), (_, during)) in before.iter().zip(&during) {
        assert!(
            *during <= *before * SLOWER + NOISE,
            "{kind}: {before:?} before, {during:?} during the attack"
        );
    }
    assert!(
        memory_after < memory_before + MORE_MEMORY,
        "memory is bounded"
    );
    assert!(!server.output().contains("panicked"), "a handler panicked");
}

async fn a_name_that_exists_costs_what_another_one_costs(home: Home) {
    const ROUNDS: u8 = 24;
    let _alone = ALONE.lock().await;
    let server = home.server().await;
    let town = Town::build(&server).await;
    let operator = &town.operator;
    let org = operator.org_id(ORG).await;
    let bucket = operator.bucket_id(&org, BUCKET).await;
    let otto = operator.user_id("otto").await;
    let read = [Permission("read", "buckets", &org, &bucket).json()];
    for round in 0..ROUNDS {
        let name = format!("known{round}");
        let v1 = (name.as_str(), PASSWORD);
        operator.makes_v1_user(v1, &org, &otto, &read).await;
        // One without a password is one that exists, too.
        let body = json!({"token": format!("blank{round}"), "orgID": org, "permissions": read});
        let made = operator
            .posts("/private/legacy/authorizations", &body)
            .await;
        made.made("id");
        let user = operator.makes_user(&name).await;
        operator.sets_password(&user, PASSWORD).await.is_done();
    }

    let query = format!("/query?db={BUCKET}&q=SHOW+MEASUREMENTS");
    for (net, what, path, known) in [
        (11, "1.x users", query.as_str(), "known"),
        (12, "1.x users without a password", query.as_str(), "blank"),
        (13, "users", "/api/v2/signin", "known"),
    ] {
        let mut took = [Vec::new(), Vec::new()];
        for round in 0..ROUNDS {
            // Each attempt is the first of its name and of its address: none is put off for those
            // before it. The order changes, so that nothing else tells one from the other.
            for turn in [usize::from(round % 2), usize::from(1 - round % 2)] {
                let host = 2 * round + u8::from(turn == 1) + 1;
                let client = operator.from(address(net, host));
                let name = format!("{}{round}", [known, what][turn]);
                let credential = Credential::Basic(name, format!("wrong password {round}"));
                let client = client.with(credential);
                // The connection is there before the clock runs.
                client.gets("/ping").await;
                let asked = Instant::now();
                let answer = client.gets(path).await;
                took[turn].push(asked.elapsed());
                assert_eq!(answer.status.as_u16(), 401, "{what}: {}", answer.body);
            }
        }
        // What one kind costs more shows in the fastest attempts, the first quartile and the median
        // alike; what else the machine does spoils one of them now and then, and hardly all three.
        let [known, unknown] = took.map(|mut took| {
            took.sort_unstable();
            [took[0], took[took.len() / 4], took[took.len() / 2]]
        });
        println!("{what}: {known:?} for a known name, {unknown:?} for an unknown one");
        let alike = known.iter().zip(&unknown).any(|(known, unknown)| {
            (0.9..1.1).contains(&(known.as_secs_f64() / unknown.as_secs_f64()))
        });
        assert!(alike, "{what}: {known:?} and {unknown:?}");
    }
}
