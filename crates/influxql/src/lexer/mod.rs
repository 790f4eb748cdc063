//! From text to tokens, with the positions that error messages give (InfluxQL 1 and 2.1).

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "only a few kinds of token matter in each place"
)]

mod reader;

use self::reader::Reader;
use crate::keyword::Keyword;

pub(crate) use self::reader::Pos;

/// A token, where it was found, and its text.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) pos: Pos,
    /// The text of a word or literal, without quotes; empty for key words and symbols.
    pub(crate) text: String,
}

/// What kind of token it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Illegal,
    Eof,
    Whitespace,
    Comment,
    Ident,
    BoundParam,
    Number,
    Integer,
    Duration,
    String,
    BadString,
    BadEscape,
    Regex,
    BadRegex,
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    BitAnd,
    BitOr,
    BitXor,
    Eq,
    Neq,
    EqRegex,
    NeqRegex,
    Lt,
    Lte,
    Gt,
    Gte,
    LeftParen,
    RightParen,
    Comma,
    Colon,
    DoubleColon,
    Semicolon,
    Dot,
    Word(Keyword),
}

impl Kind {
    /// How the kind is called where a token has no text of its own.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Illegal => "ILLEGAL",
            Self::Eof => "EOF",
            Self::Whitespace => "WS",
            Self::Comment => "COMMENT",
            Self::Ident => "IDENT",
            Self::BoundParam => "BOUNDPARAM",
            Self::Number => "NUMBER",
            Self::Integer => "INTEGER",
            Self::Duration => "DURATIONVAL",
            Self::String => "STRING",
            Self::BadString => "BADSTRING",
            Self::BadEscape => "BADESCAPE",
            Self::Regex => "REGEX",
            Self::BadRegex => "BADREGEX",
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::Mod => "%",
            Self::BitAnd => "&",
            Self::BitOr => "|",
            Self::BitXor => "^",
            Self::Eq => "=",
            Self::Neq => "!=",
            Self::EqRegex => "=~",
            Self::NeqRegex => "!~",
            Self::Lt => "<",
            Self::Lte => "<=",
            Self::Gt => ">",
            Self::Gte => ">=",
            Self::LeftParen => "(",
            Self::RightParen => ")",
            Self::Comma => ",",
            Self::Colon => ":",
            Self::DoubleColon => "::",
            Self::Semicolon => ";",
            Self::Dot => ".",
            Self::Word(keyword) => keyword.as_str(),
        }
    }
}

impl Token {
    /// The token as error messages show it: its text, or else what it is called.
    pub(crate) fn found(&self) -> &str {
        if self.text.is_empty() {
            self.kind.name()
        } else {
            &self.text
        }
    }
}

