//! `/api/v2`

pub(crate) mod authorizations;
pub(crate) mod buckets;
pub(crate) mod dbrps;
pub(crate) mod delete;
mod ids;
pub(crate) mod index;
pub(crate) mod me;
pub(crate) mod orgs;
mod paging;
pub(crate) mod setup;
pub(crate) mod signin;
mod target;
pub(crate) mod users;
pub(crate) mod write;
