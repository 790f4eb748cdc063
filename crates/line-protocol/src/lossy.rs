//! Bytes that are mostly text, for people to read.

use std::fmt::{self, Write as _};

/// Shows bytes as text: every byte that is not part of valid UTF-8 becomes one U+FFFD.
///
/// One for each *byte*, as `InfluxDB` answers, where `String::from_utf8_lossy` puts a single one
/// for the broken start of a longer sequence (data-endpoints 1.2, 10.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lossy<'a>(pub &'a [u8]);

impl fmt::Display for Lossy<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            f.write_str(chunk.valid())?;
            for _ in chunk.invalid() {
                f.write_char(char::REPLACEMENT_CHARACTER)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bad_byte_is_one_replacement_character() {
        let check = |bytes: &[u8], expected: &str| assert_eq!(Lossy(bytes).to_string(), expected);
        check("ü中😀".as_bytes(), "ü中😀");
        check(b"a\xff\xfeb", "a\u{fffd}\u{fffd}b");
        check(b"\xe4\xb8'", "\u{fffd}\u{fffd}'");
        check(b"\xf0\x9f\x98", "\u{fffd}\u{fffd}\u{fffd}");
        check(b"\xed\xa0\x80", "\u{fffd}\u{fffd}\u{fffd}");
        check(b"", "");
        check(b"a\0b", "a\0b");
    }
}
