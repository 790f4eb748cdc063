//! Every operation, every kind of caller: what they get is what one table says.

mod table;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use influxd_tests::{Answer, Client, Credential, Home, on_both_stores};
use reqwest::Method;

use self::table::{Body, Cell, Row, Table, names, shape};
use self::world::World;

on_both_stores!(every_caller_gets_what_the_table_says);

const TABLE: &str = include_str!("../data/routes.txt");

async fn every_caller_gets_what_the_table_says(home: Home) {
    let table = Table::read(TABLE);
    let server = home.server().await;
    let mut world = World::fill(&server).await;
    let mut wrong = described_but_not_listed(&table, &world).await;
    for row in &table.rows {
        for refused in table.gates.get(&row.gate).into_iter().flatten() {
            let request = Request::for_a_stranger(row, &world);
            for request in [request.disguised(), request] {
                let answer = request.send(row, world.caller(&refused.caller)).await;
                let is_right = answer.status.as_u16() == refused.status
                    && message(&answer) == refused.message
                    && has_code_of_its_status(&answer);
                if !is_right {
                    let expected = format!("{} {}", refused.status, refused.message);
                    wrong.push(difference(
                        row,
                        &request.at,
                        &refused.caller,
                        &expected,
                        &answer,
                    ));
                }
            }
        }
        if row.gate == "open" {
            ask_strangers(row, &table, &mut world, &mut wrong).await;
        }
        for (caller, cell) in table.callers.iter().zip(&row.cells) {
            if let Some(cell) = cell {
                ask(row, caller, *cell, &mut world, &mut wrong).await;
            }
        }
    }
    let output = server.output();
    if output.contains("panicked") {
        wrong.push("a handler panicked".to_owned());
    }
    assert!(
        wrong.is_empty(),
        "{} differences:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// Open routes look at no credential: a bad one does no harm.
async fn ask_strangers(row: &Row, table: &Table, world: &mut World, wrong: &mut Vec<String>) {
    let Some(cell) = row.cells[0] else {
        return;
    };
    for refused in &table.gates["closed"] {
        // The session of an inactive user can still be ended, and is its owner's to end.
        if !(row.ends_session && refused.caller.ends_with("-users-session")) {
            ask(row, &refused.caller, cell, world, wrong).await;
        }
    }
}

async fn ask(row: &Row, caller: &str, cell: Cell, world: &mut World, wrong: &mut Vec<String>) {
    let (request, client) = Request::for_caller(row, caller, world).await;
    let answer = request.send(row, &client).await;
    let mut is_right = answer.status.as_u16() == cell.status;
    if answer.status.as_u16() >= 400 {
        let message = message(&answer);
        let is_stranger = matches!(message.as_str(), "unauthorized access" | "Unauthorized");
        is_right &= is_stranger == cell.is_stranger && has_code_of_its_status(&answer);
    }
    if let (Some(shown), Some(what)) = (cell.shown, &request.shows) {
        is_right &= answer.body.contains(what.as_str()) == shown;
    }
    is_right &= !["$argon2", "$2a$", "$influxdb2", "hashedToken"]
        .iter()
        .any(|digest| answer.body.contains(digest));
    if !is_right {
        let expected = format!("{cell:?}");
        wrong.push(difference(row, &row.at, caller, &expected, &answer));
    }
}

fn difference(row: &Row, at: &str, caller: &str, expected: &str, answer: &Answer) -> String {
    let body: String = answer.body.chars().take(300).collect();
    format!(
        "line {}: {} {at} as {caller}: expected {expected}, got {} {body}",
        row.line, row.method, answer.status
    )
}

fn message(answer: &Answer) -> String {
    let json: Option<serde_json::Value> = serde_json::from_str(&answer.body).ok();
    json.and_then(|json| json["message"].as_str().map(ToOwned::to_owned))
        .unwrap_or_default()
}

/// Whether an error has one of the codes of its status, in the body and in the header
/// (auth-and-resources 1.4).
fn has_code_of_its_status(answer: &Answer) -> bool {
    let codes: &[&str] = match answer.status.as_u16() {
        400 => &["invalid", "empty value"],
        401 => &["unauthorized"],
        403 => &["forbidden"],
        404 => &["not found"],
        405 => &["method not allowed"],
        413 => &["request too large"],
        422 => &["conflict", "unprocessable entity"],
        500 => &["internal error"],
        501 => &["not implemented"],
        503 => &["unavailable"],
        _ => return false,
    };
    let json: serde_json::Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let header = answer.headers.get("x-platform-error-code");
    let header = header.and_then(|header| header.to_str().ok());
    let code = json["code"].as_str();
    code == header && code.is_some_and(|code| codes.contains(&code))
}

/// A row with everything in angle brackets filled in.
#[derive(Clone)]
struct Request {
    at: String,
    body: Option<String>,
    shows: Option<String>,
    basic: Option<String>,
}

impl Request {
    /// Filled for somebody who gets nowhere: what would be made is not.
    fn for_a_stranger(row: &Row, world: &World) -> Self {
        let wanted = row.texts().flat_map(names);
        let things = wanted.map(|name| {
            let thing = world.thing(name).or_else(|| world.thing("missing"));
            (name, thing.unwrap_or_default().to_owned())
        });
        Self::filled(row, &things.collect())
    }

    /// Filled with things made for this request, and who sends it: somebody with a credential for
    /// the bucket that was made, if one was.
    async fn for_caller(row: &Row, caller: &str, world: &mut World) -> (Self, Client) {
        let mut client = match row.ends_session {
            true => world.signs_in_again(caller).await,
            false => world.caller(caller).clone(),
        };
        let mut things = BTreeMap::new();
        for name in row.texts().flat_map(names) {
            if things.contains_key(name) {
                continue;
            }
            let thing = match world.thing(name) {
                Some(thing) => thing.to_owned(),
                None => world.make(name).await,
            };
            if name == "spare bucket"
                && let Some(on_it) = world.credential_on(caller, &thing).await
            {
                client = on_it;
            }
            things.insert(name, thing);
        }
        (Self::filled(row, &things), client)
    }

    fn filled(row: &Row, things: &BTreeMap<&str, String>) -> Self {
        let fill = |text: &str| {
            let mut text = text.to_owned();
            for (name, thing) in things {
                text = text.replace(&format!("<{name}>"), thing);
            }
            text
        };
        Self {
            at: fill(&row.at),
            body: row.send.as_ref().map(|body| match body {
                Body::Json(text) | Body::Form(text) | Body::Text(text) => fill(text),
            }),
            shows: row.shows.as_deref().map(fill),
            basic: row.basic.as_deref().map(|basic| match basic {
                "<password>" => world::PASSWORD.to_owned(),
                other => other.to_owned(),
            }),
        }
    }

    /// The same with every letter of the path percent-encoded, which changes nothing.
    fn disguised(&self) -> Self {
        let (path, query) = self.at.split_once('?').unwrap_or((&self.at, ""));
        let letters = path.chars().map(|letter| match letter {
            'a'..='z' => format!("%{:02X}", u32::from(letter)),
            other => other.to_string(),
        });
        Self {
            at: format!("{}?{query}", letters.collect::<String>()),
            ..self.clone()
        }
    }

    async fn send(&self, row: &Row, client: &Client) -> Answer {
        let method: Method = row.method.parse().expect("a method");
        let mut request = client.request(method, &self.at);
        if let (Some(basic), Credential::Session(_)) = (&self.basic, client.credential()) {
            request = request.basic_auth("ignored", Some(basic));
        }
        let media = row.send.as_ref().map(|body| match body {
            Body::Json(_) => "application/json",
            Body::Form(_) => "application/x-www-form-urlencoded",
            Body::Text(_) => "text/plain",
        });
        if let (Some(media), Some(body)) = (media, &self.body) {
            request = request.header("content-type", media).body(body.clone());
        }
        client.send(request).await
    }
}

/// What the server's description and the table do not agree on, and what the server answers though
/// the description does not have it.
async fn described_but_not_listed(table: &Table, world: &World) -> Vec<String> {
    let operator = world.caller("operator");
    let description = operator.gets("/api/v2/openapi.json").await.json();
    let paths = description["paths"].as_object().expect("paths");
    let mut described = BTreeSet::new();
    for (path, operations) in paths {
        for method in operations.as_object().expect("operations").keys() {
            described.insert((method.to_uppercase(), shape(path)));
        }
    }
    let listed: BTreeSet<(String, String)> = table
        .rows
        .iter()
        .map(|row| (row.method.clone(), shape(&row.operation)))
        .collect();
    let mut wrong = Vec::new();
    for (method, path) in described.difference(&listed) {
        wrong.push(format!("{method} {path} has no row in the table"));
    }
    for (method, path) in listed.difference(&described) {
        wrong.push(format!("{method} {path} has a row, but is not described"));
    }
    for path in paths.keys() {
        if table.any_method.contains(path) {
            continue;
        }
        let asked = path.split('/').map(|part| match part.starts_with('{') {
            true => world.thing("missing").unwrap_or_default(),
            false => part,
        });
        let asked = asked.collect::<Vec<_>>().join("/");
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            if described.contains(&(method.to_owned(), shape(path))) {
                continue;
            }
            let ask = async |client: &Client| {
                let request = client.request(method.parse().expect("a method"), &asked);
                client.send(request).await.status.as_u16()
            };
            let status = ask(operator).await;
            if !matches!(status, 404 | 405) {
                wrong.push(format!(
                    "{method} {path} is not described, but answers {status}"
                ));
            }
            let status = ask(world.caller("nobody")).await;
            if status != 401 {
                wrong.push(format!("{method} {path} tells a stranger {status}"));
            }
        }
    }
    // What nothing lives at is nowhere, and that only for those who are let in.
    for path in [
        "/api/v2/nope",
        "/api/v2orgs",
        "/api/v2/orgs/x/y/z",
        "/private/nope",
        "/legacy/nope",
        "/v1/nope",
    ] {
        for (caller, expected) in [("nobody", 401), ("operator", 404)] {
            let status = world.caller(caller).gets(path).await.status.as_u16();
            if status != expected {
                wrong.push(format!(
                    "GET {path} as {caller}: expected {expected}, got {status}"
                ));
            }
        }
    }
    wrong
}

/// The table itself is well formed.
#[test]
fn every_row_is_about_a_caller_and_a_gate() {
    let table = Table::read(TABLE);
    assert_eq!(table.callers.len(), 9);
    assert!(table.rows.len() > 100);
    let strangers = |gate: &str| -> BTreeSet<String> {
        let refused = table.gates[gate].iter();
        refused.map(|refused| refused.caller.clone()).collect()
    };
    assert_eq!(strangers("closed"), strangers("v1"));
    for row in &table.rows {
        let shown = row.cells.iter().flatten().any(|cell| cell.shown.is_some());
        assert_eq!(shown, row.shows.is_some(), "line {}", row.line);
    }
}
