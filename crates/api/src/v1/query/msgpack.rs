//! Answers in `MessagePack` (data-endpoints 5.8).
//!
//! Maps and lists say first how long they are. Where that is not known yet a place is kept for it,
//! and filled in later; so a document cannot stream before it is complete.

use crate::points::{SeriesHead, Value};
use crate::v1::query::layout::{Epoch, Layout, StatementInfo, Unsupported};
use crate::v1::query::sink::Sink;

/// Results as `MessagePack`: one document, or one for every `chunk_size` rows.
#[derive(Debug)]
pub(super) struct MsgpackLayout {
    epoch: Option<Epoch>,
    chunk_size: Option<usize>,
    statement: StatementInfo,
    /// The list of results of the open document.
    results: Option<List>,
    result: Option<OpenResult>,
}

#[derive(Debug)]
struct OpenResult {
    /// Where it begins: the byte that says how many entries it has.
    begin: usize,
    series: List,
    open: Option<OpenSeries>,
}

#[derive(Debug)]
struct OpenSeries {
    /// Where it begins: the byte that says how many entries it has.
    begin: usize,
    /// How many entries it has without `partial`.
    entries: u8,
    values: List,
    head: SeriesHead,
}

/// A list whose length is filled in when it is known.
#[derive(Debug, Clone, Copy)]
struct List {
    at: usize,
    length: u32,
}

impl List {
    fn begin(out: &mut Vec<u8>) -> Self {
        let at = out.len();
        out.extend_from_slice(&[0xdd, 0, 0, 0, 0]);
        Self { at, length: 0 }
    }

    fn end(self, out: &mut [u8]) {
        out[self.at + 1..self.at + 5].copy_from_slice(&self.length.to_be_bytes());
    }
}

impl MsgpackLayout {
    pub(super) const fn new(epoch: Option<Epoch>, chunk_size: Option<usize>) -> Self {
        Self {
            epoch,
            chunk_size,
            statement: StatementInfo {
                id: 0,
                is_cut: false,
            },
            results: None,
            result: None,
        }
    }

    fn open_document(&mut self, out: &mut Sink) {
        if self.results.is_none() {
            out.bytes.push(0x81);
            push_string(b"results", &mut out.bytes);
            self.results = Some(List::begin(&mut out.bytes));
        }
        if let Some(results) = &mut self.results {
            results.length += 1;
        }
    }

    fn close_document(&mut self, out: &mut Sink) {
        if let Some(results) = self.results.take() {
            results.end(&mut out.bytes);
        }
        if self.chunk_size.is_some() {
            out.document_done();
        }
    }

    fn open_result(&mut self, out: &mut Sink) {
        self.open_document(out);
        let begin = out.bytes.len();
        out.bytes.push(0x82);
        push_string(b"statement_id", &mut out.bytes);
        push_unsigned(self.statement.id as u64, &mut out.bytes);
        push_string(b"series", &mut out.bytes);
        let series = List::begin(&mut out.bytes);
        self.result = Some(OpenResult {
            begin,
            series,
            open: None,
        });
    }

    fn open_series(&mut self, head: SeriesHead, out: &mut Sink) {
        let Some(result) = &mut self.result else {
            return;
        };
        result.series.length += 1;
        let begin = out.bytes.len();
        out.bytes.push(0);
        let bytes = &mut out.bytes;
        let mut entries = 2;
        if let Some(name) = head.name.as_deref().filter(|name| !name.is_empty()) {
            entries += 1;
            push_string(b"name", bytes);
            push_string(name, bytes);
        }
        if let Some(tags) = head.tags.as_deref().filter(|tags| !tags.is_empty()) {
            entries += 1;
            push_string(b"tags", bytes);
            bytes.push(0xdf);
            bytes.extend_from_slice(&(tags.len() as u32).to_be_bytes());
            for (key, value) in tags {
                push_string(key, bytes);
                push_string(value, bytes);
            }
        }
        push_string(b"columns", bytes);
        push_list(head.columns.len(), bytes);
        for column in &head.columns {
            push_string(column.as_bytes(), bytes);
        }
        push_string(b"values", bytes);
        let values = List::begin(bytes);
        result.open = Some(OpenSeries {
            begin,
            entries,
            values,
            head,
        });
    }

