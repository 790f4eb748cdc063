//! A second parser, slow and plain, to compare with: it cuts the body into lines first, then each
//! line into sections, then each section into parts, and never guesses.

use influxd_line_protocol::{Lossy, Precision, SeriesKey};

use crate::common::{Outcome, Point, Value};

/// What a body says.
pub(crate) fn read(body: &[u8], precision: Precision) -> Outcome {
    let (mut points, mut errors) = (Vec::new(), Vec::new());
    for line in lines(body) {
        match point(line, precision) {
            Ok(point) => points.push(point),
            Err(reason) => errors.push(format!("unable to parse '{}': {reason}", Lossy(line))),
        }
    }
    if errors.is_empty() {
        Ok(points)
    } else {
        Err(errors.join("\n"))
    }
}

/// The lines that have points, without leading blanks.
fn lines(body: &[u8]) -> Vec<&[u8]> {
    let mut lines = Vec::new();
    let mut rest = body;
    loop {
        rest = skip(rest, b" \t\0\n");
        if rest.is_empty() {
            return lines;
        }
        if rest[0] == b'#' {
            let end = rest.iter().position(|&byte| byte == b'\n');
            rest = &rest[end.unwrap_or(rest.len())..];
            continue;
        }
        let end = line_end(rest);
        lines.push(&rest[..end]);
        rest = &rest[end..];
    }
}

fn line_end(rest: &[u8]) -> usize {
    let (mut in_fields, mut quoted, mut open_values) = (false, false, 0_i64);
    let mut taken = false; // by the backslash before
    for (at, &byte) in rest.iter().enumerate() {
        if byte == b'\n' && !quoted {
            return at;
        }
        if !in_fields {
            in_fields = byte == b' ' && at > 0 && rest[at - 1] != b'\\';
        } else if taken {
            taken = false;
        } else if byte == b'\\' {
            taken = true;
        } else if byte == b'"' && open_values > 0 {
            quoted = !quoted;
        } else if !quoted {
            open_values += i64::from(byte == b'=') - i64::from(byte == b',');
        }
    }
    rest.len()
}

fn point(line: &[u8], precision: Precision) -> Result<Point, String> {
    let space = (1..line.len()).find(|&at| line[at] == b' ' && line[at - 1] != b'\\');
    let Some(space) = space else {
        // The shape of the tags is judged, what they are called is not.
        return Err(match SeriesKey::parse(line) {
            Err(error) if error.to_string().starts_with("missing") => error.to_string(),
            Err(error) if error.to_string().starts_with("invalid") => error.to_string(),
            _ => "missing fields".to_owned(),
        });
    };
    let key = SeriesKey::parse(&line[..space]).map_err(|error| error.to_string())?;
    let behind = skip(&line[space..], b" \t\0");
    let section = first_pass(behind, line)?;
    let fields = second_pass(section, space)?;
    let time = time(&behind[section.len()..], precision)?;
    Ok(Point { key, fields, time })
}

/// The field section, if the order of its marks is right.
fn first_pass<'a>(behind: &'a [u8], line: &[u8]) -> Result<&'a [u8], String> {
    let start = line.len() - behind.len();
    let (mut quoted, mut values, mut commas) = (false, 0, 0);
    let mut at = 0;
    while at < behind.len() && (quoted || behind[at] != b' ') {
        let before = |distance: usize| line[start + at - distance];
        if behind[at] == b'\\' {
            at += 2;
            continue;
        }
        if behind[at] == b'"' && values > commas {
            quoted = !quoted;
        }
        if behind[at] == b',' && !quoted {
            commas += 1;
        }
        if behind[at] == b'=' && !quoted {
            values += 1;
            if at == 0 || (b" ,".contains(&before(1)) && before(2) != b'\\') {
                return Err("missing field key".to_owned());
            }
            let value = &behind[at + 1..];
            let word = value
                .split(|byte| b", ".contains(byte))
                .next()
                .unwrap_or_default();
            if word.is_empty() {
                return Err("missing field value".to_owned());
            }
            if value[0] != b'"' {
                read_word(word)?;
                at += word.len();
            }
        }
        at += 1;
    }
    if quoted {
        return Err("unbalanced quotes".to_owned());
    }
    if values != commas + 1 {
        return Err("invalid field format".to_owned());
    }
    Ok(&behind[..at.min(behind.len())])
}

fn second_pass(section: &[u8], key_length: usize) -> Result<Vec<(Vec<u8>, Value)>, String> {
    let mut fields = Vec::new();
    let mut rest = section;
    while !rest.is_empty() {
        let equals =
            (0..rest.len()).find(|&at| rest[at] == b'=' && (at == 0 || rest[at - 1] != b'\\'));
        let name = equals
            .map(|at| &rest[..at])
            .filter(|name| marks_are_taken(name));
        let Some(name) = name else {
            return Err(format!("invalid value: field-key={}", Lossy(rest)));
        };
        if name.is_empty() {
            return Err("missing field key".to_owned());
        }
        let length = key_length + 4 + name.len();
        if length > 65_535 {
            return Err(format!("max key length exceeded: {length} > 65535"));
        }
        let behind = &rest[name.len() + 1..];
        let value = &behind[..value_length(behind)?];
        let value_read = if value[0] == b'"' {
            Value::String(unescape(&value[1..value.len() - 1], b"\"\\"))
        } else {
            read_word(value)?
        };
        fields.push((unescape(name, b", =\""), value_read));
        rest = behind.get(value.len() + 1..).unwrap_or_default();
    }
    Ok(fields)
}

