//! Answers in memory, for tests.
//!
//! Owns the entries and the lock around them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::{Answers, AnswersError, Claim, Claimed, Kept};

/// Keeps answers in the memory of this process.
///
/// It is for tests alone: after a restart each payment is decided again. Use
/// [`FileAnswers`](super::FileAnswers).
#[derive(Default)]
pub struct MemoryAnswers {
    entries: Mutex<BTreeMap<String, Entry>>,
    changed: Condvar,
}

enum Entry {
    Open { holder: u64 },
    Closed,
    Answered(Kept),
}

impl MemoryAnswers {
    /// Makes a place without answers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<String, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answers for MemoryAnswers {
    fn claim(&self, claim: &Claim) -> Result<Claimed, AnswersError> {
        let key = claim.key().as_str();
        let is_open = |entries: &mut BTreeMap<String, Entry>| {
            matches!(entries.get(key), Some(Entry::Open { .. }))
        };
        let waited = self.changed.wait_timeout_while(self.entries(), claim.within(), is_open);
        let (mut entries, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let claimed = match entries.get(key) {
            Some(Entry::Answered(kept)) => return Ok(Claimed::Answered(kept.clone())),
            Some(Entry::Open { .. }) => return Err(AnswersError::Busy),
            Some(Entry::Closed) => Claimed::Again,
            None => Claimed::First,
        };
        entries.insert(key.to_owned(), Entry::Open { holder: claim.holder() });
        Ok(claimed)
    }

    fn settle(&self, claim: &Claim, answer: &[u8]) -> Result<Kept, AnswersError> {
        let key = claim.key().as_str();
        let mut entries = self.entries();
        if let Some(Entry::Answered(kept)) = entries.get(key) {
            return Ok(kept.clone());
        }
        let fingerprint = claim.fingerprint().to_owned();
        let kept = Kept { fingerprint, answer: answer.to_vec() };
        entries.insert(key.to_owned(), Entry::Answered(kept.clone()));
        self.changed.notify_all();
        Ok(kept)
    }

    fn release(&self, claim: &Claim) {
        let mut entries = self.entries();
        if let Some(entry) = entries.get_mut(claim.key().as_str())
            && matches!(entry, Entry::Open { holder } if *holder == claim.holder())
        {
            *entry = Entry::Closed;
            self.changed.notify_all();
        }
    }
}

impl fmt::Debug for MemoryAnswers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryAnswers").field("count", &self.entries().len()).finish()
    }
}
