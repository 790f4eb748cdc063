//! New ids.

use std::sync::Arc;

use influxd_model::{
    AuthorizationId, BucketId, Clock, DbrpId, OrgId, Snowflake, UserId, random_id,
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

    fn flake(&self) -> u64 {
        let now_ms = self.clock.now().max(0) as u64 / 1_000_000;
        self.snowflake.next(now_ms).get()
    }

    fn random(&self) -> u64 {
        loop {
            if let Some(id) = random_id(self.random.number()) {
                return id.get();
            }
        }
    }

    /// For an organization: random.
    pub fn org(&self) -> OrgId {
        OrgId::new(self.random()).expect("a random id is not zero")
    }

    /// For a bucket: random.
    pub fn bucket(&self) -> BucketId {
        BucketId::new(self.random()).expect("a random id is not zero")
    }

    /// For a user: a snowflake.
    pub fn user(&self) -> UserId {
        UserId::new(self.flake()).expect("a snowflake is not zero")
    }

    /// For a token or a 1.x user: a snowflake.
    pub fn authorization(&self) -> AuthorizationId {
        AuthorizationId::new(self.flake()).expect("a snowflake is not zero")
    }

    /// For a DBRP mapping: a snowflake.
    pub fn dbrp(&self) -> DbrpId {
        DbrpId::new(self.flake()).expect("a snowflake is not zero")
    }
}
