//! Access that was lost, and the way back: beside a running server, and without one.

mod backup;

use std::fs;
use std::time::{Duration, Instant};

use age::x25519::Identity;
use influxd_tests::{
    Client, Credential, Home, ORG, Permission, Person, Search, files_below, on_both_stores,
};
use rustix::process::Signal;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

on_both_stores!(
    a_lost_operator_token_is_back_within_a_second,
    a_new_password_ends_the_sessions_of_old_ones,
    users_and_organizations_are_made_beside_a_server,
    the_way_back_works_step_by_step,
    the_way_back_is_open_after_a_change_of_recipients,
);

/// How long a change may take to be seen by a server that runs.
const SECOND: Duration = Duration::from_secs(1);
const OFF: &str = "--use-hashed-tokens=false";

/// What tokens may do here: read the buckets of an organization.
fn reads(org: &str) -> [Value; 1] {
    [Permission("read", "buckets", org, "").json()]
}

/// Whether this credential is let in.
async fn is_let_in(client: &Client) -> bool {
    let answer = client.gets("/api/v2/buckets?limit=1").await;
    match answer.status.as_u16() {
        200 => true,
        401 | 403 => false,
        _ => panic!("{} {}", answer.status, answer.body),
    }
}

/// Waits for it, and not for long.
async fn is_soon(what: &str, client: &Client, let_in: bool) {
    let began = Instant::now();
    while is_let_in(client).await != let_in {
        assert!(
            began.elapsed() < SECOND,
            "{what} after {:?}",
            began.elapsed()
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The token in the row of the table whose description is this.
fn token_in(table: &str, description: &str) -> String {
    let row = table.lines().find(|line| line.contains(description));
    let row = row.unwrap_or_else(|| panic!("no {description} in {table}"));
    let cells: Vec<&str> = row.split('\t').filter(|cell| !cell.is_empty()).collect();
    cells[4].to_owned()
}

async fn a_lost_operator_token_is_back_within_a_second(home: Home) {
    let server = home.server().await;
    let operator = server.set_up().await;
    let (org, ada) = (operator.org_id(ORG).await, operator.user_id("ada").await);
    let lost = operator.issues(&org, &ada, &reads(&org)).await.client;
    let listed = home.runs(&["recovery", "auth", "list"]);
    let named = format!("process {} at ", server.pid());
    assert!(listed.stderr.contains(&named), "{listed:?}");
    let listed = listed.printed();
    assert!(!listed.contains(&named), "{listed}");
    assert!(listed.contains("REDACTED"), "{listed}");
    assert!(!listed.contains(influxd_tests::OPERATOR_TOKEN), "{listed}");

    let began = Instant::now();
    let table = home.recovers_operator("ada", ORG, &[]).printed();
    let token = token_in(&table, "ada's Recovery Token");
    assert_eq!(token.len(), 88, "{table}");
    let last = table.lines().last().unwrap_or_default();
    assert!(
        last.contains(&token),
        "the docs say that it is in the last line: {table}"
    );
    let back = server.client(&token);
    is_soon("the new token is refused", &back, true).await;
    println!("back after {:?}", began.elapsed());
    // It can do what an operator can.
    back.makes_org("by-the-recovered").await;
    assert!(is_let_in(&lost).await);
    let listed = home.runs(&["recovery", "auth", "list"]).printed();
    assert_eq!(token_in(&listed, "ada's Recovery Token"), "REDACTED");

    // It was never raw in any file.
    let search = Search::new([&token]);
    server.stop(Signal::TERM);
    for file in files_below(home.folder()) {
        let bytes = fs::read(&file).unwrap();
        search.finds_nothing_in(&file.display().to_string(), &bytes);
    }
    let alone = home.runs(&["recovery", "user", "list"]);
    assert!(!alone.stderr.contains("process"), "{alone:?}");
    // And without a server, raw where hashing is off.

    let table = home.recovers_operator("ada", ORG, &[OFF]).printed();
    let status = home
        .runs(&["token-hashing", "status", "--json", OFF])
        .json();
    assert_eq!(status["raw"], 1, "{status}");
    let server = home.server_with(&[OFF]).await;
    let last = table.lines().last().unwrap();
    assert!(is_let_in(&server.client(&token_in(last, "ada's Recovery Token"))).await);
    assert!(is_let_in(&server.client(&token)).await);
}

async fn a_new_password_ends_the_sessions_of_old_ones(home: Home) {
    let server = home.server().await;
    let operator = server.set_up().await;
    let who = Person::default();
    let session = operator.signs_in(who.name, who.password).await;
    assert!(is_let_in(&session).await);
    let new = "a new password for ada";
    let command = [
        "recovery",
        "user",
        "update",
        "--username",
        "ada",
        "--password",
        new,
    ];
    let shown = home.runs(&command).printed();
    assert!(shown.contains("ada") && !shown.contains(new), "{shown}");
    is_soon("the session lives", &session, false).await;
    operator.signs_in("ada", new).await;
    let old = operator.tries_to_sign_in("ada", who.password).await;
    old.is_refused(401, "unauthorized access");
    assert!(is_let_in(&operator).await, "tokens are not touched");
}

async fn users_and_organizations_are_made_beside_a_server(home: Home) {
    let server = home.server().await;
    let operator = server.set_up().await;
    let password = "grace has a password";
    let command = [
        "recovery",
        "user",
        "create",
        "--username",
        "grace",
        "--password",
        password,
    ];
    let shown = home.runs(&command).printed();
    assert!(shown.contains("grace"), "{shown}");
    let listed = home.runs(&["recovery", "user", "list"]).printed();
    assert_eq!(listed, shown);
    let shown = home
        .runs(&["recovery", "org", "create", "--org", "second"])
        .printed();
    assert_eq!(home.runs(&["recovery", "org", "list"]).printed(), shown);
    let table = home.recovers_operator("grace", "second", &[]).printed();
    let token = token_in(&table, "grace's Recovery Token");
    let grace = server.client(&token);
    is_soon("the token is refused", &grace, true).await;
    let session = operator.signs_in("grace", password).await;
    assert!(is_let_in(&session).await);
    let org = grace.org_id("second").await;
    grace.tries_to_make_bucket(&org, "b").await.made("id");
    grace
        .writes_in("second", "b", "m f=1 1")
        .await
        .is_accepted();
    server.stop(Signal::TERM);
    let server = home.server().await;
    assert!(
        is_let_in(&grace.at(&server.operator())).await,
        "a start goes well afterwards"
    );
}

/// As docs/token-hashing.md says it.
async fn the_way_back_works_step_by_step(home: Home) {
    let server = home.server_with(&[OFF]).await;
    let operator = server.set_up().await;
    let (org, ada) = (operator.org_id(ORG).await, operator.user_id("ada").await);
    let before = operator.issues(&org, &ada, &reads(&org)).await.client;
    let Credential::Token(text) = before.credential().clone() else {
        panic!("a token was issued");
    };
    server.stop(Signal::TERM);

    // 1 and 2: an identity elsewhere; its recipient here.
    let identity = Identity::generate();
    let to_escrow = format!("--token-escrow-recipient={}", identity.to_public());
    let mut server = home.launches(&[&to_escrow]);
    server.is_ready().await;
    assert!(is_let_in(&before.at(&server.operator())).await);
    let after = server
        .operator()
        .issues(&org, &ada, &reads(&org))
        .await
        .client;
    // 3: seen again, where the identity is; and only there.
    let (mine, other) = (home.folder().join("mine"), home.folder().join("other"));
    fs::write(&mine, identity.to_string().expose_secret()).unwrap();
    fs::write(&other, Identity::generate().to_string().expose_secret()).unwrap();
    let [mine, other] = [mine, other].map(|file| format!("--identity={}", file.display()));
    let listed = home.runs(&["recovery", "tokens", &mine]).printed();
    assert!(listed.contains(&text), "{listed}");
    assert!(listed.contains(influxd_tests::OPERATOR_TOKEN), "{listed}");
    assert_eq!(
        listed.lines().count(),
        3,
        "what never was raw is not in escrow: {listed}"
    );
    home.runs(&["recovery", "tokens", &other])
        .is_refused(&["no token in escrow opens with this identity"]);
    home.runs(&["recovery", "tokens"])
        .is_refused(&["--identity"]);
    // 4: written back, while hashing is off.
    server.stop(Signal::TERM);
    let write_back = ["recovery", "tokens", &mine, "--write-back"];
    home.runs(&write_back)
        .is_refused(&["use-hashed-tokens=false"]);
    home.runs(&[&write_back[..], &[OFF]].concat()).printed();
    let status = home
        .runs(&["token-hashing", "status", "--json", OFF])
        .json();
    assert_eq!(status["raw"], 2, "{status}");
    assert_eq!(status["digests"]["influxdb2-sha256"], 1, "{status}");
    let server = home.server_with(&[OFF]).await;
    for client in [&before, &after, &operator] {
        assert!(is_let_in(&client.at(&server.operator())).await);
    }
    let listed = server.operator().gets("/api/v2/authorizations").await;
    assert!(listed.body.contains(&text), "{}", listed.body);

    // What a downgrade says changes nothing.
    let told = home.runs(&["downgrade", "2.4"]);
    let told = format!("{}{}", told.stdout, told.stderr);
    assert!(
        told.contains("recovery tokens") || told.contains("escrow"),
        "{told}"
    );
    let answer = server.operator().posts("/api/v2/signout", &json!({})).await;
    assert!(answer.status.as_u16() < 500);
}

/// The recipient was changed, as when an identity was lost: each identity opens its own.
async fn the_way_back_is_open_after_a_change_of_recipients(home: Home) {
    let identities = [Identity::generate(), Identity::generate()];
    let mut issued = Vec::new();
    for (number, identity) in identities.iter().enumerate() {
        let server = home.server_with(&[OFF]).await;
        let operator = match number {
            0 => server.set_up().await,
            _ => server.operator(),
        };
        let (org, ada) = (operator.org_id(ORG).await, operator.user_id("ada").await);
        let client = operator.issues(&org, &ada, &reads(&org)).await.client;
        let Credential::Token(text) = client.credential().clone() else {
            panic!("a token was issued");
        };
        issued.push(text);
        server.stop(Signal::TERM);
        let recipient = format!("--token-escrow-recipient={}", identity.to_public());
        home.runs(&["token-hashing", "migrate", &recipient])
            .printed();
    }
    let texts = identities.map(|identity| identity.to_string().expose_secret().to_owned());
    let both = texts.join("\n");
    let files = [&texts[0], &texts[1], &both].map(String::as_str);
    let opened = files.map(|text| {
        let file = home.folder().join("identity");
        fs::write(&file, text).unwrap();
        let identity = format!("--identity={}", file.display());
        home.runs(&["recovery", "tokens", &identity])
    });
    assert!(
        opened[0].stderr.contains("1 tokens are sealed to another"),
        "{opened:?}"
    );
    assert!(
        opened[1].stderr.contains("2 tokens are sealed to another"),
        "{opened:?}"
    );
    assert!(!opened[2].stderr.contains("another"), "{opened:?}");
    let found = opened.map(|ran| {
        let table = ran.printed();
        issued
            .iter()
            .map(|text| table.contains(text))
            .collect::<Vec<_>>()
    });
    assert_eq!(found, [[true, false], [false, true], [true, true]]);
    // The last file has both.
    let identity = format!("--identity={}", home.folder().join("identity").display());
    home.runs(&["recovery", "tokens", &identity, "--write-back", OFF])
        .printed();
    let server = home.server_with(&[OFF]).await;
    let listed = server.operator().gets("/api/v2/authorizations").await;
    assert!(
        issued.iter().all(|text| listed.body.contains(text)),
        "{}",
        listed.body
    );
}
