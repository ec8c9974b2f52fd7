//! Records a client's calls, and knows which of them are under way.
//!
//! Owns the one place that all calls of a client pass before they are sent. The core decides which
//! call may be sent: by [`UnderWay`] and by the journal.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError};

use imts_core::CallStep;
use imts_core::call::Ending;
use imts_core::journal::{
    CallRecord, Entry, IntentKey, Journal, MemoryJournal, RecordError, Resolution, Submitted,
    UnderWay,
};
use imts_core::time::Wall;
use imts_core::transport_error::Source;

use crate::clock::{self, Clock};
use crate::sync::{Mutex, MutexGuard};
use crate::transport::Progress;

/// The journal of a client, and its calls that are under way.
pub(crate) struct CallJournal {
    state: Mutex<State>,
    /// Whether the caller gave a journal. If so, each call must have a reference.
    is_given: bool,
}

struct State {
    journal: Box<dyn Journal + Send>,
    under_way: UnderWay,
    /// Calls that were sent, and were dropped before their end was recorded.
    left: BTreeSet<u64>,
}

/// One call on its way through the client. However it ends, even if its future is dropped, its
/// intent is then no longer under way. If nothing of it was sent, it ends as not sent.
pub(crate) struct RecordedCall<'a> {
    journal: &'a CallJournal,
    clock: &'a clock::Source,
    needs_journal: bool,
    intent: Option<IntentKey>,
    stage: Stage,
    /// Whether an attempt may have arrived, although the call goes on.
    may_have_arrived: bool,
}

/// How far a recorded call has come.
enum Stage {
    /// The call is not recorded, or its end is recorded.
    Unrecorded,
    /// The transport does not have its request, and earlier attempts were not processed.
    Unsent(u64),
    /// The transport has its request, or had it.
    Sent(u64, Progress),
}

impl RecordedCall<'_> {
    /// Submits an entry of the call to the journal. Returns what to wait for before the call
    /// continues.
    pub(crate) fn submit(&mut self, entry: &Entry) -> Result<Submitted, RecordError> {
        if self.needs_journal && !self.journal.is_given {
            return Err(RecordError::Failed(Arc::new(NoJournal)));
        }
        let submitted = self.journal.submit(entry)?;
        match entry {
            Entry::Intent(intent) => {
                self.intent = Some(intent.key());
                self.stage = Stage::Unsent(submitted.id());
            }
            Entry::Sending { id, .. } => self.stage = Stage::Unsent(*id),
            Entry::Ended { .. } | Entry::Resolved { .. } => self.stage = Stage::Unrecorded,
        }
        Ok(submitted)
    }

    /// Takes note of the call's next step.
    pub(super) fn on_step<R>(&mut self, step: &CallStep<R>, may_have_arrived: bool) {
        self.may_have_arrived = may_have_arrived;
        if let (CallStep::Token | CallStep::Wait { .. }, Stage::Sent(id, _)) = (step, &self.stage) {
            // The call is sent again only with proof that it was not processed.
            self.stage = Stage::Unsent(*id);
        }
    }

    /// Marks its request as handed to the transport. With the returned progress, the transport may
    /// report how far the request has come.
    pub(super) fn on_send(&mut self) -> Progress {
        let progress = Progress::default();
        if let Stage::Unsent(id) = self.stage {
            self.stage = Stage::Sent(id, progress.clone());
        }
        progress
    }

    /// Records, without waiting for it, that nothing was sent, if that is known.
    fn is_over_unsent(&self) -> bool {
        if self.may_have_arrived {
            return false;
        }
        let id = match &self.stage {
            Stage::Unsent(id) => *id,
            Stage::Sent(id, progress) if progress.withdraw() => *id,
            Stage::Sent(..) | Stage::Unrecorded => return false,
        };
        let ended = self.journal.with(|state| {
            let at = self.clock.now().wall;
            state.journal.submit(&Entry::Ended { id, at, ending: Ending::NotSent })
        });
        ended.is_ok()
    }

    /// Records an entry of the call, and waits until it is as durable as it must be. The task
    /// waits.
    pub(crate) async fn record(&mut self, entry: &Entry) -> Result<u64, RecordError> {
        durable(self.submit(entry)?).await
    }
}

/// Waits until a submitted entry is as durable as it must be.
async fn durable(submitted: Submitted) -> Result<u64, RecordError> {
    let id = submitted.id();
    match submitted.into_durable() {
        Some(durable) => durable.await.map(|()| id),
        None => Ok(id),
    }
}

