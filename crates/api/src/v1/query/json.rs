//! Answers in JSON (data-endpoints 5.4 and 5.5).

use chrono::{DateTime, Offset, TimeZone};

use crate::json::{push_string, push_string_bytes};
use crate::points::{SeriesHead, Value};
use crate::time::{push_rfc3339, push_rfc3339_offset};
use crate::v1::query::layout::{Epoch, Layout, StatementInfo, Unsupported};
use crate::v1::query::number::{Exponents, push_float, push_integer, push_unsigned};
use crate::v1::query::sink::Sink;

/// Results as JSON: one document, or one for every `chunk_size` rows.
#[derive(Debug)]
pub(super) struct JsonLayout {
    epoch: Option<Epoch>,
    chunk_size: Option<usize>,
    statement: StatementInfo,
    /// How many results the open document has.
    results: usize,
    /// Whether the present statement's result is open.
    result: Option<OpenResult>,
    /// Where the present statement's result began, if nothing was sent since.
    begin: usize,
}

#[derive(Debug)]
struct OpenResult {
    /// The head of the open series, as JSON, to repeat it in the next chunk.
    head: Vec<u8>,
    zone: Option<chrono_tz::Tz>,
    /// Rows of the open series in this document.
    rows: usize,
}

impl JsonLayout {
    pub(super) const fn new(epoch: Option<Epoch>, chunk_size: Option<usize>) -> Self {
        Self {
            epoch,
            chunk_size,
            statement: StatementInfo {
                id: 0,
                is_cut: false,
            },
            results: 0,
            result: None,
            begin: 0,
        }
    }

    fn open_result(&mut self, out: &mut Sink) {
        self.begin = out.bytes.len();
        let open: &[u8] = if self.results == 0 {
            b"{\"results\":["
        } else {
            b","
        };
        out.bytes.extend_from_slice(open);
        self.results += 1;
        out.bytes.extend_from_slice(b"{\"statement_id\":");
        push_unsigned(self.statement.id as u64, &mut out.bytes);
    }

    /// Ends the open document of a chunked answer.
    fn close_document(&mut self, out: &mut Sink) {
        out.bytes.extend_from_slice(b"]}\n");
        self.results = 0;
        out.document_done();
    }

    fn close_rows(rows: usize, out: &mut Sink) {
        if rows > 0 {
            out.bytes.push(b']');
        }
    }

    /// Ends the open result, whose error this is.
    fn close_result(&mut self, error: Option<&str>, out: &mut Sink) {
        if let Some(result) = self.result.take() {
            Self::close_rows(result.rows, out);
            out.bytes.extend_from_slice(b"}]");
        }
        if let Some(error) = error {
            out.bytes.extend_from_slice(b",\"error\":");
            push_string(error, &mut out.bytes);
        }
        out.bytes.push(b'}');
        if self.chunk_size.is_some() {
            self.close_document(out);
        }
    }

    /// Ends a chunk and begins the next one with the same series.
    fn next_chunk(&mut self, out: &mut Sink) {
        let Some(mut result) = self.result.take() else {
            return;
        };
        out.bytes
            .extend_from_slice(b"],\"partial\":true}],\"partial\":true}");
        self.close_document(out);
        self.open_result(out);
        out.bytes.extend_from_slice(b",\"series\":[");
        out.bytes.extend_from_slice(&result.head);
        result.rows = 0;
        self.result = Some(result);
    }

    fn push_value(
        value: &Value<'_>,
        epoch: Option<Epoch>,
        zone: Option<chrono_tz::Tz>,
        out: &mut Vec<u8>,
    ) -> Result<(), Unsupported> {
        match *value {
            Value::Null => out.extend_from_slice(b"null"),
            Value::Float(number) if number.is_finite() => {
                push_float(number, Exponents::Sometimes, out);
            }
            Value::Float(number) if number.is_nan() => out.extend_from_slice(b"null"),
            Value::Float(number) if number > 0.0 => return Err(Unsupported::Infinity),
            Value::Float(_) => return Err(Unsupported::NegativeInfinity),
            Value::Integer(number) => push_integer(number, out),
            Value::Unsigned(number) => push_unsigned(number, out),
            Value::Boolean(true) => out.extend_from_slice(b"true"),
            Value::Boolean(false) => out.extend_from_slice(b"false"),
            Value::String(text) => push_string_bytes(text, out),
            Value::Time(time) => match (epoch, zone) {
                (Some(epoch), _) => push_integer(epoch.count(time), out),
                (None, None) => {
                    out.push(b'"');
                    push_rfc3339(time, out);
                    out.push(b'"');
                }
                (None, Some(zone)) => {
                    let instant = DateTime::from_timestamp_nanos(time).naive_utc();
                    let offset = zone.offset_from_utc_datetime(&instant).fix();
                    out.push(b'"');
                    push_rfc3339_offset(time, offset.local_minus_utc(), out);
                    out.push(b'"');
                }
            },
        }
        Ok(())
    }
}

