//! The condition of a delete: terms `key = value` and `key != value`, joined with `AND`.

use influxd_engine::predicate::{Absent, Predicate, Test};

use crate::v2::delete::scan::{Kind, Word, words};

/// What a condition says.
#[derive(Debug, Clone)]
pub(super) struct Condition {
    /// The measurement, if the condition names one.
    pub(super) measurement: Option<Vec<u8>>,
    /// The rest of it.
    pub(super) predicate: Predicate,
}

/// Why a condition is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PredicateError {
    /// It does not follow the grammar; the text says where.
    Grammar(String),
    /// It follows the grammar, but is no InfluxQL.
    InfluxQl(String),
    /// It asks for a field.
    Field,
}

/// A term of a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    key: String,
    is_equal: bool,
    value: String,
}

/// Parentheses may be nested this deep.
const MAX_DEPTH: usize = 256;

/// Reads a condition; an empty one takes everything.
pub(super) fn parse(text: &str) -> Result<Condition, PredicateError> {
    if text.is_empty() {
        return Ok(Condition {
            measurement: None,
            predicate: Predicate::All,
        });
    }
    let mut parser = Parser {
        words: words(text),
        at: 0,
        open: 0,
        terms: Vec::new(),
    };
    parser.logical(0)?;
    let condition = build(parser.terms)?;
    check_influxql(text)?;
    Ok(condition)
}

/// A condition must be InfluxQL, too: things like `AND` at its ends pass the grammar here.
fn check_influxql(text: &str) -> Result<(), PredicateError> {
    const BEFORE: &str = "SELECT f FROM m WHERE ";
    let Err(error) = influxd_influxql::parse_query(&format!("{BEFORE}{text}"), None) else {
        return Ok(());
    };
    let message = error.to_string();
    // Positions on the first line count from the start of the condition.
    let shifted = message
        .rsplit_once(" at line 1, char ")
        .and_then(|(what, position)| {
            let position: usize = position.parse().ok()?;
            let position = position.saturating_sub(BEFORE.len());
            Some(format!("{what} at line 1, char {position}"))
        });
    Err(PredicateError::InfluxQl(shifted.unwrap_or(message)))
}

fn build(terms: Vec<Term>) -> Result<Condition, PredicateError> {
    if terms
        .iter()
        .any(|term| term.key == "_field" && term.is_equal)
    {
        return Err(PredicateError::Field);
    }
    let mut measurement = None;
    let mut predicates = Vec::with_capacity(terms.len());
    for term in terms {
        let value = term.value.into_bytes();
        let test = if term.is_equal {
            Test::Is(value)
        } else {
            Test::IsNot(value)
        };
        predicates.push(match (term.key.as_str(), test) {
            // No series is without fields of other names; nothing is deleted.
            ("_field", _) => Predicate::None,
            ("_measurement", Test::Is(name)) if measurement.is_none() => {
                measurement = Some(name);
                continue;
            }
            ("_measurement", test) => Predicate::Measurement(test),
            (_, test) => Predicate::Tag {
                key: term.key.into_bytes(),
                test,
                absent: Absent::NoMatch,
            },
        });
    }
    if predicates
        .iter()
        .any(|predicate| matches!(predicate, Predicate::None))
    {
        return Ok(Condition {
            measurement,
            predicate: Predicate::None,
        });
    }
    let predicate = all_of(predicates);
    Ok(Condition {
        measurement,
        predicate,
    })
}

/// All of them hold: a tree as flat as can be, for its depth is limited.
fn all_of(mut predicates: Vec<Predicate>) -> Predicate {
    match predicates.len() {
        0 => Predicate::All,
        1 => predicates.remove(0),
        length => {
            let right = predicates.split_off(length / 2);
            Predicate::And(Box::new(all_of(predicates)), Box::new(all_of(right)))
        }
    }
}

struct Parser {
    words: Vec<Word>,
    at: usize,
    /// Parentheses that are open.
    open: isize,
    terms: Vec<Term>,
}

impl Parser {
    fn next(&mut self) -> Word {
        let word = self.words[self.at].clone();
        // The last word is the end, which there is no way past.
        self.at = (self.at + 1).min(self.words.len() - 1);
        word
    }

