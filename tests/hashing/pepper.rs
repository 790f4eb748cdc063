//! Digests under a key that is not in the database.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use influxd_tests::{Client, Home, ORG, Ran, Search, on_both_stores};
use rustix::process::Signal;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256, Sha512};

use super::{Made, all_work, makes_tokens, none_works, status};

on_both_stores!(
    a_stolen_database_cannot_even_be_tested,
    a_start_without_the_key_is_refused,
    a_wrong_key_is_refused_without_a_server_too,
    a_key_is_changed_without_losing_a_token,
    secrets_of_organizations_follow_the_key,
    a_key_that_a_running_server_may_lack_is_not_used_unasked,
);

/// A flag that names these keys; each is made of its number.
fn keys(home: &Home, numbers: &[u8]) -> String {
    let files = numbers.iter().map(|number| {
        let file = home.folder().join(format!("pepper-{number}"));
        let bytes: Vec<u8> = Sha256::digest([*number]).to_vec();
        fs::write(&file, bytes).unwrap();
        file.display().to_string()
    });
    let files: Vec<String> = files.collect();
    format!("--token-pepper-file={}", files.join(","))
}

/// The only keyed form in a census: its name, which ends with the key's id, and its count.
#[track_caller]
fn keyed(census: &Value) -> (String, u64) {
    let digests = census["digests"].as_object().expect("an object");
    let mut keyed = digests.iter().filter(|(name, _)| name.contains("hmac"));
    let (name, count) = keyed.next().expect("a keyed form");
    assert_eq!(keyed.next(), None, "{census}");
    (name.clone(), count.as_u64().expect("a number"))
}

/// A server takes this credential.
async fn lets_in(client: &Client) {
    let answer = client.gets("/api/v2/buckets?limit=1").await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.body);
}

/// What a server says that ends at its start.
fn refusal(home: &Home, flags: &[&str]) -> Ran {
    let flags = [&["run", "--http-bind-address=127.0.0.1:0"], flags].concat();
    home.runs(&flags)
}

async fn a_stolen_database_cannot_even_be_tested(home: Home) {
    let pepper = keys(&home, &[1]);
    let server = home.server_with(&[&pepper]).await;
    let tokens = makes_tokens(&server.set_up().await, 20).await;
    all_work(&server, &tokens).await;
    if home.is_shared() {
        home.asks_database("CHECKPOINT");
    }
    // The operator's is the same in every database of a cluster that tests share.
    let known: Vec<&str> = tokens.iter().map(|made| made.token.as_str()).collect();
    // Whoever knows or guesses a token finds nothing that tells whether it is right.
    let mut tests: Vec<Vec<u8>> = Vec::new();
    for token in &known {
        let (short, long) = (
            Sha256::digest(token).to_vec(),
            Sha512::digest(token).to_vec(),
        );
        for digest in [short, long] {
            let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            tests.extend([hex.to_uppercase().into_bytes(), hex.into_bytes()]);
            for text in [URL_SAFE.encode(&digest), STANDARD.encode(&digest)] {
                tests.push(text.as_bytes()[..40].to_vec());
            }
            tests.push(digest);
        }
        tests.push(token.as_bytes().to_vec());
    }
    let look = aho_corasick::AhoCorasick::new(&tests).unwrap();
    for folder in home.all_folders() {
        for file in influxd_tests::files_below(&folder) {
            let bytes = fs::read(&file).unwrap_or_default();
            assert_eq!(look.find(&bytes), None, "{}", file.display());
        }
    }
    let (_, count) = keyed(&status(&home, &[&pepper]));
    assert_eq!(count, known.len() as u64 + 1);
}

