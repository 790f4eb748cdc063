//! Points: how they come in, how they lie in chunks, how InfluxQL reads them.

pub mod catalogue;
pub mod chunk;
pub mod content;
mod engine;
pub mod index;
pub mod merge;
pub mod predicate;
pub mod query;
pub mod read;
pub mod source;
pub mod write;

pub use engine::{Engine, EngineOptions, OpenError};
