//! Series keys as they are written, and which series of which table each means.
//!
//! Keys lie in one arena; a key is found by guessing (the series that followed the last one the
//! last time) or by hash, and is only taken apart when it is new (storage study 6).

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

/// Where a key leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Target {
    /// The measurement's table.
    pub(super) table: u32,
    /// The series in that table.
    pub(super) series: u32,
}

#[derive(Debug)]
struct Entry {
    start: u32,
    length: u32,
    target: Target,
    /// The key that came after this one the last time.
    next: u32,
}

/// All spellings of the series keys of one bucket.
#[derive(Debug, Default)]
pub(super) struct Keys {
    arena: Vec<u8>,
    entries: Vec<Entry>,
    by_hash: HashTable<u32>,
    hasher: RandomState,
    last: u32,
    guess: u32,
}

impl Keys {
    /// Bytes that the keys take up, about.
    pub(super) fn bytes(&self) -> usize {
        self.arena.capacity() + self.entries.capacity() * (size_of::<Entry>() + 5)
    }

    /// The key that is expected next; empty if there is no guess.
    pub(super) fn guess(&self) -> &[u8] {
        self.entries
            .get(self.guess as usize)
            .map_or(&[], |e| self.text(e))
    }

    /// The guess was right.
    pub(super) fn take_guess(&mut self) -> Target {
        self.last = self.guess;
        let entry = &self.entries[self.guess as usize];
        self.guess = entry.next;
        entry.target
    }

    /// Looks a key up, and learns that it follows the one before.
    pub(super) fn find(&mut self, raw: &[u8]) -> Option<Target> {
        let hash = self.hasher.hash_one(raw);
        let found = *self
            .by_hash
            .find(hash, |i| self.text(&self.entries[*i as usize]) == raw)?;
        self.follow(found);
        Some(self.entries[found as usize].target)
    }

    /// Adds a key that [`Self::find`] did not find.
    pub(super) fn insert(&mut self, raw: &[u8], target: Target) {
        let number = self.entries.len() as u32;
        let (start, length) = (self.arena.len() as u32, raw.len() as u32);
        self.arena.extend_from_slice(raw);
        self.entries.push(Entry {
            start,
            length,
            target,
            next: number,
        });
        let hash = self.hasher.hash_one(raw);
        let Self {
            by_hash,
            entries,
            arena,
            hasher,
            ..
        } = self;
        by_hash.insert_unique(hash, number, |i| {
            let e = &entries[*i as usize];
            hasher.hash_one(&arena[e.start as usize..(e.start + e.length) as usize])
        });
        self.follow(number);
    }

    fn follow(&mut self, number: u32) {
        if let Some(last) = self.entries.get_mut(self.last as usize) {
            last.next = number;
        }
        self.last = number;
        self.guess = self.entries[number as usize].next;
    }

    fn text(&self, entry: &Entry) -> &[u8] {
        &self.arena[entry.start as usize..(entry.start + entry.length) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(n: u32) -> Target {
        Target {
            table: n,
            series: n,
        }
    }

    #[test]
    fn keys_that_come_in_turn_are_guessed() {
        let mut keys = Keys::default();
        assert_eq!(keys.guess(), b"");
        for (n, key) in [b"cpu,h=a", b"cpu,h=b", b"cpu,h=c"].iter().enumerate() {
            assert_eq!(keys.find(*key), None);
            keys.insert(*key, target(n as u32));
        }
        assert_eq!(keys.find(b"cpu,h=a"), Some(target(0)));
        for n in [1, 2, 0, 1] {
            assert_eq!(
                keys.guess(),
                [b"cpu,h=a", b"cpu,h=b", b"cpu,h=c"][n as usize]
            );
            assert_eq!(keys.take_guess(), target(n));
        }
    }
}
