//! The parser: recursive descent over tokens, bounded in depth (InfluxQL 2).

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "every token that does not fit is the same error"
)]

mod expr;
mod manage;
mod select;
mod show;
#[cfg(test)]
mod tests;

use crate::ast::Statement;
use crate::duration::DurationError;
use crate::keyword::Keyword;
use crate::lexer::{Kind, Lexer, Pos, Token};
use crate::params::{Bound, Params};
use crate::regex::Regex;

/// How many tokens can be put back.
const RING: usize = 3;
/// How deep expressions, calls and subqueries may nest. A query comes from outside; the stack does not grow.
const MAX_DEPTH: usize = 128;

/// Why a text is no InfluxQL. Displays as what follows `failed to parse query: `.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ParseError {
    message: String,
}

type Result<T, E = ParseError> = std::result::Result<T, E>;

/// The statements of a query, in order; none for an empty text. `params` are what `$name` stands for.
pub fn parse_query(text: &str, params: Option<&Params>) -> Result<Vec<Statement>> {
    let mut parser = Parser::new(text, params);
    let mut statements = Vec::new();
    let mut separated = true;
    loop {
        let token = parser.next();
        match token.kind {
            Kind::Eof => return Ok(statements),
            Kind::Semicolon => separated = true,
            _ if !separated => return Err(unexpected(&token, &[";"])),
            _ => {
                parser.back();
                statements.push(parser.statement()?);
                separated = false;
            }
        }
    }
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    params: Option<&'a Params>,
    ring: [Token; RING],
    /// Where in the ring the last token from the lexer is.
    last: usize,
    /// How many tokens have been put back.
    unread: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, params: Option<&'a Params>) -> Self {
        let nothing = || Token {
            kind: Kind::Eof,
            pos: Pos::default(),
            text: String::new(),
        };
        Self {
            lexer: Lexer::new(text),
            params,
            ring: [nothing(), nothing(), nothing()],
            last: 0,
            unread: 0,
            depth: 0,
        }
    }

    fn statement(&mut self) -> Result<Statement> {
        use Keyword as K;
        match self.keyword(&[
            K::Select,
            K::Delete,
            K::Show,
            K::Create,
            K::Drop,
            K::Explain,
            K::Grant,
            K::Revoke,
            K::Alter,
            K::Set,
            K::Kill,
        ])? {
            K::Select => Ok(Statement::Select(Box::new(self.select()?))),
            K::Delete => self.delete(),
            K::Show => self.show(),
            K::Create => self.create(),
            K::Drop => self.drop(),
            K::Explain => self.explain(),
            K::Grant => self.grant(),
            K::Revoke => self.revoke(),
            K::Alter => self.alter(),
            K::Set => self.set_password(),
            _ => self.kill(),
        }
    }

    /// The next token of any kind, a parameter being replaced by its value.
    fn scan(&mut self) -> Token {
        self.scan_with(Lexer::scan)
    }

    fn scan_with(&mut self, scan: impl FnOnce(&mut Lexer<'a>) -> Token) -> Token {
        if self.unread > 0 {
            self.unread -= 1;
        } else {
            self.last = (self.last + 1) % RING;
            self.ring[self.last] = scan(&mut self.lexer);
        }
        let token = self.ring[(self.last + RING - self.unread) % RING].clone();
        let bound = match token.kind {
            Kind::BoundParam => self.params.and_then(|params| params.get(&token.text[1..])),
            _ => None,
        };
        match bound {
            Some(Bound::Token(kind, text)) => Token {
                kind: *kind,
                pos: token.pos,
                text: text.clone(),
            },
            Some(Bound::Unfit(reason)) => Token {
                text: reason.clone(),
                ..token
            },
            None => token,
        }
    }

    /// The next token that is neither white space nor a comment.
    fn next(&mut self) -> Token {
        loop {
            let token = self.scan();
            if !matches!(token.kind, Kind::Whitespace | Kind::Comment) {
                return token;
            }
        }
    }

    /// Puts the last token back.
    fn back(&mut self) {
        self.unread += 1;
        debug_assert!(
            self.unread <= RING,
            "only tokens that are remembered can be put back"
        );
    }

    /// Steps over a token of this kind, if it comes next.
    fn take(&mut self, kind: Kind) -> bool {
        if self.next().kind == kind {
            return true;
        }
        self.back();
        false
    }

    fn take_word(&mut self, keyword: Keyword) -> bool {
        self.take(Kind::Word(keyword))
    }

    fn expect(&mut self, kind: Kind) -> Result<()> {
        let token = self.next();
        if token.kind == kind {
            Ok(())
        } else {
            Err(unexpected(&token, &[kind.name()]))
        }
    }

    fn expect_words(&mut self, keywords: &[Keyword]) -> Result<()> {
        keywords
            .iter()
            .try_for_each(|keyword| self.expect(Kind::Word(*keyword)))
    }

    /// The next token, which has to be one of these key words.
    fn keyword(&mut self, expected: &[Keyword]) -> Result<Keyword> {
        let token = self.next();
        match token.kind {
            Kind::Word(keyword) if expected.contains(&keyword) => Ok(keyword),
            _ => {
                let names: Vec<_> = expected.iter().map(|keyword| keyword.as_str()).collect();
                Err(unexpected(&token, &names))
            }
        }
    }

    fn ident(&mut self) -> Result<String> {
        let token = self.next();
        match token.kind {
            Kind::Ident => Ok(token.text),
            _ => Err(unexpected(&token, &["identifier"])),
        }
    }

    fn idents(&mut self) -> Result<Vec<String>> {
        let mut idents = vec![self.ident()?];
        while self.take(Kind::Comma) {
            idents.push(self.ident()?);
        }
        Ok(idents)
    }

    fn string(&mut self) -> Result<String> {
        let token = self.next();
        match token.kind {
            Kind::String => Ok(token.text),
            _ => Err(unexpected(&token, &["string"])),
        }
    }

    /// A regular expression, if one comes next. White space and comments before it are stepped over.
    fn regex(&mut self) -> Result<Option<Regex>> {
        loop {
            if matches!(self.lexer.peek(), Some(' ' | '\t' | '\n')) {
                self.skip_whitespace();
            }
            if self.unread > 0 || !self.lexer.at_comment() {
                break;
            }
            if self.scan().kind != Kind::Comment {
                self.back();
                return Ok(None);
            }
        }
        match self.lexer.peek() {
            Some('$') => {
                let token = self.scan();
                self.back();
                if token.kind != Kind::Regex {
                    return Ok(None);
                }
            }
            Some('/') if !self.lexer.at_comment() => {}
            _ => return Ok(None),
        }
        let token = self.scan_with(Lexer::scan_regex);
        match token.kind {
            Kind::Regex => compile(&token).map(Some),
            Kind::BadRegex => Err(at("bad regex: ", token.pos)),
            _ => Err(unexpected(&token, &["regex"])),
        }
    }

    /// A regular expression, which has to be there.
    fn expect_regex(&mut self) -> Result<Regex> {
        match self.regex()? {
            Some(regex) => Ok(regex),
            None => Err(unexpected(&self.next(), &["regex"])),
        }
    }

    fn skip_whitespace(&mut self) {
        if self.scan().kind != Kind::Whitespace {
            self.back();
        }
    }

    /// Runs `parse` one level deeper, unless that is too deep.
    fn deeper<T>(
        &mut self,
        levels: usize,
        parse: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        self.depth += levels;
        if self.depth > MAX_DEPTH {
            return Err(too_deep());
        }
        let parsed = parse(self);
        self.depth -= levels;
        parsed
    }
}

fn compile(token: &Token) -> Result<Regex> {
    Regex::new(&token.text).map_err(|error| at(&error.to_string(), token.pos))
}

/// `found <token>, expected <list> at line <L>, char <C>`
fn unexpected(token: &Token, expected: &[&str]) -> ParseError {
    at(
        &format!("found {}, expected {}", token.found(), expected.join(", ")),
        token.pos,
    )
}

/// `<message> at line <L>, char <C>`
fn at(message: &str, pos: Pos) -> ParseError {
    error(format!(
        "{message} at line {}, char {}",
        pos.line + 1,
        pos.char + 1
    ))
}

/// A message without a position.
fn error(message: impl Into<String>) -> ParseError {
    ParseError {
        message: message.into(),
    }
}

fn too_deep() -> ParseError {
    error("query is nested too deeply")
}

impl From<DurationError> for ParseError {
    fn from(cause: DurationError) -> Self {
        error(cause.to_string())
    }
}
