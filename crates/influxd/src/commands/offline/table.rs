//! Tables as 2.x prints them: columns at stops of eight, filled up with tabs (influxd-cli 11.3).

/// The lines of a table, headers first. Every row has as many cells as there are headers.
pub(super) fn lines(headers: &[&str], rows: &[Vec<String>]) -> String {
    let widths: Vec<usize> = headers
        .iter()
        .enumerate()
        .map(|(at, header)| {
            let cells = rows.iter().map(|row| length(&row[at]));
            let longest = cells.max().unwrap_or_default().max(length(header));
            (longest + 1).next_multiple_of(STOP)
        })
        .collect();
    let mut text = String::new();
    let headers: Vec<String> = headers.iter().map(|h| (*h).to_owned()).collect();
    for row in std::iter::once(&headers).chain(rows) {
        for (at, cell) in row.iter().enumerate() {
            text.push_str(cell);
            if at + 1 < row.len() {
                let missing = widths[at] - length(cell);
                text.extend(std::iter::repeat_n('\t', missing.div_ceil(STOP)));
            }
        }
        text.push('\n');
    }
    text
}

/// How far apart tab stops are, characters.
const STOP: usize = 8;

fn length(cell: &str) -> usize {
    cell.chars().count()
}

/// A cell of foreign text: what would break the table is shown as a blank.
pub(super) fn cell(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_begin_at_common_stops() {
        let rows = [
            vec!["08371db1dd8c8000".to_owned(), "testuser".to_owned()],
            vec!["0000000000000001".to_owned(), "x".to_owned()],
        ];
        assert_eq!(
            lines(&["ID", "Name"], &rows),
            "ID\t\t\tName\n08371db1dd8c8000\ttestuser\n0000000000000001\tx\n"
        );
        assert_eq!(lines(&["ID", "Name"], &[]), "ID\tName\n");
        let rows = [vec!["1234567".to_owned(), String::new(), "z".to_owned()]];
        assert_eq!(lines(&["a", "b", "c"], &rows), "a\tb\tc\n1234567\t\tz\n");
    }

    #[test]
    fn cells_stay_on_their_line() {
        assert_eq!(cell("a\tb\nc\u{1b}[1m"), "a b c [1m");
    }
}
