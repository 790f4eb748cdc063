//! The table of who may do what: `tests/data/routes.txt`, whose head explains it.

use std::collections::BTreeMap;

/// The table, read.
#[derive(Debug)]
pub(crate) struct Table {
    /// The callers that a credential is accepted from: the columns.
    pub(crate) callers: Vec<String>,
    /// What the others are told, by kind of route and caller.
    pub(crate) gates: BTreeMap<String, Vec<Refused>>,
    /// Paths that answer every method alike.
    pub(crate) any_method: Vec<String>,
    /// The requests.
    pub(crate) rows: Vec<Row>,
}

/// What a caller is told whose credential is not accepted.
#[derive(Debug)]
pub(crate) struct Refused {
    /// Who.
    pub(crate) caller: String,
    /// The status.
    pub(crate) status: u16,
    /// The message.
    pub(crate) message: String,
}

/// One request, and what each caller gets for it.
#[derive(Debug, Default)]
pub(crate) struct Row {
    /// Where in the file it is.
    pub(crate) line: usize,
    /// `GET` and so on.
    pub(crate) method: String,
    /// The path of its operation, with `{…}` for what varies.
    pub(crate) operation: String,
    /// The kind of route: a name of `gates`, or `open`.
    pub(crate) gate: String,
    /// One for each caller.
    pub(crate) cells: Vec<Option<Cell>>,
    /// Path and query as asked, with `<…>` for things of the world.
    pub(crate) at: String,
    /// The body.
    pub(crate) send: Option<Body>,
    /// What callers with a `+` see in the answer, and those with a `-` do not.
    pub(crate) shows: Option<String>,
    /// The password for Basic beside a session.
    pub(crate) basic: Option<String>,
    /// Whether sessions are thrown away afterwards.
    pub(crate) ends_session: bool,
}

/// A body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// JSON.
    Json(String),
    /// A form, encoded.
    Form(String),
    /// Text as it is.
    Text(String),
}

/// What one caller gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cell {
    /// The status.
    pub(crate) status: u16,
    /// The credential is not accepted there: the answer is that of a stranger.
    pub(crate) is_stranger: bool,
    /// Whether the thing asked about is in the answer.
    pub(crate) shown: Option<bool>,
}

/// The names of things in `text`, in angle brackets.
pub(crate) fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split('<')
        .skip(1)
        .filter_map(|rest| rest.split_once('>'))
        .map(|(name, _)| name)
}

/// A path with the names of its parameters left out, so that any names match.
pub(crate) fn shape(path: &str) -> String {
    let parts = path.split('/').map(|part| match part.starts_with('{') {
        true => "{}",
        false => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

impl Table {
    /// Reads it.
    ///
    /// # Panics
    /// If it is not well formed: the text is ours.
    pub(crate) fn read(text: &str) -> Self {
        let mut table = Self {
            callers: Vec::new(),
            gates: BTreeMap::new(),
            any_method: Vec::new(),
            rows: Vec::new(),
        };
        for (number, line) in text.lines().enumerate() {
            let number = number + 1;
            let (word, rest) = line
                .trim()
                .split_once(char::is_whitespace)
                .map_or((line.trim(), ""), |(word, rest)| (word, rest.trim()));
            match (line.starts_with(' '), word) {
                (_, "" | "#") => {}
                (false, "callers") => {
                    table.callers = rest.split_whitespace().map(ToOwned::to_owned).collect();
                }
                (false, "gate") => table.read_gate(rest, number),
                (false, "any-method") => table.any_method.push(rest.to_owned()),
                (false, method) => {
                    let row = table.read_row(method, rest, number);
                    table.rows.push(row);
                }
                (true, detail) => {
                    let row = table.rows.last_mut();
                    let row = row.unwrap_or_else(|| panic!("line {number} belongs to no row"));
                    row.read_detail(detail, rest, number);
                }
            }
        }
        table
    }

    fn read_gate(&mut self, rest: &str, number: usize) {
        let words: Vec<&str> = rest.split_whitespace().collect();
        let [gate, caller, status, message @ ..] = &words[..] else {
            panic!("line {number}: gate NAME CALLER STATUS MESSAGE");
        };
        let refused = Refused {
            caller: (*caller).to_owned(),
            status: status.parse().expect("a status"),
            message: message.join(" "),
        };
        self.gates
            .entry((*gate).to_owned())
            .or_default()
            .push(refused);
    }

    fn read_row(&self, method: &str, rest: &str, number: usize) -> Row {
        let mut words = rest.split_whitespace();
        let operation = words.next().unwrap_or_default().to_owned();
        let gate = words.next().unwrap_or_default().to_owned();
        assert!(
            gate == "open" || self.gates.contains_key(&gate),
            "line {number}: no gate {gate:?}"
        );
        let mut cells: Vec<Option<Cell>> = words.map(|word| Cell::read(word, number)).collect();
        if let [only] = cells[..] {
            cells = vec![only; self.callers.len()];
        }
        assert_eq!(cells.len(), self.callers.len(), "line {number}: cells");
        Row {
            line: number,
            method: method.to_owned(),
            at: operation.clone(),
            operation,
            gate,
            cells,
            ..Row::default()
        }
    }
}

impl Row {
    fn read_detail(&mut self, word: &str, rest: &str, number: usize) {
        let rest = rest.to_owned();
        match word {
            "at" => self.at = rest,
            "send" => self.send = Some(Body::Json(rest)),
            "form" => self.send = Some(Body::Form(rest)),
            "text" => self.send = Some(Body::Text(rest)),
            "shows" => self.shows = Some(rest),
            "basic" => self.basic = Some(rest),
            "ends-session" => self.ends_session = true,
            _ => panic!("line {number}: no such detail: {word}"),
        }
    }

    /// Everything in it that names things of the world.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        let body = self.send.as_ref().map(|body| match body {
            Body::Json(text) | Body::Form(text) | Body::Text(text) => text.as_str(),
        });
        [Some(self.at.as_str()), body, self.shows.as_deref()]
            .into_iter()
            .flatten()
    }
}

impl Cell {
    fn read(word: &str, number: usize) -> Option<Self> {
        if word == "." {
            return None;
        }
        let digits = word.trim_end_matches(['!', '+', '-']);
        let (status, marks) = (digits.parse(), &word[digits.len()..]);
        Some(Self {
            status: status.unwrap_or_else(|_| panic!("line {number}: {word:?} is no cell")),
            is_stranger: marks.contains('!'),
            shown: match (marks.contains('+'), marks.contains('-')) {
                (true, _) => Some(true),
                (_, true) => Some(false),
                _ => None,
            },
        })
    }
}
