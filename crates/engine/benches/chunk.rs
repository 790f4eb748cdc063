//! How fast columns become bytes and back, and how many bytes.
//!
//! `cargo bench -p influxd-engine --bench chunk`. Times are CPU times of the thread, so that other
//! work on the machine does not count; rates are values per second. Bytes per value are printed
//! before. The data are walks like those of the storage study's `devops`.

use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{BatchSize, Criterion, Throughput};
use influxd_engine::chunk::{
    ChunkWriter, Column, ColumnReader, FreshChunk, FreshWriter, Head, NamedColumn, PagePlan, Piece,
    Sizes, Values,
};

/// The time that this thread spent on a processor.
struct CpuTime;

impl Measurement for CpuTime {
    type Intermediate = Duration;
    type Value = Duration;

    fn start(&self) -> Duration {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        Duration::try_from(now).expect("CPU time is not negative")
    }

    fn end(&self, begin: Duration) -> Duration {
        self.start().saturating_sub(begin)
    }

    fn add(&self, a: &Duration, b: &Duration) -> Duration {
        *a + *b
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, value: &Duration) -> f64 {
        WallTime.to_f64(value)
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        WallTime.formatter()
    }
}

const INTERVAL: i64 = 10_000_000_000;

/// Numbers that look random, the same ones in every run (splitmix64).
struct Dice(u64);

impl Dice {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// Between 0 and 1.
    fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Normally distributed, standard deviation 1, nearly.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }
}

/// A walk between 0 and 100 for each series.
fn walks(series: usize, rows: usize, seed: u64) -> Vec<f64> {
    let mut dice = Dice(seed);
    let mut values = Vec::with_capacity(series * rows);
    for _ in 0..series {
        let mut at = dice.unit() * 100.0;
        values.extend((0..rows).map(|_| {
            at = (at + dice.normal()).clamp(0.0, 100.0);
            at
        }));
    }
    values
}

fn decimals(series: usize, rows: usize, seed: u64) -> Column {
    let walks = walks(series, rows, seed);
    Values::Float(
        walks
            .iter()
            .map(|value| (value * 100.0).round() / 100.0)
            .collect(),
    )
    .into()
}

fn integers(series: usize, rows: usize, seed: u64) -> Column {
    Values::Integer(
        walks(series, rows, seed)
            .iter()
            .map(|value| *value as i64)
            .collect(),
    )
    .into()
}

/// Full precision: not decimal.
fn fractions(series: usize, rows: usize, seed: u64) -> Column {
    Values::Float(walks(series, rows, seed)).into()
}

fn keys(series: usize) -> Vec<Vec<u8>> {
    (0..series)
        .map(|number| {
            format!(
                "arch=x64,datacenter=eu-west-1b,hostname=host_{number:06},os=Ubuntu15.10,rack=17"
            )
            .into_bytes()
        })
        .collect()
}

fn times(series: usize, rows: usize) -> Vec<i64> {
    let of_series: Vec<i64> = (0..rows as i64)
        .map(|row| 1_700_000_000_000_000_000 + row * INTERVAL)
        .collect();
    of_series.repeat(series)
}

fn fresh_chunk(series: usize, rows: usize, columns: Vec<Column>) -> FreshChunk {
    let named = |(number, column)| NamedColumn {
        name: format!("usage_{number}").into(),
        column,
    };
    FreshChunk {
        series: keys(series).into_iter().map(|key| (key, rows)).collect(),
        times: times(series, rows),
        columns: columns.into_iter().enumerate().map(named).collect(),
    }
}

