//! Answers in CSV (data-endpoints 5.7).

use crate::points::{SeriesHead, Value};
use crate::v1::query::layout::{Epoch, Layout, StatementInfo, Unsupported};
use crate::v1::query::number::{Exponents, push_float, push_integer, push_unsigned};
use crate::v1::query::sink::Sink;

/// Results as CSV: a header line for each statement, and where its columns change.
#[derive(Debug)]
pub(super) struct CsvLayout {
    epoch: Epoch,
    /// Whether there is anything above, which an empty line sets off.
    filled: bool,
    /// The columns of the last header line of the present statement.
    columns: Option<Vec<String>>,
    /// The first two cells of the present series' lines.
    lead: Vec<u8>,
}

impl CsvLayout {
    pub(super) fn new(epoch: Option<Epoch>) -> Self {
        Self {
            epoch: epoch.unwrap_or(Epoch::NANOSECONDS),
            filled: false,
            columns: None,
            lead: Vec::new(),
        }
    }

    fn set_off(&mut self, out: &mut Sink) {
        if self.filled {
            out.bytes.push(b'\n');
        }
        self.filled = true;
    }
}

/// Appends a cell, in quotes where it needs them.
fn push_cell(cell: &[u8], out: &mut Vec<u8>) {
    let special = |b: &u8| matches!(b, b',' | b'"' | b'\r' | b'\n');
    let blank = || {
        let first = cell
            .utf8_chunks()
            .next()
            .and_then(|chunk| chunk.valid().chars().next());
        first.is_some_and(char::is_whitespace)
    };
    if cell != b"\\." && !cell.iter().any(special) && !blank() {
        out.extend_from_slice(cell);
        return;
    }
    out.push(b'"');
    for byte in cell {
        if *byte == b'"' {
            out.push(b'"');
        }
        out.push(*byte);
    }
    out.push(b'"');
}

/// The first two cells of a series' lines: its name, and its tags that have values.
fn lead(head: &SeriesHead) -> Vec<u8> {
    let mut lead = Vec::new();
    push_cell(head.name.as_deref().unwrap_or_default(), &mut lead);
    lead.push(b',');
    let mut tags = Vec::new();
    let given = head
        .tags
        .iter()
        .flatten()
        .filter(|(_, value)| !value.is_empty());
    for (key, value) in given {
        if !tags.is_empty() {
            tags.push(b',');
        }
        tags.extend_from_slice(key);
        tags.push(b'=');
        tags.extend_from_slice(value);
    }
    push_cell(&tags, &mut lead);
    lead
}

impl Layout for CsvLayout {
    fn begin(&mut self, _statement: StatementInfo) {
        self.columns = None;
    }

    fn series(&mut self, head: SeriesHead, out: &mut Sink) {
        self.lead = lead(&head);
        if self.columns.as_ref() == Some(&head.columns) {
            return;
        }
        self.set_off(out);
        out.bytes.extend_from_slice(b"name,tags");
        for column in &head.columns {
            out.bytes.push(b',');
            push_cell(column.as_bytes(), &mut out.bytes);
        }
        out.bytes.push(b'\n');
        self.columns = Some(head.columns);
    }

    fn row(&mut self, row: &[Value<'_>], out: &mut Sink) -> Result<(), Unsupported> {
        out.bytes.extend_from_slice(&self.lead);
        for value in row {
            out.bytes.push(b',');
            let cell = &mut out.bytes;
            match *value {
                Value::Null => {}
                Value::Float(number) if number.is_finite() => {
                    push_float(number, Exponents::Never, cell);
                }
                Value::Float(number) if number.is_nan() => cell.extend_from_slice(b"NaN"),
                Value::Float(number) => {
                    cell.extend_from_slice(if number > 0.0 { b"+Inf" } else { b"-Inf" });
                }
                Value::Integer(number) => push_integer(number, cell),
                Value::Unsigned(number) => push_unsigned(number, cell),
                Value::Boolean(true) => cell.extend_from_slice(b"true"),
                Value::Boolean(false) => cell.extend_from_slice(b"false"),
                Value::String(text) => push_cell(text, cell),
                Value::Time(time) => push_integer(self.epoch.count(time), cell),
            }
        }
        out.bytes.push(b'\n');
        out.row_done();
        Ok(())
    }

    fn end(&mut self, out: &mut Sink) {
        out.document_done();
    }

    fn fail(&mut self, error: &str, out: &mut Sink) {
        self.set_off(out);
        out.bytes.extend_from_slice(b"error\n");
        push_cell(error.as_bytes(), &mut out.bytes);
        out.bytes.push(b'\n');
    }

    fn silence(&mut self) {}

    fn finish(&mut self, _out: &mut Sink) {}

    fn reset(&mut self) {
        self.filled = false;
        self.columns = None;
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn cells_are_quoted_where_they_must_be() {
        for (cell, expected) in [
            ("", ""),
            ("a b", "a b"),
            (" a", "\" a\""),
            ("a,b", "\"a,b\""),
            ("a\"b", "\"a\"\"b\""),
            ("a\nb", "\"a\nb\""),
            ("\\.", "\"\\.\""),
        ] {
            let mut out = Vec::new();
            super::push_cell(cell.as_bytes(), &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
}
