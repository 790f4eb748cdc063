//! Chunks of level 1 and above there and back.

use proptest::prelude::*;

use super::*;
use crate::chunk::bytes::{Cursor, open};
use crate::chunk::samples::{Dice, Kind, assert_same};
use crate::chunk::text::take_compressed;
use crate::chunk::{ColumnReader, Head, Piece, Sizes, Value};

const SMALL: Sizes = Sizes {
    page_rows: 64,
    page_text: 300,
    segment_rows: 256,
    piece_bytes: 500,
};

/// A chunk in memory.
struct Chunk {
    series: Vec<(Vec<u8>, usize)>,
    times: Vec<i64>,
    columns: Vec<(Vec<u8>, Column)>,
}

/// A chunk as it is stored.
struct Blobs {
    head: Vec<u8>,
    pieces: Vec<NewPiece>,
}

impl Chunk {
    fn new(series: &[usize], kinds: &[(Kind, usize)], seed: u64) -> Self {
        let mut dice = Dice(seed);
        let mut chunk = Self {
            series: vec![],
            times: vec![],
            columns: vec![],
        };
        for (number, &rows) in series.iter().enumerate() {
            let key = if number == 0 {
                vec![]
            } else {
                format!("host=h{number:05}").into_bytes()
            };
            let jitter = if dice.below(2) == 0 { 1 } else { 20 };
            let mut times: Vec<i64> = (0..rows as i64)
                .map(|row| row * 1_000_000_000 + dice.below(jitter) as i64 * 1_000_000)
                .collect();
            if dice.below(10) == 0 {
                times.splice(..rows.min(2), [i64::MIN, i64::MAX].into_iter().take(rows));
                times.sort_unstable();
            }
            chunk.series.push((key, rows));
            chunk.times.extend(times);
        }
        let rows = chunk.times.len();
        for (number, &(kind, share)) in kinds.iter().enumerate() {
            let name = format!("field{}", number / 2).into_bytes();
            chunk
                .columns
                .push((name, kind.column(rows, share, &mut dice)));
        }
        chunk
    }

    fn write(&self, sizes: Sizes) -> Blobs {
        let mut plan = PagePlan::new(self.series.iter().map(|(_, rows)| *rows), sizes);
        for (_, column) in &self.columns {
            if let Values::String(strings) = &column.values {
                plan.limit_text(strings);
            }
        }
        let (mut writer, mut pieces) = ChunkWriter::new(&self.series, &self.times, plan).unwrap();
        for (name, column) in &self.columns {
            pieces.extend(writer.column(name, column));
        }
        Blobs {
            head: writer.finish(),
            pieces,
        }
    }

    #[track_caller]
    fn check(&self, sizes: Sizes) -> (Head, Blobs) {
        let blobs = self.write(sizes);
        let head = Head::decode(&blobs.head).unwrap();
        assert_eq!(head.rows(), self.times.len());
        assert!(
            head.keys()
                .eq(self.series.iter().map(|(key, _)| key.as_slice()))
        );
        let mut start = 0;
        for (number, (key, rows)) in self.series.iter().enumerate() {
            assert_eq!(head.find_series(key), Some(number));
            assert_eq!(head.rows_of(number), start..start + rows);
            start += rows;
        }
        assert_eq!(head.find_series(b"zzz"), None);

        assert_eq!(head.columns().len(), self.columns.len() + 1);
        let mut times = Vec::new();
        for page in 0..head.page_count() {
            let rows = head.page_rows(page);
            assert_eq!(rows.start, times.len());
            assert!(rows.len() <= sizes.page_rows);
            let of_page = head
                .decode_times(page, blobs.piece(&head, 0, page))
                .unwrap();
            let range = head.page_range(page);
            assert_eq!(of_page.iter().min(), Some(&range.min));
            assert_eq!(of_page.iter().max(), Some(&range.max));
            assert_eq!(of_page.len(), rows.len());
            assert_eq!(head.pages_of(&rows), page..page + 1);
            times.extend(of_page);
        }
        assert_eq!(times, self.times);
        for (number, (name, column)) in (1..).zip(&self.columns) {
            assert_eq!(head.columns()[number].name(), name);
            assert!(head.find_column(name, column.field_type()).unwrap() <= number);
            check_column(&head, &blobs, number, column);
        }
        (head, blobs)
    }
}