    /// Ends the open series; the head to go on with in the next document.
    fn close_series(&mut self, partial: bool, out: &mut Sink) -> Option<SeriesHead> {
        let series = self.result.as_mut()?.open.take()?;
        series.values.end(&mut out.bytes);
        out.bytes[series.begin] = 0x80 | (series.entries + u8::from(partial));
        if partial {
            push_partial(out);
        }
        Some(series.head)
    }

    fn close_result(&mut self, partial: bool, out: &mut Sink) {
        if let Some(result) = self.result.take() {
            result.series.end(&mut out.bytes);
            if partial {
                out.bytes[result.begin] = 0x83;
                push_partial(out);
            }
        }
        if self.chunk_size.is_some() {
            self.close_document(out);
        }
    }
}

fn push_partial(out: &mut Sink) {
    push_string(b"partial", &mut out.bytes);
    out.bytes.push(0xc3);
}

fn push_string(text: &[u8], out: &mut Vec<u8>) {
    match std::str::from_utf8(text) {
        Ok(_) => push_raw(text, out),
        Err(_) => push_raw(crate::text::lossy(text).as_bytes(), out),
    }
}

fn push_raw(text: &[u8], out: &mut Vec<u8>) {
    match text.len() {
        length @ 0..=31 => out.push(0xa0 | length as u8),
        length @ 32..=0xff => out.extend_from_slice(&[0xd9, length as u8]),
        length @ 0x100..=0xffff => {
            out.push(0xda);
            out.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            out.push(0xdb);
            out.extend_from_slice(&(length as u32).to_be_bytes());
        }
    }
    out.extend_from_slice(text);
}

fn push_list(length: usize, out: &mut Vec<u8>) {
    match length {
        0..=15 => out.push(0x90 | length as u8),
        16..=0xffff => {
            out.push(0xdc);
            out.extend_from_slice(&(length as u16).to_be_bytes());
        }
        _ => {
            out.push(0xdd);
            out.extend_from_slice(&(length as u32).to_be_bytes());
        }
    }
}

fn push_unsigned(number: u64, out: &mut Vec<u8>) {
    if let Ok(small) = u8::try_from(number) {
        if small >= 0x80 {
            out.push(0xcc);
        }
        out.push(small);
    } else if let Ok(number) = u16::try_from(number) {
        out.push(0xcd);
        out.extend_from_slice(&number.to_be_bytes());
    } else if let Ok(number) = u32::try_from(number) {
        out.push(0xce);
        out.extend_from_slice(&number.to_be_bytes());
    } else {
        out.push(0xcf);
        out.extend_from_slice(&number.to_be_bytes());
    }
}

fn push_integer(number: i64, out: &mut Vec<u8>) {
    if let Ok(small) = i8::try_from(number) {
        if small < -32 {
            out.push(0xd0);
        }
        out.push(small as u8);
    } else if let Ok(number) = i16::try_from(number) {
        out.push(0xd1);
        out.extend_from_slice(&number.to_be_bytes());
    } else if let Ok(number) = i32::try_from(number) {
        out.push(0xd2);
        out.extend_from_slice(&number.to_be_bytes());
    } else {
        out.push(0xd3);
        out.extend_from_slice(&number.to_be_bytes());
    }
}

/// An instant: extension type 5, seconds and nanoseconds.
fn push_time(time: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(&[0xc7, 12, 5]);
    out.extend_from_slice(&time.div_euclid(1_000_000_000).to_be_bytes());
    out.extend_from_slice(&(time.rem_euclid(1_000_000_000) as u32).to_be_bytes());
}

impl Layout for MsgpackLayout {
    fn begin(&mut self, statement: StatementInfo) {
        self.statement = statement;
    }

