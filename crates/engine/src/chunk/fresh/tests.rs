//! Chunks of level 0 there and back.

use proptest::prelude::*;

use super::*;
use crate::chunk::samples::{Dice, Kind, assert_same};
use crate::chunk::{ChunkError, Value};

fn named(name: &str, column: impl Into<Column>) -> NamedColumn {
    NamedColumn {
        name: name.into(),
        column: column.into(),
    }
}

#[track_caller]
fn check(chunk: &FreshChunk) -> usize {
    let blob = chunk.encode();
    let read = FreshChunk::decode(&blob).unwrap();
    assert_eq!(read.series, chunk.series);
    assert_eq!(read.times, chunk.times);
    assert_eq!(read.columns.len(), chunk.columns.len());
    for (read, written) in read.columns.iter().zip(&chunk.columns) {
        assert_eq!(read.name, written.name);
        assert_same(&read.column, &written.column);
    }
    blob.len()
}

/// Times of a series: every so many nanoseconds, with jitter, or anywhere.
fn times(rows: usize, dice: &mut Dice) -> Vec<i64> {
    let start = 1_700_000_000_000_000_000 + dice.below(3) as i64 * 10_000_000_000;
    let mut times: Vec<i64> = match dice.below(4) {
        0 | 1 => (0..rows as i64)
            .map(|row| start + row * 10_000_000_000)
            .collect(),
        2 => (0..rows as i64)
            .map(|row| start + row * 1_000_000_000 + dice.below(20) as i64 * 1_000_000)
            .collect(),
        _ => [i64::MIN, i64::MAX]
            .into_iter()
            .chain(std::iter::repeat_with(|| dice.bits() as i64))
            .take(rows)
            .collect(),
    };
    times.sort_unstable();
    times.dedup();
    times
}

fn chunk(series: &[usize], kinds: &[(Kind, usize)], seed: u64) -> FreshChunk {
    let mut dice = Dice(seed);
    let mut chunk = FreshChunk::default();
    for (number, &rows) in series.iter().enumerate() {
        let times = times(rows, &mut dice);
        let key = if number == 0 {
            vec![]
        } else {
            format!("host=h{number}\u{ff}").into_bytes()
        };
        chunk.series.push((key, times.len()));
        chunk.times.extend(times);
    }
    let rows = chunk.times.len();
    for (number, &(kind, share)) in kinds.iter().enumerate() {
        // Pairs of columns have one name.
        let column = kind.column(rows, share, &mut dice);
        chunk
            .columns
            .push(named(&format!("field{}", number / 2), column));
    }
    chunk
}

