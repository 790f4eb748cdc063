//! How many values a second one core parses: `cargo bench -p influxd-line-protocol`.
//!
//! The bodies have the shapes of the end-to-end load: `devops` (10 tags, 10 fields), `wide_int`
//! (20 integers), `iot_narrow` (one float), `high_card` (a new series on nearly every line). The
//! sink guesses as the engine does, looks unknown keys up in a table, and adds up what it gets.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::hint::black_box;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_main};
use influxd_line_protocol::{FieldValue, LineError, Precision, SeriesKey, Sink, parse};

/// A series that was seen: its key as written, and which one came next.
struct Series {
    raw_key: Vec<u8>,
    next: usize,
}

#[derive(Default)]
struct Guesser {
    /// Whether to say what is expected, or let the parser find out.
    mute: bool,
    series: Vec<Series>,
    by_key: HashMap<Vec<u8>, usize>,
    current: usize,
    names: Vec<Vec<u8>>,
    sum: u64,
}

impl Guesser {
    fn take(&mut self, value: &FieldValue<'_>) {
        let bits = match value {
            FieldValue::Float(value) => value.to_bits(),
            FieldValue::Integer(value) => value.cast_unsigned(),
            FieldValue::Unsigned(value) => *value,
            FieldValue::Boolean(value) => u64::from(*value),
            FieldValue::String(value) => value.len() as u64,
        };
        self.sum = self.sum.wrapping_add(bits);
    }
}

impl Sink for Guesser {
    fn expected_key(&self) -> &[u8] {
        match self.series.get(self.current) {
            Some(series) if !self.mute => &self.series[series.next].raw_key,
            _ => &[],
        }
    }

    fn begin_expected(&mut self) {
        self.current = self.series[self.current].next;
    }

    fn begin(&mut self, raw_key: &[u8]) -> Result<(), LineError> {
        let found = if let Some(&found) = self.by_key.get(raw_key) {
            found
        } else {
            SeriesKey::parse(raw_key)?;
            self.series.push(Series {
                raw_key: raw_key.to_vec(),
                next: 0,
            });
            self.by_key.insert(raw_key.to_vec(), self.series.len() - 1);
            self.series.len() - 1
        };
        self.series[self.current].next = found;
        self.current = found;
        Ok(())
    }

    fn expected_field(&self, position: usize) -> &[u8] {
        match self.names.get(position) {
            Some(name) if !self.mute => name,
            _ => &[],
        }
    }

    fn field_expected(&mut self, _position: usize, value: FieldValue<'_>) {
        self.take(&value);
    }

    fn field(&mut self, position: usize, raw_name: &[u8], value: FieldValue<'_>) {
        if self.names.len() == position {
            self.names.push(raw_name.to_vec());
        }
        self.take(&value);
    }

    fn end(&mut self, timestamp: Option<i64>) {
        self.sum = self
            .sum
            .wrapping_add(timestamp.unwrap_or_default().cast_unsigned());
    }
}

/// Numbers that look random and are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

const START: u64 = 1_767_225_600_000_000_000;

const CPU_FIELDS: [&str; 10] = [
    "usage_user",
    "usage_system",
    "usage_idle",
    "usage_nice",
    "usage_iowait",
    "usage_irq",
    "usage_softirq",
    "usage_steal",
    "usage_guest",
    "usage_guest_nice",
];

/// 100 hosts in turn; half of the fields have two decimals, the others are integers.
fn devops(lines: u64) -> String {
    let mut numbers = Numbers(1);
    let mut body = String::new();
    for line in 0..lines {
        let host = line % 100;
        let _ = write!(
            body,
            "cpu,hostname=host_{host},region=eu-central-1,datacenter=eu-central-1a,rack={},\
             os=Ubuntu16.04LTS,arch=x86,team=SF,service={},service_version=1,\
             service_environment=production",
            host * 7 % 100,
            host % 20,
        );
        for (place, name) in CPU_FIELDS.iter().enumerate() {
            body.push(if place == 0 { ' ' } else { ',' });
            let value = numbers.below(10_000);
            let _ = match place {
                0..5 => write!(body, "{name}={}.{:02}", value / 100, value % 100),
                _ => write!(body, "{name}={}i", value / 100),
            };
        }
        let _ = writeln!(body, " {}", START + line / 100 * 10_000_000_000);
    }
    body
}

