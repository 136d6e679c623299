//! What is kept for a while: bounded in number, gone after its time.

use super::Full;
use crate::Timestamp;
use alloc::collections::VecDeque;
use core::hash::Hash;
use std::collections::HashMap;

/// Entries that all live equally long.
#[derive(Debug)]
pub(super) struct Expiring<K, V> {
    capacity: usize,
    lifetime: u64,
    entries: HashMap<K, V>,
    /// In the order in which they expire, which is the order in which they came. An entry that was
    /// taken out keeps its place here until then, so that it counts.
    expiries: VecDeque<(Timestamp, K)>,
}

impl<K: Clone + Eq + Hash, V> Expiring<K, V> {
    /// Room for `capacity` entries, each kept for `lifetime` seconds.
    pub(super) fn new(capacity: usize, lifetime: u64) -> Self {
        Self { capacity, lifetime, entries: HashMap::new(), expiries: VecDeque::new() }
    }

    /// Keeps an entry under a name that is not taken.
    pub(super) fn insert(&mut self, key: K, value: V, now: Timestamp) -> Result<(), Full> {
        self.forget_expired(now);
        if self.expiries.len() >= self.capacity || self.entries.contains_key(&key) {
            return Err(Full);
        }
        let expiry = Timestamp(now.0.saturating_add(self.lifetime));
        self.expiries.push_back((expiry, key.clone()));
        self.entries.insert(key, value);
        Ok(())
    }

    pub(super) fn get_mut(&mut self, key: &K, now: Timestamp) -> Option<&mut V> {
        self.forget_expired(now);
        self.entries.get_mut(key)
    }

    /// The entry as it is, without a look at the clock.
    pub(super) fn kept_mut(&mut self, key: &K) -> Option<&mut V> {
        self.entries.get_mut(key)
    }

    pub(super) fn remove(&mut self, key: &K, now: Timestamp) -> Option<V> {
        self.forget_expired(now);
        self.entries.remove(key)
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    fn forget_expired(&mut self, now: Timestamp) {
        while self.expiries.front().is_some_and(|(expiry, _)| *expiry <= now) {
            if let Some((_, key)) = self.expiries.pop_front() {
                self.entries.remove(&key);
            }
        }
    }
}