fn any_kind() -> impl Strategy<Value = (Kind, usize)> {
    (
        prop::sample::select(Kind::ALL.to_vec()),
        prop::sample::select(vec![0, 3, 50, 97, 100]),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_chunk_reads_back(
        series in prop::collection::vec(0..200_usize, 0..20),
        kinds in prop::collection::vec(any_kind(), 0..8),
        seed in any::<u64>(),
    ) {
        check(&chunk(&series, &kinds, seed));
    }

    #[test]
    fn forged_chunks_are_no_danger(
        seed in any::<u64>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let kinds = Kind::ALL.map(|kind| (kind, 60));
        let mut blob = chunk(&[3, 0, 40, 40], &kinds, seed).encode();
        blob.truncate(blob.len() - 4);
        for (at, byte) in edits {
            let at = 4 + at.index(blob.len() - 4);
            blob[at] = byte;
        }
        if let Some(cut) = cut {
            blob.truncate(4 + cut.index(blob.len() - 4));
        }
        seal(&mut blob); // so that the checksum does not save us
        drop(FreshChunk::decode(&blob));
    }
}

#[test]
fn series_of_every_size_read_back() {
    let kinds = Kind::ALL.map(|kind| (kind, 100));
    for rows in [1, 2, 127, 128, 129, 255, 256, 257, 5000] {
        check(&chunk(&[rows], &kinds, rows as u64));
    }
    let few: Vec<usize> = (0..5000).map(|number| number % 3).collect();
    check(&chunk(&few, &[(Kind::Decimals, 100), (Kind::Words, 30)], 1));
}

#[test]
fn series_without_rows_are_kept() {
    let empty = FreshChunk::default();
    check(&empty);
    let series = vec![(b"a=1".to_vec(), 0), (b"a=2".to_vec(), 0)];
    check(&FreshChunk { series, ..empty });
}

#[test]
fn strings_may_be_long_and_need_not_be_text() {
    let long = vec![0xfe; 1 << 20];
    let strings: Strings = [&b""[..], &long, b"\x00\xff", b"", &long]
        .into_iter()
        .collect();
    let size = check(&FreshChunk {
        series: vec![(b"".to_vec(), 5)],
        times: vec![1, 2, 3, 4, 5],
        columns: vec![named("text", Values::String(strings))],
    });
    assert!(size < 1000);
}

#[test]
fn equal_times_are_written_once() {
    let chunk = |second: i64| {
        let times: Vec<i64> = (0..1000).map(|row| row * row).collect();
        FreshChunk {
            series: vec![(b"a=1".to_vec(), 1000), (b"a=2".to_vec(), 1000)],
            times: [
                times.clone(),
                times.iter().map(|time| time + second).collect(),
            ]
            .concat(),
            columns: vec![],
        }
    };
    assert!(check(&chunk(0)) + 1000 < check(&chunk(1)));
}

#[test]
fn one_value_takes_few_bytes() {
    let size = check(&FreshChunk {
        series: vec![(b"host=a".to_vec(), 1)],
        times: vec![1_700_000_000_000_000_000],
        columns: vec![named("value", Values::Float(vec![21.5]))],
    });
    // Frame 8, counts 3, series 10, times 16, column 14.
    assert!(size <= 51, "{size}");
}

#[test]
fn every_damage_is_noticed() {
    let blob = chunk(&[5, 0, 7], &Kind::ALL.map(|kind| (kind, 70)), 3).encode();
    for at in 0..blob.len() {
        for bit in [1, 0x80] {
            let mut damaged = blob.clone();
            damaged[at] ^= bit;
            assert!(matches!(
                FreshChunk::decode(&damaged),
                Err(ChunkError::Corrupt(_))
            ));
        }
        assert!(matches!(
            FreshChunk::decode(&blob[..at]),
            Err(ChunkError::Corrupt(_))
        ));
    }
}

#[test]
fn a_later_format_is_named() {
    let mut blob = FreshChunk::default().encode();
    blob.truncate(blob.len() - 4);
    blob[3] = 9;
    seal(&mut blob);
    assert_eq!(FreshChunk::decode(&blob), Err(ChunkError::Version(9)));
}

/// Chunks that were written once have to stay readable: never write this file anew.
#[test]
fn the_first_chunk_ever_written_still_reads() {
    let chunk = FreshChunk::decode(include_bytes!("../fixtures/fresh-1.bin")).unwrap();
    let expected = fixture();
    assert_eq!(chunk.series, expected.series);
    assert_eq!(chunk.times, expected.times);
    for (read, expected) in chunk.columns.iter().zip(&expected.columns) {
        assert_eq!(read.name, expected.name);
        assert_same(&read.column, &expected.column);
    }
    assert_eq!(chunk.columns.len(), 8);
}

fn fixture() -> FreshChunk {
    let rows = 0..300_i64;
    let mut sparse = Column::absent(influxd_model::FieldType::Integer, 290);
    for value in 0..10 {
        sparse.push(Value::Integer(value * 3));
    }
    let words = rows.clone().map(|row| ["on", "off", ""][row as usize % 3]);
    FreshChunk {
        series: vec![
            (b"host=a".to_vec(), 100),
            (b"host=b".to_vec(), 100),
            (b"host=none".to_vec(), 0),
            (b"host=z\\ z".to_vec(), 100),
        ],
        times: rows
            .clone()
            .map(|row| (row % 100 + row / 200) * 10_000_000_000)
            .collect(),
        columns: vec![
            named(
                "load",
                Values::Float(rows.clone().map(|row| row as f64 / 100.0).collect()),
            ),
            named(
                "thirds",
                Values::Float(rows.clone().map(|row| row as f64 / 3.0).collect()),
            ),
            named("odd", Values::Float([-0.0, f64::INFINITY, 1.5].repeat(100))),
            named(
                "count",
                Values::Integer(rows.clone().map(|row| row * row - 9).collect()),
            ),
            named("ends", Values::Unsigned([0, u64::MAX, 5].repeat(100))),
            named(
                "up",
                Values::Boolean(rows.map(|row| row % 7 == 0).collect()),
            ),
            named("state", Values::String(words.collect())),
            named("count", sparse),
        ],
    }
}

#[test]
fn the_fixture_is_still_what_would_be_written() {
    let written = FreshChunk::decode(&fixture().encode()).unwrap();
    let stored = FreshChunk::decode(include_bytes!("../fixtures/fresh-1.bin")).unwrap();
    assert_eq!(written, stored);
}
