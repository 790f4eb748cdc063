//! Escapes of names and of strings (data-endpoints 10.2).
//!
//! A backslash in front of one of a section's special bytes is taken away; any other one stays.
//! So outside strings a backslash cannot be escaped itself: in `\\,` it is the second one that
//! takes the comma.

use std::borrow::Cow;

/// What a backslash hides in a measurement.
///
/// A comma or a space has to be escaped there. `\=` and `\"` need not be, but writers do it, and
/// mean the same measurement as without.
const MEASUREMENT: &[u8] = b", =\"";
/// What a backslash hides in the key or the value of a tag.
const TAG: &[u8] = b", =";
/// What a backslash hides in the name of a field.
const FIELD: &[u8] = b", =\"";
/// What a backslash hides in a string.
const STRING: &[u8] = b"\"\\";

/// The measurement that these bytes of a line stand for.
pub(crate) fn unescape_measurement(raw: &[u8]) -> Cow<'_, [u8]> {
    unescape(raw, MEASUREMENT)
}

/// The key or the value of a tag that these bytes of a line stand for.
pub(crate) fn unescape_tag(raw: &[u8]) -> Cow<'_, [u8]> {
    unescape(raw, TAG)
}

/// The name of a field that these bytes of a line stand for: `raw_name` of [`crate::Sink::field`].
pub fn unescape_field_name(raw: &[u8]) -> Cow<'_, [u8]> {
    unescape(raw, FIELD)
}

/// The string between these quotes.
pub(crate) fn unescape_string(raw: &[u8]) -> Cow<'_, [u8]> {
    unescape(raw, STRING)
}

fn unescape<'a>(raw: &'a [u8], special: &[u8]) -> Cow<'a, [u8]> {
    let Some(mut next) = memchr::memchr(b'\\', raw) else {
        return Cow::Borrowed(raw);
    };
    let mut plain = Vec::with_capacity(raw.len());
    let mut copied = 0;
    loop {
        let mut resume = next + 1;
        if raw.get(resume).is_some_and(|byte| special.contains(byte)) {
            plain.extend_from_slice(&raw[copied..next]);
            copied = resume;
            resume += 1; // the byte itself may be a backslash, and is done
        }
        match memchr::memchr(b'\\', &raw[resume..]) {
            Some(distance) => next = resume + distance,
            None => break,
        }
    }
    plain.extend_from_slice(&raw[copied..]);
    Cow::Owned(plain)
}

/// Appends a measurement as a line has it: commas and spaces escaped.
pub(crate) fn escape_measurement(name: &[u8], line: &mut Vec<u8>) {
    escape(name, b", ", line);
}

/// Appends the key or the value of a tag as a line has it: commas, spaces and `=` escaped.
pub(crate) fn escape_tag(part: &[u8], line: &mut Vec<u8>) {
    escape(part, TAG, line);
}

/// Appends the value of a string field as a line has it, without its quotes: quotes and
/// backslashes escaped.
pub fn escape_string(value: &[u8], line: &mut Vec<u8>) {
    escape(value, br#""\"#, line);
}

fn escape(plain: &[u8], special: &[u8], line: &mut Vec<u8>) {
    line.reserve(plain.len());
    for &byte in plain {
        if special.contains(&byte) {
            line.push(b'\\');
        }
        line.push(byte);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Unescape = fn(&[u8]) -> Cow<'_, [u8]>;

    fn check(unescape: Unescape, raw: &[u8], plain: &[u8]) {
        assert_eq!(Lossy(&unescape(raw)), Lossy(plain), "from {}", Lossy(raw));
    }

    use crate::lossy::Lossy;

    #[test]
    fn each_section_has_its_own_set() {
        let all = br#"a\ b\,c\=d\"e\\f\ng\"#;
        check(unescape_measurement, all, br#"a b,c=d"e\\f\ng\"#);
        check(unescape_tag, all, br#"a b,c=d\"e\\f\ng\"#);
        check(unescape_field_name, all, br#"a b,c=d"e\\f\ng\"#);
        check(unescape_string, all, br#"a\ b\,c\=d"e\f\ng\"#);
    }

    #[test]
    fn strings_survive_a_line() {
        let plain = br#"a "b" \c\ ""#;
        let mut raw = Vec::new();
        escape_string(plain, &mut raw);
        check(unescape_string, &raw, plain);
    }

    #[test]
    fn outside_strings_the_last_backslash_takes_the_special_byte() {
        check(unescape_tag, br"v\\,w", br"v\,w");
        check(unescape_field_name, br"f\\\ g", br"f\\ g");
        check(unescape_tag, br"\,\,", b",,");
    }

    #[test]
    fn inside_strings_backslashes_pair_from_the_left() {
        check(unescape_string, br"\\\\", br"\\");
        check(unescape_string, br#"\\\""#, br#"\""#);
        check(unescape_string, br"\\n", br"\n");
    }

    #[test]
    fn text_without_backslash_is_borrowed() {
        assert!(matches!(unescape_tag(b"plain"), Cow::Borrowed(b"plain")));
        assert!(matches!(unescape_tag(b""), Cow::Borrowed(b"")));
    }
}
