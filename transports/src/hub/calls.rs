//! Calls over the shared session: how one is made, how it goes out, and who writes it down.
//!
//! Owns what both clients share of it. Knows nothing of how they wait.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use http::Request;
use imts_core::journal::{Entry, Journal};
use imts_core::{
    Body, Call, Exchange, Json, Mono, Now, Operation, OperationError, Recovery, Source,
};

use super::Hub;
use crate::clock::Deadline;
use crate::error::CallError;
use crate::sync::Mutex;
use crate::transport::Bounds;

/// Writes calls that move money down, one at a time.
pub(crate) type Recorder = Mutex<Box<dyn Journal + Send>>;

/// How much life a call's token should have left: one that dies on its way is answered with a 401,
/// after which nobody knows what became of money.
pub(crate) const ON_THE_WAY: Duration = Duration::from_secs(5);

impl<F> Hub<F> {
    /// A call of an operation, to be over in this time.
    pub(crate) fn call<O: Operation>(
        &self,
        operation: &O,
        within: Duration,
    ) -> Result<Call<O::Reply>, OperationError> {
        let deadline = self.deadline(within);
        self.lock().session.call(operation, deadline).map(|call| self.written_down(call))
    }

    /// A call of the operation of this name, to be over in this time.
    pub(crate) fn call_named(
        &self,
        name: &str,
        request: &Json,
        within: Duration,
    ) -> Result<Call<Json>, OperationError> {
        let deadline = self.deadline(within);
        self.lock().session.call_named(name, request, deadline).map(|call| self.written_down(call))
    }

    pub(crate) fn deadline(&self, within: Duration) -> Mono {
        self.now().mono.after(within)
    }

    /// The request as it goes out, and its bounds.
    pub(crate) fn outgoing(&self, exchange: Exchange) -> (Request<Body>, Bounds) {
        let bounds = Bounds::from(&exchange);
        (self.dress(exchange.into_request()), bounds)
    }

    /// Makes an entry durable. A journal that panics has failed.
    pub(crate) fn record(&self, entry: &Entry) -> Result<u64, Source> {
        let Some(recorder) = &self.recorder else { return Err(Arc::new(NoJournal)) };
        let mut journal = recorder.lock().unwrap_or_else(PoisonError::into_inner);
        catch_unwind(AssertUnwindSafe(|| journal.record(entry)))
            .unwrap_or_else(|_| Err(Arc::new(JournalPanicked) as Source))
    }

    /// Whether a call may have a token of this session: one that goes to another service may not.
    pub(crate) fn admits<R>(&self, call: &Call<R>) -> Result<(), NoBearer> {
        if call.is_for(&self.endpoint) {
            return Ok(());
        }
        Err(NoBearer { why: Arc::new(AnotherService), recovery: Recovery::Fix })
    }

    /// The time; on the waiting clock its end once the caller's own has come, whatever a virtual
    /// clock shows.
    pub(crate) fn now_or_end(&self, deadline: Deadline) -> Now {
        let now = self.now();
        match deadline.left() {
            Some(_) => now,
            None => Now { mono: Mono::from_micros(u64::MAX), ..now },
        }
    }

    /// The same call, written down where there is a journal, whoever made it.
    pub(crate) fn written_down<R>(&self, call: Call<R>) -> Call<R> {
        if self.recorder.is_some() { call.with_journal() } else { call }
    }
}

/// Why a call gets no token, and what to do about it.
pub(crate) struct NoBearer {
    pub(crate) why: Source,
    pub(crate) recovery: Recovery,
}

impl From<CallError> for NoBearer {
    fn from(error: CallError) -> Self {
        Self { recovery: error.recovery(), why: Arc::new(error) }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the client has no journal")]
struct NoJournal;

#[derive(Debug, thiserror::Error)]
#[error("the call is for another service than the client's")]
struct AnotherService;

#[derive(Debug, thiserror::Error)]
#[error("the journal panicked")]
struct JournalPanicked;
