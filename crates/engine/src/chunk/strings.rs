//! Many byte strings in one buffer.

use std::ops::Range;

use super::bitmap::Bitmap;

/// A list of byte strings; they need not be UTF-8.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Strings {
    /// Where each string ends; it begins where the one before ends.
    ends: Vec<usize>,
    bytes: Vec<u8>,
}

impl Strings {
    /// No strings.
    pub const fn new() -> Self {
        Self {
            ends: Vec::new(),
            bytes: Vec::new(),
        }
    }

    /// No strings, with room for `count` of them, `bytes` long in all.
    pub fn with_capacity(count: usize, bytes: usize) -> Self {
        Self {
            ends: Vec::with_capacity(count),
            bytes: Vec::with_capacity(bytes),
        }
    }

    /// How many strings.
    pub const fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no string.
    pub const fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// How many bytes all strings have together.
    pub const fn byte_len(&self) -> usize {
        self.bytes.len()
    }

    /// The string at `index`.
    ///
    /// # Panics
    /// If `index` is not below [`Self::len`].
    #[inline]
    pub fn get(&self, index: usize) -> &[u8] {
        &self.bytes[self.start(index)..self.ends[index]]
    }

    /// How many bytes the string at `index` has.
    ///
    /// # Panics
    /// If `index` is not below [`Self::len`].
    #[inline]
    pub fn len_at(&self, index: usize) -> usize {
        self.ends[index] - self.start(index)
    }

    #[inline]
    fn start(&self, index: usize) -> usize {
        if index == 0 { 0 } else { self.ends[index - 1] }
    }

    /// Adds a string.
    #[inline]
    pub fn push(&mut self, string: &[u8]) {
        self.bytes.extend_from_slice(string);
        self.ends.push(self.bytes.len());
    }

    /// Adds the empty string `count` times.
    pub fn push_empty(&mut self, count: usize) {
        self.ends.resize(self.ends.len() + count, self.bytes.len());
    }

    /// Adds the strings of `range` of another list.
    ///
    /// # Panics
    /// If the range is not within the other list.
    pub fn extend_range(&mut self, other: &Self, range: Range<usize>) {
        if range.is_empty() {
            return;
        }
        let from = other.start(range.start);
        let to = other.ends[range.end - 1];
        let base = self.bytes.len();
        self.bytes.extend_from_slice(&other.bytes[from..to]);
        self.ends
            .extend(other.ends[range].iter().map(|end| end - from + base));
    }

    /// Shortens it to `len` strings; does nothing if it has no more.
    pub fn truncate(&mut self, len: usize) {
        if len < self.ends.len() {
            self.bytes.truncate(self.start(len));
            self.ends.truncate(len);
        }
    }

    /// The strings in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> + Clone + '_ {
        let mut start = 0;
        self.ends
            .iter()
            .map(move |&end| &self.bytes[std::mem::replace(&mut start, end)..end])
    }

    /// All bytes, one string after the other.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Makes a list of strings of the given lengths out of `bytes`; `None` if they do not add up.
    pub(super) fn from_lengths(lengths: &[usize], bytes: Vec<u8>) -> Option<Self> {
        let mut end = 0_usize;
        let mut ends = Vec::with_capacity(lengths.len());
        for length in lengths {
            end = end.checked_add(*length)?;
            ends.push(end);
        }
        (end == bytes.len()).then_some(Self { ends, bytes })
    }

    /// Adds the strings to others at the rows that are present, and empty ones at the rest.
    pub(super) fn spread(&self, present: &Bitmap, out: &mut Self) {
        let start = out.len();
        out.bytes.reserve(self.byte_len());
        out.ends.reserve(present.len());
        for (string, row) in self.iter().zip(present.ones()) {
            out.push_empty(start + row - out.len());
            out.push(string);
        }
        out.push_empty(start + present.len() - out.len());
    }

    /// Bytes that it takes on the heap.
    pub(super) fn heap_bytes(&self) -> usize {
        self.ends.capacity() * size_of::<usize>() + self.bytes.capacity()
    }
}

impl<S: AsRef<[u8]>> FromIterator<S> for Strings {
    fn from_iter<I: IntoIterator<Item = S>>(strings: I) -> Self {
        let mut list = Self::new();
        list.extend(strings);
        list
    }
}

impl<S: AsRef<[u8]>> Extend<S> for Strings {
    fn extend<I: IntoIterator<Item = S>>(&mut self, strings: I) {
        let strings = strings.into_iter();
        self.ends.reserve(strings.size_hint().0);
        for string in strings {
            self.push(string.as_ref());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn behaves_like_a_list_of_strings() {
        let mut strings: Strings = ["a", "", "bcd", "ef"].into_iter().collect();
        strings.push_empty(2);
        let copy = strings.clone();
        strings.extend_range(&copy, 1..4);
        strings.extend_range(&copy, 2..2);
        let all: Vec<&[u8]> = strings.iter().collect();
        assert_eq!(
            all,
            [&b"a"[..], b"", b"bcd", b"ef", b"", b"", b"", b"bcd", b"ef"]
        );
        assert_eq!(
            (strings.get(2), strings.len_at(2), strings.len()),
            (&b"bcd"[..], 3, 9)
        );
        strings.truncate(3);
        assert_eq!((strings.len(), strings.byte_len()), (3, 4));
        strings.push(b"\xff");
        assert_eq!(strings.get(3), b"\xff");
        strings.truncate(0);
        assert!(strings.is_empty() && strings.byte_len() == 0);
    }

    #[test]
    fn lengths_must_add_up() {
        assert!(Strings::from_lengths(&[1, 2], b"abc".to_vec()).is_some());
        assert!(Strings::from_lengths(&[1, 1], b"abc".to_vec()).is_none());
        assert!(Strings::from_lengths(&[usize::MAX, 4], b"abc".to_vec()).is_none());
    }
}
