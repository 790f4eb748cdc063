//! The words of a delete predicate, with the positions that its error texts name.

/// What kind of word something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Eof,
    Identifier,
    Integer,
    Number,
    Duration,
    String,
    BadString,
    BadEscape,
    BoundParameter,
    True,
    False,
    And,
    Or,
    /// The keyword `NAME`, which is a name here.
    Name,
    Keyword(&'static str),
    Equal,
    NotEqual,
    Matches,
    MatchesNot,
    Minus,
    Open,
    Close,
    Comment,
    Illegal,
    /// Any other sign.
    Sign(&'static str),
}

impl Kind {
    /// What error texts call it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Eof => "EOF",
            Self::Identifier => "IDENT",
            Self::Integer => "INTEGER",
            Self::Number => "NUMBER",
            Self::Duration => "DURATIONVAL",
            Self::String => "STRING",
            Self::BadString => "BADSTRING",
            Self::BadEscape => "BADESCAPE",
            Self::BoundParameter => "BOUNDPARAM",
            Self::True => "TRUE",
            Self::False => "FALSE",
            Self::And => "AND",
            Self::Or => "OR",
            Self::Name => "NAME",
            Self::Keyword(word) => word,
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Matches => "=~",
            Self::MatchesNot => "!~",
            Self::Minus => "-",
            Self::Open => "(",
            Self::Close => ")",
            Self::Comment => "COMMENT",
            Self::Illegal => "ILLEGAL",
            Self::Sign(sign) => sign,
        }
    }
}

/// A word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) kind: Kind,
    /// The offset of its first character in its line, from 0; of a quoted text one less.
    pub(super) position: usize,
    /// Its text, where it has one beyond its kind.
    pub(super) text: String,
}

/// The keywords of InfluxQL (InfluxQL 1), which are no names unless quoted.
const KEYWORDS: &[&str] = &[
    "ALL",
    "ALTER",
    "ANALYZE",
    "ANY",
    "AS",
    "ASC",
    "BEGIN",
    "BY",
    "CARDINALITY",
    "CONTINUOUS",
    "CREATE",
    "DATABASE",
    "DATABASES",
    "DEFAULT",
    "DELETE",
    "DESC",
    "DESTINATIONS",
    "DIAGNOSTICS",
    "DISTINCT",
    "DROP",
    "DURATION",
    "END",
    "EVERY",
    "EXACT",
    "EXPLAIN",
    "FIELD",
    "FOR",
    "FROM",
    "GRANT",
    "GRANTS",
    "GROUP",
    "GROUPS",
    "IN",
    "INF",
    "INSERT",
    "INTO",
    "KEY",
    "KEYS",
    "KILL",
    "LIMIT",
    "MEASUREMENT",
    "MEASUREMENTS",
    "OFFSET",
    "ON",
    "ORDER",
    "PASSWORD",
    "POLICIES",
    "POLICY",
    "PRIVILEGES",
    "QUERIES",
    "QUERY",
    "READ",
    "REPLICATION",
    "RESAMPLE",
    "RETENTION",
    "REVOKE",
    "SELECT",
    "SERIES",
    "SET",
    "SHARD",
    "SHARDS",
    "SHOW",
    "SLIMIT",
    "SOFFSET",
    "STATS",
    "SUBSCRIPTION",
    "SUBSCRIPTIONS",
    "TAG",
    "TO",
    "USER",
    "USERS",
    "VALUES",
    "VERBOSE",
    "WHERE",
    "WITH",
    "WRITE",
];

fn keyword(word: &str) -> Kind {
    let upper = word.to_ascii_uppercase();
    match upper.as_str() {
        "AND" => Kind::And,
        "OR" => Kind::Or,
        "TRUE" => Kind::True,
        "FALSE" => Kind::False,
        "NAME" => Kind::Name,
        _ => KEYWORDS
            .binary_search(&upper.as_str())
            .map_or(Kind::Identifier, |at| Kind::Keyword(KEYWORDS[at])),
    }
}

