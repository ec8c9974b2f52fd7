//! A memory by key that forgets what is oldest.

use std::collections::BTreeMap;

/// Values by key. It keeps at least as many of the latest as its limit says, and at most twice as
/// many.
#[derive(Clone, Debug)]
pub(crate) struct Latest<V> {
    entries: BTreeMap<String, (u64, V)>,
    added: u64,
}

impl<V> Default for Latest<V> {
    fn default() -> Self {
        Self { entries: BTreeMap::new(), added: 0 }
    }
}

impl<V> Latest<V> {
    /// Adds a value, or replaces the one with this key.
    pub(crate) fn insert(&mut self, limit: usize, key: String, value: V) {
        if self.entries.len() >= limit.saturating_mul(2) {
            let kept = u64::try_from(limit).unwrap_or(u64::MAX);
            let oldest = self.added.saturating_sub(kept);
            self.entries.retain(|_, (number, _)| *number > oldest);
        }
        self.added += 1;
        self.entries.insert(key, (self.added, value));
    }

    pub(crate) fn find(&self, key: &str) -> Option<&V> {
        self.entries.get(key).map(|(_, value)| value)
    }

    pub(crate) fn find_mut(&mut self, key: &str) -> Option<&mut V> {
        self.entries.get_mut(key).map(|(_, value)| value)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.entries.values().map(|(_, value)| value)
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.entries.values_mut().map(|(_, value)| value)
    }
}
