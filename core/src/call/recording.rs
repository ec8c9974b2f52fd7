//! What a call records, and when: its intent, that its request is about to leave, and its end.
//!
//! Owns the time until which its journal counts the request as under way. Does not know what an
//! entry changes: the journal decides that.

use std::time::Duration;

use super::{Call, CallError, CallStep, Outcome, Stage};
use crate::journal::{Entry, IntentError, RecordError};
use crate::time::{End, Now};

/// How long a journal may take to record that a request is about to leave. If it takes longer, the
/// call records that again.
const RECORDING: Duration = Duration::from_secs(30);

impl<R> Call<R> {
    /// Reports the result of [`CallStep::Record`].
    ///
    /// If the entry could not be written before the request left, or the intent is not admitted,
    /// the call ends unsent. If its end could not be written, the call has its outcome and stays in
    /// doubt in the journal.
    pub fn on_recorded(&mut self, outcome: Result<u64, RecordError>) {
        if !std::mem::take(&mut self.recording) {
            return;
        }
        match (std::mem::replace(&mut self.stage, Stage::Over), outcome) {
            (Stage::Intent, Ok(id)) => {
                self.recorded = Some(id);
                self.stage = Stage::Token;
            }
            (Stage::Mark, Ok(_)) => self.stage = Stage::Send,
            // If an earlier attempt was not sent, its end must still be recorded.
            (Stage::Intent | Stage::Mark, Err(RecordError::Intent(error)))
                if self.attempts == 0 =>
            {
                self.frozen = None;
                self.stage = Stage::NotAdmitted(error);
            }
            (Stage::Intent | Stage::Mark, Err(why)) => {
                self.fail(CallError::Journal(why.into_source()));
            }
            (Stage::End(outcome), _) => self.stage = Stage::Report(outcome),
            (stage, _) => self.stage = stage,
        }
    }

    pub(super) fn record_intent(&mut self, now: Now) -> CallStep<R> {
        self.stage = Stage::Intent;
        let Some(frozen) = &self.frozen else { return CallStep::Wait { until: self.deadline } };
        let intent = frozen.intent(now.wall);
        if intent.reference.as_ref().is_none_or(|reference| reference.trim().is_empty()) {
            self.stage = Stage::Over;
            return CallStep::NotAdmitted(IntentError::NoReference { operation: intent.operation });
        }
        self.record(Entry::Intent(intent))
    }

    fn record(&mut self, entry: Entry) -> CallStep<R> {
        self.recording = true;
        CallStep::Record(entry)
    }

    pub(super) fn mark(&mut self, now: Now) -> CallStep<R> {
        let Some(frozen) = &self.frozen else { return CallStep::Wait { until: self.deadline } };
        let longest = frozen.policy.time_limit.saturating_add(RECORDING);
        let lease = End::after(now, longest.min(self.deadline.since(now.mono)));
        self.lease = Some(lease);
        self.stage = Stage::Mark;
        let id = self.recorded.unwrap_or_default();
        self.record(Entry::Sending { id, at: now.wall, until: Some(lease.wall()) })
    }

    pub(super) fn record_end(&mut self, outcome: Outcome<R>, now: Now) -> CallStep<R> {
        let Some(id) = self.recorded else { return CallStep::Over(outcome) };
        let ending = outcome.ending();
        self.stage = Stage::End(outcome);
        self.record(Entry::Ended { id, at: now.wall, ending })
    }
}
