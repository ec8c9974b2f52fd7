//! The calls of one client that are being sent now, and whether another call may start.
//!
//! Owns the rule for two callers with one intent. Does not know what was sent before:
//! [`Book`](super::Book) does.

use std::collections::BTreeMap;

use super::{Digest, Intent, IntentError, IntentKey};

/// The calls that have been admitted and have not ended, by intent.
///
/// A journal cannot know this. A record without an end may belong to a call that is being sent, or
/// to a process that has died. So each client that shares a journal among its callers keeps an
/// `UnderWay`, and asks it before the journal.
#[derive(Clone, Debug, Default)]
pub struct UnderWay {
    calls: BTreeMap<IntentKey, (u64, Option<Digest>)>,
}

impl UnderWay {
    /// Checks that no other caller is sending this intent.
    ///
    /// # Errors
    ///
    /// [`IntentError::InProgress`] if another caller is sending the same intent;
    /// [`IntentError::Conflict`] if it is sending another body under the same reference.
    pub fn admit(&self, intent: &Intent) -> Result<(), IntentError> {
        let Some((id, meaning)) = self.calls.get(&intent.key()) else { return Ok(()) };
        let (id, operation) = (*id, intent.operation.clone());
        let reference = intent.reference.clone().unwrap_or_default();
        Err(if *meaning == intent.meaning {
            IntentError::InProgress { id, operation, reference }
        } else {
            IntentError::Conflict { id, operation, reference }
        })
    }

    /// Adds a call whose intent is recorded under this number.
    pub fn begin(&mut self, id: u64, intent: &Intent) {
        self.calls.insert(intent.key(), (id, intent.meaning));
    }

    /// Removes a call, however it was left: it ended, or its caller gave up.
    pub fn end(&mut self, key: &IntentKey) {
        self.calls.remove(key);
    }

    /// Returns whether the call of this number is being sent. No one else may resolve it then,
    /// because it may still end by itself.
    #[must_use]
    pub fn has(&self, id: u64) -> bool {
        self.calls.values().any(|(under_way, _)| *under_way == id)
    }
}
