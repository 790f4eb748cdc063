//! The key of a series: its measurement and its tags (data-endpoints 10.3).

use std::fmt;

use crate::error::KeyError;
use crate::escape::{escape_measurement, escape_tag, unescape_measurement, unescape_tag};
use crate::lossy::Lossy;

/// The most bytes that the key section of a line may have, as written (data-endpoints 10.6).
pub const MAX_KEY_LENGTH: usize = 65_535;

/// Tag keys that nobody may use, and how error texts show them.
const RESERVED_TAG_KEYS: [(&[u8], &str); 5] = [
    (b"time", "time"),
    (b"_field", "_field"),
    (b"_measurement", "_measurement"),
    (b"\x00", "\\x00"),
    (b"\xff", "\\xff"),
];

/// Tags: keys and values, without escapes.
pub type Tags = Vec<(Vec<u8>, Vec<u8>)>;

/// The key of a series: names without escapes, tags sorted by key, no key twice.
///
/// Two spellings of a series (tags in another order, escapes that are not needed) are equal here.
/// Displayed, it is as SHOW SERIES has it: `m,k=v`, escaped like line protocol.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SeriesKey {
    measurement: Vec<u8>,
    tags: Tags,
}

impl SeriesKey {
    /// Reads the raw key that [`crate::Sink::begin`] got: the key section of a line, as written.
    ///
    /// Every reason of data-endpoints 10.7 that concerns the key section comes from here, the
    /// first in the order of the contract's server: shape, reserved keys, repeated keys, length.
    pub fn parse(raw: &[u8]) -> Result<Self, KeyError> {
        let (measurement, raw_tags) = split(raw)?;
        for (key, _) in &raw_tags {
            refuse_reserved(key)?;
        }
        let mut tags: Tags = raw_tags
            .into_iter()
            .map(|(key, value)| {
                (
                    unescape_tag(key).into_owned(),
                    unescape_tag(value).into_owned(),
                )
            })
            .collect();
        sort_distinct(&mut tags)?;
        refuse_longer(raw.len())?;
        Ok(Self {
            measurement: unescape_measurement(measurement).into_owned(),
            tags,
        })
    }

    /// Puts a key together from names without escapes, for points that no client wrote as a line.
    ///
    /// The rules are those of [`SeriesKey::parse`]; the length is that of the key as displayed.
    pub fn new(measurement: Vec<u8>, mut tags: Tags) -> Result<Self, KeyError> {
        if measurement.is_empty() {
            return Err(KeyError::MissingMeasurement);
        }
        for (key, value) in &tags {
            if key.is_empty() {
                return Err(KeyError::MissingTagKey);
            }
            if value.is_empty() {
                return Err(KeyError::MissingTagValue);
            }
            refuse_reserved(key)?;
        }
        sort_distinct(&mut tags)?;
        let series = Self { measurement, tags };
        refuse_longer(series.to_line_bytes().len())?;
        Ok(series)
    }

    /// The measurement, without escapes.
    pub fn measurement(&self) -> &[u8] {
        &self.measurement
    }

    /// The tags, keys and values without escapes, in the order of the keys' bytes.
    pub fn tags(&self) -> &[(Vec<u8>, Vec<u8>)] {
        &self.tags
    }

    /// The value of this tag, if the series has it.
    pub fn tag(&self, key: &[u8]) -> Option<&[u8]> {
        let place = self
            .tags
            .binary_search_by(|(other, _)| other.as_slice().cmp(key))
            .ok()?;
        Some(&self.tags[place].1)
    }

    /// Takes it apart into measurement and tags.
    pub fn into_parts(self) -> (Vec<u8>, Tags) {
        (self.measurement, self.tags)
    }

    /// The canonical form of the tags, `k=v,k2=v2`: the identity of the series in its measurement.
    ///
    /// Escaped like line protocol, so it is readable. Different tags have different forms, and
    /// [`parse_tags`] reads them back, whatever bytes they consist of. Line protocol cannot write
    /// a name that ends with a backslash; no line makes one, but points written by a query may: it
    /// gets one more byte at its end and a bare space, which no other name has, in front.
    pub fn to_tags_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (key, value) in &self.tags {
            if !bytes.is_empty() {
                bytes.push(b',');
            }
            push_canonical(key, &mut bytes);
            bytes.push(b'=');
            push_canonical(value, &mut bytes);
        }
        bytes
    }

    /// The key as a line would have it: `m,k=v`, escaped, tags in order.
    pub fn to_line_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        escape_measurement(&self.measurement, &mut bytes);
        for (key, value) in &self.tags {
            bytes.push(b',');
            escape_tag(key, &mut bytes);
            bytes.push(b'=');
            escape_tag(value, &mut bytes);
        }
        bytes
    }
}

