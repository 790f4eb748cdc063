//! Two servers on one PostgreSQL database.

use std::time::{Duration, Instant};

use influxd_tests::{Client, Home};

/// Both servers start on an empty database at the same moment.
#[tokio::test(flavor = "multi_thread")]
async fn servers_that_start_together_agree_on_the_schema() {
    let home = Home::postgres().await;
    let (one, other) = tokio::join!(home.server(), home.server());
    let operator = one.set_up().await;
    operator.writes("m f=1 1").await.is_accepted();
    assert_eq!(other.operator().counts("f", "m").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_point_acknowledged_by_one_is_in_the_next_answer_of_the_other() {
    let (_home, _servers, clients) = Home::with_two_servers(&[]).await;
    for round in 0..100_u64 {
        let (writer, reader) = match round % 2 {
            0 => (&clients[0], &clients[1]),
            _ => (&clients[1], &clients[0]),
        };
        writer
            .writes(&format!("m,at=x f={round} {round}"))
            .await
            .is_accepted();
        assert_eq!(
            reader.counts("f", "m").await,
            round + 1,
            "after round {round}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_follow_each_other_while_many_write_at_once() {
    let (_home, _servers, clients) = Home::with_two_servers(&[]).await;
    let mut writers = Vec::new();
    for name in 0..8_usize {
        let (writer, reader) = (clients[name % 2].clone(), clients[(name + 1) % 2].clone());
        writers.push(tokio::spawn(async move {
            for round in 0..25 {
                writer
                    .writes(&format!("m,name={name} f={round} {round}"))
                    .await
                    .is_accepted();
                let query = format!("SELECT count(f) FROM m WHERE \"name\" = '{name}'");
                let count = reader.asks(&query).await.only_row()[0].as_u64().unwrap();
                assert_eq!(count, round + 1, "client {name}");
            }
        }));
    }
    for writer in writers {
        writer.await.expect("every writer sees its points");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_field_written_with_two_types_at_once_gets_one() {
    let (_home, _servers, [one, other]) = Home::with_two_servers(&[]).await;
    for round in 0..25 {
        let (number, text) = (format!("m f{round}=1i 1"), format!("m f{round}=\"text\" 2"));
        let (a, b) = tokio::join!(one.writes(&number), other.writes(&text));
        let (winner, loser) = if a.status.as_u16() == 204 {
            (&a, &b)
        } else {
            (&b, &a)
        };
        winner.is_accepted();
        loser.is_refused(422, "field type conflict");
        for client in [&one, &other] {
            assert_eq!(
                client.counts(&format!("f{round}"), "m").await,
                1,
                "f{round}"
            );
        }
    }
    let types = one.asks("SHOW FIELD KEYS FROM m").await.rows();
    assert_eq!(types.len(), 25);
    assert_eq!(other.asks("SHOW FIELD KEYS FROM m").await.rows(), types);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delete_on_one_beside_writes_on_the_other_takes_what_was_there_before() {
    const BODIES: u64 = 150;
    let (_home, _servers, [one, other]) = Home::with_two_servers(&[]).await;
    let line = |host: &str, n: u64| format!("m,host={host} f={n} {n}");
    // What is certainly older than the delete …
    for n in 0..BODIES {
        let body = format!("{}\n{}", line("stays", n), line("goes", n));
        one.writes(&body).await.is_accepted();
    }
    // … what races with it …
    let racing = tokio::spawn(async move {
        for n in BODIES..2 * BODIES {
            let body = format!("{}\n{}", line("stays", n), line("goes", n));
            one.writes(&body).await.is_accepted();
        }
        one
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    other.deletes("host=\"goes\"").await.is_accepted();
    let one = racing.await.expect("the writer is never refused");
    // … and what is certainly younger.
    for n in 2 * BODIES..3 * BODIES {
        let body = format!("{}\n{}", line("stays", n), line("goes", n));
        one.writes(&body).await.is_accepted();
    }

    let count = async |client: &Client, condition: &str| {
        let query = format!("SELECT count(f) FROM m WHERE {condition}");
        let rows = client.asks(&query).await.rows();
        rows.first().map_or(0, |row| row[1].as_u64().unwrap())
    };
    for client in [&one, &other] {
        assert_eq!(count(client, "host = 'stays'").await, 3 * BODIES);
        assert_eq!(
            count(client, &format!("host = 'goes' AND time < {BODIES}")).await,
            0
        );
        let younger = format!("host = 'goes' AND time >= {}", 2 * BODIES);
        assert_eq!(count(client, &younger).await, BODIES);
    }
    let left = one.asks("SELECT f FROM m WHERE host = 'goes'").await.rows();
    assert_eq!(
        other
            .asks("SELECT f FROM m WHERE host = 'goes'")
            .await
            .rows(),
        left
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_measurement_can_change_its_types_on_every_server() {
    let (_home, _servers, [one, other]) = Home::with_two_servers(&[]).await;
    for round in 0..10 {
        one.writes("m f=1 1").await.is_accepted();
        other.writes("m f=2 2").await.is_accepted();
        one.asks("DROP MEASUREMENT m").await;
        other.writes("m f=\"text\" 3").await.is_accepted();
        one.writes("m f=\"more\" 4").await.is_accepted();
        for client in [&one, &other] {
            assert_eq!(client.counts("f", "m").await, 2, "round {round}");
        }
        other.asks("DROP MEASUREMENT m").await;
        assert_eq!(one.counts("f", "m").await, 0);
    }
}

/// One server does nothing for a while, as a stopped virtual machine would, and wakes up to a
/// store from which everything that it knew is gone.
#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_server_wakes_up_to_the_truth() {
    let graces = ["--fresh-grace=1s", "--chunk-grace=1s"];
    let (home, [frozen, awake], [at_frozen, at_awake]) = Home::with_two_servers(&graces).await;
    let total = async |client: &Client| client.asks("SELECT sum(f), count(f) FROM m").await;
    for n in 0..10 {
        at_frozen
            .writes(&format!("m,host=a f={n} {n}"))
            .await
            .is_accepted();
    }
    assert_eq!(total(&at_frozen).await.only_row()[1], 10);
    let known = home.asks_database("SELECT max(id) FROM fresh_chunks");

    frozen.freeze();
    for n in 10..210 {
        at_awake
            .writes(&format!("m,host=b f={n} {n}"))
            .await
            .is_accepted();
    }
    at_awake.asks("DELETE FROM m WHERE time < 5").await;
    let began = Instant::now();
    let left = format!("SELECT count(*) FROM fresh_chunks WHERE id <= {known}");
    while home.asks_database(&left) != "0" {
        let waited = began.elapsed();
        assert!(
            waited < Duration::from_secs(60),
            "the dead stay:\n{}",
            awake.output()
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let truth = total(&at_awake).await.only_row();
    assert_eq!(truth[1], 205);

    frozen.thaw();
    assert_eq!(total(&at_frozen).await.only_row(), truth);
    at_frozen.writes("m,host=c f=1000 1000").await.is_accepted();
    assert_eq!(total(&at_awake).await.only_row()[1], 206);
    assert_eq!(total(&at_frozen).await.only_row()[1], 206);
}
