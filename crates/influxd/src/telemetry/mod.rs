//! The log: lines on standard output in the form that log shippers for InfluxDB know.

mod line;
pub(crate) mod timestamp;

use std::hash::{BuildHasher, RandomState};
use std::io::{IsTerminal, Write};
use std::sync::Arc;

use influxd_model::Clock;
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

use crate::settings::LogLevel;
use line::Line;

/// Where the log goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    /// A server's.
    Stdout,
    /// That of a command whose standard output is its result.
    Stderr,
}

impl Stream {
    fn is_terminal(self) -> bool {
        match self {
            Self::Stdout => std::io::stdout().is_terminal(),
            Self::Stderr => std::io::stderr().is_terminal(),
        }
    }

    /// One write, so that lines of several threads do not mix. There is nowhere to report a log
    /// that cannot be written.
    fn write(self, text: &str) {
        let _ = match self {
            Self::Stdout => std::io::stdout().lock().write_all(text.as_bytes()),
            Self::Stderr => std::io::stderr().lock().write_all(text.as_bytes()),
        };
    }
}

/// Starts logging at `level`, and reports panics there.
///
/// Of a panic only the place is logged: its message may hold what somebody sent.
pub(crate) fn start(level: LogLevel, clock: Arc<dyn Clock>, stream: Stream) {
    let layer = LogLayer {
        level: filter(level),
        clock,
        log_id: log_id(),
        terminal: stream.is_terminal(),
        stream,
    };
    let subscriber = tracing_subscriber::registry().with(layer);
    if tracing::subscriber::set_global_default(subscriber).is_err() {
        // A second call in one process: the first log stays.
        return;
    }
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(
            || "unknown".to_owned(),
            |at| format!("{}:{}", at.file(), at.line()),
        );
        let thread = std::thread::current();
        tracing::error!(
            place,
            thread = thread.name().unwrap_or("unnamed"),
            "internal error: a task panicked"
        );
    }));
}

const fn filter(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Fatal(_) => LevelFilter::OFF,
    }
}

/// Eleven characters that tell this process from others in a shared log.
fn log_id() -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    // Keys of the standard hasher are random for each process; no secret hangs on this.
    let mut number = RandomState::new().hash_one(std::process::id());
    std::iter::repeat_with(|| {
        let digit = DIGITS[(number % 62) as usize];
        number /= 62;
        char::from(digit)
    })
    .take(11)
    .collect()
}

/// Writes each event as a line.
struct LogLayer {
    level: LevelFilter,
    clock: Arc<dyn Clock>,
    log_id: String,
    terminal: bool,
    stream: Stream,
}

impl LogLayer {
    /// Our own crates log at the chosen level. Others log what we did not write and cannot vouch
    /// for (database drivers show statements), so only their warnings are let through.
    fn wants(&self, metadata: &Metadata<'_>) -> bool {
        let ours = metadata.target().starts_with("influxd");
        let most = if ours {
            self.level
        } else {
            self.level.min(LevelFilter::WARN)
        };
        *metadata.level() <= most
    }
}

impl<S> Layer<S> for LogLayer
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        self.wants(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.level)
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let mut fields = Line::default();
            attributes.record(&mut fields);
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Line>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut line = Line::default();
        event.record(&mut line);
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(outer) = span.extensions().get::<Line>() {
                line.extend(outer);
            }
        }
        let time = timestamp::micros(self.clock.now());
        let level = *event.metadata().level();
        let text = if self.terminal {
            line.tabbed(&time, level, &self.log_id)
        } else {
            line.logfmt(&time, level, &self.log_id)
        };
        self.stream.write(&text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_id_has_eleven_letters_and_digits() {
        let id = log_id();
        assert_eq!(id.len(), 11);
        assert!(id.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    }
}