    fn peek(&self) -> Kind {
        self.words[self.at].kind
    }

    /// Reads up to a closing parenthesis, or the end.
    fn logical(&mut self, depth: usize) -> Result<(), PredicateError> {
        if depth > MAX_DEPTH {
            return grammar("too many parentheses".to_owned());
        }
        // How many operands there are, and whether the last two are joined.
        let mut operands = 0;
        let mut joined = false;
        let mut was_joined = false;
        loop {
            let kind = self.peek();
            let is_operand = match kind {
                Kind::Number | Kind::Integer | Kind::Name | Kind::Identifier => {
                    self.unjoined(operands > 1 && !joined)?;
                    self.term()?;
                    true
                }
                Kind::Open => {
                    self.unjoined(operands > 1 && !joined)?;
                    self.next();
                    self.open += 1;
                    let before = self.open;
                    self.logical(depth + 1)?;
                    if self.open >= before {
                        return grammar("extra ( seen".to_owned());
                    }
                    true
                }
                _ => false,
            };
            if is_operand {
                operands += 1;
                joined = false;
                continue;
            }
            let word = self.next();
            match word.kind {
                Kind::And => {
                    joined = true;
                    was_joined = true;
                }
                Kind::Or => {
                    return grammar(format!(
                        "the logical operator OR is not supported yet at position {}",
                        word.position
                    ));
                }
                Kind::Close | Kind::Eof => {
                    self.open -= isize::from(word.kind == Kind::Close);
                    if self.open < 0 {
                        return grammar("extra ) seen".to_owned());
                    }
                    if operands > 1 && !was_joined {
                        return grammar(r"the logical operator '\x00' is invalid".to_owned());
                    }
                    return Ok(());
                }
                _ => return bad_expression(&word),
            }
        }
    }

    /// A third operand must be joined to the others, or it would take the place of one.
    fn unjoined(&self, is_unjoined: bool) -> Result<(), PredicateError> {
        if is_unjoined {
            bad_expression(&self.words[self.at])
        } else {
            Ok(())
        }
    }

    fn term(&mut self) -> Result<(), PredicateError> {
        let word = self.next();
        let key = match word.kind {
            Kind::Identifier => word.text,
            Kind::Name => "name".to_owned(),
            _ => return grammar(format!("bad tag key, at position {}", word.position)),
        };
        let operator = self.next();
        let is_equal = match operator.kind {
            Kind::Equal => true,
            Kind::NotEqual => false,
            kind @ (Kind::Matches | Kind::MatchesNot) => {
                return grammar(format!(
                    "operator: \"{}\" at position: {} is not supported yet",
                    kind.name(),
                    operator.position
                ));
            }
            kind => {
                return grammar(format!(
                    "invalid operator \"{}\" at position: {}",
                    kind.name(),
                    operator.position
                ));
            }
        };
        let value = self.value()?;
        self.terms.push(Term {
            key,
            is_equal,
            value,
        });
        Ok(())
    }

    fn value(&mut self) -> Result<String, PredicateError> {
        let mut sign = "";
        loop {
            let word = self.next();
            return match word.kind {
                Kind::Minus => {
                    sign = "-";
                    continue;
                }
                Kind::Identifier | Kind::Duration | Kind::Number | Kind::Integer => {
                    Ok(format!("{sign}{}", word.text))
                }
                Kind::True => Ok("true".to_owned()),
                Kind::False => Ok("false".to_owned()),
                _ => grammar(format!(
                    "bad tag value: {:?}, at position {}",
                    word.text, word.position
                )),
            };
        }
    }
}

fn grammar<T>(text: String) -> Result<T, PredicateError> {
    Err(PredicateError::Grammar(text))
}

