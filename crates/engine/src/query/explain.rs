//! EXPLAIN.
use influxd_influxql::ast::Explain;

use super::output::Output;
use super::{Env, Result, fail};

pub(super) fn execute(_: &Explain, _: &Env<'_>, _: &mut dyn Output) -> Result<()> {
    fail("not implemented: EXPLAIN")
}
