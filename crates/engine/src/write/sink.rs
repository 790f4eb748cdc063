//! What the parser drives: lines become rows of tables, or refusals, or wishes for agreement.

use std::collections::HashSet;

use foldhash::fast::RandomState;
use influxd_line_protocol::{FieldValue, LineError, Sink};
use influxd_store::FieldWant;

use super::bucket::BucketTables;
use super::keys::Target;
use super::refusal::{MAX_STRING, Refusals, shown_key};
use super::table::Check;
use crate::chunk::Value;

/// A body on its way into the tables of its bucket.
pub(super) struct BodySink<'a> {
    bucket: &'a mut BucketTables,
    /// Points before this are refused.
    lower_bound: i64,
    default_time: i64,
    /// Tells bodies apart, to note where each began.
    number: u64,
    target: Target,
    /// Where the body began in each table that it touched.
    began: Vec<(u32, (usize, usize))>,
    wants: Vec<FieldWant>,
    wanted: HashSet<(u32, u32, i64), RandomState>,
    refusals: Refusals,
    values: usize,
    string_bytes: usize,
}

/// What a body left behind.
pub(super) struct BodyOutcome {
    /// What was refused of it.
    pub(super) refusals: Refusals,
    /// What must be agreed before it can be read; then it must be undone and read again.
    pub(super) wants: Vec<FieldWant>,
    /// Where it began in each table, for undoing.
    pub(super) began: Vec<(u32, (usize, usize))>,
    /// Values that it added.
    pub(super) values: usize,
    /// Bytes of the strings among them.
    pub(super) string_bytes: usize,
}

impl<'a> BodySink<'a> {
    pub(super) fn new(
        bucket: &'a mut BucketTables,
        number: u64,
        lower_bound: i64,
        default_time: i64,
    ) -> Self {
        Self {
            bucket,
            lower_bound,
            default_time,
            number,
            target: Target {
                table: 0,
                series: 0,
            },
            began: Vec::new(),
            wants: Vec::new(),
            wanted: HashSet::default(),
            refusals: Refusals::default(),
            values: 0,
            string_bytes: 0,
        }
    }

    pub(super) fn finish(self) -> BodyOutcome {
        BodyOutcome {
            refusals: self.refusals,
            wants: self.wants,
            began: self.began,
            values: self.values,
            string_bytes: self.string_bytes,
        }
    }

    fn enter(&mut self, target: Target) {
        self.target = target;
        let table = &mut self.bucket.tables[target.table as usize];
        if table.touched_by != self.number {
            table.touched_by = self.number;
            self.began.push((target.table, table.mark()));
        }
        table.begin_line();
    }

    fn push(&mut self, field: u32, value: &FieldValue<'_>) {
        let table = &mut self.bucket.tables[self.target.table as usize];
        let value = match value {
            FieldValue::Float(v) => Value::Float(*v),
            FieldValue::Integer(v) => Value::Integer(*v),
            FieldValue::Unsigned(v) => Value::Unsigned(*v),
            FieldValue::Boolean(v) => Value::Boolean(*v),
            FieldValue::String(v) => {
                if v.len() > MAX_STRING {
                    table.line_too_long.get_or_insert((field, v.len()));
                    return;
                }
                self.string_bytes += v.len();
                Value::String(v)
            }
        };
        table.push(field, value);
    }

    /// Notes that a field's type must be agreed, once for each window or unknown time.
    fn want(&mut self, time: i64, known_window: Option<i64>) {
        let table = &self.bucket.tables[self.target.table as usize];
        for field in &table.line {
            // Where no window is known yet, an hour is the least that one can span.
            let place = known_window.unwrap_or_else(|| time.div_euclid(3_600_000_000_000));
            if self.wanted.insert((self.target.table, field.field, place)) {
                self.wants.push(FieldWant {
                    time,
                    measurement: table.measurement.to_vec(),
                    name: table.name(field.field).to_vec(),
                    field_type: field.field_type,
                });
            }
        }
    }
}

impl Sink for BodySink<'_> {
    fn expected_key(&self) -> &[u8] {
        self.bucket.keys.guess()
    }

    fn begin_expected(&mut self) {
        let target = self.bucket.keys.take_guess();
        self.enter(target);
    }

    fn begin(&mut self, raw_key: &[u8]) -> Result<(), LineError> {
        let target = match self.bucket.keys.find(raw_key) {
            Some(target) => target,
            None => self.bucket.learn(raw_key)?,
        };
        self.enter(target);
        Ok(())
    }

    fn expected_field(&self, position: usize) -> &[u8] {
        self.bucket.tables[self.target.table as usize].expected_field(position)
    }

    fn field_expected(&mut self, position: usize, value: FieldValue<'_>) {
        let field = self.bucket.tables[self.target.table as usize].field_at(position);
        self.push(field, &value);
    }

    fn field(&mut self, position: usize, raw_name: &[u8], value: FieldValue<'_>) {
        let table = &mut self.bucket.tables[self.target.table as usize];
        let field = table.field_named(position, raw_name);
        self.push(field, &value);
    }

    fn end(&mut self, timestamp: Option<i64>) {
        let time = timestamp.unwrap_or(self.default_time);
        let Target {
            table: table_number,
            series,
        } = self.target;
        let window = self.bucket.window(time);
        let table = &mut self.bucket.tables[table_number as usize];
        if time < self.lower_bound {
            table.drop_line();
            let table = &*table;
            self.refusals
                .expired(time, || shown_key(&table.measurement, table.tags(series)));
            return;
        }
        if let Some((field, length)) = table.line_too_long {
            table.drop_line();
            self.refusals
                .too_long(&table.measurement, table.name(field), length);
            table.make_known(series, time);
            return;
        }
        if table.line_has_time {
            if table.line.is_empty() {
                self.refusals.only_time(&table.measurement);
                table.make_known(series, time);
                return;
            }
            self.refusals.stripped_time(&table.measurement);
        }
        table.settle_line();
        let Some(window) = window else {
            self.want(time, None);
            self.bucket.tables[table_number as usize].drop_line();
            return;
        };
        match table.check(window.start) {
            Check::Fits => {
                table.end_row(series, time);
                self.values += table.line.len();
            }
            Check::Unknown => {
                self.want(time, Some(window.start));
                self.bucket.tables[table_number as usize].drop_line();
            }
            Check::Conflict { field, agreed } => {
                let name = table.name(field.field);
                self.refusals
                    .conflict(&table.measurement, name, field.field_type, agreed);
                table.drop_line();
                table.make_known(series, time);
            }
        }
    }
}
