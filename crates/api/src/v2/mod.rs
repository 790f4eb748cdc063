//! `/api/v2`

pub(crate) mod authorizations;
pub(crate) mod backup;
pub(crate) mod buckets;
pub(crate) mod config;
pub(crate) mod dbrps;
pub(crate) mod delete;
pub(crate) mod flags;
mod ids;
pub(crate) mod index;
pub(crate) mod labels;
pub(crate) mod me;
pub(crate) mod members;
pub(crate) mod orgs;
mod paging;
pub(crate) mod parent;
pub(crate) mod probes;
pub(crate) mod resources;
pub(crate) mod secrets;
pub(crate) mod setup;
pub(crate) mod signin;
mod target;
pub(crate) mod users;
pub(crate) mod write;
