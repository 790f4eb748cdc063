//! Families of user agents, as labels of counters: what anybody may send, made few.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};

/// So many families get a label of their own, the others share one.
const CAPACITY: usize = 64;
/// What these are called.
const OTHER: &str = "other";
/// Longer names are nobody's.
const MAX_LENGTH: usize = 40;

/// The families seen so far.
#[derive(Debug, Default)]
pub(crate) struct Agents(RwLock<HashSet<Arc<str>>>);

impl Agents {
    /// The family of a user agent: its name without version and comments.
    pub(crate) fn family(&self, agent: Option<&[u8]>) -> Arc<str> {
        let name = agent
            .and_then(|agent| std::str::from_utf8(agent).ok())
            .and_then(|agent| agent.split(['/', ' ', '(', ';']).next())
            .filter(|name| !name.is_empty() && name.len() <= MAX_LENGTH)
            .unwrap_or("unknown");
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        // Whoever comes when all names are taken costs no more than a known one.
        let full = known.len() >= CAPACITY;
        let other = known.get(OTHER).filter(|_| full);
        if let Some(known) = known.get(name).or(other) {
            return Arc::clone(known);
        }
        drop(known);
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let is_full = known.len() >= CAPACITY;
        let name: Arc<str> = Arc::from(if is_full { OTHER } else { name });
        known.insert(Arc::clone(&name));
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_are_names_without_versions_and_few() {
        let agents = Agents::default();
        let family = |agent: &str| agents.family(Some(agent.as_bytes())).to_string();
        assert_eq!(family("curl/8.1"), "curl");
        assert_eq!(family("Telegraf/1.30 Go/1.22"), "Telegraf");
        assert_eq!(&*agents.family(None), "unknown");
        assert_eq!(family(&"x".repeat(41)), "unknown");
        for number in 0..100 {
            family(&format!("agent{number}"));
        }
        assert_eq!(family("agent99"), "other");
        assert_eq!(family("curl/9"), "curl");
    }
}
