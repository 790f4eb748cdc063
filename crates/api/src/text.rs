//! Bytes that may not be UTF-8, as text.

use std::borrow::Cow;

use crate::error::ApiError;

/// The text of bytes in which every byte that is not part of well-formed UTF-8 has become U+FFFD,
/// one for each, as clients of the original server see it.
pub(crate) fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => {
            let mut text = String::with_capacity(bytes.len() + 16);
            for chunk in bytes.utf8_chunks() {
                text.push_str(chunk.valid());
                for _ in chunk.invalid() {
                    text.push(char::REPLACEMENT_CHARACTER);
                }
            }
            Cow::Owned(text)
        }
    }
}

/// Refuses U+0000, which PostgreSQL cannot store (auth-and-resources 9.10).
pub(crate) fn refuse_nul(text: &str) -> Result<(), ApiError> {
    if text.contains('\0') {
        return Err(ApiError::invalid("a text must not hold U+0000"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bad_byte_is_replaced_by_itself() {
        assert_eq!(lossy(b"a\xff\xe4\xb8b"), "a\u{fffd}\u{fffd}\u{fffd}b");
        assert!(matches!(lossy("ü".as_bytes()), Cow::Borrowed("ü")));
    }
}