/// Whether every comma, space and `=` of a name is the second of a pair with a backslash.
fn marks_are_taken(name: &[u8]) -> bool {
    let mut taken = false;
    name.iter().all(|&byte| {
        let fine = taken || !b", =".contains(&byte);
        taken = !taken && byte == b'\\';
        fine
    })
}

fn value_length(rest: &[u8]) -> Result<usize, String> {
    let mut quoted = false;
    let mut at = 0;
    while at < rest.len() && (quoted || rest[at] != b',') {
        let escape = rest[at] == b'\\' && at + 1 < rest.len() && b"\"\\".contains(&rest[at + 1]);
        quoted ^= rest[at] == b'"';
        at += if escape { 2 } else { 1 };
    }
    if quoted {
        return Err("unbalanced quotes".to_owned());
    }
    Ok(at)
}

fn read_word(word: &[u8]) -> Result<Value, String> {
    let text = String::from_utf8_lossy(word).into_owned();
    match text.as_str() {
        "t" | "T" | "true" | "True" | "TRUE" => return Ok(Value::Boolean(true)),
        "f" | "F" | "false" | "False" | "FALSE" => return Ok(Value::Boolean(false)),
        _ if !b"0123456789.-nN".contains(&word[0]) => return Err("invalid boolean".to_owned()),
        _ => {}
    }
    let all_digits =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if let Some(digits) = text.strip_suffix('i') {
        if !all_digits(digits.strip_prefix('-').unwrap_or(digits)) {
            return Err("invalid number".to_owned());
        }
        let error = format!(
            "unable to parse integer {digits}: strconv.ParseInt: parsing \"{digits}\": value out of range"
        );
        return digits.parse().map(Value::Integer).map_err(|_| error);
    }
    if let Some(digits) = text.strip_suffix('u') {
        if !all_digits(digits) {
            return Err("invalid number".to_owned());
        }
        let error = format!(
            "unable to parse unsigned {digits}: strconv.ParseUint: parsing \"{digits}\": value out of range"
        );
        return digits.parse().map(Value::Unsigned).map_err(|_| error);
    }
    let magnitude = text.strip_prefix('-').unwrap_or(&text);
    let characters_fit = text.char_indices().all(|(at, character)| match character {
        '0'..='9' | '.' => true,
        '-' if at == 0 => true,
        'e' | 'E' => at > 0,
        '+' | '-' => text[..at].ends_with(['e', 'E']),
        _ => false,
    });
    if !characters_fit || text.matches('.').count() > 1 || ["", "."].contains(&magnitude) {
        return Err("invalid number".to_owned());
    }
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(Value::Float(value.to_bits())),
        _ => Err("invalid float".to_owned()),
    }
}

fn time(behind: &[u8], precision: Precision) -> Result<Option<i64>, String> {
    let behind = skip(behind, b" \t\0");
    let text: Vec<u8> = behind
        .iter()
        .copied()
        .take_while(|&byte| byte != b' ')
        .collect();
    if text.is_empty() {
        return Ok(None);
    }
    let digits = text.strip_prefix(b"-").unwrap_or(&text);
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err("bad timestamp".to_owned());
    }
    if digits.is_empty() {
        return Err("strconv.ParseInt: parsing \"-\": invalid syntax".to_owned());
    }
    let shown = String::from_utf8_lossy(&text);
    let Ok(number) = shown.parse::<i64>() else {
        return Err(format!(
            "strconv.ParseInt: parsing \"{shown}\": value out of range"
        ));
    };
    let time = i128::from(number) * i128::from(precision.nanoseconds());
    if time.abs() > 9_223_372_036_854_775_806 {
        return Err("time outside range -9223372036854775806 - 9223372036854775806".to_owned());
    }
    if behind[text.len()..].iter().any(|&byte| byte != b' ') {
        return Err("point is invalid".to_owned());
    }
    Ok(Some(i64::try_from(time).expect("it is in range")))
}

fn unescape(raw: &[u8], special: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    let mut bytes = raw.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        let next = bytes.next_if(|next| byte == b'\\' && special.contains(next));
        plain.push(next.unwrap_or(byte));
    }
    plain
}

fn skip<'a>(bytes: &'a [u8], blanks: &[u8]) -> &'a [u8] {
    let start = bytes
        .iter()
        .position(|byte| !blanks.contains(byte))
        .unwrap_or(bytes.len());
    &bytes[start..]
}
