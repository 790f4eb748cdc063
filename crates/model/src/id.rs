//! Ids: sixteen hex digits outside, a non-zero 64-bit number inside, one type per kind of thing.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

/// Why a text is no id (auth-and-resources 1.1). The texts are part of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Not sixteen bytes long.
    #[error("id must have a length of 16 bytes")]
    Length,
    /// Sixteen bytes, but not hex digits, or all zero.
    #[error("invalid ID")]
    Invalid,
}

fn parse(text: &str) -> Result<NonZeroU64, IdError> {
    if text.len() != 16 {
        return Err(IdError::Length);
    }
    if !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(IdError::Invalid);
    }
    let number = u64::from_str_radix(text, 16).map_err(|_| IdError::Invalid)?;
    NonZeroU64::new(number).ok_or(IdError::Invalid)
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(NonZeroU64);

        impl $name {
            /// The id with this number; `None` for zero.
            pub const fn new(number: u64) -> Option<Self> {
                match NonZeroU64::new(number) {
                    Some(number) => Some(Self(number)),
                    None => None,
                }
            }

            /// Its number.
            pub const fn get(self) -> u64 {
                self.0.get()
            }

            /// The signed number whose order is the unsigned order of ids: what a signed
            /// database column holds (auth-and-resources 9.10).
            pub const fn to_column(self) -> i64 {
                (self.0.get() ^ (1 << 63)) as i64
            }

            /// The id that [`Self::to_column`] made this number of; `None` if none did.
            pub const fn from_column(column: i64) -> Option<Self> {
                Self::new((column as u64) ^ (1 << 63))
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                parse(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:016x}", self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({:016x})"), self.0)
            }
        }
    )*};
}

ids! {
    /// An organization.
    OrgId;
    /// A user of the 2.x API.
    UserId;
    /// A bucket.
    BucketId;
    /// An authorization: an API token, or a 1.x user.
    AuthorizationId;
    /// A physical DBRP mapping.
    DbrpId;
    /// A label.
    LabelId;
}

/// Any id, where a permission names an object of whatever kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AnyId(NonZeroU64);

impl AnyId {
    /// The id with this number; `None` for zero.
    pub const fn new(number: u64) -> Option<Self> {
        match NonZeroU64::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// Its number.
    pub const fn get(self) -> u64 {
        self.0.get()
    }
}

impl FromStr for AnyId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        parse(text).map(Self)
    }
}

impl fmt::Display for AnyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

macro_rules! any_from {
    ($($name:ident)*) => {$(
        impl From<$name> for AnyId {
            fn from(id: $name) -> Self {
                Self(id.0)
            }
        }
    )*};
}
any_from!(OrgId UserId BucketId AuthorizationId DbrpId LabelId);

/// Makes ids of the two kinds that InfluxDB has (auth-and-resources 1.1).
///
/// Randomness and time are arguments; a collision is the caller's to find and to try again.
#[derive(Debug)]
pub struct Snowflake {
    machine: u64,
    last: std::sync::Mutex<u64>,
}

/// 2017-04-09T00:00:00Z in milliseconds since 1970: where snowflake time begins.
const SNOWFLAKE_EPOCH_MS: u64 = 1_491_696_000_000;

impl Snowflake {
    /// A generator for one process; `random` picks its machine number, 0 to 1022.
    pub const fn new(random: u64) -> Self {
        Self {
            machine: random % 1023,
            last: std::sync::Mutex::new(0),
        }
    }

    /// The next number, greater than all before it from this generator: milliseconds since the
    /// snowflake epoch (42 bits), machine (10 bits), sequence (12 bits). `now_ms` is since 1970.
    pub fn next(&self, now_ms: u64) -> NonZeroU64 {
        let mut last = self
            .last
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let time = now_ms.saturating_sub(SNOWFLAKE_EPOCH_MS).max(1) & ((1 << 42) - 1);
        // `last` holds time and sequence side by side: when a millisecond's 4,096 numbers are
        // used up, or the clock went back, it simply runs ahead of the clock.
        *last = (*last + 1).max(time << 12);
        let (time, sequence) = (*last >> 12, *last & 0xfff);
        NonZeroU64::new(time << 22 | self.machine << 12 | sequence).unwrap_or(NonZeroU64::MIN)
    }
}

/// The number of a new organization or bucket: `random`, with the bytes that mean something in
/// line protocol keys (backslash, comma, blank) each raised by one.
pub fn random_id(random: u64) -> Option<NonZeroU64> {
    let bytes = random.to_be_bytes().map(|b| {
        if matches!(b, 0x5c | 0x2c | 0x20) {
            b + 1
        } else {
            b
        }
    });
    NonZeroU64::new(u64::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_back_what_they_print() {
        let id = BucketId::new(0xff00_0000_0000_00a1).unwrap();
        assert_eq!(id.to_string(), "ff000000000000a1");
        assert_eq!("FF000000000000a1".parse(), Ok(id));
        assert_eq!(BucketId::from_column(id.to_column()), Some(id));
    }

    #[test]
    fn malformed_ids_say_why() {
        assert_eq!("".parse::<OrgId>(), Err(IdError::Length));
        assert_eq!("0x00000000000001".parse::<OrgId>(), Err(IdError::Invalid));
        assert_eq!("+000000000000001".parse::<OrgId>(), Err(IdError::Invalid));
        assert_eq!("0000000000000000".parse::<OrgId>(), Err(IdError::Invalid));
    }

    #[test]
    fn columns_sort_as_ids_do() {
        let small = OrgId::new(1).unwrap();
        let large = OrgId::new(u64::MAX).unwrap();
        assert!(small.to_column() < large.to_column());
    }

    #[test]
    fn snowflakes_only_ever_grow() {
        let flakes = Snowflake::new(7);
        let mut last = 0;
        for step in 0..10_000_u64 {
            let now = 1_700_000_000_000 + step / 5000 - u64::from(step % 3 == 0);
            let next = flakes.next(now).get();
            assert!(next > last);
            assert_eq!(next >> 12 & 0x3ff, 7);
            last = next;
        }
    }

    #[test]
    fn random_ids_avoid_the_bytes_of_line_protocol() {
        assert_eq!(
            random_id(0x5c2c_2000_0000_0001).map(NonZeroU64::get),
            Some(0x5d2d_2100_0000_0001)
        );
        assert_eq!(random_id(0), None);
    }
}
