//! Calls over the shared session: how a call is made, sent and recorded.
//!
//! Owns the part that both clients share. Does not know how they wait.

use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use imts_core::call::NotCallable;
use imts_core::journal::{CallRecord, RecordError, Resolution};
use imts_core::operation::Json;
use imts_core::secret::Body;
use imts_core::time::Mono;
use imts_core::transport_error::Source;
use imts_core::{
    Bearer, Call, CallStep, Exchange, Now, Operation, Recovery, Reply, TransportError,
};

use super::Common;
use super::call_journal::RecordedCall;
use crate::clock::{Clock, Deadline};
use crate::token_error::TokenError;
use crate::transport::{Bounds, Progress};
use crate::wipe::wipe;

/// How much life a call's token should have left. If a token expires on the way, the service
/// answers with a 401, and no one knows what became of a call that moves money.
pub(crate) const ON_THE_WAY: Duration = Duration::from_secs(5);

impl<F> Common<F> {
    /// Creates a call of an operation for the agent that is signed in, to be over in this time.
    /// Returns also when that time began.
    pub(crate) fn call<O: Operation>(
        &self,
        operation: &O,
        within: Duration,
    ) -> Result<(Call<O::Reply>, Now), NotCallable> {
        let now = self.clock.now();
        let deadline = now.mono.after(within);
        let call = match &self.signer {
            Some(signer) if signer.signs::<O>() => signer.call(operation, deadline)?,
            _ => self.lock().session.call(operation, deadline)?,
        };
        Ok((self.recorded_in_journal(self.paced(call, now)), now))
    }

    /// Creates a call of the operation with this name, to be over in this time.
    pub(crate) fn call_named(
        &self,
        name: &str,
        request: &Json,
        within: Duration,
    ) -> Result<Call<Json>, NotCallable> {
        let deadline = self.deadline(within);
        let call = match &self.signer {
            Some(signer) if signer.signs_named(name) => signer.call_named(name, request, deadline),
            _ => self.lock().session.call_named(name, request, deadline),
        };
        call.map(|call| self.recorded_in_journal(call))
    }

    pub(crate) fn deadline(&self, within: Duration) -> Mono {
        self.clock.now().mono.after(within)
    }