/// All words of a text but blanks; the last one is the end.
pub(super) fn words(text: &str) -> Vec<Word> {
    let mut scanner = Scanner::new(text);
    let mut words = Vec::new();
    loop {
        let word = scanner.word();
        let ended = word.kind == Kind::Eof;
        words.push(word);
        if ended {
            return words;
        }
    }
}

struct Scanner {
    /// Characters and their offsets in their lines.
    chars: Vec<(char, usize)>,
    at: usize,
    /// Where the end is said to be.
    end: usize,
    /// A word or a run of blanks ran into the end, which then counts as one further on.
    ran_out: bool,
}

impl Scanner {
    fn new(text: &str) -> Self {
        let mut chars = Vec::with_capacity(text.len());
        let mut position = 0;
        let mut previous = '\0';
        for c in text.chars() {
            if c == '\n' && previous == '\r' {
                previous = c;
                continue;
            }
            previous = c;
            let c = if c == '\r' { '\n' } else { c };
            chars.push((c, position));
            position = if c == '\n' { 0 } else { position + 1 };
        }
        Self {
            chars,
            at: 0,
            end: position,
            ran_out: false,
        }
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).map(|(c, _)| *c)
    }

    fn follows(&mut self, c: char) -> bool {
        let same = self.peek() == Some(c);
        self.at += usize::from(same);
        same
    }

    fn take_while(&mut self, test: impl Fn(char) -> bool) -> String {
        let start = self.at;
        while self.peek().is_some_and(&test) {
            self.at += 1;
        }
        self.chars[start..self.at].iter().map(|(c, _)| *c).collect()
    }

    fn word(&mut self) -> Word {
        if !self
            .take_while(|c| matches!(c, ' ' | '\t' | '\n'))
            .is_empty()
        {
            self.ran_out |= self.peek().is_none();
        }
        let Some(&(first, position)) = self.chars.get(self.at) else {
            let position = self.end + usize::from(self.ran_out);
            return Word {
                kind: Kind::Eof,
                position,
                text: String::new(),
            };
        };
        let word = |kind, text| Word {
            kind,
            position,
            text,
        };
        let plain = |kind| Word {
            kind,
            position,
            text: String::new(),
        };
        match first {
            '"' => self.quoted('"', position, Kind::Identifier),
            '\'' => self.quoted('\'', position, Kind::String),
            'a'..='z' | 'A'..='Z' | '_' => self.identifier(position),
            '0'..='9' => self.number(position),
            '.' if self
                .chars
                .get(self.at + 1)
                .is_some_and(|(c, _)| c.is_ascii_digit()) =>
            {
                self.number(position)
            }
            '$' => {
                self.at += 1;
                let name = if self.peek() == Some('"') {
                    self.quoted('"', position, Kind::Identifier).text
                } else {
                    self.take_while(is_name)
                };
                word(Kind::BoundParameter, format!("${name}"))
            }
            _ => {
                self.at += 1;
                plain(self.sign(first))
            }
        }
    }

    fn sign(&mut self, first: char) -> Kind {
        match first {
            '=' if self.follows('~') => Kind::Matches,
            '=' => Kind::Equal,
            '!' if self.follows('=') => Kind::NotEqual,
            '!' if self.follows('~') => Kind::MatchesNot,
            '<' if self.follows('>') => Kind::NotEqual,
            '<' if self.follows('=') => Kind::Sign("<="),
            '<' => Kind::Sign("<"),
            '>' if self.follows('=') => Kind::Sign(">="),
            '>' => Kind::Sign(">"),
            '-' if self.follows('-') => {
                self.take_while(|c| c != '\n');
                Kind::Comment
            }
            '-' => Kind::Minus,
            '/' if self.follows('*') => {
                while self.at < self.chars.len() && !(self.follows('*') && self.follows('/')) {
                    self.at += usize::from(self.peek() != Some('*'));
                }
                Kind::Comment
            }
            '/' => Kind::Sign("/"),
            ':' if self.follows(':') => Kind::Sign("::"),
            ':' => Kind::Sign(":"),
            '(' => Kind::Open,
            ')' => Kind::Close,
            '+' => Kind::Sign("+"),
            '*' => Kind::Sign("*"),
            '%' => Kind::Sign("%"),
            '&' => Kind::Sign("&"),
            '|' => Kind::Sign("|"),
            '^' => Kind::Sign("^"),
            ',' => Kind::Sign(","),
            ';' => Kind::Sign(";"),
            '.' => Kind::Sign("."),
            _ => Kind::Illegal,
        }
    }

    fn identifier(&mut self, position: usize) -> Word {
        let text = self.take_while(is_name);
        self.ran_out |= self.peek().is_none();
        match keyword(&text) {
            Kind::Identifier => Word {
                kind: Kind::Identifier,
                position,
                text,
            },
            kind => Word {
                kind,
                position,
                text: String::new(),
            },
        }
    }

    fn number(&mut self, position: usize) -> Word {
        let mut text = self.take_while(|c| c.is_ascii_digit());
        let is_unit = |c: char| c.is_ascii_alphabetic() || c == 'µ';
        if self.follows('.') {
            text.push('.');
            text.push_str(&self.take_while(|c| c.is_ascii_digit()));
            return Word {
                kind: Kind::Number,
                position,
                text,
            };
        }
        let unit = self.take_while(|c| is_unit(c) || c.is_ascii_digit());
        let kind = if unit.is_empty() {
            Kind::Integer
        } else {
            Kind::Duration
        };
        text.push_str(&unit);
        Word {
            kind,
            position,
            text,
        }
    }

    /// A text in quotes; `\n`, `\\` and the quotes are its escapes.
    fn quoted(&mut self, quote: char, position: usize, kind: Kind) -> Word {
        self.at += 1;
        // The text's own position is that of what comes before it.
        let before = position.saturating_sub(1);
        let position = if kind == Kind::Identifier {
            position
        } else {
            before
        };
        let mut text = String::new();
        while let Some(c) = self.peek() {
            self.at += 1;
            match c {
                _ if c == quote => {
                    return Word {
                        kind,
                        position,
                        text,
                    };
                }
                '\n' => {
                    return Word {
                        kind: Kind::BadString,
                        position: before,
                        text,
                    };
                }
                '\\' => match self.peek() {
                    Some('n') => text.push('\n'),
                    Some(c @ ('\\' | '"' | '\'')) => text.push(c),
                    other => {
                        let escape: String = ['\\'].into_iter().chain(other).collect();
                        return Word {
                            kind: Kind::BadEscape,
                            position,
                            text: escape,
                        };
                    }
                },
                _ => {
                    text.push(c);
                    continue;
                }
            }
            self.at += 1;
        }
        Word {
            kind: Kind::BadString,
            position: before,
            text,
        }
    }
}

const fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_sorted_so_that_they_are_found() {
        assert!(KEYWORDS.is_sorted());
        assert_eq!(keyword("select"), Kind::Keyword("SELECT"));
        assert_eq!(keyword("not"), Kind::Identifier);
    }

    #[test]
    fn words_know_where_they_are() {
        let shown: Vec<String> = words("a != \"b c\" AND x='y' 1h -2.5")
            .iter()
            .map(|word| format!("{}@{}:{}", word.kind.name(), word.position, word.text))
            .collect();
        assert_eq!(
            shown,
            [
                "IDENT@0:a",
                "!=@2:",
                "IDENT@5:b c",
                "AND@11:",
                "IDENT@15:x",
                "=@16:",
                "STRING@16:y",
                "DURATIONVAL@21:1h",
                "-@24:",
                "NUMBER@25:2.5",
                "EOF@28:"
            ]
        );
    }
}
