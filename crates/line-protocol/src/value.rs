//! Values of fields (data-endpoints 10.4).

use std::borrow::Cow;

use crate::digits::{self, MAX_DIGITS};
use crate::error::LineError;
use crate::escape::unescape_string;

/// A value as a line has it.
#[derive(Debug, Clone, PartialEq)]
pub enum FieldValue<'a> {
    /// Any finite double; `-0` keeps its sign.
    Float(f64),
    /// Digits and `i`.
    Integer(i64),
    /// Digits and `u`.
    Unsigned(u64),
    /// One of ten words.
    Boolean(bool),
    /// What stood between quotes, without escapes. Any bytes, of any length.
    String(Cow<'a, [u8]>),
}

/// The powers of ten that a double holds exactly.
const POWERS_OF_TEN: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// Up to here a double holds every integer exactly.
const MAX_EXACT: u64 = 1 << 53;

/// The value that starts here, and its length, if it is valid and a plain end follows it: a comma,
/// a space, a line feed or the end of the body. `None` says: look closer.
#[inline]
pub(crate) fn scan(rest: &[u8]) -> Option<(FieldValue<'_>, usize)> {
    match *rest.first()? {
        b'0'..=b'9' | b'-' | b'.' => scan_number(rest),
        b'"' => scan_string(rest),
        _ => scan_word(rest),
    }
}

/// Whether a value that starts with this byte is judged as a number. `N` is for `NaN`, which is an
/// invalid number, where other words are invalid booleans.
pub(crate) fn is_number_start(first: u8) -> bool {
    matches!(first, b'0'..=b'9' | b'.' | b'-' | b'N' | b'n')
}

/// A value without quotes.
pub(crate) fn plain(text: &[u8]) -> Result<FieldValue<'static>, LineError> {
    match text.first() {
        None => Err(LineError::MissingFieldValue),
        Some(&first) if is_number_start(first) => number(text),
        Some(_) => boolean(text).map(FieldValue::Boolean),
    }
}

/// One of the ten words.
pub(crate) fn boolean(text: &[u8]) -> Result<bool, LineError> {
    match text {
        b"t" | b"T" | b"true" | b"True" | b"TRUE" => Ok(true),
        b"f" | b"F" | b"false" | b"False" | b"FALSE" => Ok(false),
        _ => Err(LineError::InvalidBoolean),
    }
}

/// A number of any type and length.
pub(crate) fn number(text: &[u8]) -> Result<FieldValue<'static>, LineError> {
    match text {
        [digits @ .., b'i'] if is_integer(digits.strip_prefix(b"-").unwrap_or(digits)) => {
            let digits = String::from_utf8_lossy(digits);
            match digits.parse() {
                Ok(integer) => Ok(FieldValue::Integer(integer)),
                Err(_) => Err(LineError::IntegerOutOfRange(digits.into_owned())),
            }
        }
        [digits @ .., b'u'] if is_integer(digits) => {
            let digits = String::from_utf8_lossy(digits);
            match digits.parse() {
                Ok(unsigned) => Ok(FieldValue::Unsigned(unsigned)),
                Err(_) => Err(LineError::UnsignedOutOfRange(digits.into_owned())),
            }
        }
        _ => float(text).map(FieldValue::Float),
    }
}

fn is_integer(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_digit)
}

/// A float: what cannot be one for its characters is an invalid number, what cannot for their
/// order, or for its size, an invalid float.
fn float(text: &[u8]) -> Result<f64, LineError> {
    let unsigned = text.strip_prefix(b"-").unwrap_or(text);
    let mut previous = text
        .first()
        .filter(|_| unsigned.len() < text.len())
        .copied();
    let mut points = 0;
    for &byte in unsigned {
        let after = |wanted: &[u8]| previous.is_some_and(|byte| wanted.contains(&byte));
        match byte {
            b'0'..=b'9' => {}
            b'.' if points == 0 => points = 1,
            b'e' | b'E' if previous.is_some() => {}
            b'+' | b'-' if after(b"eE") => {}
            _ => return Err(LineError::InvalidNumber),
        }
        previous = Some(byte);
    }
    if unsigned.len() == points {
        return Err(LineError::InvalidNumber);
    }
    fast_float2::parse(text)
        .ok()
        .filter(|value: &f64| value.is_finite())
        .ok_or(LineError::InvalidFloat)
}

