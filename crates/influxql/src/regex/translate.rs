//! From RE2 syntax to that of the engine. The two differ in what they take literally, in what
//! `\w`, `\d`, `\s` and `\b` mean (RE2: ASCII), and in the texts of their errors. Groups lose their
//! names and numbers on the way: nobody asks for what they matched.

use std::fmt::Write;

use super::RegexError;

/// The largest count that a repetition may have.
const MAX_REPEAT: u32 = 1000;

/// The pattern in the engine's syntax.
pub(super) fn translate(pattern: &str) -> Result<String, RegexError> {
    let mut translator = Translator {
        pattern,
        at: 0,
        out: String::with_capacity(pattern.len() + 16),
        open: 0,
        repeatable: false,
        repeated_from: None,
    };
    translator.run()?;
    Ok(translator.out)
}

struct Translator<'a> {
    pattern: &'a str,
    /// The byte that comes next.
    at: usize,
    out: String,
    /// How many groups are open.
    open: usize,
    /// Whether there is something that a repetition could repeat.
    repeatable: bool,
    /// Where the repetition starts that has just ended.
    repeated_from: Option<usize>,
}

impl<'a> Translator<'a> {
    fn run(&mut self) -> Result<(), RegexError> {
        while let Some(letter) = self.peek() {
            let start = self.at;
            let after_repetition = self.repeated_from.take();
            match letter {
                '(' => self.group()?,
                ')' => {
                    if self.open == 0 {
                        return Err(error("unexpected )", self.pattern));
                    }
                    self.open -= 1;
                    self.emit(")");
                    self.at += 1;
                }
                '|' => {
                    self.out.push('|');
                    self.repeatable = false;
                    self.at += 1;
                }
                '^' | '$' | '.' => {
                    self.at += 1;
                    self.out.push(letter);
                    self.repeatable = true;
                }
                '[' => self.class()?,
                '*' | '+' | '?' => {
                    self.at += 1;
                    self.repeat(start, after_repetition)?;
                }
                '{' if self.counted() => self.repeat(start, after_repetition)?,
                '\\' => self.escape()?,
                _ => {
                    self.at += letter.len_utf8();
                    self.literal(letter);
                }
            }
        }
        if self.open > 0 {
            return Err(error("missing closing )", self.pattern));
        }
        Ok(())
    }

    fn rest(&self) -> &'a str {
        &self.pattern[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let letter = self.peek()?;
        self.at += letter.len_utf8();
        Some(letter)
    }

    /// Writes something that can be repeated.
    fn emit(&mut self, text: &str) {
        self.out.push_str(text);
        self.repeatable = true;
    }

    fn literal(&mut self, letter: char) {
        write!(
            self.out,
            "{}",
            regex::escape(letter.encode_utf8(&mut [0; 4]))
        )
        .expect("writing to a string cannot fail");
        self.repeatable = true;
    }

