//! Runs a call in a task, from its request to its outcome.
//!
//! Owns the loop. Decides nothing: the call says what to send, and what a response means.

use std::time::Duration;

use imts_core::call::NotCallable;
use imts_core::journal::{CallRecord, IntentError, RecordError, Resolution};
use imts_core::operation::Json;
use imts_core::{Bearer, Call, CallStep, Now, Operation, Outcome, Permit};

use super::AsyncClient;
use super::renewal::exchange;
use super::waiting;
use crate::client::common::{NoBearer, ON_THE_WAY, is_valid_at, token_waiting};
use crate::clock::Deadline;

impl AsyncClient {
    /// Calls an operation, and waits for its outcome as long as this client's patience.
    ///
    /// A call that creates something or moves money is sent again only if it is known not to have
    /// been processed. An [`Outcome::Unknown`] must be resolved before anything is sent again. If a
    /// call's future is dropped before anything of it was sent, as far as the [transport reports],
    /// the call ends as not sent. A call that may have been sent must be resolved too.
    ///
    /// [transport reports]: crate::AsyncTransport::send_reporting
    ///
    /// # Errors
    ///
    /// Returns [`NotCallable`] if the operation cannot be called, or if the journal does not
    /// permit it ([`NotCallable::Intent`]). Nothing was sent.
    pub async fn call<O: Operation>(
        &self,
        operation: &O,
    ) -> Result<Outcome<O::Reply>, NotCallable> {
        let (call, now) = self.shared.common.call(operation, self.patience)?;
        Ok(self.carry(call, now).await?)
    }

    /// Creates a call of the service's operation with this name, to be
    /// [performed](AsyncClient::perform).
    ///
    /// # Errors
    ///
    /// Fails as [`call`](AsyncClient::call) does.
    pub fn call_named(&self, name: &str, request: &Json) -> Result<Call<Json>, NotCallable> {
        self.shared.common.call_named(name, request, self.patience)
    }

    /// Sends the same bytes again, for a call that was not done.
    ///
    /// # Errors
    ///
    /// Returns [`IntentError`] if another call of the same intent came in between. Nothing was
    /// sent.
    pub async fn call_again<R>(&self, permit: Permit<R>) -> Result<Outcome<R>, IntentError> {
        self.perform(permit.retry(self.shared.common.deadline(self.patience))).await
    }

    /// Carries a call to its end. If this client's patience ends before the call is sent, the call
    /// is given up. A call to another service gets no token.
    ///
    /// A `JournalFile` is written on a thread of its own, which the task awaits. If the future is
    /// dropped, the call's end goes to the journal without a wait, unless the journal is one of
    /// your own that only [records](imts_core::journal::Journal::record).
    ///
    /// # Errors
    ///
    /// Returns [`IntentError`] if the journal does not permit the call. Nothing was sent.
    pub async fn perform<R>(&self, call: Call<R>) -> Result<Outcome<R>, IntentError> {
        let (call, now) = self.shared.common.prepared(call);
        self.carry(call, now).await
    }

    /// Carries a prepared call to its end. The clocks are read after each step that may take time.
    async fn carry<R>(&self, mut call: Call<R>, now: Now) -> Result<Outcome<R>, IntentError> {
        let common = &self.shared.common;
        let mut recorded = common.recorded(&call);
        let mut deadline = Deadline::after(self.patience);
        let mut now = common.or_end(now, deadline);
        loop {
            match common.next_of(&mut call, &mut recorded, now) {
                CallStep::Token => {
                    let cached = common.cached_bearer(&call);
                    let is_at_once = is_valid_at(&cached, now);
                    let token = match cached {
                        Ok(None) => self.awaited_bearer(&call, deadline).await,
                        Ok(Some(bearer)) => Ok(bearer),
                        Err(none) => Err(none),
                    };
                    match token {
                        Ok(bearer) => call.on_bearer(bearer),
                        Err(none) => call.on_no_bearer(none.why, none.recovery),
                    }
                    if is_at_once {
                        continue;
                    }
                }
                CallStep::Record(entry) => call.on_recorded(recorded.record(&entry).await),
                CallStep::Send(out) => {
                    let (request, bounds, progress) = common.outgoing(out, &mut recorded);
                    let sending = exchange(&*self.shared.transport, request, bounds, progress);
                    let reported_at = common.report(&mut call, sending.await);
                    now = common.or_end(reported_at, deadline);
                    continue;
                }
                CallStep::Reject(epoch) => self.reject(epoch),
                CallStep::Wait { until } => {
                    let seen = common.version();
                    match common.pause(until, deadline) {
                        Some(pause) => {
                            waiting::until(
                                common.changes(),
                                seen,
                                &*self.shared.transport,
                                Some(pause),
                            )
                            .await;
                        }
                        None => deadline = Deadline::after(Duration::ZERO),
                    }
                }
                CallStep::NotAdmitted(error) => return Err(error),
                CallStep::Over(outcome) => return Ok(outcome),
            }
            now = common.now_or_end(deadline);
        }
    }

    /// Returns the calls in doubt of this client's journal, oldest first, except those that are
    /// under way. Ask the service what became of each, and [resolve](Self::resolve) it.
    ///
    /// # Errors
    ///
    /// Returns [`RecordError::Failed`] if the journal cannot be read.
    pub fn in_doubt(&self) -> Result<Vec<CallRecord>, RecordError> {
        self.shared.common.in_doubt()
    }

    /// Records in this client's journal what was found out about a call in doubt.
    ///
    /// While the call's sender may be alive, nothing is recorded: the finding could be out of date
    /// at once. This client knows its own calls, and an open [`JournalFile`](crate::JournalFile)
    /// has no other senders. In a shared journal, the deadline of the sending decides: see
    /// [`CallRecord::under_way_until`].
    ///
    /// A [`JournalFile`](crate::JournalFile) is written on a thread of its own, which the task
    /// awaits. If the future is dropped before it completes, the finding may be recorded or not.
    ///
    /// # Errors
    ///
    /// Returns [`RecordError::UnderWay`] if the call may still be under way; it says until when.
    /// Returns [`RecordError::Failed`] if there is no such call in doubt, or if the journal cannot
    /// be written.
    pub async fn resolve(&self, id: u64, resolution: Resolution) -> Result<(), RecordError> {
        self.shared.common.resolve(id, resolution).await
    }

    async fn awaited_bearer<R>(
        &self,
        call: &Call<R>,
        deadline: Deadline,
    ) -> Result<Bearer, NoBearer> {
        let common = &self.shared.common;
        // Boxed, so that the future of a call that waits for no token is small.
        let waiting = token_waiting(self, ON_THE_WAY, common.budget_of_call(deadline));
        let token = Box::pin(waiting).await;
        // Another agent may have signed in while this call waited for the token.
        common.admits(call)?;
        token.map(Bearer::from).map_err(NoBearer::from)
    }
}