impl fmt::Display for SeriesKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Lossy(&self.to_line_bytes()).fmt(f)
    }
}

/// Reads the tags back from [`SeriesKey::to_tags_bytes`], in their order.
///
/// Any bytes are read as something; only those that `to_tags_bytes` made have a meaning.
pub fn parse_tags(canonical: &[u8]) -> Tags {
    let mut tags = Vec::new();
    let mut rest = canonical;
    while !rest.is_empty() {
        let key_end = find_bare(rest, 0, b"=").unwrap_or(rest.len());
        let (key, behind) = rest.split_at(key_end);
        let behind = behind.get(1..).unwrap_or_default();
        let value_end = find_bare(behind, 0, b",").unwrap_or(behind.len());
        let (value, behind) = behind.split_at(value_end);
        tags.push((from_canonical(key), from_canonical(value)));
        rest = behind.get(1..).unwrap_or_default();
    }
    tags
}

/// Where the key section of the line that starts here ends: at a space without a backslash.
///
/// If there is none, the line has a key section only: `Err` of the line's length.
pub(crate) fn key_end(rest: &[u8]) -> Result<usize, usize> {
    let mut from = 0;
    loop {
        let Some(distance) = memchr::memchr3(b' ', b'\\', b'\n', &rest[from..]) else {
            return Err(rest.len());
        };
        let at = from + distance;
        match rest[at] {
            b' ' => return Ok(at),
            b'\n' => return Err(at),
            _ => from = at + 1 + usize::from(rest.get(at + 1) == Some(&b' ')),
        }
    }
}

/// Checks the shape of a key section, and nothing else.
pub(crate) fn check_shape(raw: &[u8]) -> Result<(), KeyError> {
    split(raw).map(drop)
}

/// A measurement and its tags in the order of the line, with their escapes.
type RawKey<'a> = (&'a [u8], Vec<(&'a [u8], &'a [u8])>);

fn split(raw: &[u8]) -> Result<RawKey<'_>, KeyError> {
    if matches!(raw.first(), None | Some(b',')) {
        return Err(KeyError::MissingMeasurement);
    }
    let mut end = find_bare(raw, 1, b",").unwrap_or(raw.len());
    let measurement = &raw[..end];
    let mut tags = Vec::new();
    while end < raw.len() {
        let key_start = end + 1;
        if matches!(raw.get(key_start), None | Some(b' ' | b',' | b'=')) {
            return Err(KeyError::MissingTagKey);
        }
        let key_end = find_bare(raw, key_start + 1, b"=, ").unwrap_or(raw.len());
        let value_start = key_end + 1;
        if raw.get(key_end) != Some(&b'=')
            || matches!(raw.get(value_start), None | Some(b',' | b' '))
        {
            return Err(KeyError::MissingTagValue);
        }
        // The first byte of a value may be a bare `=`; a later one may not.
        end = find_bare(raw, value_start + 1, b"=,").unwrap_or(raw.len());
        if raw.get(end) == Some(&b'=') {
            return Err(KeyError::InvalidTagFormat);
        }
        tags.push((&raw[key_start..key_end], &raw[value_start..end]));
    }
    Ok((measurement, tags))
}

/// The first of these bytes, at `from` or later, that has no backslash in front.
fn find_bare(bytes: &[u8], from: usize, wanted: &[u8]) -> Option<usize> {
    (from..bytes.len())
        .find(|&at| wanted.contains(&bytes[at]) && (at == 0 || bytes[at - 1] != b'\\'))
}

fn refuse_reserved(key: &[u8]) -> Result<(), KeyError> {
    match RESERVED_TAG_KEYS
        .iter()
        .find(|(reserved, _)| *reserved == key)
    {
        Some((_, shown)) => Err(KeyError::ReservedTagKey(shown)),
        None => Ok(()),
    }
}

fn sort_distinct(tags: &mut [(Vec<u8>, Vec<u8>)]) -> Result<(), KeyError> {
    tags.sort_unstable_by(|(left, _), (right, _)| left.cmp(right));
    if tags.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        return Err(KeyError::DuplicateTags);
    }
    Ok(())
}

fn refuse_longer(length: usize) -> Result<(), KeyError> {
    if length > MAX_KEY_LENGTH {
        Err(KeyError::TooLong(length))
    } else {
        Ok(())
    }
}

fn push_canonical(part: &[u8], bytes: &mut Vec<u8>) {
    if part.ends_with(b"\\") {
        bytes.push(b' ');
        escape_tag(part, bytes);
        bytes.push(b'.');
    } else {
        escape_tag(part, bytes);
    }
}

fn from_canonical(part: &[u8]) -> Vec<u8> {
    match part {
        [b' ', marked @ .., _] => unescape_tag(marked).into_owned(),
        _ => unescape_tag(part).into_owned(),
    }
}

#[cfg(test)]
mod tests;
