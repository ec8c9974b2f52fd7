//! What was applied, by which call, and whether that was permitted.
//!
//! Two calls of one intent may both be applied only if the later one could not know of the earlier
//! one, or if someone decided so. Judged by pairs, from what the later call's journal held when its
//! request was about to leave.

use std::collections::BTreeMap;

use super::asks::{Ask, Key};
use super::known::{Known, State};

/// A call that may be sent.
#[derive(Clone, Debug)]
pub(super) struct Admitted {
    /// Its place among all calls that were ever made anywhere.
    pub(super) number: u64,
    pub(super) key: Key,
    /// The name under which the service knows it.
    pub(super) id: String,
    /// Which journal admitted it, and how often that journal's records were lost before. `None` if no
    /// journal knows it.
    pub(super) journal: Option<(usize, u64)>,
    pub(super) despite: Option<u64>,
    /// Its place among all records of what was about to leave, the last time.
    pub(super) left: u64,
    /// What the journal held of this intent then.
    pub(super) known: Vec<Known>,
}

impl Admitted {
    /// A call that no journal knows.
    pub(super) fn alone(number: u64, ask: &Ask) -> Self {
        let (key, id) = (ask.key, ask.id.clone());
        Self { number, key, id, journal: None, despite: None, left: 0, known: Vec::new() }
    }
}

#[derive(Default)]
pub(super) struct Ledger {
    applied: BTreeMap<(usize, String), Vec<Admitted>>,
}

/// Why a second application was permitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Excuse {
    Override,
    WrongFinding,
    AnotherJournal,
    LostRecords,
}

impl Ledger {
    pub(super) fn count(&self, key: Key) -> usize {
        self.applied.get(&(key.place, key.id())).map_or(0, Vec::len)
    }

    /// Whether this call was applied.
    pub(super) fn has(&self, call: &Admitted) -> bool {
        let applied = self.applied.get(&(call.key.place, call.id.clone()));
        applied.is_some_and(|applied| applied.iter().any(|it| it.number == call.number))
    }

    /// Takes in one application; yields what excuses it beside each earlier one.
    pub(super) fn apply(&mut self, call: &Admitted) -> Vec<Excuse> {
        let applied = self.applied.entry((call.key.place, call.id.clone())).or_default();
        let excuses = applied.iter().map(|other| excuse(other, call)).collect();
        applied.push(call.clone());
        excuses
    }
}

fn excuse(one: &Admitted, other: &Admitted) -> Excuse {
    assert_ne!(one.number, other.number, "one call was applied twice: {one:#?}");
    let (first, second) = if one.left < other.left { (one, other) } else { (other, one) };
    let (Some(before), Some(after)) = (first.journal, second.journal) else {
        panic!("applied twice, by a permit: {first:#?}\n{second:#?}");
    };
    let Some(record) = second.known.iter().find(|record| record.number == first.number) else {
        if before.0 != after.0 {
            return Excuse::AnotherJournal;
        }
        assert_ne!(before.1, after.1, "not recorded: {first:#?}\n{second:#?}");
        return Excuse::LostRecords;
    };
    if second.despite.is_some_and(|id| id >= record.id) {
        return Excuse::Override;
    }
    let is_found = record.state == State::Refused && record.resolution.is_some();
    assert!(is_found, "applied twice: {first:#?}\n{second:#?}");
    Excuse::WrongFinding
}