    fn series(&mut self, head: SeriesHead, out: &mut Sink) {
        if self.result.is_none() {
            self.open_result(out);
        } else {
            self.close_series(false, out);
            if self.chunk_size.is_some() {
                self.close_result(self.statement.is_cut, out);
                self.open_result(out);
            }
        }
        self.open_series(head, out);
    }

    fn row(&mut self, row: &[Value<'_>], out: &mut Sink) -> Result<(), Unsupported> {
        let open = |layout: &Self| {
            let series = layout
                .result
                .as_ref()
                .and_then(|result| result.open.as_ref());
            series.map_or(0, |series| series.values.length as usize)
        };
        if self.statement.is_cut
            && self.chunk_size.is_some_and(|size| open(self) >= size)
            && let Some(head) = self.close_series(true, out)
        {
            self.close_result(true, out);
            self.open_result(out);
            self.open_series(head, out);
        }
        let Some(series) = self.result.as_mut().and_then(|result| result.open.as_mut()) else {
            return Ok(());
        };
        series.values.length += 1;
        let bytes = &mut out.bytes;
        push_list(row.len(), bytes);
        for value in row {
            match *value {
                Value::Null => bytes.push(0xc0),
                Value::Float(number) => {
                    bytes.push(0xcb);
                    bytes.extend_from_slice(&number.to_be_bytes());
                }
                Value::Integer(number) => push_integer(number, bytes),
                Value::Unsigned(number) => push_unsigned(number, bytes),
                Value::Boolean(value) => bytes.push(if value { 0xc3 } else { 0xc2 }),
                Value::String(text) => push_string(text, bytes),
                Value::Time(time) => match self.epoch {
                    Some(epoch) => push_integer(epoch.count(time), bytes),
                    None => push_time(time, bytes),
                },
            }
        }
        Ok(())
    }

    fn end(&mut self, out: &mut Sink) {
        if self.result.is_none() {
            self.open_result(out);
        }
        self.close_series(false, out);
        self.close_result(false, out);
    }

    fn fail(&mut self, error: &str, out: &mut Sink) {
        if let Some(result) = self.result.take() {
            if self.chunk_size.is_some() {
                // What was found before stands in a document of its own.
                self.result = Some(result);
                self.close_series(false, out);
                self.close_result(false, out);
            } else {
                // The error takes the place of the rows.
                out.bytes.truncate(result.begin);
                if let Some(results) = &mut self.results {
                    results.length -= 1;
                }
            }
        }
        self.open_document(out);
        out.bytes.push(0x81);
        push_string(b"error", &mut out.bytes);
        push_string(error.as_bytes(), &mut out.bytes);
        if self.chunk_size.is_some() {
            self.close_document(out);
        }
    }

    fn silence(&mut self) {}

    fn finish(&mut self, out: &mut Sink) {
        if self.chunk_size.is_none() {
            if self.results.is_none() {
                self.open_document(out);
                if let Some(results) = &mut self.results {
                    results.length = 0;
                }
            }
            self.close_document(out);
        }
    }

    fn reset(&mut self) {
        self.results = None;
        self.result = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_take_the_smallest_form() {
        let bytes = |number: i64| {
            let mut out = Vec::new();
            push_integer(number, &mut out);
            out
        };
        assert_eq!(bytes(7), [7]);
        assert_eq!(bytes(-1), [0xff]);
        assert_eq!(bytes(-33), [0xd0, 0xdf]);
        assert_eq!(bytes(200), [0xd1, 0, 200]);
        assert_eq!(bytes(1_577_836_825), [0xd2, 0x5e, 0x0b, 0xe1, 0x19]);
        assert_eq!(bytes(i64::MIN)[0], 0xd3);
    }

    #[test]
    fn an_instant_is_an_extension_of_type_five() {
        let mut out = Vec::new();
        push_time(-1, &mut out);
        assert_eq!(out[..3], [0xc7, 12, 5]);
        assert_eq!(out[3..11], (-1_i64).to_be_bytes());
        assert_eq!(out[11..], 999_999_999_u32.to_be_bytes());
    }
}
