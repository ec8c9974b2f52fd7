//! Where a client writes its calls down, and which of them are under way.
//!
//! Owns the one place that all of a client's calls pass before they are sent. Which call may be sent
//! is decided in the core: by [`UnderWay`] and by the journal.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError};

use imts_core::journal::{
    CallRecord, Entry, IntentKey, Journal, MemoryJournal, RecordError, Resolution, Submitted,
    UnderWay,
};
use imts_core::{CallStep, Ending, Source, Wall};

use crate::clock::{self, Clock};
use crate::progress::Progress;
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
    /// Calls that were sent, and left before their end was written down.
    left: BTreeSet<u64>,
}

/// One call on its way through the client. However it is left, also by a future that is dropped,
/// its intent is not under way any more, and if nothing of it has left, its end is that it was not
/// sent.
pub(crate) struct Performing<'a> {
    kept: &'a Kept,
    clock: &'a clock::Source,
    needs_journal: bool,
    intent: Option<IntentKey>,
    course: Course,
}

/// How far a call has come that is written down.
enum Course {
    /// It is not written down, or its end is.
    Nowhere,
    /// Its request is not with the transport, and what was tried before was not processed.
    Unsent(u64),
    /// Its request is with the transport, or has been there.
    Sent(u64, Progress),
}

impl Performing<'_> {
    /// Has an entry of the call taken in; yields what is to be waited for before the call goes on.
    pub(crate) fn submit(&mut self, entry: &Entry) -> Result<Submitted, RecordError> {
        if self.needs_journal && !self.kept.is_given {
            return Err(RecordError::Failed(Arc::new(NoJournal)));
        }
        let submitted = self.kept.submit(entry)?;
        match entry {
            Entry::Intent(intent) => {
                self.intent = Some(intent.key());
                self.course = Course::Unsent(submitted.id());
            }
            Entry::Sending { id, .. } => self.course = Course::Unsent(*id),
            Entry::Ended { .. } | Entry::Resolved { .. } => self.course = Course::Nowhere,
        }
        Ok(submitted)
    }

    /// What the call asks for next.
    pub(super) fn goes_on<R>(&mut self, step: &CallStep<R>) {
        if let (CallStep::Token | CallStep::Wait { .. }, Course::Sent(id, _)) = (step, &self.course)
        {
            // It is sent again only with proof that it was not processed.
            self.course = Course::Unsent(*id);
        }
    }

    /// Its request is handed to the transport, which may tell by this how far it has come.
    pub(super) fn sends(&mut self) -> Progress {
        let progress = Progress::default();
        if let Course::Unsent(id) = self.course {
            self.course = Course::Sent(id, progress.clone());
        }
        progress
    }

    /// Writes down, without waiting for it, that nothing was sent, if that is known.
    fn is_over_unsent(&self) -> bool {
        let id = match &self.course {
            Course::Unsent(id) => *id,
            Course::Sent(id, progress) if progress.withdraw() => *id,
            Course::Sent(..) | Course::Nowhere => return false,
        };
        let ended = self.kept.with(|desk| {
            let at = self.clock.now().wall;
            desk.journal.submit(&Entry::Ended { id, at, ending: Ending::NotSent })
        });
        ended.is_ok()
    }

    /// Makes an entry of the call as durable as it must be; the task waits.
    pub(crate) async fn record(&mut self, entry: &Entry) -> Result<u64, RecordError> {
        durable(self.submit(entry)?).await
    }
}

/// Waits until what was taken in is as durable as it must be.
async fn durable(submitted: Submitted) -> Result<u64, RecordError> {
    let id = submitted.id();
    match submitted.into_durable() {
        Some(durable) => durable.await.map(|()| id),
        None => Ok(id),
    }
}

impl Drop for Performing<'_> {
    fn drop(&mut self) {
        let Some(intent) = &self.intent else { return };
        let is_over = self.is_over_unsent();
        let mut desk = self.kept.desk();
        desk.under_way.end(intent);
        if let (false, Course::Unsent(id) | Course::Sent(id, _)) = (is_over, &self.course) {
            desk.left.insert(*id);
        }
    }
}

