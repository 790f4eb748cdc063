//! How the rows of a chunk are cut into pages, pages into segments, and bytes into pieces.

use std::ops::Range;

use super::bytes::{HEADER_LEN, TRAILER_LEN};
use super::{MAX_PAGE_ROWS, MAX_ROWS, Strings};

/// No piece is larger, nor is a page.
pub(super) const MAX_PIECE_BYTES: usize = 1 << 30;

/// How large the parts of a chunk are (storage study 8.3). Smaller ones are for tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// The most rows of a page; at most [`MAX_PAGE_ROWS`].
    pub page_rows: usize,
    /// A page ends before one of its string columns passes this many bytes.
    pub page_text: usize,
    /// The most rows of a segment, whose pages share one table of codes per column.
    pub segment_rows: usize,
    /// The most bytes of a piece, unless a single page has more.
    pub piece_bytes: usize,
}

impl Default for Sizes {
    fn default() -> Self {
        Self {
            page_rows: 4096,
            page_text: 1 << 20,
            segment_rows: 1 << 20,
            piece_bytes: 64 << 10,
        }
    }
}

/// Where the pages of a chunk end: the same places for all its columns.
#[derive(Debug, Clone)]
pub struct PagePlan {
    pub(super) sizes: Sizes,
    /// The end of each page, in rows.
    pub(super) ends: Vec<usize>,
}

impl PagePlan {
    /// Pages for series with so many rows each, in the order of the chunk. A series that does not
    /// fit into a page gets equal pages of its own; others share pages.
    pub fn new(series_rows: impl IntoIterator<Item = usize>, sizes: Sizes) -> Self {
        let page_rows = sizes.page_rows.clamp(1, MAX_PAGE_ROWS);
        // What can be read again, whatever was asked for.
        let segment_rows = sizes.segment_rows.min(MAX_ROWS / 4);
        let piece_bytes = sizes.piece_bytes.min(MAX_PIECE_BYTES);
        let sizes = Sizes {
            page_rows,
            segment_rows,
            piece_bytes,
            ..sizes
        };
        let mut ends = Vec::new();
        let (mut start, mut end) = (0, 0);
        for rows in series_rows {
            if end > start && end - start + rows > page_rows {
                ends.push(end);
                start = end;
            }
            if rows > page_rows {
                let pages = rows.div_ceil(page_rows);
                ends.extend((1..=pages).map(|page| end + rows * page / pages));
                start = end + rows;
            }
            end += rows;
        }
        if end > start {
            ends.push(end);
        }
        Self { sizes, ends }
    }

    /// Ends pages earlier where a column of strings has too many bytes. Call it for every string
    /// column of the chunk.
    pub fn limit_text(&mut self, strings: &Strings) {
        if strings.byte_len() <= self.sizes.page_text {
            return;
        }
        let mut ends = Vec::with_capacity(self.ends.len());
        let mut start = 0;
        for &end in &self.ends {
            let mut bytes = 0;
            for row in start..end {
                let length = strings.len_at(row);
                if bytes > 0 && length > 0 && bytes + length > self.sizes.page_text {
                    ends.push(row);
                    bytes = 0;
                }
                bytes += length;
            }
            ends.push(end);
            start = end;
        }
        self.ends = ends;
    }

    /// How many rows all pages have.
    pub(super) fn rows(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    /// The rows of each page.
    pub(super) fn pages(&self) -> impl ExactSizeIterator<Item = Range<usize>> + Clone + '_ {
        let mut start = 0;
        self.ends
            .iter()
            .map(move |&end| std::mem::replace(&mut start, end)..end)
    }

    /// The pages of each segment.
    pub(super) fn segments(&self) -> Vec<Range<usize>> {
        let mut segments = Vec::new();
        let (mut first_page, mut first_row) = (0, 0);
        for (page, rows) in self.pages().enumerate() {
            if page > first_page && rows.end - first_row > self.sizes.segment_rows {
                segments.push(first_page..page);
                (first_page, first_row) = (page, rows.start);
            }
        }
        if first_page < self.ends.len() {
            segments.push(first_page..self.ends.len());
        }
        segments
    }
}

/// Where the pages of a column lie: one after the other, in the next piece if the piece would
/// become too large.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    piece_bytes: usize,
    piece: usize,
    end: usize,
}

impl Layout {
    pub(super) const fn new(piece_bytes: usize) -> Self {
        Self {
            piece_bytes,
            piece: 0,
            end: HEADER_LEN,
        }
    }

    /// The piece of the next page, which has `length` bytes (not 0), and where it begins there.
    pub(super) const fn place(&mut self, length: usize) -> (usize, usize) {
        let fits = self.end + length + TRAILER_LEN <= self.piece_bytes;
        if !fits && self.end > HEADER_LEN {
            self.piece += 1;
            self.end = HEADER_LEN;
        }
        let start = self.end;
        self.end += length;
        (self.piece, start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(series: &[usize], page_rows: usize) -> PagePlan {
        let sizes = Sizes {
            page_rows,
            page_text: 10,
            segment_rows: 20,
            piece_bytes: 100,
        };
        PagePlan::new(series.iter().copied(), sizes)
    }

    #[test]
    fn small_series_share_pages_and_large_ones_have_equal_pages() {
        assert_eq!(plan(&[], 10).ends, [0; 0]);
        assert_eq!(plan(&[0, 0], 10).ends, [0; 0]);
        assert_eq!(plan(&[3, 0, 7, 1], 10).ends, [10, 11]);
        assert_eq!(plan(&[3, 8, 2], 10).ends, [3, 13]);
        assert_eq!(plan(&[1, 25, 1, 2], 10).ends, [1, 9, 17, 26, 29]);
        assert_eq!(plan(&[10, 11], 10).ends, [10, 15, 21]);
    }

    #[test]
    fn text_ends_pages() {
        let mut plan = plan(&[8], 10);
        let lengths = [4, 4, 4, 11, 0, 0, 10, 1];
        plan.limit_text(&lengths.iter().map(|&length| vec![b'x'; length]).collect());
        assert_eq!(plan.ends, [2, 3, 6, 7, 8]);
    }

    #[test]
    fn segments_hold_whole_pages() {
        assert_eq!(plan(&[25, 10, 10, 5], 10).segments(), [0..2, 2..4, 4..6]);
        assert_eq!(plan(&[], 10).segments(), [0..0; 0]);
    }

    #[test]
    fn a_piece_is_full_or_holds_one_page() {
        let mut layout = Layout::new(100);
        let places: Vec<_> = [50, 42, 1, 200, 92]
            .map(|length| layout.place(length))
            .into();
        assert_eq!(places, [(0, 4), (0, 54), (1, 4), (2, 4), (3, 4)]);
    }
}
