//! Statements over a handful of points, and what comes out: worked examples as tables.
//!
//! Times are seconds after 2020-01-01T00:00:00Z (`+5`), or `E` for 1970.

mod aggregates;
mod errors;
mod metadata;
mod raw;
mod scenarios;
mod subqueries;
mod transformations;

use std::fmt::Write;
use std::sync::atomic::AtomicBool;

use influxd_influxql::parse_query;
use influxd_line_protocol::SeriesKey;
use influxd_model::BucketId;
use influxd_model::dbrp::Mapping;

use super::model::{Datum, Model};
use super::{
    Context, Limits, Outcome, Output, SeriesHead, StatementError, Stopped, Value, VisibleMapping,
    execute,
};

/// 2020-01-01T00:00:00Z, a Wednesday.
const T: i64 = 1_577_836_800_000_000_000;
const SECOND: i64 = 1_000_000_000;

/// Eighty seconds from [`T`] on.
const W: &str = "time >= '2020-01-01T00:00:00Z' AND time < '2020-01-01T00:01:20Z'";

/// A database `ex` with one retention policy, and what a statement is executed with.
struct Fixture {
    model: Model,
    mappings: Vec<VisibleMapping>,
    limits: Limits,
}

impl Fixture {
    /// Without points.
    fn empty() -> Self {
        Self {
            model: Model::default(),
            mappings: vec![mapping(1, "ex", "autogen", true)],
            limits: Limits::default(),
        }
    }

    /// With the points of the contract's examples.
    fn new() -> Self {
        use Datum::{Boolean, Float, Integer, String};
        let fixture = Self::empty();
        let text = |text: &str| String(text.as_bytes().to_vec());
        let a = &[("host", "a"), ("dc", "x")];
        let b = &[("host", "b"), ("dc", "x")];
        let rows: [(&[(&str, &str)], i64, Vec<(&str, Datum)>); 6] = [
            (
                a,
                0,
                vec![
                    ("u", Float(1.0)),
                    ("i", Integer(10)),
                    ("s", text("one")),
                    ("b", Boolean(true)),
                ],
            ),
            (
                a,
                10,
                vec![
                    ("u", Float(2.0)),
                    ("i", Integer(20)),
                    ("s", text("two")),
                    ("b", Boolean(false)),
                ],
            ),
            (a, 25, vec![("u", Float(4.0)), ("i", Integer(5))]),
            (
                b,
                5,
                vec![
                    ("u", Float(3.0)),
                    ("i", Integer(7)),
                    ("s", text("three")),
                    ("b", Boolean(true)),
                ],
            ),
            (b, 20, vec![("u", Float(8.0))]),
            (b, 65, vec![("u", Float(6.0)), ("i", Integer(9))]),
        ];
        for (tags, after, fields) in rows {
            fixture.write(1, "cpu", tags, T + after * SECOND, fields);
        }
        fixture.write(1, "mem", &[], T, vec![("f", Float(100.0))]);
        fixture.write(1, "mem", &[], T + 60 * SECOND, vec![("f", Float(50.0))]);
        fixture.write(
            1,
            "disk",
            &[("host", "c")],
            T + 30 * SECOND,
            vec![("free", Integer(7))],
        );
        fixture
    }

    fn write(
        &self,
        bucket: u64,
        measurement: &str,
        tags: &[(&str, &str)],
        time: i64,
        fields: Vec<(&str, Datum)>,
    ) {
        let tags = tags
            .iter()
            .map(|(key, value)| (key.as_bytes().to_vec(), value.as_bytes().to_vec()));
        let key = SeriesKey::new(measurement.as_bytes().to_vec(), tags.collect()).unwrap();
        let fields = fields
            .into_iter()
            .map(|(name, value)| (name.as_bytes().to_vec(), value));
        let bucket = BucketId::new(bucket).unwrap();
        let kept = self.model.write(
            bucket,
            key.measurement(),
            &key.to_tags_bytes(),
            time,
            fields.collect(),
        );
        assert!(kept, "a field has another type");
    }

    fn run(&self, query: &str, out: &mut dyn Output) -> Result<Outcome, StatementError> {
        let statements = parse_query(query, None).unwrap_or_else(|e| panic!("{query}: {e}"));
        let stop = AtomicBool::new(false);
        let context = Context {
            source: &self.model,
            mappings: &self.mappings,
            database: Some("ex"),
            policy: None,
            now: T + 100 * SECOND,
            limits: self.limits,
            stop: &stop,
            strict: false,
        };
        execute(&statements[0], &context, out)
    }

    /// The answer in short form: `cpu{host=a} (time,u) [+0 1] [+10 2]`, a line for each series.
    fn answer(&self, query: &str) -> String {
        let mut text = Text::default();
        match self.run(query, &mut text) {
            Ok(Outcome::Rows) => text.0,
            Ok(Outcome::Silent) => "(silent)".to_owned(),
            Err(error) => format!("error: {error}"),
        }
    }

    fn check(&self, query: &str, expected: &[&str]) {
        assert_eq!(self.answer(query), expected.join("\n"), "{query}");
    }
}

fn mapping(bucket: u64, database: &str, policy: &str, is_default: bool) -> VisibleMapping {
    let mapping = Mapping {
        id: None,
        database: database.to_owned(),
        policy: policy.to_owned(),
        bucket: BucketId::new(bucket).unwrap(),
        is_default,
    };
    VisibleMapping {
        mapping,
        may_write: true,
    }
}

/// Checks queries against the contract's points; `$W` stands for [`W`]. A query without answer
/// has no series.
fn check(table: &[(&str, &[&str])]) {
    let fixture = Fixture::new();
    for (query, expected) in table {
        fixture.check(&query.replace("$W", W), expected);
    }
}

/// Prints an answer in short form.
#[derive(Default)]
struct Text(String);

impl Output for Text {
    fn begin_series(&mut self, head: SeriesHead) -> Result<(), Stopped> {
        if !self.0.is_empty() {
            self.0.push('\n');
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if let Some(name) = &head.name {
            self.0.push_str(&text(name));
        }
        if let Some(tags) = &head.tags {
            let tags: Vec<String> = tags
                .iter()
                .map(|(key, value)| format!("{}={}", text(key), text(value)))
                .collect();
            write!(self.0, "{{{}}}", tags.join(",")).unwrap();
        }
        if !self.0.is_empty() && !self.0.ends_with('\n') {
            self.0.push(' ');
        }
        write!(self.0, "({})", head.columns.join(",")).unwrap();
        Ok(())
    }

    fn row(&mut self, row: &[Value<'_>]) -> Result<(), Stopped> {
        let cells: Vec<String> = row.iter().map(cell).collect();
        write!(self.0, " [{}]", cells.join(" ")).unwrap();
        Ok(())
    }
}

fn cell(value: &Value<'_>) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Float(v) => v.to_string(),
        Value::Integer(v) => v.to_string(),
        Value::Unsigned(v) => v.to_string(),
        Value::Boolean(v) => v.to_string(),
        Value::String(v) => format!("\"{}\"", String::from_utf8_lossy(v)),
        Value::Time(0) => "E".to_owned(),
        Value::Time(time) => {
            let after = time - T;
            let (seconds, rest) = (after.div_euclid(SECOND), after.rem_euclid(SECOND));
            match rest {
                0 => format!("{seconds:+}"),
                rest => format!("{seconds:+}.{rest:09}"),
            }
        }
    }
}
