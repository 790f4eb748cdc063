//! Series keys: reasons, order, escapes, the canonical form.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn shown(raw: &str) -> String {
    match SeriesKey::parse(raw.as_bytes()) {
        Ok(key) => key.to_string(),
        Err(error) => format!("{error}!"),
    }
}

fn check(raw: &str, expected: &str) {
    assert_eq!(shown(raw), expected, "from {raw}");
}

#[test]
fn a_key_is_shown_as_line_protocol_with_sorted_tags() {
    check("m", "m");
    check("m,b=2,a=1", "m,a=1,b=2");
    check("m,B=1,a=2,_=3", "m,B=1,_=3,a=2");
    check(r"a\ b,t\ k=v\,w", r"a\ b,t\ k=v\,w");
    check(r"m,t=v\=w", r"m,t=v\=w");
    check(r"m,t=v\x", r"m,t=v\x");
    check(r"m,t=v\\\ w", r"m,t=v\\\ w");
    check("a=b", "a=b");
    check(r"a\=b", "a=b");
    check(r#"a\"b"#, r#"a"b"#);
    check(r#""a b"#, r#""a\ b"#);
    check(r"a\\b", r"a\\b");
    check(r"m\#25", r"m\#25");
    check("m,t=a\r", "m,t=a\r");
}

#[test]
fn a_bad_key_has_the_contracts_reason() {
    check("", "missing measurement!");
    check(",a=b", "missing measurement!");
    check("m,=b", "missing tag key!");
    check("m,", "missing tag key!");
    check("m,,a=b", "missing tag key!");
    check("m,a=b,", "missing tag key!");
    check("m,a=b,,c=d", "missing tag key!");
    check("m,a", "missing tag value!");
    check("m,a=", "missing tag value!");
    check("m,a=,b=c", "missing tag value!");
    check("m,a,b=c", "missing tag value!");
    check("m,a=b=c", "invalid tag format!");
    check(r"m,a=f\==o", "invalid tag format!");
    check(r"m22,t=a\\,b=c", "invalid tag format!");
    check("m,a=1,a=2", "duplicate tags!");
    check("m,b=1,a=1,c=2,a=3", "duplicate tags!");
    check("m,time=1", "cannot use reserved tag key \"time\"!");
    check("m,_field=1", "cannot use reserved tag key \"_field\"!");
    check(
        "m,_measurement=1",
        "cannot use reserved tag key \"_measurement\"!",
    );
    check("m,\0=1", "cannot use reserved tag key \"\\x00\"!");
    let error = SeriesKey::parse(b"m,\xff=1").unwrap_err();
    assert_eq!(error.to_string(), "cannot use reserved tag key \"\\xff\"");
}

#[test]
fn of_several_reasons_shape_comes_first_then_reserved_then_repeated_then_length() {
    check("m,time=1,a", "missing tag value!");
    check("m,a=1,a=2,time=3", "cannot use reserved tag key \"time\"!");
    let long = format!("m,a=1,a={}", "x".repeat(70_000));
    check(&long, "duplicate tags!");
}

#[test]
fn names_near_the_reserved_ones_are_free() {
    check("m,Time=1,_fields=2,times=3", "m,Time=1,_fields=2,times=3");
    check("time,a=time", "time,a=time");
    assert!(SeriesKey::parse(b"m,\xff\xff=1,\x00\x00=2").is_ok());
}

#[test]
fn a_tag_value_may_begin_with_an_equals_sign() {
    check("m,a==b", r"m,a=\=b");
    check("m,a==", r"m,a=\=");
}

#[test]
fn sixty_four_kibibytes_are_too_long() {
    assert!(SeriesKey::parse(&vec![b'm'; MAX_KEY_LENGTH]).is_ok());
    let error = SeriesKey::parse(&vec![b'm'; MAX_KEY_LENGTH + 1]).unwrap_err();
    assert_eq!(error.to_string(), "max key length exceeded: 65536 > 65535");
    // As written: an escape counts.
    let spaces = br"\ ".repeat(32_768);
    assert_eq!(SeriesKey::parse(&spaces), Err(KeyError::TooLong(65_536)));
    assert_eq!(
        SeriesKey::new(vec![b' '; 32_768], vec![]),
        Err(KeyError::TooLong(65_536))
    );
}

#[test]
fn a_tag_is_found_by_its_key() {
    let key = SeriesKey::parse(br"m,b=2,a\ c=1").unwrap();
    assert_eq!(key.tag(b"a c"), Some(b"1".as_slice()));
    assert_eq!(key.tag(b"b"), Some(b"2".as_slice()));
    assert_eq!(key.tag(b"a"), None);
    assert_eq!(key.measurement(), b"m");
}

#[test]
fn a_key_from_parts_obeys_the_same_rules() {
    let tag = |key: &str, value: &str| (key.as_bytes().to_vec(), value.as_bytes().to_vec());
    let new = |tags| SeriesKey::new(b"m".to_vec(), tags);
    assert_eq!(
        new(vec![tag("b", "2"), tag("a", "1")]).unwrap().to_string(),
        "m,a=1,b=2"
    );
    assert_eq!(new(vec![tag("", "2")]), Err(KeyError::MissingTagKey));
    assert_eq!(new(vec![tag("a", "")]), Err(KeyError::MissingTagValue));
    assert_eq!(
        new(vec![tag("time", "1")]),
        Err(KeyError::ReservedTagKey("time"))
    );
    assert_eq!(
        new(vec![tag("a", "1"), tag("a", "2")]),
        Err(KeyError::DuplicateTags)
    );
    assert_eq!(
        SeriesKey::new(vec![], vec![]),
        Err(KeyError::MissingMeasurement)
    );
}

#[test]
fn the_canonical_form_is_readable() {
    let canonical =
        |raw: &[u8]| String::from_utf8(SeriesKey::parse(raw).unwrap().to_tags_bytes()).unwrap();
    assert_eq!(canonical(b"m"), "");
    assert_eq!(canonical(b"m,b=2,a=1"), "a=1,b=2");
    assert_eq!(canonical(br"m,t\ k=v\,w\=x"), r"t\ k=v\,w\=x");
    assert_eq!(canonical(br"m,t=a\\\ b"), r"t=a\\\ b");
}

/// Names full of what has a meaning somewhere.
fn nasty() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        4 => prop::sample::select(br#"\, ="ab."#.to_vec()),
        1 => any::<u8>(),
    ];
    vec(byte, 1..6)
}

proptest! {
    #[test]
    fn the_canonical_form_is_read_back_whatever_the_bytes(
        tags in prop::collection::btree_map(nasty(), nasty(), 0..5),
    ) {
        let tags: Vec<_> = tags.into_iter().collect();
        if let Ok(key) = SeriesKey::new(b"m".to_vec(), tags.clone()) {
            prop_assert_eq!(parse_tags(&key.to_tags_bytes()), tags);
        }
    }

    #[test]
    fn any_bytes_can_be_read_as_tags(bytes in vec(any::<u8>(), 0..40)) {
        parse_tags(&bytes);
    }

    #[test]
    fn a_key_from_a_line_is_read_back_from_its_display(raw in nasty_key()) {
        if let Ok(key) = SeriesKey::parse(&raw) {
            let line = key.to_line_bytes();
            // A measurement is shown without escapes of `=` and `"`, as `InfluxDB` shows it.
            if !key.measurement().windows(2).any(|pair| pair == br"\=" || pair == br#"\""#) {
                prop_assert_eq!(SeriesKey::parse(&line), Ok(key));
            }
        }
    }
}

/// What [`key_end`] may call a key: it does not end with a backslash, and spaces are escaped.
fn nasty_key() -> impl Strategy<Value = Vec<u8>> {
    (nasty(), vec((nasty(), nasty()), 0..4)).prop_filter_map("not a key", |(name, tags)| {
        let mut raw = name;
        for (key, value) in tags {
            raw.push(b',');
            raw.extend_from_slice(&key);
            raw.push(b'=');
            raw.extend_from_slice(&value);
        }
        raw.push(b' ');
        if matches!(raw[0], b' ' | b'\t' | 0 | b'\n' | b'#') {
            return None;
        }
        let end = key_end(&raw).ok()?;
        raw.truncate(end);
        Some(raw)
    })
}