impl Drop for RecordedCall<'_> {
    fn drop(&mut self) {
        let Some(intent) = &self.intent else { return };
        let is_over = self.is_over_unsent();
        let mut state = self.journal.state();
        state.under_way.end(intent);
        if let (false, Stage::Unsent(id) | Stage::Sent(id, _)) = (is_over, &self.stage) {
            state.left.insert(*id);
        }
    }
}

impl CallJournal {
    /// Keeps calls in this journal, or in memory if none is given.
    pub(crate) fn new(journal: Option<Box<dyn Journal + Send>>) -> Self {
        let is_given = journal.is_some();
        let journal = journal.unwrap_or_else(|| Box::new(MemoryJournal::default()));
        let state = State { journal, under_way: UnderWay::default(), left: BTreeSet::new() };
        Self { state: Mutex::new(state), is_given }
    }

    pub(super) fn is_given(&self) -> bool {
        self.is_given
    }

    /// Submits an entry to the journal. A journal that panics has failed.
    fn submit(&self, entry: &Entry) -> Result<Submitted, RecordError> {
        self.with(|state| {
            let Entry::Intent(intent) = entry else { return state.journal.submit(entry) };
            state.under_way.admit(intent)?;
            let submitted = state.journal.submit(entry)?;
            state.under_way.begin(submitted.id(), intent);
            Ok(submitted)
        })
    }

    /// Starts a call.
    pub(super) fn recorded<'a>(
        &'a self,
        clock: &'a clock::Source,
        needs_journal: bool,
    ) -> RecordedCall<'a> {
        RecordedCall {
            journal: self,
            clock,
            needs_journal,
            intent: None,
            stage: Stage::Unrecorded,
            may_have_arrived: false,
        }
    }

    /// Returns the calls in doubt that are not under way.
    pub(super) fn in_doubt(&self) -> Result<Vec<CallRecord>, RecordError> {
        self.with(|state| {
            let mut calls = state.journal.in_doubt()?;
            calls.retain(|call| !state.under_way.has(call.id));
            Ok(calls)
        })
    }

    /// Records what was found out about a call in doubt, once no one can be sending it. The client
    /// knows this for its own calls. For other calls, the journal says until when they may be under
    /// way.
    pub(super) async fn resolve(
        &self,
        id: u64,
        at: Wall,
        resolution: Resolution,
    ) -> Result<(), RecordError> {
        let (ended, resolved) = self.with(|state| {
            let ended = match state.standing(id, at)? {
                Standing::UnderWay { until } => return Err(RecordError::UnderWay { id, until }),
                Standing::InDoubt(call) if call.under_way_until(at).is_some() => {
                    // Only this client knows that the call's sender is done with it.
                    let ended = Entry::Ended { id, at, ending: Ending::Unknown };
                    Some(state.journal.submit(&ended)?)
                }
                Standing::InDoubt(_) | Standing::Known => None,
            };
            Ok((ended, state.journal.submit(&Entry::Resolved { id, at, resolution })?))
        })?;
        for submitted in ended.into_iter().chain([resolved]) {
            durable(submitted).await?;
        }
        self.state().left.remove(&id);
        Ok(())
    }

    /// Returns what is known of a call that was in doubt.
    pub(super) fn standing(&self, id: u64, at: Wall) -> Result<Standing, RecordError> {
        self.with(|state| state.standing(id, at))
    }

    fn with<T>(
        &self,
        work: impl FnOnce(&mut State) -> Result<T, RecordError>,
    ) -> Result<T, RecordError> {
        let mut state = self.state();
        catch_unwind(AssertUnwindSafe(|| work(&mut state)))
            .unwrap_or_else(|_| Err(RecordError::Failed(Arc::new(JournalPanicked) as Source)))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
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
    /// The call is in doubt, and no one is sending it.
    InDoubt(Box<CallRecord>),
    /// The call may be under way, until this time at the latest.
    UnderWay { until: Option<Wall> },
    /// Its outcome is known, or there is no such call.
    Known,
}

#[derive(Debug, thiserror::Error)]
#[error("the call was made for a journal, but this client has none")]
struct NoJournal;

#[derive(Debug, thiserror::Error)]
#[error("the journal panicked")]
struct JournalPanicked;
