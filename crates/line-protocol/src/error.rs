//! Why a line cannot be read, in the words of the contract (data-endpoints 10.7).

use std::fmt;

use crate::key::MAX_KEY_LENGTH;
use crate::lossy::Lossy;
use crate::timestamp::{MAX_TIME, MIN_TIME};

/// What is wrong with the key section of a line: measurement and tags.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The line begins with a comma.
    #[error("missing measurement")]
    MissingMeasurement,
    /// Nothing before the `=` of a tag, or nothing at all after a comma.
    #[error("missing tag key")]
    MissingTagKey,
    /// A tag without `=`, or with nothing behind it.
    #[error("missing tag value")]
    MissingTagValue,
    /// A second `=` in a tag.
    #[error("invalid tag format")]
    InvalidTagFormat,
    /// Two tags with the same key.
    #[error("duplicate tags")]
    DuplicateTags,
    /// A tag key that queries need for themselves; the name as it is printed.
    #[error("cannot use reserved tag key \"{0}\"")]
    ReservedTagKey(&'static str),
    /// The key section, or with 4 more bytes the key section and a field's name, is this long.
    #[error("max key length exceeded: {0} > {MAX_KEY_LENGTH}")]
    TooLong(usize),
}

/// What is wrong with a line. The text is the `<reason>` of `unable to parse '<line>': <reason>`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// The key section.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The line ends with its key section.
    #[error("missing fields")]
    MissingFields,
    /// Nothing before the `=` of a field.
    #[error("missing field key")]
    MissingFieldKey,
    /// Nothing after the `=` of a field.
    #[error("missing field value")]
    MissingFieldValue,
    /// The fields do not alternate between name, `=`, value and comma.
    #[error("invalid field format")]
    InvalidFieldFormat,
    /// A string that is not closed before the body ends.
    #[error("unbalanced quotes")]
    UnbalancedQuotes,
    /// A value that starts like no number and no string, and is none of the ten words.
    #[error("invalid boolean")]
    InvalidBoolean,
    /// A value that starts like a number and is not written like one.
    #[error("invalid number")]
    InvalidNumber,
    /// A float with a bad exponent, or too large for 64 bits.
    #[error("invalid float")]
    InvalidFloat,
    /// An integer of these digits does not fit into 64 bits.
    #[error("unable to parse integer {0}: strconv.ParseInt: parsing \"{0}\": value out of range")]
    IntegerOutOfRange(String),
    /// An unsigned integer of these digits does not fit into 64 bits.
    #[error("unable to parse unsigned {0}: strconv.ParseUint: parsing \"{0}\": value out of range")]
    UnsignedOutOfRange(String),
    /// The `=` of a field is taken by a backslash; the rest of the field section.
    #[error("invalid value: field-key={}", Lossy(.0))]
    InvalidValue(Vec<u8>),
    /// A time with anything but digits in it.
    #[error("bad timestamp")]
    BadTimestamp,
    /// A time that is a minus sign and nothing more.
    #[error("strconv.ParseInt: parsing \"-\": invalid syntax")]
    TimestampWithoutDigits,
    /// A time of these digits does not fit into 64 bits.
    #[error("strconv.ParseInt: parsing \"{0}\": value out of range")]
    TimestampOutOfRange(String),
    /// The time, in nanoseconds, cannot be stored.
    #[error("time outside range {MIN_TIME} - {MAX_TIME}")]
    TimeOutsideRange,
    /// Something follows the time.
    #[error("point is invalid")]
    PointIsInvalid,
}

/// All lines of a body that cannot be read.
///
/// Displayed, it is the `message` of the 400 answer (data-endpoints 4.3): a text for each line, in
/// their order, joined by line feeds; bytes that are no UTF-8 appear as U+FFFD. What it
/// remembers is bounded: past [`ParseErrors::MAX_TEXT`] bytes it only counts.
#[derive(Clone, PartialEq, Eq)]
pub struct ParseErrors {
    /// The texts of the first lines, as bytes, for lines need not be UTF-8.
    text: Vec<u8>,
    /// Failing lines, whether their text is kept or not.
    lines: usize,
    /// Failing lines without text.
    unnamed: usize,
}

impl ParseErrors {
    /// How many bytes of text are kept; a body may consist of millions of bad lines.
    pub const MAX_TEXT: usize = 4 << 20;

    /// How many lines failed; at least one.
    pub fn lines(&self) -> usize {
        self.lines
    }

    pub(crate) fn new() -> Self {
        Self {
            text: Vec::new(),
            lines: 0,
            unnamed: 0,
        }
    }

    pub(crate) fn push(&mut self, line: &[u8], error: &LineError) {
        self.lines += 1;
        if self.text.len() >= Self::MAX_TEXT {
            self.unnamed += 1;
            return;
        }
        if self.lines > 1 {
            self.text.push(b'\n');
        }
        self.text.extend_from_slice(b"unable to parse '");
        self.push_cut(line);
        self.text.extend_from_slice(b"': ");
        if let LineError::InvalidValue(rest) = error {
            // Bytes of the line: made readable when all is displayed, not before.
            self.text.extend_from_slice(b"invalid value: field-key=");
            self.push_cut(rest);
        } else {
            self.push_cut(error.to_string().as_bytes());
        }
    }

    /// Appends what there is room for, and says so when that is not all.
    fn push_cut(&mut self, bytes: &[u8]) {
        let room = Self::MAX_TEXT.saturating_sub(self.text.len());
        if bytes.len() <= room {
            self.text.extend_from_slice(bytes);
        } else {
            self.text.extend_from_slice(&bytes[..room]);
            self.text.extend_from_slice(b"...");
        }
    }
}

impl fmt::Display for ParseErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Lossy(&self.text).fmt(f)?;
        match self.unnamed {
            0 => Ok(()),
            1 => f.write_str("\nunable to parse 1 more line"),
            more => write!(f, "\nunable to parse {more} more lines"),
        }
    }
}

/// As displayed: in a failing test that is what one wants to see.
impl fmt::Debug for ParseErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ParseErrors({:?})", self.to_string())
    }
}

impl std::error::Error for ParseErrors {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_bounded_and_the_count_is_not() {
        let mut errors = ParseErrors::new();
        let line = vec![b'm'; 1 << 20];
        for _ in 0..10 {
            errors.push(&line, &LineError::MissingFields);
        }
        assert_eq!(errors.lines(), 10);
        let text = errors.to_string();
        assert!(
            text.len() < ParseErrors::MAX_TEXT + 200,
            "{} bytes",
            text.len()
        );
        assert!(
            text.ends_with("...\nunable to parse 6 more lines"),
            "{}",
            &text[text.len() - 60..]
        );
        assert_eq!(text.matches("missing fields").count(), 3);
    }

    #[test]
    fn a_line_is_shown_lossily_and_in_full_up_to_the_limit() {
        let mut errors = ParseErrors::new();
        errors.push(
            b"m\xff f\\\\=\xfe",
            &LineError::InvalidValue(b"f\\\\=\xfe".to_vec()),
        );
        assert_eq!(
            errors.to_string(),
            "unable to parse 'm\u{fffd} f\\\\=\u{fffd}': invalid value: field-key=f\\\\=\u{fffd}",
        );
        let mut errors = ParseErrors::new();
        errors.push(&vec![b'x'; 2 << 20], &LineError::MissingFields);
        assert_eq!(
            errors.to_string().len(),
            "unable to parse '': missing fields".len() + (2 << 20)
        );
    }
}
