//! The engine's types that this crate speaks of.

pub(crate) use influxd_engine::write::{WriteError, WriteRequest};
pub(crate) use influxd_line_protocol::Precision;

#[derive(Debug)]
pub struct Engine;
impl Engine {
    pub async fn write(&self, _r: WriteRequest) -> Result<(), WriteError> { Ok(()) }
    pub async fn delete(&self, _b: influxd_model::BucketId, _d: influxd_engine::source::Delete) -> Result<(), influxd_store::StoreError> { Ok(()) }
}
#[derive(Debug, Clone)]
pub struct VisibleMapping { pub mapping: influxd_model::dbrp::Mapping, pub may_write: bool }
