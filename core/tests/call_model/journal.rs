//! A journal in memory, of which a crash keeps what was durable.

use std::collections::BTreeMap;

use imts_core::call::Ending;
use imts_core::journal::Entry;

use crate::schedule::Break;

#[derive(Default)]
pub(crate) struct Paper {
    durable: Vec<(u64, Entry)>,
    last: u64,
}

impl Paper {
    /// Makes an entry durable.
    pub(crate) fn keep(&mut self, entry: Entry) -> u64 {
        let id = match &entry {
            Entry::Intent(_) => {
                self.last += 1;
                self.last
            }
            Entry::Sending { id, .. } | Entry::Ended { id, .. } | Entry::Resolved { id, .. } => *id,
        };
        self.durable.push((id, entry));
        id
    }

    /// Whether this is the entry that cannot be written. `sent` is how many requests left so far in
    /// this round.
    pub(crate) fn breaks(entry: &Entry, sent: usize, breaks: Option<Break>) -> bool {
        match (entry, breaks) {
            (Entry::Intent(_), Some(Break::Intent)) | (Entry::Ended { .. }, Some(Break::End)) => {
                true
            }
            (Entry::Sending { .. }, Some(Break::Sending(attempt))) => attempt == sent,
            _ => false,
        }
    }

    /// What is known, after a restart, of each call that was intended.
    pub(crate) fn states(&self) -> Vec<&'static str> {
        let mut states = BTreeMap::new();
        for (id, entry) in &self.durable {
            let state = match entry {
                Entry::Intent(_) => "intended",
                Entry::Sending { .. } => "in_doubt",
                Entry::Resolved { .. } => unreachable!("nobody resolves here"),
                Entry::Ended { ending, .. } => match ending {
                    Ending::Unknown => "in_doubt",
                    ending => ending.as_str(),
                },
            };
            let before = states.insert(*id, state);
            let follows = match (before, state) {
                (None, state) => state == "intended",
                (Some("intended" | "in_doubt"), state) => state != "intended",
                (Some(_), _) => false,
            };
            assert!(follows, "{before:?} cannot be followed by {state}: {:?}", self.durable);
        }
        if states.is_empty() { vec!["nothing"] } else { states.into_values().collect() }
    }
}