    /// Starts a call.
    pub(crate) fn recorded<R>(&self, call: &Call<R>) -> RecordedCall<'_> {
        self.journal.recorded(&self.clock, call.needs_journal())
    }

    /// Returns the call's next step.
    pub(crate) fn next_of<R>(
        &self,
        call: &mut Call<R>,
        recorded: &mut RecordedCall<'_>,
        now: Now,
    ) -> CallStep<R> {
        let step = call.poll(now);
        recorded.on_step(&step, call.may_have_arrived());
        step
    }

    /// Returns the request to send, its bounds, and the progress on which the transport reports.
    pub(crate) fn outgoing(
        &self,
        exchange: Exchange,
        recorded: &mut RecordedCall<'_>,
    ) -> (Request<Body>, Bounds, Progress) {
        let bounds = Bounds::from(&exchange);
        (self.with_headers(exchange.into_request()), bounds, recorded.on_send())
    }

    /// Reports the outcome of a request to the call, and returns when that was.
    pub(crate) fn report<R>(
        &self,
        call: &mut Call<R>,
        outcome: Result<Response<Vec<u8>>, TransportError>,
    ) -> Now {
        let now = self.clock.now();
        match outcome {
            Ok(mut response) => {
                call.on_reply(Reply::from(&response), now);
                wipe(response.body_mut());
            }
            Err(failure) => call.on_failure(failure, now),
        }
        now
    }

    /// Returns the calls in doubt of the client's journal, except those that are under way.
    pub(crate) fn in_doubt(&self) -> Result<Vec<CallRecord>, RecordError> {
        self.journal.in_doubt()
    }

    /// Records what was found out about a call in doubt.
    pub(crate) async fn resolve(&self, id: u64, resolution: Resolution) -> Result<(), RecordError> {
        self.journal.resolve(id, self.clock.now().wall, resolution).await
    }

    /// Adds the caller's headers to a request, unless it has them.
    pub(super) fn with_headers(&self, mut request: Request<Body>) -> Request<Body> {
        for (name, value) in &self.headers {
            request.headers_mut().entry(name).or_insert_with(|| value.clone());
        }
        request
    }

    /// Returns a token for a call, if one is cached: then nothing was waited for.
    pub(crate) fn cached_bearer<R>(&self, call: &Call<R>) -> Result<Option<Bearer>, NoBearer> {
        // As long as the session is locked, the published token belongs to the signed-in agent.
        let locked = call.is_for_one_agent().then(|| self.lock());
        self.admits_for(call, locked.as_ref().and_then(|locked| locked.session.agent_id()))?;
        Ok(self.token.cached(ON_THE_WAY).map(Bearer::from))
    }

    /// Checks that a call may have a token of this session. A call to another service may not.
    pub(crate) fn admits<R>(&self, call: &Call<R>) -> Result<(), NoBearer> {
        self.admits_for(call, self.lock().session.agent_id())
    }

    fn admits_for<R>(&self, call: &Call<R>, agent: Option<&str>) -> Result<(), NoBearer> {
        let why: Source = if !call.is_for(&self.endpoint) {
            Arc::new(AnotherService)
        } else if !call.is_of_agent(agent) {
            Arc::new(AnotherAgent)
        } else {
            return Ok(());
        };
        Err(NoBearer { why, recovery: Recovery::Fix })
    }

    /// Returns the time. Once the caller's own time limit has passed, returns the end of the
    /// waiting clock, whatever a virtual clock shows.
    pub(crate) fn now_or_end(&self, deadline: Deadline) -> Now {
        self.or_end(self.clock.now(), deadline)
    }

    /// Returns this time, or the end if the caller's own time limit has passed.
    pub(crate) fn or_end(&self, now: Now, deadline: Deadline) -> Now {
        match deadline.left() {
            Some(_) => now,
            None => Now { mono: Mono::from_micros(u64::MAX), ..now },
        }
    }

    /// Returns a call as this client performs it, and the time. If the call was made for no agent,
    /// it is for the signed-in one.
    pub(crate) fn prepared<R>(&self, call: Call<R>) -> (Call<R>, Now) {
        let call = call.for_agent(self.lock().session.agent_id());
        let now = self.clock.now();
        (self.recorded_in_journal(self.paced(call, now)), now)
    }

    /// Returns the same call, which keeps the pace that its service asks for.
    fn paced<R>(&self, call: Call<R>, now: Now) -> Call<R> {
        match &self.signer {
            Some(signer) => signer.paced(call, now),
            None => call,
        }
    }

    /// Returns the same call, recorded in the journal if there is one, no matter who made the call.
    /// Without a journal, it is recorded in memory if it has a reference.
    fn recorded_in_journal<R>(&self, call: Call<R>) -> Call<R> {
        if self.journal.is_given() { call.with_journal() } else { call.with_memory() }
    }
}

/// Returns whether a token was cached that is valid at this time: then nothing was waited for, and
/// the clocks need not be read again. A clock that was set back may say otherwise.
pub(crate) fn is_valid_at(cached: &Result<Option<Bearer>, NoBearer>, now: Now) -> bool {
    matches!(cached, Ok(Some(bearer)) if !bearer.remaining(now).is_zero())
}

/// Why a call gets no token, and what to do about it.
pub(crate) struct NoBearer {
    pub(crate) why: Source,
    pub(crate) recovery: Recovery,
}

impl From<TokenError> for NoBearer {
    fn from(error: TokenError) -> Self {
        Self { recovery: error.recovery(), why: Arc::new(error) }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the call was made by a client of another service")]
struct AnotherService;

#[derive(Debug, thiserror::Error)]
#[error("the call was made for another agent than the one that the client has signed in as")]
struct AnotherAgent;
