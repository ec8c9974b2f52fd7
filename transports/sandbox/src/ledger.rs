//! The ledger: what was applied, and how often.
//!
//! It measures the client's promise to send nothing twice unasked. It does not know about replies:
//! what was applied counts, whether or not the client learned of it.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::operation::Operation;
use crate::time::Time;

/// The intents that were applied, by id and operation.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    intents: BTreeMap<(String, Operation), Intent>,
    without_id: u64,
}

/// One intent of a caller: an id under an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Intent {
    /// The id in the request's body.
    pub id: String,
    /// The operation.
    pub operation: Operation,
    /// How often it was applied. More than once is the harm that a client must not do.
    pub applied: u64,
    /// When it was first applied, by the time that the sandbox was given, in microseconds since
    /// 1970.
    pub first_us: i64,
    /// When it was last applied, in the same unit.
    pub last_us: i64,
}

impl Ledger {
    /// Returns every intent that was applied, in the order of ids.
    pub fn intents(&self) -> impl Iterator<Item = &Intent> {
        self.intents.values()
    }

    /// Returns how often this intent was applied.
    #[must_use]
    pub fn applied(&self, operation: Operation, id: &str) -> u64 {
        self.intents.get(&(id.to_owned(), operation)).map_or(0, |intent| intent.applied)
    }

    /// Returns every intent that was applied more than once.
    pub fn applied_twice(&self) -> impl Iterator<Item = &Intent> {
        self.intents().filter(|intent| intent.applied > 1)
    }

    /// Returns how many requests without an id were applied.
    #[must_use]
    pub fn without_id(&self) -> u64 {
        self.without_id
    }

    /// Returns whether there is room for this intent under `limit`. The ledger never forgets an
    /// intent.
    pub(crate) fn has_room(&self, operation: Operation, id: Option<&str>, limit: usize) -> bool {
        match id {
            Some(id) if self.intents.len() >= limit => self.applied(operation, id) > 0,
            _ => true,
        }
    }

    pub(crate) fn apply(&mut self, now: Time, operation: Operation, id: Option<&str>) {
        let Some(id) = id else {
            self.without_id += 1;
            return;
        };
        let at = now.micros();
        let new = || Intent { id: id.to_owned(), operation, applied: 0, first_us: at, last_us: at };
        let intent = self.intents.entry((id.to_owned(), operation)).or_insert_with(new);
        intent.applied += 1;
        intent.last_us = at;
    }
}
