//! New ids.

use std::sync::Arc;

use influxd_model::{
    AuthorizationId, BucketId, Clock, DbrpId, LabelId, OrgId, Snowflake, UserId, random_id,
};

use crate::Randomness;

/// Makes the ids of new resources. A collision is the store's to find and the caller's to try
/// again.
#[derive(Debug)]
pub struct Ids {
    snowflake: Snowflake,
    random: Arc<dyn Randomness>,
    clock: Arc<dyn Clock>,
}

impl Ids {
    /// One per process.
    pub fn new(random: Arc<dyn Randomness>, clock: Arc<dyn Clock>) -> Self {
        Self {
            snowflake: Snowflake::new(random.number()),
            random,
            clock,
        }
    }

    /// Asks until the number is one that an id can have: neither generator gives zero twice.
    fn flake<T>(&self, id: impl Fn(u64) -> Option<T>) -> T {
        loop {
            let now_ms = self.clock.now().max(0) as u64 / 1_000_000;
            if let Some(id) = id(self.snowflake.next(now_ms).get()) {
                return id;
            }
        }
    }

    fn random<T>(&self, id: impl Fn(u64) -> Option<T>) -> T {
        loop {
            if let Some(id) = random_id(self.random.number()).and_then(|number| id(number.get())) {
                return id;
            }
        }
    }

    /// For an organization: random.
    pub fn org(&self) -> OrgId {
        self.random(OrgId::new)
    }

    /// For a bucket: random.
    pub fn bucket(&self) -> BucketId {
        self.random(BucketId::new)
    }

    /// For a user: a snowflake.
    pub fn user(&self) -> UserId {
        self.flake(UserId::new)
    }

    /// For a token or a 1.x user: a snowflake.
    pub fn authorization(&self) -> AuthorizationId {
        self.flake(AuthorizationId::new)
    }

    /// For a DBRP mapping: a snowflake.
    pub fn dbrp(&self) -> DbrpId {
        self.flake(DbrpId::new)
    }

    /// For a label: a snowflake.
    pub fn label(&self) -> LabelId {
        self.flake(LabelId::new)
    }
}
