//! Two servers on one PostgreSQL that find raw tokens.

use std::time::{Duration, Instant};

use influxd_tests::{Client, Credential, Home, Server};

use super::{Made, OFF, all_work, each, escrow, makes_tokens, none_works, status};

/// Enough that a migration, sealed to escrow, can be watched.
const TOKENS: usize = 3000;

fn nobody(server: &Server) -> Client {
    server.client("").with(Credential::Nothing)
}

#[tokio::test(flavor = "multi_thread")]
async fn one_migrates_while_the_other_serves_and_takes_over() {
    let home = Home::postgres().await;
    let (_, to_escrow) = escrow(&home);
    let server = home.server_with(&[OFF]).await;
    let tokens = makes_tokens(&server.set_up().await, TOKENS).await;
    server.kill();

    let mut first = home.launches(&[&to_escrow]);
    first.listens().await;
    let client = first.client(&tokens[0].token);
    let mut amid = false;
    // The first transaction takes a while; then some are digests and some are raw.
    let began = Instant::now();
    while !amid {
        let health = nobody(&first).gets("/health").await;
        assert_eq!(
            health.status.as_u16(),
            503,
            "too fast to be watched: {}",
            health.body
        );
        let json = health.json();
        assert_eq!(json["status"], "fail", "{json}");
        assert!(
            health.body.contains("turning raw tokens into digests"),
            "{json}"
        );
        amid = !health.body.contains(" 0 of ");
        for path in [
            "/api/v2/buckets",
            "/api/v2/me",
            "/query?q=SHOW+DATABASES",
            "/ping",
            "/api/v2/setup",
        ] {
            client.gets(path).await.asks_to_come_again();
        }
        let ready = nobody(&first).gets("/ready").await;
        assert_eq!(ready.status.as_u16(), 503, "{}", ready.body);
        assert_eq!(ready.json()["status"], "not ready");
        assert_eq!(nobody(&first).gets("/metrics").await.status.as_u16(), 200);
        assert!(began.elapsed() < Duration::from_secs(60), "nothing moves");
    }
    first.freeze();
    let now = status(&home, &[]);
    let (raw, all) = (
        now["raw"].as_u64().unwrap(),
        now["tokens"].as_u64().unwrap(),
    );
    assert!(0 < raw && raw < all, "{now}");

    let second = home.server_with(&[&to_escrow]).await;
    let health = nobody(&second).gets("/health").await;
    assert_eq!(health.status.as_u16(), 200, "{}", health.body);
    all_work(&second, &tokens).await;
    assert_eq!(
        status(&home, &[])["raw"],
        raw,
        "nobody else migrates meanwhile"
    );

    let killed = Instant::now();
    first.kill();
    while status(&home, &[])["raw"] != 0 {
        assert_eq!(nobody(&second).gets("/health").await.status.as_u16(), 200);
        let waited = killed.elapsed();
        assert!(waited < Duration::from_secs(20), "{}", second.output());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    println!("taken over and finished after {:?}", killed.elapsed());
    all_work(&second, &tokens).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_start_together_do_the_work_once() {
    let home = Home::postgres().await;
    let server = home.server_with(&[OFF]).await;
    let tokens = makes_tokens(&server.set_up().await, 600).await;
    server.kill();
    let mut servers = [home.launches(&[]), home.launches(&[]), home.launches(&[])];
    for server in &mut servers {
        server.is_ready().await;
        all_work(server, &tokens).await;
    }
    assert_eq!(status(&home, &[])["raw"], 0);
    let migrated = |server: &&Server| server.output().contains("Migrated raw tokens");
    assert_eq!(servers.iter().filter(migrated).count(), 1);
}

/// Somebody uses another server, which does not hash, to delete what this one is about to replace.
#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_are_deleted_amid_the_migration_do_not_stop_it() {
    let home = Home::postgres().await;
    let (_, to_escrow) = escrow(&home);
    let unhashed = home.server_with(&[OFF]).await;
    let operator = unhashed.set_up().await;
    let tokens = makes_tokens(&operator, 2 * TOKENS).await;
    let (gone, kept) = tokens.split_at(TOKENS);

    let mut migrating = home.launches(&[&to_escrow]);
    migrating.listens().await;
    let deletes = each(gone, |made| {
        let (operator, path) = (
            operator.clone(),
            format!("/api/v2/authorizations/{}", made.id),
        );
        async move { operator.removes(&path).await }
    });
    let (deleted, ()) = tokio::join!(deletes, migrating.is_ready());
    for answer in deleted {
        assert_eq!(answer.status.as_u16(), 204, "{}", answer.body);
    }
    assert_eq!(status(&home, &[])["raw"], 0, "{}", migrating.output());
    all_work(&migrating, kept).await;
    let gone: Vec<String> = gone.iter().map(|made| made.token.clone()).collect();
    none_works(&migrating, &gone[..100]).await;
}

/// The care of tokens waits for its database as everything else does.
#[tokio::test(flavor = "multi_thread")]
async fn a_migration_goes_on_when_the_database_is_back() {
    let home = Home::postgres_alone().await;
    let (_, to_escrow) = escrow(&home);
    let server = home.server_with(&[OFF]).await;
    let tokens = makes_tokens(&server.set_up().await, TOKENS).await;
    server.kill();

    let mut server = home.launches(&[&to_escrow]);
    server.listens().await;
    let began = Instant::now();
    while nobody(&server)
        .gets("/health")
        .await
        .body
        .contains(" 0 of ")
    {
        assert!(began.elapsed() < Duration::from_secs(60), "nothing moves");
    }
    home.cluster().stop_immediate().expect("PostgreSQL stops");
    says(&server, TRIED_AGAIN, 1).await;
    let asked = nobody(&server).gets("/api/v2/buckets").await;
    asked.asks_to_come_again();
    let health = nobody(&server).gets("/health").await;
    assert!(
        health.body.contains("turning raw tokens into digests"),
        "it was done: {}",
        health.body
    );
    home.cluster().start_again().expect("PostgreSQL starts");
    server.is_ready().await;
    assert_eq!(status(&home, &[])["raw"], 0);
    all_work(&server, &tokens).await;

    // And so it does while it serves: a deleted token has to be scrubbed.
    home.cluster().stop_immediate().expect("PostgreSQL stops");
    let said = server.output().matches(TRIED_AGAIN).count();
    says(&server, TRIED_AGAIN, said + 1).await;
    assert!(server.is_running(), "{}", server.output());
    home.cluster().start_again().expect("PostgreSQL starts");
    all_work_soon(&server, &tokens).await;
    let made = makes_tokens(&server.operator(), 1).await;
    let path = format!("/api/v2/authorizations/{}", made[0].id);
    let removed = server.operator().removes(&path).await;
    assert_eq!(removed.status.as_u16(), 204, "{}", removed.body);
    let began = Instant::now();
    while home.asks_database("SELECT count(*) FROM removals") != "0" {
        assert!(began.elapsed() < BOUND, "{}", server.output());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// What a server that cannot care for tokens says.
const TRIED_AGAIN: &str = "The care of tokens will be tried again";
/// How long anything here may take that takes seconds.
const BOUND: Duration = Duration::from_secs(60);

/// Waits until a server has said something so many times.
async fn says(server: &Server, text: &str, times: usize) {
    let began = Instant::now();
    while server.output().matches(text).count() < times {
        assert!(began.elapsed() < BOUND, "{}", server.output());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// [`all_work`] once the server has found its database again.
async fn all_work_soon(server: &Server, tokens: &[Made]) {
    let began = Instant::now();
    while nobody(server).gets("/health").await.status.as_u16() != 200 {
        assert!(began.elapsed() < BOUND, "{}", server.output());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    all_work(server, tokens).await;
}
