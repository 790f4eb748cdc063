//! Which series a delete takes: a condition on measurement and tags, kept with the tombstone.

use regex::bytes::Regex;

/// How a tag, or the measurement's name, is compared.
#[derive(Debug, Clone)]
pub enum Test {
    /// Equal to this.
    Is(Vec<u8>),
    /// Not equal to this.
    IsNot(Vec<u8>),
    /// The expression is found in it.
    Matches(Regex),
    /// The expression is not found in it.
    MatchesNot(Regex),
}

impl Test {
    fn holds(&self, value: &[u8]) -> bool {
        match self {
            Self::Is(wanted) => value == wanted,
            Self::IsNot(unwanted) => value != unwanted,
            Self::Matches(regex) => regex.is_match(value),
            Self::MatchesNot(regex) => !regex.is_match(value),
        }
    }
}

/// What a missing tag counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absent {
    /// An empty value: InfluxQL (InfluxQL 8.3).
    Empty,
    /// It never matches: `/api/v2/delete` (data-endpoints 7).
    NoMatch,
}

/// A condition on a series. It never lists what one server knows, so it holds for chunks that
/// the server has not seen yet.
#[derive(Debug, Clone)]
pub enum Predicate {
    /// Every series.
    All,
    /// No series.
    None,
    /// Both hold.
    And(Box<Predicate>, Box<Predicate>),
    /// One holds.
    Or(Box<Predicate>, Box<Predicate>),
    /// The measurement's name.
    Measurement(Test),
    /// A tag.
    Tag {
        /// The tag's key.
        key: Vec<u8>,
        /// The comparison.
        test: Test,
        /// What it means not to have it.
        absent: Absent,
    },
}

/// A predicate could not be read: a defect, or a damaged database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a stored predicate is damaged")]
pub struct BadPredicate;

/// Deeper trees than this are refused when they are read, and must not be made.
pub const MAX_DEPTH: usize = 512;

const MAGIC: &[u8] = b"IXC\x10";

impl Predicate {
    /// Whether it takes a series.
    pub fn matches(&self, measurement: &[u8], tags: &[(Box<[u8]>, Box<[u8]>)]) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::And(a, b) => a.matches(measurement, tags) && b.matches(measurement, tags),
            Self::Or(a, b) => a.matches(measurement, tags) || b.matches(measurement, tags),
            Self::Measurement(test) => test.holds(measurement),
            Self::Tag { key, test, absent } => match tags.iter().find(|(k, _)| **k == key[..]) {
                Some((_, value)) => test.holds(value),
                None => *absent == Absent::Empty && test.holds(b""),
            },
        }
    }

    /// Whether it may take any series of a measurement: `false` is certain.
    pub fn may_match_measurement(&self, measurement: &[u8]) -> bool {
        match self {
            Self::None => false,
            Self::All | Self::Tag { .. } => true,
            Self::And(a, b) => {
                a.may_match_measurement(measurement) && b.may_match_measurement(measurement)
            }
            Self::Or(a, b) => {
                a.may_match_measurement(measurement) || b.may_match_measurement(measurement)
            }
            Self::Measurement(test) => test.holds(measurement),
        }
    }

    /// Whether tags play a part in it.
    pub fn depends_on_tags(&self) -> bool {
        match self {
            Self::All | Self::None | Self::Measurement(_) => false,
            Self::Tag { .. } => true,
            Self::And(a, b) | Self::Or(a, b) => a.depends_on_tags() || b.depends_on_tags(),
        }
    }

    /// The stored form: magic, format byte, tree in prefix order, checksum.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        self.write(&mut out);
        let checksum = xxhash_rust::xxh3::xxh3_64(&out) as u32;
        out.extend_from_slice(&checksum.to_le_bytes());
        out
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::All => out.push(0),
            Self::None => out.push(1),
            Self::And(a, b) => {
                out.push(2);
                a.write(out);
                b.write(out);
            }
            Self::Or(a, b) => {
                out.push(3);
                a.write(out);
                b.write(out);
            }
            Self::Measurement(test) => {
                out.push(4);
                write_test(test, out);
            }
            Self::Tag { key, test, absent } => {
                out.push(match absent {
                    Absent::Empty => 5,
                    Absent::NoMatch => 6,
                });
                write_bytes(key, out);
                write_test(test, out);
            }
        }
    }

    /// Reads the stored form.
    pub fn decode(stored: &[u8]) -> Result<Self, BadPredicate> {
        let (content, checksum) = stored.split_last_chunk::<4>().ok_or(BadPredicate)?;
        if xxhash_rust::xxh3::xxh3_64(content) as u32 != u32::from_le_bytes(*checksum) {
            return Err(BadPredicate);
        }
        let mut rest = content.strip_prefix(MAGIC).ok_or(BadPredicate)?;
        let predicate = read(&mut rest, 0)?;
        if rest.is_empty() {
            Ok(predicate)
        } else {
            Err(BadPredicate)
        }
    }
}

