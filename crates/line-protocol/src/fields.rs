//! The field section of a line that is not plain: the careful way, in two passes.
//!
//! The contract's server reads a field section twice, by rules that differ in small ways, and its
//! error texts tell of it: in `f\\=1` the first pass sees a value, for it takes a backslash and
//! the next byte as a pair; the second sees none, for an `=` after a backslash is part of the name
//! (data-endpoints 10.7). So the reasons, and which of several comes first, need both passes.

use crate::error::{KeyError, LineError};
use crate::escape::unescape_string;
use crate::key::MAX_KEY_LENGTH;
use crate::value::{FieldValue, boolean, is_number_start, number, plain};

/// The bytes that a stored key has beside the key section and the field's name.
const SEPARATOR_LENGTH: usize = 4;

/// The longest field name beside a key section of this length (data-endpoints 10.6).
pub(crate) fn max_name_length(key_length: usize) -> usize {
    MAX_KEY_LENGTH.saturating_sub(SEPARATOR_LENGTH + key_length)
}

/// First pass: where the field section that starts at `start` ends, and whether its shape is right.
///
/// `line` is one line, from its key section on, without its end.
pub(crate) fn section_end(line: &[u8], start: usize) -> Result<usize, LineError> {
    let (mut quoted, mut equals, mut commas) = (false, 0_usize, 0_usize);
    let mut at = start;
    while let Some(&byte) = line.get(at) {
        match byte {
            b'\\' => at += 1,
            b'"' if equals > commas => quoted = !quoted,
            b'=' if !quoted => {
                equals += 1;
                if at == start || follows_separator(line, at) {
                    return Err(LineError::MissingFieldKey);
                }
                let value = &line[at + 1..];
                match value.first() {
                    None | Some(b',' | b' ') => return Err(LineError::MissingFieldValue),
                    Some(b'"') => {}
                    Some(&first) => {
                        let text = &value[..word_length(value)];
                        if is_number_start(first) {
                            number(text)?;
                        } else {
                            boolean(text)?;
                        }
                        at += text.len();
                    }
                }
            }
            b',' if !quoted => commas += 1,
            b' ' if !quoted => break,
            _ => {}
        }
        at += 1;
    }
    if quoted {
        return Err(LineError::UnbalancedQuotes);
    }
    if equals == 0 || commas != equals - 1 {
        return Err(LineError::InvalidFieldFormat);
    }
    Ok(at.min(line.len()))
}

/// Second pass: takes a section that passed the first apart into raw names and values.
pub(crate) fn split<'a>(
    section: &'a [u8],
    key_length: usize,
    mut field: impl FnMut(&'a [u8], FieldValue<'a>),
) -> Result<(), LineError> {
    let mut rest = section;
    while !rest.is_empty() {
        let invalid = || LineError::InvalidValue(rest.to_vec());
        let equals = name_length(rest).ok_or_else(invalid)?;
        let (name, value) = (&rest[..equals], &rest[equals + 1..]);
        if name.is_empty() {
            return Err(LineError::MissingFieldKey);
        }
        if name.len() > max_name_length(key_length) {
            let length = key_length + SEPARATOR_LENGTH + name.len();
            return Err(KeyError::TooLong(length).into());
        }
        let length = value_length(value)?;
        let text = &value[..length];
        field(name, read_value(text)?);
        rest = value.get(length + 1..).unwrap_or_default();
    }
    Ok(())
}

fn follows_separator(line: &[u8], at: usize) -> bool {
    let before = |distance| at.checked_sub(distance).map(|place| line[place]);
    matches!(before(1), Some(b' ' | b',')) && before(2) != Some(b'\\')
}

/// The length of a name: up to an `=` that both passes take for the end of it.
///
/// `None` if the first pass would find another `=`, a comma or a space before that. The contract's
/// server would store such a field under a name with half of another field in it.
fn name_length(rest: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        match *rest.get(at)? {
            b'\\' => at += 2,
            b'=' => return (at == 0 || rest[at - 1] != b'\\').then_some(at),
            b',' | b' ' => return None,
            _ => at += 1,
        }
    }
}

