//! Where a client writes its calls down, and which of them are under way.
//!
//! Owns the one place that all of a client's calls pass before they are sent. Which call may be sent
//! is decided in the core: by [`UnderWay`] and by the journal.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError};

use imts_core::journal::{
    CallRecord, Entry, IntentKey, Journal, MemoryJournal, RecordError, Resolution, UnderWay,
};
use imts_core::{Source, Wall};

use crate::sync::{Mutex, MutexGuard};

/// The journal of a client, and its calls that are under way.
pub(crate) struct Kept {
    desk: Mutex<Desk>,
    /// Whether the caller gave a journal, so that each call must have a reference.
    is_given: bool,
}

struct Desk {
    journal: Box<dyn Journal + Send>,
    under_way: UnderWay,
}

/// One call on its way through the client. However it is left, also by a future that is dropped,
/// its intent is not under way any more.
pub(crate) struct Performing<'a> {
    kept: &'a Kept,
    needs_journal: bool,
    intent: Option<IntentKey>,
}

impl Performing<'_> {
    /// Makes an entry of the call durable.
    pub(crate) fn record(&mut self, entry: &Entry) -> Result<u64, RecordError> {
        if self.needs_journal && !self.kept.is_given {
            return Err(RecordError::Failed(Arc::new(NoJournal)));
        }
        let id = self.kept.record(entry)?;
        if let Entry::Intent(intent) = entry {
            self.intent = Some(intent.key());
        }
        Ok(id)
    }
}

impl Drop for Performing<'_> {
    fn drop(&mut self) {
        if let Some(intent) = &self.intent {
            self.kept.desk().under_way.end(intent);
        }
    }
}

impl Kept {
    /// In this journal; in memory, where none is given.
    pub(crate) fn new(journal: Option<Box<dyn Journal + Send>>) -> Self {
        let is_given = journal.is_some();
        let journal = journal.unwrap_or_else(|| Box::new(MemoryJournal::default()));
        Self { desk: Mutex::new(Desk { journal, under_way: UnderWay::default() }), is_given }
    }

    pub(super) fn is_given(&self) -> bool {
        self.is_given
    }

    /// Makes an entry durable. A journal that panics has failed.
    fn record(&self, entry: &Entry) -> Result<u64, RecordError> {
        self.with(|desk| {
            let Entry::Intent(intent) = entry else { return desk.journal.record(entry) };
            desk.under_way.admit(intent)?;
            let id = desk.journal.record(entry)?;
            desk.under_way.begin(id, intent);
            Ok(id)
        })
    }

    /// A call sets out.
    pub(super) fn performing(&self, needs_journal: bool) -> Performing<'_> {
        Performing { kept: self, needs_journal, intent: None }
    }

    /// The calls in doubt that are not under way.
    pub(super) fn in_doubt(&self) -> Result<Vec<CallRecord>, RecordError> {
        self.with(|desk| {
            let mut calls = desk.journal.in_doubt()?;
            calls.retain(|call| !desk.under_way.has(call.id));
            Ok(calls)
        })
    }

    /// Writes down what was found out of a call in doubt. One that is under way may still end by
    /// itself.
    pub(super) fn resolve(
        &self,
        id: u64,
        at: Wall,
        resolution: Resolution,
    ) -> Result<(), RecordError> {
        self.with(|desk| {
            if desk.under_way.has(id) {
                return Err(RecordError::Failed(Arc::new(StillSending { id })));
            }
            desk.journal.record(&Entry::Resolved { id, at, resolution }).map(drop)
        })
    }

    fn with<T>(
        &self,
        work: impl FnOnce(&mut Desk) -> Result<T, RecordError>,
    ) -> Result<T, RecordError> {
        let mut desk = self.desk();
        catch_unwind(AssertUnwindSafe(|| work(&mut desk)))
            .unwrap_or_else(|_| Err(RecordError::Failed(Arc::new(JournalPanicked) as Source)))
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the call was made for a journal, and this client has none")]
struct NoJournal;

#[derive(Debug, thiserror::Error)]
#[error("the journal panicked")]
struct JournalPanicked;

#[derive(Debug, thiserror::Error)]
#[error("call {id} is under way in this client: wait for its outcome before resolving it")]
struct StillSending {
    id: u64,
}
