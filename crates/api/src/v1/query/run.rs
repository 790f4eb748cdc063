//! Executing the statements of a request, one after the other.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use influxd_influxql::ast::Statement;
use influxd_influxql::parse_query;
use tokio::sync::oneshot;

use crate::error::{ApiError, INTERNAL_MESSAGE, UNAVAILABLE_MESSAGE};
use crate::points::{
    Context, Limits, Outcome, Output, ReadError, SeriesHead, StatementError, Stopped, Value,
    VisibleMapping, execute,
};
use crate::state::AppState;
use crate::v1::query::First;
use crate::v1::query::csv::CsvLayout;
use crate::v1::query::json::JsonLayout;
use crate::v1::query::layout::{Format, Layout, StatementInfo, Unsupported};
use crate::v1::query::msgpack::MsgpackLayout;
use crate::v1::query::request::QueryRequest;
use crate::v1::query::sink::Sink;

/// What the statements behind one that failed say.
const NOT_EXECUTED: &str = "not executed";

/// A request that is ready to be executed.
pub(super) struct Job {
    pub(super) state: Arc<AppState>,
    pub(super) asked: QueryRequest,
    pub(super) format: Format,
    pub(super) gzip: bool,
    pub(super) mappings: Arc<[VisibleMapping]>,
    /// Set when the client is gone.
    pub(super) stop: Arc<AtomicBool>,
}

/// What became of one statement.
enum Ended {
    Well,
    /// It failed, for its own fault; the ones behind it are not executed.
    Badly,
    /// The whole answer failed.
    Refused(ApiError),
    /// Nobody takes the rows.
    Gone,
    /// The answer has a value in it that the format cannot express.
    Unsupported(Unsupported),
}

impl Job {
    /// Executes the statements; blocks. Sends what there is through `answer`.
    pub(super) fn run(self, answer: oneshot::Sender<First>) {
        let begun = Instant::now();
        // One document cannot be sent before all of it is known.
        let hold = self.format == Format::MessagePack && self.asked.chunk_size.is_none();
        let mut sink = Sink::new(answer, self.gzip, hold);
        let statements = match parse_query(&self.asked.text, self.asked.params.as_ref()) {
            Ok(statements) => statements,
            Err(error) => {
                let message = format!("failed to parse query: {error}");
                sink.refuse(ApiError::invalid(message));
                return;
            }
        };
        let work = AssertUnwindSafe(|| self.execute_all(&statements, &mut sink));
        let result = catch_unwind(work).unwrap_or_else(|_| {
            tracing::error!("a query panicked");
            Err(ApiError::internal("a query panicked", "see above"))
        });
        self.state
            .metrics
            .query(matches!(result, Ok(true)), begun.elapsed());
        match result {
            Ok(_) => sink.finish(),
            Err(error) => sink.refuse(error),
        }
    }

    fn layout(&self) -> Box<dyn Layout> {
        let (epoch, chunk_size) = (self.asked.epoch, self.asked.chunk_size);
        match self.format {
            Format::Json => Box::new(JsonLayout::new(epoch, chunk_size)),
            Format::Csv { .. } => Box::new(CsvLayout::new(epoch)),
            Format::MessagePack => Box::new(MsgpackLayout::new(epoch, chunk_size)),
        }
    }

    /// Whether all statements were executed well; an error if the answer is one of HTTP.
    fn execute_all(&self, statements: &[Statement], sink: &mut Sink) -> Result<bool, ApiError> {
        let mut layout = self.layout();
        let mut failed = false;
        for (id, statement) in statements.iter().enumerate() {
            layout.begin(StatementInfo {
                id,
                is_cut: is_cut(statement),
            });
            if failed {
                layout.fail(NOT_EXECUTED, sink);
                continue;
            }
            match self.execute(statement, &mut *layout, sink) {
                Ended::Well => {}
                Ended::Badly => failed = true,
                Ended::Refused(error) => return Err(error),
                Ended::Gone => return Ok(false),
                Ended::Unsupported(value) => {
                    if self.asked.chunk_size.is_none() && !sink.has_sent() {
                        // The whole answer becomes the error, under the first statement's number.
                        sink.bytes.clear();
                        layout.reset();
                        layout.begin(StatementInfo {
                            id: 0,
                            is_cut: false,
                        });
                        layout.fail(value.message(), sink);
                        layout.finish(sink);
                        return Ok(false);
                    }
                    layout.fail(value.message(), sink);
                    failed = true;
                }
            }
        }
        layout.finish(sink);
        Ok(!failed)
    }

