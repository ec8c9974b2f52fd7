//! What becomes of a flight that nobody has driven.
//!
//! Owns that rule: the time of a stopped runtime, or of a frozen process, is not the service's. Knows
//! nothing of how a flight is driven.

use imts_core::{Failure, Ticket};

use super::{Hub, State};

impl<F> Hub<F> {
    /// Before an ask that finds a flight under way: whether the flight is given up.
    ///
    /// One whose time limit has passed has not been driven, or it would have landed: its time begins
    /// anew. If nothing of its request has left, it is given up without a trace, and another may begin
    /// at once. One that the asker has waited for in vain, `is_overdue`, is given up in any case.
    pub(crate) fn gives_up(&self, state: &mut State<F>, is_overdue: bool) -> bool {
        let Some((ticket, progress)) = &state.sending else { return false };
        let now = self.now();
        let is_undriven = !is_overdue && state.session.postpone(*ticket, now);
        if (is_overdue || is_undriven) && progress.withdraw() {
            state.session.withdraw(*ticket);
            return true;
        }
        if is_overdue {
            state.session.on_failure(*ticket, Failure::unknown().timed_out(), now);
        }
        is_overdue
    }

    /// A request could not go on because what drove it is gone, and nothing of it has left: it is given
    /// up without a trace, and the next ask begins another. Not twice in a row: then it has failed, or
    /// a transport that always panics would be tried for ever.
    pub(crate) fn begins_anew(&self, ticket: Ticket) -> bool {
        let mut state = self.lock();
        if std::mem::replace(&mut state.is_begun_anew, true) {
            return false;
        }
        state.session.withdraw(ticket);
        true
    }
}
