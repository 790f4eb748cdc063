//! Every form of a value, both ways: the quick scan and the careful one.

use proptest::prelude::*;

use super::*;

/// The value of the careful way; the quick one, where it has an opinion, agrees with it.
fn read(text: &str) -> Result<FieldValue<'static>, String> {
    let careful = plain(text.as_bytes()).map_err(|error| error.to_string());
    for end in ["", ",g=1", " 1", "\nm"] {
        let rest = format!("{text}{end}");
        let quick = scan(rest.as_bytes());
        match &careful {
            Ok(value) => assert_eq!(quick, Some((value.clone(), text.len())), "{rest:?}"),
            Err(_) => assert_eq!(quick, None, "{rest:?}"),
        }
    }
    careful
}

fn check(text: &str, expected: FieldValue<'static>) {
    assert_eq!(read(text), Ok(expected), "from {text}");
}

fn refused(text: &str, reason: &str) {
    assert_eq!(read(text), Err(reason.to_owned()), "from {text}");
}

fn float(text: &str, expected: f64) {
    check(text, FieldValue::Float(expected));
    if let Ok(FieldValue::Float(value)) = read(text) {
        assert_eq!(value.to_bits(), expected.to_bits(), "from {text}");
    }
}

#[test]
fn floats() {
    float("1", 1.0);
    float("1.", 1.0);
    float(".5", 0.5);
    float("-.5", -0.5);
    float("-1.", -1.0);
    float("007", 7.0);
    float("1e5", 1e5);
    float("1E-5", 1e-5);
    float("1.5e+3", 1500.0);
    float("1.e5", 1e5);
    float(".5e1", 5.0);
    float("-0", -0.0);
    float("-0.0", -0.0);
    float("1.7976931348623157e308", f64::MAX);
    float("5e-324", 5e-324);
    float("1e-400", 0.0);
    float("0e400", 0.0);
    float("0.1", 0.1);
    float("123456789012345678", 123_456_789_012_345_680.0);
    float("9007199254740993", 9_007_199_254_740_992.0);
    float("9007199254740992.5", 9_007_199_254_740_992.0);
    float("90071992547409.93", 90_071_992_547_409.93);
    float("0.30000000000000004", 0.300_000_000_000_000_04);
    float("18446744073709551616", 18_446_744_073_709_551_616.0);
    float("99999999999999999999999999999999", 1e32);
    float("0.00000000000000000000000000000000000001", 1e-38);
    float(&format!("1{}", "0".repeat(308)), 1e308);
    float(&format!("{}1", "0".repeat(400)), 1.0);
    float(&format!("0.{}1", "0".repeat(400)), 0.0);
}

#[test]
fn integers() {
    check("1i", FieldValue::Integer(1));
    check("-1i", FieldValue::Integer(-1));
    check("-0i", FieldValue::Integer(0));
    check("007i", FieldValue::Integer(7));
    check(
        "999999999999999999i",
        FieldValue::Integer(999_999_999_999_999_999),
    );
    check("9223372036854775807i", FieldValue::Integer(i64::MAX));
    check("-9223372036854775808i", FieldValue::Integer(i64::MIN));
    check("0000000000000000000000001i", FieldValue::Integer(1));
    refused(
        "9223372036854775808i",
        "unable to parse integer 9223372036854775808: strconv.ParseInt: parsing \"9223372036854775808\": value out of range",
    );
    refused(
        "-9223372036854775809i",
        "unable to parse integer -9223372036854775809: strconv.ParseInt: parsing \"-9223372036854775809\": value out of range",
    );
}

#[test]
fn unsigned_integers() {
    check("1u", FieldValue::Unsigned(1));
    check("0u", FieldValue::Unsigned(0));
    check(
        "9999999999999999999u",
        FieldValue::Unsigned(9_999_999_999_999_999_999),
    );
    check("18446744073709551615u", FieldValue::Unsigned(u64::MAX));
    refused(
        "18446744073709551616u",
        "unable to parse unsigned 18446744073709551616: strconv.ParseUint: parsing \"18446744073709551616\": value out of range",
    );
}

