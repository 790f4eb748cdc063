//! Rules about what clients may choose: passwords, names and retention of buckets.

use influxd_model::normalize_shard_duration;

/// Why a password is refused (auth-and-resources 3.5). The texts are part of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordRuleError {
    /// Fewer than 8 or more than 72 bytes.
    #[error("{LENGTH}")]
    Length,
    /// Too few kinds of characters.
    #[error("{KINDS}")]
    Kinds,
    /// Both.
    #[error("{LENGTH}\n{KINDS}")]
    LengthAndKinds,
}

const LENGTH: &str = "passwords must be between 8 and 72 characters long";
const KINDS: &str = "passwords must contain at least three of the following character types: \
                     uppercase, lowercase, numbers, and special characters: !@#$%^&*()_+";

/// What a password must be like (auth-and-resources 3.5).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PasswordRules {
    /// Whether it needs three of four kinds of characters: `--strong-passwords`.
    pub strong: bool,
}

impl PasswordRules {
    /// Whether a password may be set. The rules are asked again when it is used.
    pub fn check(self, password: &[u8]) -> Result<(), PasswordRuleError> {
        let fits = (8..=72).contains(&password.len());
        match (fits, self.has_kinds(password)) {
            (true, true) => Ok(()),
            (false, true) => Err(PasswordRuleError::Length),
            (true, false) => Err(PasswordRuleError::Kinds),
            (false, false) => Err(PasswordRuleError::LengthAndKinds),
        }
    }

    /// Whether a password that was imported with a hash of another server's may be used: it may
    /// have any length, but not fewer kinds of characters than others.
    pub(crate) fn check_imported(self, password: &[u8]) -> Result<(), PasswordRuleError> {
        if self.has_kinds(password) {
            Ok(())
        } else {
            Err(PasswordRuleError::Kinds)
        }
    }

    fn has_kinds(self, password: &[u8]) -> bool {
        if !self.strong {
            return true;
        }
        let text = String::from_utf8_lossy(password);
        let kinds: [fn(char) -> bool; 4] = [
            char::is_numeric,
            char::is_uppercase,
            char::is_lowercase,
            |c| "!@#$%^&*()_+".contains(c),
        ];
        kinds.iter().filter(|kind| text.contains(**kind)).count() >= 3
    }
}

/// Why a bucket cannot have a name (auth-and-resources 9.4).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BucketNameError {
    /// Such names are the server's.
    #[error("bucket name {0} is invalid. Buckets may not start with underscore")]
    Underscore(String),
    /// It has a double quote in it.
    #[error("bucket name {0} is invalid. Bucket names may not include quotation marks")]
    Quotation(String),
}

/// Whether a client may give a bucket this name.
pub fn check_bucket_name(name: &str) -> Result<(), BucketNameError> {
    if name.starts_with('_') {
        return Err(BucketNameError::Underscore(name.to_owned()));
    }
    if name.contains('"') {
        return Err(BucketNameError::Quotation(name.to_owned()));
    }
    Ok(())
}

/// Why a bucket cannot have a retention (auth-and-resources 9.4, rows 11 and 12).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RetentionError {
    /// Less than an hour.
    #[error("retention policy duration must be at least 1h0m0s")]
    TooShort,
    /// Shorter than a shard window.
    #[error("retention policy duration must be greater than the shard duration")]
    BelowShard,
}

const HOUR: i64 = 3_600_000_000_000;

/// The shard duration (nanoseconds) to keep for a bucket with this retention (`None`: for ever)
/// and the shard duration asked for (0: the default); refuses what does not go together.
pub const fn check_retention(
    retention: Option<i64>,
    shard_duration: i64,
) -> Result<i64, RetentionError> {
    let shard_duration = normalize_shard_duration(shard_duration, retention);
    match retention {
        Some(retention) if retention < HOUR => Err(RetentionError::TooShort),
        Some(retention) if retention < shard_duration => Err(RetentionError::BelowShard),
        _ => Ok(shard_duration),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_have_8_to_72_bytes() {
        for (length, fits) in [(0, false), (7, false), (8, true), (72, true), (73, false)] {
            assert_eq!(
                PasswordRules::default().check(&vec![b'x'; length]).is_ok(),
                fits,
                "{length}"
            );
        }
        assert!(PasswordRules::default().check("éééé".as_bytes()).is_ok());
    }

    #[test]
    fn strong_passwords_have_three_kinds_of_characters() {
        use PasswordRuleError::{Kinds, Length, LengthAndKinds};
        let strong = PasswordRules { strong: true };
        for (password, expected) in [
            ("aaaaaaaa", Err(Kinds)),
            ("aaaaAAAA", Err(Kinds)),
            ("aaaaAAA1", Ok(())),
            ("aaaa_AAA", Ok(())),
            ("1111_AAA", Ok(())),
            ("aaaa-AAA", Err(Kinds)),
            ("éÉ٣éÉ٣", Ok(())),
            ("aA1", Err(Length)),
            ("a", Err(LengthAndKinds)),
            ("", Err(LengthAndKinds)),
        ] {
            assert_eq!(strong.check(password.as_bytes()), expected, "{password}");
        }
        assert_eq!(
            LengthAndKinds.to_string(),
            "passwords must be between 8 and 72 characters long\npasswords must contain at least \
             three of the following character types: uppercase, lowercase, numbers, and special \
             characters: !@#$%^&*()_+"
        );
    }

    #[test]
    fn imported_passwords_have_any_length() {
        let strong = PasswordRules { strong: true };
        assert_eq!(PasswordRules::default().check_imported(b"x"), Ok(()));
        assert_eq!(strong.check_imported(b"aA1"), Ok(()));
        assert_eq!(strong.check_imported(b"x"), Err(PasswordRuleError::Kinds));
    }

    #[test]
    fn retention_is_at_least_an_hour_and_a_shard() {
        assert_eq!(check_retention(None, 0), Ok(7 * 24 * HOUR));
        assert_eq!(check_retention(Some(HOUR), 0), Ok(HOUR));
        assert_eq!(
            check_retention(Some(HOUR - 1), 0),
            Err(RetentionError::TooShort)
        );
        assert_eq!(
            check_retention(Some(HOUR), 2 * HOUR),
            Err(RetentionError::BelowShard)
        );
    }
}
