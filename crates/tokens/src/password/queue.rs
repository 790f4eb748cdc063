//! Whose password is hashed next: a queue per address, served in turn.
//!
//! Nobody starves: addresses take turns whatever the length of their queues, those without failures
//! come before those with, and those with come at least every fourth time. When all places are
//! taken, a newcomer gets the last place of whoever has most.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::time::Instant;

/// How many may wait at once.
pub(super) const PLACES: usize = 1_024;
/// How many of one address may wait at once.
pub(super) const PLACES_EACH: usize = 128;

/// Who shares a queue: an IPv4 address, or the /64 network of an IPv6 one, of which a single host
/// has all addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Origin(IpAddr);

impl From<IpAddr> for Origin {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(v6) => {
                let network = u128::from(v6) & !u128::from(u64::MAX);
                IpAddr::V6(Ipv6Addr::from(network))
            }
            v4 @ IpAddr::V4(_) => v4,
        })
    }
}

/// Somebody who waits.
#[derive(Debug)]
struct Waiting<T> {
    /// Not before this instant.
    due: Instant,
    /// Whether nothing is held against them.
    clean: bool,
    what: T,
}

/// What waits, by origin.
#[derive(Debug)]
pub(super) struct Queue<T> {
    waiting: HashMap<Origin, VecDeque<Waiting<T>>>,
    /// All origins that wait, in the order of their turns.
    turns: VecDeque<Origin>,
    len: usize,
    served: u64,
}

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next<T> {
    /// This.
    Now(T),
    /// Something, but not before this instant.
    At(Instant),
    /// Nothing waits.
    Nothing,
}

/// What became of a newcomer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entered<T> {
    /// It waits.
    Waits,
    /// It waits, and this had to leave.
    Instead(T),
    /// There is no place for it.
    Full(T),
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self {
            waiting: HashMap::new(),
            turns: VecDeque::new(),
            len: 0,
            served: 0,
        }
    }
}

impl<T> Queue<T> {
    /// How many wait.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Puts `what` behind what waits of the same origin, not to be served before `due`; `clean`:
    /// nothing is held against it.
    pub(super) fn enter(
        &mut self,
        origin: Origin,
        due: Instant,
        clean: bool,
        what: T,
    ) -> Entered<T> {
        let own = self.waiting.get(&origin).map_or(0, VecDeque::len);
        if own >= PLACES_EACH {
            return Entered::Full(what);
        }
        let mut left = None;
        if self.len >= PLACES {
            let longest = self.waiting.iter().max_by_key(|(_, queue)| queue.len());
            match longest {
                Some((longest, queue)) if queue.len() > own + 1 => left = self.last_of(*longest),
                _ => return Entered::Full(what),
            }
        }
        let queue = self.waiting.entry(origin).or_default();
        if queue.is_empty() {
            self.turns.push_back(origin);
        }
        queue.push_back(Waiting { due, clean, what });
        self.len += 1;
        left.map_or(Entered::Waits, Entered::Instead)
    }

    /// Takes the last of an origin that has several.
    fn last_of(&mut self, origin: Origin) -> Option<T> {
        let last = self.waiting.get_mut(&origin)?.pop_back()?;
        self.len -= 1;
        Some(last.what)
    }

    /// Takes what comes next at `now`.
    pub(super) fn next(&mut self, now: Instant) -> Next<T> {
        if self.len == 0 {
            return Next::Nothing;
        }
        let prefer_clean = self.served % 4 != 3;
        let (mut preferred, mut any, mut soonest) = (None, None, None::<Instant>);
        for (turn, origin) in self.turns.iter().enumerate() {
            let Some(first) = self.waiting.get(origin).and_then(VecDeque::front) else {
                continue;
            };
            if first.due > now {
                soonest = Some(soonest.map_or(first.due, |s| s.min(first.due)));
                continue;
            }
            any = any.or(Some(turn));
            if first.clean == prefer_clean {
                preferred = Some(turn);
                break;
            }
        }
        let Some(turn) = preferred.or(any) else {
            return soonest.map_or(Next::Nothing, Next::At);
        };
        self.served = self.served.wrapping_add(1);
        self.serve(turn).map_or(Next::Nothing, Next::Now)
    }

