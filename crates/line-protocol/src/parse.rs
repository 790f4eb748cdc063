//! The walk over a body.

use crate::error::{LineError, ParseErrors};
use crate::fields::{max_name_length, section_end, split};
use crate::key::{SeriesKey, check_shape, key_end};
use crate::line::line_length;
use crate::timestamp::{self, Precision};
use crate::value::{self, FieldValue};

/// Receives points as they are parsed.
///
/// Each line is `begin` (or `begin_expected`), then `field` (or `field_expected`) for each of its
/// fields in order, then `end`. Nothing is undone: a line that turns out to be wrong in the middle
/// just stops, nothing follows it, and [`parse`] fails. The caller then discards what the
/// sink got since the body began, for such a body is refused as a whole (data-endpoints 4.3).
pub trait Sink {
    /// The raw key that the sink expects next, exactly as an earlier [`Sink::begin`] had it; empty
    /// if it expects none.
    fn expected_key(&self) -> &[u8] {
        &[]
    }

    /// A line begins whose raw key is the expected one.
    fn begin_expected(&mut self) {}

    /// A line begins with this raw key: measurement and tags, as written.
    ///
    /// For a key that it never saw the sink calls [`SeriesKey::parse`], whose error is the line's.
    fn begin(&mut self, raw_key: &[u8]) -> Result<(), LineError>;

    /// The raw name of the field that the sink expects at this position of the line, exactly as an
    /// earlier [`Sink::field`] had it; empty if it expects none.
    fn expected_field(&self, position: usize) -> &[u8] {
        let _ = position;
        &[]
    }

    /// The field at this position, 0 for the line's first, has the expected name.
    fn field_expected(&mut self, position: usize, value: FieldValue<'_>) {
        let _ = (position, value);
    }

    /// A field and its name as written: [`crate::unescape_field_name`] gives the real one.
    ///
    /// Of a name that comes twice in a line the last value counts; that is the sink's work.
    fn field(&mut self, position: usize, raw_name: &[u8], value: FieldValue<'_>);

    /// The line ends. `timestamp` is in nanoseconds since 1970 and in range; `None` if the line
    /// has none.
    fn end(&mut self, timestamp: Option<i64>);
}

/// Parses a body, tells the sink of its points, and returns how many they were.
///
/// When a line fails, the sink hears no more, but all other lines are read, and every failing one
/// is in the error (data-endpoints 4.3).
pub fn parse<S: Sink>(
    body: &[u8],
    precision: Precision,
    sink: &mut S,
) -> Result<usize, ParseErrors> {
    let mut walk = Walk {
        body,
        position: 0,
        precision,
        time_text: &[],
        time: 0,
    };
    match walk.run(sink) {
        Ok(points) => Ok(points),
        Err(error) => Err(walk.collect_errors(&error)),
    }
}

/// What is left of a body.
struct Walk<'a> {
    body: &'a [u8],
    /// Where the current line starts, its leading blanks left out.
    position: usize,
    precision: Precision,
    /// The last time as written, empty before the first: most lines of a body share one.
    time_text: &'a [u8],
    /// And in nanoseconds.
    time: i64,
}

impl<'a> Walk<'a> {
    /// Reads lines up to the end of the body, or to the first that fails.
    fn run<S: Sink>(&mut self, sink: &mut S) -> Result<usize, LineError> {
        let mut points = 0;
        loop {
            let rest = &self.body[self.position..];
            match rest.first() {
                None => return Ok(points),
                Some(b' ' | b'\t' | b'\0' | b'\n') => self.position += 1,
                Some(b'#') => {
                    // To the end of the line, whatever quotes the comment may have.
                    self.position += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                }
                Some(_) => {
                    self.position += self.line(rest, sink)?;
                    points += 1;
                }
            }
        }
    }

    /// Reads on after the first failing line, for the sake of the others' errors.
    #[cold]
    fn collect_errors(mut self, first: &LineError) -> ParseErrors {
        let mut errors = ParseErrors::new();
        let mut checker = Checker::default();
        self.refuse_line(first, &mut errors);
        while let Err(error) = self.run(&mut checker) {
            self.refuse_line(&error, &mut errors);
        }
        errors
    }

    fn refuse_line(&mut self, error: &LineError, errors: &mut ParseErrors) {
        let rest = &self.body[self.position..];
        let length = line_length(rest);
        errors.push(&rest[..length], error);
        self.position += length;
    }

    /// Reads the line that starts here; returns its length.
    #[inline]
    fn line<S: Sink>(&mut self, rest: &'a [u8], sink: &mut S) -> Result<usize, LineError> {
        let key_length = begin(rest, sink)?;
        let mut at = skip_blanks(rest, key_length + 1);
        let max_name = max_name_length(key_length);
        let mut position = 0;
        let end = loop {
            let Some(end) = field(&rest[at..], position, max_name, sink) else {
                break odd_fields(rest, at, key_length, position, sink)?;
            };
            at += end;
            match rest.get(at) {
                Some(b',') => at += 1,
                _ => break at,
            }
            position += 1;
        };
        let (time, end) = self.time(rest, end)?;
        sink.end(time);
        Ok(end)
    }

