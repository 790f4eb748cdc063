//! Tokens at rest: turned into digests at any cost but a token, and gone from every file.

mod kills;
mod pepper;
mod switch;
mod together;
mod traces;

use std::sync::Arc;

use age::x25519::Identity;
use influxd_tests::{Answer, Client, Home, ORG, Permission, Server};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

/// Turns hashing off.
const OFF: &str = "--use-hashed-tokens=false";
/// How many requests tests have under way.
const AT_ONCE: usize = 8;

/// Does the same for every item, several at a time; the answers are in the items' order.
async fn each<T, F>(items: impl IntoIterator<Item = T>, request: impl Fn(T) -> F) -> Vec<Answer>
where
    F: Future<Output = Answer> + Send + 'static,
{
    let gate = Arc::new(Semaphore::new(AT_ONCE));
    let mut tasks = Vec::new();
    for item in items {
        let place = Arc::clone(&gate).acquire_owned().await;
        let request = request(item);
        tasks.push(tokio::spawn(async move {
            let answer = request.await;
            drop(place);
            answer
        }));
    }
    let mut answers = Vec::with_capacity(tasks.len());
    for task in tasks {
        answers.push(task.await.expect("a request is answered"));
    }
    answers
}

/// A token that was made, as its maker saw it.
#[derive(Debug, Clone)]
struct Made {
    id: String,
    token: String,
}

impl Made {
    #[track_caller]
    fn of(answer: &Answer) -> Self {
        Self {
            id: answer.made("id"),
            token: answer.made("token"),
        }
    }
}

/// The body that asks for a token.
async fn wish(operator: &Client) -> Value {
    let org = operator.org_id(ORG).await;
    let permission = Permission("read", "buckets", &org, "").json();
    json!({"orgID": org, "permissions": [permission]})
}

/// Makes tokens that can read the buckets of the organization.
async fn makes_tokens(operator: &Client, count: usize) -> Vec<Made> {
    let wish = Arc::new(wish(operator).await);
    let answers = each(0..count, |_| {
        let (operator, wish) = (operator.clone(), Arc::clone(&wish));
        async move { operator.posts("/api/v2/authorizations", &wish).await }
    });
    answers.await.iter().map(Made::of).collect()
}

/// Every token is somebody's, and does what it may.
async fn all_work(server: &Server, tokens: &[Made]) {
    let answers = each(tokens, |made| {
        let client = server.client(&made.token);
        async move { client.gets("/api/v2/buckets?limit=1").await }
    });
    for (answer, made) in answers.await.iter().zip(tokens) {
        assert_eq!(answer.status.as_u16(), 200, "{}: {}", made.id, answer.body);
    }
}

/// Nobody is let in with any of these.
async fn none_works(server: &Server, tokens: &[String]) {
    for token in tokens {
        let answer = server.client(token).gets("/api/v2/buckets?limit=1").await;
        answer.is_refused(401, "unauthorized access");
    }
}

/// What the command says of the tokens of a store that may be in use.
fn status(home: &Home, flags: &[&str]) -> Value {
    let command = [&["token-hashing", "status", "--json"], flags].concat();
    home.runs(&command).json()
}

/// An offline key, and the flag that seals to it; its file is in the folder of the home.
fn escrow(home: &Home) -> (String, String) {
    let identity = Identity::generate();
    let file = home.folder().join("identity.txt");
    std::fs::write(&file, identity.to_string().expose_secret()).expect("the folder can be written");
    let flag = format!("--token-escrow-recipient={}", identity.to_public());
    (format!("--identity={}", file.display()), flag)
}
