//! Form bodies: URL-encoded, and in parts.

use crate::query_string::Query;
use crate::text::lossy;

/// A media type with its parameters.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct MediaType {
    /// In lower case.
    name: String,
    boundary: Option<String>,
}

impl MediaType {
    /// Reads the header `Content-Type`.
    pub(super) fn parse(header: Option<&str>) -> Result<Self, &'static str> {
        let header = header.unwrap_or_default();
        let (name, mut rest) = header.split_once(';').map_or((header, ""), |(n, r)| (n, r));
        let name = name.trim().to_ascii_lowercase();
        if name.is_empty() {
            return Err("mime: no media type");
        }
        if let Some((_, subtype)) = name.split_once('/')
            && (subtype.is_empty() || !subtype.bytes().all(is_token))
        {
            return Err("mime: expected token after slash");
        }
        let mut boundary = None;
        let whole = rest;
        while !rest.trim().is_empty() {
            let parameter;
            (parameter, rest) = parameter_of(rest.trim_start())
                // A single semicolon at the end is forgiven.
                .ok_or("mime: invalid media parameter")?;
            if let Some((key, value)) = parameter {
                if key.eq_ignore_ascii_case("boundary") {
                    boundary = Some(value);
                }
            } else if rest.trim().is_empty() && whole.trim().is_empty() {
                break;
            }
        }
        Ok(Self { name, boundary })
    }

    /// Whether it has this name (in lower case).
    pub(super) fn is(&self, name: &str) -> bool {
        self.name == name
    }

    /// Whether a body of this type has parameters in it.
    pub(super) fn is_form(&self) -> bool {
        self.is("application/x-www-form-urlencoded") || self.is("multipart/form-data")
    }
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?=".contains(&byte)
}

type Parameter = Option<(String, String)>;

/// The first `name=value` of what follows a media type's first semicolon, and what follows its
/// own.
fn parameter_of(text: &str) -> Option<(Parameter, &str)> {
    let (key, rest) = text.split_once('=')?;
    let key = key.trim_end();
    if key.is_empty() || !key.bytes().all(is_token) {
        return None;
    }
    let (value, rest) = match rest.strip_prefix('"') {
        Some(quoted) => {
            let end = quoted.find('"')?;
            (&quoted[..end], &quoted[end + 1..])
        }
        None => rest.split_at(rest.find(';').unwrap_or(rest.len())),
    };
    let rest = rest.trim_start();
    let rest = if rest.is_empty() {
        rest
    } else {
        rest.strip_prefix(';')?
    };
    Some((Some((key.to_owned(), value.trim_end().to_owned())), rest))
}

/// What a form is asked for. All else, and all that is there again, is not kept.
const FIELDS: [&str; 7] = ["q", "db", "rp", "epoch", "chunked", "chunk_size", "params"];

/// The fields of a form, each the first of its name.
pub(super) fn fields(media: &MediaType, body: &[u8]) -> Vec<(String, String)> {
    if media.is("application/x-www-form-urlencoded") {
        let text = lossy(body);
        let mut fields = Vec::new();
        for (name, value) in Query::new(&text).pairs() {
            add(&mut fields, &name, &value);
        }
        return fields;
    }
    media
        .boundary
        .as_deref()
        .map_or_else(Vec::new, |boundary| parts(boundary, body))
}

fn add(fields: &mut Vec<(String, String)>, name: &str, value: &str) {
    if FIELDS.contains(&name) && fields.iter().all(|(known, _)| known != name) {
        fields.push((name.to_owned(), value.to_owned()));
    }
}

/// The parts of a multipart body, by name. A part that is a file is its content: nothing is ever
/// opened.
fn parts(boundary: &str, body: &[u8]) -> Vec<(String, String)> {
    let delimiter = format!("--{boundary}");
    let text = lossy(body);
    let mut fields = Vec::new();
    for part in text.split(delimiter.as_str()).skip(1) {
        if part.starts_with("--") {
            break;
        }
        let part = part
            .strip_prefix("\r\n")
            .or_else(|| part.strip_prefix('\n'))
            .unwrap_or(part);
        let Some((head, content)) = part
            .split_once("\r\n\r\n")
            .or_else(|| part.split_once("\n\n"))
        else {
            continue;
        };
        let content = content
            .strip_suffix("\r\n")
            .or_else(|| content.strip_suffix('\n'));
        let name = head
            .lines()
            .find(|line| {
                line.to_ascii_lowercase()
                    .starts_with("content-disposition:")
            })
            .and_then(|line| line.split(';').find_map(|p| p.trim().strip_prefix("name=")));
        if let (Some(name), Some(content)) = (name, content) {
            add(&mut fields, name.trim_matches('"'), content);
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(header: &str, expected: Result<&str, &str>) {
        let media = MediaType::parse(Some(header));
        assert_eq!(
            media.as_ref().map(|m| m.name.as_str()).map_err(|e| *e),
            expected,
            "{header}"
        );
    }

    #[test]
    fn media_types_are_read_as_in_the_contract() {
        check("", Err("mime: no media type"));
        assert_eq!(MediaType::parse(None), Err("mime: no media type"));
        check("junk;;", Err("mime: invalid media parameter"));
        check("junk", Ok("junk"));
        check("Text/Plain; charset=utf-8", Ok("text/plain"));
        check("text/plain;", Ok("text/plain"));
        check(
            "application/vnd.influxql; x=\"a;b\"; y=z",
            Ok("application/vnd.influxql"),
        );
    }

    #[test]
    fn parts_are_read_by_name() {
        let media = MediaType::parse(Some("multipart/form-data; boundary=XX")).unwrap();
        let body = "--XX\r\nContent-Disposition: form-data; name=\"db\"\r\n\r\nmy db\r\n\
                    --XX\r\ncontent-disposition: form-data; name=\"q\"; filename=\"/etc/passwd\"\r\n\
                    Content-Type: text/plain\r\n\r\nSELECT\r\n1\r\n--XX--\r\n";
        assert_eq!(
            fields(&media, body.as_bytes()),
            [
                ("db".to_owned(), "my db".to_owned()),
                ("q".to_owned(), "SELECT\r\n1".to_owned())
            ]
        );
        assert!(fields(&media, b"garbage").is_empty());
    }

    #[test]
    fn url_encoded_forms_are_read() {
        let media = MediaType::parse(Some("application/x-www-form-urlencoded")).unwrap();
        assert_eq!(
            fields(&media, b"q=SELECT+f&db=%C3%BC"),
            [
                ("q".to_owned(), "SELECT f".to_owned()),
                ("db".to_owned(), "ü".to_owned())
            ]
        );
    }
}
