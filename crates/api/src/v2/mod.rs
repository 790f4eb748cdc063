//! `/api/v2`

pub(crate) mod buckets;
pub(crate) mod dbrps;
pub(crate) mod delete;
pub(crate) mod index;
pub(crate) mod orgs;
mod paging;
pub(crate) mod setup;
mod target;
pub(crate) mod write;