/// A series up to its columns.
fn head_json(head: &SeriesHead) -> Vec<u8> {
    let mut json = Vec::with_capacity(64);
    json.push(b'{');
    if let Some(name) = &head.name
        && !name.is_empty()
    {
        json.extend_from_slice(b"\"name\":");
        push_string_bytes(name, &mut json);
        json.push(b',');
    }
    if let Some(tags) = &head.tags
        && !tags.is_empty()
    {
        json.extend_from_slice(b"\"tags\":{");
        for (at, (key, value)) in tags.iter().enumerate() {
            if at > 0 {
                json.push(b',');
            }
            push_string_bytes(key, &mut json);
            json.push(b':');
            push_string_bytes(value, &mut json);
        }
        json.extend_from_slice(b"},");
    }
    json.extend_from_slice(b"\"columns\":[");
    for (at, column) in head.columns.iter().enumerate() {
        if at > 0 {
            json.push(b',');
        }
        push_string(column, &mut json);
    }
    json.push(b']');
    json
}

impl Layout for JsonLayout {
    fn begin(&mut self, statement: StatementInfo) {
        self.statement = statement;
    }

    fn series(&mut self, head: SeriesHead, out: &mut Sink) {
        let json = head_json(&head);
        match self.result.take() {
            None => {
                self.open_result(out);
                out.bytes.extend_from_slice(b",\"series\":[");
            }
            Some(before) => {
                Self::close_rows(before.rows, out);
                out.bytes.push(b'}');
                if self.chunk_size.is_some() {
                    // More of this statement follows; only what a SELECT finds is marked so.
                    let more: &[u8] = if self.statement.is_cut {
                        b"],\"partial\":true}"
                    } else {
                        b"]}"
                    };
                    out.bytes.extend_from_slice(more);
                    self.close_document(out);
                    self.open_result(out);
                    out.bytes.extend_from_slice(b",\"series\":[");
                } else {
                    out.bytes.push(b',');
                }
            }
        }
        out.bytes.extend_from_slice(&json);
        self.result = Some(OpenResult {
            head: json,
            zone: head.zone,
            rows: 0,
        });
    }

    fn row(&mut self, row: &[Value<'_>], out: &mut Sink) -> Result<(), Unsupported> {
        let is_cut = self.statement.is_cut;
        let rows = self.result.as_ref().map_or(0, |result| result.rows);
        if is_cut && self.chunk_size.is_some_and(|size| rows >= size) {
            self.next_chunk(out);
        }
        let Some(result) = &mut self.result else {
            return Ok(());
        };
        let start = out.bytes.len();
        let open: &[u8] = if result.rows == 0 {
            b",\"values\":[["
        } else {
            b",["
        };
        out.bytes.extend_from_slice(open);
        for (at, value) in row.iter().enumerate() {
            if at > 0 {
                out.bytes.push(b',');
            }
            if let Err(error) = Self::push_value(value, self.epoch, result.zone, &mut out.bytes) {
                out.bytes.truncate(start);
                return Err(error);
            }
        }
        out.bytes.push(b']');
        result.rows += 1;
        out.row_done();
        Ok(())
    }

    fn end(&mut self, out: &mut Sink) {
        if self.result.is_none() {
            self.open_result(out);
        }
        self.close_result(None, out);
    }

    fn fail(&mut self, error: &str, out: &mut Sink) {
        if self.result.is_some() && self.chunk_size.is_some() {
            // What was found before stands in a document of its own.
            self.close_result(None, out);
        } else if self.result.is_some() && !out.has_sent() {
            // The error takes the place of the rows.
            out.bytes.truncate(self.begin);
            self.results -= 1;
            self.result = None;
        }
        if self.result.is_none() {
            self.open_result(out);
        }
        self.close_result(Some(error), out);
    }

    fn silence(&mut self) {}

    fn finish(&mut self, out: &mut Sink) {
        if self.chunk_size.is_none() {
            let end: &[u8] = if self.results == 0 { b"{}\n" } else { b"]}\n" };
            out.bytes.extend_from_slice(end);
        }
    }

    fn reset(&mut self) {
        self.results = 0;
        self.result = None;
    }
}
