//! How a task carries a call from its request to its outcome.
//!
//! Owns the loop. Decides nothing: what to send, and what an answer means, is the call's to say.

use std::time::Duration;

use imts_core::journal::{CallRecord, IntentError, RecordError, Resolution};
use imts_core::{Bearer, Call, CallStep, Json, Operation, OperationError, Outcome, Permit};

use super::AsyncClient;
use super::renewal::exchange;
use super::waiting;
use crate::clock::Deadline;
use crate::hub::{NoBearer, ON_THE_WAY};

impl AsyncClient {
    /// Calls an operation, and waits for its outcome as long as this client's patience.
    ///
    /// What creates something or moves money is sent again only where it is known not to have been
    /// processed. An [`Outcome::Unknown`] must be resolved before anything is sent again. A call whose
    /// future is dropped before anything of it has left, as far as the [transport tells], ends as not
    /// sent; one that may have left must be resolved too.
    ///
    /// [transport tells]: crate::AsyncTransport::send_told
    ///
    /// # Errors
    ///
    /// [`OperationError`], where the operation cannot be called, or the journal stands against it
    /// ([`OperationError::Intent`]): nothing was sent.
    pub async fn call<O: Operation>(
        &self,
        operation: &O,
    ) -> Result<Outcome<O::Reply>, OperationError> {
        let call = self.shared.hub.call(operation, self.patience)?;
        Ok(self.carry(call).await?)
    }

    /// Makes a call of the operation of this name in the contract, to be
    /// [performed](AsyncClient::perform).
    ///
    /// # Errors
    ///
    /// As [`call`](AsyncClient::call).
    pub fn call_named(&self, name: &str, request: &Json) -> Result<Call<Json>, OperationError> {
        self.shared.hub.call_named(name, request, self.patience)
    }

    /// Sends a call again that was not done, the same bytes.
    ///
    /// # Errors
    ///
    /// [`IntentError`], where another call of the same intent has come in between: nothing was sent.
    pub async fn call_again<R>(&self, permit: Permit<R>) -> Result<Outcome<R>, IntentError> {
        self.perform(permit.retry(self.shared.hub.deadline(self.patience))).await
    }

    /// Carries a call to its end, or gives it up before it is sent once this client's patience has
    /// ended. A call that is for another service gets no token. A `JournalFile` is written on a
    /// thread of its own, which the task awaits. If the future is dropped, its end goes to the journal
    /// without a wait, unless the journal is one of your own that only [records](imts_core::journal::Journal::record).
    ///
    /// # Errors
    ///
    /// [`IntentError`], where the journal stands against it: nothing was sent.
    pub async fn perform<R>(&self, call: Call<R>) -> Result<Outcome<R>, IntentError> {
        self.carry(self.shared.hub.taken_up(call)).await
    }

    /// Carries a call that was taken up to its end. The clocks are read after what may take time.
    async fn carry<R>(&self, mut call: Call<R>) -> Result<Outcome<R>, IntentError> {
        let hub = &self.shared.hub;
        let mut performing = hub.performing(&call);
        let mut deadline = Deadline::after(self.patience);
        let mut now = hub.now_or_end(deadline);
        loop {
            match hub.next_of(&mut call, &mut performing, now) {
                CallStep::Token => match self.bearer(&call, deadline).await {
                    Ok(bearer) => call.on_bearer(bearer),
                    Err(none) => call.on_no_bearer(none.why, none.recovery),
                },
                CallStep::Record(entry) => call.on_recorded(performing.record(&entry).await),
                CallStep::Send(out) => {
                    let (request, bounds, progress) = hub.outgoing(out, &mut performing);
                    let sending = exchange(&*self.shared.transport, request, bounds, progress);
                    let heard = hub.heard_of(&mut call, sending.await);
                    now = hub.or_end(heard, deadline);
                    continue;
                }
                CallStep::Reject(epoch) => self.reject(epoch),
                CallStep::Wait { until } => {
                    let heard = hub.heard();
                    match hub.pause(until, deadline) {
                        Some(pause) => {
                            waiting::until(hub.bell(), heard, &*self.shared.transport, Some(pause))
                                .await;
                        }
                        None => deadline = Deadline::after(Duration::ZERO),
                    }
                }
                CallStep::NotAdmitted(error) => return Err(error),
                CallStep::Over(outcome) => return Ok(outcome),
            }
            now = hub.now_or_end(deadline);
        }
    }

    /// The calls in doubt of this client's journal, oldest first, but for those that are under way:
    /// ask the service what became of each, and [resolve](Self::resolve) it.
    ///
    /// # Errors
    ///
    /// [`RecordError::Failed`], where the journal cannot be read.
    pub fn in_doubt(&self) -> Result<Vec<CallRecord>, RecordError> {
        self.shared.hub.in_doubt()
    }

    /// Writes down what was found out of a call in doubt, in this client's journal.
    ///
    /// While its sender may be alive, nothing is written down: what was found out could be out of
    /// date at once. This client knows its own calls, and a [`JournalFile`](crate::JournalFile) that
    /// is open has no other senders. In a journal that is shared, the deadline of the sending
    /// decides: see [`CallRecord::under_way_until`].
    ///
    /// A [`JournalFile`](crate::JournalFile) is written on a thread of its own, which the task awaits. A
    /// future that is dropped before its end may have written it down or not.
    ///
    /// # Errors
    ///
    /// [`RecordError::UnderWay`], if the call may still be under way, which says until when;
    /// [`RecordError::Failed`], if there is no such call in doubt, or the journal cannot be written.
    pub async fn resolve(&self, id: u64, resolution: Resolution) -> Result<(), RecordError> {
        self.shared.hub.resolve(id, resolution).await
    }

    async fn bearer<R>(&self, call: &Call<R>, deadline: Deadline) -> Result<Bearer, NoBearer> {
        let hub = &self.shared.hub;
        if let Some(bearer) = hub.bearer_at_hand(call)? {
            return Ok(bearer);
        }
        // Boxed, so that the future of a call that waits for no token is small.
        let token = Box::pin(self.waits_for(ON_THE_WAY, hub.patience_of_call(deadline))).await;
        // Another agent may have signed in while it was waited for.
        hub.admits(call)?;
        token.map(Bearer::from).map_err(NoBearer::from)
    }
}
