//! Resolves the calls in doubt in a task.
//!
//! Owns the loop. The pass decides which call comes next, and when.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

use imts_core::journal::{Answer, CallRecord, Reconcile, ReconcileStep, Reconciled, RecordError};

use super::AsyncClient;
use super::flight::discard;
use super::waiting::until;
use crate::client::common::Found;
use crate::clock::Deadline;
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
        let (common, transport) = (&self.shared.common, &*self.shared.transport);
        let limit = settings.time_limit().unwrap_or(self.patience);
        let (deadline, mut pass) = (Deadline::after(limit), common.reconciling(settings, limit)?);
        loop {
            let seen = common.version();
            let now = common.now_or_end(deadline);
            match pass.poll(now) {
                ReconcileStep::Ask(call) => {
                    let Some(call) = common.asks(&mut pass, call.id) else { continue };
                    let id = call.id;
                    let left = deadline.left().unwrap_or_default();
                    let sleep = |time| transport.sleep(time);
                    let answer = within(left, sleep, pin!(answer(|| find_out(call)))).await;
                    common.asked(&mut pass, id, answer.unwrap_or(Found::TimedOut));
                }
                ReconcileStep::Record { id, resolution } => {
                    pass.on_recorded(common.resolve(id, resolution).await);
                }
                ReconcileStep::Wait { until: due } => {
                    let wait = due.since(now.mono).min(deadline.left().unwrap_or_default());
                    until(common.changes(), seen, transport, Some(wait)).await;
                }
                ReconcileStep::Over(report) => return Ok(report),
            }
        }
    }
}

/// Returns the result of a callback, also if it panics when it is called or while it is polled.
async fn answer<A: Into<Answer>, Fut: Future<Output = A>>(ask: impl FnOnce() -> Fut) -> Found {
    let Ok(answer) = catch_unwind(AssertUnwindSafe(ask)) else { return Found::Panicked };
    let mut answer = Box::pin(answer);
    let found = poll_fn(|cx| {
        let poll = || answer.as_mut().poll(cx).map(|answer| Found::Answer(answer.into()));
        catch_unwind(AssertUnwindSafe(poll)).unwrap_or(Poll::Ready(Found::Panicked))
    })
    .await;
    discard(answer);
    found
}