impl Kept {
    /// In this journal; in memory, where none is given.
    pub(crate) fn new(journal: Option<Box<dyn Journal + Send>>) -> Self {
        let is_given = journal.is_some();
        let journal = journal.unwrap_or_else(|| Box::new(MemoryJournal::default()));
        let desk = Desk { journal, under_way: UnderWay::default(), left: BTreeSet::new() };
        Self { desk: Mutex::new(desk), is_given }
    }

    pub(super) fn is_given(&self) -> bool {
        self.is_given
    }

    /// Has an entry taken in. A journal that panics has failed.
    fn submit(&self, entry: &Entry) -> Result<Submitted, RecordError> {
        self.with(|desk| {
            let Entry::Intent(intent) = entry else { return desk.journal.submit(entry) };
            desk.under_way.admit(intent)?;
            let submitted = desk.journal.submit(entry)?;
            desk.under_way.begin(submitted.id(), intent);
            Ok(submitted)
        })
    }

    /// A call sets out.
    pub(super) fn performing<'a>(
        &'a self,
        clock: &'a clock::Source,
        needs_journal: bool,
    ) -> Performing<'a> {
        Performing { kept: self, clock, needs_journal, intent: None, course: Course::Nowhere }
    }

    /// The calls in doubt that are not under way.
    pub(super) fn in_doubt(&self) -> Result<Vec<CallRecord>, RecordError> {
        self.with(|desk| {
            let mut calls = desk.journal.in_doubt()?;
            calls.retain(|call| !desk.under_way.has(call.id));
            Ok(calls)
        })
    }

    /// Writes down what was found out of a call in doubt, once nobody can be sending it. Of this
    /// client's own calls that is known; of others the journal says until when they may be under way.
    pub(super) async fn resolve(
        &self,
        id: u64,
        at: Wall,
        resolution: Resolution,
    ) -> Result<(), RecordError> {
        let (ended, resolved) = self.with(|desk| {
            let ended = match desk.standing(id, at)? {
                Standing::UnderWay { until } => return Err(RecordError::UnderWay { id, until }),
                Standing::InDoubt(call) if call.under_way_until(at).is_some() => {
                    // Only this client knows that its sender is done with it.
                    let ended = Entry::Ended { id, at, ending: Ending::Unknown };
                    Some(desk.journal.submit(&ended)?)
                }
                Standing::InDoubt(_) | Standing::Known => None,
            };
            Ok((ended, desk.journal.submit(&Entry::Resolved { id, at, resolution })?))
        })?;
        for submitted in ended.into_iter().chain([resolved]) {
            durable(submitted).await?;
        }
        self.desk().left.remove(&id);
        Ok(())
    }

    /// What is known of a call that was in doubt.
    pub(super) fn standing(&self, id: u64, at: Wall) -> Result<Standing, RecordError> {
        self.with(|desk| desk.standing(id, at))
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

impl Desk {
    fn standing(&mut self, id: u64, at: Wall) -> Result<Standing, RecordError> {
        let call = self.journal.in_doubt()?.into_iter().find(|call| call.id == id);
        if self.under_way.has(id) {
            return Ok(Standing::UnderWay { until: call.and_then(|call| call.sending_until) });
        }
        let Some(call) = call else { return Ok(Standing::Known) };
        let until = call.under_way_until(at).filter(|_| !self.left.contains(&id));
        Ok(match until {
            Some(_) => Standing::UnderWay { until },
            None => Standing::InDoubt(Box::new(call)),
        })
    }
}

/// What is known of a call that was in doubt.
pub(super) enum Standing {
    /// It is in doubt, and nobody is sending it.
    InDoubt(Box<CallRecord>),
    /// It may be under way, until this time at the latest.
    UnderWay { until: Option<Wall> },
    /// Its outcome is known, or there is no such call.
    Known,
}

#[derive(Debug, thiserror::Error)]
#[error("the call was made for a journal, and this client has none")]
struct NoJournal;

#[derive(Debug, thiserror::Error)]
#[error("the journal panicked")]
struct JournalPanicked;
