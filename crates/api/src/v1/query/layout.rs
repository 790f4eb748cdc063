//! What the three formats of an answer have in common.

use crate::points::{SeriesHead, Value};
use crate::v1::query::sink::Sink;

/// The format of an answer (data-endpoints 5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Csv { application: bool },
    MessagePack,
}

impl Format {
    /// `accept` is compared as a whole: lists and parameters mean nothing.
    pub(super) fn of(accept: Option<&[u8]>) -> Self {
        match accept {
            Some(b"application/csv") => Self::Csv { application: true },
            Some(b"text/csv") => Self::Csv { application: false },
            Some(b"application/x-msgpack") => Self::MessagePack,
            _ => Self::Json,
        }
    }

    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv { application: true } => "application/csv",
            Self::Csv { application: false } => "text/csv",
            Self::MessagePack => "application/x-msgpack",
        }
    }
}

/// The unit of times that are written as numbers: so many nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Epoch(i64);

impl Epoch {
    pub(super) const NANOSECONDS: Self = Self(1);

    /// The unit with this name; what is none is nanoseconds.
    pub(super) fn of(name: &str) -> Self {
        Self(match name {
            "u" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => 1,
        })
    }

    /// An instant in this unit, cut off toward zero.
    pub(super) const fn count(self, time: i64) -> i64 {
        time / self.0
    }
}

/// A value that the format has no form for, as the error texts call it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unsupported {
    Infinity,
    NegativeInfinity,
}

impl Unsupported {
    pub(super) const fn message(self) -> &'static str {
        match self {
            Self::Infinity => "json: unsupported value: +Inf",
            Self::NegativeInfinity => "json: unsupported value: -Inf",
        }
    }
}

/// Which statement rows belong to.
#[derive(Debug, Clone, Copy)]
pub(super) struct StatementInfo {
    /// Its place in the query, from 0.
    pub(super) id: usize,
    /// Whether its rows are cut into chunks (data-endpoints 5.5).
    pub(super) is_cut: bool,
}

/// Lays the results of statements out. The calls come in this order: for each statement `begin`,
/// any number of series, each with any number of rows, then one of `end`, `fail` and `silence`;
/// at last `finish`.
pub(super) trait Layout {
    fn begin(&mut self, statement: StatementInfo);

    /// The rows that follow belong to this series, which is another than the one before.
    fn series(&mut self, head: SeriesHead, out: &mut Sink);

    fn row(&mut self, row: &[Value<'_>], out: &mut Sink) -> Result<(), Unsupported>;

    /// The statement has done all it had to.
    fn end(&mut self, out: &mut Sink);

    /// The statement failed, maybe after some rows.
    fn fail(&mut self, error: &str, out: &mut Sink);

    /// The statement has no result, not even an empty one.
    fn silence(&mut self);

    /// Nothing follows.
    fn finish(&mut self, out: &mut Sink);

    /// Nothing of what was laid out counts; the answer begins anew. Only while nothing was sent.
    fn reset(&mut self);
}