#[inline]
fn scan_number(rest: &[u8]) -> Option<(FieldValue<'_>, usize)> {
    let negative = rest.first() == Some(&b'-');
    let start = usize::from(negative);
    let (mut mantissa, mut end) = digits::scan(rest, start, 0);
    let mut digits = end - start;
    let mut decimals = 0;
    match rest.get(end) {
        Some(b'.') => {
            let point = end;
            (mantissa, end) = digits::scan(rest, point + 1, mantissa);
            decimals = end - point - 1;
            digits += decimals;
        }
        // One digit less than fits into 64 bits always fits into 63.
        Some(b'i') if is_end(rest.get(end + 1)) && (1..MAX_DIGITS).contains(&digits) => {
            let integer = mantissa.cast_signed();
            let integer = if negative { -integer } else { integer };
            return Some((FieldValue::Integer(integer), end + 1));
        }
        Some(b'u')
            if is_end(rest.get(end + 1)) && (1..=MAX_DIGITS).contains(&digits) && !negative =>
        {
            return Some((FieldValue::Unsigned(mantissa), end + 1));
        }
        _ => {}
    }
    if !is_end(rest.get(end)) || digits == 0 {
        return scan_odd_number(rest);
    }
    if digits > MAX_DIGITS || mantissa > MAX_EXACT {
        return scan_long_float(&rest[..end]);
    }
    Some((exact_float(negative, mantissa, decimals), end))
}

/// Both operands are exact, so the quotient is the nearest double.
#[inline]
fn exact_float(negative: bool, mantissa: u64, decimals: usize) -> FieldValue<'static> {
    let value = mantissa as f64 / POWERS_OF_TEN[decimals];
    FieldValue::Float(if negative { -value } else { value })
}

/// Digits with at most one point among them, too many for the short way.
#[inline(never)]
fn scan_long_float(text: &[u8]) -> Option<(FieldValue<'_>, usize)> {
    let value: f64 = fast_float2::parse(text).ok()?;
    value
        .is_finite()
        .then_some((FieldValue::Float(value), text.len()))
}

/// A number with an exponent, of many digits, or wrong.
#[inline(never)]
fn scan_odd_number(rest: &[u8]) -> Option<(FieldValue<'_>, usize)> {
    let length = memchr::memchr3(b',', b' ', b'\n', rest).unwrap_or(rest.len());
    number(&rest[..length]).ok().map(|value| (value, length))
}

#[inline]
fn scan_word(rest: &[u8]) -> Option<(FieldValue<'_>, usize)> {
    let length = (1..=5).find(|&length| is_end(rest.get(length)))?;
    boolean(&rest[..length])
        .ok()
        .map(|value| (FieldValue::Boolean(value), length))
}

#[inline]
fn scan_string(rest: &[u8]) -> Option<(FieldValue<'_>, usize)> {
    let mut at = 1;
    let mut escaped = false;
    loop {
        at += memchr::memchr2(b'"', b'\\', rest.get(at..)?)?;
        if rest[at] == b'"' {
            break;
        }
        escaped = true;
        at += 2;
    }
    let inner = &rest[1..at];
    let string = if escaped {
        unescape_string(inner)
    } else {
        Cow::Borrowed(inner)
    };
    is_end(rest.get(at + 1)).then_some((FieldValue::String(string), at + 1))
}

/// Whether a value may end before this byte.
#[inline]
fn is_end(byte: Option<&u8>) -> bool {
    matches!(byte, None | Some(b',' | b' ' | b'\n'))
}

#[cfg(test)]
mod tests;
