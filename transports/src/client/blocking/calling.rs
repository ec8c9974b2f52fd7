//! Runs a call on a thread, from its request to its outcome.
//!
//! Owns the loop. Decides nothing: the call says what to send, and what a response means.

use std::pin::pin;
use std::time::Duration;

use imts_core::call::NotCallable;
use imts_core::journal::{CallRecord, IntentError, RecordError, Resolution};
use imts_core::operation::Json;
use imts_core::{Bearer, Call, CallStep, Now, Operation, Outcome, Permit};

use super::Client;
use crate::client::common::{NoBearer, ON_THE_WAY, is_valid_at};
use crate::clock::Deadline;
use crate::sync::wait;
use crate::transport::send;

impl Client {
    /// Calls an operation, and waits for its outcome as long as this client's patience.
    ///
    /// A call that creates something or moves money is sent again only if it is known not to have
    /// been processed. An [`Outcome::Unknown`] must be resolved before anything is sent again.
    ///
    /// ```
    /// use imts::services::transfer::{Fees, Originator};
    /// use imts::{Builder, Credentials, Endpoint, Outcome};
    /// # let sandbox = std::sync::Mutex::new(imts_sandbox::Sandbox::default());
    /// # let transport = move |request: http::Request<imts::secret::Body>, _: imts::transport::Bounds| {
    /// #     let request = request.map(|body| body.as_ref().to_vec());
    /// #     Ok(sandbox.lock().unwrap().handle(imts_sandbox::Time::from(std::time::SystemTime::now()), &request))
    /// # };
    ///
    /// let client = Builder::new(Endpoint::https("https://sandbox.example")?)
    ///     .credentials(Credentials::new("sandbox-agent", "sandbox-secret")?)
    ///     .blocking(transport)?;
    /// let fees = Fees {
    ///     originator_type: Originator::Person,
    ///     target_country: "UZB".parse()?,
    ///     amount_source: "15.4".parse()?,
    ///     currency_source: "KZT".parse()?,
    ///     currency_target: "UZS".parse()?,
    ///     pg_sig: None,
    /// };
    /// match client.call(&fees)? {
    ///     Outcome::Done(reply) => assert!(reply.as_str().starts_with('{'), "{}", reply.as_str()),
    ///     other => panic!("{other:?}"),
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns [`NotCallable`] if the operation cannot be called, or if the journal does not
    /// permit it ([`NotCallable::Intent`]). Nothing was sent.
    pub fn call<O: Operation>(&self, operation: &O) -> Result<Outcome<O::Reply>, NotCallable> {
        let (call, now) = self.shared.common.call(operation, self.patience)?;
        Ok(self.carry(call, now)?)
    }

    /// Creates a call of the service's operation with this name, to be
    /// [performed](Client::perform).
    ///
    /// # Errors
    ///
    /// Fails as [`call`](Client::call) does.
    pub fn call_named(&self, name: &str, request: &Json) -> Result<Call<Json>, NotCallable> {
        self.shared.common.call_named(name, request, self.patience)
    }

    /// Sends the same bytes again, for a call that was not done.
    ///
    /// # Errors
    ///
    /// Returns [`IntentError`] if another call of the same intent came in between. Nothing was
    /// sent.
    pub fn call_again<R>(&self, permit: Permit<R>) -> Result<Outcome<R>, IntentError> {
        self.perform(permit.retry(self.shared.common.deadline(self.patience)))
    }

    /// Carries a call to its end. If this client's patience ends before the call is sent, the call
    /// is given up. A call to another service gets no token.
    ///
    /// # Errors
    ///
    /// Returns [`IntentError`] if the journal does not permit the call. Nothing was sent.
    pub fn perform<R>(&self, call: Call<R>) -> Result<Outcome<R>, IntentError> {
        let (call, now) = self.shared.common.prepared(call);
        self.carry(call, now)
    }

    /// Carries a prepared call to its end. The clocks are read after each step that may take time.
    fn carry<R>(&self, mut call: Call<R>, now: Now) -> Result<Outcome<R>, IntentError> {
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
                        Ok(None) => self.awaited_bearer(&call, deadline),
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
                CallStep::Record(entry) => call.on_recorded(wait(pin!(recorded.record(&entry)))),
                CallStep::Send(exchange) => {
                    let (request, bounds, _) = common.outgoing(exchange, &mut recorded);
                    let outcome = send(&*self.shared.transport, request, bounds);
                    now = common.or_end(common.report(&mut call, outcome), deadline);
                    continue;
                }
                CallStep::Reject(epoch) => self.reject(epoch),
                CallStep::Wait { until } => {
                    let seen = common.version();
                    match common.pause(until, deadline) {
                        Some(pause) => common.changes().wait(seen, pause),
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
    /// # Errors
    ///
    /// Returns [`RecordError::UnderWay`] if the call may still be under way; it says until when.
    /// Returns [`RecordError::Failed`] if there is no such call in doubt, or if the journal cannot
    /// be written.
    pub fn resolve(&self, id: u64, resolution: Resolution) -> Result<(), RecordError> {
        wait(pin!(self.shared.common.resolve(id, resolution)))
    }

    fn awaited_bearer<R>(&self, call: &Call<R>, deadline: Deadline) -> Result<Bearer, NoBearer> {
        let common = &self.shared.common;
        let token = self.wait_for_token(ON_THE_WAY, common.budget_of_call(deadline));
        // Another agent may have signed in while this call waited for the token.
        common.admits(call)?;
        token.map(Bearer::from).map_err(NoBearer::from)
    }
}
