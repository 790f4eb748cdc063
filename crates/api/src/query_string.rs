//! The query of a URL, and form bodies: `name=value` pairs, percent-encoded.

use std::borrow::Cow;

use crate::text::lossy;

/// The parameters of a query, not decoded before they are asked for. Pairs that cannot be decoded
/// or have a semicolon in them do not exist; of repeated names the first counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Query<'a>(&'a str);

impl<'a> Query<'a> {
    pub(crate) const fn new(raw: &'a str) -> Self {
        Self(raw)
    }

    /// All pairs, decoded, in order.
    pub(crate) fn pairs(self) -> impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)> {
        self.0
            .split('&')
            .filter(|pair| !pair.is_empty())
            .filter_map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                Some((decode(name)?, decode(value)?))
            })
    }

    /// The first value of a parameter; an empty one counts as absent.
    pub(crate) fn get(self, name: &str) -> Option<Cow<'a, str>> {
        self.first(name).filter(|value| !value.is_empty())
    }

    /// The first value of a parameter, be it empty.
    pub(crate) fn first(self, name: &str) -> Option<Cow<'a, str>> {
        for pair in self.0.split('&') {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let same = key == name
                || key.contains(['%', '+']) && decode(key).is_some_and(|key| key == name);
            if same && let Some(value) = decode(value) {
                return Some(value);
            }
        }
        None
    }
}

/// A part of a query, decoded; `None` if it cannot be.
fn decode(text: &str) -> Option<Cow<'_, str>> {
    if text.contains(';') {
        return None;
    }
    if !text.contains(['%', '+']) {
        return Some(Cow::Borrowed(text));
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => decoded.push(b' '),
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                let high = digit()?;
                decoded.push((high << 4 | digit()?) as u8);
            }
            other => decoded.push(other),
        }
    }
    Some(Cow::Owned(match String::from_utf8(decoded) {
        Ok(text) => text,
        Err(error) => lossy(error.as_bytes()).into_owned(),
    }))
}

/// Appends a part of a query, encoded.
pub(crate) fn push_encoded(text: &str, out: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            b' ' => out.push('+'),
            _ => {
                const HEX: &[u8; 16] = b"0123456789ABCDEF";
                out.push('%');
                out.push(char::from(HEX[usize::from(byte >> 4)]));
                out.push(char::from(HEX[usize::from(byte & 15)]));
            }
        }
    }
}

/// A truth value as query parameters write it (auth-and-resources 1.9).
pub(crate) fn parse_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_readable_pair_counts() {
        let query = Query::new("a=1&a=2&b=%zz&b=%C3%BC+x&c&d=x;y&%65=5&f=%ff");
        let get = |name| query.first(name).map(Cow::into_owned);
        assert_eq!(get("a").as_deref(), Some("1"));
        assert_eq!(get("b").as_deref(), Some("ü x"));
        assert_eq!(get("c").as_deref(), Some(""));
        assert_eq!(query.get("c"), None);
        assert_eq!(get("d"), None);
        assert_eq!(get("e").as_deref(), Some("5"));
        assert_eq!(get("f").as_deref(), Some("\u{fffd}"));
        assert_eq!(get("g"), None);
    }

    #[test]
    fn what_is_encoded_decodes_to_the_same() {
        let mut encoded = String::new();
        push_encoded("ü a&b=/~", &mut encoded);
        assert_eq!(encoded, "%C3%BC+a%26b%3D%2F~");
        assert_eq!(decode(&encoded).unwrap(), "ü a&b=/~");
    }
}
