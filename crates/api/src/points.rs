//! Stand-in.
use bytes::Bytes;
use influxd_model::WriteGrant;
use influxd_store::StoreError;

#[derive(Debug)]
pub struct Engine;
#[derive(Debug, Clone, Copy)]
pub enum Precision { Nanosecond, Microsecond, Millisecond, Second }
#[derive(Debug, Clone)]
pub struct WriteRequest {
    pub grant: WriteGrant,
    pub retention: Option<i64>,
    pub body: Bytes,
    pub precision: Precision,
    pub default_time: i64,
    pub now: i64,
}
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("a")]
    Parse(String),
    #[error("b")]
    Partial(String),
    #[error("too many writes are waiting")]
    QueueFull,
    #[error("the bucket is gone")]
    BucketGone,
    #[error(transparent)]
    Store(#[from] StoreError),
}
impl Engine {
    pub async fn write(&self, _r: WriteRequest) -> Result<(), WriteError> { Ok(()) }
    pub async fn delete(&self, _b: influxd_model::BucketId, _d: influxd_engine::source::Delete) -> Result<(), StoreError> { Ok(()) }
}
#[derive(Debug, Clone)]
pub struct VisibleMapping { pub mapping: influxd_model::dbrp::Mapping, pub may_write: bool }