    fn serve(&mut self, turn: usize) -> Option<T> {
        let origin = self.turns.remove(turn)?;
        let queue = self.waiting.get_mut(&origin)?;
        let first = queue.pop_front()?;
        self.len -= 1;
        if queue.is_empty() {
            self.waiting.remove(&origin);
        } else {
            self.turns.push_back(origin);
        }
        Some(first.what)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn origin(n: u32) -> Origin {
        Origin::from(IpAddr::from(n.to_be_bytes()))
    }

    fn served(queue: &mut Queue<u32>, now: Instant) -> Vec<u32> {
        std::iter::from_fn(|| match queue.next(now) {
            Next::Now(what) => Some(what),
            Next::At(_) | Next::Nothing => None,
        })
        .collect()
    }

    #[test]
    fn a_network_is_one_origin() {
        let of = |text: &str| Origin::from(text.parse::<IpAddr>().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:2"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }

    #[test]
    fn origins_take_turns() {
        let now = Instant::now();
        let mut queue = Queue::default();
        for what in [10, 11, 12, 13] {
            queue.enter(origin(1), now, true, what);
        }
        queue.enter(origin(2), now, true, 20);
        queue.enter(origin(3), now, true, 30);
        assert_eq!(served(&mut queue, now), [10, 20, 30, 11, 12, 13]);
        assert_eq!(queue.next(now), Next::Nothing);
        assert_eq!((queue.len(), queue.waiting.len()), (0, 0));
    }

    #[test]
    fn the_clean_come_first_but_not_alone() {
        let now = Instant::now();
        let mut queue = Queue::default();
        for n in 0..4 {
            queue.enter(origin(n), now, false, n);
            queue.enter(origin(100 + n), now, true, 100 + n);
        }
        assert_eq!(
            served(&mut queue, now),
            [100, 101, 102, 0, 103, 1, 2, 3],
            "every fourth is one with failures"
        );
    }

    #[test]
    fn who_is_to_wait_waits_without_holding_up_others() {
        let now = Instant::now();
        let later = now + Duration::from_secs(1);
        let mut queue = Queue::default();
        queue.enter(origin(1), later, false, 1);
        assert_eq!(queue.next(now), Next::At(later));
        queue.enter(origin(2), now, true, 2);
        assert_eq!(served(&mut queue, now), [2]);
        assert_eq!(served(&mut queue, later), [1]);
    }

    #[test]
    fn one_origin_cannot_take_all_places() {
        let now = Instant::now();
        let mut queue = Queue::default();
        let each = PLACES_EACH as u32;
        for what in 0..each {
            assert_eq!(queue.enter(origin(1), now, false, what), Entered::Waits);
        }
        assert_eq!(queue.enter(origin(1), now, true, each), Entered::Full(each));
        let mut n = 1;
        while queue.len() < PLACES {
            n += 1;
            for what in 0..8 {
                queue.enter(origin(n), now, false, what);
            }
        }
        // The house is full: a newcomer takes the last place of the longest queue.
        assert_eq!(
            queue.enter(origin(9_999), now, true, 7),
            Entered::Instead(each - 1)
        );
        assert_eq!(queue.len(), PLACES);
        let until_newcomer = served(&mut queue, now)
            .iter()
            .position(|w| *w == 7)
            .unwrap();
        assert!(until_newcomer < 4, "it came {until_newcomer}th");
    }

    #[test]
    fn a_house_full_of_strangers_is_full() {
        let now = Instant::now();
        let mut queue = Queue::default();
        for n in 0..PLACES as u32 {
            assert_eq!(queue.enter(origin(n), now, true, n), Entered::Waits);
        }
        assert_eq!(queue.enter(origin(1 << 30), now, true, 0), Entered::Full(0));
        assert_eq!(queue.enter(origin(1), now, true, 0), Entered::Full(0));
    }
}