    fn execute(&self, statement: &Statement, layout: &mut dyn Layout, sink: &mut Sink) -> Ended {
        let context = Context {
            source: &*self.state.engine,
            mappings: &self.mappings,
            database: self.asked.database.as_deref(),
            policy: self.asked.policy.as_deref(),
            now: self.state.clock.now(),
            limits: Limits {
                max_select_series: self.state.config.influxql.max_select_series,
                max_select_buckets: self.state.config.influxql.max_select_buckets,
                ..Limits::default()
            },
            stop: &self.stop,
            strict: self.state.config.influxql.strict,
        };
        let mut rows = Rows {
            layout: &mut *layout,
            sink: &mut *sink,
            stop: &self.stop,
            head: None,
            unsupported: None,
            too_large: false,
        };
        let result = execute(statement, &context, &mut rows);
        let (unsupported, too_large) = (rows.unsupported, rows.too_large);
        if let Some(value) = unsupported {
            return Ended::Unsupported(value);
        }
        if too_large {
            layout.fail(TOO_LARGE, sink);
            return Ended::Badly;
        }
        match result {
            Ok(Outcome::Rows) => layout.end(sink),
            Ok(Outcome::Silent) => layout.silence(),
            Err(StatementError::Text(text)) => {
                layout.fail(&text, sink);
                return Ended::Badly;
            }
            Err(StatementError::Stopped) => return Ended::Gone,
            Err(StatementError::Store(error) | StatementError::Read(ReadError::Store(error))) => {
                return broken(ApiError::Store(error), layout, sink);
            }
            Err(StatementError::Read(error)) => {
                return broken(
                    ApiError::internal("points could not be read", error),
                    layout,
                    sink,
                );
            }
        }
        Ended::Well
    }
}

/// An answer that must stay in memory may have so many bytes.
const MAX_HELD: usize = 256 << 20;
const TOO_LARGE: &str = "the answer is too large for one document; ask with chunked=true";

/// Whether the rows of a statement are cut into chunks: those of `SELECT`, and of the statements
/// that 2.9 turns into one.
const fn is_cut(statement: &Statement) -> bool {
    matches!(
        statement,
        Statement::Select(_)
            | Statement::ShowSeries(_)
            | Statement::ShowFieldKeys(_)
            | Statement::ShowCardinality(_)
    )
}

/// We failed in the middle of an answer: while nothing was sent it is an error of HTTP, later one
/// of the statement.
fn broken(error: ApiError, layout: &mut dyn Layout, sink: &mut Sink) -> Ended {
    if !sink.has_sent() {
        return Ended::Refused(error);
    }
    error.log();
    let unavailable = error.code() == crate::error::ErrorCode::Unavailable;
    layout.fail(
        if unavailable {
            UNAVAILABLE_MESSAGE
        } else {
            INTERNAL_MESSAGE
        },
        sink,
    );
    Ended::Badly
}

/// Takes the rows of one statement and lays them out.
struct Rows<'a> {
    layout: &'a mut dyn Layout,
    sink: &'a mut Sink,
    stop: &'a AtomicBool,
    /// The head of the series that rows belong to: one equal to it continues it.
    head: Option<SeriesHead>,
    unsupported: Option<Unsupported>,
    too_large: bool,
}

impl Output for Rows<'_> {
    fn begin_series(&mut self, head: SeriesHead) -> Result<(), Stopped> {
        if self.head.as_ref() != Some(&head) {
            self.head = Some(head.clone());
            self.layout.series(head, self.sink);
        }
        self.check()
    }

    fn row(&mut self, row: &[Value<'_>]) -> Result<(), Stopped> {
        if let Err(value) = self.layout.row(row, self.sink) {
            self.unsupported = Some(value);
            return Err(Stopped);
        }
        self.check()
    }
}

impl Rows<'_> {
    fn check(&mut self) -> Result<(), Stopped> {
        if self.sink.bytes.len() > MAX_HELD {
            self.too_large = true;
            return Err(Stopped);
        }
        if self.sink.is_gone() || self.stop.load(Ordering::Relaxed) {
            return Err(Stopped);
        }
        Ok(())
    }
}
