//! Reading JSON, with the error texts of auth-and-resources 1.8 and data-endpoints 7.

use super::Json;

/// Why a text is no JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JsonError {
    /// There is nothing.
    #[error("EOF")]
    Empty,
    /// It ends too early.
    #[error("unexpected EOF")]
    Truncated,
    /// A character is out of place; what was expected instead.
    #[error("invalid character {} {}", quoted(*.0), .1)]
    Character(u8, &'static str),
    /// A character is none of `null`, `true` or `false`, which a value began as.
    #[error("invalid character {} in literal {word} (expecting {})", quoted(*found), quoted(*expected))]
    Literal {
        /// What is there.
        found: u8,
        /// What the value seemed to be.
        word: &'static str,
        /// What its next character is.
        expected: u8,
    },
    /// Values within values, too many of them.
    #[error("exceeded max depth")]
    Depth,
    /// Too many values.
    #[error("exceeded max number of values")]
    Size,
}

/// Values may be nested this deep.
const MAX_DEPTH: usize = 1_000;
/// There may be so many of them: each takes far more memory than text.
const MAX_VALUES: usize = 1_000_000;

/// A byte as the error texts show it.
fn quoted(byte: u8) -> String {
    match byte {
        b'\'' => r"'\''".to_owned(),
        b'"' => "'\"'".to_owned(),
        b'\\' => r"'\\'".to_owned(),
        0x07 => r"'\a'".to_owned(),
        0x08 => r"'\b'".to_owned(),
        b'\t' => r"'\t'".to_owned(),
        b'\n' => r"'\n'".to_owned(),
        0x0b => r"'\v'".to_owned(),
        0x0c => r"'\f'".to_owned(),
        b'\r' => r"'\r'".to_owned(),
        0..=0x1f | 0x7f => format!("'\\x{byte:02x}'"),
        0x80..=0xa0 | 0xad => format!("'\\u{byte:04x}'"),
        _ => format!("'{}'", char::from(byte)),
    }
}

