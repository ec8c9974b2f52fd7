//! Decides what happens to a flight that no one has driven.
//!
//! Owns this rule: time in which the runtime was stopped, or the process frozen, does not count
//! against the service. Does not know how a flight is driven.

use imts_core::{Ticket, TransportError};

use super::{Common, State};
use crate::clock::Clock;

impl<F> Common<F> {
    /// Returns whether the flight under way is given up. Call this before an ask that finds one.
    ///
    /// If its time limit has passed, no one has driven the flight: otherwise it would have ended.
    /// Its time then begins anew. If nothing of its request was sent, the flight is given up as if
    /// it had never begun, and another may begin at once. If the caller has waited for it in vain,
    /// `is_overdue`, it is given up in any case.
    pub(crate) fn gives_up(&self, state: &mut State<F>, is_overdue: bool) -> bool {
        let Some((ticket, progress)) = &state.sending else { return false };
        let now = self.clock.now();
        let is_undriven = !is_overdue && state.session.postpone(*ticket, now);
        if (is_overdue || is_undriven) && progress.withdraw() {
            state.session.withdraw(*ticket);
            return true;
        }
        if is_overdue {
            state.session.on_failure(*ticket, TransportError::unknown().timed_out(), now);
        }
        is_overdue
    }

    /// Gives up a request that cannot continue because what drove it is gone, and of which nothing
    /// was sent. It counts as never begun, and the next ask begins another. Returns `false` the
    /// second time in a row: then the request has failed. Otherwise, a transport that always panics
    /// would be tried for ever.
    pub(crate) fn begins_anew(&self, ticket: Ticket) -> bool {
        let mut state = self.lock();
        if std::mem::replace(&mut state.is_begun_anew, true) {
            return false;
        }
        state.session.withdraw(ticket);
        true
    }
}