    /// Steps over `{n}`, `{n,}` or `{n,m}` if there is one. Anything else is a literal brace.
    fn counted(&mut self) -> bool {
        let Some((counts, _)) = self.rest()[1..].split_once('}') else {
            return false;
        };
        let (least, most) = counts.split_once(',').unwrap_or((counts, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        // A leading zero makes the number none, as in RE2.
        let plain = |text: &str| digits(text) && (text.len() < 2 || !text.starts_with('0'));
        if least.is_empty() || !plain(least) || !plain(most) {
            return false;
        }
        self.at += counts.len() + 2;
        true
    }

    /// Ends a repetition that began at `start`, whose operator has just been read.
    fn repeat(&mut self, start: usize, previous: Option<usize>) -> Result<(), RegexError> {
        let operator = &self.pattern[start..self.at];
        if let Some(counts) = operator.strip_prefix('{') {
            let counts = counts.trim_end_matches('}');
            let (least, most) = counts.split_once(',').unwrap_or((counts, counts));
            let count = |text: &str| text.parse::<u32>().unwrap_or(u32::MAX);
            let least = count(least);
            let most = if most.is_empty() { least } else { count(most) };
            if most > MAX_REPEAT || least > most {
                return Err(error("invalid repeat count", operator));
            }
        }
        if self.peek() == Some('?') {
            self.at += 1;
        }
        if let Some(previous) = previous {
            let both = &self.pattern[previous..self.at];
            return Err(error("invalid nested repetition operator", both));
        }
        let operator = &self.pattern[start..self.at];
        if !self.repeatable {
            return Err(error("missing argument to repetition operator", operator));
        }
        self.out.push_str(operator);
        self.repeated_from = Some(start);
        Ok(())
    }

    /// Opens a group, or sets flags for the rest of one.
    fn group(&mut self) -> Result<(), RegexError> {
        let start = self.at;
        let rest = self.rest();
        if !rest.starts_with("(?") {
            self.at += 1;
            self.open_group("(?:");
            return Ok(());
        }
        if let Some(name) = rest
            .strip_prefix("(?P<")
            .or_else(|| rest.strip_prefix("(?<"))
        {
            let before = rest.len() - name.len();
            let Some((name, _)) = name.split_once('>') else {
                return Err(error("invalid named capture", rest));
            };
            let whole = &rest[..=before + name.len()];
            let valid = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
            if name.is_empty() || !name.chars().all(valid) {
                return Err(error("invalid named capture", whole));
            }
            self.at += whole.len();
            self.open_group("(?:");
            return Ok(());
        }
        self.at += 2;
        let mut negative = false;
        let mut flags = 0;
        while let Some(letter) = self.next() {
            match letter {
                'i' | 'm' | 's' | 'U' => flags += 1,
                '-' if !negative => {
                    negative = true;
                    flags = 0;
                }
                ':' | ')' if !negative || flags > 0 => {
                    let text = &self.pattern[start..self.at];
                    if letter == ':' {
                        self.open_group(text);
                    } else if text != "(?)" {
                        self.out.push_str(text);
                    }
                    return Ok(());
                }
                _ => break,
            }
        }
        Err(error(
            "invalid or unsupported Perl syntax",
            &self.pattern[start..self.at],
        ))
    }

    fn open_group(&mut self, text: &str) {
        self.out.push_str(text);
        self.open += 1;
        self.repeatable = false;
    }

    /// A backslash outside a class.
    fn escape(&mut self) -> Result<(), RegexError> {
        let rest = self.rest();
        match rest[1..].chars().next() {
            Some('A') => self.symbol(r"\A"),
            Some('z') => self.symbol(r"\z"),
            Some('b') => self.symbol(r"(?-u:\b)"),
            Some('B') => self.symbol(r"(?-u:\B)"),
            Some('C') => return Err(error("invalid escape sequence", r"\C")),
            Some('Q') => {
                let quoted = &rest[2..];
                let (text, skip) = match quoted.split_once(r"\E") {
                    Some((text, _)) => (text, text.len() + 4),
                    None => (quoted, quoted.len() + 2),
                };
                text.chars().for_each(|letter| self.literal(letter));
                self.at += skip;
            }
            Some(letter) => {
                if let Some(class) = perl_class(letter) {
                    let sign = if letter.is_ascii_uppercase() { "^" } else { "" };
                    self.emit(&format!("[{sign}{class}]"));
                    self.at += 2;
                } else if letter == 'p' || letter == 'P' {
                    let class = self.unicode_class()?;
                    self.emit(class);
                } else {
                    let letter = self.escaped_letter()?;
                    self.literal(letter);
                }
            }
            None => return Err(error("trailing backslash at end of expression", "")),
        }
        Ok(())
    }

    fn symbol(&mut self, text: &str) {
        self.emit(text);
        self.at += 2;
    }

    /// `\pL`, `\PL` or `\p{Name}`, which the engine spells alike.
    fn unicode_class(&mut self) -> Result<&'a str, RegexError> {
        let rest = self.rest();
        let length = match rest[2..].chars().next() {
            Some('{') => rest.find('}').map(|end| end + 1),
            Some(letter) => Some(2 + letter.len_utf8()),
            None => None,
        };
        let Some(length) = length else {
            return Err(error("invalid character class range", rest));
        };
        let class = &rest[..length];
        // Names are case-sensitive here and loose there; what the engine does not know is no name.
        let known = class
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || br"\{}_^".contains(&byte))
            && regex::Regex::new(class).is_ok();
        if !known {
            return Err(error("invalid character class range", class));
        }
        self.at += length;
        Ok(class)
    }

