//! `/api/v2`

pub(crate) mod authorizations;
pub(crate) mod buckets;
pub(crate) mod dbrps;
pub(crate) mod delete;
mod ids;
pub(crate) mod index;
pub(crate) mod labels;
pub(crate) mod me;
pub(crate) mod members;
pub(crate) mod orgs;
mod paging;
mod parent;
pub(crate) mod secrets;
pub(crate) mod setup;
pub(crate) mod signin;
mod target;
pub(crate) mod users;
pub(crate) mod write;
