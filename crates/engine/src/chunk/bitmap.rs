//! Bits, one per row.

use std::ops::Range;

const WORD: usize = 64;

/// A growing list of bits. Bits of the last word past the end are always 0.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bitmap {
    words: Vec<u64>,
    len: usize,
}

impl Bitmap {
    /// No bits.
    pub const fn new() -> Self {
        Self {
            words: Vec::new(),
            len: 0,
        }
    }

    /// `len` bits, all the same.
    pub fn filled(bit: bool, len: usize) -> Self {
        let mut bitmap = Self::new();
        bitmap.push_many(bit, len);
        bitmap
    }

    /// How many bits.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no bit.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The bit at `index`; false past the end.
    #[inline]
    pub fn get(&self, index: usize) -> bool {
        self.words
            .get(index / WORD)
            .is_some_and(|word| word >> (index % WORD) & 1 == 1)
    }

    /// Changes a bit.
    ///
    /// # Panics
    /// If `index` is not below [`Self::len`].
    #[inline]
    pub fn set(&mut self, index: usize, bit: bool) {
        assert!(index < self.len, "a bit is set within the bitmap");
        let mask = 1 << (index % WORD);
        let word = &mut self.words[index / WORD];
        if bit {
            *word |= mask;
        } else {
            *word &= !mask;
        }
    }

    /// Adds a bit.
    #[inline]
    pub fn push(&mut self, bit: bool) {
        let shift = self.len % WORD;
        if shift == 0 {
            self.words.push(u64::from(bit));
        } else if let Some(last) = self.words.last_mut() {
            *last |= u64::from(bit) << shift;
        }
        self.len += 1;
    }

    /// Adds the same bit `count` times.
    pub fn push_many(&mut self, bit: bool, count: usize) {
        let start = self.len;
        self.len += count;
        self.words
            .resize(self.len.div_ceil(WORD), if bit { u64::MAX } else { 0 });
        if bit {
            // A word begun before was not touched by the resize.
            let shift = start % WORD;
            if shift != 0 {
                self.words[start / WORD] |= u64::MAX << shift;
            }
            self.clear_tail();
        }
    }

    /// Adds `count` bits, at most 64, the first being the lowest of `bits`.
    #[inline]
    fn push_word(&mut self, bits: u64, count: usize) {
        debug_assert!(count <= WORD);
        if count == 0 {
            return;
        }
        let bits = if count == WORD {
            bits
        } else {
            bits & ((1 << count) - 1)
        };
        let shift = self.len % WORD;
        if shift == 0 {
            self.words.push(bits);
        } else {
            if let Some(last) = self.words.last_mut() {
                *last |= bits << shift;
            }
            if shift + count > WORD {
                self.words.push(bits >> (WORD - shift));
            }
        }
        self.len += count;
    }

    /// Adds the bits of `range` of another bitmap; false for those past its end.
    pub fn extend_range(&mut self, other: &Self, range: Range<usize>) {
        self.words.reserve(range.len().div_ceil(WORD));
        let mut at = range.start;
        while at < range.end {
            let count = (range.end - at).min(WORD);
            let (word, shift) = (at / WORD, at % WORD);
            let low = other.words.get(word).copied().unwrap_or(0) >> shift;
            let high = match shift {
                0 => 0,
                _ => other.words.get(word + 1).copied().unwrap_or(0) << (WORD - shift),
            };
            self.push_word(low | high, count);
            at += count;
        }
    }

    /// Shortens it to `len` bits; does nothing if it has no more.
    pub fn truncate(&mut self, len: usize) {
        if len < self.len {
            self.len = len;
            self.words.truncate(len.div_ceil(WORD));
            self.clear_tail();
        }
    }

    fn clear_tail(&mut self) {
        let used = self.len % WORD;
        if used != 0
            && let Some(last) = self.words.last_mut()
        {
            *last &= (1 << used) - 1;
        }
    }

    /// How many bits are set.
    pub fn count_ones(&self) -> usize {
        self.words
            .iter()
            .map(|word| word.count_ones() as usize)
            .sum()
    }

    /// How many bits of `range` are set.
    pub fn count_ones_in(&self, range: Range<usize>) -> usize {
        if range.is_empty() {
            return 0;
        }
        let (first, last) = (range.start / WORD, (range.end - 1) / WORD);
        let mut count = 0;
        for (index, &word) in self.words.iter().enumerate().take(last + 1).skip(first) {
            let mut word = word;
            if index == first {
                word &= u64::MAX << (range.start % WORD);
            }
            if index == last {
                word &= u64::MAX >> (WORD - 1 - (range.end - 1) % WORD);
            }
            count += word.count_ones() as usize;
        }
        count
    }