/// Reads tokens off a text.
#[derive(Debug)]
pub(crate) struct Lexer<'a> {
    reader: Reader<'a>,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self {
            reader: Reader::new(text),
        }
    }

    /// The letter that comes next. Looking past the end counts as reading it, as positions show.
    pub(crate) fn peek(&mut self) -> Option<char> {
        let letter = self.reader.read();
        if letter.is_some() {
            self.reader.unread();
        }
        letter
    }

    /// Whether a comment comes next.
    pub(crate) fn at_comment(&self) -> bool {
        self.reader.starts_with("/*") || self.reader.starts_with("--")
    }

    /// The next token. White space and comments are tokens too.
    pub(crate) fn scan(&mut self) -> Token {
        let letter = self.reader.read();
        let pos = self.reader.pos();
        let Some(letter) = letter else {
            return plain(Kind::Eof, pos);
        };
        match letter {
            ' ' | '\t' | '\n' => self.whitespace(letter, pos),
            '0'..='9' => self.number(pos),
            letter if is_word(letter) => {
                self.reader.unread();
                self.word(true)
            }
            '"' => {
                self.reader.unread();
                self.word(true)
            }
            '\'' => self.string('\''),
            '.' => {
                if self.follows(|next| next.is_ascii_digit()) {
                    self.number(pos)
                } else {
                    plain(Kind::Dot, pos)
                }
            }
            '$' => {
                let token = self.word(false);
                match token.kind {
                    Kind::Ident => Token {
                        kind: Kind::BoundParam,
                        pos,
                        text: format!("${}", token.text),
                    },
                    kind => Token {
                        kind,
                        pos,
                        text: format!("${}", token.text),
                    },
                }
            }
            '-' if self.accept('-') => {
                while self.reader.read().is_some_and(|letter| letter != '\n') {}
                plain(Kind::Comment, pos)
            }
            '/' if self.accept('*') => plain(
                if self.end_comment() {
                    Kind::Comment
                } else {
                    Kind::Illegal
                },
                pos,
            ),
            _ => self.symbol(letter, pos),
        }
    }

    fn symbol(&mut self, letter: char, pos: Pos) -> Token {
        let kind = match letter {
            '+' => Kind::Add,
            '-' => Kind::Sub,
            '*' => Kind::Mul,
            '/' => Kind::Div,
            '%' => Kind::Mod,
            '&' => Kind::BitAnd,
            '|' => Kind::BitOr,
            '^' => Kind::BitXor,
            '=' if self.accept('~') => Kind::EqRegex,
            '=' => Kind::Eq,
            '!' if self.accept('=') => Kind::Neq,
            '!' if self.accept('~') => Kind::NeqRegex,
            '>' if self.accept('=') => Kind::Gte,
            '>' => Kind::Gt,
            '<' if self.accept('=') => Kind::Lte,
            '<' if self.accept('>') => Kind::Neq,
            '<' => Kind::Lt,
            '(' => Kind::LeftParen,
            ')' => Kind::RightParen,
            ',' => Kind::Comma,
            ';' => Kind::Semicolon,
            ':' if self.accept(':') => Kind::DoubleColon,
            ':' => Kind::Colon,
            _ => {
                return Token {
                    kind: Kind::Illegal,
                    pos,
                    text: letter.to_string(),
                };
            }
        };
        plain(kind, pos)
    }

    /// Takes `wanted` if it comes next.
    fn accept(&mut self, wanted: char) -> bool {
        if self.reader.read() == Some(wanted) {
            return true;
        }
        self.reader.unread();
        false
    }

    fn follows(&mut self, test: impl Fn(char) -> bool) -> bool {
        let follows = self.reader.read().is_some_and(test);
        self.reader.unread();
        follows
    }

    fn whitespace(&mut self, first: char, pos: Pos) -> Token {
        let mut text = String::from(first);
        while let Some(letter) = self.reader.read() {
            if !matches!(letter, ' ' | '\t' | '\n') {
                self.reader.unread();
                break;
            }
            text.push(letter);
        }
        Token {
            kind: Kind::Whitespace,
            pos,
            text,
        }
    }

    /// Steps over the rest of a comment; false if it has no end.
    fn end_comment(&mut self) -> bool {
        let mut star = false;
        while let Some(letter) = self.reader.read() {
            if star && letter == '/' {
                return true;
            }
            star = letter == '*';
        }
        false
    }

    /// A name in double quotes, a key word, or a bare name. `$` goes without key words.
    fn word(&mut self, keywords: bool) -> Token {
        let first = self.reader.read();
        let pos = self.reader.pos();
        if first == Some('"') {
            let token = self.string('"');
            return match token.kind {
                Kind::String => Token {
                    kind: Kind::Ident,
                    ..token
                },
                _ => token,
            };
        }
        self.reader.unread();
        let mut text = String::new();
        while let Some(letter) = self.reader.read() {
            if !is_word(letter) && !letter.is_ascii_digit() {
                self.reader.unread();
                break;
            }
            text.push(letter);
        }
        match Keyword::find(&text) {
            Some(keyword) if keywords => plain(Kind::Word(keyword), pos),
            _ => Token {
                kind: Kind::Ident,
                pos,
                text,
            },
        }
    }

    /// What follows an opening quote. The position is that of the letter before the quote, or of the
    /// letter after the backslash of a bad escape.
    fn string(&mut self, quote: char) -> Token {
        let pos = self.reader.pos_before();
        let mut text = String::new();
        loop {
            let kind = match self.reader.read() {
                Some(letter) if letter == quote => Kind::String,
                None | Some('\n') => Kind::BadString,
                Some('\\') => match self.reader.read() {
                    Some('n') => {
                        text.push('\n');
                        continue;
                    }
                    Some(letter @ ('\\' | '"' | '\'')) => {
                        text.push(letter);
                        continue;
                    }
                    other => {
                        let text = std::iter::once('\\').chain(other).collect();
                        return Token {
                            kind: Kind::BadEscape,
                            pos: self.reader.pos(),
                            text,
                        };
                    }
                },
                Some(letter) => {
                    text.push(letter);
                    continue;
                }
            };
            return Token { kind, pos, text };
        }
    }

    /// A number or a duration, whose first letter has been read.
    fn number(&mut self, pos: Pos) -> Token {
        self.reader.unread();
        let mut text = String::new();
        self.while_next(&mut text, |letter| letter.is_ascii_digit());
        if self.accept('.') {
            if self.follows(|next| next.is_ascii_digit()) {
                text.push('.');
                self.while_next(&mut text, |letter| letter.is_ascii_digit());
            }
            return Token {
                kind: Kind::Number,
                pos,
                text,
            };
        }
        let unit = |letter: char| letter.is_ascii_alphabetic() || letter == 'µ';
        if !self.follows(unit) {
            return Token {
                kind: Kind::Integer,
                pos,
                text,
            };
        }
        self.while_next(&mut text, |next| unit(next) || next.is_ascii_digit());
        Token {
            kind: Kind::Duration,
            pos,
            text,
        }
    }

    fn while_next(&mut self, text: &mut String, wanted: impl Fn(char) -> bool) {
        while let Some(next) = self.reader.read().filter(|next| wanted(*next)) {
            text.push(next);
        }
        self.reader.unread();
    }

    /// A regular expression. The position is that of the letter before the slash.
    pub(crate) fn scan_regex(&mut self) -> Token {
        let pos = self.reader.pos();
        let mut text = String::new();
        if self.reader.read() != Some('/') {
            return plain(Kind::BadRegex, pos);
        }
        loop {
            match self.reader.read() {
                Some('/') => {
                    return Token {
                        kind: Kind::Regex,
                        pos,
                        text,
                    };
                }
                None | Some('\n') => return plain(Kind::BadRegex, pos),
                Some('\\') if self.accept('/') => text.push('/'),
                Some(letter) => text.push(letter),
            }
        }
    }
}

fn plain(kind: Kind, pos: Pos) -> Token {
    Token {
        kind,
        pos,
        text: String::new(),
    }
}

/// Whether a bare word may begin with it.
const fn is_word(letter: char) -> bool {
    letter.is_ascii_alphabetic() || letter == '_'
}
