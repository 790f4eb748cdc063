//! `/api/v2`

pub(crate) mod buckets;
pub(crate) mod dbrps;
pub(crate) mod delete;
pub(crate) mod index;
pub(crate) mod labels;
pub(crate) mod members;
pub(crate) mod orgs;
mod paging;
mod parent;
pub(crate) mod secrets;
pub(crate) mod setup;
mod target;
mod tries;
pub(crate) mod users;
pub(crate) mod write;
