//! Ids of what is made.

use crate::error::{ApiError, ErrorCode};

/// How often another id is tried when one is taken (auth-and-resources 1.1).
pub(crate) const TRIES: usize = 100;

/// All that were tried are taken.
pub(crate) fn exhausted() -> ApiError {
    ApiError::new(ErrorCode::Internal, "unable to generate valid id")
}
