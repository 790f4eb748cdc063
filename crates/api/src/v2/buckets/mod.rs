//! `/api/v2/buckets`

pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod get;
pub(crate) mod list;
mod rules;
pub(crate) mod update;
pub(crate) mod view;