async fn a_start_without_the_key_is_refused(home: Home) {
    let (pepper, other) = (keys(&home, &[1]), keys(&home, &[2]));
    let server = home.server_with(&[&pepper]).await;
    let tokens = makes_tokens(&server.set_up().await, 3).await;
    server.stop(Signal::TERM);
    let (name, _) = keyed(&status(&home, &[&pepper]));
    let id = name.rsplit('$').next().unwrap();
    assert_eq!(id.len(), 16, "{name}");
    refusal(&home, &[]).is_refused(&[id, "token-pepper-file"]);
    refusal(&home, &[&other]).is_refused(&[id, "token-pepper-file"]);
    // A file that is no key, and none at all.
    let short = home.folder().join("short");
    fs::write(&short, [7; 31]).unwrap();
    let file = format!("--token-pepper-file={}", short.display());
    refusal(&home, &[&file]).is_refused(&["32", "31"]);
    let file = format!(
        "--token-pepper-file={}",
        home.folder().join("nowhere").display()
    );
    refusal(&home, &[&file]).is_refused(&["token-pepper-file", "nowhere"]);
    let told = status(&home, &[]);
    assert!(told["nextStart"].as_str().unwrap().contains(id), "{told}");
    let server = home.server_with(&[&pepper]).await;
    all_work(&server, &tokens).await;
}

/// What made tokens that the server refuses, and kept it from its next start.
async fn a_wrong_key_is_refused_without_a_server_too(home: Home) {
    let (pepper, other) = (keys(&home, &[1]), keys(&home, &[2]));
    let server = home.server_with(&[&pepper]).await;
    server.set_up().await;
    let (name, _) = keyed(&status(&home, &[&pepper]));
    let id = name.rsplit('$').next().unwrap();
    let create = |flag: &str| home.recovers_operator("ada", ORG, &[flag]);
    create(&other).is_refused(&[id, "token-pepper-file"]);
    for command in ["rekey", "migrate"] {
        home.runs(&["token-hashing", command, &other])
            .is_refused(&[id, "token-pepper-file"]);
    }
    home.runs(&["token-hashing", "migrate"]).is_refused(&[id]);
    let before = status(&home, &[&pepper]);
    assert_eq!(before["tokens"], 1, "nothing was changed: {before}");
    // On the worst day no key is at hand: the token works all the same.
    for table in [create("--log-level=warn"), create(&pepper)] {
        let table = table.printed();
        let last = table.lines().last().unwrap();
        let token = last.split_whitespace().find(|cell| cell.len() == 88);
        let client = server.client(token.unwrap());
        lets_in(&client).await;
    }
    server.stop(Signal::TERM);
    home.server_with(&[&pepper]).await;
}