fn bad_expression<T>(word: &Word) -> Result<T, PredicateError> {
    grammar(format!(
        "bad logical expression, at position {}",
        word.position
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let shown = match parse(text) {
            Ok(_) => "fine".to_owned(),
            Err(PredicateError::Grammar(error)) => error,
            Err(PredicateError::InfluxQl(error)) => format!("InfluxQL: {error}"),
            Err(PredicateError::Field) => "field".to_owned(),
        };
        assert_eq!(shown, expected, "{text}");
    }

    #[test]
    fn what_follows_the_grammar_is_taken() {
        for text in [
            "",
            "t=a",
            "t=\"a\"",
            "\"t\"=\"a b\"",
            "t!=a",
            "t<>a",
            "_measurement=m AND t=a",
            "(t=a AND k=x)",
            "t=a and k=x And l=y",
            "((t=a) AND (k=x))",
            "t=1",
            "t=-1",
            "t=1.5",
            "t=5m",
            "t=true",
            "t=FALSE",
            "_value=1",
            "_field!=f",
        ] {
            check(text, "fine");
        }
    }

    #[test]
    fn what_does_not_is_refused_in_the_words_of_the_contract() {
        check("t=", "bad tag value: \"\", at position 2");
        check("t", "invalid operator \"EOF\" at position: 2");
        check(
            "t=a OR t=b",
            "the logical operator OR is not supported yet at position 4",
        );
        check(
            "t=~/a/",
            "operator: \"=~\" at position: 1 is not supported yet",
        );
        check(
            "t!~/a/",
            "operator: \"!~\" at position: 1 is not supported yet",
        );
        check("t>1", "invalid operator \">\" at position: 1");
        check("(t=a", "extra ( seen");
        check("t=a)", "extra ) seen");
        check("((t=a)", "extra ( seen");
        check("t=a t=b", r"the logical operator '\x00' is invalid");
        check("t='a'", "bad tag value: \"a\", at position 1");
        check("1=1", "bad tag key, at position 0");
        check("'t'=\"a\"", "bad logical expression, at position 0");
        check(
            "t=a AND (k=x OR k=y)",
            "the logical operator OR is not supported yet at position 13",
        );
        check("_time>0", "invalid operator \">\" at position: 5");
        check("t=\"a", "bad tag value: \"a\", at position 1");
        check("t=a;", "bad logical expression, at position 3");
        check("NOT t=a", "invalid operator \"IDENT\" at position: 4");
        check("t=$x", "bad tag value: \"$x\", at position 2");
        check("t==a", "bad tag value: \"\", at position 2");
        check("_field=\"f\" AND t=a", "field");
        check("t=a AND k=b l=c", "bad logical expression, at position 12");
        check("select=a", "bad logical expression, at position 0");
    }

    #[test]
    fn what_is_no_influxql_is_refused_with_its_words() {
        let expected = "expected identifier, string, number, bool at line 1, char";
        check("t=a AND", &format!("InfluxQL: found EOF, {expected} 9"));
        check("AND t=a", &format!("InfluxQL: found AND, {expected} 1"));
        check("name=x", &format!("InfluxQL: found NAME, {expected} 1"));
        check("()", &format!("InfluxQL: found ), {expected} 2"));
        check("  ", &format!("InfluxQL: found EOF, {expected} 4"));
        check(
            "t = a AND AND k = x",
            &format!("InfluxQL: found AND, {expected} 11"),
        );
    }

    #[test]
    fn conditions_become_predicates_of_any_length() {
        let condition = parse("_measurement=m AND t=a AND k!=b").unwrap();
        assert_eq!(condition.measurement.as_deref(), Some(&b"m"[..]));
        let tags = |pairs: &[(&str, &str)]| -> Vec<(Box<[u8]>, Box<[u8]>)> {
            pairs
                .iter()
                .map(|(k, v)| (k.as_bytes().into(), v.as_bytes().into()))
                .collect()
        };
        let matches = |pairs: &[(&str, &str)]| condition.predicate.matches(b"m", &tags(pairs));
        assert!(matches(&[("t", "a"), ("k", "c")]));
        assert!(!matches(&[("t", "a"), ("k", "b")]));
        assert!(
            !matches(&[("t", "a")]),
            "a tag that is missing never matches"
        );
        let long = vec!["t=a"; 10_000].join(" AND ");
        let condition = parse(&long).unwrap();
        assert!(Predicate::decode(&condition.predicate.encode()).is_ok());
        let deep = format!("{}t=a{}", "(".repeat(10_000), ")".repeat(10_000));
        check(&deep, "too many parentheses");
    }
}
