//! Any bytes: the parser, whatever its sink guesses, agrees with the plain one of the tests.

#![no_main]

#[path = "../../tests/common/mod.rs"]
mod common;
#[path = "../../tests/reference/mod.rs"]
mod reference;

use influxd_line_protocol::{Precision, parse_tags};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((choice, body)) = input.split_first() else {
        return;
    };
    let precision = match choice % 4 {
        0 => Precision::Nanosecond,
        1 => Precision::Microsecond,
        2 => Precision::Millisecond,
        _ => Precision::Second,
    };
    let outcome = common::read(body, precision);
    assert_eq!(outcome, reference::read(body, precision));
    for point in outcome.into_iter().flatten() {
        let tags = point.key.to_tags_bytes();
        assert_eq!(parse_tags(&tags), point.key.tags());
    }
    parse_tags(body);
});
