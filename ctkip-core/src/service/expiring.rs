//! What is kept for a while: bounded in number, gone after its time.

use super::Full;
use crate::Timestamp;
use alloc::collections::BinaryHeap;
use core::cmp::Reverse;
use core::hash::Hash;
use std::collections::HashMap;

/// Entries that each have a time to go.
#[derive(Debug)]
pub(super) struct Expiring<K, V> {
    capacity: usize,
    entries: HashMap<K, V>,
    /// The next to go on top. An entry that was taken out keeps its place here until its time, so
    /// that it counts.
    expiries: BinaryHeap<Reverse<(Timestamp, K)>>,
}

impl<K: Clone + Ord + Hash, V> Expiring<K, V> {
    /// Room for `capacity` entries.
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, entries: HashMap::new(), expiries: BinaryHeap::new() }
    }

    /// Keeps an entry until `expiry`, under a name that is not taken.
    pub(super) fn insert(
        &mut self,
        key: K,
        value: V,
        expiry: Timestamp,
        now: Timestamp,
    ) -> Result<(), Full> {
        self.forget_expired(now);
        if self.expiries.len() >= self.capacity || self.entries.contains_key(&key) {
            return Err(Full);
        }
        self.expiries.push(Reverse((expiry, key.clone())));
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
        while self.expiries.peek().is_some_and(|Reverse((expiry, _))| *expiry <= now) {
            if let Some(Reverse((_, key))) = self.expiries.pop() {
                self.entries.remove(&key);
            }
        }
    }
}
