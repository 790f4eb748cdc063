//! The parser against the plain reference, and points that come back from their lines.

mod common;
mod reference;

use common::{Point, Value, read};
use influxd_line_protocol::{Precision, SeriesKey};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

fn precision() -> impl Strategy<Value = Precision> {
    prop::sample::select(vec![
        Precision::Nanosecond,
        Precision::Microsecond,
        Precision::Millisecond,
        Precision::Second,
    ])
}

/// Bodies of the bytes that mean something, and of pieces that are nearly right.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let pieces: Vec<&[u8]> = vec![
        b" ",
        b" ",
        b" ",
        b"\n",
        b"\n",
        b",",
        b"=",
        b"\"",
        b"\\",
        b"\t",
        b"\0",
        b"\r",
        b"#",
        b"m",
        b"f",
        b"1",
        b"-",
        b".",
        b"i",
        b"u",
        b"e",
        b"t",
        b"m f=1",
        b"m,a=b f=1 1",
        b",g=2",
        b"f=",
        b"f=\"",
        b"\"a\"",
        b" 12",
        b"\nm f=1 1\n",
        b"\nm f=1,g=2 1\n",
        b"\\\\",
        b"\\ ",
        b"\\=",
        b"\\,",
        b"\\\"",
        b"\xff",
        b"m,time=1 ",
        b"m,a=1,a=2",
        b"9223372036854775807",
        b"1e400",
        b"false",
        b"# \"",
        b"=1,",
        b"=\"x\\\"y\"",
    ];
    let piece = prop_oneof![
        9 => prop::sample::select(pieces).prop_map(<[u8]>::to_vec),
        1 => vec(any::<u8>(), 1..3),
    ];
    vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// Names with much in them that has to be escaped, but that a line can hold.
fn name() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        3 => prop::sample::select(b"\\, =\"\t\0#\r".to_vec()),
        5 => prop::sample::select(b"abcxyz019_.-".to_vec()),
        1 => any::<u8>(),
    ];
    vec(byte, 1..7).prop_filter("a line cannot hold it", |name| {
        !name.ends_with(b"\\") && !name.contains(&b'\n') && !b" \t\0#".contains(&name[0])
    })
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<f64>()
            .prop_filter("no line has it", |value| value.is_finite())
            .prop_map(|value| Value::Float(value.to_bits())),
        (-100_000..100_000_i32)
            .prop_map(|cents| Value::Float((f64::from(cents) / 100.0).to_bits())),
        any::<i64>().prop_map(Value::Integer),
        any::<u64>().prop_map(Value::Unsigned),
        any::<bool>().prop_map(Value::Boolean),
        vec(
            prop_oneof![any::<u8>(), prop::sample::select(b"\"\\\n, =".to_vec())],
            0..12
        )
        .prop_map(Value::String),
    ]
}

fn point() -> impl Strategy<Value = Point> {
    let time = prop::option::of(-9_223_372_036_854_775_806..=9_223_372_036_854_775_806_i64);
    let fields = vec((name(), value()), 1..6);
    (name(), btree_map(name(), name(), 0..4), fields, time).prop_filter_map(
        "a name is reserved, or reads as another",
        |(measurement, tags, fields, time)| {
            // Before a comma, a space, a quote or an `=` a backslash cannot be written in a name.
            let clear = |name: &[u8], marks: &[u8]| {
                !name
                    .windows(2)
                    .any(|pair| pair[0] == b'\\' && marks.contains(&pair[1]))
            };
            let names_are_clear = clear(&measurement, b"=\"")
                && fields.iter().all(|(name, _)| clear(name, b", =\"\\"));
            let key = SeriesKey::new(measurement, tags.into_iter().collect()).ok()?;
            names_are_clear.then_some(Point { key, fields, time })
        },
    )
}

fn line(point: &Point) -> Vec<u8> {
    let mut line = point.key.to_line_bytes();
    for (position, (name, value)) in point.fields.iter().enumerate() {
        line.push(if position == 0 { b' ' } else { b',' });
        escape(name, b", =\"", &mut line);
        line.push(b'=');
        match value {
            Value::Float(bits) => line.extend(f64::from_bits(*bits).to_string().bytes()),
            Value::Integer(value) => line.extend(format!("{value}i").bytes()),
            Value::Unsigned(value) => line.extend(format!("{value}u").bytes()),
            Value::Boolean(value) => line.extend(value.to_string().bytes()),
            Value::String(value) => {
                line.push(b'"');
                escape(value, b"\"\\", &mut line);
                line.push(b'"');
            }
        }
    }
    if let Some(time) = point.time {
        line.extend(format!(" {time}").bytes());
    }
    line
}

fn escape(plain: &[u8], special: &[u8], line: &mut Vec<u8>) {
    for &byte in plain {
        if special.contains(&byte) {
            line.push(b'\\');
        }
        line.push(byte);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn the_reference_agrees_on_nearly_right_bodies(body in body(), precision in precision()) {
        prop_assert_eq!(read(&body, precision), reference::read(&body, precision));
    }

    #[test]
    fn any_bytes_are_read(body in vec(any::<u8>(), 0..60)) {
        let nanoseconds = Precision::Nanosecond;
        prop_assert_eq!(read(&body, nanoseconds), reference::read(&body, nanoseconds));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn points_come_back_from_their_lines(points in vec(point(), 1..5)) {
        let body = points.iter().map(line).collect::<Vec<_>>().join(&b'\n');
        prop_assert_eq!(read(&body, Precision::Nanosecond), Ok(points.clone()));
        prop_assert_eq!(reference::read(&body, Precision::Nanosecond), Ok(points));
    }
}
