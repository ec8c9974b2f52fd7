//! Asking about calls in doubt: the part that both clients share.
//!
//! Owns what is done with an answer, or with the lack of one. Does not know how a callback is run.

use std::sync::Arc;
use std::time::Duration;

use imts_core::Source;
use imts_core::journal::{Answer, CallRecord, Reconcile, Reconciling, RecordError, Unresolved};

use super::Common;
use super::call_journal::Standing;

/// The result of a callback.
pub(crate) enum Found {
    Answer(Answer),
    /// It did not answer within the time that was left.
    TimedOut,
    Panicked,
}

impl<F> Common<F> {
    /// Starts one pass over the calls in doubt, to be over in this time.
    pub(crate) fn reconciling(
        &self,
        settings: &Reconcile,
        within: Duration,
    ) -> Result<Reconciling, RecordError> {
        let deadline = self.deadline(within);
        Ok(Reconciling::new(self.in_doubt()?, settings.clone(), deadline))
    }

    /// Returns the call as it is in doubt now, if it must be asked about. Time may have passed
    /// since it was listed.
    pub(crate) fn asks(&self, pass: &mut Reconciling, id: u64) -> Option<CallRecord> {
        match self.journal.standing(id, self.now().wall) {
            Ok(Standing::InDoubt(call)) => return Some(*call),
            Ok(Standing::UnderWay { until }) => pass.skip(Some(Unresolved::UnderWay { until })),
            Ok(Standing::Known) => pass.skip(None),
            Err(error) => pass.on_broken(error),
        }
        None
    }

    /// Takes the result of a callback. The callback may have resolved the call itself.
    pub(crate) fn asked(&self, pass: &mut Reconciling, id: u64, found: Found) {
        let now = self.now();
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
#[error("the callback did not answer within the time that was left")]
struct TimedOut;

#[derive(Debug, thiserror::Error)]
#[error("the callback panicked")]
struct Panicked;
