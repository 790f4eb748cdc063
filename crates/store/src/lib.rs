//! The ports between the server and its database: what a store must be able to do.
//!
//! [`Store`] holds resources and credentials, [`ChunkStore`] holds points. Both databases
//! implement both, and pass the same laws: see the module `conformance`, behind the feature of
//! that name.

pub mod archive;
mod chunks;
pub mod columns;
#[cfg(feature = "conformance")]
pub mod conformance;
mod error;
pub mod lists;
mod resources;
pub mod windows;

pub use chunks::{
    Agreed, ChunkRow, ChunkStore, Claim, Committed, Dead, EpochRow, FieldRow, FieldWant, Followed,
    Follower, Forget, FreshRow, NewChunk, NewFreshChunk, NewPiece, NewTombstone, PieceKey,
    Replaced, Replacement, TombstoneRow, Version, WindowRow, shard_window,
};
pub use error::{LostRace, Result, StoreError, Unique};
pub use resources::{
    AuthorizationFilter, AuthorizationKind, AuthorizationRecord, AuthorizationRepository,
    AwaitsScrub, BucketFilter, BucketList, BucketRepository, Counts, DbrpFilter, DbrpRepository,
    LabelFilter, LabelRepository, MembershipRepository, OrganizationRepository, Page, RawToken,
    Scrubbed, SecretRecord, SecretRepository, SessionRepository, Snapshot, Store, StoredToken,
    TokenForm, TokenForms, TokenRepository, Transaction, UserRecord, UserRepository,
};
