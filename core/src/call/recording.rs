//! Whether a call is recorded, what of it, and when: its intent, that its request is about to leave,
//! and its end.
//!
//! Owns the time until which its journal counts the request as under way. Does not know what an
//! entry changes: the journal decides that.

use std::time::Duration;

use super::setup::{Frozen, WrittenTo};
use super::{Call, CallError, CallStep, Outcome, Stage};
use crate::journal::{Despite, Digest, Entry, Intent, IntentError, RecordError, Scope};
use crate::operation::Class;
use crate::time::{End, Now, Wall};

/// How long a journal may take to record that a request is about to leave. If it takes longer, the
/// call records that again.
const RECORDING: Duration = Duration::from_secs(30);

impl<R> Call<R> {
    /// Declares a journal. If the call creates something or moves money, it then yields
    /// [`CallStep::Record`] before and after its request leaves. This
    /// changes nothing once the request was handed out.
    #[must_use]
    pub fn with_journal(self) -> Self {
        self.written_to(WrittenTo::Journal)
    }

    /// Records the call in memory, if it has a reference and no journal is declared. The same
    /// intent is then not sent twice while that memory lives.
    #[must_use]
    pub fn with_memory(self) -> Self {
        if self.reference().is_some() { self.written_to(WrittenTo::Memory) } else { self }
    }

    /// Returns whether a journal is declared. A record that is lost with the process is then not
    /// enough.
    #[must_use]
    pub fn needs_journal(&self) -> bool {
        self.frozen.as_ref().is_some_and(|frozen| frozen.written_to == WrittenTo::Journal)
    }

    fn written_to(mut self, place: WrittenTo) -> Self {
        let is_new = matches!(self.stage, Stage::Token | Stage::Intent)
            && (self.attempts, self.recorded, self.recording) == (0, None, false);
        let kept = self.frozen.as_mut().filter(|frozen| is_new && frozen.is_kept());
        if let Some(frozen) = kept.filter(|frozen| frozen.written_to != WrittenTo::Journal) {
            frozen.written_to = place;
            self.stage = Stage::Intent;
        }
        self
    }

    /// Permits sending it in spite of a record in the journal. The decision is recorded with its
    /// reason. If another record stands against the call, this changes nothing.
    #[must_use]
    pub fn despite(mut self, despite: Despite) -> Self {
        if let Some(frozen) = &mut self.frozen {
            frozen.despite = Some(despite);
        }
        self
    }

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

impl Frozen {
    /// Whether a journal keeps it. A call that only reads may be repeated.
    fn is_kept(&self) -> bool {
        self.class != Class::Read
    }

    /// The digest of the bytes that are sent.
    pub(super) fn digest(&self) -> Digest {
        Digest::of(self.body.as_ref())
    }

    /// The digest of what is asked for. It has no part of a signature.
    fn meaning(&self) -> Digest {
        let salted = self.extras.as_ref().and_then(|extras| extras.meaning);
        salted.unwrap_or_else(|| Digest::of_meaning(self.body.as_ref()))
    }

    /// Whether the service could not recognize a repeated request of it.
    pub(super) fn lacks_id(&self) -> bool {
        let reference = self.reference.as_deref();
        self.extras.as_ref().is_some_and(|extras| extras.lacks_id(self.class, reference))
    }

    /// What is recorded of it.
    pub(super) fn intent(&self, at: Wall) -> Intent {
        let agent = self.agent.as_deref().unwrap_or_default().to_owned();
        Intent {
            operation: self.name.clone().into_owned(),
            scope: Some(Scope { url: self.uri.to_string(), agent }),
            reference: self.reference.clone(),
            digest: self.digest(),
            meaning: Some(self.meaning()),
            at,
            despite: self.despite.clone(),
        }
    }
}