    /// An escape that stands for one letter.
    fn escaped_letter(&mut self) -> Result<char, RegexError> {
        let start = self.at;
        self.at += 1;
        let Some(letter) = self.next() else {
            return Err(error("trailing backslash at end of expression", ""));
        };
        let found = match letter {
            '0'..='7' => {
                let octal = |letter: Option<char>| letter.and_then(|letter| letter.to_digit(8));
                let mut code = letter.to_digit(8).unwrap_or_default();
                let lonely = letter != '0' && octal(self.peek()).is_none();
                for _ in 0..2 {
                    let Some(digit) = octal(self.peek()) else {
                        break;
                    };
                    code = code * 8 + digit;
                    self.at += 1;
                }
                if lonely { None } else { char::from_u32(code) }
            }
            'x' => self.hexadecimal(),
            'a' => Some('\x07'),
            'f' => Some('\x0c'),
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            'v' => Some('\x0b'),
            letter if letter.is_ascii() && !letter.is_ascii_alphanumeric() => Some(letter),
            _ => None,
        };
        found.ok_or_else(|| error("invalid escape sequence", &self.pattern[start..self.at]))
    }

    /// What follows `\x`: two digits, or any number in braces.
    fn hexadecimal(&mut self) -> Option<char> {
        if self.peek()? == '{' {
            self.at += 1;
            let mut code = None;
            loop {
                let letter = self.next()?;
                if letter == '}' {
                    return char::from_u32(code?);
                }
                let digit = letter.to_digit(16)?;
                code = Some(code.unwrap_or(0u32).checked_mul(16)? + digit);
            }
        }
        let first = self.next()?.to_digit(16)?;
        let second = self.next()?.to_digit(16)?;
        char::from_u32(first * 16 + second)
    }

    /// A class in brackets.
    fn class(&mut self) -> Result<(), RegexError> {
        let whole = self.rest();
        self.at += 1;
        let mut class = String::from("[");
        if self.peek() == Some('^') {
            self.at += 1;
            class.push('^');
        }
        let mut first = true;
        while first || self.peek() != Some(']') {
            first = false;
            let rest = self.rest();
            if rest.starts_with("[:")
                && let Some(end) = rest[2..].find(":]")
            {
                let name = &rest[..end + 4];
                if !is_posix_class(name) {
                    return Err(error("invalid character class range", name));
                }
                class.push_str(name);
                self.at += name.len();
                continue;
            }
            if let Some(letter) = rest.strip_prefix('\\').and_then(|rest| rest.chars().next()) {
                if letter == 'p' || letter == 'P' {
                    class.push_str(self.unicode_class()?);
                    continue;
                }
                if let Some(ranges) = perl_class(letter) {
                    if letter.is_ascii_uppercase() {
                        write!(class, "[^{ranges}]").expect("writing to a string cannot fail");
                    } else {
                        class.push_str(ranges);
                    }
                    self.at += 2;
                    continue;
                }
            }
            let start = self.at;
            let low = self.class_letter(whole)?;
            let mut high = low;
            let rest = self.rest();
            if rest.len() >= 2 && rest.starts_with('-') && !rest.starts_with("-]") {
                self.at += 1;
                high = self.class_letter(whole)?;
                if high < low {
                    let range = &self.pattern[start..self.at];
                    return Err(error("invalid character class range", range));
                }
            }
            let (low, high) = (u32::from(low), u32::from(high));
            write!(class, r"\x{{{low:X}}}-\x{{{high:X}}}")
                .expect("writing to a string cannot fail");
        }
        self.at += 1;
        class.push(']');
        self.emit(&class);
        Ok(())
    }

    fn class_letter(&mut self, whole: &str) -> Result<char, RegexError> {
        if self.peek() == Some('\\') {
            return self.escaped_letter();
        }
        self.next().ok_or_else(|| error("missing closing ]", whole))
    }
}

/// What is in `\d`, `\s` and `\w`, by their letter in any case.
fn perl_class(letter: char) -> Option<&'static str> {
    match letter.to_ascii_lowercase() {
        'd' => Some("0-9"),
        's' => Some(r"\t\n\f\r "),
        'w' => Some("0-9A-Za-z_"),
        _ => None,
    }
}

fn is_posix_class(name: &str) -> bool {
    const NAMES: [&str; 14] = [
        "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct",
        "space", "upper", "word", "xdigit",
    ];
    let name = name.trim_start_matches("[:").trim_end_matches(":]");
    NAMES.contains(&name.strip_prefix('^').unwrap_or(name))
}

fn error(code: &'static str, part: &str) -> RegexError {
    RegexError {
        code,
        part: part.to_owned(),
    }
}