fn fresh(criterion: &mut Criterion<CpuTime>) {
    let (series, rows) = (100, 100);
    let mut group = criterion.benchmark_group("fresh");
    let column = |name: &str, column: Column| (name.to_owned(), vec![column]);
    let ten: Vec<Column> = (0..5)
        .flat_map(|seed| {
            [
                decimals(series, rows, seed),
                integers(series, rows, seed + 5),
            ]
        })
        .collect();
    let cases = [
        column("decimals", decimals(series, rows, 1)),
        column("integers", integers(series, rows, 2)),
        column("fractions", fractions(series, rows, 3)),
        ("all of ten columns".to_owned(), ten),
    ];
    for (name, columns) in cases {
        let values = series * rows * columns.len();
        let is_column = columns.len() == 1;
        let chunk = fresh_chunk(series, rows, columns);
        let empty = FreshChunk {
            columns: vec![],
            ..chunk.clone()
        }
        .encode()
        .len();
        let blob = chunk.encode();
        let bytes = if is_column {
            blob.len() - empty
        } else {
            blob.len()
        };
        eprintln!("fresh, {name}: {:.3} B/value", bytes as f64 / values as f64);
        group.throughput(Throughput::Elements(values as u64));
        if is_column {
            // Without keys and times.
            let column = &chunk.columns[0].column;
            let writer = || FreshWriter::new([(&b""[..], series * rows)], &chunk.times);
            group.bench_function(format!("encode {name}"), |bencher| {
                bencher.iter_batched_ref(
                    writer,
                    |writer| writer.column(b"value", black_box(column)),
                    BatchSize::LargeInput,
                );
            });
        } else {
            group.bench_function(format!("encode {name}"), |bencher| {
                bencher.iter(|| black_box(&chunk).encode());
            });
        }
        group.bench_function(format!("decode {name}"), |bencher| {
            bencher.iter(|| FreshChunk::decode(black_box(&blob)));
        });
    }

    // What a commit of a single line costs.
    let one = fresh_chunk(1, 1, vec![decimals(1, 1, 1)]);
    eprintln!("fresh, one value: {} B", one.encode().len());
    group.throughput(Throughput::Elements(1));
    group.bench_function("encode one value", |bencher| {
        bencher.iter(|| black_box(&one).encode());
    });
    group.finish();
}

fn paged(criterion: &mut Criterion<CpuTime>) {
    let (series, rows) = (100, 8640);
    let keys: Vec<(Vec<u8>, usize)> = keys(series).into_iter().map(|key| (key, rows)).collect();
    let times = times(series, rows);
    let plan = || PagePlan::new(keys.iter().map(|(_, rows)| *rows), Sizes::default());
    let mut group = criterion.benchmark_group("paged");
    group
        .sample_size(10)
        .throughput(Throughput::Elements((series * rows) as u64));
    group.bench_function("encode times", |bencher| {
        bencher.iter(|| ChunkWriter::new(&keys, black_box(&times), plan()));
    });
    for (name, column) in [
        ("decimals", decimals(series, rows, 1)),
        ("integers", integers(series, rows, 2)),
        ("fractions", fractions(series, rows, 3)),
    ] {
        let (mut writer, _) = ChunkWriter::new(&keys, &times, plan()).expect("it is small enough");
        let pieces = writer.column(b"value", &column);
        let head = writer.finish();
        let bytes: usize = pieces.iter().map(|piece| piece.data.len()).sum();
        let values = (series * rows) as f64;
        eprintln!(
            "paged, {name}: {:.3} B/value, and a head of {} B",
            bytes as f64 / values,
            head.len()
        );
        group.bench_function(format!("encode {name}"), |bencher| {
            bencher.iter_batched_ref(
                || {
                    ChunkWriter::new(&keys, &times, plan())
                        .expect("it is small enough")
                        .0
                },
                |writer| writer.column(b"value", black_box(&column)),
                BatchSize::PerIteration,
            );
        });
        let head = Head::decode(&head).expect("it was just written");
        group.bench_function(format!("decode {name}"), |bencher| {
            bencher.iter(|| {
                let mut reader = ColumnReader::new(&head, 1);
                let mut out = Column::new(column.field_type());
                out.reserve(head.rows());
                for page in 0..head.page_count() {
                    let number = head.piece_of(1, page).expect("these values take bytes");
                    let piece = Piece::open(&pieces[number].data).expect("it was just written");
                    reader
                        .read(page, piece, &mut out)
                        .expect("it was just written");
                }
                out
            });
        });
        group.bench_function(format!("decode {name}, each page alone"), |bencher| {
            bencher.iter(|| {
                for page in 0..head.page_count() {
                    let number = head.piece_of(1, page).expect("these values take bytes");
                    drop(black_box(head.decode_page(1, page, &pieces[number].data)));
                }
            });
        });
    }
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default()
        .configure_from_args()
        .with_measurement(CpuTime);
    fresh(&mut criterion);
    paged(&mut criterion);
    criterion.final_summary();
}