fn wide_int(lines: u64) -> String {
    let mut numbers = Numbers(2);
    let mut body = String::new();
    for line in 0..lines {
        let _ = write!(body, "counters,host=h{} ", line % 100);
        for place in 0..20 {
            let comma = if place == 0 { "" } else { "," };
            let _ = write!(
                body,
                "{comma}c{place}={}i",
                numbers.below(1_000_000_000_000)
            );
        }
        let _ = writeln!(body, " {}", START + line / 100 * 1_000_000_000);
    }
    body
}

fn iot_narrow(lines: u64) -> String {
    let mut numbers = Numbers(3);
    let mut body = String::new();
    for line in 0..lines {
        let time = START + line / 1000 * 1_000_000_000 + numbers.below(1000) * 1_000_000;
        let value = numbers.below(40_000);
        let (sensor, whole, thousandths) = (line % 1000, value / 1000, value % 1000);
        let _ = writeln!(
            body,
            "sensor,id=s{sensor:05} value={whole}.{thousandths:03} {time}"
        );
    }
    body
}

fn high_card(lines: u64) -> String {
    let mut numbers = Numbers(4);
    let mut body = String::new();
    for line in 0..lines {
        let value = numbers.below(100_000);
        let (whole, hundredths) = (value / 100, value % 100);
        let _ = writeln!(
            body,
            "requests,session=s{line:08},path=/p{} duration={whole}.{hundredths:02} {START}",
            line % 50,
        );
    }
    body
}

/// Doubles with 16 or 17 digits, exponents, strings and booleans.
fn mixed(lines: u64) -> String {
    let mut numbers = Numbers(5);
    let mut body = String::new();
    for line in 0..lines {
        let fraction = numbers.below(1 << 30) as f64 / 7.0;
        let _ = writeln!(
            body,
            "mixed,host=h{} a={fraction},b={fraction:e},c=\"a text of some words\",\
             d=\"with \\\"escapes\\\"\",e=true,f=F,g={}u {}",
            line % 100,
            numbers.below(1000),
            START + line,
        );
    }
    body
}

fn run(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, body: &str, fields: u64, mute: bool) {
    let lines = body.lines().count() as u64;
    let mut sink = Guesser {
        mute,
        ..Guesser::default()
    };
    // Twice: the first learns the keys, the second what follows the last of them.
    for _ in 0..2 {
        parse(body.as_bytes(), Precision::Nanosecond, &mut sink).expect("the body is in order");
    }
    group.throughput(Throughput::Elements(lines * fields));
    group.bench_function(name, |bencher| {
        bencher.iter(|| {
            let points = parse(black_box(body.as_bytes()), Precision::Nanosecond, &mut sink);
            black_box((points.is_ok(), sink.sum))
        });
    });
}

fn values(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("values");
    run(&mut group, "devops 5000", &devops(5000), 10, false);
    run(&mut group, "devops 100", &devops(100), 10, false);
    run(&mut group, "devops 5000, no guess", &devops(5000), 10, true);
    run(&mut group, "wide_int 5000", &wide_int(5000), 20, false);
    run(&mut group, "iot_narrow 5000", &iot_narrow(5000), 1, false);
    run(&mut group, "high_card 5000", &high_card(5000), 1, false);
    run(&mut group, "mixed 5000", &mixed(5000), 7, false);
    group.finish();
}

/// The macro makes a public function without documentation; here nobody outside sees it.
mod generated {
    criterion::criterion_group!(benches, super::values);
}

criterion_main!(generated::benches);