fn check_column(head: &Head, blobs: &Blobs, number: usize, column: &Column) {
    assert_eq!(
        head.columns()[number].present_count(),
        column.count_present()
    );
    let mut reader = ColumnReader::new(head, number);
    let mut whole = Column::new(column.field_type());
    for page in 0..head.page_count() {
        let expected = column.slice(head.page_rows(page));
        assert_eq!(head.present_count(number, page), expected.count_present());
        let piece = blobs.piece(head, number, page);
        let of_page = head.decode_page(number, page, piece).unwrap();
        assert_same(&of_page, &expected);
        let piece = if piece.is_empty() {
            Piece::NONE
        } else {
            Piece::open(piece).unwrap()
        };
        reader.read(page, piece, &mut whole).unwrap();
        check_bounds(&of_page, head.bounds(number, page));
    }
    assert_same(&whole, column);
}

fn check_bounds(column: &Column, bounds: Option<(Value<'_>, Value<'_>)>) {
    let in_order = |a: Value<'_>, b: Value<'_>| match (a, b) {
        (Value::Float(a), Value::Float(b)) => a.total_cmp(&b).is_le(),
        (Value::Integer(a), Value::Integer(b)) => a <= b,
        (Value::Unsigned(a), Value::Unsigned(b)) => a <= b,
        (Value::Boolean(a), Value::Boolean(b)) => a <= b,
        (a, b) => panic!("{a:?} and {b:?} have no order"),
    };
    let values: Vec<Value<'_>> = (0..column.len())
        .filter_map(|row| column.get(row))
        .collect();
    match bounds {
        None => assert!(values.is_empty() || column.field_type() == FieldType::String),
        Some((min, max)) => {
            assert!(
                values
                    .iter()
                    .all(|&value| in_order(min, value) && in_order(value, max))
            );
            // They are values that occur.
            assert!(values.iter().any(|&value| in_order(value, min)));
            assert!(values.iter().any(|&value| in_order(max, value)));
        }
    }
}

