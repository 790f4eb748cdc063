//! Killed at any moment: what was acknowledged is there, and of a body either all or nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use influxd_tests::{Client, Home, Server, on_both_stores};
use rand::Rng;
use tokio::task::JoinHandle;

on_both_stores!(nothing_acknowledged_is_lost_to_kills);

/// How often a server is killed, on each store. `INFLUXD_TEST_KILLS` asks for more.
const KILLS: usize = 20;
/// How many clients write at once.
const CLIENTS: usize = 4;
/// Points of a body.
const LINES: usize = 8;

/// The bodies of one client: number by number.
#[derive(Debug, Default)]
struct Diary {
    /// The number of the next body.
    next: usize,
    /// Bodies that were answered with 204.
    acknowledged: BTreeSet<usize>,
}

/// A body of several points, whose times tell client, number and place.
fn body(client: usize, number: usize) -> String {
    (0..LINES)
        .map(|part| {
            let time = (number * CLIENTS + client) * LINES + part;
            format!("body,client={client} number={number}i,part={part}i {time}\n")
        })
        .collect()
}

/// A body with a good point and one that makes the server refuse all of it.
fn refused_body(client: usize, number: usize) -> String {
    format!("refused,client={client} number={number}i {number}\nrefused,client={client} number=\n")
}

/// Writes until the server goes away or `enough` is set; 503 is an answer, too.
async fn writes_on(
    client: Client,
    name: usize,
    mut diary: Diary,
    enough: Arc<AtomicBool>,
) -> Diary {
    while !enough.load(Ordering::Relaxed) {
        let number = diary.next;
        if number % 7 == 3 {
            match client.tries_to_write(refused_body(name, number)).await {
                Some(answer) if answer.status.as_u16() == 400 => {}
                Some(answer) => answer.asks_to_come_again(),
                None => return diary,
            }
        }
        diary.next += 1;
        match client.tries_to_write(body(name, number)).await {
            Some(answer) if answer.status.as_u16() == 204 => {
                diary.acknowledged.insert(number);
            }
            Some(answer) => {
                answer.asks_to_come_again();
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            None => return diary,
        }
    }
    diary
}

/// Clients at work.
struct Writers {
    tasks: Vec<JoinHandle<Diary>>,
    enough: Arc<AtomicBool>,
}

impl Writers {
    /// Starts them, each with its diary.
    fn start(server: &Server, diaries: Vec<Diary>) -> Self {
        let enough = Arc::new(AtomicBool::new(false));
        let begin = |(name, diary)| {
            let client = server.operator();
            tokio::spawn(writes_on(client, name, diary, Arc::clone(&enough)))
        };
        let tasks = diaries.into_iter().enumerate().map(begin).collect();
        Self { tasks, enough }
    }

    /// Waits until they have noticed that the server is gone.
    async fn left_alone(self) -> Vec<Diary> {
        let mut diaries = Vec::new();
        for task in self.tasks {
            diaries.push(
                task.await
                    .expect("a writer gets no answer that it cannot explain"),
            );
        }
        diaries
    }

    /// Lets each finish its present body.
    async fn stop(self) -> Vec<Diary> {
        self.enough.store(true, Ordering::Relaxed);
        self.left_alone().await
    }
}

/// Looks at every body since number `first`.
async fn everything_is_there(reader: &Client, diaries: &[Diary], first: usize) {
    let from = first * CLIENTS * LINES;
    let answer = reader
        .asks(&format!(
            "SELECT number, part FROM body WHERE time >= {from} GROUP BY client"
        ))
        .await;
    let mut found: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    for series in answer.series() {
        let client = series["tags"]["client"].as_str().unwrap().parse().unwrap();
        for row in series["values"].as_array().unwrap() {
            let number = row[1].as_u64().unwrap() as usize;
            *found.entry((client, number)).or_default() += 1;
        }
    }
    for ((client, number), points) in &found {
        assert_eq!(*points, LINES, "half of body {number} of client {client}");
    }
    for (client, diary) in diaries.iter().enumerate() {
        for number in diary.acknowledged.range(first..) {
            assert!(
                found.contains_key(&(client, *number)),
                "body {number} of client {client} was acknowledged and is gone"
            );
        }
    }
    assert_eq!(
        reader.counts("number", "refused").await,
        0,
        "of a refused body something stayed"
    );
}

fn kills() -> usize {
    let asked = std::env::var("INFLUXD_TEST_KILLS").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(KILLS)
}

async fn nothing_acknowledged_is_lost_to_kills(home: Home) {
    let mut server = home.server().await;
    server.set_up().await;
    let mut diaries: Vec<Diary> = (0..CLIENTS).map(|_| Diary::default()).collect();
    for _ in 0..kills() {
        let first = diaries.iter().map(|diary| diary.next).min().unwrap_or(0);
        let writers = Writers::start(&server, diaries);
        let moment = rand::rng().random_range(5..400);
        tokio::time::sleep(Duration::from_millis(moment)).await;
        server.kill();
        diaries = writers.left_alone().await;

        server = home.server().await;
        everything_is_there(&server.operator(), &diaries, first).await;
    }
    everything_is_there(&server.operator(), &diaries, 0).await;
    let acknowledged: usize = diaries.iter().map(|diary| diary.acknowledged.len()).sum();
    assert!(
        acknowledged > kills(),
        "only {acknowledged} bodies were acknowledged"
    );
}

/// PostgreSQL itself crashes under the writers, several times; the server is never restarted.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_when_postgresql_crashes() {
    let home = Home::postgres_alone().await;
    let server = home.server().await;
    let reader = server.set_up().await;
    let mut diaries: Vec<Diary> = (0..CLIENTS).map(|_| Diary::default()).collect();
    for _ in 0..3 {
        let writers = Writers::start(&server, diaries);
        tokio::time::sleep(Duration::from_millis(rand::rng().random_range(50..500))).await;
        home.cluster().stop_immediate().expect("PostgreSQL stops");
        let refused = reader.writes("probe f=1 1").await;
        refused.asks_to_come_again();
        tokio::time::sleep(Duration::from_millis(300)).await;
        home.cluster().start_again().expect("PostgreSQL starts");
        writes_work_again(&reader).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        diaries = writers.stop().await;
        everything_is_there(&reader, &diaries, 0).await;
    }
}

async fn writes_work_again(client: &Client) {
    let began = Instant::now();
    while client.writes("probe f=1 1").await.status.as_u16() != 204 {
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "writes do not come back"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
