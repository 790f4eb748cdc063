//! Trying again when a new id is taken.

use crate::error::{ApiError, ErrorCode};

/// How many ids are tried for one thing (auth-and-resources 1.1).
const MOST: u32 = 100;

/// Counts the ids that were taken.
#[derive(Debug, Default)]
pub(crate) struct Tries(u32);

impl Tries {
    /// One more id was taken. An error once there is no point in going on.
    pub(crate) fn failed(&mut self) -> Result<(), ApiError> {
        self.0 += 1;
        if self.0 < MOST {
            return Ok(());
        }
        Err(ApiError::new(
            ErrorCode::Internal,
            "unable to generate valid id",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_ids_are_tried() {
        let mut tries = Tries::default();
        assert!((1..100).all(|_| tries.failed().is_ok()));
        let error = tries.failed().unwrap_err();
        assert_eq!(error.message(), "unable to generate valid id");
    }
}