impl Blobs {
    /// The piece that holds a page; nothing if none does.
    fn piece(&self, head: &Head, column: usize, page: usize) -> &[u8] {
        let Some(piece_no) = head.piece_of(column, page) else {
            return &[];
        };
        let address = (column as i32, piece_no as i32);
        let is_it = |piece: &&NewPiece| (piece.column_no, piece.piece_no) == address;
        &self.pieces.iter().find(is_it).unwrap().data
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_chunk_reads_back(
        series in prop::collection::vec(prop_oneof![0..5_usize, 0..200_usize], 0..30),
        kinds in prop::collection::vec(
            (
                prop::sample::select(Kind::ALL.to_vec()),
                prop::sample::select(vec![0, 3, 50, 97, 100]),
            ),
            0..6,
        ),
        seed in any::<u64>(),
    ) {
        Chunk::new(&series, &kinds, seed).check(SMALL);
    }

    #[test]
    fn forged_heads_are_no_danger(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let chunk = Chunk::new(&[3, 0, 70, 200], &Kind::ALL.map(|kind| (kind, 60)), 1);
        let Blobs { head, pieces } = chunk.write(SMALL);
        // Forge what is inside the compression.
        let mut raw = raw_head(&head);
        for (at, byte) in edits {
            let at = at.index(raw.len());
            raw[at] = byte;
        }
        if let Some(cut) = cut {
            raw.truncate(cut.index(raw.len()));
        }
        if let Ok(head) = Head::decode(&head_bytes::finish(&raw)) {
            read_everything(&head, &pieces);
        }
    }

    #[test]
    fn forged_pieces_are_no_danger(
        edits in prop::collection::vec(
            (any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>()),
            1..40,
        ),
        swap in any::<bool>(),
    ) {
        let chunk = Chunk::new(&[3, 0, 70, 200], &Kind::ALL.map(|kind| (kind, 60)), 1);
        let Blobs { head, mut pieces } = chunk.write(SMALL);
        for (piece, at, byte) in edits {
            let count = pieces.len();
            let data = &mut pieces[piece.index(count)].data;
            data.truncate(data.len() - 4);
            let at = 4 + at.index(data.len() - 4);
            data[at] = byte;
            seal(data);
        }
        if swap {
            // Pieces of other columns, as if rows of the table were mixed up.
            let (first, last) = (pieces[0].data.clone(), pieces.len() - 1);
            pieces[0].data = std::mem::replace(&mut pieces[last].data, first);
        }
        read_everything(&Head::decode(&head).unwrap(), &pieces);
    }
}

fn raw_head(blob: &[u8]) -> Vec<u8> {
    take_compressed(&mut Cursor(open(blob, Format::Head).unwrap())).unwrap()
}

/// Reads all pages with whatever piece is there; errors are fine, panics are not.
fn read_everything(head: &Head, pieces: &[NewPiece]) {
    for column in 0..head.columns().len() {
        for page in 0..head.page_count() {
            let piece = pieces.iter().find(|piece| {
                piece.column_no as usize == column
                    && Some(piece.piece_no as usize) == head.piece_of(column, page)
            });
            let piece = piece.map_or(&[][..], |piece| &piece.data);
            drop(head.decode_times(page, piece));
            if column > 0 {
                drop(head.decode_page(column, page, piece));
                head.bounds(column, page);
            }
        }
        head.find_series(b"host=h00002");
    }
}

#[test]
fn pages_of_every_size_read_back() {
    for rows in [1, 4095, 4096, 4097, 8192, 8193, 20_000] {
        let kinds = Kind::ALL.map(|kind| (kind, 100 - rows % 2));
        Chunk::new(&[rows, 5, rows], &kinds, rows as u64).check(Sizes::default());
    }
}

#[test]
fn segments_of_every_size_read_back() {
    let sizes = Sizes {
        segment_rows: 10_000,
        ..Sizes::default()
    };
    let kinds = [
        (Kind::Decimals, 100),
        (Kind::AnyFloats, 100),
        (Kind::Unsigned, 3),
    ];
    let (head, _) = Chunk::new(&[4096, 1, 4096, 30_000, 7], &kinds, 1).check(sizes);
    assert_eq!(head.segment_of(head.page_count() - 1), 4);
    // A segment without a single value.
    let mut chunk = Chunk::new(&[30_000], &[(Kind::Integers, 100)], 2);
    let mut late = Column::absent(FieldType::Integer, 29_990);
    (0..10).for_each(|value| late.push(Value::Integer(value)));
    chunk.columns.push((b"late".to_vec(), late));
    chunk.check(sizes);
}

#[test]
fn thousands_of_small_series_read_back() {
    let series: Vec<usize> = (0..5000).map(|number| number % 4).collect();
    let kinds = [
        (Kind::Decimals, 100),
        (Kind::Words, 50),
        (Kind::OddFloats, 90),
    ];
    Chunk::new(&series, &kinds, 1).check(Sizes::default());
}

#[test]
fn a_chunk_without_rows_keeps_its_series() {
    Chunk::new(&[], &[], 1).check(SMALL);
    let (head, blobs) = Chunk::new(&[0, 0, 0], &[(Kind::Decimals, 100)], 1).check(SMALL);
    assert_eq!(
        (head.series_count(), head.page_count(), blobs.pieces.len()),
        (3, 0, 0)
    );
}

#[test]
fn strings_of_a_megabyte_read_back() {
    let long = vec![0xfe; 1 << 20];
    let strings: Strings = (0..40)
        .map(|row| match row % 4 {
            0 => &long[..],
            1 => &long[..1 << 19],
            2 => b"",
            _ => b"\xff\x00\n",
        })
        .collect();
    let chunk = Chunk {
        series: vec![(vec![], 40)],
        times: (0..40).collect(),
        columns: vec![(b"text".to_vec(), Values::String(strings).into())],
    };
    let (head, _) = chunk.check(Sizes::default());
    for page in 0..head.page_count() {
        let Values::String(strings) = chunk.columns[0].1.slice(head.page_rows(page)).values else {
            panic!("it is the column of strings");
        };
        assert!(strings.byte_len() <= 1 << 20);
    }
}

#[test]
fn equal_times_and_constant_values_take_no_piece() {
    let hosts = 50;
    let times: Vec<i64> = (0..4000).map(|row| row * 10_000_000_000).collect();
    let chunk = Chunk {
        series: (0..hosts)
            .map(|host| (format!("host={host:02}").into_bytes(), 4000))
            .collect(),
        times: times.repeat(hosts),
        columns: vec![(
            b"one".to_vec(),
            Values::Integer(vec![1; 4000 * hosts]).into(),
        )],
    };
    let (head, blobs) = chunk.check(Sizes::default());
    let bytes: usize = blobs.pieces.iter().map(|piece| piece.data.len()).sum();
    assert!(bytes < 2000, "{bytes}");
    assert!(blobs.head.len() < 2000, "{}", blobs.head.len());
    assert!((1..head.page_count()).all(|page| head.piece_of(0, page) == head.piece_of(0, 0)));
}

#[test]
fn pieces_are_full_but_not_too_large() {
    let chunk = Chunk::new(&[200_000], &[(Kind::Decimals, 100)], 1);
    let (_, blobs) = chunk.check(Sizes::default());
    let sizes = || {
        blobs
            .pieces
            .iter()
            .filter(|piece| piece.column_no == 1)
            .map(|p| p.data.len())
    };
    assert!(sizes().all(|size| size <= 64 << 10));
    assert!(sizes().count() >= 3 && sizes().rev().skip(1).all(|size| size > 56 << 10));
}

#[test]
fn every_damage_is_noticed() {
    let chunk = Chunk::new(&[5, 0, 7], &Kind::ALL.map(|kind| (kind, 70)), 3);
    let Blobs { head, pieces } = chunk.write(SMALL);
    let is_corrupt = |result: Result<(), ChunkError>| matches!(result, Err(ChunkError::Corrupt(_)));
    let check = |blob: &[u8], open: &dyn Fn(&[u8]) -> Result<(), ChunkError>| {
        open(blob).unwrap();
        for at in 0..blob.len() {
            for bit in [1, 0x80] {
                let mut damaged = blob.to_vec();
                damaged[at] ^= bit;
                assert!(is_corrupt(open(&damaged)));
            }
            assert!(is_corrupt(open(&blob[..at])));
        }
    };
    check(&head, &|blob| Head::decode(blob).map(drop));
    for piece in &pieces {
        check(&piece.data, &|blob| Piece::open(blob).map(drop));
    }
}

#[test]
#[should_panic(expected = "sorted and distinct")]
fn unsorted_series_are_a_defect_of_the_caller() {
    let series = [(b"b", 1), (b"a", 1)];
    let plan = PagePlan::new([1, 1], SMALL);
    drop(ChunkWriter::new(&series, &[1, 2], plan));
}

fn fixture() -> Chunk {
    let rows = 0..300_i64;
    let mut sparse = Column::absent(FieldType::Integer, 290);
    (0..10).for_each(|value| sparse.push(Value::Integer(value * 3)));
    let words = rows.clone().map(|row| ["on", "off", ""][row as usize % 3]);
    let texts = rows.clone().map(|row| format!("request {}", row * row));
    let columns: Vec<(&str, Values)> = vec![
        (
            "load",
            Values::Float(
                rows.clone()
                    .map(|row| (row * row % 777) as f64 / 100.0)
                    .collect(),
            ),
        ),
        (
            "thirds",
            Values::Float(rows.clone().map(|row| row as f64 / 3.0).collect()),
        ),
        ("odd", Values::Float([-0.0, f64::INFINITY, 1.5].repeat(100))),
        (
            "count",
            Values::Integer(rows.clone().map(|row| row * row - 9).collect()),
        ),
        ("ends", Values::Unsigned([0, u64::MAX, 5].repeat(100))),
        (
            "up",
            Values::Boolean(rows.clone().map(|row| row % 7 == 0).collect()),
        ),
        ("state", Values::String(words.collect())),
        ("log", Values::String(texts.collect())),
    ];
    let columns = columns
        .into_iter()
        .map(|(name, values)| (name, Column::from(values)));
    Chunk {
        series: [
            ("host=a", 100),
            ("host=b", 100),
            ("host=none", 0),
            ("host=z\\ z", 100),
        ]
        .map(|(key, rows)| (key.as_bytes().to_vec(), rows))
        .into(),
        times: rows
            .map(|row| (row % 100 + row / 200) * 10_000_000_000)
            .collect(),
        columns: columns
            .chain([("count", sparse)])
            .map(|(name, column)| (name.as_bytes().to_vec(), column))
            .collect(),
    }
}

/// Column number, piece number, length, bytes of each piece; the head is first.
fn read_fixture() -> Blobs {
    let mut file = Cursor(include_bytes!("../fixtures/chunk-1.bin"));
    let mut pieces = Vec::new();
    while !file.0.is_empty() {
        let mut number = || i32::from_le_bytes(file.take(4).unwrap().try_into().unwrap());
        let (column_no, piece_no, length) = (number(), number(), number() as usize);
        pieces.push(NewPiece {
            column_no,
            piece_no,
            data: file.take(length).unwrap().to_vec(),
        });
    }
    Blobs {
        head: pieces.remove(0).data,
        pieces,
    }
}

/// Chunks that were written once have to stay readable: never write this file anew.
#[test]
fn the_first_chunk_ever_written_still_reads() {
    let (blobs, chunk) = (read_fixture(), fixture());
    let head = Head::decode(&blobs.head).unwrap();
    assert!(
        head.keys()
            .eq([&b"host=a"[..], b"host=b", b"host=none", b"host=z\\ z"])
    );
    assert_eq!(head.rows_of(3), 200..300);
    let times = (0..head.page_count()).flat_map(|page| {
        head.decode_times(page, blobs.piece(&head, 0, page))
            .unwrap()
    });
    assert!(times.eq(chunk.times.iter().copied()));
    assert_eq!(head.columns().len(), 10);
    for (number, (name, column)) in (1..).zip(&chunk.columns) {
        assert_eq!(head.columns()[number].name(), name);
        check_column(&head, &blobs, number, column);
    }
}
