//! The rules of data-endpoints 10, one by one.

mod common;

use common::{Outcome, Point, Value, read};
use influxd_line_protocol::{Lossy, ParseErrors, Precision, Sink};

fn read_ns(body: &[u8]) -> Outcome {
    read(body, Precision::Nanosecond)
}

/// The point as one text: key, fields with their types, time.
fn shown(point: &Point) -> String {
    let fields: Vec<String> = point
        .fields
        .iter()
        .map(|(name, value)| {
            let value = match value {
                Value::Float(bits) => format!("{:?}", f64::from_bits(*bits)),
                Value::Integer(value) => format!("{value}i"),
                Value::Unsigned(value) => format!("{value}u"),
                Value::Boolean(value) => value.to_string(),
                Value::String(value) => format!("<{}>", Lossy(value)),
            };
            format!("[{}]={value}", Lossy(name))
        })
        .collect();
    let time = point.time.map_or("now".to_owned(), |time| time.to_string());
    format!("{} {} {time}", point.key, fields.join(","))
}

/// The body has exactly these points.
fn accepted(body: impl AsRef<[u8]>, points: &[&str]) {
    let body = body.as_ref();
    match read_ns(body) {
        Ok(read) => assert_eq!(read.iter().map(shown).collect::<Vec<_>>(), points),
        Err(error) => panic!("{}: {error}", Lossy(body)),
    }
}

/// The line is refused for this reason, alone and among good ones.
fn refused(line: impl AsRef<[u8]>, reason: &str) {
    let line = line.as_ref();
    let error = format!("unable to parse '{}': {reason}", Lossy(line));
    assert_eq!(read_ns(line), Err(error.clone()), "alone");
    let among = [b"a f=1 1\nb g=2,f=3 4\n \t\0", line].concat();
    assert_eq!(read_ns(&among), Err(error.clone()), "after others");
    // Open quotes take all that follows.
    if reason != "unbalanced quotes" {
        let before = [line, b"\nm f=1 1\nm f=2"].concat();
        assert_eq!(read_ns(&before), Err(error), "before others");
    }
}

#[test]
fn reasons_of_the_key_section() {
    refused(",a=b f=1", "missing measurement");
    refused("m,=b f=1", "missing tag key");
    refused("m,a= f=1", "missing tag value");
    refused("m,a f=1", "missing tag value");
    refused("m,a=b=c f=1", "invalid tag format");
    refused("m, f=1", "missing tag key");
    refused("m,a=b, f=1", "missing tag key");
    refused("m,,a=b f=1", "missing tag key");
    refused("m,a=b,,c=d f=1", "missing tag key");
    refused("m,a=1,a=2 f=1", "duplicate tags");
    refused("m,time=1 f=1", "cannot use reserved tag key \"time\"");
    refused(
        "m,_measurement=1 f=1",
        "cannot use reserved tag key \"_measurement\"",
    );
    refused("m,_field=1 f=1", "cannot use reserved tag key \"_field\"");
    refused(b"m,\x00=1 f=1", "cannot use reserved tag key \"\\x00\"");
    refused(b"m,\xff=1 f=1", "cannot use reserved tag key \"\\xff\"");
    refused(r"m9,t=v\\ f=1 1", "invalid tag format");
    refused(r"m,t=v\ f=1", "invalid tag format");
    refused(r"m22,t=a\\,b=c f=1 1", "invalid tag format");
    refused("m,a=b\tf=1", "invalid tag format");
}