    /// Whether every bit is set (true if there is none).
    pub fn all(&self) -> bool {
        self.count_ones() == self.len
    }

    /// The places of the bits set, in ascending order.
    pub fn ones(&self) -> Ones<'_> {
        Ones {
            words: &self.words,
            word: self.words.first().copied().unwrap_or(0),
            base: 0,
        }
    }

    /// All bits in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = bool> + '_ {
        (0..self.len).map(|index| self.words[index / WORD] >> (index % WORD) & 1 == 1)
    }

    /// The bits, 64 to a word, the first the lowest. Those past the end are 0.
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// Appends [`Self::byte_len`] bytes of 8 bits each, the first the lowest.
    pub(super) fn write_to(&self, out: &mut Vec<u8>) {
        let end = out.len() + Self::byte_len(self.len);
        for word in &self.words {
            out.extend_from_slice(&word.to_le_bytes());
        }
        out.truncate(end);
    }

    /// How many bytes `len` bits are.
    pub(super) const fn byte_len(len: usize) -> usize {
        len.div_ceil(8)
    }

    /// The inverse of [`Self::write_to`]. Bytes that are missing count as 0.
    pub(super) fn read_from(bytes: &[u8], len: usize) -> Self {
        let mut words = Vec::with_capacity(len.div_ceil(WORD));
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            words.push(u64::from_le_bytes(word));
        }
        words.resize(len.div_ceil(WORD), 0);
        let mut bitmap = Self { words, len };
        bitmap.clear_tail();
        bitmap
    }

    /// Bytes that it takes on the heap.
    pub(super) fn heap_bytes(&self) -> usize {
        self.words.capacity() * 8
    }
}

impl FromIterator<bool> for Bitmap {
    fn from_iter<I: IntoIterator<Item = bool>>(bits: I) -> Self {
        let mut bitmap = Self::new();
        for bit in bits {
            bitmap.push(bit);
        }
        bitmap
    }
}

/// The places of the bits set: see [`Bitmap::ones`].
#[derive(Debug, Clone)]
pub struct Ones<'a> {
    words: &'a [u64],
    word: u64,
    base: usize,
}

impl Iterator for Ones<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.word == 0 {
            self.words = self.words.get(1..)?;
            self.word = *self.words.first()?;
            self.base += WORD;
        }
        let bit = self.word.trailing_zeros() as usize;
        self.word &= self.word - 1;
        Some(self.base + bit)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn behaves_like_a_list_of_bools(
            bits in prop::collection::vec(any::<bool>(), 0..300),
            runs in prop::collection::vec((any::<bool>(), 0..150_usize), 0..4),
            cut in 0..400_usize,
            span in (0..300_usize, 0..300_usize),
        ) {
            let mut expected = bits.clone();
            let mut bitmap: Bitmap = bits.iter().copied().collect();
            for (bit, count) in runs {
                expected.extend(std::iter::repeat_n(bit, count));
                bitmap.push_many(bit, count);
            }
            let range = span.0.min(span.1).min(expected.len())..span.1.max(span.0).min(expected.len());
            prop_assert_eq!(
                bitmap.count_ones_in(range.clone()),
                expected[range.clone()].iter().filter(|bit| **bit).count()
            );
            let copy = bitmap.clone();
            bitmap.extend_range(&copy, range.clone());
            expected.extend_from_within(range);
            bitmap.truncate(cut);
            expected.truncate(cut);

            prop_assert_eq!(bitmap.iter().collect::<Vec<_>>(), expected.clone());
            prop_assert_eq!(bitmap.len(), expected.len());
            prop_assert_eq!(bitmap.all(), expected.iter().all(|bit| *bit));
            let ones: Vec<usize> = (0..expected.len()).filter(|i| expected[*i]).collect();
            prop_assert_eq!(bitmap.ones().collect::<Vec<_>>(), ones.clone());
            prop_assert_eq!(bitmap.count_ones(), ones.len());

            let mut bytes = Vec::new();
            bitmap.write_to(&mut bytes);
            prop_assert_eq!(bytes.len(), Bitmap::byte_len(bitmap.len()));
            prop_assert_eq!(&Bitmap::read_from(&bytes, bitmap.len()), &bitmap);
            prop_assert_eq!(&expected.iter().copied().collect::<Bitmap>(), &bitmap);
        }
    }

    #[test]
    fn a_bit_can_be_changed() {
        let mut bitmap = Bitmap::filled(false, 70);
        bitmap.set(69, true);
        bitmap.set(3, true);
        bitmap.set(3, false);
        assert_eq!(bitmap.ones().collect::<Vec<_>>(), [69]);
        assert!(!bitmap.get(70) && bitmap.get(69));
    }
}
