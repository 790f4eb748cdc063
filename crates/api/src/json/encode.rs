//! Writing JSON: two layouts (auth-and-resources 1.3), one way to escape.

use std::io;

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};

/// The bytes of `value`, indented by one tab per level, without a newline at the end.
pub(crate) fn pretty(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1024);
    let mut serializer = Serializer::with_formatter(&mut bytes, Layout::default());
    value
        .serialize(&mut serializer)
        .expect("our answers are plain structs and lists");
    bytes
}

/// The bytes of `value` on one line, without a newline at the end.
pub(crate) fn compact(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1024);
    let mut serializer = Serializer::with_formatter(&mut bytes, Line);
    value
        .serialize(&mut serializer)
        .expect("our answers are plain structs and lists");
    bytes
}

/// Appends `text` as a JSON string.
pub(crate) fn push_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut from = 0;
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        let escape: &[u8] = match byte {
            b'"' => b"\\\"",
            b'\\' => b"\\\\",
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            b'\t' => b"\\t",
            8 => b"\\b",
            12 => b"\\f",
            b'<' => b"\\u003c",
            b'>' => b"\\u003e",
            b'&' => b"\\u0026",
            0..=0x1f => {
                out.extend_from_slice(&bytes[from..at]);
                const HEX: &[u8; 16] = b"0123456789abcdef";
                out.extend_from_slice(b"\\u00");
                out.push(HEX[usize::from(byte >> 4)]);
                out.push(HEX[usize::from(byte & 15)]);
                from = at + 1;
                continue;
            }
            // U+2028 and U+2029 are E2 80 A8 and E2 80 A9.
            0xe2 if matches!(bytes.get(at + 1..at + 3), Some([0x80, 0xa8 | 0xa9])) => {
                out.extend_from_slice(&bytes[from..at]);
                let last = bytes[at + 2];
                out.extend_from_slice(if last == 0xa8 { b"\\u2028" } else { b"\\u2029" });
                from = at + 3;
                continue;
            }
            _ => continue,
        };
        out.extend_from_slice(&bytes[from..at]);
        out.extend_from_slice(escape);
        from = at + 1;
    }
    out.extend_from_slice(&bytes[from..]);
    out.push(b'"');
}

/// Appends bytes that should be text as a JSON string; a byte that is no UTF-8 becomes the escape
/// of U+FFFD.
pub(crate) fn push_string_bytes(text: &[u8], out: &mut Vec<u8>) {
    match std::str::from_utf8(text) {
        Ok(text) => push_string(text, out),
        Err(_) => push_replaced(&crate::text::lossy(text), out),
    }
}

/// Appends a text in which U+FFFD stands for bytes that were no UTF-8.
pub(crate) fn push_replaced(text: &str, out: &mut Vec<u8>) {
    let start = out.len();
    push_string(text, out);
    if text.contains(char::REPLACEMENT_CHARACTER) {
        let written =
            String::from_utf8_lossy(&out[start..]).replace(char::REPLACEMENT_CHARACTER, "\\ufffd");
        out.truncate(start);
        out.extend_from_slice(written.as_bytes());
    }
}

/// The indented layout (auth-and-resources 1.3) for `serde_json`.
#[derive(Default)]
struct Layout {
    /// How many values are open.
    depth: usize,
    /// Whether the value that was open last has anything in it.
    filled: bool,
}

impl Layout {
    fn open<W: ?Sized + io::Write>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth += 1;
        self.filled = false;
        writer.write_all(bracket)
    }

    fn close<W: ?Sized + io::Write>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth -= 1;
        if self.filled {
            self.new_line(writer)?;
        }
        writer.write_all(bracket)
    }

    fn item<W: ?Sized + io::Write>(&self, writer: &mut W, first: bool) -> io::Result<()> {
        if !first {
            writer.write_all(b",")?;
        }
        self.new_line(writer)
    }

    fn new_line<W: ?Sized + io::Write>(&self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b"\n")?;
        for _ in 0..self.depth {
            writer.write_all(b"\t")?;
        }
        Ok(())
    }
}

impl Formatter for Layout {
    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open(writer, b"[")
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close(writer, b"]")
    }

    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        w: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.item(w, first)
    }

    fn end_array_value<W: ?Sized + io::Write>(&mut self, _writer: &mut W) -> io::Result<()> {
        self.filled = true;
        Ok(())
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open(writer, b"{")
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close(writer, b"}")
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        w: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.item(w, first)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }

    fn end_object_value<W: ?Sized + io::Write>(&mut self, _writer: &mut W) -> io::Result<()> {
        self.filled = true;
        Ok(())
    }

    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        write_fragment(writer, fragment)
    }
}

/// The layout without blanks (auth-and-resources 1.3) for `serde_json`.
struct Line;

impl Formatter for Line {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        write_fragment(writer, fragment)
    }
}

/// Writes a part of a text that JSON itself need not escape.
fn write_fragment<W: ?Sized + io::Write>(writer: &mut W, fragment: &str) -> io::Result<()> {
    if !fragment.contains(['<', '>', '&', '\u{2028}', '\u{2029}']) {
        return CompactFormatter.write_string_fragment(writer, fragment);
    }
    let mut escaped = Vec::with_capacity(fragment.len() + 16);
    push_string(fragment, &mut escaped);
    writer.write_all(&escaped[1..escaped.len() - 1])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn documents_are_indented_by_tabs() {
        let value = json!({"a": [1, {"b": "x&<y>"}], "c": [], "d": {}});
        assert_eq!(
            String::from_utf8(pretty(&value)).unwrap(),
            "{\n\t\"a\": [\n\t\t1,\n\t\t{\n\t\t\t\"b\": \"x\\u0026\\u003cy\\u003e\"\n\t\t}\n\t],\n\t\"c\": [],\n\t\"d\": {}\n}"
        );
    }

    #[test]
    fn documents_fit_on_one_line() {
        let value = json!({"a": [1, {"b": "x&<y>"}], "c": []});
        assert_eq!(
            String::from_utf8(compact(&value)).unwrap(),
            r#"{"a":[1,{"b":"x\u0026\u003cy\u003e"}],"c":[]}"#
        );
    }

    #[test]
    fn strings_are_escaped_as_the_contract_says() {
        let mut out = Vec::new();
        push_string_bytes("a\"\\\n\u{1}\u{2028}ü".as_bytes(), &mut out);
        push_string_bytes(b"\xff", &mut out);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "\"a\\\"\\\\\\n\\u0001\\u2028ü\"\"\\ufffd\""
        );
    }
}
