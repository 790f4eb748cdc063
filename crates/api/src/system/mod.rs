//! Status endpoints: open to everybody, and quick whatever the store does.

mod agents;
pub(crate) mod health;
pub(crate) mod metrics;
pub(crate) mod ping;
pub(crate) mod readiness;
pub(crate) mod ready;
pub(crate) mod watch;