    /// Reads the optional time that follows the field section; returns where the line ends.
    #[inline]
    fn time(&mut self, rest: &'a [u8], at: usize) -> Result<(Option<i64>, usize), LineError> {
        if is_line_end(rest, at) {
            return Ok((None, at));
        }
        let start = skip_blanks(rest, at + 1);
        let known = self.time_text;
        if !known.is_empty()
            && rest[start..].starts_with(known)
            && is_line_end(rest, start + known.len())
        {
            return Ok((Some(self.time), start + known.len()));
        }
        self.new_time(rest, start)
    }

    #[inline]
    fn new_time(
        &mut self,
        rest: &'a [u8],
        start: usize,
    ) -> Result<(Option<i64>, usize), LineError> {
        if is_line_end(rest, start) {
            return Ok((None, start));
        }
        let (time, length) = timestamp::scan(&rest[start..], self.precision)?;
        let mut end = start + length;
        self.time = time;
        self.time_text = &rest[start..end];
        while rest.get(end) == Some(&b' ') {
            end += 1;
        }
        if !is_line_end(rest, end) {
            return Err(LineError::PointIsInvalid);
        }
        Ok((Some(time), end))
    }
}

/// Reads the key section and tells the sink; returns its length. A space follows it.
#[inline]
fn begin<S: Sink>(rest: &[u8], sink: &mut S) -> Result<usize, LineError> {
    let expected = sink.expected_key();
    if !expected.is_empty() && rest.starts_with(expected) && rest.get(expected.len()) == Some(&b' ')
    {
        let length = expected.len();
        sink.begin_expected();
        return Ok(length);
    }
    match key_end(rest) {
        Ok(length) => {
            sink.begin(&rest[..length])?;
            Ok(length)
        }
        Err(length) => {
            check_shape(&rest[..length])?;
            Err(LineError::MissingFields)
        }
    }
}

/// Reads a plain field and tells the sink; returns its length. `None` says: look closer.
#[inline]
fn field<S: Sink>(rest: &[u8], position: usize, max_name: usize, sink: &mut S) -> Option<usize> {
    let expected = sink.expected_field(position);
    let length = expected.len();
    if length != 0
        && rest.get(length) == Some(&b'=')
        && rest.starts_with(expected)
        && length <= max_name
    {
        let (value, end) = value::scan(&rest[length + 1..])?;
        sink.field_expected(position, value);
        return Some(length + 1 + end);
    }
    let length = plain_name_length(rest)?;
    if length == 0 || length > max_name {
        return None;
    }
    let (value, end) = value::scan(&rest[length + 1..])?;
    sink.field(position, &rest[..length], value);
    Some(length + 1 + end)
}

/// The length of the field's name that starts here, if an `=` follows it and nothing is odd.
#[inline]
fn plain_name_length(rest: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        match *rest.get(at)? {
            b'=' => return Some(at),
            b',' | b' ' | b'\n' => return None,
            b'\\' => match *rest.get(at + 1)? {
                b'\n' => return None,
                // To a second look, this backslash takes the `=`.
                b'\\' if rest.get(at + 2) == Some(&b'=') => return None,
                _ => at += 2,
            },
            _ => at += 1,
        }
    }
}

/// Reads the rest of a field section in which something is odd, from the field at `start` on, and
/// tells the sink; returns where it ends in the line.
#[cold]
fn odd_fields<S: Sink>(
    rest: &[u8],
    start: usize,
    key_length: usize,
    first_position: usize,
    sink: &mut S,
) -> Result<usize, LineError> {
    let line = &rest[..line_length(rest)];
    let end = section_end(line, start)?;
    let mut position = first_position;
    split(&line[start..end], key_length, |name, value| {
        sink.field(position, name, value);
        position += 1;
    })?;
    Ok(end)
}

/// Skips what may stand between the sections besides the one space.
#[inline]
fn skip_blanks(rest: &[u8], mut at: usize) -> usize {
    while matches!(rest.get(at), Some(b' ' | b'\t' | b'\0')) {
        at += 1;
    }
    at
}

#[inline]
fn is_line_end(rest: &[u8], at: usize) -> bool {
    matches!(rest.get(at), None | Some(b'\n'))
}

/// Receives the points of a body that has failed already: checks keys, and forgets the rest.
#[derive(Default)]
struct Checker {
    last_key: Vec<u8>,
}

impl Sink for Checker {
    fn expected_key(&self) -> &[u8] {
        &self.last_key
    }

    fn begin(&mut self, raw_key: &[u8]) -> Result<(), LineError> {
        SeriesKey::parse(raw_key)?;
        self.last_key.clear();
        self.last_key.extend_from_slice(raw_key);
        Ok(())
    }

    fn field(&mut self, _position: usize, _raw_name: &[u8], _value: FieldValue<'_>) {}

    fn end(&mut self, _timestamp: Option<i64>) {}
}