fn write_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    out.extend_from_slice(bytes);
}

fn write_test(test: &Test, out: &mut Vec<u8>) {
    let (kind, bytes) = match test {
        Test::Is(value) => (0, value.as_slice()),
        Test::IsNot(value) => (1, value.as_slice()),
        Test::Matches(regex) => (2, regex.as_str().as_bytes()),
        Test::MatchesNot(regex) => (3, regex.as_str().as_bytes()),
    };
    out.push(kind);
    write_bytes(bytes, out);
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Result<&'a [u8], BadPredicate> {
    let (taken, left) = rest.split_at_checked(count).ok_or(BadPredicate)?;
    *rest = left;
    Ok(taken)
}

fn read_bytes<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], BadPredicate> {
    let length: [u8; 4] = take(rest, 4)?.try_into().map_err(|_| BadPredicate)?;
    take(rest, u32::from_le_bytes(length) as usize)
}

fn read_test(rest: &mut &[u8]) -> Result<Test, BadPredicate> {
    let kind = take(rest, 1)?[0];
    let bytes = read_bytes(rest)?;
    let regex = || {
        let text = std::str::from_utf8(bytes).map_err(|_| BadPredicate)?;
        Regex::new(text).map_err(|_| BadPredicate)
    };
    Ok(match kind {
        0 => Test::Is(bytes.to_vec()),
        1 => Test::IsNot(bytes.to_vec()),
        2 => Test::Matches(regex()?),
        3 => Test::MatchesNot(regex()?),
        _ => return Err(BadPredicate),
    })
}

fn read(rest: &mut &[u8], depth: usize) -> Result<Predicate, BadPredicate> {
    if depth > MAX_DEPTH {
        return Err(BadPredicate);
    }
    let pair = |rest: &mut &[u8]| {
        Ok::<_, BadPredicate>((
            Box::new(read(rest, depth + 1)?),
            Box::new(read(rest, depth + 1)?),
        ))
    };
    Ok(match take(rest, 1)?[0] {
        0 => Predicate::All,
        1 => Predicate::None,
        2 => {
            let (a, b) = pair(rest)?;
            Predicate::And(a, b)
        }
        3 => {
            let (a, b) = pair(rest)?;
            Predicate::Or(a, b)
        }
        4 => Predicate::Measurement(read_test(rest)?),
        kind @ (5 | 6) => Predicate::Tag {
            key: read_bytes(rest)?.to_vec(),
            test: read_test(rest)?,
            absent: if kind == 5 {
                Absent::Empty
            } else {
                Absent::NoMatch
            },
        },
        _ => return Err(BadPredicate),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(pairs: &[(&str, &str)]) -> Vec<(Box<[u8]>, Box<[u8]>)> {
        pairs
            .iter()
            .map(|(k, v)| (k.as_bytes().into(), v.as_bytes().into()))
            .collect()
    }

    fn tag(key: &str, test: Test, absent: Absent) -> Predicate {
        Predicate::Tag {
            key: key.into(),
            test,
            absent,
        }
    }

    #[test]
    fn a_missing_tag_is_empty_for_influxql_and_nothing_for_the_delete_api() {
        let not_a = |absent| tag("host", Test::IsNot(b"a".to_vec()), absent);
        assert!(not_a(Absent::Empty).matches(b"cpu", &tags(&[])));
        assert!(!not_a(Absent::NoMatch).matches(b"cpu", &tags(&[])));
        assert!(not_a(Absent::NoMatch).matches(b"cpu", &tags(&[("host", "b")])));
    }

    #[test]
    fn the_stored_form_reads_back() {
        let predicate = Predicate::And(
            Box::new(Predicate::Measurement(Test::Is(b"c\xffpu".to_vec()))),
            Box::new(Predicate::Or(
                Box::new(tag(
                    "h",
                    Test::Matches(Regex::new("^a.*").unwrap()),
                    Absent::Empty,
                )),
                Box::new(tag("h", Test::Is(b"b".to_vec()), Absent::NoMatch)),
            )),
        );
        let stored = predicate.encode();
        let read = Predicate::decode(&stored).unwrap();
        assert!(read.matches(b"c\xffpu", &tags(&[("h", "aa")])));
        assert!(read.matches(b"c\xffpu", &tags(&[("h", "b")])));
        assert!(!read.matches(b"c\xffpu", &tags(&[("h", "c")])));
        assert!(!read.may_match_measurement(b"mem"));
        assert!(read.depends_on_tags());
        for cut in 0..stored.len() {
            assert_eq!(Predicate::decode(&stored[..cut]).unwrap_err(), BadPredicate);
        }
        for at in 0..stored.len() {
            let mut damaged = stored.clone();
            damaged[at] ^= 0x20;
            assert_eq!(Predicate::decode(&damaged).unwrap_err(), BadPredicate);
        }
    }
}
