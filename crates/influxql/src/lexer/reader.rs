//! Letters with their positions, some of which can be put back.

use std::str::Chars;

/// How many letters can be looked back at.
const RING: usize = 4;

/// A place in the text: both count from zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Pos {
    pub(crate) line: usize,
    pub(crate) char: usize,
}

/// Reads letters; a carriage return, alone or before a newline, counts as one newline. The end can
/// be read too, and the first time it takes up a position like a letter.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    rest: Chars<'a>,
    ring: [(Option<char>, Pos); RING],
    /// Where in the ring the last letter from the text is.
    last: usize,
    /// How many letters have been put back.
    unread: usize,
    next: Pos,
    ended: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            rest: text.chars(),
            ring: [(None, Pos::default()); RING],
            last: 0,
            unread: 0,
            next: Pos::default(),
            ended: false,
        }
    }

    /// The next letter; none at the end.
    pub(super) fn read(&mut self) -> Option<char> {
        if self.unread > 0 {
            self.unread -= 1;
            return self.current().0;
        }
        let mut letter = self.rest.next();
        if letter == Some('\r') {
            let after = self.rest.as_str();
            self.rest = after.strip_prefix('\n').unwrap_or(after).chars();
            letter = Some('\n');
        }
        self.last = (self.last + 1) % RING;
        self.ring[self.last] = (letter, self.next);
        if letter == Some('\n') {
            self.next = Pos {
                line: self.next.line + 1,
                char: 0,
            };
        } else if !self.ended {
            self.next.char += 1;
        }
        self.ended |= letter.is_none();
        letter
    }

    /// Puts the last letter back.
    pub(super) fn unread(&mut self) {
        self.unread += 1;
        debug_assert!(
            self.unread < RING,
            "only letters that are remembered can be put back"
        );
    }

    /// Where the last letter was.
    pub(super) fn pos(&self) -> Pos {
        self.current().1
    }

    /// Where the letter before the last one was.
    pub(super) fn pos_before(&self) -> Pos {
        self.ring[(self.last + 2 * RING - self.unread - 1) % RING].1
    }

    /// Whether what comes next begins so.
    pub(super) fn starts_with(&self, text: &str) -> bool {
        let again = (0..self.unread)
            .rev()
            .map(|back| self.ring[(self.last + RING - back) % RING].0);
        let mut ahead = again.chain(self.rest.clone().map(Some));
        text.chars()
            .all(|letter| ahead.next() == Some(Some(letter)))
    }

    fn current(&self) -> (Option<char>, Pos) {
        self.ring[(self.last + RING - self.unread) % RING]
    }
}
