//! Rules about what clients may choose: passwords, names and retention of buckets.

use influxd_model::normalize_shard_duration;

/// Why a password is refused (auth-and-resources 3.5). The text is part of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordRuleError {
    /// Fewer than 8 or more than 72 bytes.
    #[error("passwords must be between 8 and 72 characters long")]
    Length,
}

/// Whether a new password is long enough, and not too long.
pub const fn check_password(password: &[u8]) -> Result<(), PasswordRuleError> {
    if password.len() < 8 || password.len() > 72 {
        return Err(PasswordRuleError::Length);
    }
    Ok(())
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
                check_password(&vec![b'x'; length]).is_ok(),
                fits,
                "{length}"
            );
        }
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
