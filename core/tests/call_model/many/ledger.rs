//! What was applied, by which call, and whether that was permitted.
//!
//! Two calls of one intent may both be applied only if the later one could not know of the earlier
//! one, or if someone decided so. Judged by pairs, from what the later call's journal held when its
//! request was about to leave.

use std::collections::BTreeMap;

use super::asks::Key;
use super::known::{Known, State};

/// A call that was admitted.
#[derive(Clone, Debug)]
pub(crate) struct Admitted {
    /// Its place among all calls that were ever admitted anywhere.
    pub(crate) number: u64,
    pub(crate) key: Key,
    /// Which journal admitted it, and the how manieth life of that journal's records.
    pub(crate) journal: (usize, u64),
    pub(crate) despite: Option<u64>,
    /// Its place among all records of what was about to leave, the last time.
    pub(crate) left: u64,
    /// What the journal held of this intent then.
    pub(crate) known: Vec<Known>,
}

#[derive(Default)]
pub(crate) struct Ledger {
    applied: BTreeMap<Key, Vec<Admitted>>,
}

/// Why a second application was permitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Excuse {
    Override,
    WrongFinding,
    AnotherJournal,
    LostRecords,
}

impl Ledger {
    pub(crate) fn count(&self, key: Key) -> usize {
        self.applied.get(&key).map_or(0, Vec::len)
    }

    /// Takes in one application; yields what excuses it beside each earlier one.
    pub(crate) fn apply(&mut self, call: &Admitted) -> Vec<Excuse> {
        let applied = self.applied.entry(call.key).or_default();
        let excuses = applied.iter().map(|other| excuse(other, call)).collect();
        applied.push(call.clone());
        excuses
    }
}

fn excuse(one: &Admitted, other: &Admitted) -> Excuse {
    assert_ne!(one.number, other.number, "one call was applied twice: {one:#?}");
    let (first, second) = if one.left < other.left { (one, other) } else { (other, one) };
    let Some(record) = second.known.iter().find(|record| record.number == first.number) else {
        if first.journal.0 != second.journal.0 {
            return Excuse::AnotherJournal;
        }
        assert_ne!(first.journal.1, second.journal.1, "not recorded: {first:#?}\n{second:#?}");
        return Excuse::LostRecords;
    };
    if second.despite.is_some_and(|id| id >= record.id) {
        return Excuse::Override;
    }
    let is_found = record.state == State::Refused && record.resolution.is_some();
    assert!(is_found, "applied twice: {first:#?}\n{second:#?}");
    Excuse::WrongFinding
}
