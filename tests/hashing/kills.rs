//! Killed at any moment of a migration: no token is lost, and the next start goes on.

use std::time::{Duration, Instant};

use influxd_tests::{Home, on_both_stores};
use rand::Rng;
use rustix::process::Signal;

use super::{OFF, all_work, escrow, makes_tokens, status};

on_both_stores!(a_migration_survives_kills);

/// How often a server is killed, on each store. `INFLUXD_TEST_KILLS` asks for more.
const KILLS: usize = 10;
/// How many tokens there are: more than one transaction replaces.
const TOKENS: usize = 3000;

fn kills() -> usize {
    let asked = std::env::var("INFLUXD_TEST_KILLS").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(KILLS)
}

async fn a_migration_survives_kills(home: Home) {
    let (identity, to_escrow) = escrow(&home);
    let hashing = [to_escrow.as_str()];
    let way_back = ["recovery", "tokens", &identity, "--write-back", OFF];
    let server = home.server_with(&[OFF]).await;
    let operator = server.set_up().await;
    let tokens = makes_tokens(&operator, TOKENS).await;
    all_work(&server, &tokens).await;
    server.kill();
    let all = TOKENS as u64 + 1;
    assert_eq!(status(&home, &[])["raw"], all);

    // How long a migration takes that nobody disturbs.
    let began = Instant::now();
    let mut server = home.launches(&hashing);
    server.is_ready().await;
    let whole = began.elapsed();
    server.stop(Signal::TERM);
    let mut raw = 0;
    let mut moments = [0; 3];
    for kill in 0..kills() {
        if raw == 0 {
            home.runs(&way_back).printed();
            assert_eq!(status(&home, &[])["raw"], all, "the way back, {kill}");
        }
        let server = home.launches(&hashing);
        tokio::time::sleep(whole.mul_f64(rand::rng().random_range(0.0..1.1))).await;
        server.kill();
        let now = status(&home, &[]);
        assert_eq!(now["tokens"], all, "{now}");
        assert_eq!(
            now["unknown"].as_u64().zip(now["missing"].as_u64()),
            Some((0, 0))
        );
        raw = now["raw"].as_u64().expect("a number");
        // What it says that a start would do is what is left to do.
        let would = now["nextStart"].as_str().expect("a text");
        let left = now["awaitsScrub"]["tokens"] == true;
        assert_eq!(would.contains("raw tokens into digests"), raw > 0, "{now}");
        assert_eq!(would.contains("remove what is left"), left, "{now}");
        assert_eq!(would.starts_with("nothing"), raw == 0 && !left, "{now}");
        moments[usize::from(raw < all) + usize::from(raw == 0)] += 1;
        // In between they work in whatever form they are in, hashing on or off.
        if kill % 3 == 2 {
            let server = home.server_with(&[OFF]).await;
            all_work(&server, &tokens).await;
            server.kill();
            assert_eq!(
                status(&home, &[])["raw"],
                raw,
                "nothing moves while it is off"
            );
        }
    }
    println!("killed before, amid and after the migration of {whole:?}: {moments:?}");

    let mut server = home.launches(&hashing);
    server.is_ready().await;
    all_work(&server, &tokens).await;
    assert_eq!(
        operator
            .at(&server.operator())
            .gets("/api/v2/me")
            .await
            .status
            .as_u16(),
        200
    );
    server.kill();
    let now = status(&home, &[]);
    assert_eq!(now["raw"], 0, "{now}");
    assert_eq!(now["digests"]["influxdb2-sha256"], all, "{now}");
    assert!(whole < Duration::from_secs(30), "{whole:?}");
}
