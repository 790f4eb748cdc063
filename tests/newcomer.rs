//! A newcomer's first five minutes, as README tells them.

use influxd_tests::{Home, Person, number, on_both_stores};
use reqwest::Method;

on_both_stores!(
    a_newcomer_writes_a_file_and_sees_hourly_means,
    a_generated_token_works_and_is_shown_once,
    set_up_works_once,
    every_header_form_of_a_token_works,
    points_live_on_after_a_restart,
);

const FILE: &str = include_str!("data/seattle.lp");

async fn a_newcomer_writes_a_file_and_sees_hourly_means(home: Home) {
    let server = home.server().await;
    let stranger = server.client("nobody");
    let allowed = stranger.gets("/api/v2/setup").await.json();
    assert_eq!(allowed["allowed"], true);

    let newcomer = server.set_up().await;
    newcomer.writes(FILE).await.is_accepted();

    let means = newcomer
        .asks(
            "SELECT mean(fahrenheit) FROM temperature \
             WHERE time >= '2010-01-01' AND time < '2010-01-01T04:00:00Z' GROUP BY time(1h)",
        )
        .await;
    let means: Vec<f64> = means.rows().iter().map(|row| number(&row[1])).collect();
    let expected = [43.6, 43.3, 42.95, 42.7];
    assert_eq!(means.len(), expected.len(), "{means:?}");
    for (mean, expected) in means.iter().zip(expected) {
        assert!((mean - expected).abs() < 1e-9, "{means:?}");
    }
}

async fn a_generated_token_works_and_is_shown_once(home: Home) {
    let server = home.server().await;
    let who = Person {
        token: "",
        ..Person::default()
    };
    let answer = server.client("").sets_up(who).await;
    assert_eq!(answer.status.as_u16(), 201, "{}", answer.body);
    let token = answer.json()["auth"]["token"].as_str().unwrap().to_owned();
    assert!(token.len() >= 86, "{} characters", token.len());

    server.client(&token).writes("m f=1").await.is_accepted();
}

async fn set_up_works_once(home: Home) {
    let server = home.server().await;
    let operator = server.set_up().await;
    let again = operator.sets_up(Person::default()).await;
    again.is_refused(422, "onboarding has already been completed");
    let allowed = operator.gets("/api/v2/setup").await.json();
    assert_eq!(allowed["allowed"], false);
}

async fn every_header_form_of_a_token_works(home: Home) {
    let server = home.server().await;
    let operator = server.set_up().await;
    operator.writes("m f=1 1").await.is_accepted();
    let nobody = server.client("wrong");
    nobody
        .writes("m f=1 1")
        .await
        .is_refused(401, "unauthorized");

    let http = reqwest::Client::new();
    let token = influxd_tests::OPERATOR_TOKEN;
    let url = format!(
        "http://127.0.0.1:{}/query?db={}&q=SELECT+f+FROM+m",
        server.port(),
        influxd_tests::BUCKET
    );
    let asked = || http.request(Method::GET, &url);
    for request in [
        asked().header("authorization", format!("Token {token}")),
        asked().header("authorization", format!("token {token}")),
        asked().header("authorization", format!("Bearer {token}")),
        asked().header("authorization", format!("Token anybody:{token}")),
        asked().basic_auth("anybody", Some(token)),
        asked().query(&[("u", "anybody"), ("p", token)]),
    ] {
        let answer = operator.send(request).await;
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.body);
    }
    let answer = operator.send(asked()).await;
    answer.is_refused(401, "unauthorized");
}

async fn points_live_on_after_a_restart(home: Home) {
    let server = home.server().await;
    let operator = server.set_up().await;
    operator.writes(FILE).await.is_accepted();
    server.stop(rustix::process::Signal::TERM);

    let server = home.server().await;
    assert_eq!(
        server.operator().counts("fahrenheit", "temperature").await,
        1488
    );
}
