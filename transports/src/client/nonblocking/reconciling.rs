//! Resolves the calls in doubt in a task.
//!
//! Owns the call of the callback, which may panic, and its time limit.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

use imts_core::journal::{Answer, CallRecord, Reconcile, Reconciled, RecordError};

use super::AsyncClient;
use super::flight::discard;
use crate::client::common::{Found, reconcile};
use crate::within::within;

impl AsyncClient {
    /// Calls a callback for each call in doubt, oldest first, and records its answers. It never
    /// sends a call again.
    ///
    /// The callback asks the service what became of the call, by its status operation or otherwise,
    /// and answers with a reason. It may use this client, and it may fail: an error counts as
    /// [`Answer::Unknown`], and a panic leaves the call in doubt. It is not called for calls that
    /// may be under way. After each question there is a [pause](Reconcile::interval). Once the
    /// [time](Reconcile::within) is over, the callback's future is dropped, and its call stays in
    /// doubt.
    ///
    /// Dropping the future at any point loses nothing: what was found out so far is recorded.
    ///
    /// # Errors
    ///
    /// Returns [`RecordError`] if the journal cannot be read at the start. Later failures are in
    /// the report.
    pub async fn reconcile<A, Fut>(
        &self,
        settings: &Reconcile,
        mut find_out: impl FnMut(CallRecord) -> Fut,
    ) -> Result<Reconciled, RecordError>
    where
        A: Into<Answer>,
        Fut: Future<Output = A>,
    {
        let limit = settings.time_limit().unwrap_or(self.patience);
        let transport = &*self.shared.transport;
        reconcile(self, settings, limit, |call, left| {
            let asked = catch_unwind(AssertUnwindSafe(|| find_out(call)));
            async move {
                let Ok(asked) = asked else { return Found::Panicked };
                let sleep = |time| transport.sleep(time);
                within(left, sleep, pin!(answer(asked))).await.unwrap_or(Found::TimedOut)
            }
        })
        .await
    }
}

/// Returns the result of a callback's future, also if it panics while it is polled.
async fn answer<A: Into<Answer>>(answer: impl Future<Output = A>) -> Found {
    let mut answer = Box::pin(answer);
    let found = poll_fn(|cx| {
        let poll = || answer.as_mut().poll(cx).map(|answer| Found::Answer(answer.into()));
        catch_unwind(AssertUnwindSafe(poll)).unwrap_or(Poll::Ready(Found::Panicked))
    })
    .await;
    discard(answer);
    found
}