/// The length of a value: up to a comma outside quotes.
///
/// Here a backslash takes no comma along, so that behind a string the first pass may have seen
/// quotes opened and closed that now belong to two values.
fn value_length(rest: &[u8]) -> Result<usize, LineError> {
    let mut quoted = false;
    let mut at = 0;
    while let Some(&byte) = rest.get(at) {
        match byte {
            b'\\' if matches!(rest.get(at + 1), Some(b'"' | b'\\')) => at += 1,
            b'"' => quoted = !quoted,
            b',' if !quoted => break,
            _ => {}
        }
        at += 1;
    }
    if quoted {
        Err(LineError::UnbalancedQuotes)
    } else {
        Ok(at)
    }
}

/// The length of a value without quotes: up to a comma or a space.
fn word_length(rest: &[u8]) -> usize {
    memchr::memchr2(b',', b' ', rest).unwrap_or(rest.len())
}

/// A value of the second pass. Of a string the first and the last byte count as its quotes, even
/// where text follows the closing quote (data-endpoints 10.4).
fn read_value(text: &[u8]) -> Result<FieldValue<'_>, LineError> {
    match text {
        [b'"', inner @ .., _] => Ok(FieldValue::String(unescape_string(inner))),
        _ => plain(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(section: &str) -> String {
        let line = format!("m {section}");
        let line = line.as_bytes();
        let mut read = Vec::new();
        let outcome = section_end(line, 2).and_then(|end| {
            split(&line[2..end], 1, |name, value| {
                read.push(format!("{}={value:?}", String::from_utf8_lossy(name)));
            })
        });
        match outcome {
            Ok(()) => read.join(" "),
            Err(error) => error.to_string(),
        }
    }

    fn check(section: &str, expected: &str) {
        assert_eq!(read(section), expected, "from {section}");
    }

    #[test]
    fn names_keep_their_escapes() {
        check(r"f\ k=1", r"f\ k=Float(1.0)");
        check(r"f\,k=1,g\=h=t", r"f\,k=Float(1.0) g\=h=Boolean(true)");
        check(r#"f\"k=1i"#, r#"f\"k=Integer(1)"#);
        check(r"f\x=1u", r"f\x=Unsigned(1)");
        check(r"f\\x=1", r"f\\x=Float(1.0)");
    }

    #[test]
    fn an_equals_sign_after_a_backslash_is_no_separator() {
        check(r"f\\=1", r"invalid value: field-key=f\\=1");
        check(r"a=1,f\\=1", r"invalid value: field-key=f\\=1");
        check(r"f\\=1,g=2", r"invalid value: field-key=f\\=1,g=2");
        check(r"f\=1", "invalid field format");
        check(r"f\\ g=1", "invalid field format");
    }

    #[test]
    fn text_after_a_string_belongs_to_it() {
        check(r#"f="abc"def"#, "f=String([97, 98, 99, 34, 100, 101])");
        check(r#"f="a"b,w="c""#, "f=String([97, 34]) w=String([99])");
        check(r#"f="a"\ b"#, "f=String([97, 34, 92, 32])");
        check(r#"f="a"b"c,d""#, "f=String([97, 34, 98, 34, 99, 44, 100])");
        check(r#"f="a"\,b"#, "invalid value: field-key=b");
        check(r#"f="a"\,"b=""#, "unbalanced quotes");
        check(r#"f="a"=1"#, "invalid field format");
        check(r#"f="a"=x"#, "invalid boolean");
        check(r#"f="a"=1,g"#, "invalid value: field-key=g");
        check(r#"f="a"=1,g,h=2"#, "invalid value: field-key=g,h=2");
    }

    #[test]
    fn the_first_pass_reports_before_the_second() {
        check(r"f\\=1,g=x", "invalid boolean");
        check("f,g=x", "invalid boolean");
        check("f,g=1", "invalid field format");
        check("f=1,=2", "missing field key");
        check("f=1,g=,h=x", "missing field value");
        check(r#"f="x,g"#, "unbalanced quotes");
        check(r#"f=1,g="x\""#, "unbalanced quotes");
        check("", "invalid field format");
        let long = "f".repeat(MAX_KEY_LENGTH);
        check(&format!("{long}=1,g=x"), "invalid boolean");
        check(
            &format!("{long}=1"),
            "max key length exceeded: 65540 > 65535",
        );
    }
}
