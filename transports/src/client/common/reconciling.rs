//! Resolves the calls in doubt, for both clients.
//!
//! Owns the loop, and what is done with an answer or with the lack of one. The pass decides which
//! call comes next, and when. Does not know how a callback is run.

use std::sync::Arc;
use std::time::Duration;

use imts_core::journal::{
    Answer, CallRecord, Reconcile, ReconcileStep, Reconciled, Reconciling, RecordError, Unresolved,
};
use imts_core::transport_error::Source;

use super::Common;
use super::call_journal::Standing;
use super::driver::Driver;
use crate::clock::{Clock, Deadline};

/// The result of a callback.
pub(crate) enum Found {
    Answer(Answer),
    /// It did not answer within the time that was left.
    TimedOut,
    Panicked,
}

/// Goes once through the calls in doubt, to be over in this time. The callback gets a call and the
/// time that is left.
pub(crate) async fn reconcile<D: Driver, Fut: Future<Output = Found>>(
    client: &D,
    settings: &Reconcile,
    within: Duration,
    mut find_out: impl FnMut(CallRecord, Duration) -> Fut,
) -> Result<Reconciled, RecordError> {
    let common = client.common();
    let (deadline, mut pass) = (Deadline::after(within), common.reconciling(settings, within)?);
    loop {
        let seen = common.version();
        let now = common.now_or_end(deadline);
        match pass.poll(now) {
            ReconcileStep::Ask(call) => {
                let Some(call) = common.asks(&mut pass, call.id) else { continue };
                let id = call.id;
                let found = find_out(call, deadline.left().unwrap_or_default()).await;
                common.asked(&mut pass, id, found);
            }
            ReconcileStep::Record { id, resolution } => {
                pass.on_recorded(common.resolve(id, resolution).await);
            }
            ReconcileStep::Wait { until } => {
                let wait = until.since(now.mono).min(deadline.left().unwrap_or_default());
                client.wait(seen, wait).await;
            }
            ReconcileStep::Over(report) => return Ok(report),
        }
    }
}

impl<F> Common<F> {
    /// Starts one pass over the calls in doubt, to be over in this time.
    fn reconciling(
        &self,
        settings: &Reconcile,
        within: Duration,
    ) -> Result<Reconciling, RecordError> {
        let deadline = self.deadline(within);
        Ok(Reconciling::new(self.in_doubt()?, settings.clone(), deadline))
    }

    /// Returns the call as it is in doubt now, if it must be asked about. Time may have passed
    /// since it was listed.
    fn asks(&self, pass: &mut Reconciling, id: u64) -> Option<CallRecord> {
        match self.journal.standing(id, self.clock.now().wall) {
            Ok(Standing::InDoubt(call)) => return Some(*call),
            Ok(Standing::UnderWay { until }) => pass.skip(Some(Unresolved::UnderWay { until })),
            Ok(Standing::Known) => pass.skip(None),
            Err(error) => pass.on_broken(error),
        }
        None
    }

    /// Takes the result of a callback. The callback may have resolved the call itself.
    fn asked(&self, pass: &mut Reconciling, id: u64, found: Found) {
        let now = self.clock.now();
        match self.journal.standing(id, now.wall) {
            Ok(Standing::Known) => return pass.on_known(now),
            Ok(_) => {}
            Err(error) => return pass.on_broken(error),
        }
        let no_answer = |why: Source| Unresolved::NoAnswer(why);
        match found {
            Found::Answer(answer) => pass.on_answer(answer, now),
            Found::TimedOut => pass.on_unresolved(no_answer(Arc::new(TimedOut)), now),
            Found::Panicked => pass.on_unresolved(no_answer(Arc::new(Panicked)), now),
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the callback did not answer in time")]
struct TimedOut;

#[derive(Debug, thiserror::Error)]
#[error("the callback panicked")]
struct Panicked;