async fn a_key_is_changed_without_losing_a_token(home: Home) {
    // Plain digests first, keyed at once and without any token.
    let server = home.server().await;
    let mut tokens = makes_tokens(&server.set_up().await, 5).await;
    server.stop(Signal::TERM);
    home.runs(&["token-hashing", "rekey"])
        .is_refused(&["token-pepper-file"]);
    let old = keys(&home, &[1]);
    let rekeyed = home
        .runs(&["token-hashing", "rekey", "--json", &old])
        .json();
    let (first, count) = keyed(&rekeyed);
    assert_eq!(count, 6, "{rekeyed}");
    assert_eq!(
        rekeyed["digests"].as_object().unwrap().len(),
        1,
        "{rekeyed}"
    );
    let server = home.server_with(&[&old]).await;
    all_work(&server, &tokens).await;
    server.stop(Signal::TERM);

    // Then another key: both verify, and a token is digested anew when it is used.
    let both = keys(&home, &[2, 1]);
    let now = status(&home, &[&both]);
    assert_eq!(now["waitingForUse"], 6, "{now}");
    let server = home.server_with(&[&both]).await;
    all_work(&server, &tokens[..4]).await;
    tokens.extend(makes_tokens(&server.operator(), 1).await);
    let digest = |made: &Made| format!("${first}${}", URL_SAFE.encode(Sha256::digest(&made.token)));
    none_works(&server, &[digest(&tokens[0]), digest(&tokens[4])]).await;
    // The renewal may be behind the answer.
    let waiting = async |expected: u64| {
        for _ in 0..100 {
            if status(&home, &[&both])["waitingForUse"] == expected {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("{}", status(&home, &[&both]));
    };
    waiting(1).await;
    server.stop(Signal::TERM);
    let old_id = first.rsplit('$').next().unwrap();
    refusal(&home, &[&keys(&home, &[2])]).is_refused(&[old_id]);
    let server = home.server_with(&[&both]).await;
    all_work(&server, &tokens).await;
    waiting(0).await;
    server.stop(Signal::TERM);
    let server = home.server_with(&[&keys(&home, &[2])]).await;
    all_work(&server, &tokens).await;
    let (second, count) = keyed(&status(&home, &[&both]));
    assert_ne!(first, second);
    assert_eq!(count, 7);
}

/// Those that were stored before there was a key, too.
async fn secrets_of_organizations_follow_the_key(home: Home) {
    let server = home.server().await;
    let operator = server.set_up().await;
    let secrets = format!("/api/v2/orgs/{}/secrets", operator.org_id(ORG).await);
    let value = "hush-hush: a secret from before there was a key";
    let body = json!({"smtp": value, "imap": value});
    operator.patches(&secrets, &body).await.is_done();
    server.stop(Signal::TERM);
    assert_eq!(status(&home, &[])["secrets"]["plain"], 2);

    // At once, and nothing is left of what they were.
    let is_under = |census: &Value, name: &str| {
        let id = name.rsplit('$').next().unwrap();
        let secrets = json!({"plain": 0, "sealed": {id: 2}, "unknown": 0});
        assert_eq!(census["secrets"], secrets, "{census}");
    };
    let old = keys(&home, &[1]);
    let told = home
        .runs(&["token-hashing", "rekey", "--json", &old])
        .json();
    let (first, _) = keyed(&told);
    is_under(&told, &first);
    if !home.is_shared() {
        Search::new([value]).finds_nothing_below(home.folder());
    }

    // At a start, under the next key: the old one can go when no token needs it any more.
    let both = keys(&home, &[2, 1]);
    let would = status(&home, &[&both])["nextStart"].clone();
    assert!(
        would.as_str().unwrap().contains("seal 2 secrets"),
        "{would}"
    );
    let mut server = home.launches(&[&both]);
    server.is_ready().await;
    lets_in(&server.operator()).await;
    let mut now = status(&home, &[&both]);
    for _ in 0..100 {
        if now["waitingForUse"] == 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        now = status(&home, &[&both]);
    }
    let (second, _) = keyed(&now);
    is_under(&now, &second);
    server.stop(Signal::TERM);
    home.server_with(&[&keys(&home, &[2])]).await;
}

/// What locked everybody out of a server that was running without the key.
async fn a_key_that_a_running_server_may_lack_is_not_used_unasked(home: Home) {
    let pepper = keys(&home, &[1]);
    let server = home.server().await;
    let tokens = makes_tokens(&server.set_up().await, 2).await;
    for command in ["rekey", "migrate"] {
        home.runs(&["token-hashing", command, &pepper])
            .is_refused(&["a server is running", "--force"]);
    }
    let table = home.recovers_operator("ada", ORG, &[&pepper]).printed();
    let token = table.split_whitespace().rfind(|cell| cell.len() == 88);
    let recovered = server.client(token.unwrap());
    lets_in(&recovered).await;
    all_work(&server, &tokens).await;
    assert_eq!(status(&home, &[])["digests"]["influxdb2-sha256"], 4);
    server.stop(Signal::TERM);

    // A server that has it.
    let server = home.server_with(&[&pepper]).await;
    let rekey = ["token-hashing", "rekey", "--json", &pepper];
    home.runs(&rekey).is_refused(&["--force"]);
    let told = home.runs(&[&rekey[..], &["--force"]].concat()).json();
    assert_eq!(keyed(&told).1, 4);
    all_work(&server, &tokens).await;
    // Which is known from now on.
    home.runs(&rekey).printed();
}
