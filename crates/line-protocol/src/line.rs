//! How far a line reaches that cannot be read.

use crate::key::key_end;

/// The length of the line that starts here, without the line feed that ends it.
///
/// For lines that could not be read, when the walk over their parts has stopped somewhere in the
/// middle; it ends those that can be read where the walk did. A line feed in a quoted field value
/// belongs to the line (data-endpoints 10.1), and a value can only begin where more `=` than
/// commas have come: elsewhere in the line quotes have no meaning.
pub(crate) fn line_length(rest: &[u8]) -> usize {
    let mut at = match key_end(rest) {
        Ok(space) => space,
        Err(length) => return length,
    };
    let (mut quoted, mut equals, mut commas) = (false, 0, 0);
    while let Some(&byte) = rest.get(at) {
        match byte {
            b'\n' if !quoted => break,
            // Takes the next byte along, but never the end of the line.
            b'\\' if quoted || rest.get(at + 1) != Some(&b'\n') => at += 1,
            b'"' if equals > commas => quoted = !quoted,
            b'=' if !quoted => equals += 1,
            b',' if !quoted => commas += 1,
            _ => {}
        }
        at += 1;
    }
    at.min(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `|` marks where the line ends.
    fn check(marked: &str) {
        let length = marked.find('|').unwrap();
        let body = marked.replacen('|', "", 1);
        assert_eq!(line_length(body.as_bytes()), length, "{marked}");
    }

    #[test]
    fn a_line_ends_at_a_line_feed_outside_quoted_values() {
        check("m f=1|\nm f=2");
        check("m f=1|");
        check("m f=\"a\nb\" 1|\nm");
        check("m f=x,g=\"a\nb\"|\nm");
        check("m f=\"a\\\"\nb\"|\nm");
        check("m f=\"a\\\\\"|\nb\"\nm");
        check("m f=\"a\nb|");
        check("m f=\"a\\|");
    }

    #[test]
    fn quotes_elsewhere_have_no_meaning() {
        check("m\",t=\"a|\nb\" f=1");
        check("m \"f=1,g\"=2|\n\"");
        check("m f|=1".replace('|', "\"|\n").as_str());
    }

    #[test]
    fn a_backslash_does_not_hide_the_end_of_the_line() {
        check("m\\|\n f=1");
        check("m f\\|\n=1");
        check("m\\ x|\n f=1");
    }
}