#[test]
fn reasons_of_a_line_that_ends_too_early() {
    refused("m", "missing fields");
    refused("m,a=b", "missing fields");
    refused("f=1", "missing fields");
    refused("=", "missing fields");
    refused("\r", "missing fields");
    refused("{\"m\":1}", "missing fields");
    refused("m\tf=1", "missing fields");
    refused(r"m\ f=1", "missing fields");
    refused("m,time=1", "missing fields");
    refused("m,a=1,a=1", "missing fields");
    refused("m,a", "missing tag value");
    refused("m,", "missing tag key");
    refused("m,a=", "missing tag value");
    refused(r"m\", "missing fields");
    refused(r"m,a=b\", "missing fields");
    refused("\u{feff}", "missing fields");
    refused("m ", "invalid field format");
    refused("m  \t", "invalid field format");
    refused("m f", "invalid field format");
}

#[test]
fn reasons_of_the_field_section() {
    refused("m f=", "missing field value");
    refused("m f= 1", "missing field value");
    refused("m f=,g=1", "missing field value");
    refused("m =1", "missing field key");
    refused("m  =1", "missing field key");
    refused("m f=1,=2", "missing field key");
    refused("m f=\"x", "unbalanced quotes");
    refused("m f=\"", "unbalanced quotes");
    refused(r#"m f="a\""#, "unbalanced quotes");
    refused(r#"m f="a\"#, "unbalanced quotes");
    refused("m f=1,", "invalid field format");
    refused("m f=1,,g=2", "invalid field format");
    refused("m f=1,g", "invalid field format");
    refused("m f,g=1", "invalid field format");
    refused("m f=1, 1", "invalid field format");
    refused("m f=1, g=2", "invalid field format");
    refused("m,a=b c f=1", "invalid field format");
    refused("m,a=\"b c\" f=1", "invalid field format");
    refused("m f=\"a\",", "invalid field format");
    refused(r"m f\=1", "invalid field format");
    refused(r"m f\\=1", r"invalid value: field-key=f\\=1");
    refused(r"m16 f\\=1 1", r"invalid value: field-key=f\\=1");
    refused(r"m g=1,f\\=1 1", r"invalid value: field-key=f\\=1");
    refused(b"m f\xff\\\\=1", "invalid value: field-key=f\u{fffd}\\\\=1");
}

#[test]
fn reasons_of_values() {
    for value in [
        "x", "tru", "truex", "yes", "'x'", "Inf", "+Inf", "inf", "+1", "t1", "=1", "t\r",
    ] {
        refused(format!("m f={value}"), "invalid boolean");
        refused(format!("m g=1,f={value},h=2 1"), "invalid boolean");
    }
    for value in [
        "1x", "1_0", "1.2.3", ".", "-", "1.0i", "1i2", "-i", "-1u", "1.5u", "1u1", "--1", "nan",
        "NaN", "-Inf", "0x10", "1=2", "1;", "1\r", "1\t2",
    ] {
        refused(format!("m f={value}"), "invalid number");
        refused(format!("m g=1,f={value},h=2 1"), "invalid number");
    }
    for value in ["1e", "1ee5", "1e400", "-1e400"] {
        refused(format!("m f={value} 1"), "invalid float");
    }
    refused(
        "m f=9223372036854775808i",
        "unable to parse integer 9223372036854775808: strconv.ParseInt: parsing \"9223372036854775808\": value out of range",
    );
    refused(
        "m f=-9223372036854775809i 1",
        "unable to parse integer -9223372036854775809: strconv.ParseInt: parsing \"-9223372036854775809\": value out of range",
    );
    refused(
        "m f=18446744073709551616u",
        "unable to parse unsigned 18446744073709551616: strconv.ParseUint: parsing \"18446744073709551616\": value out of range",
    );
}

#[test]
fn reasons_of_times() {
    for line in [
        "m f=1 g=2",
        "m f=1 12a",
        "m f=1 +5",
        "m f=1 # c",
        "m f=13 13#",
        "m f=1i 1,",
        "m f=1 1\t",
        "m f=1 1\r",
        "m f=1 1\rm f=2 2",
        r#"m f="a" "b""#,
        r#"s v="a" b="c" 1"#,
        "m f=1 1.0",
        "m f=1 1e3",
        "m f=1 --1",
        "m f=1 \r",
        "m f=1 1-",
        "m f=1 1\0",
    ] {
        refused(line, "bad timestamp");
    }
    for line in ["m f=1 12 13", "m f=1 12 x", "m f=1 12  \t", "m f=1 12 \r"] {
        refused(line, "point is invalid");
    }
    let outside = "time outside range -9223372036854775806 - 9223372036854775806";
    refused("m f=1 9223372036854775807", outside);
    refused("m f=1 -9223372036854775807", outside);
    refused("m f=1 -9223372036854775808", outside);
    refused("m f=1 9223372036854775807 x", outside);
    refused("m f=1 -", "strconv.ParseInt: parsing \"-\": invalid syntax");
    refused(
        "m f=1 - 5",
        "strconv.ParseInt: parsing \"-\": invalid syntax",
    );
    refused(
        "m f=1 99999999999999999999",
        "strconv.ParseInt: parsing \"99999999999999999999\": value out of range",
    );
}

#[test]
fn the_first_section_that_is_wrong_gives_the_reason() {
    refused("m,a f=x 1x", "missing tag value");
    refused("m,time=1 f=x 1x", "cannot use reserved tag key \"time\"");
    refused("m f=x 1x", "invalid boolean");
    refused("m f,g=x 1x", "invalid boolean");
    refused("m f=1, 1x", "invalid field format");
    refused(r"m f\\=1 1x", r"invalid value: field-key=f\\=1");
    refused("m f=1,g=1e,h=x 1x", "invalid float");
    let long = "f".repeat(65_531);
    refused(format!("m {long}=1,g=x 1x"), "invalid boolean");
    refused(
        format!("m {long}=1,g=1 1x"),
        "max key length exceeded: 65536 > 65535",
    );
    refused(
        format!(r"m {long}=1,f\\=1"),
        "max key length exceeded: 65536 > 65535",
    );
    refused(
        format!(r"m f\\=1,{long}=1"),
        &format!(r"invalid value: field-key=f\\=1,{long}=1"),
    );
}

#[test]
fn lengths() {
    let accepts = |line: String| assert_eq!(read_ns(line.as_bytes()).map(|p| p.len()), Ok(1));
    accepts(format!("{} f=1 1", "m".repeat(65_530)));
    refused(
        format!("{} f=1 1", "m".repeat(65_531)),
        "max key length exceeded: 65536 > 65535",
    );
    refused(
        format!("{} f=1 1", "m".repeat(65_535)),
        "max key length exceeded: 65540 > 65535",
    );
    refused(
        format!("{} f=1 1", "m".repeat(65_536)),
        "max key length exceeded: 65536 > 65535",
    );
    accepts(format!("m,t={} f=1 1", "x".repeat(65_520)));
    refused(
        format!("m,t={} f=1 1", "x".repeat(65_540)),
        "max key length exceeded: 65544 > 65535",
    );
    accepts(format!("m {}=1 1", "f".repeat(65_530)));
    refused(
        format!("m {}=1 1", "f".repeat(65_531)),
        "max key length exceeded: 65536 > 65535",
    );
    // What fits beside a short key need not fit beside a long one, though the name is expected.
    let name = "f".repeat(40_000);
    let long = "k".repeat(30_000);
    let error = read_ns(format!("m {name}=1\n{long} {name}=2").as_bytes()).unwrap_err();
    assert!(error.ends_with("=2': max key length exceeded: 70004 > 65535"));
    let string = "x".repeat(2_000_000);
    assert_eq!(
        read_ns(format!("s f=\"{string}\" 1").as_bytes()).map(|p| p.len()),
        Ok(1)
    );
}

#[test]
fn blank_lines_and_comments_are_nothing() {
    for body in [
        "",
        "\n",
        "\n\n  \n\t\n",
        "# comment",
        "# only\n",
        "  # c",
        "\0\0",
        "#",
        "\t#\n",
    ] {
        accepted(body, &[]);
    }
    accepted(
        "# comment\nm f=1 1\n# more\nm f=2 2",
        &["m [f]=1.0 1", "m [f]=2.0 2"],
    );
    accepted("   m f=3 3", &["m [f]=3.0 3"]);
    accepted("\tm f=4 4", &["m [f]=4.0 4"]);
    accepted("\0m f=5 5", &["m [f]=5.0 5"]);
    accepted("m f=7 7\n\n", &["m [f]=7.0 7"]);
    accepted("m f=9 9 \nm f=10 10  ", &["m [f]=9.0 9", "m [f]=10.0 10"]);
    accepted("m#1 f=1 1", &["m#1 [f]=1.0 1"]);
}

#[test]
fn a_comment_with_a_quote_swallows_nothing() {
    accepted("#c=\"\nm f=11 11", &["m [f]=11.0 11"]);
    accepted(
        "# c f=\"\nm f=1 1\nm f=\"x\" 2",
        &["m [f]=1.0 1", "m [f]=<x> 2"],
    );
    accepted("  # c f=\"\\\nm f=1 1", &["m [f]=1.0 1"]);
}

#[test]
fn a_line_feed_in_a_string_does_not_end_the_line() {
    accepted(
        "m f=\"a\nb\" 1\nm f=\"c\n\n\" 2",
        &["m [f]=<a\nb> 1", "m [f]=<c\n\n> 2"],
    );
    accepted("m f=\"\\\"\nb\" 1", &["m [f]=<\"\nb> 1"]);
    accepted("m f=\"x\"y\"\nz\" 1", &["m [f]=<x\"y\"\nz> 1"]);
    let error = read_ns(b"m f=\"x\nm f=1 1").unwrap_err();
    assert_eq!(
        error,
        "unable to parse 'm f=\"x\nm f=1 1': unbalanced quotes"
    );
    let error = read_ns(b"m f=x,g=\"a\nb\" 1\nm f=1 1\nn").unwrap_err();
    assert_eq!(
        error,
        "unable to parse 'm f=x,g=\"a\nb\" 1': invalid boolean\nunable to parse 'n': missing fields",
    );
}

#[test]
fn a_quote_outside_a_string_hides_no_line_feed() {
    accepted(
        "m\" f=1 1\nm,t=\"a f=2 2",
        &["m\" [f]=1.0 1", "m,t=\"a [f]=2.0 2"],
    );
    accepted(
        "m \"f=1,g\"=2 1\nm f=1 2",
        &["m [\"f]=1.0,[g\"]=2.0 1", "m [f]=1.0 2"],
    );
}

#[test]
fn a_backslash_hides_no_line_feed() {
    let error = read_ns(b"m\\\nn f=1").unwrap_err();
    assert_eq!(error, "unable to parse 'm\\': missing fields");
    let error = read_ns(b"m f\\\n=1 f=1").unwrap_err();
    assert_eq!(error, "unable to parse 'm f\\': invalid field format");
    accepted("m f=\"a\"\\\nn f=1", &["m [f]=<a\"> now", "n [f]=1.0 now"]);
}

#[test]
fn carriage_returns_are_ordinary() {
    accepted("crs f=\"x\"\r\n", &["crs [f]=<x\"> now"]);
    accepted("m,t=a\r f=1 1", &["m,t=a\r [f]=1.0 1"]);
    accepted("m\r f=1 1", &["m\r [f]=1.0 1"]);
    let error = read_ns(b"m f=1 1\r\nm f=2 2\r\n").unwrap_err();
    assert_eq!(
        error,
        "unable to parse 'm f=1 1\r': bad timestamp\nunable to parse 'm f=2 2\r': bad timestamp",
    );
}

#[test]
fn one_space_separates_and_more_blanks_are_skipped() {
    accepted("m  f=1 1", &["m [f]=1.0 1"]);
    accepted("m \t \tf=1 \t 1", &["m [f]=1.0 1"]);
    accepted("m f=1  1", &["m [f]=1.0 1"]);
    accepted("m f=1 ", &["m [f]=1.0 now"]);
    accepted("m f=1 \t", &["m [f]=1.0 now"]);
    accepted("m,a=b f=1 1   ", &["m,a=b [f]=1.0 1"]);
    accepted("m\tn f\t=1", &["m\tn [f\t]=1.0 now"]);
}

#[test]
fn escapes_of_names() {
    accepted(r"a\ b f=1 1", &[r"a\ b [f]=1.0 1"]);
    accepted(r"a\,b f=1 1", &[r"a\,b [f]=1.0 1"]);
    accepted(r"a\=b f=1 1", &["a=b [f]=1.0 1"]);
    accepted(r#"a\"b f=1 1"#, &[r#"a"b [f]=1.0 1"#]);
    accepted(r"a\\b f=1 1", &[r"a\\b [f]=1.0 1"]);
    accepted(r"a\\ b f=1 1", &[r"a\\ b [f]=1.0 1"]);
    accepted(r"m1,t\ k=v f=1 1", &[r"m1,t\ k=v [f]=1.0 1"]);
    accepted(r"m2,t\,k=v\,w f=1 1", &[r"m2,t\,k=v\,w [f]=1.0 1"]);
    accepted(r"m3,t\=k=v\=w f=1 1", &[r"m3,t\=k=v\=w [f]=1.0 1"]);
    accepted(r#"m7,"t"="v" f=1 1"#, &[r#"m7,"t"="v" [f]=1.0 1"#]);
    accepted(r"m20\ ,t=v f=1 1", &[r"m20\ ,t=v [f]=1.0 1"]);
    accepted(r"m11 f\ k=1 1", &["m11 [f k]=1.0 1"]);
    accepted(r"m12 f\,k=1 1", &["m12 [f,k]=1.0 1"]);
    accepted(r"m13 f\=k=1,\,=2 1", &["m13 [f=k]=1.0,[,]=2.0 1"]);
    accepted(r#"m14 "f"=1 1"#, &[r#"m14 ["f"]=1.0 1"#]);
    accepted(r#"m15 f\"k=1 1"#, &[r#"m15 [f"k]=1.0 1"#]);
    accepted(r"m17 f\x=1,g\\h=2 1", &[r"m17 [f\x]=1.0,[g\\h]=2.0 1"]);
    accepted("m18,t=ü é=1 1", &["m18,t=ü [é]=1.0 1"]);
    accepted(r"\,a f=1", &[r"\,a [f]=1.0 now"]);
    accepted(r"m,\=b=\,c f=1", &[r"m,\=b=\,c [f]=1.0 now"]);
}

#[test]
fn bytes_that_are_no_text_are_kept() {
    accepted(
        b"m\xff,t\xfe=\0v f\xc3=\"\xff\xfe\0\" 1",
        &["m\u{fffd},t\u{fffd}=\0v [f\u{fffd}]=<\u{fffd}\u{fffd}\0> 1"],
    );
    accepted("\u{feff}m f=1", &["\u{feff}m [f]=1.0 now"]);
    let points = read_ns(b"m\xff f\0=\"\xff\xfe\"").unwrap();
    assert_eq!(points[0].key.measurement(), b"m\xff");
    assert_eq!(
        points[0].fields[0],
        (b"f\0".to_vec(), Value::String(b"\xff\xfe".to_vec()))
    );
}

#[test]
fn values_of_every_type() {
    accepted(
        "m a=1,b=-.5,c=1e5,d=007i,e=-1i,f=1u,g=t,h=FALSE,i=\"\",j=\"b\\\\s\\\"\\n\" 1",
        &[
            "m [a]=1.0,[b]=-0.5,[c]=100000.0,[d]=7i,[e]=-1i,[f]=1u,[g]=true,[h]=false,[i]=<>,[j]=<b\\s\"\\n> 1",
        ],
    );
    accepted(
        "m _field=1,_measurement=2,time=3 1",
        &["m [_field]=1.0,[_measurement]=2.0,[time]=3.0 1"],
    );
    accepted("m f=1,f=2i,f=t 1", &["m [f]=1.0,[f]=2i,[f]=true 1"]);
}

#[test]
fn text_after_the_closing_quote() {
    accepted(r#"s10 v="abc"def 1"#, &[r#"s10 [v]=<abc"de> 1"#]);
    accepted(r#"s22 v="a"b,w="c" 1"#, &[r#"s22 [v]=<a">,[w]=<c> 1"#]);
    accepted(r#"s24 v="x"1 1"#, &[r#"s24 [v]=<x"> 1"#]);
    accepted(r#"s v="a"\ b,w=1 1"#, &[r#"s [v]=<a"\ >,[w]=1.0 1"#]);
    accepted(r#"s v="a""b,c" 1"#, &[r#"s [v]=<a""b,c> 1"#]);
}

#[test]
fn tags_come_sorted_and_a_series_has_many_spellings() {
    let points = read_ns(b"m,b=1,a=2 f=1\nm,a=2,b=1 f=1\nm,A=1,a=1,B=1 f=1").unwrap();
    assert_eq!(points[0].key, points[1].key);
    assert_eq!(points[2].key.to_string(), "m,A=1,B=1,a=1");
}

#[test]
fn every_failing_line_is_reported() {
    let error = read_ns(b"m\nm f=1 1\n# c\n  n,a=b,a=c f=1\nm f=x\n").unwrap_err();
    assert_eq!(
        error,
        "unable to parse 'm': missing fields\n\
         unable to parse 'n,a=b,a=c f=1': duplicate tags\n\
         unable to parse 'm f=x': invalid boolean",
    );
}

#[test]
fn the_precision_scales_explicit_times_only() {
    let times = |body: &str, precision| {
        read(body.as_bytes(), precision)
            .unwrap()
            .iter()
            .map(|p| p.time)
            .collect::<Vec<_>>()
    };
    let body = "m f=1 15\nm f=1\nm f=1 15\nm f=1 -15 ";
    let expect = |unit: i64| vec![Some(15 * unit), None, Some(15 * unit), Some(-15 * unit)];
    assert_eq!(times(body, Precision::Nanosecond), expect(1));
    assert_eq!(times(body, Precision::Microsecond), expect(1_000));
    assert_eq!(times(body, Precision::Millisecond), expect(1_000_000));
    assert_eq!(times(body, Precision::Second), expect(1_000_000_000));
}

#[test]
fn a_time_that_begins_like_the_one_before_is_its_own() {
    accepted(
        "m f=1 12\nm f=1 123\nm f=1 12\nm f=1 1",
        &[
            "m [f]=1.0 12",
            "m [f]=1.0 123",
            "m [f]=1.0 12",
            "m [f]=1.0 1",
        ],
    );
    // Also when the one before was refused, or stood in a line that was.
    let error = read_ns(b"m f=1 12 x\nm f=1 12\nm f=1 9223372036854775807").unwrap_err();
    assert_eq!(error.matches("unable").count(), 2);
}

#[test]
fn a_failing_body_keeps_a_bounded_text() {
    struct Nothing;
    impl Sink for Nothing {
        fn begin(&mut self, _: &[u8]) -> Result<(), influxd_line_protocol::LineError> {
            Ok(())
        }
        fn field(&mut self, _: usize, _: &[u8], _: influxd_line_protocol::FieldValue<'_>) {}
        fn end(&mut self, _: Option<i64>) {}
    }
    let body = "m\n".repeat(200_000);
    let errors =
        influxd_line_protocol::parse(body.as_bytes(), Precision::Second, &mut Nothing).unwrap_err();
    assert_eq!(errors.lines(), 200_000);
    assert!(errors.to_string().len() < ParseErrors::MAX_TEXT + 100);
}
