//! Executing InfluxQL.
//!
//! A `SELECT` goes through these steps, each in a file of its own:
//!
//! 1. `plan` resolves the sources to measurements of bucket snapshots (or to plans of subqueries),
//!    expands wildcards (`expand`), names columns (`names`), types expressions (`types`), and turns
//!    every call into a tree of nodes whose leaves are reductions (`call`).
//! 2. `filter` splits the condition into sets of series, found through the index, and tests of
//!    rows; `group` sorts the series that are left into the groups of the result.
//! 3. `scan` reads slices of time, block by block: a block is one series with its columns.
//! 4. `aggregate` folds blocks into one state for each group, reduction and bucket (`reduce`);
//!    `raw` merges blocks into rows instead.
//! 5. `stream` pulls the points of a group out of its states, through `fill` and the
//!    transformations (`transform`), and lines the columns up into rows.
//!
//! A subquery's rows become blocks of step 3 for the query around it (`input`).
//!
//! Everything else is metadata: `show`, `cardinality`, `delete`, `explain`.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "expressions have many kinds of which few mean something in a place; checks have refused the rest"
)]

mod aggregate;
mod call;
mod cardinality;
mod delete;
mod eval;
mod expand;
mod explain;
mod fill;
mod filter;
mod group;
mod input;
mod mapping;
mod math;
mod meta;
#[cfg(any(test, feature = "model"))]
pub mod model;
mod names;
mod output;
mod plan;
mod points;
mod raw;
mod reduce;
mod resolve;
mod scalar;
mod scan;
mod select;
mod show;
mod sink;
mod stream;
mod transform;
mod types;
mod window;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use influxd_influxql::ast::Statement;
use influxd_model::BucketId;
use influxd_model::dbrp::Mapping;
use influxd_store::StoreError;

pub use output::{Output, SeriesHead, Stopped, Value};

use crate::source::{ReadError, Snapshot, Source};

/// What a statement is executed with.
pub struct Context<'a> {
    /// The points.
    pub source: &'a dyn Source,
    /// The mappings whose buckets the caller may read: physical ones first, then virtual ones by
    /// the buckets' names.
    pub mappings: &'a [VisibleMapping],
    /// The `db` parameter of the request.
    pub database: Option<&'a str>,
    /// The `rp` parameter of the request.
    pub policy: Option<&'a str>,
    /// What `now()` means, in nanoseconds.
    pub now: i64,
    /// What one statement may cost.
    pub limits: Limits,
    /// Set when the client is gone: the statement ends soon with [`StatementError::Stopped`].
    pub stop: &'a AtomicBool,
    /// Whether statements that InfluxDB 2.9 refuses are refused, too (`--influxql-2x-strict`).
    pub strict: bool,
}

/// A mapping whose bucket the caller may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisibleMapping {
    /// The mapping.
    pub mapping: Mapping,
    /// Whether the caller may write to the bucket, too.
    pub may_write: bool,
}

/// What one statement may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many series a `SELECT` may read (`max-select-series`); 0: any number.
    pub max_select_series: u64,
    /// How many buckets of `GROUP BY time()` may lie between the bounds of a `SELECT`
    /// (`max-select-buckets`); 0: any number.
    pub max_select_buckets: u64,
    /// How many points, buckets and cells of rows a statement may hold in memory at once, at some
    /// tens of bytes each. What streams through does not count.
    pub max_held: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_select_series: 0,
            max_select_buckets: 0,
            max_held: 30_000_000,
        }
    }
}

/// How a statement ended well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Its rows, perhaps none, went to the output; it has a result in the answer.
    Rows,
    /// It has no result at all in the answer (data-endpoints 5.9).
    Silent,
}

/// Why a statement failed.
#[derive(Debug, thiserror::Error)]
pub enum StatementError {
    /// The statement's own fault; the text is the `error` of its result.
    #[error("{0}")]
    Text(String),
    /// Points could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A change could not be made.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nobody takes the rows any more.
    #[error("the client is gone")]
    Stopped,
}

impl From<Stopped> for StatementError {
    fn from(_: Stopped) -> Self {
        Self::Stopped
    }
}

/// What `Result` means inside this module.
type Result<T, E = StatementError> = std::result::Result<T, E>;

/// A failure with this text.
fn fail<T>(text: impl Into<String>) -> Result<T> {
    Err(StatementError::Text(text.into()))
}

/// Executes a statement: blocks until its rows went to `out`. When it fails some of them may have
/// gone there already.
pub fn execute(
    statement: &Statement,
    context: &Context<'_>,
    out: &mut dyn Output,
) -> Result<Outcome, StatementError> {
    let env = Env::new(context);
    match statement {
        Statement::Select(select) => select::execute(select, &env, out)?,
        Statement::Explain(explain) => explain::execute(explain, &env, out)?,
        Statement::Delete(delete) => return delete::delete(delete, &env),
        Statement::DropMeasurement { name } => return delete::drop_measurement(name, &env),
        Statement::ShowDatabases => show::databases(&env, out)?,
        Statement::ShowRetentionPolicies { database } => {
            show::retention_policies(database.as_deref(), &env, out)?;
        }
        Statement::ShowMeasurements(show) => show::measurements(show, &env, out)?,
        Statement::ShowSeries(show) => show::series(show, &env, out)?,
        Statement::ShowTagKeys(show) => show::tag_keys(show, &env, out)?,
        Statement::ShowTagValues(show) => show::tag_values(show, &env, out)?,
        Statement::ShowFieldKeys(show) => show::field_keys(show, &env, out)?,
        Statement::ShowCardinality(show) => cardinality::execute(show, &env, out)?,
        _ => return fail(format!("not implemented: {}", statement.operation())),
    }
    Ok(Outcome::Rows)
}

/// A context, and what the execution of one statement has used so far.
struct Env<'a> {
    context: &'a Context<'a>,
    snapshots: RefCell<HashMap<BucketId, Arc<dyn Snapshot>>>,
    held: Cell<usize>,
    random: Cell<u64>,
}

impl<'a> Env<'a> {
    fn new(context: &'a Context<'a>) -> Self {
        Self {
            context,
            snapshots: RefCell::default(),
            held: Cell::new(0),
            random: Cell::new(context.now as u64),
        }
    }

    /// The bucket as this statement sees it throughout.
    fn snapshot(&self, bucket: BucketId) -> Result<Arc<dyn Snapshot>> {
        if let Some(snapshot) = self.snapshots.borrow().get(&bucket) {
            return Ok(Arc::clone(snapshot));
        }
        let snapshot = self.context.source.snapshot(bucket)?;
        self.snapshots
            .borrow_mut()
            .insert(bucket, Arc::clone(&snapshot));
        Ok(snapshot)
    }

    /// Fails once nobody takes the rows any more. Call it now and then.
    fn check(&self) -> Result<()> {
        if self.context.stop.load(Ordering::Relaxed) {
            return Err(StatementError::Stopped);
        }
        Ok(())
    }

    /// Accounts for points, buckets or rows that are kept.
    fn hold(&self, count: usize) -> Result<()> {
        let held = self.held.get().saturating_add(count);
        self.held.set(held);
        if held > self.context.limits.max_held {
            return fail(format!(
                "the query needs more memory than one may take: more than {} points, buckets or cells at once",
                self.context.limits.max_held
            ));
        }
        Ok(())
    }

    /// Accounts for what is no longer kept.
    fn release(&self, count: usize) {
        self.held.set(self.held.get().saturating_sub(count));
    }

    /// A number that differs from call to call; good enough to draw samples.
    fn random(&self) -> u64 {
        let state = self.random.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.random.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests;