#[test]
fn booleans() {
    for word in ["t", "T", "true", "True", "TRUE"] {
        check(word, FieldValue::Boolean(true));
    }
    for word in ["f", "F", "false", "False", "FALSE"] {
        check(word, FieldValue::Boolean(false));
    }
    for word in [
        "x", "tru", "truex", "tRUE", "yes", "'x'", "Inf", "+Inf", "inf", "+1", "u", "i", "=1",
        "t1", "fals", "falsex", "t\r", "FaLSE", "e5", "_1", "\t1", "\u{0}", "t\"",
    ] {
        refused(word, "invalid boolean");
    }
}

#[test]
fn wrong_numbers() {
    for text in [
        "1x", "0x10", "1_0", "1.2.3", ".", "-", "-.", "1.0i", "1i2", "-i", "-1u", "-u", "1.5u",
        "1u1", "--1", "1iu", "1ui", "1e5i", "1ei", "1e5u", ".i", ".u", "nan", "NaN", "n", "N",
        "-nan", "-Inf", "1e--5", "1e5-3", "1+", "1=2", "1;", "1\r", "1\t2", "1\"", "1..", "..1",
    ] {
        refused(text, "invalid number");
    }
}

#[test]
fn wrong_floats() {
    for text in [
        "1e",
        "1ee5",
        "1e400",
        "-1e400",
        "1e5e5",
        "-e5",
        ".e5",
        "1e+",
        "1e-",
        "1e.5",
        "1e5.5",
        "1E",
        ".e",
        "-.e1",
        "1.7976931348623159e308",
    ] {
        refused(text, "invalid float");
    }
    refused(&"9".repeat(310), "invalid float");
    refused(&format!("{}.5", "9".repeat(310)), "invalid float");
}

#[test]
fn strings() {
    let check = |rest: &[u8], expected: &[u8], length| {
        let expected = FieldValue::String(Cow::Borrowed(expected));
        assert_eq!(scan(rest), Some((expected, length)), "from {rest:?}");
    };
    check(br#""""#, b"", 2);
    check(br#""a b,c=d" 1"#, b"a b,c=d", 9);
    check(br#""q\"q",g=1"#, b"q\"q", 6);
    check(br#""b\\""#, br"b\", 5);
    check(br#""b\s""#, br"b\s", 5);
    check(b"\"a\nb\"\n", b"a\nb", 5);
    check(b"\"\xff\0\" 1", b"\xff\0", 4);
    for odd in [
        &br#"""#[..],
        br#""x"#,
        br#""x\"#,
        br#""x\""#,
        br#""abc"def"#,
        br#""x"="#,
    ] {
        assert_eq!(scan(odd), None, "from {odd:?}");
    }
}

proptest! {
    #[test]
    fn both_ways_agree_on_anything_like_a_number(text in "[0-9.eE+iu-]{1,24}") {
        if is_number_start(text.as_bytes()[0]) {
            let _ = read(&text);
        }
    }

    #[test]
    fn floats_are_read_as_the_nearest_double(text in "-?[0-9]{1,22}(\\.[0-9]{0,25})?") {
        prop_assert_eq!(read(&text), Ok(FieldValue::Float(text.parse().unwrap())));
    }

    #[test]
    fn every_double_comes_back_from_its_shortest_text(bits in any::<u64>()) {
        let value = f64::from_bits(bits);
        prop_assume!(value.is_finite());
        float(&format!("{value:e}"), value);
        float(&format!("{value}"), value);
    }

    #[test]
    fn every_integer_comes_back(integer in any::<i64>(), unsigned in any::<u64>()) {
        check(&format!("{integer}i"), FieldValue::Integer(integer));
        check(&format!("{unsigned}u"), FieldValue::Unsigned(unsigned));
    }
}
