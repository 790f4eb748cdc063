//! Numbers as text.

/// Appends a whole number.
pub(super) fn push_integer(number: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Appends a whole number without a sign.
pub(super) fn push_unsigned(number: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Whether very large and very small numbers are written with an exponent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exponents {
    /// Below 1e-6 and from 1e21 on (data-endpoints 5.4).
    Sometimes,
    /// Never (data-endpoints 5.7).
    Never,
}

/// Appends the shortest text that reads back to the same finite number.
pub(super) fn push_float(number: f64, exponents: Exponents, out: &mut Vec<u8>) {
    let mut buffer = ryu::Buffer::new();
    let text = buffer.format_finite(number);
    let Some((mantissa, exponent)) = text.split_once('e') else {
        // Its plain form is ours, but for whole numbers.
        out.extend_from_slice(text.strip_suffix(".0").unwrap_or(text).as_bytes());
        return;
    };
    let exponent: i32 = exponent.parse().expect("an exponent is a small number");
    if exponents == Exponents::Sometimes && !(-6..21).contains(&exponent) {
        out.extend_from_slice(mantissa.as_bytes());
        out.extend_from_slice(if exponent < 0 { b"e" } else { b"e+" });
        push_integer(exponent.into(), out);
        return;
    }
    let digits = match mantissa.strip_prefix('-') {
        Some(digits) => {
            out.push(b'-');
            digits
        }
        None => mantissa,
    };
    // One digit before the point, and `exponent` says how far to shift it.
    let digits = digits.bytes().filter(|b| *b != b'.');
    if exponent < 0 {
        out.extend_from_slice(b"0.");
        out.extend(std::iter::repeat_n(
            b'0',
            exponent.unsigned_abs() as usize - 1,
        ));
        out.extend(digits);
        return;
    }
    let before = exponent as usize + 1;
    let start = out.len();
    out.extend(digits);
    let written = out.len() - start;
    if written > before {
        out.insert(start + before, b'.');
    } else {
        out.extend(std::iter::repeat_n(b'0', before - written));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(number: f64, exponents: Exponents) -> String {
        let mut out = Vec::new();
        push_float(number, exponents, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn floats_are_written_as_in_the_contract() {
        for (number, json, csv) in [
            (0.0, "0", "0"),
            (-0.0, "-0", "-0"),
            (2.0, "2", "2"),
            (-2.5, "-2.5", "-2.5"),
            (0.1, "0.1", "0.1"),
            (1e-5, "0.00001", "0.00001"),
            (1.5e-6, "0.0000015", "0.0000015"),
            (1e-6, "0.000001", "0.000001"),
            (1e-7, "1e-7", "0.0000001"),
            (-1.25e-9, "-1.25e-9", "-0.00000000125"),
            (1e16, "10000000000000000", "10000000000000000"),
            (1.5e17, "150000000000000000", "150000000000000000"),
            (1e20, "100000000000000000000", "100000000000000000000"),
            (1e21, "1e+21", "1000000000000000000000"),
            (1.2345e22, "1.2345e+22", "12345000000000000000000"),
            (123_456_789.125, "123456789.125", "123456789.125"),
            (
                9_007_199_254_740_993.0,
                "9007199254740992",
                "9007199254740992",
            ),
            (5e-324, "5e-324", &format!("0.{}5", "0".repeat(323))),
        ] {
            assert_eq!(text(number, Exponents::Sometimes), json);
            assert_eq!(text(number, Exponents::Never), csv);
        }
    }

    proptest! {
        #[test]
        fn floats_read_back_and_no_shorter_text_does(bits: u64) {
            let number = f64::from_bits(bits);
            prop_assume!(number.is_finite());
            for exponents in [Exponents::Sometimes, Exponents::Never] {
                let text = text(number, exponents);
                prop_assert_eq!(text.parse::<f64>().unwrap().to_bits(), bits, "{}", text);
            }
            let digits = |text: &str| {
                let mantissa = text.split('e').next().unwrap_or_default();
                let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
                digits.trim_matches('0').len()
            };
            let ours = text(number, Exponents::Sometimes);
            prop_assert_eq!(digits(&ours), digits(&format!("{number:e}")));
        }

        #[test]
        fn the_form_depends_on_the_size_alone(number in -1e25..1e25_f64) {
            let text = text(number, Exponents::Sometimes);
            let plain = number == 0.0 || (1e-6..1e21).contains(&number.abs());
            prop_assert_eq!(!text.contains('e'), plain, "{}", text);
        }
    }
}