/// The first value of a text; what follows it is not looked at.
pub(crate) fn parse_first(text: &[u8]) -> Result<Json, JsonError> {
    let mut reader = Reader {
        text,
        at: 0,
        values: 0,
    };
    reader.skip_blanks();
    if reader.peek().is_none() {
        return Err(JsonError::Empty);
    }
    reader.value(0)
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    /// Values begun so far.
    values: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn next(&mut self) -> Result<u8, JsonError> {
        let byte = self.peek().ok_or(JsonError::Truncated)?;
        self.at += 1;
        Ok(byte)
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn next_solid(&mut self) -> Result<u8, JsonError> {
        self.skip_blanks();
        self.next()
    }

    fn value(&mut self, depth: usize) -> Result<Json, JsonError> {
        if depth > MAX_DEPTH {
            return Err(JsonError::Depth);
        }
        self.values += 1;
        if self.values > MAX_VALUES {
            return Err(JsonError::Size);
        }
        match self.next_solid()? {
            b'n' => self.word("null").map(|()| Json::Null),
            b't' => self.word("true").map(|()| Json::Boolean(true)),
            b'f' => self.word("false").map(|()| Json::Boolean(false)),
            b'"' => self.string().map(Json::String),
            first @ (b'-' | b'0'..=b'9') => self.number(first),
            b'[' => self.array(depth),
            b'{' => self.object(depth),
            byte => Err(JsonError::Character(byte, "looking for beginning of value")),
        }
    }

    /// The rest of a word whose first letter was read.
    fn word(&mut self, word: &'static str) -> Result<(), JsonError> {
        for expected in word.bytes().skip(1) {
            let found = self.next()?;
            if found != expected {
                return Err(JsonError::Literal {
                    found,
                    word,
                    expected,
                });
            }
        }
        Ok(())
    }

    fn digits(&mut self) {
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
    }

    fn digit(&mut self, place: &'static str) -> Result<u8, JsonError> {
        match self.next()? {
            digit @ b'0'..=b'9' => Ok(digit),
            byte => Err(JsonError::Character(byte, place)),
        }
    }

    fn number(&mut self, first: u8) -> Result<Json, JsonError> {
        let start = self.at - 1;
        let lead = if first == b'-' {
            self.digit("in numeric literal")?
        } else {
            first
        };
        if lead != b'0' {
            self.digits();
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digit("after decimal point in numeric literal")?;
            self.digits();
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digit("in exponent of numeric literal")?;
            self.digits();
        }
        Ok(Json::Number(
            String::from_utf8_lossy(&self.text[start..self.at]).into_owned(),
        ))
    }

    fn string(&mut self) -> Result<String, JsonError> {
        let mut bytes = Vec::new();
        loop {
            match self.next()? {
                b'"' => break,
                b'\\' => self.escape(&mut bytes)?,
                byte @ 0..=0x1f => {
                    return Err(JsonError::Character(byte, "in string literal"));
                }
                byte => bytes.push(byte),
            }
        }
        Ok(match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => crate::text::lossy(error.as_bytes()).into_owned(),
        })
    }

    fn escape(&mut self, bytes: &mut Vec<u8>) -> Result<(), JsonError> {
        bytes.push(match self.next()? {
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            byte @ (b'"' | b'\\' | b'/') => byte,
            b'u' => {
                let first = self.four_digits()?;
                let c = match first {
                    0xd800..=0xdbff => self.low_surrogate(first)?,
                    other => char::from_u32(other).unwrap_or(char::REPLACEMENT_CHARACTER),
                };
                bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                return Ok(());
            }
            byte => return Err(JsonError::Character(byte, "in string escape code")),
        });
        Ok(())
    }

    /// The character that a high surrogate starts; a lone one is replaced, and what follows it
    /// is read on its own.
    fn low_surrogate(&mut self, high: u32) -> Result<char, JsonError> {
        if self.text[self.at..].starts_with(b"\\u") {
            let before = self.at;
            self.at += 2;
            let low = self.four_digits()?;
            if (0xdc00..=0xdfff).contains(&low) {
                let point = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                return Ok(char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = before;
        }
        Ok(char::REPLACEMENT_CHARACTER)
    }

    fn four_digits(&mut self) -> Result<u32, JsonError> {
        let mut number = 0;
        for _ in 0..4 {
            let byte = self.next()?;
            let digit = char::from(byte).to_digit(16).ok_or(JsonError::Character(
                byte,
                "in \\u hexadecimal character escape",
            ))?;
            number = number << 4 | digit;
        }
        Ok(number)
    }

    fn array(&mut self, depth: usize) -> Result<Json, JsonError> {
        let mut items = Vec::new();
        self.skip_blanks();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Json::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            match self.next_solid()? {
                b',' => {}
                b']' => return Ok(Json::Array(items)),
                byte => return Err(JsonError::Character(byte, "after array element")),
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json, JsonError> {
        let mut members = Vec::new();
        self.skip_blanks();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Json::Object(members));
        }
        loop {
            let key = match self.next_solid()? {
                b'"' => self.string()?,
                byte => {
                    let place = "looking for beginning of object key string";
                    return Err(JsonError::Character(byte, place));
                }
            };
            match self.next_solid()? {
                b':' => {}
                byte => return Err(JsonError::Character(byte, "after object key")),
            }
            members.push((key, self.value(depth + 1)?));
            match self.next_solid()? {
                b',' => {}
                b'}' => return Ok(Json::Object(members)),
                byte => return Err(JsonError::Character(byte, "after object key:value pair")),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let shown = match parse_first(text.as_bytes()) {
            Ok(value) => format!("{value:?}"),
            Err(error) => error.to_string(),
        };
        assert_eq!(shown, expected, "{text}");
    }

    #[test]
    fn errors_use_the_words_of_the_contract() {
        check("", "EOF");
        check(" \n", "EOF");
        check("{", "unexpected EOF");
        check("{\"a\"", "unexpected EOF");
        check("x", "invalid character 'x' looking for beginning of value");
        check(
            "\u{feff}{}",
            "invalid character 'ï' looking for beginning of value",
        );
        check(
            "{a:1}",
            "invalid character 'a' looking for beginning of object key string",
        );
        check("{\"a\" 1}", "invalid character '1' after object key");
        check(
            "{\"a\":1 2}",
            "invalid character '2' after object key:value pair",
        );
        check("[1 2]", "invalid character '2' after array element");
        check("-", "unexpected EOF");
        check("\"\n\"", "invalid character '\\n' in string literal");
        check(&"[".repeat(5_000), "exceeded max depth");
        let many = format!("[{}0]", "0,".repeat(1_000_000));
        check(&many, "exceeded max number of values");
    }

    #[test]
    fn words_that_go_wrong_say_what_was_expected() {
        for (text, expected) in [
            ("not json", "'o' in literal null (expecting 'u')"),
            ("nul,", "',' in literal null (expecting 'l')"),
            ("trux", "'x' in literal true (expecting 'e')"),
            ("foo", "'o' in literal false (expecting 'a')"),
            ("{\"a\":tru}", "'}' in literal true (expecting 'e')"),
        ] {
            check(text, &format!("invalid character {expected}"));
        }
        check("nul", "unexpected EOF");
    }

    #[test]
    fn characters_are_quoted_as_upstream_does() {
        for (byte, expected) in [
            (b'\\', r"'\\'"),
            (b'"', "'\"'"),
            (b'\'', r"'\''"),
            (0x07, r"'\a'"),
            (0x08, r"'\b'"),
            (0x0b, r"'\v'"),
            (0x0c, r"'\f'"),
            (0x00, r"'\x00'"),
            (0x7f, r"'\x7f'"),
            (0xa0, r"'\u00a0'"),
            (0xad, r"'\u00ad'"),
            (0xe9, "'é'"),
        ] {
            assert_eq!(quoted(byte), expected);
        }
    }

    #[test]
    fn values_keep_what_was_written() {
        check("1.50e+3 tail", "Number(\"1.50e+3\")");
        check(
            r#""\u00fc\n\ud83d\ude00\ud83dx""#,
            "String(\"ü\\n😀\u{fffd}x\")",
        );
        check("[true, null]", "Array([Boolean(true), Null])");
    }
}
